"""Trades out of candles, bars out of trades, and the book around them."""

from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.unit.simulators.boxes import CANDLES, START

from cambist.domain.order import Side
from cambist.domain.timeframe import Timeframe
from cambist.market.series import build
from cambist.simulators.depth import book, changes
from cambist.simulators.tape import PER_CANDLE, Bar, Tape

TICK, LOT = Decimal("0.01"), Decimal("0.00001")
FAR = 2**62
TAPE = Tape(CANDLES, TICK, seed=3)
TRADES = list(TAPE.trades(0, FAR))


def added_up(trades, ts: int, close_ms: int) -> Bar:
    bar = Bar(ts, close_ms, Decimal(0), Decimal(0), Decimal(0), Decimal(0))
    for trade in trades:
        if ts <= trade.ts < close_ms:
            bar.add(trade)
    return bar


def test_trades_add_up_to_their_candle_to_the_last_digit():
    for candle, bar in zip(CANDLES, TAPE.bars(Timeframe.M1, START, FAR, 1000, FAR), strict=True):
        assert bar == added_up(TRADES[bar.first_id - 1 : bar.last_id], bar.ts, bar.close_ms)
        texts = [repr(value) for value in (candle.open, candle.high, candle.low, candle.close, candle.volume)]
        assert [bar.open, bar.high, bar.low, bar.close, bar.volume] == [Decimal(text) for text in texts]


def test_ids_run_on_and_times_do_not_go_back():
    assert [trade.id for trade in TRADES] == list(range(1, PER_CANDLE * len(CANDLES) + 1))
    assert all(one.ts <= other.ts for one, other in pairwise(TRADES))
    assert all(trade.quantity > 0 and trade.price % TICK == 0 for trade in TRADES)


def test_the_same_seed_gives_the_same_trades_whoever_asks():
    again = Tape(CANDLES, TICK, seed=3)
    assert again.numbered(4_000, 7, FAR) == TRADES[3_999:4_006]
    assert again.latest(5, START + 90_000) == [one for one in TRADES if one.ts <= START + 90_000][-5:]
    assert list(Tape(CANDLES, TICK, seed=4).trades(0, FAR)) != TRADES


@pytest.mark.parametrize("timeframe", [Timeframe.M5, Timeframe.H1])
def test_larger_bars_are_made_of_the_same_trades(timeframe):
    now = START + 200 * 60_000 + 31_000
    happened = [trade for trade in TRADES if trade.ts <= now]
    bars = TAPE.bars(timeframe, None, FAR, 3, now)
    assert [bar.ts for bar in bars] == [timeframe.floor(now) - step * timeframe.ms for step in (2, 1, 0)]
    for bar in bars:
        assert bar == added_up(happened, bar.ts, bar.close_ms)


def figures(low: float, high: float) -> st.SearchStrategy[float]:
    """Return numbers of at most eight digits: their products fit into the digits that Decimal keeps."""
    return st.floats(low, high).map(lambda value: float(f"{value:.8g}"))


@settings(deadline=None)
@given(
    prices=st.tuples(*[figures(1e-8, 1e6)] * 4),
    volume=st.one_of(st.just(0.0), figures(1e-9, 1e4)),
    tick=st.sampled_from(["0.01", "1e-6", "10"]),
)
@example(prices=(5.9604645e-08, 1.0, 1.0, 504969.0), volume=7325.2422, tick="0.01")  # more than 28 digits
def test_any_candle_is_traded_exactly(prices, volume, tick):
    low, high = min(prices), max(prices)
    candles = build(
        "x", "A/B", Timeframe.M1, *(np.array([cell]) for cell in (START, prices[0], high, low, prices[3], volume))
    )
    tape = Tape(candles, Decimal(tick), seed=1)
    trades = list(tape.trades(0, FAR))
    assert len(trades) == (PER_CANDLE if volume else 0)
    if trades:
        texts = [prices[0], high, low, prices[3], volume]
        bar = added_up(trades, START, START + 60_000)
        assert [bar.open, bar.high, bar.low, bar.close, bar.volume] == [Decimal(repr(value)) for value in texts]
        assert bar == tape.bar(Timeframe.M1, START, FAR)


def test_a_book_lies_around_the_last_trade_and_changes_lead_from_one_to_the_next():
    before = book(TRADES[0], TICK, LOT, seed=1)
    sides = [dict(before.bids), dict(before.asks)]
    for trade in TRADES[1:200]:
        after = book(trade, TICK, LOT, seed=1)
        assert (after.asks if trade.taker is Side.BUY else after.bids)[0][0] == trade.price
        assert after.bids[0][0] < after.asks[0][0]
        for levels, changed in zip(sides, changes(before, after), strict=True):
            levels.update(changed)
        sides = [{price: quantity for price, quantity in levels.items() if quantity} for levels in sides]
        assert sides == [dict(after.bids), dict(after.asks)]
        before = after
