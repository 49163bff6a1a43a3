"""Recent history and books by REST, from a real server on loopback."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.binance.scripted import QUICK, Peer, depth, rest, streams, tcp

from cambist.adapters.venues.binance.books import books
from cambist.adapters.venues.binance.feed import BinanceFeed
from cambist.adapters.venues.binance.recent import BinanceRecent
from cambist.domain.errors import NotFound, ParseError, RateLimited, VenueRefused, VenueUnavailable
from cambist.domain.order import Side
from cambist.domain.tick import TradeTick
from cambist.domain.timeframe import MINUTE_MS, Timeframe

START = 1_700_006_400_000


def exchange(path: str, asked: dict[str, str]) -> tuple[int, object]:
    """Answer as the exchange does, with 2500 minutes and 2500 trades; its clock stands within minute 2400."""
    if path == "time":
        return 200, {"serverTime": START + 2400 * MINUTE_MS + 30_000}
    if path == "depth":
        return 200, {"lastUpdateId": 9, "bids": [["1.10", "2"]], "asks": [["1.20", "3"]]}
    limit = int(asked["limit"])
    assert limit <= 1000
    if path == "historicalTrades":
        first = int(asked["fromId"])
        trades = [
            {"id": number, "price": "1.50", "qty": "2", "time": START + number, "isBuyerMaker": number % 2 == 0}
            for number in range(first, 2500)
        ]
        return 200, trades[:limit]
    length = Timeframe(asked["interval"]).ms
    rows = [
        [ts, "1.0", "2.0", "0.5", f"1.{number}", "10.5", ts + length - 1, "1", 1, "1", "1", "0"]
        for number, ts in enumerate(range(START, START + 2500 * MINUTE_MS, length))
        if int(asked["startTime"]) <= ts <= int(asked["endTime"])
    ]
    return 200, rows[:limit]


def asking(question, answer=exchange):
    """Return what ``question(recent)`` returns, and what was asked of the server."""

    async def scene():
        async with rest(answer) as (url, asked):
            recent = BinanceRecent(url, timeout_s=60)
            try:
                return await question(recent), asked
            finally:
                await recent.close()

    return asyncio.run(scene())


def test_candles_are_asked_page_by_page_and_only_closed_ones_are_given():
    found, asked = asking(lambda recent: recent.candles("BTC/USDT", Timeframe.M1, START, START + 9000 * MINUTE_MS))
    assert found.ts.tolist() == [START + number * MINUTE_MS for number in range(2400)]
    assert (found.venue, found.symbol, found.timeframe) == ("binance", "BTC/USDT", "1m")
    assert found.close[7] == 1.7
    assert [question.partition("?")[0] for question in asked] == ["time", "klines", "klines", "klines"]


def test_a_span_is_half_open():
    found, _ = asking(lambda recent: recent.candles("BTC/USDT", Timeframe.M1, START, START + 2 * MINUTE_MS))
    assert found.ts.tolist() == [START, START + MINUTE_MS]
    none, asked = asking(lambda recent: recent.candles("BTC/USDT", Timeframe.M1, START, START))
    assert len(none) == 0
    assert asked == ["time"]


def test_what_the_venue_does_not_keep_is_gathered():
    found, asked = asking(lambda recent: recent.candles("BTC/USDT", Timeframe.M10, START, START + 60 * MINUTE_MS))
    assert found.timeframe == "10m"
    assert found.ts.tolist() == [START + 10 * number * MINUTE_MS for number in range(6)]
    assert found.volume.tolist() == [21.0] * 6
    assert "interval=5m" in asked[1]


def test_trades_by_their_ids():
    found, asked = asking(lambda recent: recent.trades("BTC/USDT", 10, 1509))
    assert [trade.id for trade in found] == list(range(10, 1510))
    assert found[0] == TradeTick(
        symbol="BTC/USDT", id=10, ts=START + 10, price=Decimal("1.50"), quantity=Decimal(2), taker=Side.SELL
    )
    assert [question.rpartition("limit=")[2] for question in asked] == ["1000", "500"]


def test_trades_that_the_venue_has_not_are_not_given():
    found, _ = asking(lambda recent: recent.trades("BTC/USDT", 2490, 2510))
    assert [trade.id for trade in found] == list(range(2490, 2500))


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (429, {"code": -1003, "msg": "Too many requests."}, RateLimited),
        (418, {"code": -1003, "msg": "Banned."}, RateLimited),
        (400, {"code": -1121, "msg": "Invalid symbol."}, NotFound),
        (400, {"code": -1100, "msg": "Illegal characters."}, VenueRefused),
        (401, "<html>", VenueRefused),
        (403, "<html>WAF</html>", VenueUnavailable),
        (502, "<html>Bad gateway</html>", VenueUnavailable),
        (200, "<html>", ParseError),
        (200, {"code": 0}, ParseError),
    ],
)
def test_each_failure_has_its_place_in_the_tree(status, body, error):
    with pytest.raises(error) as caught:
        asking(lambda recent: recent.trades("BTC/USDT", 1, 2), lambda path, asked: (status, body))
    assert type(caught.value) is error
    if status == 429:
        assert caught.value.retry_after_s == 7.0
    assert str(caught.value)


def test_rows_of_another_shape_are_refused():
    for row in ([START], [START, "1", "2", "x", "1", "1"], "row", [0, "1", "1", "1", "1", "1"]):
        answers = {"time": {"serverTime": START + MINUTE_MS}, "klines": [row]}
        with pytest.raises(ParseError):
            asking(
                lambda recent: recent.candles("BTC/USDT", Timeframe.M1, START, START + MINUTE_MS),
                lambda path, asked, answers=answers: (200, answers[path]),
            )


def test_a_venue_that_is_not_there_is_unavailable():
    async def scene() -> None:
        async with rest(exchange) as (url, _):
            pass
        recent = BinanceRecent(url)
        with pytest.raises(VenueUnavailable):
            await recent.clock_ms()
        await recent.close()

    asyncio.run(scene())


def test_a_venue_that_answers_too_late_is_unavailable():
    async def scene() -> None:
        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()

        async with tcp(silent) as address:
            recent = BinanceRecent(f"http://{address}", timeout_s=0.05)
            with pytest.raises(VenueUnavailable, match="in time"):
                await recent.clock_ms()
            await recent.close()

    asyncio.run(scene())


def test_a_book():
    found, asked = asking(lambda recent: recent.book("BTC/USDT", 500))
    assert found.last_update == 9
    assert found.bids == ((Decimal("1.10"), Decimal(2)),)
    assert asked == ["depth?symbol=BTCUSDT&limit=500"]


# -- books kept in step -----------------------------------------------------------------------------------------------


def test_a_book_is_kept_in_step_and_built_anew_after_a_gap_and_after_a_break():
    async def scene() -> list[Any]:
        snapshots = iter(range(9, 1000, 10))
        told = asyncio.Event()
        update = 0

        def answer(path: str, asked: dict[str, str]) -> tuple[int, object]:
            told.set()
            return 200, {"lastUpdateId": update, "bids": [["1.0", str(next(snapshots))]], "asks": [["2.0", "1"]]}

        async def in_step(peer: Peer) -> None:
            """Send changes until the client has a book; each has the price of its number."""
            nonlocal update
            told.clear()
            while not told.is_set():
                update += 1
                await peer.say(depth(update, update, [["1.5", "1"]]))
                await asyncio.sleep(0.001)
            for _ in range(3):
                update += 1
                await peer.say(depth(update, update, [["1.5", "1"]]))

        async def act(peer: Peer) -> None:
            nonlocal update
            await peer.subscribed()
            await in_step(peer)
            if peer.number == 0:
                update += 5  # lost
                await in_step(peer)
                peer.drop()
            else:
                await peer.stay()

        found: list[Any] = []
        async with streams(act) as (url, _), rest(answer) as (address, _):
            recent = BinanceRecent(address)
            following = books(BinanceFeed(url, patience=QUICK), recent, "BTC/USDT")
            try:
                async with asyncio.timeout(60):
                    while found.count(None) < 2 or found[-1] is None:
                        book = await anext(following)
                        if book is None:
                            found.append(None)
                        elif not found or found[-1] != book.bids()[-1][1]:
                            assert book.best_bid == (Decimal("1.5"), Decimal(1))
                            assert book.best_ask == (Decimal("2.0"), Decimal(1))
                            found.append(book.bids()[-1][1])
            finally:
                await following.aclose()
                await recent.close()
        return found

    found = asyncio.run(scene())
    assert [one is None for one in found] == [False, True, False, True, False]
    assert found[0] < found[2] < found[4]  # each from a snapshot of its own
