"""Laws of cutting a history for a search: no test on what was chosen on, nothing twice, nothing missing."""

from collections import Counter
from math import comb

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cambist.backtest.optimise.splits import (
    Scheme,
    blocks_of,
    combinatorial,
    duration,
    holdout,
    trained,
    windows,
    written,
)
from cambist.domain.errors import BadInput
from cambist.domain.search import BLOCKS, EXACT, TRIMMED, Span
from cambist.domain.timeframe import DAY_MS, MINUTE_MS

START = 1_704_067_200_000
minutes = st.integers(1, 3_000_000)


@st.composite
def histories(draw: st.DrawFn) -> Span:
    start = START + MINUTE_MS * draw(st.integers(0, 2_000))
    return Span(start_ts=start, stop_ts=start + MINUTE_MS * draw(minutes))


@given(histories(), st.floats(-0.5, 1.5))
def test_a_holdout_parts_a_history_in_two_or_is_refused(whole: Span, share: float) -> None:
    try:
        train, test = holdout(whole, share)
    except BadInput:
        unit = DAY_MS if whole.stop_ts - whole.start_ts >= 10 * DAY_MS else MINUTE_MS
        edge = unit / (whole.stop_ts - whole.start_ts)
        assert share <= edge or share >= 1.0 - edge
        return
    assert (train.start_ts, train.stop_ts, test.stop_ts) == (whole.start_ts, test.start_ts, whole.stop_ts)
    assert train.start_ts < train.stop_ts < test.stop_ts
    length = whole.stop_ts - whole.start_ts
    assert -1 <= share * length - (train.stop_ts - train.start_ts) <= (DAY_MS if length >= 10 * DAY_MS else MINUTE_MS)


@given(histories(), minutes, minutes, st.booleans(), st.integers(0, 5_000), st.integers(0, 5_000))
def test_windows_keep_training_before_test_and_tests_cover_the_rest_once(
    whole: Span, train: int, test: int, anchored: bool, purge: int, embargo: int
) -> None:
    length = (whole.stop_ts - whole.start_ts) // MINUTE_MS
    train, test = train // 20 + 1, (test + length) // 150 + 1  # some windows, and not thousands
    train_ms, test_ms, purge_ms, embargo_ms = (MINUTE_MS * length for length in (train, test, purge, embargo))
    try:
        cuts = windows(
            whole,
            train_ms=train_ms,
            test_ms=test_ms,
            anchored=anchored,
            purge_ms=purge_ms,
            embargo_ms=embargo_ms,
        )
    except BadInput as error:
        assert {  # noqa: PT017  (each may be refused, for its own reason alone)
            "walk_forward": train_ms + test_ms > whole.stop_ts - whole.start_ts,
            "purge": purge_ms >= train_ms,
            "embargo": not anchored and embargo_ms > 0,
        }[error.field]
        return
    tests = [test for _, test in cuts]
    assert tests[0].start_ts == whole.start_ts + train_ms
    assert tests[-1].stop_ts == whole.stop_ts
    assert [one.stop_ts for one in tests[:-1]] == [one.start_ts for one in tests[1:]]
    assert {one.stop_ts - one.start_ts for one in tests[:-1]} <= {test_ms}
    last = tests[-1].stop_ts - tests[-1].start_ts
    assert test_ms <= 2 * last
    assert last < 1.5 * test_ms or len(tests) == 1
    for number, (trained_on, tried) in list(enumerate(cuts))[:: max(1, len(cuts) // 40)]:
        assert whole.start_ts <= trained_on.start_ts < trained_on.stop_ts == tried.start_ts - purge_ms
        if anchored:
            assert trained_on.start_ts == whole.start_ts
        else:
            assert trained_on.start_ts >= tried.start_ts - train_ms
            assert not any(one.stop_ts <= trained_on.start_ts < one.stop_ts + embargo_ms for one in tests[:number])
            if not embargo:
                assert trained_on.start_ts == tried.start_ts - train_ms


@given(histories(), st.integers(1, 400), st.booleans())
def test_a_number_of_windows_gives_that_many_of_one_length(whole: Span, count: int, anchored: bool) -> None:
    text = f"anchored:{count}" if anchored else str(count)
    try:
        cuts = Scheme.parse(text).windows(whole)
    except BadInput:
        assert (whole.stop_ts - whole.start_ts) // MINUTE_MS < count + 3
        return
    assert len(cuts) == count
    assert len({test.stop_ts - test.start_ts for _, test in cuts}) == 1
    test_ms = cuts[0][1].stop_ts - cuts[0][1].start_ts
    assert cuts[0][0].stop_ts - cuts[0][0].start_ts >= 3 * test_ms
    assert (len({train.start_ts for train, _ in cuts}) == 1) == (anchored or count == 1)


@given(st.integers(2, 3_000_000), st.integers(1, 10**6), st.integers(1, 10**6))
def test_what_is_said_to_fit_fits(length: int, train: int, test: int) -> None:
    whole = Span(start_ts=START, stop_ts=START + MINUTE_MS * length)
    if train + test <= length:
        train = length
    with pytest.raises(BadInput) as refused:
        windows(whole, train_ms=MINUTE_MS * train, test_ms=MINUTE_MS * test)
    assert Scheme.parse(str(refused.value.params["fit"])).windows(whole)


@given(st.integers(2, 1_000_000))
def test_a_number_that_is_said_to_fit_fits(length: int) -> None:
    whole = Span(start_ts=START, stop_ts=START + MINUTE_MS * (4 + length % 500))
    with pytest.raises(BadInput) as refused:
        Scheme.parse("9999").windows(whole)
    assert len(Scheme.parse(str(refused.value.params["fit"])).windows(whole)) == refused.value.params["fit"]


@given(st.integers(1, 999_999), st.sampled_from("mhdw"))
def test_a_length_is_read_as_it_is_written(count: int, unit: str) -> None:
    length = duration("purge", f"{count}{unit}")
    shown = written(length)
    assert length == count * {"m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}[unit]
    assert len(shown[:-1]) > 6 or duration("purge", shown) == length


@given(st.integers(2, 9).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n - 1))))
@example((BLOCKS, 2))
def test_each_path_has_each_group_once_and_each_test_is_used_once(shape: tuple[int, int]) -> None:
    groups, tested = shape
    plan = combinatorial(groups, tested)
    assert len(plan.splits) == len(set(plan.splits)) == comb(groups, tested)
    assert len(plan.paths) * groups == tested * comb(groups, tested)
    assert all(len(path) == groups for path in plan.paths)
    assert all(group in plan.splits[split] for path in plan.paths for group, split in enumerate(path))
    used = Counter((split, group) for path in plan.paths for group, split in enumerate(path))
    assert used == Counter((split, group) for split, groups_ in enumerate(plan.splits) for group in groups_)


@given(st.integers(2, BLOCKS).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, n - 1), max_size=n - 1))))
def test_training_takes_no_tested_block_and_trims_those_beside_one(shape: tuple[int, set[int]]) -> None:
    groups, split = shape
    assert [block for group in range(groups) for block in blocks_of(group, groups)] == list(range(BLOCKS))
    taken = trained(tuple(sorted(split)), groups)
    tested = {block for group in split for block in blocks_of(group, groups)}
    for block in range(BLOCKS):
        beside = block - 1 in tested or block + 1 in tested
        assert taken[EXACT, block] == (block not in tested and not beside)
        assert taken[TRIMMED, block] == (block not in tested and beside)
    assert np.count_nonzero(taken) == BLOCKS - len(tested)
