"""Rate limits: what each request weighs, and what happens to who asks for too much.

The windows are whole minutes (weight) and ten seconds (orders). Beyond the limit a request is answered 429 with
``Retry-After``; who goes on asking is banned (418), the longer the more often: two minutes up to three days.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cambist.domain.timeframe import MINUTE_MS
from cambist.simulators.binance.refusals import Refused

_FIRST_BAN_MS, _LONGEST_BAN_MS = 2 * MINUTE_MS, 3 * 86_400_000
_ORDERS_WINDOW_MS = 10_000

Params = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be asked: weight per minute, orders per ten seconds, requests under 429 before a ban."""

    weight: int = 6000
    orders: int = 100
    patience: int = 10


def _depth(params: Params) -> int:
    limit = int(params.get("limit") or 100)
    return next(weight for most, weight in ((100, 5), (500, 25), (1000, 50), (10**9, 250)) if limit <= most)


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
        self.orders = 0
        """Orders of the ten seconds under way."""
        self._minute = self._ten_seconds = 0
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
        if now // _ORDERS_WINDOW_MS != self._ten_seconds:
            self._ten_seconds, self.orders = now // _ORDERS_WINDOW_MS, 0
        self.used += weight
        self.orders += orders
        if self.used > self.limits.weight:
            self._beyond += 1
            if self._beyond > self.limits.patience:
                self.ban(now, self._ban_ms)
                self._ban_ms = min(self._ban_ms * 2, _LONGEST_BAN_MS)
                raise self._banned(now)
            text = f"Too much request weight used; current limit is {self.limits.weight} request weight per 1 MINUTE."
            raise _too_much(-1003, text, 429, MINUTE_MS - now % MINUTE_MS)
        if orders and self.orders > self.limits.orders:
            text = f"Too many new orders; current limit is {self.limits.orders} orders per 10 SECOND."
            raise _too_much(-1015, text, 429, _ORDERS_WINDOW_MS - now % _ORDERS_WINDOW_MS)

    def headers(self, *, orders: bool) -> dict[str, str]:
        """Return the headers that tell the client what it has used."""
        found = {"X-MBX-USED-WEIGHT": str(self.used), "X-MBX-USED-WEIGHT-1M": str(self.used)}
        return found | ({"X-MBX-ORDER-COUNT-10S": str(self.orders)} if orders else {})

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
