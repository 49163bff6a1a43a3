"""The drill's time: one clock for the exchange and for every engine that lives and dies before it.

It lies in a file that all of them map, so that they agree to the millisecond whoever started when. It runs evenly and
can be put forward while nothing happens: a day of quiet minutes need not be waited for.
"""

import asyncio
import mmap
import time
from pathlib import Path

from cambist.simulators.clock import Clock

_CELLS = 5
_OFFSET, _QUIET, _SEEN, _UP, _WATCHED = range(_CELLS)
_FORSAKEN_MS, _JUST_NOW_MS = 20_000, 50  # of real time
_LOOK_S = 0.005  # how soon a sleeper sees that time was put forward


class SharedClock(Clock):
    """The clock in the file at ``path``, ``speed`` times as fast as ours; with ``start_ms`` it is made, and set there.

    Beside the time it carries three words of the engine to the drill: `quiet`, `seen_ms` and `up_ms`.
    """

    def __init__(self, path: Path, speed: float, start_ms: int | None = None) -> None:
        if start_ms is not None:
            path.write_bytes(bytes(8 * _CELLS))
        self.speed = speed
        self._file = path.open("r+b")
        self._map = mmap.mmap(self._file.fileno(), 8 * _CELLS)
        self._cells = memoryview(self._map).cast("q")  # one write moves one number whole
        if start_ms is not None:
            self.set(start_ms)

    def now_ms(self) -> int:
        """Return the time."""
        return self._cells[_OFFSET] + self._run()

    def advance(self, ms: int) -> int:
        """Put the clock forward by ``ms`` and return its time."""
        self._cells[_OFFSET] += ms
        return self.now_ms()

    def set(self, ms: int) -> None:
        """Put the clock to ``ms``."""
        self._cells[_OFFSET] = ms - self._run()

    async def sleep(self, seconds: float) -> None:
        """Wait for ``seconds`` of this clock's time."""
        due = self.now_ms() + seconds * 1_000
        while (left_ms := due - self.now_ms()) > 0:
            await asyncio.sleep(min(left_ms / 1_000 / self.speed, _LOOK_S))

    @property
    def quiet(self) -> bool:
        """Whether the engine has just said that it waits for nothing but the market."""
        return self._cells[_QUIET] > time.monotonic() * 1_000 - _JUST_NOW_MS

    @quiet.setter
    def quiet(self, quiet: bool) -> None:
        self._cells[_QUIET] = int(time.monotonic() * 1_000) if quiet else 0

    @property
    def seen_ms(self) -> int:
        """The close (ms) of the last candle on which the bot has decided."""
        return self._cells[_SEEN]

    @seen_ms.setter
    def seen_ms(self, ts: int) -> None:
        self._cells[_SEEN] = ts

    @property
    def up_ms(self) -> int:
        """When the engine that lives now first stood before its venue (ms); 0: not yet."""
        return self._cells[_UP]

    @up_ms.setter
    def up_ms(self, ts: int) -> None:
        self._cells[_UP] = ts

    def watched(self) -> None:
        """Say that the drill still looks after its engines."""
        self._cells[_WATCHED] = int(time.monotonic() * 1_000)

    @property
    def forsaken(self) -> bool:
        """Whether the drill has gone: who lives on then would live for ever."""
        return time.monotonic() * 1_000 - self._cells[_WATCHED] > _FORSAKEN_MS

    def close(self) -> None:
        """Give the file back."""
        self._cells.release()
        self._map.close()
        self._file.close()

    def _run(self) -> int:
        return int(time.monotonic() * 1_000 * self.speed)
