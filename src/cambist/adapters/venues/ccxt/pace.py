"""The turn of every request: one queue per exchange, shared by all its bots and users."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from math import ceil

from cambist.adapters.venues.ccxt.errors import retry_after_s
from cambist.adapters.venues.ccxt.quirks import Counts, Quirks, Scope
from cambist.domain.errors import RateLimited, StorageFailed
from cambist.domain.record import record
from cambist.domain.text import say
from cambist.market.budget import Budget, Ticket, Urgency
from cambist.ports.budget import BudgetMemory

_log = logging.getLogger(__name__)

_TOO_MANY = (418, 429)
_UNSTATED_BAN_S = {418: 120.0, 429: 10.0}
_LONGEST_WAIT_S = {
    Urgency.CANCEL: 10.0,
    Urgency.PROTECTIVE: 10.0,
    Urgency.ORDER: 5.0,
    Urgency.ACCOUNT: 60.0,
    Urgency.MARKET: 60.0,
}


@record
class Errand:
    """What a request is for."""

    urgency: Urgency
    orders: int = 0
    """How many orders it places."""


_ERRAND: ContextVar[Errand] = ContextVar("errand")
_LOOKING = Errand(Urgency.MARKET)


@contextmanager
def errand(urgency: Urgency, orders: int = 0) -> Iterator[None]:
    """Say what the requests within are for."""
    token = _ERRAND.set(Errand(urgency, orders))
    try:
        yield
    finally:
        _ERRAND.reset(token)


class Pacer:
    """Lets requests leave when the venue's budget allows, the urgent before the others.

    ``place`` names the budget (exchange, or exchange and testnet; and our address, if we have several). Bans are kept
    in ``memory``, if there is one. ``now_ms`` is the clock by which the venue counts, ``speed`` how fast it runs
    (default: the machine's). Lives in one event loop.
    """

    def __init__(
        self,
        quirks: Quirks,
        place: str,
        memory: BudgetMemory | None = None,
        *,
        now_ms: Callable[[], int] | None = None,
        speed: float = 1.0,
    ) -> None:
        self._quirks = quirks
        self._place = place
        self._memory = memory
        self._budget = Budget()
        self._waiting: dict[Ticket, asyncio.Future[None]] = {}
        self._alarm: asyncio.TimerHandle | None = None
        self._now_ms, self._speed = now_ms or _steady_wall(), speed
        for key, until_ms in (memory.bans() if memory else {}).items():
            if key.split("|")[0] == place:
                self._budget.ban(key, until_ms)

    @asynccontextmanager
    async def turn(self, cost: float, user: str) -> AsyncIterator[None]:
        """Hold the ``with`` block until a request of ccxt's ``cost`` may leave on behalf of ``user`` (a key's name).

        Raises `RateLimited` if that would take too long: then nothing has left.
        """
        what = _ERRAND.get(_LOOKING)
        ticket = self._ticket(what, cost, user)
        now_ms = self._now_ms()
        patience_s = _LONGEST_WAIT_S[what.urgency]
        banned_ms = self._budget.banned_until(ticket.keys, now_ms)
        if banned_ms is not None and banned_ms - now_ms > patience_s * 1000:
            raise self._refusal((banned_ms - now_ms) / 1000)
        await self._wait(ticket, patience_s)
        try:
            yield
        finally:
            self._budget.done(ticket)
            self._pump()

    def answered(self, status: int, headers: Mapping[str, str], user: str) -> None:
        """Take from an answer what it tells of the budget; 418 and 429 are a ban for all who share it."""
        told = {name.lower(): value for name, value in headers.items()}
        now_ms = self._now_ms()
        for pace in self._quirks.paces:
            key, capacity = self._key(pace.name, pace.scope, user), pace.limit.capacity
            self._budget.open(key, pace.limit)
            used = _whole(told.get(pace.used_header.lower()))
            left = _whole(told.get(pace.left_header.lower()))
            if used is not None:
                self._budget.learn(key, used, now_ms)
            elif left == 0:
                self._budget.learn(key, capacity, now_ms)
        if status in _TOO_MANY:
            asked = retry_after_s(told.get("retry-after"))
            self.ban(now_ms + ceil((_UNSTATED_BAN_S[status] if asked is None else asked) * 1000), user)

    def ban(self, until_ms: int, user: str) -> None:
        """Let nothing leave before ``until_ms`` that is counted with what was refused, now or after a restart."""
        scope = self._quirks.paces[0].scope
        key = self._key("ban", scope, user)
        self._budget.ban(key, until_ms)
        _log.warning("%s", say("venue.ban_begun", venue=self._place, seconds=round((until_ms - self._now_ms()) / 1000)))
        if self._memory is not None:
            with self._forgiving():
                self._memory.ban(key, until_ms)
        self._pump()

    async def _wait(self, ticket: Ticket, patience_s: float) -> None:
        turn = self._waiting[ticket] = asyncio.get_running_loop().create_future()
        self._budget.ask(ticket)
        self._pump()
        try:
            async with asyncio.timeout(patience_s):
                await turn
        except BaseException as error:
            if self._waiting.pop(ticket, None) is not None:
                self._budget.withdraw(ticket)
            else:  # its turn came in the very moment in which the caller went away
                self._budget.done(ticket)
                self._pump()
            if isinstance(error, TimeoutError):
                raise self._refusal(None) from None
            raise

    def _pump(self) -> None:
        now_ms = self._now_ms()
        for ticket in self._budget.take(now_ms):
            self._waiting.pop(ticket).set_result(None)
        for key in self._budget.lifted(now_ms):
            if self._memory is not None:
                with self._forgiving():
                    self._memory.lift(key)
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        next_ms = self._budget.next_ms(now_ms)
        if next_ms is not None:
            self._alarm = asyncio.get_running_loop().call_later(
                max(1, next_ms - now_ms) / 1000 / self._speed, self._pump
            )

    @contextmanager
    def _forgiving(self) -> Iterator[None]:
        try:
            yield
        except StorageFailed as error:  # the ban holds while we live: an answer must not be lost over it
            _log.warning("%s", error)

    def _ticket(self, what: Errand, cost: float, user: str) -> Ticket:
        costs = {self._key("ban", scope, user): 0 for scope in Scope}
        for pace in self._quirks.paces:
            key = self._key(pace.name, pace.scope, user)
            self._budget.open(key, pace.limit)
            costs[key] = {
                Counts.COST: ceil(float(pace.per_cost) * cost),
                Counts.ORDERS: what.orders,
                Counts.FLIGHTS: 1,
            }[pace.counts]
        return Ticket(what.urgency, costs)

    def _key(self, name: str, scope: Scope, user: str) -> str:
        return f"{self._place}|{name}" if scope is Scope.ADDRESS else f"{self._place}|{name}|{user}"

    def _refusal(self, wait_s: float | None) -> RateLimited:
        return RateLimited("venue.budget_spent", wait_s, venue=self._place)


def _steady_wall() -> Callable[[], int]:
    """Return wall time, in which bans are, that goes on steadily: a clock set back must not give a minute twice."""
    began = time.time() * 1000 - time.monotonic() * 1000
    return lambda: int(began + time.monotonic() * 1000)


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdigit() else None
