"""Who listens to what: sockets, their subscriptions, and the messages that trades and orders send them."""

import json
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from aiohttp import web

from cambist.domain.tick import TradeTick
from cambist.domain.timeframe import DAY_MS, Timeframe
from cambist.simulators import depth
from cambist.simulators.binance import shapes
from cambist.simulators.binance.market import Line, Market
from cambist.simulators.faults import Faults
from cambist.simulators.sockets import Hub, Socket
from cambist.simulators.tape import Bar

_KLINES = {f"kline_{interval}": Timeframe(interval) for interval in shapes.INTERVALS}
_PARTIAL = {f"depth{count}{pace}": count for count in (5, 10, 20) for pace in ("", "@100ms", "@1000ms")}
_DIFFS = ("depth", "depth@100ms", "depth@1000ms")


class Listener(Socket):
    """One client's WebSocket, and what it hears."""

    def __init__(self, response: web.WebSocketResponse, opened_ms: int, *, combined: bool = False) -> None:
        super().__init__(response, opened_ms)
        self.combined = combined
        self.streams: set[str] = set()
        self.account = ""
        """Whose orders it hears of; empty: nobody's."""
        self.listen_key = ""
        """What opened the account's stream, if a listen key did."""
        self.subscription: int | None = None
        """Of the WebSocket API: what marks the account's events."""
        self.warned = False
        self.heard: deque[float] = deque(maxlen=6)
        """When (s) its last messages came."""


class Streams(Hub[Listener]):
    """All open sockets, and the messages to them."""

    def __init__(self, market: Callable[[], Market], faults: Faults, listener: Callable[[str], str | None]) -> None:
        super().__init__()
        self._market = market
        self._listener = listener
        self._faults = faults
        self._running: dict[tuple[str, Timeframe], Bar] = {}

    def subscribe(self, socket: Listener, names: Iterable[str]) -> None:
        """Let a socket hear streams."""
        socket.streams.update(names)

    def catch_up(self, now: int) -> None:
        """Close the bars, the account streams and the sockets whose time has come."""
        self.close_bars(now)
        self.close_keys(now)
        self.close_old(now)

    def close_keys(self, now: int) -> None:
        """Tell those whose listen key has run out, and nothing of the account from then on."""
        for socket in tuple(self.sockets):
            if socket.listen_key and self._listener(socket.listen_key) is None:
                event = {"e": "listenKeyExpired", "E": now, "listenKey": socket.listen_key}
                self._deliver(socket, _of_account(socket, event), "ws:user", "ws:user:listenKeyExpired")
                socket.account = socket.listen_key = ""

    def close_old(self, now: int) -> None:
        """Close sockets that have been open for a day; ten minutes before, say so."""
        for socket in tuple(self.sockets):
            age = now - socket.opened_ms
            if age >= DAY_MS - 600_000 and not socket.warned:
                socket.warned = True
                socket.send(shutdown(now, socket))
            if age >= DAY_MS:
                socket.shut()

    def announce(self, now: int) -> None:
        """Tell everyone that the server is about to go."""
        for socket in self.sockets:
            socket.send(shutdown(now, socket))

    # -- accounts -----------------------------------------------------------------------------------------------------

    def tell_account(self, account: str, event: dict[str, Any]) -> None:
        """Send an event to those who listen to ``account``."""
        self.close_keys(self._market().now)
        for socket in tuple(self.sockets):
            if socket.account == account:
                self._deliver(socket, _of_account(socket, event), "ws:user", f"ws:user:{event['e']}")

    # -- the market ---------------------------------------------------------------------------------------------------

    def tell_trade(self, line: Line, trade: TradeTick) -> None:
        """Send all that a trade changes to those who listen."""
        symbol, now = line.instrument.symbol, self._market().now
        name = shapes.market_id(symbol).lower()
        self.close_bars(now)
        wanted = self._wanted(name)
        for suffix in wanted:
            timeframe = _KLINES.get(suffix)
            if timeframe is not None:
                bar = self._grown(name, line, timeframe, trade)
                self._send(f"{name}@{suffix}", shapes.kline_event(symbol, timeframe, bar, now, closed=False))
            else:
                message = self._message(suffix, line, trade, now)
                if message is not None:
                    self._send(f"{name}@{suffix}", message)
        self._tell_all_markets(symbol, line, now)

    def close_bars(self, now: int) -> None:
        """Send the last word on bars that have ended by ``now`` (ms)."""
        for (name, timeframe), bar in tuple(self._running.items()):
            stream = f"{name}@kline_{timeframe.value}"
            if not self._listened(stream):
                del self._running[name, timeframe]
                continue
            symbol = self._market().line(name.upper()).instrument.symbol
            while bar.close_ms <= now:
                self._send(stream, shapes.kline_event(symbol, timeframe, bar, bar.close_ms, closed=True))
                close = bar.close
                bar = Bar(bar.close_ms, timeframe.close_of(bar.close_ms), close, close, close, close)
                self._running[name, timeframe] = bar

    def watch_bars(self, names: Iterable[str]) -> None:
        """Follow the bars of the candle streams among ``names`` from where they are."""
        market = self._market()
        for stream in names:
            name, _, suffix = stream.partition("@")
            timeframe, line = _KLINES.get(suffix), market.lines.get(name.upper())
            if timeframe is not None and line is not None and (name, timeframe) not in self._running:
                opened = timeframe.floor(market.now)
                self._running[name, timeframe] = line.tape.bar(timeframe, opened, market.now)

    def _grown(self, name: str, line: Line, timeframe: Timeframe, trade: TradeTick) -> Bar:
        bar = self._running.get((name, timeframe))
        if bar is None:
            bar = self._running[name, timeframe] = line.tape.bar(timeframe, timeframe.floor(trade.ts), trade.ts)
        elif trade.id > bar.last_id:
            bar.add(trade)
        return bar

    def _message(self, suffix: str, line: Line, trade: TradeTick, now: int) -> Any:
        symbol = line.instrument.symbol
        if suffix == "trade":
            return shapes.trade_event(trade, now)
        if suffix == "aggTrade":
            return shapes.agg_trade_event(trade, now)
        if suffix == "miniTicker":
            return shapes.mini_day_event(symbol, line.tape.day(now), now)
        book = self._market().book_after(line, trade)
        if suffix == "ticker":
            return shapes.day_event(symbol, line.tape.day(now), book, now)
        if suffix == "bookTicker":
            return shapes.book_ticker_event(symbol, book)
        if suffix in _PARTIAL:
            return shapes.depth(book, _PARTIAL[suffix])
        if suffix in _DIFFS:
            return self._difference(line, trade, book, now)
        return None

    def _difference(self, line: Line, trade: TradeTick, book: Any, now: int) -> Any:
        before = line.tape.numbered(trade.id - 1, 1, trade.ts)
        sides = depth.changes(self._market().book_after(line, before[0]), book) if before else (book.bids, book.asks)
        return shapes.depth_event(line.instrument.symbol, trade.id, trade.id, sides, now)

    def _tell_all_markets(self, symbol: str, line: Line, now: int) -> None:
        if self._listened("!miniTicker@arr"):
            self._send("!miniTicker@arr", [shapes.mini_day_event(symbol, line.tape.day(now), now)])
        if self._listened("!ticker@arr"):
            book = self._market().book(line)
            self._send("!ticker@arr", [shapes.day_event(symbol, line.tape.day(now), book, now)])

    def _wanted(self, name: str) -> list[str]:
        """Return what is listened to of the symbol ``name``: the streams after the ``@``."""
        found: dict[str, None] = {}
        for socket in self.sockets:
            for stream in socket.streams:
                symbol, _, suffix = stream.partition("@")
                if symbol == name:
                    found[suffix] = None
        return list(found)

    def _listened(self, stream: str) -> bool:
        return any(stream in socket.streams for socket in self.sockets)

    def _send(self, stream: str, message: Any) -> None:
        for socket in tuple(self.sockets):
            if stream in socket.streams:
                self._deliver(
                    socket, {"stream": stream, "data": message} if socket.combined else message, f"ws:{stream}"
                )

    def _deliver(self, socket: Listener, message: Any, *where: str) -> None:
        socket.deliver(json.dumps(message), self._faults.strike(self._market().now, *where))


def _of_account(socket: Listener, event: dict[str, Any]) -> dict[str, Any]:
    """Return the message that carries an account's ``event`` to a socket."""
    if socket.subscription is not None:
        return {"subscriptionId": socket.subscription, "event": event}
    return {"stream": socket.listen_key, "data": event} if socket.combined else event


def shutdown(now: int, socket: Listener) -> dict[str, Any]:
    """Return the message that the server is about to go."""
    event = {"e": "serverShutdown", "E": now}
    return event if socket.subscription is None else {"subscriptionId": socket.subscription, "event": event}
