"""An order as Binance knows it: its terms read from a request, what has come of it, and how that is told."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from cambist.domain.order import Liquidity, OrderType, Side, TimeInForce
from cambist.domain.report import FillReport
from cambist.ports.venue import OrderRequest
from cambist.simulators.binance.refusals import Refused, missing
from cambist.simulators.binance.shapes import ORDER_TYPES, market_id, number

ZERO = Decimal(0)
OVER = ("FILLED", "CANCELED", "EXPIRED", "REJECTED")
STOPS = ("STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT")
_TIMES = ("GTC", "IOC", "FOK")
_LIMITED = ("LIMIT", "LIMIT_MAKER", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT")
_TIMED = ("LIMIT", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT")
_CLIENT_ID = re.compile(r"[.A-Za-z0-9:/_-]{1,36}")
_KNOWN = {
    "symbol", "side", "type", "timeInForce", "quantity", "quoteOrderQty", "price", "stopPrice", "newClientOrderId",
    "newOrderRespType", "strategyId", "strategyType", "selfTradePreventionMode", "computeCommissionRates",
    "recvWindow", "timestamp", "signature", "apiKey",
}  # fmt: skip
"""What a request for an order may say."""
_NUMBER = re.compile(r"([0-9]{1,20})(\.[0-9]{1,20})?")
_WHOLE = re.compile(r"[0-9]{1,20}")
_TYPES = {
    "MARKET": OrderType.MARKET,
    "LIMIT": OrderType.LIMIT,
    "LIMIT_MAKER": OrderType.LIMIT,
    "STOP_LOSS": OrderType.STOP,
    "STOP_LOSS_LIMIT": OrderType.STOP,
    "TAKE_PROFIT": OrderType.TAKE_PROFIT,
    "TAKE_PROFIT_LIMIT": OrderType.TAKE_PROFIT,
}

Params = Mapping[str, str]


@dataclass(slots=True)
class Placed:
    """One order of ``account``: its terms, and what has come of it. ``key`` is its name at the matching engine."""

    account: str
    symbol: str
    client_id: str
    side: Side
    type: str
    quantity: Decimal
    price: Decimal | None = None
    stop: Decimal | None = None
    time_in_force: str = "GTC"
    quote_quantity: Decimal = ZERO
    key: str = ""
    id: int = 0
    list_id: int = -1
    created: int = 0
    updated: int = 0
    status: str = "NEW"
    filled: Decimal = ZERO
    quote: Decimal = ZERO
    """What the fills are worth, in quote currency."""
    fills: list[FillReport] = field(default_factory=list)
    cancel_id: str = ""
    """The client order id of the cancel that ended it."""

    @property
    def over(self) -> bool:
        """Whether nothing more can come of it."""
        return self.status in OVER

    @property
    def is_stop(self) -> bool:
        """Whether it waits for a stop price."""
        return self.type in STOPS

    @property
    def works(self) -> bool:
        """Whether it has ever been on the book, as far as its fills show: a stop is not before it is triggered."""
        return not self.is_stop or bool(self.fills)

    def request(self) -> OrderRequest:
        """Return the order as the matching engine takes it."""
        return OrderRequest(
            client_id=self.key,
            symbol=self.symbol,
            side=self.side,
            type=_TYPES[self.type],
            quantity=self.quantity,
            price=self.price,
            trigger=self.stop,
            time_in_force=TimeInForce.GTC if self.time_in_force == "GTC" else TimeInForce.IOC,
        )

    def told(self) -> dict[str, Any]:
        """Return the order as queries answer it."""
        return {
            **self.ids(),
            **self.state(),
            "stopPrice": number(self.stop or ZERO),
            "icebergQty": number(ZERO),
            "time": self.created,
            "updateTime": self.updated,
            "isWorking": self.works,
            "workingTime": self.created if self.works else -1,
        }

    def ids(self) -> dict[str, Any]:
        """Return what names the order."""
        names = {"symbol": market_id(self.symbol), "orderId": self.id, "orderListId": self.list_id}
        return {**names, "clientOrderId": self.client_id}

    def state(self) -> dict[str, Any]:
        """Return the terms of the order and how far it has come."""
        return {
            "price": number(self.price or ZERO),
            "origQty": number(self.quantity),
            "executedQty": number(self.filled),
            "origQuoteOrderQty": number(self.quote_quantity),
            "cummulativeQuoteQty": number(self.quote),
            "status": self.status,
            "timeInForce": self.time_in_force,
            "type": self.type,
            "side": self.side.name,
            "selfTradePreventionMode": "NONE",
        }

    def answered(self, kind: str) -> dict[str, Any]:
        """Return the answer to the request that placed it: ACK, RESULT or FULL."""
        answer = {**self.ids(), "transactTime": self.updated}
        if kind == "ACK":
            return answer
        answer |= self.state() | {"workingTime": self.created if self.works else -1}
        if self.stop is not None:
            answer["stopPrice"] = number(self.stop)
        return answer | ({"fills": [_fill(one) for one in self.fills]} if kind == "FULL" else {})

    def cancelled(self) -> dict[str, Any]:
        """Return the answer to the request that took it back."""
        answer = {**self.ids(), "origClientOrderId": self.client_id, "clientOrderId": self.cancel_id}
        return {**answer, "transactTime": self.updated, **self.state()}

    def event(self, what: str, now: int, fill: FillReport | None = None, cause: str = "NONE") -> dict[str, Any]:
        """Return the stream's ``executionReport``: ``what`` happened (NEW, TRADE, CANCELED, EXPIRED)."""
        cancelled = what == "CANCELED"
        return {
            "e": "executionReport",
            "E": now,
            "s": market_id(self.symbol),
            "c": self.cancel_id if cancelled else self.client_id,
            "S": self.side.name,
            "o": self.type,
            "f": self.time_in_force,
            "q": number(self.quantity),
            "p": number(self.price or ZERO),
            "P": number(self.stop or ZERO),
            "F": number(ZERO),
            "g": self.list_id,
            "C": self.client_id if cancelled else "",
            "x": what,
            "X": self.status,
            "r": cause,
            "i": self.id,
            "l": number(fill.quantity if fill else ZERO),
            "z": number(self.filled),
            "L": number(fill.price if fill else ZERO),
            "n": number(fill.fee) if fill else "0",
            "N": fill.fee_asset if fill else None,
            "T": self.updated,
            "t": int(fill.trade_id) if fill else -1,
            "I": self.id * 1000 + len(self.fills),
            "w": self.works and not self.over,
            "m": fill is not None and fill.liquidity is Liquidity.MAKER,
            "M": fill is not None,
            "O": self.created,
            "Z": number(self.quote),
            "Y": number(fill.price * fill.quantity if fill else ZERO),
            "Q": number(self.quote_quantity),
            **({"W": self.created} if self.works else {}),
            "V": "NONE",
        }

    def trades(self) -> list[dict[str, Any]]:
        """Return its fills as ``myTrades`` tells them."""
        return [
            {
                "symbol": market_id(self.symbol),
                "id": int(one.trade_id),
                "orderId": self.id,
                "orderListId": self.list_id,
                "price": number(one.price),
                "qty": number(one.quantity),
                "quoteQty": number(one.price * one.quantity),
                "commission": number(one.fee),
                "commissionAsset": one.fee_asset,
                "time": one.ts,
                "isBuyer": self.side is Side.BUY,
                "isMaker": one.liquidity is Liquidity.MAKER,
                "isBestMatch": True,
            }
            for one in self.fills
        ]


def _fill(one: FillReport) -> dict[str, Any]:
    values = {"price": number(one.price), "qty": number(one.quantity), "commission": number(one.fee)}
    return {**values, "commissionAsset": one.fee_asset, "tradeId": int(one.trade_id)}


def read_order(account: str, symbol: str, params: Params) -> Placed:
    """Return the order that a request describes; raise `Refused` for what is missing, unknown or too much."""
    for name, what in (("icebergQty", "Iceberg orders"), ("trailingDelta", "Trailing stop orders")):
        if name in params:
            raise Refused(-1013, f"{what} are not supported for this symbol.")
    if not params.keys() <= _KNOWN:
        read, sent = len(params.keys() & _KNOWN), len(params)
        text = f"Not all sent parameters were read; read '{read}' parameter(s) but was sent '{sent}'."
        raise Refused(-1104, text)
    side = read_side(params)
    kind = needed(params, "type")
    if kind not in ORDER_TYPES:
        raise Refused(-1116, "Invalid orderType.")
    if kind in _TIMED:
        needed(params, "timeInForce")
    elif "timeInForce" in params:
        raise Refused(-1106, "Parameter 'timeInForce' sent when not required.")
    if kind not in _LIMITED and "price" in params:
        raise Refused(-1106, "Parameter 'price' sent when not required.")
    if kind not in STOPS and "stopPrice" in params:
        raise Refused(-1106, "Parameter 'stopPrice' sent when not required.")
    by_worth = kind == "MARKET" and "quantity" not in params and "quoteOrderQty" in params
    return Placed(
        account=account,
        symbol=symbol,
        client_id=client_id(params, "newClientOrderId"),
        side=side,
        type=kind,
        quantity=ZERO if by_worth else decimal(params, "quantity"),
        price=decimal(params, "price") if kind in _LIMITED else None,
        stop=decimal(params, "stopPrice") if kind in STOPS else None,
        time_in_force=time_in_force(params, "timeInForce"),
        quote_quantity=decimal(params, "quoteOrderQty") if by_worth else ZERO,
    )


def read_side(params: Params) -> Side:
    """Return which way an order goes."""
    side = needed(params, "side")
    if side not in ("BUY", "SELL"):
        raise Refused(-1117, "Invalid side.")
    return Side[side]


def time_in_force(params: Params, name: str) -> str:
    """Return how long an order lives, GTC if nothing is said."""
    wish = params.get(name) or "GTC"
    if wish not in _TIMES:
        raise Refused(-1115, "Invalid timeInForce.")
    return wish


def needed(params: Params, name: str) -> str:
    """Return the parameter ``name``; raise `Refused` if it was not sent."""
    value = params.get(name)
    if not value:
        raise missing(name)
    return value


def decimal(params: Params, name: str) -> Decimal:
    """Return the parameter ``name`` as a number above zero; raise `Refused`."""
    text = needed(params, name)
    if not _NUMBER.fullmatch(text):
        raise _illegal(name, _NUMBER)
    if not Decimal(text):
        raise Refused(-1013, f"Invalid {name}.")
    return Decimal(text)


def whole(params: Params, name: str) -> int | None:
    """Return the parameter ``name`` as a whole number, None if it was not sent; raise `Refused`."""
    text = params.get(name)
    if not text:
        return None
    if not _WHOLE.fullmatch(text):
        raise _illegal(name, _WHOLE)
    return int(text)


def client_id(params: Params, name: str) -> str:
    """Return the client order id sent as ``name``, empty if none was; raise `Refused` for signs it may not have."""
    wish = params.get(name) or ""
    if wish and not _CLIENT_ID.fullmatch(wish):
        raise _illegal(name, _CLIENT_ID)
    return wish


def _illegal(name: str, legal: re.Pattern[str]) -> Refused:
    return Refused(-1100, f"Illegal characters found in parameter '{name}'; legal range is '^{legal.pattern}$'.")
