"""Candles built live from recorded trades are the candles that others made of them."""

import numpy as np
import pandas as pd
import pytest
from tests.replay import tapes
from tests.unit.market.made import trade

from cambist.adapters.venues.binance.messages import parse
from cambist.domain.candles import Candle
from cambist.domain.order import Side
from cambist.domain.tick import CandleTick, TradeTick
from cambist.domain.timeframe import MINUTE_MS, Timeframe
from cambist.market.candle_builder import Cascade, MissingTrades, TradeMinutes, to_candle
from cambist.market.resample import from_trades


def recorded(name: str) -> list[TradeTick]:
    table = pd.read_parquet(tapes.shared(f"01-candles/{name}.parquet"))
    return [
        trade(int(number), ts, repr(price), repr(amount), Side(side))
        for number, ts, price, amount, side in zip(
            *(table[name].tolist() for name in ("id", "timestamp", "price", "amount", "side")), strict=True
        )
    ]


def live(
    trades: list[TradeTick], since: int, timeframes: tuple[Timeframe, ...], numbered: bool
) -> dict[Timeframe, list[Candle]]:
    builder = TradeMinutes("X/Y", since=since, fills_empty=False, numbered=numbered)
    cascade = Cascade("X/Y", timeframes, since=since)
    found: dict[Timeframe, list[Candle]] = {timeframe: [] for timeframe in (Timeframe.M1, *timeframes)}
    for one in trades:
        for minute in builder.trade(one):
            found[Timeframe.M1].append(to_candle(minute))
            for larger in cascade.add(minute):
                found[larger.timeframe].append(to_candle(larger))
    return found


@pytest.mark.parametrize(
    ("trades", "candles", "timeframe"),
    [
        ("freqtrade_XRPETH_trades_2019-10", "freqtrade_XRPETH_1m_2019-10", Timeframe.M1),
        ("freqtrade_XRPETH_trades_2019-10", "freqtrade_XRPETH_5m_2019-10", Timeframe.M5),
        ("kraken_BTCUSDT_trades_2023-11", "kraken_BTCUSDT_1m_2023-11", Timeframe.M1),
        ("kraken_BTCUSDT_trades_2023-11", "kraken_BTCUSDT_5m_2023-11", Timeframe.M5),
        ("kraken_BTCUSDT_trades_2023-11", "kraken_BTCUSDT_15m_2023-11", Timeframe.M15),
    ],
)
def test_built_candles_are_the_recorded_ones(trades, candles, timeframe):
    tape = recorded(trades)
    theirs = pd.read_parquet(tapes.shared(f"01-candles/{candles}.parquet"))
    since = int(theirs.timestamp[0])
    ours = live(tape, since, (Timeframe.M5, Timeframe.M15), numbered="XRP" in trades)[timeframe]
    theirs = theirs.iloc[: len(ours)]  # the last may be under way when the record ends
    assert len(ours) > 500
    for column in ("open", "high", "low", "close"):
        assert [getattr(candle, column) for candle in ours] == theirs[column].tolist(), column
    assert [candle.ts for candle in ours] == theirs.timestamp.tolist()
    np.testing.assert_allclose([candle.volume for candle in ours], theirs.volume, rtol=1e-12)


def test_a_stream_with_a_hole_waits_for_it_and_repeats_nothing():
    """Recorded trades of TRX, a stretch of them lost and then fetched: the candles are the same."""
    texts = tapes.trade_messages("test_positive_binance_trade_stream_spot_trxusdt_04-03-2025")
    tape = [tick for _, text in texts if isinstance(tick := parse(text, {}), TradeTick)]
    whole = TradeMinutes("TRXUSDT")
    expected = [candle for one in tape for candle in whole.trade(one)]
    broken = TradeMinutes("TRXUSDT")
    found: list[CandleTick] = []
    lost = tape[4_000:4_100]
    for one in tape[:4_000] + tape[3_900:4_000] + tape[4_100:6_000]:
        found += broken.trade(one)
    assert broken.missing is not None
    assert (broken.missing.first, broken.missing.last) == (lost[0].id, lost[-1].id)
    assert found[-1].ts < lost[0].ts - lost[0].ts % MINUTE_MS
    for one in lost + tape[6_000:]:
        found += broken.trade(one)
    assert found == expected
    assert len(found) == 46
    assert [candle.ts for candle in found] == list(range(found[0].ts, found[-1].ts + 1, MINUTE_MS))


def test_trades_lost_by_who_recorded_them_are_named():
    """The record of Kraken lacks a trade at the end of each page: 26 in all, and no candle goes on before the first."""
    builder = TradeMinutes("X/Y")
    found: list[CandleTick] = []
    lost: list[MissingTrades] = []
    for one in recorded("kraken_BTCUSDT_trades_2023-11"):
        found += builder.trade(one)
        if builder.missing is not None:
            lost.append(builder.missing)
            if len(lost) == 1:
                at = one.ts
                assert all(candle.ts + MINUTE_MS <= at for candle in found)
            found += builder.give_up()
    assert len(lost) == 26
    assert {one.last - one.first for one in lost} == {0}


def test_the_candle_under_way_is_that_of_the_arrays():
    table = pd.read_parquet(tapes.shared("02-books-ws/binance_btcusdt_trades.parquet"))
    ts = table.timestamp.astype("datetime64[ms, UTC]").to_numpy(dtype="datetime64[ms]").astype(np.int64)
    first = int(ts[0]) // MINUTE_MS * MINUTE_MS
    builder = TradeMinutes("BTC/USDT", since=first)
    columns = (table[name].tolist() for name in ("trade_id", "price", "quantity"))
    for at, number, price, quantity in zip(ts.tolist(), *columns, strict=True):
        assert not builder.trade(trade(int(number), at, str(price), str(quantity)))
    arrays = from_trades(
        ts,
        table.price.to_numpy(dtype=np.float64),
        table.quantity.to_numpy(dtype=np.float64),
        Timeframe.M1,
        venue="binance",
        symbol="BTC/USDT",
        since=first,
        until=first + MINUTE_MS,
    )
    own = builder.seen(first)
    assert own is not None
    (theirs,) = arrays
    ours = to_candle(own)
    assert (ours.open, ours.high, ours.low, ours.close) == (theirs.open, theirs.high, theirs.low, theirs.close)
    assert ours.volume == pytest.approx(theirs.volume, rel=1e-12)
    assert (own.first_trade, own.last_trade) == (int(table.trade_id.iloc[0]), int(table.trade_id.iloc[-1]))
