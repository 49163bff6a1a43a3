"""Limits that cannot be meant are refused; the rate of orders is a rolling window of bounded size."""

from decimal import Decimal
from typing import Any

import pytest

from cambist.domain.errors import BadInput
from cambist.execution.limits import MINUTE_MS, MOST_ORDERS, Limits, OrderRate


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ({"max_order_notional": Decimal(-1)}, "max_order_notional: Decimal('-1') will not do. It must be a number"),
        ({"max_bot_notional": Decimal("NaN")}, "0 or more"),
        ({"max_daily_loss": Decimal("Infinity")}, "0 or more"),
        ({"max_open_positions": -1}, "0 or more"),
        ({"max_daily_loss_fraction": Decimal(5)}, "0.1 is 10 %"),
        ({"max_daily_loss_fraction": Decimal(0)}, "0.1 is 10 %"),
        ({"max_orders_per_minute": MOST_ORDERS + 1}, "at most 1000"),
        ({"max_orders_per_10s": MOST_ORDERS + 1}, "at most 1000"),
    ],
)
def test_a_limit_that_cannot_be_meant_is_refused(limit: dict[str, Any], said: str):
    with pytest.raises(BadInput) as refused:
        Limits(**limit)
    assert said in str(refused.value)
    assert [refused.value.field] == list(limit)


def test_limits_at_their_edges_are_taken():
    assert Limits() == Limits(max_order_notional=None)
    Limits(max_open_positions=0, max_daily_loss_fraction=Decimal(1), max_orders_per_minute=MOST_ORDERS)


def test_the_rate_forgets_what_is_a_minute_old():
    rate = OrderRate().sent(0).sent(30_000)
    assert rate.within(MINUTE_MS, 59_999) == 2
    assert rate.within(MINUTE_MS, 60_000) == 1
    assert rate.within(10_000, 39_999) == 1
    assert rate.within(10_000, 40_000) == 0
    assert rate.sent(60_000).times == (30_000, 60_000)


def test_a_clock_that_was_set_back_does_not_allow_more():
    assert OrderRate().sent(100_000).within(MINUTE_MS, 0) == 1


def test_the_rate_keeps_a_bounded_number_of_times():
    rate = OrderRate()
    for _ in range(MOST_ORDERS + 5):
        rate = rate.sent(7)
    assert rate.within(MINUTE_MS, 7) == len(rate.times) == MOST_ORDERS
