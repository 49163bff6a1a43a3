"""The hub: hears the bus once, and tells every client what it wants and may know.

What is somebody's own goes to that person's clients and nobody else's, whatever rights others have. It is numbered per
person and topic, and kept for a while, so that whoever comes back is told what was missed.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from secrets import token_hex
from typing import Any

from cambist.apps.api.stream.client import Client
from cambist.apps.api.stream.standings import gone, positions, standing_data
from cambist.apps.api.stream.topics import KEPT, OF_BUS, PRIVATE, STATES, Event, Topic, Wanted
from cambist.apps.api.stream.words import both_languages
from cambist.domain.errors import BusFailed
from cambist.domain.standing import AccountStanding
from cambist.domain.wire import codec
from cambist.ports.bus import AUDIT, Bus, Delivery
from cambist.ports.metrics import Metrics, Unmeasured

_log = logging.getLogger(__name__)

KEEP = 1_000
"""Events of one person and topic that are kept for who comes back."""
KEEP_S = 900.0
_KNOWN = 20_000
"""Ids that are remembered: the bus may hand the same message over twice."""
_RETRY_S = 1.0
_FIGURES = "offer"
"""What the engine is asked for each time that an order's figures are shown: whoever asks is answered at once, and
nobody else needs to hear of it."""

Standings = Callable[[int, Collection[str]], Sequence[AccountStanding]]
"""Gives how a person's accounts stand by their journals, but for those named; blocks."""


class _Told:
    """What one person has been told of one topic."""

    __slots__ = ("events", "last")

    def __init__(self) -> None:
        self.last = 0
        self.events: deque[Event] = deque(maxlen=KEEP)

    def after(self, seq: int) -> tuple[int | None, list[Event]]:
        """Return what is kept of the events after ``seq``, and the number of the first, None if all of them are."""
        first = self.last - len(self.events) + 1
        return (first if seq + 1 < first else None), [event for event in self.events if event.seq and event.seq > seq]


class Hub:
    """Fans the bus out. Let `run` run; all else is called in the same event loop and does not block."""

    def __init__(self, bus: Bus, standings: Standings, metrics: Metrics | None = None) -> None:
        self.stream = token_hex(8)
        """The name of this hub's numbering: another hub counts anew."""
        self._bus = bus
        self._standings = standings
        self._metrics = metrics or Unmeasured()
        self._clients: dict[Topic, set[Client]] = {topic: set() for topic in Topic}
        """Of a private topic, those of everybody; by owner in `_of_user`."""
        self._of_user: dict[int, set[Client]] = {}
        self._told: dict[tuple[int, Topic], _Told] = {}
        self._counts: dict[Topic, int] = dict.fromkeys(Topic, 0)
        self._heard: dict[int, dict[str, AccountStanding]] = {}
        """How accounts stand, by owner: those that an engine tells of."""
        self._known: dict[tuple[str, str], None] = {}

    # -- clients ------------------------------------------------------------------------------------------------------

    @property
    def clients(self) -> int:
        """Return how many clients there are."""
        return sum(map(len, self._of_user.values()))

    def of_user(self, user_id: int) -> Collection[Client]:
        """Return the clients of one person."""
        return self._of_user.get(user_id, ())

    def join(self, client: Client) -> None:
        """Add ``client``, which listens to nothing yet."""
        self._of_user.setdefault(client.user_id, set()).add(client)
        self._metrics.gauge("stream_clients", self.clients)

    def leave(self, client: Client) -> None:
        """Remove ``client``."""
        for topic in client.wanted:
            self._clients[topic].discard(client)
        client.wanted.clear()
        own = self._of_user.get(client.user_id, set())
        own.discard(client)
        if not own:
            self._of_user.pop(client.user_id, None)
        self._metrics.gauge("stream_clients", self.clients)

    def seqs(self, user_id: int) -> dict[Topic, int]:
        """Return the number of the newest event of each topic that is numbered for ``user_id``."""
        return {topic: self._seq(user_id, topic) for topic in Topic if topic in PRIVATE}

    def resume(self, client: Client, stream: str, seqs: dict[Topic, int]) -> bool:
        """Let ``client`` go on after what it has seen, topic by topic as it subscribes; return whether it is known."""
        known = stream == self.stream
        client.resume = {topic: (known, seq) for topic, seq in seqs.items() if topic in KEPT}
        return known

    async def subscribe(self, client: Client, topics: Iterable[Topic], wanted: Wanted) -> None:
        """Tell ``client`` of ``topics`` from here on: first how things stand, and what it has missed."""
        chosen = tuple(dict.fromkeys(topics))
        states = await self._snapshot(client.user_id) if STATES.intersection(chosen) else []
        if client.ending is not None or client not in self._of_user.get(client.user_id, ()):
            return
        for topic in chosen:  # from here to the end nothing else has its turn: nothing is missed or told twice
            client.wanted[topic] = wanted
            self._clients[topic].add(client)
            if topic in STATES:
                of = positions if topic is Topic.POSITIONS else standing_data
                seq = self._seq(client.user_id, topic)
                client.say(type="snapshot", topic=topic, seq=seq, data=[of(one) for one in states])
        self._replay(client, chosen)

    def unsubscribe(self, client: Client, topics: Iterable[Topic]) -> None:
        """Tell ``client`` nothing more of ``topics``."""
        for topic in topics:
            client.wanted.pop(topic, None)
            client.forget(topic)
            self._clients[topic].discard(client)

    def forget_old(self) -> None:
        """Let go of what is kept for too long; whoever missed that is told so."""
        before_s = asyncio.get_running_loop().time() - KEEP_S
        for told in self._told.values():
            while told.events and told.events[0].at_s < before_s:
                told.events.popleft()

    def _replay(self, client: Client, topics: Iterable[Topic]) -> None:
        for topic in topics:
            if topic not in client.resume:
                continue
            known, seen = client.resume.pop(topic)
            told = self._told.get((client.user_id, topic)) or _Told()
            if not known or seen > told.last:  # numbers of another hub
                client.say(type="gap", topic=topic, **{"from": 0, "to": told.last})
                continue
            first, missed = told.after(seen)
            if first is not None:
                client.say(type="gap", topic=topic, **{"from": seen + 1, "to": first - 1})
            for event in missed:
                client.tell(event)

    async def _snapshot(self, user_id: int) -> list[AccountStanding]:
        """Return how all accounts of a person stand: as was heard last, else by their journals."""
        read = await asyncio.to_thread(self._standings, user_id, frozenset(self._heard.get(user_id, ())))
        known = {one.id: one for one in read} | self._heard.get(user_id, {})
        return [known[name] for name in sorted(known)]

    # -- the bus ------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Hear the bus until cancelled; one that is away is tried again."""
        group = f"api-{self.stream}"  # of its own: every hub hears everything
        topics = (*OF_BUS, AUDIT)
        while True:
            try:
                async for delivery in self._bus.subscribe(*topics, group=group, consumer="hub"):
                    self.hear(delivery)
                    with suppress(BusFailed):  # it comes again then, and is known by its id
                        await self._bus.ack(group, delivery)
            except BusFailed as error:
                _log.warning("%s", error)
            await asyncio.sleep(_RETRY_S)

    def hear(self, delivery: Delivery) -> None:
        """Tell all whom it concerns of one message. What cannot be read is logged, and told to nobody."""
        try:
            if self._is_new(delivery):
                self._hear(delivery.topic, delivery.message)
        except Exception:  # noqa: BLE001 - one bad message must not cut everybody off
            _log.exception("a message on %s cannot be read", delivery.topic)

    def _hear(self, name: str, message: dict[str, Any]) -> None:
        user_id = message.get("user_id")
        if name == AUDIT:
            if message.get("kind") in ("standing", "left") and isinstance(user_id, int):
                self._stands(user_id, message)
            return
        topic = OF_BUS[name]
        if topic is Topic.REQUESTS and message.get("action") == _FIGURES:
            return
        if topic in PRIVATE:
            if isinstance(user_id, int):  # what is nobody's is told to nobody
                if topic is Topic.ALERTS:
                    message |= {"text": both_languages(message)}
                self._tell_owner(user_id, topic, message)
        elif user_id is None:
            self._tell_all(topic, message)
        else:
            self._deliver(self._own(user_id, topic), self._event(topic, None, message))

    def _stands(self, user_id: int, message: dict[str, Any]) -> None:
        account, heard = message["account"], self._heard.setdefault(user_id, {})
        if message["kind"] == "left":
            if heard.pop(account, None) is not None:
                self._tell_owner(user_id, Topic.BOTS, {"id": message["id"], "account": account} | gone())
            return
        standing: AccountStanding = codec(AccountStanding)[1](message["standing"])
        before = heard.get(account)
        if before is not None and (standing.seq, standing.ts) < (before.seq, before.ts):
            return  # handed over again, after a newer one
        heard[account] = standing
        self._tell_owner(user_id, Topic.BOTS, {"id": message["id"], **standing_data(standing)})
        now = positions(standing)
        if before is None or _held(now) != _held(positions(before)):
            self._tell_owner(user_id, Topic.POSITIONS, {"id": message["id"], **now})

    def _tell_owner(self, user_id: int, topic: Topic, data: dict[str, Any]) -> None:
        told = self._told.setdefault((user_id, topic), _Told())
        told.last += 1
        event = self._event(topic, told.last, data)
        if topic in KEPT:
            told.events.append(event)
        self._deliver(self._own(user_id, topic), event)

    def _tell_all(self, topic: Topic, data: dict[str, Any]) -> None:
        self._counts[topic] += 1
        self._deliver(self._clients[topic], self._event(topic, self._counts[topic], data))

    def _deliver(self, to: Collection[Client], event: Event) -> None:
        left_out = sum(not client.tell(event) for client in to)
        if left_out:
            self._metrics.count("stream_dropped_total", left_out, topic=event.topic)

    def _own(self, user_id: int, topic: Topic) -> list[Client]:
        return [client for client in self._of_user.get(user_id, ()) if topic in client.wanted]

    def _event(self, topic: Topic, seq: int | None, data: dict[str, Any]) -> Event:
        return Event(topic, seq, data, asyncio.get_running_loop().time())

    def _seq(self, user_id: int, topic: Topic) -> int:
        told = self._told.get((user_id, topic))
        return 0 if told is None else told.last

    def _is_new(self, delivery: Delivery) -> bool:
        """Tell whether a message comes for the first time, and remember it."""
        name = delivery.topic, str(delivery.message.get("id") or delivery.key)
        if name in self._known:
            return False
        self._known[name] = None
        if len(self._known) > _KNOWN:
            del self._known[next(iter(self._known))]
        return True


def _held(told: dict[str, Any]) -> list[dict[str, Any]]:
    """Return positions without what the market alone changes."""
    return [{name: value for name, value in one.items() if name not in ("price", "unrealised")} for one in told["held"]]
