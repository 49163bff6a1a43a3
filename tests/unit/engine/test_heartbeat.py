"""The heartbeat: real bus, real log, a clock moved by hand; the feed and the venue's history are played."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from tests.databases import sqlite_url
from tests.unit.binance import scripted
from tests.unit.market import made

from cambist.adapters.bus.inprocess import InProcessBus
from cambist.adapters.clock import SteppedClock
from cambist.adapters.storage.heartbeat_log import SqlHeartbeatLog
from cambist.adapters.venues.binance.feed import BinanceFeed
from cambist.adapters.venues.binance.recent import BinanceRecent
from cambist.domain.candles import Candles
from cambist.domain.errors import CambistError, RateLimited, VenueRefused, VenueUnavailable
from cambist.domain.tick import CandleTick, FeedStatus, Tick, TradeTick
from cambist.domain.timeframe import MINUTE_MS, Timeframe
from cambist.engine.heartbeat import Heartbeat
from cambist.market.candle_builder import to_candle
from cambist.market.feed_check import Flaw
from cambist.market.series import build
from cambist.ports.bus import CANDLES, HEARTBEAT, RAW, TICKS

START = 1_700_006_400_000  # a multiple of four hours
M1, M3, M5 = Timeframe.M1, Timeframe.M3, Timeframe.M5


def at(number: float) -> int:
    return START + round(number * MINUTE_MS)


def closing(number: int, price: str = "100", symbol: str = "X/Y") -> CandleTick:
    return made.minute(at(number), price, symbol=symbol, received_ms=at(number + 1) + 7)


class Played:
    """A feed and a venue's history that do as the test says."""

    venue = "played"

    def __init__(self) -> None:
        self.waiting: asyncio.Queue[Tick | Exception | None] = asyncio.Queue()
        self.history: dict[int, CandleTick] = {}
        self.tape: dict[int, TradeTick] = {}
        self.failures: list[CambistError] = []
        self.asked: list[tuple[int, int]] = []
        self.raw = None

    async def ticks(self, symbols: Iterable[str], raw=None) -> AsyncIterator[Tick]:
        self.raw = raw
        while (tick := await self.waiting.get()) is not None:
            if isinstance(tick, Exception):
                raise tick
            yield tick

    def send(self, *ticks: Tick | Exception | None) -> None:
        for tick in ticks:
            self.waiting.put_nowait(tick)

    def keep(self, numbers: Iterable[int], price: str = "50") -> None:
        self.history |= {at(number): made.minute(at(number), price) for number in numbers}

    async def candles(self, symbol: str, timeframe: Timeframe, since: int, until: int) -> Candles:
        self.asked.append((since, until))
        if self.failures:
            raise self.failures.pop(0)
        rows = [to_candle(tick) for ts, tick in sorted(self.history.items()) if since <= ts < until]
        columns = ([getattr(row, name) for row in rows] for name in ("ts", "open", "high", "low", "close", "volume"))
        return build(self.venue, symbol, timeframe, *columns)

    async def trades(self, symbol: str, first_id: int, last_id: int) -> list[TradeTick]:
        self.asked.append((first_id, last_id))
        if self.failures:
            raise self.failures.pop(0)
        return [self.tape[number] for number in range(first_id, last_id + 1) if number in self.tape]


class Scene:
    """A heartbeat that runs, and what came of it."""

    def __init__(self, played: Played, clock: SteppedClock, heartbeat: Heartbeat) -> None:
        self.played, self.clock, self.heartbeat = played, clock, heartbeat
        self.running: asyncio.Task[None]
        self.got: dict[str, list[dict[str, Any]]] = {HEARTBEAT: [], CANDLES: [], RAW: [], TICKS: []}

    def signals(self) -> list[tuple[str, int, bool]]:
        """Return (timeframe, the candle's number, repaired) of each signal, in order."""
        return [
            (one["timeframe"], (one["candle"]["ts"] - START) // MINUTE_MS, one["repaired"])
            for one in self.got[HEARTBEAT]
        ]

    async def until(self, count: int) -> None:
        """Let clock and loop go on until there are ``count`` signals."""
        async with asyncio.timeout(120):
            while len(self.got[HEARTBEAT]) < count:
                await asyncio.sleep(0)
                await self.clock.move_to(self.clock.now_ms() + 100)

    async def quiet(self, turns: int = 50) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)

    async def end(self) -> None:
        """End the feed and wait for the heartbeat to finish."""
        self.played.send(None)
        await self.running
        await self.quiet()


@asynccontextmanager
async def scene(url: str, start: float = 0, timeframes=(M1,), played: Played | None = None, symbols=("X/Y",), **more):
    played, clock, bus = played or Played(), SteppedClock(at(start)), InProcessBus()
    heartbeat = Heartbeat(played, played, bus, SqlHeartbeatLog(url), clock, symbols, timeframes, **more)
    made_scene = Scene(played, clock, heartbeat)

    async def read(topic: str) -> None:
        async for delivery in bus.subscribe(topic, group="test", consumer="one"):
            made_scene.got[topic].append(delivery.message)
            await bus.ack("test", delivery)

    readers = [asyncio.create_task(read(topic)) for topic in made_scene.got]
    await asyncio.sleep(0)
    made_scene.running = asyncio.create_task(heartbeat.run())
    try:
        yield made_scene
    finally:
        made_scene.running.cancel()
        await asyncio.wait({made_scene.running})
        await bus.close()
        await asyncio.gather(*readers)


@pytest.fixture
def url(tmp_path):
    return sqlite_url(tmp_path / "book.db")


def test_one_signal_for_each_candle_shortest_first(url):
    async def play() -> None:
        async with scene(url, timeframes=(M5, M3, M1, Timeframe.M15)) as stage:
            stage.played.send(*(closing(number) for number in range(15)))
            await stage.end()
            closes = [(one["close_ms"], Timeframe(one["timeframe"]).ms) for one in stage.got[HEARTBEAT]]
            assert closes == sorted(closes)
            assert len(closes) == 15 + 5 + 3 + 1
            last = stage.got[HEARTBEAT][-1]
            assert last["signal_id"] == f"15m_{at(15)}"
            assert last["id"] == f"played:X/Y:15m_{at(15)}"
            assert last["candle"]["volume"] == "15"
            assert last["received_ms"] == at(15) + 7
            assert [one["candle"] for one in stage.got[CANDLES]] == [one["candle"] for one in stage.got[HEARTBEAT]]
            assert len({one["id"] for one in stage.got[CANDLES]}) == 24
            assert not any(repaired for _, _, repaired in stage.signals())

    asyncio.run(play())


def test_each_signal_is_recorded_and_the_source_too(url):
    async def play() -> None:
        async with scene(url, source="secondary") as stage:
            stage.played.send(FeedStatus(up=True, ts=at(0)), closing(0), closing(1))
            await stage.end()

    asyncio.run(play())
    log = SqlHeartbeatLog(url)
    rows = log.recent("1m")
    assert [(row.candle_ms, row.close_ms, row.received_ms) for row in rows] == [
        (at(1), at(2), at(2) + 7),
        (at(0), at(1), at(1) + 7),
    ]
    assert {(row.source, row.venue, row.symbol, row.repaired) for row in rows} == {
        ("secondary", "played", "X/Y", False)
    }
    (status,) = log.status()
    assert (status.source, status.is_connected, status.symbols) == ("secondary", False, ("X/Y",))
    assert status.last_start_ms == at(0)


def test_a_repeated_candle_is_handed_on_once(url):
    async def play() -> None:
        async with scene(url) as stage:
            stage.played.send(closing(0), closing(0), closing(1), closing(0), closing(1))
            await stage.end()
            assert stage.signals() == [("1m", 0, False), ("1m", 1, False)]

    asyncio.run(play())


def test_a_candle_under_way_is_not_a_signal(url):
    async def play() -> None:
        async with scene(url) as stage:
            under_way = made.minute(at(0))
            stage.played.send(replace(under_way, closed=False))
            await stage.end()
            assert stage.signals() == []

    asyncio.run(play())


def test_a_gap_is_filled_before_later_candles_go_on(url):
    async def play() -> None:
        async with scene(url, timeframes=(M1, M3)) as stage:
            stage.played.keep((1, 2))
            stage.played.failures = [VenueUnavailable("venue.unavailable", venue="played", detail="-")]
            stage.played.send(closing(0), closing(3), closing(4))
            await stage.until(6)
            assert stage.signals() == [
                ("1m", 0, False),
                ("1m", 1, True),
                ("1m", 2, True),
                ("3m", 0, True),
                ("1m", 3, False),
                ("1m", 4, False),
            ]
            assert stage.got[HEARTBEAT][1]["candle"]["close"] == "50.0"
            status = stage.heartbeat.status()
            assert (status.signals, status.repaired) == (6, 3)

    asyncio.run(play())


def test_a_gap_of_one_symbol_does_not_hold_up_another(url):
    async def play() -> None:
        async with scene(url, symbols=("X/Y", "Z/Y")) as stage:
            stage.played.failures = [RateLimited("venue.rate_limited", 3600.0, venue="played", detail="-")]
            stage.played.keep((1,))
            stage.played.send(closing(0), closing(2), closing(0, symbol="Z/Y"), closing(1, symbol="Z/Y"))
            await stage.quiet(500)
            assert [(one["symbol"], one["close_ms"]) for one in stage.got[HEARTBEAT]] == [
                ("X/Y", at(1)),
                ("Z/Y", at(1)),
                ("Z/Y", at(2)),
            ]
            assert len(stage.played.asked) == 1
            await stage.clock.move_to(at(0) + 3_599_000)
            await stage.quiet(200)
            assert [asked for asked in stage.played.asked if asked[0] == at(1) and asked[1] == at(2)] == [
                (at(1), at(2))
            ]

    asyncio.run(play())


def test_a_hole_that_the_venue_has_too_is_left_out_and_said(url):
    async def play() -> None:
        async with scene(url) as stage:
            stage.played.send(closing(0), closing(3))
            await stage.until(2)
            assert stage.signals() == [("1m", 0, False), ("1m", 3, False)]
            assert len(stage.played.asked) >= 3
            assert "has no candles from 2023-11-15 00:01+00:00" in stage.heartbeat.status().last_error

    asyncio.run(play())


def test_a_market_that_falls_silent_is_asked_for(url):
    async def play() -> None:
        async with scene(url, grace_s=2.0) as stage:
            stage.played.send(closing(0))
            await stage.until(1)
            await stage.clock.move_to(at(2) + 1_900)
            await stage.quiet()
            assert stage.played.asked == []
            stage.played.keep((1,))
            await stage.until(2)
            assert stage.signals() == [("1m", 0, False), ("1m", 1, True)]
            assert stage.got[HEARTBEAT][1]["received_ms"] >= at(2) + 2_000
            stage.played.send(closing(1), closing(2))  # the stream wakes up and repeats it
            await stage.until(3)
            assert stage.signals()[2] == ("1m", 2, False)

    asyncio.run(play())


def test_a_start_knows_where_it_stands_and_hands_on_nothing_old(url):
    async def play() -> None:
        played = Played()
        played.keep(range(-10, 8))
        async with scene(url, start=8.5, timeframes=(M1, M5, Timeframe.M15), played=played) as stage:
            played.send(closing(7), *(closing(number) for number in range(8, 15)))
            await stage.until(10)
            await stage.end()
            assert stage.signals() == [
                ("1m", 8, False),
                ("1m", 9, False),
                ("5m", 5, False),
                *(("1m", number, False) for number in range(10, 15)),
                ("5m", 10, False),
                ("15m", 0, False),
            ]
            fifteen = stage.got[HEARTBEAT][-1]["candle"]
            assert (fifteen["open"], fifteen["low"], fifteen["volume"]) == ("50.0", "49.0", "15.0")
            assert played.asked == [(at(0), at(8))]

    asyncio.run(play())


def test_raw_messages_go_to_their_topic_and_never_wait(url):
    async def play() -> None:
        async with scene(url) as stage:
            await stage.quiet()
            for number in range(2_500):
                stage.played.raw(f"message {number}", at(0) + number)
            stage.played.send(closing(0))
            await stage.until(1)
            async with asyncio.timeout(120):
                while len(stage.got[RAW]) < 2_000:
                    await asyncio.sleep(0)
            assert stage.got[RAW][-1]["text"] == "message 2499"
            assert len({one["id"] for one in stage.got[RAW]}) == 2_000
            status = stage.heartbeat.status()
            assert (status.raw_dropped, status.last_message_ms) == (500, at(0) + 2_499)

    asyncio.run(play())


def test_the_last_price_of_each_symbol_is_told_once_in_a_while(url):
    async def play() -> None:
        async with scene(url, start=1, symbols=("X/Y", "Z/Y")) as stage:
            for price in ("100", "101.50"):
                stage.played.send(closing(0, price), closing(0, price, "Z/Y"), closing(0, "7", "other"))
            async with asyncio.timeout(120):
                while len(stage.got[TICKS]) < 2:
                    await asyncio.sleep(0.01)
            assert stage.got[TICKS] == [
                {
                    "id": f"played:{symbol}:tick:{at(1)}",
                    "venue": "played",
                    "symbol": symbol,
                    "price": "101.50",
                    "ts": at(1),
                }
                for symbol in ("X/Y", "Z/Y")
            ]

    asyncio.run(play())


def test_trades_are_compared_with_the_venue_s_candle(url):
    async def play() -> None:
        async with scene(url) as stage:
            stage.played.send(made.trade(1, at(0) - 1), made.trade(2, at(0) + 5), made.trade(3, at(0) + 6, "101"))
            right = made.trade(2, at(0)).price
            base = closing(0)
            base = replace(base, first_trade=2, last_trade=3)
            stage.played.send(replace(base, open=right, low=right, high=right + 1, close=right + 1, volume=right - 98))
            await stage.until(1)
            assert stage.heartbeat.status().unlike == 0
            stage.played.send(made.trade(4, at(1)), made.trade(5, at(2)))
            stage.played.send(replace(base, ts=at(1), first_trade=4, last_trade=4))
            await stage.until(2)
            assert stage.heartbeat.status().unlike == 1
            assert "is not the venue's" in stage.heartbeat.status().last_error
            assert stage.got[HEARTBEAT][1]["candle"]["high"] == "101"  # the venue's

    asyncio.run(play())


def test_lost_and_late_trades_are_counted(url):
    async def play() -> None:
        async with scene(url, start=1) as stage:
            stage.played.send(made.trade(1, at(1)), made.trade(3, at(1)), made.trade(4, at(0)))
            await stage.end()
            assert stage.heartbeat.status().flaws == {Flaw.GAP: 1, Flaw.LATE: 1}
            assert stage.played.asked == []

    asyncio.run(play())


def test_without_candles_in_the_stream_trades_make_them_and_lost_ones_are_asked_for(url):
    async def play() -> None:
        async with scene(url, candles_from="trades", start=0.5) as stage:
            tape = {number: made.trade(number, at(number / 2), str(100 + number)) for number in range(1, 13)}
            stage.played.tape = tape
            stage.played.keep((0,))
            stage.played.send(*(tape[number] for number in (1, 2, 3, 6, 7, 8)))
            stage.played.send(closing(1))  # not heeded
            await stage.until(3)
            assert stage.signals()[:3] == [("1m", 0, True), ("1m", 1, False), ("1m", 2, False)]
            candles = [one["candle"] for one in stage.got[HEARTBEAT]]
            assert [(one["open"], one["close"], one["volume"]) for one in candles[1:3]] == [
                ("102", "103", "2"),
                ("104", "105", "2"),
            ]
            assert (4, 5) in stage.played.asked

    asyncio.run(play())


def test_trades_that_nobody_has_are_given_up_and_the_candle_is_asked_for(url):
    async def play() -> None:
        async with scene(url, candles_from="trades") as stage:
            stage.played.keep((0, 1), "77")
            stage.played.send(made.trade(1, at(0)), made.trade(5, at(1)), made.trade(6, at(2)), made.trade(7, at(3)))
            await stage.until(3)
            assert stage.signals() == [("1m", 0, True), ("1m", 1, True), ("1m", 2, False)]

    asyncio.run(play())


def test_a_lost_connection_is_said_and_kept(url):
    async def play() -> None:
        async with scene(url) as stage:
            stage.played.send(FeedStatus(up=True, ts=at(0)), FeedStatus(up=False, ts=at(1), why="broken off"))
            await stage.quiet()
            assert not stage.heartbeat.status().connected
            assert stage.heartbeat.status().last_error == "broken off"
            stage.played.send(FeedStatus(up=True, ts=at(2)))
            await stage.quiet()
            assert stage.heartbeat.status().connected
            await stage.end()

    asyncio.run(play())
    (status,) = SqlHeartbeatLog(url).status()
    assert (status.last_start_ms, status.last_error) == (at(2), "broken off")


def test_a_venue_that_refuses_ends_it(url):
    async def play() -> None:
        async with scene(url) as stage:
            stage.played.send(VenueRefused("venue.refused", venue="played", detail="no such stream"))
            with pytest.raises(VenueRefused, match="no such stream"):
                await stage.running

    asyncio.run(play())
    assert "no such stream" in SqlHeartbeatLog(url).status()[0].last_error


def test_a_log_that_does_not_obey_does_not_stop_the_heart(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")

    async def play() -> None:
        async with scene(f"sqlite:///{blocked / 'book.db'}") as stage:
            stage.played.send(*(closing(number) for number in range(5)))
            await stage.until(5)
            async with asyncio.timeout(120):
                while not stage.heartbeat.status().last_error:
                    await asyncio.sleep(0.001)
                    await stage.clock.move_to(stage.clock.now_ms() + 100)

    asyncio.run(play())


def test_a_source_that_was_cancelled_has_stopped(url):
    async def play() -> None:
        async with scene(url) as stage:
            stage.played.send(FeedStatus(up=True, ts=at(0)), closing(0))
            await stage.until(1)

    asyncio.run(play())
    (status,) = SqlHeartbeatLog(url).status()
    assert (status.is_connected, status.last_error) == (False, "")
    assert status.last_stop_ms is not None
    assert len(SqlHeartbeatLog(url).recent("1m")) == 1


# -- from a socket ----------------------------------------------------------------------------------------------------


def test_from_the_socket_to_the_bus_over_a_break(url):
    """The server drops the connection with two minutes unseen: they come by REST, marked, before what follows."""
    names = ("BTC/USDT", "ETH/USDT")

    async def first(peer: scripted.Peer) -> None:
        await peer.subscribed()
        for name in ("BTCUSDT", "ETHUSDT"):
            await peer.say(scripted.trade(1, at(0.5), name), scripted.kline(at(0), name, closed=False))
            await peer.say(scripted.kline(at(0), name))
        peer.drop()

    async def second(peer: scripted.Peer) -> None:
        await peer.subscribed()
        for name in ("BTCUSDT", "ETHUSDT"):
            await peer.say(scripted.kline(at(0), name), scripted.kline(at(3), name))
        await peer.stay()

    def answer(path: str, asked: dict[str, str]) -> tuple[int, object]:
        if path == "time":
            return 200, {"serverTime": at(4) + 100}
        since, until = int(asked["startTime"]), int(asked["endTime"])
        rows = ([at(n), "1.5", "1.5", "1.5", "1.5", "2", at(n + 1) - 1, "1", 1, "1", "1", "0"] for n in range(4))
        return 200, [row for row in rows if since <= int(str(row[0])) <= until]

    async def play() -> None:
        bus, log = InProcessBus(), SqlHeartbeatLog(url)
        async with scripted.streams(first, second) as (address, _), scripted.rest(answer) as (history, _):
            recent = BinanceRecent(history)
            feed = BinanceFeed(address, patience=scripted.QUICK, now_ms=lambda: at(4))
            heartbeat = Heartbeat(feed, recent, bus, log, SteppedClock(at(0)), names, (M1,))
            deliveries: Any = bus.subscribe(HEARTBEAT, group="test", consumer="one")
            running = asyncio.create_task(heartbeat.run())
            found = []
            async with asyncio.timeout(120):
                async for delivery in deliveries:
                    found.append(delivery.message)
                    await bus.ack("test", delivery)
                    if len(found) == 8:
                        break
            await deliveries.aclose()
            running.cancel()
            await asyncio.wait({running})
            await recent.close()
        for name in names:
            mine = [(one["close_ms"], one["repaired"]) for one in found if one["symbol"] == name]
            assert mine == [(at(1), False), (at(2), True), (at(3), True), (at(4), False)]
        assert json.dumps(found[0]["candle"]) == json.dumps(
            {
                "ts": at(0),
                "open": "100.10",
                "high": "100.10",
                "low": "100.10",
                "close": "100.10",
                "volume": "0.50000000",
            }
        )

    asyncio.run(play())
