"""Clocks: the real one, one that runs faster, and one that is moved by hand."""

import asyncio
import time
from heapq import heappop, heappush
from itertools import count


class SystemClock:
    """This machine's time."""

    def now_ms(self) -> int:
        """Return the time (ms since the epoch, UTC)."""
        return time.time_ns() // 1_000_000

    async def sleep(self, seconds: float) -> None:
        """Wait for ``seconds``."""
        await asyncio.sleep(seconds)


class AcceleratedClock:
    """A clock that shows ``start_ms`` when it is made and goes ``speed`` times as fast as the real one."""

    def __init__(self, speed: float, start_ms: int) -> None:
        self._speed = speed
        self._start_ms = start_ms
        self._made = time.monotonic()

    def now_ms(self) -> int:
        """Return the time of this clock (ms since the epoch, UTC)."""
        return self._start_ms + int((time.monotonic() - self._made) * self._speed * 1_000)

    async def sleep(self, seconds: float) -> None:
        """Wait for ``seconds`` of this clock's time."""
        await asyncio.sleep(seconds / self._speed)


class SteppedClock:
    """A clock that stands still until it is moved: for runs in lockstep, which come out the same every time."""

    def __init__(self, start_ms: int) -> None:
        self._now_ms = start_ms
        self._sleepers: list[tuple[int, int, asyncio.Event]] = []
        self._order = count()

    def now_ms(self) -> int:
        """Return the time to which the clock was moved (ms since the epoch, UTC)."""
        return self._now_ms

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock has been moved on by ``seconds``."""
        due = self._now_ms + round(seconds * 1_000)
        if due <= self._now_ms:
            await asyncio.sleep(0)
            return
        woken = asyncio.Event()
        heappush(self._sleepers, (due, next(self._order), woken))
        await woken.wait()

    async def move_to(self, ts: int) -> None:
        """Move on to ``ts`` (ms), stopping at each moment at which somebody wakes; never back."""
        while self._sleepers and self._sleepers[0][0] <= ts:
            self._now_ms = max(self._now_ms, self._sleepers[0][0])
            while self._sleepers and self._sleepers[0][0] <= self._now_ms:
                heappop(self._sleepers)[2].set()
            await asyncio.sleep(0)  # once for the event, once for who waits for it
            await asyncio.sleep(0)
        self._now_ms = max(self._now_ms, ts)
