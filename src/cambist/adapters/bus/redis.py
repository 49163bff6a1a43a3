"""`RedisBus`: the bus between processes, on Redis Streams."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable
from typing import Any, TypeVar

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.exceptions import (
    AuthenticationError,
    ClusterDownError,
    MasterDownError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TryAgainError,
)

from cambist.adapters.bus.message import decode, encode
from cambist.domain.errors import BadInput, BusFailed
from cambist.domain.text import say
from cambist.ports.bus import Delivery

_log = logging.getLogger(__name__)
_Answer = TypeVar("_Answer")
_Entries = list[tuple[str, dict[str, str] | None]]

_FIELD = "message"
"""A stream has the topic's name; each of its entries holds the message's JSON in this field."""
_BATCH = 16
"""How many messages are taken in one round trip: few, because those behind a slow one are taken too."""
_SOCKET_S = 5.0
"""How long Redis may take to answer."""
_LONGEST_BLOCK_S = 2.0
"""How long it may hold an answer back until there is something to read: less than that."""
_LONGEST_WAIT_S = 10.0


class RedisBus:
    """The port `Bus` over Redis Streams (Redis 6.2 or later), for one event loop.

    A stream keeps about its newest ``keep`` messages; a group that falls further behind loses the oldest. A publisher
    tries for about two seconds, then raises `BusFailed`; a subscription waits for a Redis that is away for as long as
    it takes, and goes on where it was. What Redis has taken is lost only if Redis loses it: let it keep an AOF.
    """

    def __init__(self, url: str, keep: int = 10_000, redeliver_after_s: float = 30.0) -> None:
        self._keep = keep
        self._redeliver_after_s = redeliver_after_s
        self._joining: set[asyncio.Task[None]] = set()
        self._closed = False
        # A read is not repeated behind our back: what came with the answer that was lost has to be asked for anew.
        self._redis = _client(url, Retry(ExponentialBackoff(cap=0.5, base=0.05), 5))
        self._reading = _client(url, Retry(NoBackoff(), 0))
        self._where = url.rpartition("@")[2].partition("?")[0]

    async def publish(self, topic: str, message: dict[str, Any]) -> None:
        """Send ``message`` to every group of ``topic``; raise `BusFailed` if it could not be handed over.

        Where the connection broke it may have been, so it can come twice.
        """
        text = encode(message)
        if self._joining:  # a group that was named before this message gets it
            await asyncio.wait(self._joining)
        try:
            self._check_open()
            await _cancellable(self._redis.xadd(topic, {_FIELD: text}, maxlen=self._keep, approximate=True))
        except (RedisError, OSError) as error:
            raise self._failed(error) from error

    def subscribe(self, *topics: str, group: str, consumer: str, from_start: bool = False) -> AsyncIterator[Delivery]:
        """Yield what comes on ``topics`` for ``group`` from this call on, or all that is kept if ``from_start``.

        A consumer that comes back gets first what it took and did not acknowledge, so no two that live may have the
        same name in a group. The iterator raises `BusFailed` if Redis refuses.
        """
        start = "0" if from_start else "$"
        return self._deliveries(topics, group, consumer, start, self._join(topics, group, start))

    async def ack(self, group: str, delivery: Delivery) -> None:
        """Say that ``delivery`` has been dealt with by ``group``; raise `BusFailed` if Redis does not hear it."""
        try:
            self._check_open()
            await _cancellable(self._redis.xack(delivery.topic, group, delivery.key))
        except (RedisError, OSError) as error:
            raise self._failed(error) from error

    async def close(self) -> None:
        """Close the connections, and with them every subscription."""
        self._closed = True
        if self._joining:
            await asyncio.wait(self._joining)
        await self._redis.aclose()
        await self._reading.aclose()

    def _join(self, topics: tuple[str, ...], group: str, start: str) -> asyncio.Task[None]:
        """Begin to create ``group`` where it is not there yet: at once, so that it gets what is published next."""
        joining = asyncio.get_running_loop().create_task(_create(self._redis, topics, group, start))
        self._joining.add(joining)
        joining.add_done_callback(self._joined)
        return joining

    def _joined(self, joining: asyncio.Task[None]) -> None:
        self._joining.discard(joining)
        if not joining.cancelled():
            joining.exception()  # who subscribes will see it; if nobody goes on to, it is no news

    async def _deliveries(
        self, topics: tuple[str, ...], group: str, consumer: str, start: str, joining: asyncio.Task[None]
    ) -> AsyncIterator[Delivery]:
        reader = _Reader(self._reading, topics, group, consumer, self._redeliver_after_s)
        failures = 0
        while True:
            try:
                await asyncio.wait({joining})  # awaited itself, it would be cancelled with whoever reads
                joining.result()
                start = "0"  # should Redis come back without the group, all that it has then came after
                batch = await _cancellable(reader.next())
            except (RedisError, OSError) as error:
                if self._closed:  # which is what cut the connection
                    return
                if _refuses(error):
                    raise self._failed(error) from error
                failures += 1
                await self._wait(error, failures)
                reader.begin_again()
                joining = self._join(topics, group, start)
                continue
            failures = 0
            for delivery in batch:
                yield delivery
            if self._closed:
                return

    async def _wait(self, error: Exception, failures: int) -> None:
        seconds = min(_LONGEST_WAIT_S, 0.05 * 2.0 ** min(failures, 10))
        _log.warning("%s", say("bus.away", where=self._where, why=error, seconds=seconds))
        await asyncio.sleep(seconds)

    def _check_open(self) -> None:
        if self._closed:  # the client would connect anew
            raise BusFailed("bus.failed", where=self._where, why="closed")

    def _failed(self, error: Exception) -> BusFailed:
        return BusFailed("bus.failed", where=self._where, why=error)


class _Reader:
    """What one consumer reads: first what it took and never finished, then what others left too long, then new ones."""

    def __init__(
        self, redis: Redis, topics: tuple[str, ...], group: str, consumer: str, redeliver_after_s: float
    ) -> None:
        self._redis = redis
        self._topics = topics
        self._group = group
        self._consumer = consumer
        self._idle_s = redeliver_after_s
        self._block_ms = max(1, int(1000 * min(_LONGEST_BLOCK_S, redeliver_after_s / 2)))
        self.begin_again()

    def begin_again(self) -> None:
        """Read what is unfinished again: an answer that was lost on its way may have held messages."""
        self._unfinished = dict.fromkeys(self._topics, "0")
        """How far it has been read, by topic; a topic is gone from here once that is all."""
        self._claim_at = 0.0

    async def next(self) -> list[Delivery]:
        """Return some messages; none if nothing came for a while."""
        if self._unfinished:
            return await self._finish()
        now = asyncio.get_running_loop().time()
        if now >= self._claim_at:
            claimed = [delivery for topic in self._topics for delivery in await self._claim(topic)]
            if claimed:
                return claimed
            self._claim_at = now + self._idle_s / 2
        streams = await self._read(dict.fromkeys(self._topics, ">"), block=self._block_ms)
        return [delivery for topic, entries in streams.items() for delivery in await self._given(topic, entries)]

    async def _finish(self) -> list[Delivery]:
        streams = await self._read(self._unfinished)
        self._unfinished = {topic: entries[-1][0] for topic, entries in streams.items() if entries}
        return [delivery for topic, entries in streams.items() for delivery in await self._given(topic, entries)]

    async def _read(self, after: dict[str, str], block: int | None = None) -> dict[str, _Entries]:
        streams: dict[Any, Any] = {**after}
        answer: Any = await self._redis.xreadgroup(self._group, self._consumer, streams, _BATCH, block)
        return dict(answer.items() if isinstance(answer, dict) else answer or ())

    async def _claim(self, topic: str) -> list[Delivery]:
        """Take over what another consumer took too long ago."""
        cursor = "0-0"
        while True:
            answer: Any = await self._redis.xautoclaim(
                topic, self._group, self._consumer, int(self._idle_s * 1000), cursor, _BATCH
            )
            cursor, entries = answer[0], answer[1]
            if entries or cursor == "0-0":
                return await self._given(topic, entries)

    async def _given(self, topic: str, entries: _Entries) -> list[Delivery]:
        given = []
        for key, fields in entries:
            if not fields:  # of what was trimmed away while somebody had it, only the key is left
                continue
            try:
                given.append(Delivery(topic, key, decode(fields[_FIELD])))
            except (KeyError, ValueError):  # not one of ours: left where it is, it would stop every consumer in turn
                _log.error("%s", say("bus.unreadable", topic=topic, key=key))
                await self._redis.xack(topic, self._group, key)
        return given


async def _cancellable(call: Awaitable[_Answer]) -> _Answer:
    """Await ``call`` and be cancelled for certain.

    The client waits by `asyncio.wait_for`, which before Python 3.12 forgets that it was cancelled if what it waits for
    ends at the same moment: whoever cancelled would wait for good.
    """
    task = asyncio.current_task()
    before = 0 if task is None else task.cancelling()
    try:
        return await call
    finally:
        if task is not None and task.cancelling() > before:
            raise asyncio.CancelledError


def _client(url: str, retry: Retry) -> Redis:
    try:
        return Redis.from_url(
            url,
            decode_responses=True,
            encoding_errors="replace",  # what is not text is none of ours, and must not break off what we read
            socket_timeout=_SOCKET_S,
            socket_connect_timeout=_SOCKET_S,
            retry=retry,
        )
    except ValueError:
        # the address may hold a password: name no more of it than its beginning
        raise BadInput("BUS_URL", url.partition(":")[0], "bus.url") from None


async def _create(redis: Redis, topics: tuple[str, ...], group: str, start: str) -> None:
    for topic in topics:
        try:
            await redis.xgroup_create(topic, group, id=start, mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):  # it is there already
                raise


_FOR_NOW = (ReadOnlyError, OutOfMemoryError, MasterDownError, ClusterDownError, TryAgainError)
_FOR_NOW_WORDS = ("NOGROUP", "UNBLOCKED", "MISCONF", "NOREPLICAS")
"""Redis is a replica until somebody promotes it, has no room, has lost the group: that passes."""


def _refuses(error: Exception) -> bool:
    """Tell whether Redis said no for good: not that it is away, nor what passes."""
    if isinstance(error, AuthenticationError):
        return True
    passes = isinstance(error, _FOR_NOW) or str(error).startswith(_FOR_NOW_WORDS)
    return isinstance(error, ResponseError) and not passes
