"""Rate limits: what each request weighs, and what happens to who asks for too much.

The windows are whole minutes (weight), ten seconds and days (orders). Beyond the limit a request is answered 429 with
``Retry-After``; who goes on asking is banned (418), the longer the more often: two minutes up to three days.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cambist.domain.timeframe import DAY_MS, MINUTE_MS
from cambist.simulators.binance.refusals import Refused

_FIRST_BAN_MS, _LONGEST_BAN_MS = 2 * MINUTE_MS, 3 * DAY_MS
_ORDERS = {"10S": (10_000, "10 SECOND"), "1D": (DAY_MS, "1 DAY")}
"""Spans in which orders are counted, by the name of the header that tells of them."""

Params = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be asked: weight per minute, orders per ten seconds and day, requests under 429 before a ban."""

    weight: int = 6000
    orders: int = 100
    orders_a_day: int = 200_000
    patience: int = 10


def _depth(params: Params) -> int:
    told = params.get("limit") or ""
    limit = int(told) if told.isdecimal() else 100  # what is no number is refused where it is read
    return next((weight for most, weight in ((100, 5), (500, 25), (1000, 50)) if limit <= most), 250)


def _day(params: Params) -> int:
    if "symbol" in params:
        return 2
    asked = params.get("symbols", "").count(",") + 1 if params.get("symbols") else 101
    return 2 if asked <= 20 else 40 if asked <= 100 else 80


def _one_or_all(one: int, every: int) -> Callable[[Params], int]:
    return lambda params: one if "symbol" in params else every


Weight = int | Callable[[Params], int]
PING, CANDLES, TRADES, ACCOUNT, ORDER, INFO = 1, 2, 25, 20, 4, 20
DEPTH, DAY = _depth, _day
PRICE = _one_or_all(2, 4)
OPEN_ORDERS = _one_or_all(6, 80)


def weight_of(weight: Weight, params: Params) -> int:
    """Return what a request with ``params`` weighs."""
    return weight if isinstance(weight, int) else weight(params)


class Limiter:
    """Counts what one client (one address) asks for. Times are ms of the clock by which clients are judged."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.used = 0
        """Weight of the minute under way."""
        self._orders = dict.fromkeys(_ORDERS, (0, 0))  # which of its spans is under way, and orders in it
        self._minute = 0
        self._beyond = 0
        self._ban_ms = _FIRST_BAN_MS
        self.banned_until = 0

    def ban(self, now: int, ms: int) -> None:
        """Shut the client out for ``ms``."""
        self.banned_until = now + ms

    def take(self, now: int, weight: int, orders: int = 0) -> None:
        """Count a request; raise `Refused` (429 or 418, with seconds to wait under ``retry_after``)."""
        if now < self.banned_until:
            raise self._banned(now)
        if now // MINUTE_MS != self._minute:
            self._minute, self.used, self._beyond = now // MINUTE_MS, 0, 0
        for name, (span_ms, _) in _ORDERS.items():
            number, count = self._orders[name]
            self._orders[name] = now // span_ms, orders + (count if number == now // span_ms else 0)
        self.used += weight
        if self.used > self.limits.weight:
            self._beyond += 1
            if self._beyond > self.limits.patience:
                self.ban(now, self._ban_ms)
                self._ban_ms = min(self._ban_ms * 2, _LONGEST_BAN_MS)
                raise self._banned(now)
            text = f"Too much request weight used; current limit is {self.limits.weight} request weight per 1 MINUTE."
            raise _too_much(-1003, text, 429, MINUTE_MS - now % MINUTE_MS)
        for name, most in (("10S", self.limits.orders), ("1D", self.limits.orders_a_day)):
            if orders and self._orders[name][1] > most:
                span_ms, words = _ORDERS[name]
                text = f"Too many new orders; current limit is {most} orders per {words}."
                raise _too_much(-1015, text, 429, span_ms - now % span_ms)

    def headers(self, *, orders: bool) -> dict[str, str]:
        """Return the headers that tell the client what it has used."""
        found = {"X-MBX-USED-WEIGHT": str(self.used), "X-MBX-USED-WEIGHT-1M": str(self.used)}
        counts = {f"X-MBX-ORDER-COUNT-{name}": str(count) for name, (_, count) in self._orders.items()}
        return found | (counts if orders else {})

    def _banned(self, now: int) -> Refused:
        text = f"Way too much request weight used; IP banned until {self.banned_until}."
        return _too_much(-1003, f"{text} Please use WebSocket Streams for live updates.", 418, self.banned_until - now)


class TooMuch(Refused):
    """A request beyond the limits, with the seconds after which another may be made."""

    retry_after: int = 0


def _too_much(code: int, message: str, status: int, wait_ms: int) -> TooMuch:
    refused = TooMuch(code, message, status)
    refused.retry_after = -(-wait_ms // 1000)
    return refused
