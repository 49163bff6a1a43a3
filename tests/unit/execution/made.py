"""Orders and situations made by hand."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from cambist.domain.order import Order, OrderType, Role, Side
from cambist.domain.trading import TradingState
from cambist.execution.breaker import armed
from cambist.execution.limits import OrderRate, Situation

NOW = 1_704_067_200_000  # Monday 2024-01-01, midnight UTC
CALM = Situation(
    now_ms=NOW,
    state=TradingState.ACTIVE,
    halted_may_reduce=False,
    breaker=armed(Decimal(10_000), NOW),
    equity=Decimal(10_000),
    venue_ready=True,
    clock_skew_ms=0,
    last_price=Decimal(100),
    last_price_ms=NOW,
    frozen=False,
    opposed=False,
    unknown_order=False,
    instrument_notional=Decimal(0),
    bot_notional=Decimal(0),
    account_notional=Decimal(0),
    user_notional=Decimal(0),
    other_positions=0,
    free_cash=Decimal(10_000),
    cash_binds=True,
    rate=OrderRate(),
)
"""Nothing stands in the way of anything."""


def calm(**but: Any) -> Situation:
    return replace(CALM, **but)


def order(quantity: str | Decimal = "1", *, role: Role = Role.ENTRY, side: Side = Side.BUY, **more: Any) -> Order:
    kind = more.pop("type", OrderType.MARKET)
    return Order(id="o", bot="b", side=side, type=kind, quantity=Decimal(quantity), role=role, **more)
