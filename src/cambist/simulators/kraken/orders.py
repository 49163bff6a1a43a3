"""An order as Kraken knows it: its terms read from a request, what has come of it, and how REST tells it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from cambist.domain.instrument import Instrument
from cambist.domain.order import Liquidity, OrderType, Side, TimeInForce
from cambist.domain.report import FillReport
from cambist.ports.venue import OrderRequest
from cambist.simulators.kraken.names import pair_id, pair_name
from cambist.simulators.kraken.refusals import COST_MINIMUM, INVALID_PRICE, ORDER_MINIMUM, TICK_SIZE, Refused, invalid
from cambist.simulators.kraken.shapes import digits_of, padded, seconds

ZERO = Decimal(0)
_TYPES = {
    "market": OrderType.MARKET,
    "limit": OrderType.LIMIT,
    "stop-loss": OrderType.STOP,
    "stop-loss-limit": OrderType.STOP,
    "take-profit": OrderType.TAKE_PROFIT,
    "take-profit-limit": OrderType.TAKE_PROFIT,
}
_LIMITED = ("limit", "stop-loss-limit", "take-profit-limit")
_TIMES = ("GTC", "IOC")
_FLAGS = ("fciq", "nompp", "post", "viqc")
_CLIENT_ID = re.compile(r"[\x21-\x7e]{1,18}|[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_USER_REFERENCE = re.compile(r"-?[0-9]{1,10}")
_USER_REFERENCES = 2**31
_NUMBER = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?")

Params = Mapping[str, str]


@dataclass(slots=True)
class Done:
    """One fill and its name."""

    id: str
    fill: FillReport


@dataclass(slots=True)
class Placed:
    """One order of ``account``: its terms, and what has come of it. ``key`` is its name at the matching engine."""

    account: str
    rules: Instrument
    side: Side
    type: str
    quantity: Decimal
    price: Decimal | None = None
    """The limit."""
    trigger: Decimal | None = None
    time_in_force: str = "GTC"
    client_id: str = ""
    user_reference: int | None = None
    flags: tuple[str, ...] = ("fciq",)
    worth: Decimal = ZERO
    """How much of the quote currency is to be traded, where that was asked (flag ``viqc``)."""
    key: str = ""
    id: str = ""
    created: int = 0
    updated: int = 0
    status: str = "pending"
    reason: str | None = None
    filled: Decimal = ZERO
    cost: Decimal = ZERO
    fee: Decimal = ZERO
    fills: list[Done] = field(default_factory=list)

    @property
    def symbol(self) -> str:
        """Return the pair as ccxt writes it."""
        return self.rules.symbol

    @property
    def over(self) -> bool:
        """Whether nothing more can come of it."""
        return self.status not in ("pending", "open")

    @property
    def mean(self) -> Decimal:
        """Return the mean price of its fills, 0 if there are none."""
        return (self.cost / self.filled).quantize(self.rules.tick_size.scaleb(-4)) if self.filled else ZERO

    def request(self) -> OrderRequest:
        """Return the order as the matching engine takes it."""
        return OrderRequest(
            client_id=self.key,
            symbol=self.symbol,
            side=self.side,
            type=_TYPES[self.type],
            quantity=self.quantity - self.filled,
            price=self.price,
            trigger=self.trigger,
            time_in_force=TimeInForce(self.time_in_force.lower()),
        )

    def sentence(self) -> str:
        """Return the order in words: ``buy 0.02100000 ETHUSDT @ limit 330.00``."""
        volume = padded(self.worth or self.quantity, digits_of(self.rules.lot_step))
        words = [
            self.side.value,
            volume,
            pair_name(self.symbol),
            "@",
            self.type.removesuffix("-limit").replace("-", " "),
        ]
        if self.trigger is not None:
            words.append(self._price(self.trigger))
            if self.price is not None:
                words += ["->", "limit"]
        return " ".join([*words, *([] if self.price is None else [self._price(self.price)])])

    def told(self, *, with_trades: bool) -> dict[str, Any]:
        """Return the order as queries answer it."""
        first, second = (self.trigger, self.price) if self.trigger is not None else (self.price, None)
        in_quote = bool(self.worth)
        lot = digits_of(self.rules.lot_step)
        ended = {"reason": self.reason, "closetm": seconds(self.updated)} if self.over else {}
        return {
            "refid": None,
            "userref": self.user_reference,
            **({"cl_ord_id": self.client_id} if self.client_id else {}),
            "status": self.status,
            **ended,
            "opentm": seconds(self.created),
            "starttm": 0,
            "expiretm": 0,
            "descr": {
                "pair": pair_name(self.symbol),
                "type": self.side.value,
                "ordertype": self.type,
                "price": "0" if first is None else self._price(first),
                "price2": "0" if second is None else self._price(second),
                "leverage": "none",
                "order": self.sentence(),
                "close": "",
            },
            "vol": padded(self.worth or self.quantity, lot),
            "vol_exec": padded(self.cost if in_quote else self.filled, lot),
            "cost": self._price(self.cost),
            "fee": self._price(self.fee),
            "price": self._price(self.mean),
            "stopprice": self._price(ZERO),
            "limitprice": self._price(ZERO),
            "misc": "",
            "oflags": ",".join(self.flags),
            **({"trigger": "last"} if self.trigger is not None else {}),
            **({"trades": [one.id for one in self.fills]} if with_trades and self.fills else {}),
        }

    def trade(self, done: Done) -> dict[str, Any]:
        """Return one of its fills as ``TradesHistory`` tells it."""
        fill = done.fill
        return {
            "ordertxid": self.id,
            "postxid": "TKH2SE-M7IF5-CFI7LT",
            "pair": pair_id(self.symbol),
            "time": seconds(fill.ts),
            "type": self.side.value,
            "ordertype": self.type,
            "price": self._price(fill.price),
            "cost": self._price(fill.price * fill.quantity),
            "fee": self._price(fill.fee),
            "vol": padded(fill.quantity, digits_of(self.rules.lot_step)),
            "margin": self._price(ZERO),
            "leverage": "0",
            "misc": "",
            "trade_id": int(fill.trade_id),
            "maker": fill.liquidity is Liquidity.MAKER,
        }

    def _price(self, value: Decimal) -> str:
        return padded(value, digits_of(self.rules.tick_size))


def read_order(account: str, rules: Instrument, params: Params) -> Placed:
    """Return the order that a request describes; raise `Refused` for what is missing, unknown or not to be had here."""
    if params.get("type") not in ("buy", "sell"):
        raise invalid("type")
    kind = params.get("ordertype", "")
    if kind not in _TYPES:
        raise invalid("ordertype")
    for name in params:
        if name.startswith("close[") or name in ("leverage", "displayvol"):
            raise invalid(name)
    flags = tuple(flag for flag in params.get("oflags", "").split(",") if flag) or ("fciq",)
    if not set(flags) <= set(_FLAGS) or ("viqc" in flags and (kind, params["type"]) != ("market", "buy")):
        raise invalid("oflags")
    time_in_force = params.get("timeinforce", "GTC").upper()
    if time_in_force not in _TIMES:
        raise invalid("timeinforce")
    waits_for_trigger = _TYPES[kind] in (OrderType.STOP, OrderType.TAKE_PROFIT)
    by_worth = "viqc" in flags
    volume = decimal(params, "volume", digits_of(rules.lot_step))
    return Placed(
        account=account,
        rules=rules,
        side=Side(params["type"]),
        type=kind,
        quantity=ZERO if by_worth else volume,
        worth=volume if by_worth else ZERO,
        price=read_price(rules, params, "price2" if waits_for_trigger else "price") if kind in _LIMITED else None,
        trigger=read_price(rules, params, "price") if waits_for_trigger else None,
        time_in_force=time_in_force,
        client_id=client_id(params),
        user_reference=user_reference(params),
        flags=flags,
    )


def check_size(order: Placed, last: Decimal | None) -> None:
    """Raise `Refused` for an order that is too small; market orders are weighed at the ``last`` price."""
    if order.quantity < max(order.rules.min_quantity, order.rules.lot_step):
        raise Refused(ORDER_MINIMUM)
    price = order.price or order.trigger or last
    if price is not None and price * order.quantity < order.rules.min_notional:
        raise Refused(COST_MINIMUM)


def read_price(rules: Instrument, params: Params, name: str) -> Decimal:
    """Return the price sent as ``name``, checked against the pair's decimals and tick; raise `Refused`."""
    price = decimal(params, name)
    digits = digits_of(rules.tick_size)
    if digits_of(price.normalize()) > digits:
        told = f"{pair_name(rules.symbol)} price can only be specified up to {digits} decimals."
        raise Refused(f"{INVALID_PRICE}:{told}")
    if price % rules.tick_size:
        raise Refused(TICK_SIZE)
    return price


def decimal(params: Params, name: str, digits: int | None = None) -> Decimal:
    """Return the parameter ``name`` as a number above zero, of at most so many ``digits``; raise `Refused`."""
    text = params.get(name, "")
    value = Decimal(text) if _NUMBER.fullmatch(text) else ZERO
    if not value or (digits is not None and digits_of(value.normalize()) > digits):
        raise invalid(name)
    return value


def client_id(params: Params) -> str:
    """Return the client order id of a request, empty if it has none; raise `Refused` for one that may not be."""
    wish = params.get("cl_ord_id", "")
    if wish and (not _CLIENT_ID.fullmatch(wish) or params.get("userref")):
        raise invalid("cl_ord_id")
    return wish


def user_reference(params: Params) -> int | None:
    """Return the number that the user gave an order or a group of them, None if there is none; raise `Refused`."""
    text = params.get("userref", "")
    if not text:
        return None
    if not _USER_REFERENCE.fullmatch(text) or not -_USER_REFERENCES <= int(text) < _USER_REFERENCES:
        raise invalid("userref")
    return int(text)
