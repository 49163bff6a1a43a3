"""The feed against a real WebSocket server on loopback that fails as servers fail."""

import asyncio
import struct
from base64 import b64encode
from hashlib import sha1
from typing import Any

import pytest
from tests.unit.binance.scripted import QUICK, Peer, depth, kline, refused, shutdown, soon, streams, tcp, trade

from cambist.adapters.venues.binance.feed import BinanceFeed
from cambist.adapters.venues.binance.sockets import Patience
from cambist.domain.errors import BadInput, VenueRefused
from cambist.domain.tick import CandleTick, DepthTick, FeedStatus, Tick, TradeTick

TS = 1_700_000_040_000


async def take(feed: BinanceFeed, count: int, symbols=("BTC/USDT",), raw=None) -> list[Any]:
    """Return the first ``count`` ticks."""
    found: list[Any] = []
    ticks = feed.ticks(symbols, raw)
    try:
        async with asyncio.timeout(60):
            while len(found) < count:
                found.append(await anext(ticks))
    finally:
        await ticks.aclose()
    return found


def shape(ticks: list[Any]) -> list[object]:
    """Return ticks as trade ids, candle times, and whether the stream is up."""
    return [
        tick.id if isinstance(tick, TradeTick) else tick.ts if isinstance(tick, CandleTick) else tick.up
        for tick in ticks
    ]


def test_trades_and_candles_come_as_they_are_sent():
    async def act(peer: Peer) -> None:
        await peer.subscribed()
        await peer.say(trade(1, TS), trade(2, TS, "ETHUSDT"), kline(TS))
        await peer.stay()

    async def scene() -> None:
        heard: list[tuple[str, int]] = []
        async with streams(act) as (url, peers):
            feed = BinanceFeed(url, patience=QUICK, now_ms=lambda: 77)
            ticks = await take(feed, 4, ("BTC/USDT", "ETH/USDT"), lambda text, ts: heard.append((text, ts)))
            await soon(lambda: peers[0].socket.closed)
        assert shape(ticks) == [True, 1, 2, TS]
        assert [tick.symbol for tick in ticks[1:]] == ["BTC/USDT", "ETH/USDT", "BTC/USDT"]
        assert ticks[3].received_ms == 77
        assert peers[0].streams == ["btcusdt@trade", "btcusdt@kline_1m", "ethusdt@trade", "ethusdt@kline_1m"]
        assert len(heard) == 4  # the answer to the subscription too
        assert '"t": 1' in heard[1][0]
        assert {ts for _, ts in heard} == {77}

    asyncio.run(scene())


def test_a_lost_connection_is_told_and_opened_again():
    async def act(peer: Peer) -> None:
        await peer.subscribed()
        await peer.say(trade(peer.number, TS))
        await soon(lambda: False) if peer.number == 2 else peer.drop()

    async def last(peer: Peer) -> None:
        await peer.subscribed()
        await peer.say(trade(2, TS))
        await peer.stay()

    async def scene() -> None:
        async with streams(act, refused, last) as (url, peers):
            ticks = await take(BinanceFeed(url, patience=QUICK), 5)
        assert shape(ticks) == [True, 0, False, True, 2]
        assert isinstance(ticks[2], FeedStatus)
        assert "the stream was lost" in ticks[2].why
        assert len(peers) == 3

    asyncio.run(scene())


def test_a_venue_that_does_not_answer_is_told_once():
    async def act(peer: Peer) -> None:
        await peer.subscribed()
        await peer.stay()

    async def scene() -> None:
        async with streams(refused, refused, refused, act) as (url, _):
            ticks = await take(BinanceFeed(url, patience=QUICK), 2)
        assert shape(ticks) == [False, True]
        assert "503" in ticks[0].why

    asyncio.run(scene())


def test_a_refused_subscription_ends_it():
    async def act(peer: Peer) -> None:
        await peer.subscribed(error="Invalid request")
        await peer.stay()

    async def scene() -> None:
        async with streams(act) as (url, _):
            with pytest.raises(VenueRefused, match="2 Invalid request"):
                await take(BinanceFeed(url, patience=QUICK), 1)

    asyncio.run(scene())


def test_no_symbol_is_no_feed():
    with pytest.raises(BadInput):
        asyncio.run(take(BinanceFeed("ws://127.0.0.1:1"), 1, ()))


@pytest.mark.parametrize("cause", ["age", "shutdown"])
def test_a_connection_is_replaced_before_it_ends_and_nothing_is_missed(cause):
    """The server numbers its trades through both connections: none is missing, and the stream never goes down."""
    numbers = 200

    async def scene() -> None:
        clock = {"next": 0}
        sent: dict[int, list[int]] = {}

        async def act(peer: Peer) -> None:
            await peer.subscribed()
            mine = sent.setdefault(peer.number, [])
            if cause == "shutdown" and peer.number == 0:
                await peer.say(shutdown(TS))
            reader = asyncio.create_task(peer.stay())
            while not reader.done() and clock["next"] < numbers:
                if mine and mine[-1] >= clock["next"]:
                    await asyncio.sleep(0)  # another connection tells the time
                    continue
                mine.append(clock["next"])
                await peer.say(trade(clock["next"], TS))
            await reader

        async def time(peers: list[Peer]) -> None:
            while clock["next"] < numbers:
                await asyncio.sleep(0.002)
                clock["next"] += bool(sent)

        patience = QUICK if cause == "shutdown" else Patience(lifetime_s=0.05, renewal_s=0.01, first_wait_s=0.01)
        async with streams(act) as (url, peers):
            ticking = asyncio.create_task(time(peers))
            seen: list[Tick] = []
            ticks = BinanceFeed(url, patience=patience).ticks(("BTC/USDT",))
            async with asyncio.timeout(60):
                while not seen or not isinstance(seen[-1], TradeTick) or seen[-1].id < numbers - 1:
                    seen.append(await anext(ticks))
            await ticks.aclose()
            await ticking
        ids = {tick.id for tick in seen if isinstance(tick, TradeTick)}
        assert [tick for tick in seen if isinstance(tick, FeedStatus)] == seen[:1]
        assert ids == set(range(min(ids), numbers))
        assert len(peers) >= 2

    asyncio.run(scene())


def test_a_half_open_socket_is_found():
    """The other side is gone without a word: no data, no pong. Raw TCP, because a real server answers pings."""

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        key = next(line for line in head.split("\r\n") if line.lower().startswith("sec-websocket-key")).split(": ")[1]
        accept = b64encode(sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()).decode()
        writer.write(
            f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
        )
        answer = b'{"result":null,"id":1}'
        writer.write(struct.pack("BB", 0x81, len(answer)) + answer)
        await reader.read()  # reads on, says nothing

    async def scene() -> None:
        async with tcp(mute) as address:
            patience = Patience(silence_s=0.3, first_wait_s=0.01, renewal_s=0.01)
            ticks = await take(BinanceFeed(f"ws://{address}", patience=patience), 3)
        assert shape(ticks) == [True, False, True]
        assert "0.3 s" in ticks[1].why

    asyncio.run(scene())


def test_a_message_that_cannot_be_read_is_told_and_the_stream_goes_on():
    async def act(peer: Peer) -> None:
        await peer.subscribed()
        await peer.say("{", trade(1, TS, p="-1"), trade(2, TS))
        await peer.stay()

    async def scene() -> None:
        async with streams(act) as (url, _):
            ticks = await take(BinanceFeed(url, patience=QUICK), 4)
        assert shape(ticks) == [True, True, True, 2]
        assert "JSON" in ticks[1].why
        assert "'p'" in ticks[2].why

    asyncio.run(scene())


def test_many_symbols_share_connections_of_a_thousand_streams_each():
    async def act(peer: Peer) -> None:
        while True:
            await peer.subscribed()

    async def scene() -> None:
        symbols = [f"C{number}/USDT" for number in range(700)]
        async with streams(act) as (url, peers):
            ticks = BinanceFeed(url, patience=QUICK).ticks(symbols)
            assert shape([await anext(ticks), await anext(ticks)]) == [True, True]
            await ticks.aclose()
        assert sorted(len(peer.streams) for peer in peers) == [1400 - 1024, 1024]
        assert len({name for peer in peers for name in peer.streams}) == 1400

    asyncio.run(scene())


def test_a_reader_that_falls_behind_is_told_what_it_lost():
    async def act(peer: Peer) -> None:
        await peer.subscribed()
        await peer.say(*(trade(number, TS) for number in range(50)))
        await peer.stay()

    async def scene() -> None:
        async with streams(act) as (url, _):
            heard: list[str] = []
            feed = BinanceFeed(url, patience=QUICK, most_waiting=20)
            ticks = feed.ticks(("BTC/USDT",), lambda text, ts: heard.append(text))
            found: list[Any] = [await anext(ticks)]
            await soon(lambda: len(heard) == 51)
            while not isinstance(found[-1], TradeTick) or found[-1].id < 49:
                found.append(await anext(ticks))
            await ticks.aclose()
        told = [at for at, tick in enumerate(found) if isinstance(tick, FeedStatus) and tick.why]
        assert told
        assert all(found[at].up and "20 messages were dropped" in found[at].why for at in told)
        left = found[told[-1] + 1 :]
        assert len(left) < 20
        assert shape(left) == list(range(50 - len(left), 50))

    asyncio.run(scene())


def test_changes_of_a_book_come_too():
    async def act(peer: Peer) -> None:
        assert await peer.subscribed() == ["btcusdt@depth@100ms"]
        await peer.say(depth(1, 2, [["1", "1"]]))
        await peer.stay()

    async def scene() -> None:
        async with streams(act) as (url, _):
            changes = BinanceFeed(url, patience=QUICK).depth("BTC/USDT")
            assert isinstance(await anext(changes), FeedStatus)
            assert isinstance(await anext(changes), DepthTick)
            await changes.aclose()

    asyncio.run(scene())
