"""The WebSocket side (version 2): subscriptions, and orders over a socket."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from typing import Any

from aiohttp import web

from cambist.simulators.kraken import events, shapes
from cambist.simulators.kraken.desk import Desk
from cambist.simulators.kraken.refusals import INVALID_SESSION, UNKNOWN_PAIR, Refused
from cambist.simulators.kraken.streams import Listener, Stream, Streams

_DEPTHS = (10, 25, 100, 500, 1000)
_PUBLIC, _PRIVATE = ("ticker", "trade", "book", "ohlc"), ("executions", "balances")
_SNAPSHOT_TRADES = 50
_TERMS = {
    "symbol": "pair",
    "side": "type",
    "order_type": "ordertype",
    "order_qty": "volume",
    "limit_price": "price",
    "time_in_force": "timeinforce",
    "cl_ord_id": "cl_ord_id",
    "order_userref": "userref",
}
"""How REST calls the terms of an order that come over a socket."""

Taken = Callable[[str, str, dict[str, str]], Any]
"""Takes (path, account, parameters) of what was asked over a socket, and answers as REST would."""


class Sockets:
    """Serves WebSocket connections; what it must know of the rest is given as functions."""

    def __init__(
        self,
        streams: Streams,
        desk: Desk,
        *,
        bearer: Callable[[str], str | None],
        now: Callable[[], int],
        taken: Taken,
    ) -> None:
        self._streams = streams
        self._desk = desk
        self._bearer = bearer
        self._now = now
        self._taken = taken

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection until it ends."""
        response = web.WebSocketResponse(autoping=True)
        await response.prepare(request)
        socket = Listener(response, self._now())
        self._streams.sockets.add(socket)
        status = {"version": "2.0.10", "system": "online", "api_version": "v2", "connection_id": id(socket)}
        socket.send({"channel": "status", "type": "update", "data": [status]})
        try:
            await socket.messages(partial(self._take, socket), Decimal)
        finally:
            socket.stop()
            self._streams.sockets.discard(socket)
        return response

    def _take(self, socket: Listener, asked: Any) -> None:
        came = shapes.moment(self._now())
        if not isinstance(asked, dict):
            socket.send({"error": "Malformed request", "success": False, "time_in": came, "time_out": came})
            return
        method, params = str(asked.get("method")), asked.get("params") or {}
        known = {"method": method, **({"req_id": asked["req_id"]} if "req_id" in asked else {})}
        times = {"time_in": came, "time_out": shapes.moment(self._now())}
        if method == "ping":
            socket.send({**known, "method": "pong", **times})
            return
        try:
            for result in self._results(socket, method, params):
                socket.send({**known, "result": result, "success": True, **times})
                if method == "subscribe":
                    self._begin(socket, result, params)
        except Refused as refused:
            socket.send({**known, "error": str(refused), "success": False, **times})

    def _results(self, socket: Listener, method: str, params: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield what is answered, one by one: the caller acts on each before the next."""
        if method == "subscribe":
            yield from self._subscribed(socket, params)
        elif method == "unsubscribe":
            yield from self._unsubscribed(socket, params)
        elif method == "add_order":
            answer = self._asked(socket, "AddOrder", params, self._order(params))
            yield {"order_id": answer["txid"][0], **_own_id(params)}
        elif method == "amend_order":
            answer = self._asked(
                socket, "AmendOrder", params, {**_texts(params), "txid": str(params.get("order_id", ""))}
            )
            yield {**answer, **({"order_id": params["order_id"]} if "order_id" in params else {}), **_own_id(params)}
        elif method == "cancel_order":
            for name, rest_name in (("order_id", "txid"), ("cl_ord_id", "cl_ord_id")):
                for one in params.get(name) or []:
                    self._asked(socket, "CancelOrder", params, {rest_name: str(one)})
                    yield {name: one}
        elif method == "cancel_all":
            yield self._asked(socket, "CancelAll", params, {})
        else:
            raise Refused(f"Unsupported method: {method}")

    # -- subscriptions ------------------------------------------------------------------------------------------------

    def _subscribed(self, socket: Listener, params: dict[str, Any]) -> Iterator[dict[str, Any]]:
        channel = params.get("channel")
        if channel in _PRIVATE:
            self._account(socket, params)
            yield {"channel": channel, "snapshot": params.get("snapshot", True)}
        elif channel in _PUBLIC:
            for stream in self._streams_of(params):
                if stream in socket.streams:
                    raise Refused("Already subscribed")
                extent = {"book": {"depth": stream[2]}, "ohlc": {"interval": stream[2]}}.get(channel, {})
                yield {"channel": channel, "symbol": stream[1], "snapshot": params.get("snapshot", True), **extent}
        else:
            raise Refused("Subscription name invalid")

    def _begin(self, socket: Listener, result: dict[str, Any], params: dict[str, Any]) -> None:
        channel = result["channel"]
        if channel in _PUBLIC:
            stream = (channel, result["symbol"], result.get("depth") or result.get("interval") or 0)
            if result["snapshot"]:
                self._streams.begin(socket, stream)
            else:
                socket.streams.add(stream)
            return
        account = self._account(socket, params)
        socket.accounts[channel] = socket.tokens[str(params.get("token", ""))] = account
        if channel == "balances":
            held = self._desk.market.exchange.balances(account).values()
            data = [events.holding(one) for one in held]
        else:
            data = self._executions(account, params)
        self._streams.tell_one(socket, channel, "snapshot", data)

    def _executions(self, account: str, params: dict[str, Any]) -> list[Any]:
        told: list[Any] = []
        if params.get("snap_orders", True):
            told += [events.waiting(order) for order in self._desk.open_orders(account)]
        if params.get("snap_trades", False):
            last = self._desk.fills(account)[:_SNAPSHOT_TRADES]
            told += [events.trade(order, done, "filled" if order.over else "partially_filled") for order, done in last]
        return told

    def _unsubscribed(self, socket: Listener, params: dict[str, Any]) -> Iterator[dict[str, Any]]:
        channel = str(params.get("channel"))
        if channel in _PRIVATE:
            socket.accounts.pop(channel, None)
            yield {"channel": channel}
            return
        for stream in self._streams_of(params):
            socket.streams.discard(stream)
            yield {"channel": channel, "symbol": stream[1]}

    def _streams_of(self, params: dict[str, Any]) -> Iterator[Stream]:
        channel = str(params["channel"])
        extent = 0
        if channel == "book":
            extent = params.get("depth", _DEPTHS[0])
            if extent not in _DEPTHS:
                raise Refused("Subscription depth not supported")
        elif channel == "ohlc":
            extent = params.get("interval", 1)
            if extent not in shapes.INTERVALS:
                raise Refused("Subscription ohlc interval not supported")
        for symbol in params.get("symbol") or []:
            try:
                yield channel, self._desk.market.line(str(symbol)).instrument.symbol, extent
            except Refused:
                raise Refused(f"Currency pair not supported {symbol}") from None

    # -- orders -------------------------------------------------------------------------------------------------------

    def _order(self, params: dict[str, Any]) -> dict[str, str]:
        """Return the terms of an order as REST would have them."""
        terms = {rest: shapes.plain(params[name]) for name, rest in _TERMS.items() if name in params}
        if "pair" not in terms:
            raise Refused(UNKNOWN_PAIR)
        if params.get("post_only"):
            terms["oflags"] = "fciq,post"
        trigger = (params.get("triggers") or {}).get("price")
        if trigger is not None:
            if "price" in terms:
                terms["price2"] = terms["price"]
            terms["price"] = shapes.plain(trigger)
        return terms

    def _asked(self, socket: Listener, name: str, params: dict[str, Any], terms: dict[str, str]) -> Any:
        return self._taken(f"/0/private/{name}", self._account(socket, params), terms)

    def _account(self, socket: Listener, params: dict[str, Any]) -> str:
        token = str(params.get("token", ""))
        account = socket.tokens.get(token) or self._bearer(token)
        if account is None:
            raise Refused(INVALID_SESSION)
        return account


def _own_id(params: dict[str, Any]) -> dict[str, Any]:
    return {"cl_ord_id": params["cl_ord_id"]} if "cl_ord_id" in params else {}


def _texts(params: dict[str, Any]) -> dict[str, str]:
    return {name: shapes.plain(value) for name, value in params.items()}
