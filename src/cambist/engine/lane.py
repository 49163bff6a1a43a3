"""One account in the trading loop, and what the parts of the loop ask of it."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from cambist.domain.alert import Level
from cambist.domain.event import AccountEvent
from cambist.domain.report import OrderReport
from cambist.engine.account import Account
from cambist.engine.measures import Measures
from cambist.execution.reconcile import HoldingDiffers
from cambist.ports.venue import Venue


class Busy:
    """Counts what is under way, and lets others wait until it is over."""

    def __init__(self) -> None:
        self._count = 0
        self._over = asyncio.Event()
        self._over.set()
        self._given_up = False

    @property
    def idle(self) -> bool:
        """Whether nothing is under way."""
        return not self._count

    def begin(self) -> None:
        """Note that something has begun."""
        self._count += 1
        if not self._given_up:
            self._over.clear()

    def done(self) -> None:
        """Note that something is over."""
        self._count -= 1
        if not self._count:
            self._over.set()

    def give_up(self) -> None:
        """Let go whoever waits, now and later: what is under way will never be over."""
        self._given_up = True
        self._over.set()

    async def over(self) -> None:
        """Wait until nothing is under way, also not in a moment's time."""
        while True:
            await self._over.wait()
            await asyncio.sleep(0)
            if self._over.is_set():
                return


@dataclass(slots=True)
class Lane:
    """One account in the loop."""

    account: Account
    venue: Venue
    seq: int
    since_ms: int
    """Fills before this were taken in already."""
    resolving: set[str] = field(default_factory=set)
    """Client ids that the venue is being asked about."""
    stood: dict[str, int] = field(default_factory=dict)
    """By client id, how often in a row the venue would not cancel or move an order."""
    looks: int = 0
    """How often book and venue were compared."""
    differing: tuple[HoldingDiffers, ...] = ()
    foreign: tuple[OrderReport, ...] = ()
    snapshot_seq: int = 0
    ready: bool = False
    """Whether the venue's stream is up, and its orders have been asked for since."""
    gone: bool = False
    """Whether the account has left the loop: nothing is sent or journaled for it any more."""
    latest: dict[str, Decimal] = field(default_factory=dict)
    """Per symbol held, the last price that was heard, journaled or not."""
    busy: Busy = field(default_factory=Busy)
    """Its events that wait, and its commands that are on their way."""
    tasks: set[asyncio.Task[None]] = field(default_factory=set)


class Loop(Protocol):
    """What the parts of the trading loop ask of it."""

    measures: Measures

    def tell(self, lane: Lane, event: AccountEvent) -> None:
        """Put an event into the queue."""
        ...

    def now_ms(self) -> int:
        """Return the loop's time (ms)."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for ``seconds`` of the loop's clock."""
        ...

    def start(self, lane: Lane | None, work: Coroutine[Any, Any, None]) -> None:
        """Start ``work``; it ends when ``lane`` leaves the loop, or the loop stops."""
        ...

    def alert(self, lane: Lane, level: Level, key: str, **params: object) -> None:
        """Tell a person of something about an account."""
        ...
