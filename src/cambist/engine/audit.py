"""The audit stream: every journaled event, and what came of it, told on the bus. Screens and chats read only that.

Whoever listens cannot disturb: what is heard is noted and told later, by a task of its own, from a backlog that is
bounded. A bus that is away costs the oldest notes, and never an order.
"""

import asyncio
import logging
from collections import deque
from dataclasses import dataclass, field

from cambist.domain.alert import Alert
from cambist.domain.errors import BusFailed
from cambist.domain.event import AccountEvent
from cambist.domain.text import say
from cambist.engine.account import Outcome
from cambist.engine.following import Follower
from cambist.engine.lane import Lane
from cambist.engine.messages import Message, Note, alert_message, left_message, messages, standing_message
from cambist.engine.standing import standing_of
from cambist.market.backoff import wait_s
from cambist.ports.bus import ALERTS, AUDIT, Bus
from cambist.ports.clock import Clock

_log = logging.getLogger(__name__)

MOST_NOTES = 10_000
_SETTLED_S = 0.01
"""How long after an event it is told: whoever writes messages holds the interpreter, and orders go first."""
_ROUNDS = 20
"""In how many rounds every account is looked at for what no event tells: its venue's stream, others' orders."""
_KNOWN_ALERTS = 1_000


@dataclass(slots=True)
class _Known:
    """One account that was heard of."""

    lane: Lane
    follower: Follower
    told: tuple[bool, tuple[str, ...]] | None = None
    """Whether its venue was ready, and whose orders were found there, when it was told last."""


@dataclass(slots=True)
class _Backlog:
    """What waits to be told, bounded: the oldest goes first, and is counted."""

    most: int
    waiting: deque[Note | Alert] = field(default_factory=deque)
    dropped: int = 0

    def add(self, note: Note | Alert) -> None:
        if len(self.waiting) >= self.most:
            self.waiting.popleft()
            self.dropped += 1
        self.waiting.append(note)


class Audit:
    """Tells ``bus`` what an engine does: give it `heard`, and let `run` run beside it.

    It is also a place for alerts to go (`ports/alerts.py`): those that come of no event are told too, and those that
    it has heard with their event are not told twice. Of an account that was touched, how it stands is told once in
    ``every_s`` (of our time, however fast the market's goes) at most.
    """

    def __init__(self, bus: Bus, clock: Clock, *, every_s: float = 0.25, most: int = MOST_NOTES) -> None:
        self._bus = bus
        self._clock = clock
        self._every_s = every_s
        self._backlog = _Backlog(most)
        self._known: dict[str, _Known] = {}
        self._touched: dict[str, None] = {}
        self._to_look_at: list[str] = []
        self._alerts: dict[str, None] = {}
        self._noted = asyncio.Event()
        self._calm = asyncio.Event()
        self._calm.set()
        self._failing = False
        self._spoilt = False

    @property
    def dropped(self) -> int:
        """Return how many notes were never told: the bus was away for too long."""
        return self._backlog.dropped

    # -- what is heard ------------------------------------------------------------------------------------------------

    def heard(self, lane: Lane, event: AccountEvent, outcome: Outcome) -> None:
        """Note an event that was journaled. Does not block."""
        name = lane.account.spec.id
        known = self._known.get(name)
        if known is None or known.lane is not lane:
            known = self._known[name] = _Known(lane, Follower(lane.account))
        changed, fill = known.follower.take(event, outcome)
        self._note(
            Note(
                spec=lane.account.spec,
                seq=outcome.seq,
                ts=self._clock.now_ms(),
                event=event,
                outcome=outcome,
                changed=tuple(changed),
                fill=fill,
                seats=lane.account.seats,
            )
        )
        self._touched[name] = None

    async def send(self, alert: Alert) -> None:
        """Pass on an alert (`Alerts`); one that was heard already is left out. Never raises."""
        self._note(alert)

    def _note(self, note: Note | Alert) -> None:
        self._calm.clear()
        self._backlog.add(note)
        self._noted.set()

    async def settled(self) -> None:
        """Wait until all that was heard has been told; how accounts stand may still be to come."""
        await self._calm.wait()

    # -- what is told -------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Tell the bus, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._tell_events())
            tasks.create_task(self._tell_standings())

    async def _tell_events(self) -> None:
        backlog = self._backlog.waiting
        while True:
            while backlog:
                for topic, message in self._made(backlog.popleft()):
                    await self._send(topic, message)
            self._calm.set()
            self._noted.clear()
            await self._noted.wait()
            await asyncio.sleep(_SETTLED_S)

    def _made(self, note: Note | Alert | Lane) -> list[tuple[str, Message]]:
        """Return what is told of an event, of an alert, or of how an account stands."""
        try:
            if isinstance(note, Note):
                told = messages(note)
            elif isinstance(note, Alert):
                told = [(ALERTS, alert_message(note))]
            else:
                told = [(AUDIT, standing_message(standing_of(note)))]
        except Exception:  # noqa: BLE001 - what tells of trading must not stop it
            self._spoil()
            return []
        return [(topic, message) for topic, message in told if topic != ALERTS or self._is_new(message)]

    def _is_new(self, message: Message) -> bool:
        if message["id"] in self._alerts:
            return False
        self._alerts[message["id"]] = None
        if len(self._alerts) > _KNOWN_ALERTS:
            del self._alerts[next(iter(self._alerts))]
        return True

    async def _tell_standings(self) -> None:
        while True:
            touched, self._touched = self._touched, {}
            for name in dict.fromkeys((*touched, *self._changed_unheard())):
                await self._tell_standing(self._known[name])
            await asyncio.sleep(self._every_s)

    async def _tell_standing(self, known: _Known) -> None:
        lane = known.lane
        known.told = _unheard(lane)
        if lane.gone:
            del self._known[lane.account.spec.id]
            await self._send(AUDIT, left_message(lane.account.spec, lane.seq))
        for topic, message in () if lane.gone else self._made(lane):
            await self._send(topic, message)

    def _changed_unheard(self) -> list[str]:
        """Return which accounts have changed though no event tells so; every one is looked at in `_ROUNDS` rounds."""
        if not self._to_look_at:
            self._to_look_at = list(self._known)
        count = len(self._known) // _ROUNDS + 1
        now, self._to_look_at = self._to_look_at[:count], self._to_look_at[count:]
        looked = ((name, self._known[name]) for name in now if name in self._known)
        return [name for name, known in looked if known.lane.gone or known.told != _unheard(known.lane)]

    async def _send(self, topic: str, message: Message) -> None:
        """Publish; a bus that fails is tried until it works, while the backlog drops its oldest."""
        tries = 0
        while True:
            try:
                await self._bus.publish(topic, message)
            except BusFailed as error:
                tries += 1
                if not self._failing:
                    self._failing = True
                    _log.warning("%s", say("audit.away", why=error))
                await asyncio.sleep(wait_s(tries, longest_s=5.0, seed=topic))
            except (TypeError, ValueError):  # not JSON: a strategy may wish for what is no number
                self._spoil()
                return
            else:
                if self._failing:
                    self._failing = False
                    _log.warning("%s", say("audit.back", dropped=self.dropped))
                return

    def _spoil(self) -> None:
        """Count what could not be told, and say so once."""
        self._backlog.dropped += 1
        if not self._spoilt:
            self._spoilt = True
            _log.exception("%s", say("audit.unspeakable"))


def _unheard(lane: Lane) -> tuple[bool, tuple[str, ...]]:
    return lane.ready, tuple(report.venue_id or report.client_id for report in lane.foreign)
