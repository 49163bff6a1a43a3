"""One client: what it listens to, and what waits to be sent to it."""

import asyncio
from collections import deque
from collections.abc import Callable

from cambist.apps.api.stream.topics import KEPT, Event, Topic, Wanted, written
from cambist.domain.record import record

MOST_KEPT = 10_000
"""Events that must not be lost and wait for one client; with one more it is cut off, and resumes when it can."""
MOST_LOSSY = 500
"""Raw messages and the like that wait for one client."""

TOO_SLOW = 4410


@record
class Ending:
    """Why a connection is closed: the code, and the text key of the reason."""

    code: int
    key: str


class Client:
    """What one connection has subscribed to, and its queue, which is bounded.

    What is its owner's own goes first and is never left out. Of candles, heartbeats and ticks the newest of each market
    waits, of how a bot stands the newest, of all else so many; what was left out is told as a gap. Order holds within
    each topic. While nothing waits, events go to ``write`` and past the queue, as long as it takes them.
    """

    def __init__(
        self,
        user_id: int,
        *,
        most_kept: int = MOST_KEPT,
        most_lossy: int = MOST_LOSSY,
        write: Callable[[bytes], bool] | None = None,
    ) -> None:
        self.user_id = user_id
        self.wanted: dict[Topic, Wanted] = {}
        self.resume: dict[Topic, tuple[bool, int]] = {}
        """Per topic whether this hub has counted it, and the last number that the client has seen."""
        self.ending: Ending | None = None
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when there is an ending: a client that takes nothing more is stuck in what it is being sent."""
        self.left_out = 0
        self._most_kept, self._most_lossy = most_kept, most_lossy
        self._write = write
        self._sending = False
        """Whether something was taken that may not have gone out yet."""
        self._kept: deque[Event | str] = deque()
        self._newest: dict[tuple[object, ...], Event] = {}
        self._lossy: deque[Event] = deque()
        self._lost: dict[Topic, tuple[int, int]] = {}
        self._woken = asyncio.Event()

    # -- in -----------------------------------------------------------------------------------------------------------

    def tell(self, event: Event) -> bool:
        """Queue ``event`` if it is wanted; return False if another had to be left out for it."""
        wanted = self.wanted.get(event.topic)
        if wanted is None or self.ending is not None or not wanted.admits(event):
            return True
        if self._write is not None and not (self._sending or self._waits()) and self._write(event.frame):
            return True
        self._woken.set()
        if event.key is not None:
            older = self._newest.pop(event.key, None)
            self._newest[event.key] = event
            return older is None or self._lose(older)
        if event.topic in KEPT or event.topic is Topic.POSITIONS:
            self._keep(event)
            return True
        self._lossy.append(event)
        return len(self._lossy) <= self._most_lossy or self._lose(self._lossy.popleft())

    def say(self, **message: object) -> None:
        """Queue a message of the server."""
        if self.ending is None:
            self._keep(written(message))
            self._woken.set()

    def end(self, code: int, key: str) -> None:
        """Have the connection closed; what waits is not sent any more."""
        if self.ending is None:
            self.ending = Ending(code, key)
            self.ended.set_result(None)
            for waiting in (self._kept, self._newest, self._lossy):
                waiting.clear()
            self._woken.set()

    def forget(self, topic: Topic) -> None:
        """Drop what waits of a topic that is not wanted any more."""
        self._newest = {key: event for key, event in self._newest.items() if event.topic is not topic}
        self._lossy = deque(event for event in self._lossy if event.topic is not topic)
        self._lost.pop(topic, None)

    def _keep(self, one: Event | str) -> None:
        self._kept.append(one)
        if len(self._kept) > self._most_kept:
            self.end(TOO_SLOW, "stream.too_slow")

    def _lose(self, event: Event) -> bool:
        self.left_out += 1
        if event.told_if_lost and event.seq is not None:
            first, last = self._lost.get(event.topic, (event.seq, event.seq))
            self._lost[event.topic] = min(first, event.seq), max(last, event.seq)
        return False

    # -- out ----------------------------------------------------------------------------------------------------------

    def take(self) -> str | None:
        """Return what is to be sent next, once what was taken before has gone out; None if nothing is."""
        self._sending = self._waits()
        if self._kept:
            one = self._kept.popleft()
            return one if isinstance(one, str) else one.text
        if self._lost:
            topic, (first, last) = self._lost.popitem()
            return written({"type": "gap", "topic": topic, "from": first, "to": last})
        if self._newest:
            return self._newest.pop(next(iter(self._newest))).text
        return self._lossy.popleft().text if self._lossy else None

    async def something(self) -> None:
        """Wait until there is something to send, or to end for."""
        while not (self._waits() or self.ending):
            self._woken.clear()
            await self._woken.wait()

    def _waits(self) -> bool:
        return bool(self._kept or self._newest or self._lossy or self._lost)
