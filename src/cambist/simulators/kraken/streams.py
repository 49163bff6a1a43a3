"""Who listens to what: sockets, their subscriptions, and the messages that trades and orders send them."""

from binascii import crc32
from collections.abc import Callable, Iterable
from typing import Any

from aiohttp import web

from cambist.domain.order import Side
from cambist.domain.tick import TradeTick
from cambist.simulators.depth import Book, Level, changes
from cambist.simulators.faults import Faults
from cambist.simulators.kraken import shapes
from cambist.simulators.kraken.market import Market
from cambist.simulators.market import Line
from cambist.simulators.sockets import Hub, Socket
from cambist.simulators.tape import Bar

_HEARTBEAT_MS = 1_000
_CHECKED = 10  # levels that the checksum covers

Stream = tuple[str, str, int]
"""Channel, symbol, and what the channel needs beside: minutes of candles, levels of a book."""


class Listener(Socket):
    """One client's WebSocket, and what it hears."""

    def __init__(self, response: web.WebSocketResponse, opened_ms: int) -> None:
        super().__init__(response, opened_ms)
        self.streams: set[Stream] = set()
        self.accounts: dict[str, str] = {}
        """By private channel: whose news it hears."""
        self.tokens: dict[str, str] = {}
        """By token that opened a private channel here: whose it is. It does not run out while the socket is open."""
        self.sequences: dict[str, int] = {}
        self.spoken_ms = opened_ms

    def speak(self, message: Any, faults: Faults, now: int, *where: str) -> None:
        """Send a message, unless a fault is in force where it belongs (``where``)."""
        self.spoken_ms = now
        self.deliver(shapes.to_text(message), faults.strike(now, *where) if where else None)

    def send(self, message: Any) -> None:
        """Send ``message`` as JSON."""
        self.put(shapes.to_text(message))


class Streams(Hub[Listener]):
    """All open sockets, and the messages to them."""

    def __init__(self, market: Callable[[], Market], faults: Faults) -> None:
        super().__init__()
        self._market = market
        self._faults = faults

    # -- accounts -----------------------------------------------------------------------------------------------------

    def tell_account(self, account: str, channel: str, what: Any) -> None:
        """Send news of an account to those who listen to ``channel``."""
        for socket in tuple(self.sockets):
            if socket.accounts.get(channel) == account:
                self.tell_one(socket, channel, "update", [what])

    def tell_one(self, socket: Listener, channel: str, kind: str, data: list[Any]) -> None:
        """Send news (or with ``kind`` snapshot how things stand) on a private channel, numbered."""
        number = socket.sequences[channel] = socket.sequences.get(channel, 0) + 1
        message = {"channel": channel, "type": kind, "data": data, "sequence": number}
        exactly = {f"ws:user:{one.get('exec_type', kind)}" for one in data}
        socket.speak(message, self._faults, self._market().now, "ws:user", f"ws:{channel}", *sorted(exactly))

    # -- the market ---------------------------------------------------------------------------------------------------

    def tell_trade(self, line: Line, trade: TradeTick) -> None:
        """Send all that a trade changes to those who listen."""
        symbol = line.instrument.symbol
        for stream in {stream for socket in self.sockets for stream in socket.streams if stream[1] == symbol}:
            data = self.update(stream, line, trade)
            for socket in tuple(self.sockets):
                if stream in socket.streams:
                    self._send(socket, stream, "update", data)

    def catch_up(self, now: int) -> None:
        """Send a heartbeat to those who have heard nothing for a second."""
        for socket in tuple(self.sockets):
            if (socket.streams or socket.accounts) and now - socket.spoken_ms >= _HEARTBEAT_MS:
                socket.speak({"channel": "heartbeat"}, self._faults, now)

    def begin(self, socket: Listener, stream: Stream) -> None:
        """Tell a socket how things stand on a stream, and from then on what changes."""
        line = self._market().line(stream[1])
        self._send(socket, stream, "snapshot", self.snapshot(stream, line))
        socket.streams.add(stream)

    def snapshot(self, stream: Stream, line: Line) -> list[Any]:
        """Return how things stand on a stream."""
        market, one = self._market(), line.instrument
        channel, symbol, extent = stream
        if channel == "trade":
            return [_trade(trade) for trade in line.tape.latest(50, market.now)]
        if channel == "ohlc":
            timeframe = shapes.INTERVALS[extent]
            bars = line.tape.bars(timeframe, None, market.now, 10, market.now)
            return [_candle(symbol, bar, extent, line) for bar in bars]
        book = market.book(line)
        if channel == "ticker":
            return [self._ticker(line, book)] if book.bids else []
        sides = (book.bids[:extent], book.asks[:extent])
        return [{**_levels(symbol, *sides), "checksum": checksum(book, one.tick_size, one.lot_step)}]

    def update(self, stream: Stream, line: Line, trade: TradeTick) -> list[Any]:
        """Return what ``trade`` changes on a stream."""
        market, one = self._market(), line.instrument
        channel, symbol, extent = stream
        if channel == "trade":
            return [_trade(trade)]
        if channel == "ohlc":
            timeframe = shapes.INTERVALS[extent]
            bar = line.tape.bar(timeframe, timeframe.floor(trade.ts), trade.ts)
            return [_candle(symbol, bar, extent, line)]
        book = market.book_after(line, trade)
        if channel == "ticker":
            return [self._ticker(line, book)]
        earlier = line.tape.numbered(trade.id - 1, 1, trade.ts)
        before = market.book_after(line, earlier[0]) if earlier else Book(0, (), ())
        bids, asks = changes(_cut(before, extent), _cut(book, extent))
        # what only fell out of the depth is not told: who keeps the book cuts it
        sides = (_still(bids, book.bids), _still(asks, book.asks))
        told = {**_levels(symbol, *sides), "checksum": checksum(book, one.tick_size, one.lot_step)}
        return [{**told, "timestamp": shapes.moment(trade.ts)}]

    def _ticker(self, line: Line, book: Book) -> dict[str, Any]:
        day, (bid, ask) = line.tape.day(self._market().now), (book.bids[0], book.asks[0])
        change = day.close - day.open
        return {
            "symbol": line.instrument.symbol,
            "bid": bid[0],
            "bid_qty": bid[1],
            "ask": ask[0],
            "ask_qty": ask[1],
            "last": day.close,
            "volume": day.volume,
            "vwap": shapes.mean(day, line.instrument),
            "low": day.low,
            "high": day.high,
            "change": change,
            "change_pct": round(change / day.open * 100, 2),
        }

    def _send(self, socket: Listener, stream: Stream, kind: str, data: list[Any]) -> None:
        now = self._market().now
        message = {"channel": stream[0], "type": kind, "data": data}
        if stream[0] == "ohlc":
            message["timestamp"] = shapes.moment(now)
        socket.speak(message, self._faults, now, f"ws:{stream[0]}:{stream[1]}", f"ws:{stream[0]}")


def checksum(book: Book, tick: Any, lot: Any) -> int:
    """Return the CRC32 of the best ten asks and bids, written without points and leading zeros."""
    price, quantity = shapes.digits_of(tick), shapes.digits_of(lot)
    text = "".join(
        shapes.padded(value, digits).replace(".", "").lstrip("0")
        for side in (book.asks, book.bids)
        for level in side[:_CHECKED]
        for value, digits in zip(level, (price, quantity), strict=True)
    )
    return crc32(text.encode())


def _cut(book: Book, depth: int) -> Book:
    return Book(book.update, book.bids[:depth], book.asks[:depth])


def _still(changed: Iterable[Level], side: Iterable[Level]) -> list[Level]:
    there = {price for price, _ in side}
    return [(price, quantity) for price, quantity in changed if quantity or price not in there]


def _levels(symbol: str, bids: Iterable[Level], asks: Iterable[Level]) -> dict[str, Any]:
    told = {
        name: [{"price": price, "qty": quantity} for price, quantity in side]
        for name, side in (("bids", bids), ("asks", asks))
    }
    return {"symbol": symbol, **told}


def _trade(trade: TradeTick) -> dict[str, Any]:
    return {
        "symbol": trade.symbol,
        "side": "buy" if trade.taker is Side.BUY else "sell",
        "price": trade.price,
        "qty": trade.quantity,
        "ord_type": "market",
        "trade_id": trade.id,
        "timestamp": shapes.moment(trade.ts),
    }


def _candle(symbol: str, bar: Bar, minutes: int, line: Line) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "open": bar.open,
        "high": bar.high,
        "low": bar.low,
        "close": bar.close,
        "trades": bar.count,
        "volume": bar.volume,
        "vwap": shapes.mean(bar, line.instrument),
        "interval_begin": shapes.moment(bar.ts),
        "interval": minutes,
        "timestamp": shapes.moment(bar.close_ms),
    }
