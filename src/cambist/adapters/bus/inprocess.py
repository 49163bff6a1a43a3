"""`InProcessBus`: the bus of one process, in memory."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

from cambist.adapters.bus.message import decode, encode
from cambist.domain.errors import BusFailed
from cambist.domain.text import say
from cambist.ports.bus import Delivery

_log = logging.getLogger(__name__)


class InProcessBus:
    """The port `Bus` within one process and one event loop: nothing outlives it.

    A topic keeps its newest ``keep`` messages. Nobody holds up a publisher: a group that falls further behind than
    that loses the oldest (it is logged), as it would on a Redis stream of that length; what must not be lost is in the
    journal. Messages are JSON text inside, so a consumer gets one of its own, and nothing that Redis would not take.
    """

    def __init__(self, keep: int = 10_000, redeliver_after_s: float = 30.0) -> None:
        self._keep = keep
        self._redeliver_after_s = redeliver_after_s
        self._topics: dict[str, _Topic] = {}
        self._closed = False

    async def publish(self, topic: str, message: dict[str, Any]) -> None:
        """Send ``message`` to every group of ``topic``; raise `BusFailed` once the bus is closed."""
        if self._closed:
            raise BusFailed("bus.failed", where="in process", why="closed")
        self._topic(topic).add(encode(message))
        await asyncio.sleep(0)  # a publisher in a loop lets its consumers have their turn

    def subscribe(self, *topics: str, group: str, consumer: str, from_start: bool = False) -> AsyncIterator[Delivery]:
        """Yield what comes on ``topics`` for ``group`` from this call on, or all that is kept if ``from_start``.

        A consumer that comes back gets first what it took and did not acknowledge.
        """
        groups = [self._topic(topic).group(group, from_start) for topic in topics]
        for one in groups:
            one.take_back(consumer)
        return self._deliveries(groups, consumer)

    async def ack(self, group: str, delivery: Delivery) -> None:
        """Say that ``delivery`` has been dealt with by ``group``."""
        topic = self._topic(delivery.topic)
        if group in topic.groups:
            topic.groups[group].taken.pop(int(delivery.key), None)

    async def close(self) -> None:
        """End every subscription."""
        self._closed = True
        for topic in self._topics.values():
            topic.wake()

    async def _deliveries(self, groups: list["_Group"], consumer: str) -> AsyncIterator[Delivery]:
        woken = asyncio.Event()
        for group in groups:
            group.topic.listeners.append(woken)
        try:
            while not self._closed:
                woken.clear()
                # a round takes one of each topic, so a busy one does not starve the others
                round_of = [group.take(consumer, self._redeliver_after_s) for group in groups]
                if not any(round_of):
                    await self._something(groups, woken)
                for delivery in filter(None, round_of):
                    yield delivery
                    await asyncio.sleep(0)  # who works off a backlog lets others have their turn
        finally:
            for group in groups:
                group.topic.listeners.remove(woken)

    async def _something(self, groups: list["_Group"], woken: asyncio.Event) -> None:
        """Wait until something is published, or is due to be handed on."""
        oldest = [next(iter(group.taken.values()))[1] for group in groups if group.taken]
        wait = min(oldest) + self._redeliver_after_s - _now() if oldest else None
        try:
            async with asyncio.timeout(wait):
                await woken.wait()
        except TimeoutError:
            return

    def _topic(self, name: str) -> "_Topic":
        topic = self._topics.get(name)
        if topic is None:
            topic = self._topics[name] = _Topic(name, self._keep)
        return topic


class _Topic:
    """The newest messages of one topic, numbered from 1 without gaps, and the groups that read them."""

    def __init__(self, name: str, keep: int) -> None:
        self.name = name
        self.keep = keep
        self.texts: dict[int, str] = {}
        self.last = 0
        self.groups: dict[str, _Group] = {}
        self.listeners: list[asyncio.Event] = []

    @property
    def first(self) -> int:
        """The number of the oldest message that is kept."""
        return max(1, self.last - self.keep + 1)

    def add(self, text: str) -> None:
        self.last += 1
        self.texts[self.last] = text
        forgotten = self.last - self.keep
        if forgotten > 0:
            del self.texts[forgotten]
            for group in self.groups.values():
                group.taken.pop(forgotten, None)
        self.wake()

    def wake(self) -> None:
        for listener in self.listeners:
            listener.set()

    def group(self, name: str, from_start: bool) -> "_Group":
        if name not in self.groups:
            self.groups[name] = _Group(self, name, self.first if from_start else self.last + 1)
        return self.groups[name]


class _Group:
    """What one group has taken of one topic."""

    def __init__(self, topic: _Topic, name: str, following: int) -> None:
        self.topic = topic
        self.name = name
        self.following = following
        """The number of the message that nobody of the group has taken yet."""
        self.taken: dict[int, tuple[str, float]] = {}
        """What was not acknowledged: number to (consumer, when it was handed over), the oldest first."""

    def take(self, consumer: str, redeliver_after_s: float) -> Delivery | None:
        """Return what is next for ``consumer``: what is due again, else what is new, else None."""
        number = self._due(redeliver_after_s)
        if number is None:
            if self.following < self.topic.first:
                self._lose(self.topic.first - self.following)
            if self.following > self.topic.last:
                return None
            number = self.following
            self.following += 1
        self.taken[number] = (consumer, _now())
        return Delivery(self.topic.name, str(number), decode(self.topic.texts[number]))

    def take_back(self, consumer: str) -> None:
        """Make what ``consumer`` took and never acknowledged due at once, in order."""
        returned = sorted(number for number, (taker, _) in self.taken.items() if taker == consumer)
        rest = {number: taken for number, taken in self.taken.items() if taken[0] != consumer}
        self.taken = {number: (consumer, float("-inf")) for number in returned} | rest

    def _due(self, redeliver_after_s: float) -> int | None:
        for number, (_, handed) in self.taken.items():
            if handed + redeliver_after_s > _now():
                return None
            del self.taken[number]
            return number
        return None

    def _lose(self, count: int) -> None:
        _log.warning("%s", say("bus.lagging", group=self.name, topic=self.topic.name, lost=count))
        self.following += count


def _now() -> float:
    return asyncio.get_running_loop().time()
