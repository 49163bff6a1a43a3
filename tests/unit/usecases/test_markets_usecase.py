"""Candles from the lake first, then from the exchange; prices and books once for all who look; symbols refreshed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import pytest
from tests.databases import sqlite_url
from tests.unit.ccxt.exchange_boxes import CANDLES, NOW, START, SYMBOLS, binance, exchanges_at

from cambist.adapters.bus.inprocess import InProcessBus
from cambist.adapters.storage.candles import ParquetLake
from cambist.adapters.storage.heartbeat_log import SqlHeartbeatLog
from cambist.adapters.storage.symbols import SqlSymbols
from cambist.adapters.venues.ccxt.exchanges import CcxtExchanges
from cambist.domain.errors import BadInput, NotFound
from cambist.domain.timeframe import MINUTE_MS, Timeframe
from cambist.ports.bus import EXCHANGES
from cambist.ports.heartbeat_log import SignalRow
from cambist.ports.symbols import SymbolQuery
from cambist.simulators.binance import ExchangeServer
from cambist.simulators.faults import Fault, Kind
from cambist.usecases.listings import Listings
from cambist.usecases.markets import Markets

M1 = Timeframe.M1
BTC = CANDLES["BTC/USDT"]


@dataclass
class Place:
    server: ExchangeServer
    exchanges: CcxtExchanges
    lake: ParquetLake
    heartbeat: SqlHeartbeatLog
    markets: Markets
    folder: Path

    def asked(self, path: str) -> int:
        return sum(one.path.endswith(path) for one in self.server.served)


@asynccontextmanager
async def place(folder: Path) -> AsyncIterator[Place]:
    async with (
        binance() as server,
        exchanges_at(server.url, folder, now_ms=server.clock.now_ms) as exchanges,
    ):
        lake, heartbeat = ParquetLake(folder / "lake"), SqlHeartbeatLog(sqlite_url(folder / "book.db"))
        markets = Markets(exchanges, lake, heartbeat, server.clock.now_ms)
        yield Place(server, exchanges, lake, heartbeat, markets, folder)


def test_candles_are_fetched_once_and_kept(tmp_path):
    async def run() -> None:
        async with place(tmp_path) as one:
            found = await one.markets.candles("binance", "BTC/USDT", M1, limit=100)
            truth = BTC.between(NOW - 100 * MINUTE_MS, NOW)
            assert found.ts.tolist() == truth.ts.tolist()
            assert found.close.tolist() == pytest.approx(truth.close.tolist(), rel=1e-6)
            asked = one.asked("klines")
            assert asked >= 1
            one.server.clock.set(NOW + 2_000)  # what is shared for a moment is so no longer
            again = await one.markets.candles("binance", "BTC/USDT", M1, limit=100)
            assert again.ts.tolist() == found.ts.tolist()
            part = await one.markets.candles("binance", "BTC/USDT", M1, limit=10, since=NOW - 50 * MINUTE_MS + 1)
            assert part.ts.tolist() == truth.ts.tolist()[51:61]
            assert one.asked("klines") == asked  # all of it lay in the lake
            assert len(one.lake.read("binance", "BTC/USDT", M1)) == 100

    asyncio.run(run())


def test_only_what_the_lake_lacks_is_asked_for(tmp_path):
    async def run() -> None:
        async with place(tmp_path) as one:
            one.lake.append(replace(BTC.between(START, NOW - 10 * MINUTE_MS), venue="binance"))
            found = await one.markets.candles("binance", "BTC/USDT", M1, limit=300)
            assert len(found) == 300
            (klines,) = [asked for asked in one.server.served if asked.path.endswith("klines")]
            assert int(klines.params["startTime"]) == NOW - 10 * MINUTE_MS

    asyncio.run(run())


def test_gaps_that_are_the_exchanges_own_are_not_asked_for_again(tmp_path):
    async def run() -> None:
        async with place(tmp_path) as one:  # the series begins at START: before, there was nothing
            found = await one.markets.candles("binance", "BTC/USDT", M1, limit=400)
            assert found.ts.tolist() == BTC.between(START, NOW).ts.tolist()
            asked = one.asked("klines")
            one.server.clock.set(NOW + 2_000)
            await one.markets.candles("binance", "BTC/USDT", M1, limit=400)
            assert one.asked("klines") == asked

    asyncio.run(run())


def test_what_is_asked_wrongly_is_told(tmp_path):
    async def run() -> None:
        async with place(tmp_path) as one:
            with pytest.raises(BadInput, match="since"):
                await one.markets.candles("binance", "BTC/USDT", M1, limit=5, since=NOW + 1)
            with pytest.raises(NotFound):
                await one.markets.candles("binance", "NO/SUCH", M1, limit=5)
            for ask in (
                one.markets.candles("../../up", "BTC/USDT", M1, limit=5),
                one.markets.book("nowhere", "BTC/USDT", 5),
                one.markets.tickers("nowhere", ["BTC/USDT"]),
            ):
                with pytest.raises(BadInput, match="exchange"):
                    await ask
            with pytest.raises(BadInput, match="symbols"):
                await one.markets.tickers("binance", [])
            assert one.lake.series() == []

    asyncio.run(run())


def test_fifty_who_look_at_once_cost_one_request(tmp_path):
    async def run() -> None:
        async with place(tmp_path) as one:
            levels = [1 + number % 20 for number in range(50)]
            books = await asyncio.gather(*(one.markets.book("binance", "BTC/USDT", most) for most in levels))
            assert [len(book.bids) for book in books] == levels
            assert one.asked("depth") == 1
            wishes = (["BTC/USDT", "ETH/USDT"], ["ETH/USDT", "BTC/USDT"])
            await asyncio.gather(*(one.markets.tickers("binance", wishes[number % 2]) for number in range(50)))
            assert one.asked("ticker/24hr") == 1
            one.server.clock.set(NOW + 5_000)
            await one.markets.book("binance", "BTC/USDT", 3)
            assert one.asked("depth") == 2
            await asyncio.gather(*(one.markets.candles("binance", "ETH/USDT", M1, limit=100) for _ in range(50)))
            assert one.asked("klines") == 1

    asyncio.run(run())


def test_the_made_up_market_shows_what_was_heard_of_it(tmp_path):
    async def run() -> None:
        async with place(tmp_path) as one:
            with pytest.raises(NotFound):
                await one.markets.candles("simulated", "BTC/USDT", M1, limit=5)
            history = BTC.between(NOW - 10 * MINUTE_MS, NOW - 5 * MINUTE_MS)
            one.lake.append(replace(history, venue="simulated"))
            heard = [
                SignalRow(
                    received_ms=ts + MINUTE_MS, candle_ms=ts, close_ms=ts + MINUTE_MS, timeframe=M1, symbol="BTC/USDT",
                    venue="simulated", source="primary", repaired=False, signal_id=f"1m:{ts}",
                    open=Decimal(1), high=Decimal(3), low=Decimal(1), close=Decimal(2), volume=Decimal(7),
                )
                for ts in range(NOW - 6 * MINUTE_MS, NOW, MINUTE_MS)
            ]  # fmt: skip
            one.heartbeat.record(heard)
            one.server.clock.set(NOW + 5_000)
            found = await one.markets.candles("simulated", "BTC/USDT", M1, limit=100)
            assert found.ts.tolist() == list(range(NOW - 10 * MINUTE_MS, NOW, MINUTE_MS))
            assert found.close.tolist()[-6:] == [2.0] * 6
            assert found.close.tolist()[:4] == history.close.tolist()[:4]
            ticker = (await one.markets.tickers("simulated", ["BTC/USDT"]))["BTC/USDT"]
            assert (ticker.ts, ticker.last, ticker.open, ticker.high, ticker.low) == (NOW, 2, 1, 3, 1)
            assert (ticker.volume, ticker.change_percent, ticker.bid) == (42, 100, None)
            with pytest.raises(NotFound):
                await one.markets.tickers("simulated", ["NO/USDT"])
            with pytest.raises(NotFound):
                await one.markets.book("simulated", "BTC/USDT", 5)
            assert not one.server.served

    asyncio.run(run())


def test_the_made_up_market_has_a_time_of_its_own(tmp_path):
    async def run() -> None:
        async with place(tmp_path) as one:
            then = NOW - 100 * MINUTE_MS
            one.lake.append(replace(BTC, venue="simulated"))
            markets = Markets(one.exchanges, one.lake, one.heartbeat, one.server.clock.now_ms, lambda: then)
            found = await markets.candles("simulated", "BTC/USDT", M1, limit=5)
            assert found.ts.tolist() == list(range(then - 5 * MINUTE_MS, then, MINUTE_MS))
            real = await markets.candles("binance", "BTC/USDT", M1, limit=5)
            assert int(real.ts[-1]) == NOW - MINUTE_MS

    asyncio.run(run())


# -- symbols ----------------------------------------------------------------------------------------------------------


def test_a_refresh_is_told_step_by_step_and_once_for_all_who_ask(tmp_path):
    async def run() -> None:
        async with place(tmp_path) as one:
            bus, symbols = InProcessBus(keep=100), SqlSymbols(sqlite_url(tmp_path / "book.db"))
            listings = Listings(one.exchanges, symbols, bus, one.server.clock.now_ms)
            begun = [listings.refresh("binance") for _ in range(5)]
            assert {refresh.status for refresh in begun} == {"running"}
            await listings.settled()
            (ended,) = listings.refreshes()
            assert (ended.status, ended.percent, ended.count) == ("done", 100, len(SYMBOLS))
            assert one.asked("/api/v3/exchangeInfo") == 1
            assert [found.listing.symbol for found in symbols.search(SymbolQuery(exchange="binance"), 9)] == sorted(
                SYMBOLS
            )
            told = []
            async for delivery in bus.subscribe(EXCHANGES, group="test", consumer="one", from_start=True):
                told.append((delivery.message["percent"], delivery.message["status"]))
                if told[-1][1] != "running":
                    break
            assert told == [(5, "running"), (80, "running"), (100, "done")]

    asyncio.run(run())


def test_a_refresh_that_fails_says_so_and_leaves_what_was(tmp_path):
    async def run() -> None:
        async with place(tmp_path) as one:
            bus, symbols = InProcessBus(keep=100), SqlSymbols(sqlite_url(tmp_path / "book.db"))
            listings = Listings(one.exchanges, symbols, bus, one.server.clock.now_ms)
            listings.refresh("binance")
            await listings.settled()
            one.server.faults = [Fault(kind=Kind.STATUS, path="*exchangeInfo", status=503, times=0)]
            assert listings.refresh("binance").status == "done"  # they have only just come
            one.server.clock.set(NOW + 10_000)
            assert listings.refresh("binance").status == "running"
            await listings.settled()
            (ended,) = listings.refreshes()
            assert ended.status == "failed"
            assert ended.error is not None
            assert ended.error.key == "venue.unavailable"
            assert len(symbols.search(SymbolQuery(exchange="binance"), 9)) == len(SYMBOLS)

    asyncio.run(run())
