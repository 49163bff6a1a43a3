"""Settings become limits and rules, or say what is wrong with them."""

from decimal import Decimal
from typing import Any

import pytest

from cambist.domain.errors import BadInput
from cambist.execution.breaker import BreakerRules, Falls
from cambist.execution.limits import Limits
from cambist.execution.settings import capped, limits_of, rules_of

D = Decimal


@pytest.mark.parametrize("nothing", [None, {}, {"limits": None, "breaker": None}, {"limits": {}, "breaker": {}}])
def test_nothing_set_is_the_default(nothing: Any):
    assert limits_of(nothing) == Limits()
    assert rules_of(nothing) == BreakerRules()


def test_numbers_are_text_or_integers_and_null_is_none():
    settings = {"limits": {"max_order_notional": "500.50", "max_open_positions": 3, "max_price_age_ms": "60000"}}
    assert limits_of(settings) == Limits(max_order_notional=D("500.50"), max_open_positions=3, max_price_age_ms=60_000)
    found = limits_of({"limits": {"max_unprotected_ms": None, "max_daily_loss": 100}, "paper": {"USDT": "1"}})
    assert found == Limits(max_unprotected_ms=None, max_daily_loss=D(100))
    assert type(found.max_daily_loss) is Decimal
    assert type(limits_of(settings).max_price_age_ms) is int


def test_rules_are_falls_by_stage():
    settings = {"breaker": {"from_peak": {"halve": "0.05", "flatten": "0.2", "no_entries": None}, "from_opening": None}}
    assert rules_of(settings) == BreakerRules(from_peak=Falls(halve=D("0.05"), flatten=D("0.2")))


@pytest.mark.parametrize(
    ("settings", "field", "value", "said"),
    [
        ({"max_ordr_notional": "1"}, "limits.max_ordr_notional", "1", "max_order_notional, max_instrument_notional"),
        ({"max_order_notional": 0.5}, "limits.max_order_notional", 0.5, "as text"),
        ({"max_order_notional": True}, "limits.max_order_notional", True, "as text"),
        ({"max_order_notional": "a lot"}, "limits.max_order_notional", "a lot", "as text"),
        ({"max_order_notional": "NaN"}, "limits.max_order_notional", "NaN", "as text"),
        ({"max_order_notional": ["1"]}, "limits.max_order_notional", ["1"], "as text"),
        ({"max_order_notional": "-1"}, "limits.max_order_notional", D(-1), "0 or more"),
        ({"max_open_positions": "1.5"}, "limits.max_open_positions", "1.5", "an integer"),
        ({"max_daily_loss_fraction": "5"}, "limits.max_daily_loss_fraction", D(5), "0.1 is 10 %"),
        ({"max_orders_per_10s": 5_000}, "limits.max_orders_per_10s", 5_000, "at most 1000"),
        ("all", "limits", "all", "an object"),
    ],
)
def test_a_bad_limit_is_named(settings: Any, field: str, value: Any, said: str):
    with pytest.raises(BadInput, match="will not do") as refused:
        limits_of({"limits": settings})
    assert (refused.value.field, refused.value.value) == (field, value)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("settings", "field", "said"),
    [
        ({"from_top": {}}, "breaker.from_top", "from_peak, from_opening"),
        ({"from_peak": {"clear": "0.1"}}, "breaker.from_peak.clear", "halve, no_entries, reduce_only, flatten"),
        ({"from_peak": {"halve": "10 %"}}, "breaker.from_peak.halve", "as text"),
        ({"from_peak": {"halve": "5"}}, "breaker.from_peak.halve", "0.1 is 10 %"),
        ({"from_opening": {"halve": "0.2", "flatten": "0.1"}}, "breaker.from_opening.flatten", "more than 0.2"),
        ({"from_opening": "0.2"}, "breaker.from_opening", "an object"),
    ],
)
def test_a_bad_rule_is_named(settings: Any, field: str, said: str):
    with pytest.raises(BadInput) as refused:
        rules_of({"breaker": settings})
    assert refused.value.field == field
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("own", "caps", "found"),
    [
        ({}, {}, Limits()),
        ({}, {"max_notional": "500", "max_bots": 3}, Limits(max_user_notional=D(500))),
        ({"max_user_notional": "100"}, {"max_notional": "500"}, Limits(max_user_notional=D(100))),
        ({"max_user_notional": "900"}, {"max_notional": "500"}, Limits(max_user_notional=D(500))),
        ({"max_daily_loss": "50"}, {"max_daily_loss": "20"}, Limits(max_daily_loss=D(20))),
    ],
)
def test_what_an_admin_allows_makes_limits_narrower_and_never_wider(own: Any, caps: Any, found: Limits):
    assert capped(limits_of({"limits": own}), caps) == found
