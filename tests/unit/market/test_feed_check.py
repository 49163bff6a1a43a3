"""Flaws of a stream, and that a clean one has none."""

from hypothesis import given
from hypothesis import strategies as st

from cambist.market.backoff import wait_s
from cambist.market.feed_check import Finding, Flaw, SequenceCheck, TimeCheck


@given(st.lists(st.integers(1, 5), max_size=30))
def test_a_sequence_without_gap_has_no_flaw(lengths):
    check, first = SequenceCheck(), 10
    for length in lengths:
        assert check.see(first, first + length - 1) is None
        first += length


def test_gaps_and_repetitions_are_named_and_do_not_hide_what_follows():
    check = SequenceCheck()
    found = [check.see(number) for number in (1, 2, 2, 3, 6, 7, 5, 8)]
    assert found == [
        None,
        None,
        Finding(flaw=Flaw.REPEATED, at=2, expected=3, found=2),
        None,
        Finding(flaw=Flaw.GAP, at=6, expected=4, found=6),
        None,
        Finding(flaw=Flaw.REPEATED, at=5, expected=8, found=5),
        None,
    ]


def test_times_are_judged_at_their_limits():
    check = TimeCheck(skew_ms=10, late_ms=100, since=1_000, until=2_000)
    received = {990: None, 989: Flaw.EARLY, 1_100: None, 1_101: Flaw.LATE}
    for when, flaw in received.items():
        finding = check.see(1, 1_000, when)
        assert (finding and finding.flaw) == flaw
    for event in (999, 2_000):
        finding = check.see(1, event, event)
        assert finding is not None
        assert finding.flaw is Flaw.OUTSIDE


@given(st.integers(1, 10_000), st.text(max_size=5))
def test_waits_double_up_to_the_longest(attempt, seed):
    full = min(30.0, 0.5 * 2.0 ** min(attempt - 1, 60))
    wait = wait_s(attempt, seed=seed)
    assert full / 2 <= wait <= full
    assert wait == wait_s(attempt, seed=seed)


def test_different_seeds_do_not_return_together():
    assert len({wait_s(3, seed=str(seed)) for seed in range(100)}) > 90
