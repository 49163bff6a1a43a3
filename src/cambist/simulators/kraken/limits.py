"""Rate limits: counters that rise with each request and sink with time, and what they refuse.

Each key has a counter of calls; orders have one of their own for each account and pair. A cancel raises the latter by
the more the younger the order was, and is itself never refused.
"""

from dataclasses import dataclass

from cambist.simulators.kraken.refusals import (
    CALLS_EXCEEDED,
    LOCKED_OUT,
    ORDERS_EXCEEDED,
    TRADING_EXCEEDED,
    Refused,
)

_BY_AGE_S = {
    "cancel": ((5, 8), (10, 6), (15, 5), (45, 4), (90, 2), (300, 1)),
    "amend": ((5, 3), (10, 2), (15, 1)),
}
"""What a transaction on an order younger than so many seconds adds."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be asked: the highest counters, what they lose a second, and open orders per pair.

    By default those of the smallest accounts (Starter).
    """

    calls: float = 15
    calls_per_s: float = 0.33
    trading: float = 60
    trading_per_s: float = 1.0
    open_orders: int = 60


@dataclass(slots=True)
class _Counter:
    value: float = 0.0
    ts: int = 0

    def at(self, now: int, per_s: float) -> float:
        """Return the value, and keep it, as it is at ``now`` (ms)."""
        self.value = max(0.0, self.value - max(0, now - self.ts) / 1000 * per_s)
        self.ts = max(self.ts, now)
        return self.value


class Limiter:
    """Counts what customers ask for. Times are ms of the clock by which they are judged."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._calls: dict[str, _Counter] = {}
        self._trading: dict[tuple[str, str], _Counter] = {}
        self._locked_until = 0

    def lock_out(self, now: int, ms: int) -> None:
        """Refuse everything for ``ms``."""
        self._locked_until = now + ms

    def admit(self, now: int) -> None:
        """Raise `Refused` while clients are locked out."""
        if now < self._locked_until:
            raise Refused(LOCKED_OUT)

    def call(self, now: int, key: str, points: int) -> None:
        """Count a call of ``key``; raise `Refused` if it is one too many."""
        counter = self._calls.setdefault(key, _Counter())
        if points and counter.at(now, self.limits.calls_per_s) + points > self.limits.calls:
            raise Refused(CALLS_EXCEEDED)
        counter.value += points

    def order(self, now: int, account: str, symbol: str, waiting: int) -> None:
        """Count a new order, with ``waiting`` open ones on the pair; raise `Refused` if it is one too many."""
        counter = self._trading.setdefault((account, symbol), _Counter())
        if counter.at(now, self.limits.trading_per_s) + 1 > self.limits.trading:
            raise Refused(TRADING_EXCEEDED)
        counter.value += 1
        if waiting >= self.limits.open_orders:
            raise Refused(ORDERS_EXCEEDED)

    def amend(self, now: int, account: str, symbol: str, age_ms: int) -> None:
        """Count a change of an order of that age; raise `Refused` if it is one too many."""
        self.order(now, account, symbol, 0)
        self._trading[account, symbol].value += _by_age("amend", age_ms)

    def cancel(self, now: int, account: str, symbol: str, age_ms: int) -> None:
        """Count a cancel of an order of that age."""
        counter = self._trading.setdefault((account, symbol), _Counter())
        counter.at(now, self.limits.trading_per_s)
        counter.value += _by_age("cancel", age_ms)


def _by_age(what: str, age_ms: int) -> int:
    return next((points for younger, points in _BY_AGE_S[what] if age_ms < younger * 1000), 0)
