"""The equity breaker on days made by hand."""

from dataclasses import replace
from decimal import Decimal

import pytest

from cambist.domain.errors import BadInput
from cambist.domain.text import say
from cambist.domain.trading import BreakerStage, TradingState
from cambist.domain.wire import from_text, to_text
from cambist.execution.breaker import DAY_MS, Breaker, BreakerRules, Falls, armed, moved, rearm, size_factor, watch

D = Decimal
CLEAR, HALVE, NO_ENTRIES, REDUCE_ONLY, FLATTEN = BreakerStage
FALLS = Falls(halve=D("0.05"), no_entries=D("0.10"), reduce_only=D("0.15"), flatten=D("0.20"))
PEAK, DAILY = BreakerRules(from_peak=FALLS), BreakerRules(from_opening=FALLS)


def seen(rules: BreakerRules, *equities: str, breaker: Breaker | None = None, step_ms: int = 1) -> Breaker:
    breaker = breaker or armed(D(1_000), 0)
    ts = breaker.since_ms
    for equity in equities:
        ts += step_ms
        breaker = watch(breaker, rules, D(equity), ts)
    return breaker


@pytest.mark.parametrize(
    ("equity", "stage"),
    [
        ("950.01", CLEAR),
        ("950", HALVE),
        ("900.01", HALVE),
        ("900", NO_ENTRIES),
        ("850", REDUCE_ONLY),
        ("800.01", REDUCE_ONLY),
        ("800", FLATTEN),
        ("-50", FLATTEN),
    ],
)
@pytest.mark.parametrize("rules", [PEAK, DAILY])
def test_each_stage_begins_at_its_fall(rules, equity, stage):
    assert seen(rules, equity).stage is stage


def test_a_stage_that_is_left_out_is_skipped():
    rules = BreakerRules(from_peak=Falls(halve=D("0.05"), flatten=D("0.30")))
    assert seen(rules, "800").stage is HALVE
    assert seen(rules, "700").stage is FLATTEN


def test_without_rules_it_never_trips_but_keeps_the_peak_and_the_day():
    breaker = seen(BreakerRules(), "2000", "0", "-5")
    assert breaker == replace(armed(D(1_000), 0), peak=D(2_000))


def test_the_stage_stays_when_equity_comes_back_and_tells_since_when():
    breaker = seen(PEAK, "899", "2000", "1950")
    assert (breaker.stage, breaker.since_ms, breaker.peak) == (NO_ENTRIES, 1, D(2_000))


def test_the_day_counts_from_its_first_equity():
    breaker = seen(DAILY, "960", "930", breaker=armed(D(1_000), DAY_MS - 2))
    assert (breaker.stage, breaker.opening, breaker.start, breaker.day) == (CLEAR, D(930), D(930), 1)
    assert seen(DAILY, "883.5", breaker=breaker).stage is HALVE


def test_a_clock_that_was_set_back_does_not_open_the_day_again():
    breaker = watch(armed(D(1_000), DAY_MS), DAILY, D(900), DAY_MS - 1)
    assert (breaker.day, breaker.opening, breaker.stage) == (1, D(1_000), NO_ENTRIES)


@pytest.mark.parametrize("rules", [PEAK, DAILY])
def test_re_armed_it_counts_from_there_and_leaves_the_day_its_opening(rules):
    breaker = rearm(seen(rules, "800"), D(800), 9)
    assert (breaker.stage, breaker.since_ms, breaker.peak) == (CLEAR, 9, D(800))
    assert breaker.opening == D(1_000)
    assert seen(rules, "800", "761", breaker=breaker).stage is CLEAR
    assert seen(rules, "760", breaker=breaker).stage is HALVE


def test_of_two_rules_the_later_stage_counts():
    both = BreakerRules(from_peak=Falls(halve=D("0.5")), from_opening=Falls(flatten=D("0.1")))
    assert seen(both, "900").stage is FLATTEN
    assert seen(BreakerRules(from_peak=both.from_opening, from_opening=both.from_peak), "900").stage is FLATTEN


def test_a_withdrawal_does_not_trip_it_and_a_deposit_hides_nothing():
    fallen = seen(PEAK, "960")
    out = moved(fallen, D(-860), D(960))  # 100 left: the peak is worth 104.1666...
    assert seen(PEAK, "98.96", breaker=out).stage is CLEAR
    assert seen(PEAK, "98.95", breaker=out).stage is HALVE
    into = moved(fallen, D(9_040), D(960))
    assert seen(PEAK, "9895.83", breaker=into).stage is HALVE  # 5 % below 10416.666...
    assert seen(PEAK, "9895.84", breaker=into).stage is CLEAR
    assert into.opening - D(10_000) == D(40)


def test_an_account_that_is_emptied_and_filled_again_does_not_trip():
    empty = watch(moved(armed(D(1_000), 0), D(-1_000), D(1_000)), PEAK, D(0), 1)
    assert (empty.peak, empty.stage) == (D(0), CLEAR)
    filled = watch(moved(empty, D(500), D(0)), PEAK, D(500), 2)
    assert (filled.peak, filled.start, filled.stage) == (D(500), D(500), CLEAR)


def test_the_size_of_entries_by_stage():
    assert [size_factor(stage) for stage in BreakerStage] == [D(1), D("0.5"), D(0), D(0), D(0)]


def test_it_can_be_stored_as_json():
    breaker = seen(PEAK, "900")
    assert from_text(Breaker, to_text(Breaker, breaker)) == breaker


@pytest.mark.parametrize(
    ("falls", "field", "said"),
    [
        ({"halve": "0"}, "halve", "above 0"),
        ({"flatten": "1.01"}, "flatten", "at most 1"),
        ({"no_entries": "NaN"}, "no_entries", "0.1 is 10 %"),
        ({"halve": "0.1", "no_entries": "0.1"}, "no_entries", "more than 0.1"),
        ({"halve": "0.2", "flatten": "0.1"}, "flatten", "more than 0.2"),
    ],
)
def test_falls_that_cannot_be_meant_are_refused(falls, field, said):
    with pytest.raises(BadInput) as refused:
        Falls(**{stage: D(fraction) for stage, fraction in falls.items()})
    assert refused.value.field == field
    assert said in str(refused.value)


def test_each_state_and_stage_has_its_text():
    assert all(say(f"trading.{state}") for state in TradingState)
    assert all(say(f"breaker.{stage.name.lower()}") for stage in BreakerStage)
