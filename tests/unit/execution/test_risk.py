"""The judge: each reason by itself, its boundary, the order of reasons, and what reducing orders are spared."""

import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.backtest.made import rules
from tests.unit.execution.made import CALM, NOW, calm, order

from cambist.domain.instrument import Instrument, Kind
from cambist.domain.order import Order, Role, Side
from cambist.domain.refusal import Reason
from cambist.domain.text import say, speak
from cambist.domain.trading import BreakerStage, TradingState
from cambist.execution import risk
from cambist.execution.breaker import moved
from cambist.execution.limits import Limits, OrderRate, Situation
from cambist.execution.risk import FOR_ALL, FOR_ENTRIES, judge

D = Decimal
SPOT = rules(Kind.SPOT, tick="0.1", lot="0.01", min_quantity=D("0.05"), min_notional=D(10))
PERPETUAL = rules(Kind.PERPETUAL, tick="0.1", lot="0.01", min_quantity=D("0.05"), min_notional=D(10))
NOTIONALS = ("order", "instrument", "bot", "account", "user")


def judged(
    what: Order | None = None,
    now: Situation = CALM,
    instrument: Instrument = SPOT,
    *,
    price: str = "100",
    **limits: Any,
) -> Reason | None:
    return judge(what or order(), instrument, D(price), Limits(**limits), now)


def broken(stage: BreakerStage) -> Situation:
    return calm(breaker=replace(CALM.breaker, stage=stage))


def after_orders(*ages_ms: int) -> Situation:
    rate = OrderRate()
    for age in sorted(ages_ms, reverse=True):
        rate = rate.sent(NOW - age)
    return calm(rate=rate)


def test_where_nothing_stands_in_the_way_an_order_passes():
    assert judged() is None
    assert judged(order(role=Role.EXIT, side=Side.SELL)) is None


# reason: (an order and situation that just pass, ones that just do not), as keywords of `judged`
EDGES: dict[Reason, tuple[dict[str, Any], dict[str, Any]]] = {
    Reason.HALTED: ({}, {"now": calm(state=TradingState.HALTED)}),
    Reason.OFF_LOT: ({"what": order("1.01")}, {"what": order("1.011")}),
    Reason.OFF_TICK: ({"what": order(price=D("99.9"))}, {"what": order(price=D("99.95"))}),
    Reason.BELOW_MIN_QUANTITY: (
        {"what": order("0.05"), "price": "200"},
        {"what": order("0.04"), "price": "250"},
    ),
    Reason.BELOW_MIN_NOTIONAL: ({"what": order("0.1")}, {"what": order("0.1"), "price": "99.9"}),
    Reason.REDUCE_ONLY: ({}, {"now": calm(state=TradingState.REDUCE_ONLY)}),
    Reason.BREAKER: ({"now": broken(BreakerStage.HALVE)}, {"now": broken(BreakerStage.NO_ENTRIES)}),
    Reason.FROZEN: ({}, {"now": calm(frozen=True)}),
    Reason.UNKNOWN_ORDER: ({}, {"now": calm(unknown_order=True)}),
    Reason.VENUE_NOT_READY: ({}, {"now": calm(venue_ready=False)}),
    Reason.CLOCK_SKEW: (
        {"now": calm(clock_skew_ms=-500), "max_clock_skew_ms": 500},
        {"now": calm(clock_skew_ms=-501), "max_clock_skew_ms": 500},
    ),
    Reason.STALE_PRICE: (
        {"now": calm(last_price_ms=NOW - 5_000), "max_price_age_ms": 5_000},
        {"now": calm(last_price_ms=NOW - 5_001), "max_price_age_ms": 5_000},
    ),
    Reason.SHORT_ON_SPOT: (
        {"what": order(side=Side.SELL), "instrument": PERPETUAL},
        {"what": order(side=Side.SELL)},
    ),
    Reason.OPPOSED: ({}, {"now": calm(opposed=True)}),
    Reason.PRICE_BAND: (
        {"price": "101", "price_band_bps": D(100)},
        {"price": "101.00000000000000000000000000000000000001", "price_band_bps": D(100)},
    ),
    Reason.ORDER_NOTIONAL: ({"max_order_notional": D(100)}, {"max_order_notional": D("99.99")}),
    **{
        Reason[f"{of.upper()}_NOTIONAL"]: (
            {"now": calm(**{f"{of}_notional": D(900)}), f"max_{of}_notional": D(1_000)},
            {"now": calm(**{f"{of}_notional": D("900.01")}), f"max_{of}_notional": D(1_000)},
        )
        for of in NOTIONALS[1:]
    },
    Reason.OPEN_POSITIONS: (
        {"now": calm(other_positions=2), "max_open_positions": 3},
        {"now": calm(other_positions=3), "max_open_positions": 3},
    ),
    Reason.ORDER_RATE: (
        {"now": after_orders(0, 60_000), "max_orders_per_minute": 2},
        {"now": after_orders(0, 59_999), "max_orders_per_minute": 2},
    ),
    Reason.DAILY_LOSS: (
        {"now": calm(equity=D("9500.01")), "max_daily_loss": D(500)},
        {"now": calm(equity=D(9_500)), "max_daily_loss": D(500)},
    ),
    Reason.NO_CASH: ({"now": calm(free_cash=D(100))}, {"now": calm(free_cash=D("99.99"))}),
}


@pytest.mark.parametrize("reason", EDGES)
def test_each_reason_holds_from_its_edge_on(reason):
    passes, fails = EDGES[reason]
    assert judged(**passes) is None
    assert judged(**fails) is reason


def test_each_check_has_its_edge_and_its_row_in_the_table_in_order():
    checks = [reason for reason, _ in FOR_ALL + FOR_ENTRIES]
    assert list(EDGES) == checks
    rows = re.findall(r"^\| ([a-z_]+) \|", risk.__doc__ or "", re.MULTILINE)
    assert rows == [str(reason) for reason in checks]


def test_of_several_reasons_the_first_in_the_table_is_given():
    what = order("0.011", side=Side.SELL, price=D("0.15"))
    now = calm(
        state=TradingState.HALTED,
        breaker=replace(CALM.breaker, stage=BreakerStage.FLATTEN),
        equity=D(9_000),
        venue_ready=False,
        clock_skew_ms=1_000,
        last_price_ms=NOW - 1_000,
        frozen=True,
        opposed=True,
        unknown_order=True,
        other_positions=1,
        free_cash=D(0),
        rate=OrderRate().sent(NOW),
    )
    limits: dict[str, Any] = {f"max_{of}_notional": D(1) for of in NOTIONALS}
    limits |= {"max_clock_skew_ms": 10, "max_price_age_ms": 10, "price_band_bps": D(10)}
    limits |= {"max_open_positions": 1, "max_orders_per_minute": 1, "max_daily_loss": D(1)}
    mended: dict[Reason, dict[str, Any]] = {
        Reason.HALTED: {"state": TradingState.REDUCE_ONLY},
        Reason.OFF_LOT: {"quantity": D("0.01")},
        Reason.OFF_TICK: {"price": D("0.1")},
        Reason.BELOW_MIN_QUANTITY: {"quantity": D("0.05")},
        Reason.BELOW_MIN_NOTIONAL: {"quantity": D(100)},
        Reason.REDUCE_ONLY: {"state": TradingState.ACTIVE},
        Reason.BREAKER: {"breaker": CALM.breaker},
        Reason.FROZEN: {"frozen": False},
        Reason.UNKNOWN_ORDER: {"unknown_order": False},
        Reason.VENUE_NOT_READY: {"venue_ready": True},
        Reason.CLOCK_SKEW: {"clock_skew_ms": 0},
        Reason.STALE_PRICE: {"last_price_ms": NOW},
        Reason.SHORT_ON_SPOT: {"side": Side.BUY},
        Reason.OPPOSED: {"opposed": False},
        Reason.PRICE_BAND: {"last_price": D("0.1")},
        **{Reason[f"{of.upper()}_NOTIONAL"]: {f"max_{of}_notional": None} for of in NOTIONALS},
        Reason.OPEN_POSITIONS: {"other_positions": 0},
        Reason.ORDER_RATE: {"rate": OrderRate()},
        Reason.DAILY_LOSS: {"equity": D(10_000)},
        Reason.NO_CASH: {"free_cash": D(10)},
    }
    given = []
    while (reason := judged(what, now, price="0.1", **limits)) is not None:
        given.append(reason)
        for name, value in mended[reason].items():
            if name in limits:
                limits[name] = value
            elif hasattr(now, name):
                now = replace(now, **{name: value})
            else:
                what = replace(what, **{name: value})
    assert given == [reason for reason, _ in FOR_ALL + FOR_ENTRIES]


FOR_ALL_REASONS = [reason for reason, _ in FOR_ALL]


@pytest.mark.parametrize("reason", [reason for reason, _ in FOR_ENTRIES])
def test_what_limits_entries_never_keeps_back_what_reduces(reason):
    case = EDGES[reason][1]
    stop = order(role=Role.STOP_LOSS, side=Side.SELL)
    assert judged(**{**case, "what": stop}) is None


@pytest.mark.parametrize("reason", FOR_ALL_REASONS)
def test_what_the_venue_would_refuse_is_kept_back_of_all(reason):
    case = EDGES[reason][1]
    stop = replace(case.get("what", order()), role=Role.STOP_LOSS, side=Side.SELL)
    assert judged(**{**case, "what": stop}) is reason


def test_halted_lets_reduce_only_by_permission():
    exit_, halted = order(role=Role.EXIT, side=Side.SELL), calm(state=TradingState.HALTED)
    assert judged(exit_, halted) is Reason.HALTED
    allowed = replace(halted, halted_may_reduce=True)
    assert judged(exit_, allowed) is None
    assert judged(order(), allowed) is Reason.HALTED


def test_a_perpetual_is_reduced_by_any_worth_but_not_entered():
    small = order("0.05")
    assert judged(small, instrument=PERPETUAL) is Reason.BELOW_MIN_NOTIONAL
    assert judged(replace(small, role=Role.EXIT), instrument=PERPETUAL) is None
    assert judged(replace(small, role=Role.EXIT), instrument=SPOT) is Reason.BELOW_MIN_NOTIONAL


@pytest.mark.parametrize("level", ["0", "-0.1", "NaN", "Infinity", "99.99"])
def test_a_level_that_is_no_price_is_off_tick(level):
    assert judged(order(trigger=D(level))) is Reason.OFF_TICK
    assert judged(order(trigger=D("99.9"), price=D(level))) is Reason.OFF_TICK


@pytest.mark.parametrize(
    ("quantity", "reason"),
    [("0", Reason.BELOW_MIN_QUANTITY), ("-1", Reason.BELOW_MIN_QUANTITY), ("NaN", Reason.OFF_LOT)],
)
def test_a_quantity_that_is_none_is_refused(quantity, reason):
    assert judged(order(quantity)) is reason


@pytest.mark.parametrize("limit", [{"max_price_age_ms": 1_000}, {"price_band_bps": D(50)}])
def test_a_limit_on_prices_needs_a_price(limit):
    assert judged(now=calm(last_price=None)) is None
    assert judged(now=calm(last_price=None), **limit) is Reason.STALE_PRICE


def test_the_band_has_two_sides():
    assert judged(price="99", price_band_bps=D(100)) is None
    assert judged(price="98.9", price_band_bps=D(100)) is Reason.PRICE_BAND


def test_ten_seconds_have_a_limit_of_their_own():
    assert judged(now=after_orders(10_000, 20_000), max_orders_per_10s=1) is None
    assert judged(now=after_orders(9_999), max_orders_per_10s=1) is Reason.ORDER_RATE


def test_the_daily_loss_may_be_a_fraction_of_the_opening():
    limit = D("0.05")
    assert judged(now=calm(equity=D("9500.01")), max_daily_loss_fraction=limit) is None
    assert judged(now=calm(equity=D(9_500)), max_daily_loss_fraction=limit) is Reason.DAILY_LOSS


@pytest.mark.parametrize("paid", ["90000", "-9000"])
def test_a_payment_neither_uses_up_nor_gives_back_what_a_day_may_lose(paid):
    for equity, reason in (("9600", None), ("9500", Reason.DAILY_LOSS)):
        after = calm(breaker=moved(CALM.breaker, D(paid), D(equity)), equity=D(equity) + D(paid))
        what = order("0.1")
        assert judged(what, after, max_daily_loss=D(500)) is reason
        assert judged(what, after, max_daily_loss_fraction=D("0.05")) is reason


def test_where_the_venue_cuts_to_the_cash_some_must_be_there():
    assert judged(now=calm(free_cash=D("0.01"), cash_binds=False)) is None
    assert judged(now=calm(free_cash=D(0), cash_binds=False)) is Reason.NO_CASH


def test_each_reason_is_said_in_both_languages():
    said = []
    for language in ("en", "fr"):
        speak(language)
        said.append([say(f"refused.{reason}") for reason in Reason])
    speak("en")
    english, french = said
    assert len(set(english)) == len(set(french)) == len(Reason)
    assert not set(english) & set(french)
