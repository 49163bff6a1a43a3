"""The judge and the breaker whatever the numbers: what reduces leaves, stages never fall, payments change nothing."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from math import inf
from operator import ge, gt
from typing import Any

from hypothesis import assume, event, given, settings
from hypothesis import strategies as st
from tests.unit.backtest.made import rules
from tests.unit.execution.made import CALM, NOW, order

from cambist.domain.instrument import Kind
from cambist.domain.order import Role, Side
from cambist.domain.refusal import Reason
from cambist.domain.trading import BreakerStage, TradingState
from cambist.execution.breaker import DAY_MS, Breaker, BreakerRules, Falls, armed, moved, rearm, watch
from cambist.execution.limits import MINUTE_MS, MOST_ORDERS, Limits, OrderRate, Situation
from cambist.execution.risk import judge

D = Decimal
plus = st.decimals(D("0.00000001"), D("1e9"), places=8)
NOTIONALS = ("order", "instrument", "bot", "account", "user")
coarse = st.integers(0, 20).map(lambda hundreds: D(100 * hundreds))  # so that edges are met
LIMITS: dict[str, st.SearchStrategy[Any]] = {
    **{f"max_{of}_notional": coarse for of in NOTIONALS},
    "max_open_positions": st.integers(0, 5),
    "max_orders_per_10s": st.integers(0, 5),
    "max_orders_per_minute": st.integers(0, 5),
    "max_daily_loss": coarse,
    "max_daily_loss_fraction": st.integers(1, 10).map(lambda tenths: D(tenths) / 10),
    "price_band_bps": st.integers(0, 4).map(lambda percent: D(100 * percent)),
    "max_price_age_ms": st.integers(0, 5).map(lambda seconds: 1_000 * seconds),
    "max_clock_skew_ms": st.integers(0, 5).map(lambda seconds: 1_000 * seconds),
}
limits = (
    st.sets(st.sampled_from(sorted(LIMITS)), max_size=4)
    .flatmap(lambda names: st.fixed_dictionaries({name: LIMITS[name] for name in sorted(names)}))
    .map(lambda chosen: Limits(**chosen))
)
breakers = st.builds(
    lambda opening, stage: replace(armed(opening, NOW), stage=stage), coarse, st.sampled_from(BreakerStage)
)
situations = st.builds(
    Situation,
    now_ms=st.just(NOW),
    state=st.sampled_from(TradingState),
    halted_may_reduce=st.booleans(),
    breaker=breakers,
    equity=coarse,
    venue_ready=st.booleans(),
    clock_skew_ms=st.integers(-5, 5).map(lambda seconds: 1_000 * seconds),
    last_price=st.none() | st.integers(98, 102).map(D),
    last_price_ms=st.integers(-1, 5).map(lambda seconds: NOW - 1_000 * seconds),
    frozen=st.booleans(),
    opposed=st.booleans(),
    unknown_order=st.booleans(),
    instrument_notional=coarse,
    bot_notional=coarse,
    account_notional=coarse,
    user_notional=coarse,
    other_positions=st.integers(0, 5),
    free_cash=coarse,
    cash_binds=st.booleans(),
    rate=st.lists(st.integers(0, 14).map(lambda ages: NOW - 5_000 * ages), max_size=6).map(
        lambda times: OrderRate(tuple(sorted(times)))
    ),
)
lots = st.integers(1, 10**9).map(lambda count: D(count) / 1000)
prices = st.integers(1, 10**9).map(lambda count: D(count) / 100)
ways = st.sampled_from(Side)
SPOT, PERPETUAL = rules(Kind.SPOT), rules(Kind.PERPETUAL)


@settings(deadline=None)
@given(lots, prices, ways, st.sampled_from([role for role in Role if role is not Role.ENTRY]), limits, situations)
def test_an_order_that_reduces_leaves_unless_the_account_is_halted(quantity, price, side, role, limit, now):
    halted = now.state is TradingState.HALTED and not now.halted_may_reduce
    for instrument in (SPOT, PERPETUAL):
        what = order(quantity, role=role, side=side, trigger=price)
        assert judge(what, instrument, price, limit, now) is (Reason.HALTED if halted else None)


@settings(deadline=None, max_examples=500)
@given(st.integers(1, 10).map(D), limits, situations)
def test_an_entry_leaves_exactly_if_every_limit_is_kept(quantity, limit, now):
    now = replace(
        now,
        state=TradingState.ACTIVE,
        frozen=False,
        opposed=False,
        unknown_order=False,
        venue_ready=True,
        breaker=replace(now.breaker, stage=BreakerStage.HALVE),
    )
    worth, since = Fraction(quantity) * 100, lambda span: sum(ts > NOW - span for ts in now.rate.times)
    loss = Fraction(now.breaker.opening - now.equity)
    broken = [
        name
        for name, value, beyond in (
            ("max_order_notional", worth, gt),
            *((f"max_{of}_notional", Fraction(getattr(now, f"{of}_notional")) + worth, gt) for of in NOTIONALS[1:]),
            ("max_open_positions", now.other_positions + 1, gt),
            ("max_orders_per_10s", since(10_000), ge),
            ("max_orders_per_minute", since(MINUTE_MS), ge),
            ("max_clock_skew_ms", abs(now.clock_skew_ms), gt),
            ("max_price_age_ms", inf if now.last_price is None else NOW - now.last_price_ms, gt),
            ("price_band_bps", inf if now.last_price is None else abs(100 / Fraction(now.last_price) - 1) * 10_000, gt),
            ("max_daily_loss", loss, ge),
        )
        if (most := getattr(limit, name)) is not None and beyond(value, most)
    ]
    fraction = limit.max_daily_loss_fraction
    if fraction is not None and loss >= Fraction(fraction) * Fraction(now.breaker.opening):
        broken.append("max_daily_loss_fraction")
    if now.free_cash <= 0 or (now.cash_binds and worth > now.free_cash):
        broken.append("cash")
    event("leaves" if not broken else "refused")
    assert (judge(order(quantity), SPOT, D(100), limit, now) is None) == (not broken), broken


@given(st.lists(st.integers(0, 3_000), max_size=60), st.integers(1, 5))
def test_no_minute_sees_more_orders_than_its_limit(gaps, most):
    ts, rate = NOW, OrderRate()
    left: list[int] = []
    for gap in gaps:
        ts += gap
        now = replace(CALM, now_ms=ts, rate=rate)
        reason = judge(order(), PERPETUAL, D(100), Limits(max_orders_per_minute=most), now)
        recent = [one for one in left if one > ts - MINUTE_MS]
        assert reason is (Reason.ORDER_RATE if len(recent) >= most else None)
        if reason is None:
            left.append(ts)
            rate = rate.sent(ts)
        assert len(rate.times) <= min(most, MOST_ORDERS)


# -- the breaker ------------------------------------------------------------------------------------------------------


@st.composite
def falls(draw: st.DrawFn) -> Falls:
    fractions = draw(st.lists(st.integers(1, 1_000), min_size=4, max_size=4, unique=True).map(sorted))
    names = draw(st.sets(st.sampled_from(["halve", "no_entries", "reduce_only", "flatten"])))
    given_ = zip(("halve", "no_entries", "reduce_only", "flatten"), fractions, strict=True)
    return Falls(**{name: D(fraction) / 1000 for name, fraction in given_ if name in names})


both = st.builds(BreakerRules, from_peak=st.none() | falls(), from_opening=st.none() | falls())
equities = st.lists(st.tuples(st.decimals(D(-100), D(2_000), places=6), st.integers(0, DAY_MS // 2)), max_size=15)


def lived(breaker: Breaker, rules_: BreakerRules, seen: list[tuple[Decimal, int]], ts: int = NOW) -> Breaker:
    for equity, later in seen:
        ts += later
        breaker = watch(breaker, rules_, equity, ts)
    return breaker


@given(both, equities)
def test_the_stage_never_falls_and_is_what_the_worst_fall_asked_for(rules_, seen):
    breaker = armed(D(1_000), NOW)
    ts, day, start, peak, worst = NOW, NOW // DAY_MS, Fraction(1_000), Fraction(1_000), 0
    for equity, later in seen:
        ts += later
        after = watch(breaker, rules_, equity, ts)
        assert after.stage >= breaker.stage
        assert after.since_ms == (ts if after.stage > breaker.stage else breaker.since_ms)
        breaker, now = after, Fraction(equity)
        if ts // DAY_MS > day:
            day, start = ts // DAY_MS, now
        peak = max(peak, now)
        for fall, top in ((rules_.from_peak, peak), (rules_.from_opening, start)):
            for stage, fraction in fall.stages() if fall else []:
                if now < top and now <= top * (1 - Fraction(fraction)):
                    worst = max(worst, stage)
        assert breaker.stage == worst
        assert [Fraction(value) for value in (breaker.peak, breaker.opening, breaker.start)] == [peak, start, start]


@given(both, plus, st.lists(st.integers(0, DAY_MS), max_size=10))
def test_equity_that_does_not_move_never_trips(rules_, equity, gaps):
    breaker = lived(armed(equity, NOW), rules_, [(equity, gap) for gap in gaps])
    assert breaker.stage is BreakerStage.CLEAR


@given(plus, st.integers(1, 1_000), st.booleans())
def test_it_trips_at_its_fraction_and_not_a_hair_before(top, thousandths, daily):
    fraction = D(thousandths) / 1000
    fall = Falls(flatten=fraction)
    rules_ = BreakerRules(from_opening=fall) if daily else BreakerRules(from_peak=fall)
    edge = top * (1 - fraction)
    hair = D("1E-15")
    assert Fraction(edge) == Fraction(top) * (1 - Fraction(fraction))
    assert watch(armed(top, NOW), rules_, edge, NOW).stage is BreakerStage.FLATTEN
    assert watch(armed(top, NOW), rules_, edge - hair, NOW).stage is BreakerStage.FLATTEN
    assert watch(armed(top, NOW), rules_, edge + hair, NOW).stage is BreakerStage.CLEAR


PAYMENTS = st.decimals(D("-0.99"), D(1_000), places=4)
"""As fractions of the equity."""


@given(both, equities, plus, st.lists(PAYMENTS, min_size=1, max_size=5))
def test_payments_neither_trip_nor_hide(rules_, seen, equity, shares):
    before = watch(lived(armed(D(1_000), NOW), rules_, seen), rules_, equity, NOW + DAY_MS * 9)
    paid, worth = before, equity
    for share in shares:
        amount = (worth * share).quantize(D("0.00000001"))
        assume(worth + amount > 0)
        paid, worth = moved(paid, amount, worth), worth + amount
        assert paid.opening - worth == before.opening - equity
        paid = watch(paid, rules_, worth, NOW + DAY_MS * 9)
        assert paid.stage == before.stage
        for now, then in ((paid.peak, before.peak), (paid.start, before.start)):
            here, there = Fraction(now) / Fraction(worth), Fraction(then) / Fraction(equity)
            assert there <= here <= there * (1 + Fraction(1, 10**40))


@given(both, equities, plus)
def test_re_armed_it_is_clear_until_equity_falls_again(rules_, seen, equity):
    breaker = rearm(lived(armed(D(1_000), NOW), rules_, seen), equity, NOW + DAY_MS * 9)
    same_day = max(NOW, NOW + sum(later for _, later in seen))
    for ts in (same_day, NOW + DAY_MS * 10):
        again = watch(breaker, rules_, equity, ts)
        assert (again.stage, again.peak) == (BreakerStage.CLEAR, equity)
