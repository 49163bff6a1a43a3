"""How people write cuts of a history, what comes of it, and what they are told when it will not do."""

from datetime import UTC, datetime

import pytest

from cambist.backtest.optimise.splits import Cut, Scheme, duration, holdout, trained, windows, written
from cambist.domain.errors import BadInput
from cambist.domain.search import EXACT, TRIMMED, Span
from cambist.domain.text import speak
from cambist.domain.timeframe import DAY_MS, MINUTE_MS

START = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp()) * 1000
HOUR = 60 * MINUTE_MS


def days(first: float, last: float) -> Span:
    return Span(start_ts=START + int(first * DAY_MS), stop_ts=START + int(last * DAY_MS))


def in_days(cuts: tuple[Cut, ...]) -> list[tuple[float, ...]]:
    return [tuple((ts - START) / DAY_MS for span in cut for ts in (span.start_ts, span.stop_ts)) for cut in cuts]


def test_a_rolling_walk() -> None:
    found = Scheme.parse("90d/30d").windows(days(0, 200))
    assert in_days(found) == [(0, 90, 90, 120), (30, 120, 120, 150), (60, 150, 150, 180), (90, 180, 180, 200)]


def test_half_a_test_is_enough_to_be_judged_alone() -> None:
    scheme = Scheme.parse("90d/30d")
    assert in_days(scheme.windows(days(0, 135))) == [(0, 90, 90, 120), (30, 120, 120, 135)]
    assert in_days(scheme.windows(days(0, 134))) == [(0, 90, 90, 134)]


def test_an_anchored_walk_with_a_purge() -> None:
    found = Scheme.parse("anchored:12w/30d").windows(days(0, 150), purge_ms=36 * HOUR)
    assert in_days(found) == [(0, 82.5, 84, 114), (0, 112.5, 114, 150)]  # 6 days are too little for a test


def test_an_embargo_keeps_a_training_from_beginning_right_after_a_test() -> None:
    found = Scheme.parse("20d/10d").windows(days(0, 60), embargo_ms=3 * DAY_MS)
    assert in_days(found) == [(0, 20, 20, 30), (10, 30, 30, 40), (20, 40, 40, 50), (33, 50, 50, 60)]


def test_a_number_of_windows() -> None:
    assert in_days(Scheme.parse("3").windows(days(0, 365))) == [
        (0, 185, 185, 245),
        (60, 245, 245, 305),
        (120, 305, 305, 365),
    ]
    assert [cut[0] for cut in in_days(Scheme.parse("anchored:6").windows(days(0, 365)))] == [0] * 6


def test_a_holdout_is_cut_at_midnight_in_long_histories() -> None:
    assert in_days((holdout(days(0.25, 100), 0.7),)) == [(0.25, 70, 70, 100)]
    train, test = holdout(days(0, 2), 0.7)
    assert (train.stop_ts - START) / HOUR == pytest.approx(33.6)
    assert test.start_ts % MINUTE_MS == 0


@pytest.mark.parametrize("share", [0.0, 1.0, -1.0, 7.0, float("nan"), 0.001])
def test_a_holdout_that_leaves_nothing_is_refused(share: float) -> None:
    with pytest.raises(BadInput, match="Give the share of the history to choose on") as refused:
        holdout(days(0, 100), share)
    assert refused.value.field == "split"


@pytest.mark.parametrize(
    "text",
    ["", "0", "-3", "90d", "90/30", "90d/0d", "90d/30d/3d", "90d/30y", "rolling:90d/30d", ":6", "1.5d/1d", "anchored:"],
)
def test_what_is_no_walk_is_told_how_one_is_written(text: str) -> None:
    with pytest.raises(BadInput, match="anchored:90d/30d always trains from the beginning") as refused:
        Scheme.parse(text)
    assert (refused.value.field, refused.value.value) == ("walk_forward", text)


def test_a_history_that_is_too_short_is_told_what_would_fit() -> None:
    with pytest.raises(BadInput) as refused:
        Scheme.parse("90d/30d").windows(days(0, 100))
    assert str(refused.value) == (
        "walk_forward: '90d/30d' will not do. This needs 120d of history, and there are 100d. 42d/14d would fit; "
        "so would a longer history."
    )
    assert len(Scheme.parse("42d/14d").windows(days(0, 100))) == 4
    speak("fr")
    try:
        assert "Il y faut 120d d'historique, et il y en a 100d. 42d/14d conviendrait" in str(refused.value)
    finally:
        speak("en")


def test_too_many_windows() -> None:
    with pytest.raises(BadInput, match="At most 57 would fit"):
        Scheme.parse("58").windows(days(0, 1 / 24))
    assert len(Scheme.parse("57").windows(days(0, 1 / 24))) == 57


def test_a_purge_or_an_embargo_that_leaves_nothing() -> None:
    with pytest.raises(BadInput, match="It must be shorter than the training, which is 90d") as refused:
        windows(days(0, 200), train_ms=90 * DAY_MS, test_ms=30 * DAY_MS, purge_ms=90 * DAY_MS)
    assert refused.value.field == "purge"
    with pytest.raises(BadInput, match=r"Give one that is shorter than the test \(30d\), or 0") as refused:
        windows(days(0, 400), train_ms=90 * DAY_MS, test_ms=30 * DAY_MS, embargo_ms=40 * DAY_MS)
    assert refused.value.field == "embargo"


@pytest.mark.parametrize(
    ("text", "length"),
    [("0", 0), ("30m", 30 * MINUTE_MS), ("12h", 12 * HOUR), (" 90d ", 90 * DAY_MS), ("2w", 14 * DAY_MS)],
)
def test_lengths(text: str, length: int) -> None:
    assert duration("purge", text) == length


@pytest.mark.parametrize("text", ["", "5", "d", "-1d", "1.5h", "3M"])
def test_what_is_no_length(text: str) -> None:
    with pytest.raises(BadInput, match="Write a whole number and a unit: 30m, 12h, 90d or 2w; or 0"):
        duration("purge", text)


def test_lengths_are_shown_in_the_largest_unit_that_fits() -> None:
    lengths = [0, 90 * MINUTE_MS, 36 * HOUR, 14 * DAY_MS, 100 * DAY_MS + 1, 1_500]
    assert [written(length) for length in lengths] == ["0d", "90m", "36h", "14d", "100.0d", "0.0m"]


def test_blocks_beside_a_test_are_trimmed() -> None:
    taken = trained((1, 4), 8)  # blocks 2, 3, 8 and 9
    assert [block for block in range(16) if taken[TRIMMED, block]] == [1, 4, 7, 10]
    assert [block for block in range(16) if taken[EXACT, block]] == [0, 5, 6, 11, 12, 13, 14, 15]
