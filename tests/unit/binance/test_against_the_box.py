"""Feed and history against the exchange in a box: what its stream says is what its REST says."""

import asyncio

from tests.unit.binance.scripted import QUICK

from cambist.adapters.venues.binance.feed import BinanceFeed
from cambist.adapters.venues.binance.recent import BinanceRecent
from cambist.domain.tick import CandleTick, FeedStatus, TradeTick
from cambist.domain.timeframe import MINUTE_MS, Timeframe
from cambist.market.candle_builder import to_candle
from cambist.market.synthetic import synthetic_market
from cambist.simulators.binance import ExchangeServer
from cambist.simulators.clock import Clock


def test_closed_candles_of_the_stream_are_those_of_the_history():
    async def scene() -> None:
        made = synthetic_market(("BTC/USDT",), start_ms=1_700_006_400_000, count=60, timeframe="1m", seed=1)
        candles = made["BTC/USDT"]
        start = int(candles.ts[20])
        server = ExchangeServer((candles,), clock=Clock(start, speed=0))
        url = await server.start()
        recent = BinanceRecent(url)
        try:
            ticks = BinanceFeed(url.replace("http", "ws"), patience=QUICK).ticks(("BTC/USDT",))
            assert isinstance(await anext(ticks), FeedStatus)
            moving = asyncio.create_task(server.advance(5 * MINUTE_MS))
            closed: list[CandleTick] = []
            trades: list[TradeTick] = []
            async with asyncio.timeout(60):
                while len(closed) < 5:
                    tick = await anext(ticks)
                    if isinstance(tick, TradeTick):
                        trades.append(tick)
                    elif isinstance(tick, CandleTick) and tick.closed:
                        closed.append(tick)
            await moving
            await ticks.aclose()
            history = await recent.candles("BTC/USDT", Timeframe.M1, start, start + 5 * MINUTE_MS)
            assert [to_candle(tick) for tick in closed] == list(history)
            assert trades
            again = await recent.trades("BTC/USDT", trades[0].id, trades[-1].id)
            assert again == trades
        finally:
            await recent.close()
            await server.stop()

    asyncio.run(scene())
