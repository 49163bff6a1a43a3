"""Trades beside trades, without a market: what differs is found, named, and its money adds up."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cambist.backtest.engines import Retraced
from cambist.domain.account import BotStatus
from cambist.domain.instrument import Instrument
from cambist.domain.order import Side
from cambist.domain.refusal import Reason, Refused
from cambist.domain.timeframe import Timeframe
from cambist.domain.trade import ExitReason
from cambist.domain.wish import Enter, Exit, Fraction, Wish
from cambist.engine.chronicle import Chronicle, Course, Deal, why
from cambist.engine.state import ClosedTrade
from cambist.usecases.differences import Cause, Known, Matched, compare

HOUR = 3_600_000
RULES = Instrument(venue="x", symbol="A/B", tick_size=Decimal("0.01"), lot_step=Decimal("0.01"))
BUY = (Enter(side=Side.BUY, size=Fraction(1.0)),)


def trade(
    entry: int = 2,
    ended: int = 5,
    *,
    quantity: str = "1",
    prices: tuple[str, str] = ("100", "110"),
    fees: str = "0.21",
    funding: str = "0",
    reason: ExitReason = ExitReason.SIGNAL,
    sign: int = 1,
) -> ClosedTrade:
    """Return a trade that was entered in candle ``entry`` and ended in candle ``ended``."""
    amount, bought, sold = Decimal(quantity), Decimal(prices[0]), Decimal(prices[1])
    return ClosedTrade(
        bot="bot",
        sign=sign,
        entry_ts=entry * HOUR,
        entry_price=bought,
        exit_ts=ended * HOUR,
        exit_price=sold,
        quantity=amount,
        pnl=sign * amount * (sold - bought) - Decimal(fees) - Decimal(funding),
        fees=Decimal(fees),
        slippage=Decimal(0),
        reason=reason,
    )


Wishes = dict[int, tuple[Wish, ...]]


def beside(
    live: list[ClosedTrade],
    tested: list[ClosedTrade],
    *,
    told: Chronicle | None = None,
    refused: list[Refused] | None = None,
    absent: list[int] | None = None,
    **course: Any,
) -> list[Matched]:
    """Compare; each side decided one candle before it entered."""
    told = told or Chronicle(instrument=RULES)
    told.wishes |= {one.entry_ts // HOUR * HOUR - HOUR: BUY for one in live}
    wishes: Wishes = {one.entry_ts - HOUR: BUY for one in tested}
    wishes |= {one.ts: BUY for one in refused or ()}
    deals = [Deal(one, Course(decided_ts=one.entry_ts // HOUR * HOUR - HOUR, **course)) for one in live]
    known = Known(
        told, Retraced(tested, refused or [], wishes), Timeframe.H1, absent or [], list(range(0, 99 * HOUR, HOUR))
    )
    return compare(deals, tested, known)


def only(found: list[Matched]):
    (one,) = [difference for match in found for difference in match.differences]
    return one


def test_the_same_trades_do_not_differ():
    found = beside([trade(), trade(8, 9)], [trade(), trade(8, 9)])
    assert [one.differences for one in found] == [(), ()]


def test_a_fill_within_its_candle_is_at_the_same_time():
    late = replace(trade(), entry_ts=2 * HOUR + 53, exit_ts=6 * HOUR - 1)
    assert beside([late], [trade()])[0].differences == ()


@pytest.mark.parametrize(
    ("live", "cause", "leg", "values", "money"),
    [
        (trade(prices=("101", "110"), fees="0.211"), Cause.PRICE, "entry", ("101", "100"), "-1.001"),
        (trade(prices=("100", "109"), fees="0.209"), Cause.PRICE, "exit", ("109", "110"), "-0.999"),
        (trade(fees="0.42"), Cause.FEE, "trade", ("20", "10"), "-0.21"),
        (trade(quantity="2", fees="0.42"), Cause.SIZE, "trade", ("2", "1"), "9.79"),
        (trade(funding="0.5"), Cause.FUNDING, "trade", ("0.5", "0"), "-0.5"),
        (trade(ended=7), Cause.TIME, "exit", (str(7 * HOUR), str(5 * HOUR)), "0"),
        (trade(reason=ExitReason.OPEN, ended=9, fees="0.1"), Cause.TIME, "exit", ("", str(5 * HOUR)), "0.11"),
    ],
)
def test_each_property_that_differs_is_one_difference(live, cause, leg, values, money):
    found = only(beside([live], [trade()]))
    assert (found.cause, found.leg, (found.live, found.tested), found.money) == (cause, leg, values, Decimal(money))


def test_a_trade_of_one_side_alone():
    extra = only(beside([trade()], []))
    assert (extra.cause, extra.live, extra.money) == (Cause.EXTRA, "long 1", Decimal("9.79"))
    missing = only(beside([], [trade()]))
    assert (missing.cause, missing.tested, missing.money) == (Cause.MISSING, "long 1", Decimal("-9.79"))


def test_an_entry_that_filled_a_candle_later_is_the_same_trade():
    told = Chronicle(instrument=RULES)
    deal = Deal(trade(entry=3), Course(decided_ts=HOUR, lost=True))
    known = Known(told, Retraced([trade()], [], {HOUR: BUY}), Timeframe.H1, [], [])
    found = only(compare([deal], [trade()], known))
    assert (found.cause, found.leg, found.why.key) == (Cause.TIME, "entry", "parity.why.lost")


def test_a_long_is_never_matched_with_a_short():
    found = beside([trade()], [trade(sign=-1)])
    assert sorted(one.cause for match in found for one in match.differences) == [Cause.EXTRA, Cause.MISSING]


# -- why --------------------------------------------------------------------------------------------------------------


def test_what_the_journal_says_of_an_entry_is_the_reason():
    told = Chronicle(instrument=RULES, nothing={HOUR: why("parity.why.refused", texts={"about": "refused.no_cash"})})
    found = only(beside([], [trade()], told=told))
    assert found.why.key == "parity.why.refused"
    assert "cash" in found.why.said


def test_the_backtests_own_refusal_is_the_reason():
    found = only(beside([trade()], [], refused=[Refused("bot", HOUR, Reason.NO_CASH)]))
    assert found.why.key == "parity.why.tested_refused"


def test_a_trade_that_stands_in_the_way_is_the_reason():
    found = beside([trade(2, 9)], [trade(2, 5), trade(7, 8)])
    assert [one.why.key for match in found for one in match.differences] == [
        "parity.why.venue_time",
        "parity.why.in_trade",
    ]
    found = beside([trade(2, 5), trade(7, 8)], [trade(2, 9)])
    assert found[1].differences[0].why.key == "parity.why.tested_in_trade"


def test_a_candle_that_was_not_seen_is_the_reason():
    assert only(beside([], [trade()], absent=[2 * HOUR])).why.key == "parity.why.gap"
    assert only(beside([], [trade(5, 6)], absent=[2 * HOUR])).why.key == "parity.why.gap_before"


def test_a_restart_is_the_reason_if_the_strategy_decided_otherwise():
    told = Chronicle(instrument=RULES, restarts=[1])
    assert only(beside([], [trade()], told=told)).why.key == "parity.why.restarted"
    assert only(beside([], [trade()])).why.key == "parity.why.decided"


def test_what_nothing_explains_says_so():
    told = Chronicle(instrument=RULES, wishes={HOUR: BUY})
    assert only(beside([], [trade()], told=told)).why.key == "parity.why.silent"


def test_a_fee_in_another_currency_is_the_reason():
    found = only(beside([trade(fees="0")], [trade()], fee_assets={"BNB"}))
    assert (found.cause, found.why.said) == (Cause.FEE, "the venue took its fee in BNB")
    found = only(beside([trade(quantity="0.999", fees="0.20979")], [trade()], fee_assets={"A"}))
    assert (found.cause, found.why.said) == (Cause.SIZE, "the venue took its fee in A")


def test_a_size_after_other_gains_is_explained_by_them():
    live = [trade(fees="0.42"), trade(8, 9, quantity="0.9", fees="0.189")]
    found = beside(live, [trade(), trade(8, 9)])
    assert found[1].differences[0].why.key == "parity.why.equity"
    assert "-0.21" in found[1].differences[0].why.said


def test_a_price_in_parts_says_so():
    found = only(beside([trade(prices=("100.5", "110"), fees="0.2105")], [trade()], fills_in=3))
    assert found.why.said == "it filled in 3 parts"


def test_what_ended_it_is_told_from_both_sides():
    found = only(beside([trade(ended=4, reason=ExitReason.STOP_LOSS)], [trade()]))
    assert found.why.said == "it ended by stop-loss live and by signal in the backtest"


def test_an_order_that_took_too_long_says_how_long():
    wishes: Wishes = {4 * HOUR: (Exit(),)}
    told = Chronicle(instrument=RULES, wishes=dict(wishes))
    deal = Deal(trade(ended=6), Course(decided_ts=HOUR, out_ms=HOUR + 1_500))
    known = Known(told, Retraced([trade()], [], wishes | {HOUR: BUY}), Timeframe.H1, [], list(range(0, 9 * HOUR, HOUR)))
    assert only(compare([deal], [trade()], known)).why.said == (
        "the order filled 3601.5 s after the close on which it was decided"
    )


def test_an_exit_that_was_wished_on_one_side_alone():
    told = Chronicle(instrument=RULES, wishes={3 * HOUR: (Exit(),)})
    assert only(beside([trade(ended=4)], [trade()], told=told)).why.key == "parity.why.decided"


def test_a_status_holds_from_its_moment_on():
    told = Chronicle(statuses=[(10, BotStatus.RUNNING), (20, BotStatus.STOPPED)])
    assert [told.status(ts) for ts in (10, 11, 20, 21)] == [
        BotStatus.CREATED,
        BotStatus.RUNNING,
        BotStatus.RUNNING,
        BotStatus.STOPPED,
    ]


# -- what it cost -----------------------------------------------------------------------------------------------------

money = st.decimals("0.01", "1000", places=2)


@st.composite
def trades(draw):
    entry = draw(st.integers(1, 40))
    return trade(
        entry,
        entry + draw(st.integers(0, 10)),
        quantity=str(draw(money)),
        prices=(str(draw(money)), str(draw(money))),
        fees=str(draw(money)),
        funding=str(draw(st.decimals("-5", "5", places=3))),
        reason=draw(st.sampled_from(ExitReason)),
        sign=draw(st.sampled_from((1, -1))),
    )


@given(st.lists(trades(), max_size=6), st.lists(trades(), max_size=6))
def test_the_money_of_all_differences_is_the_difference_of_the_profits(live, tested):
    found = beside(live, tested)
    made = sum((one.money for match in found for one in match.differences), Decimal(0))
    gained = sum((one.pnl for one in live), Decimal(0)) - sum((one.pnl for one in tested), Decimal(0))
    assert abs(made - gained) <= Decimal("1e-9")
    assert sum(one.live is not None for one in found) == len(live)
    assert sum(one.tested is not None for one in found) == len(tested)
