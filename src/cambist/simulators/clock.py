"""The clock of an exchange in a box: the real time, a quicker one, or one that is stepped by hand."""

import time


class Clock:
    """Tells the exchange's time in ms.

    ``speed`` is how many seconds pass there in one of ours; 0 stands still and is moved by `advance`. ``start_ms`` is
    where it begins (default: now).
    """

    def __init__(self, start_ms: int | None = None, speed: float = 1.0) -> None:
        self._base = int(time.time() * 1000) if start_ms is None else start_ms
        self._since = time.monotonic()
        self.speed = speed

    def now_ms(self) -> int:
        """Return the exchange's time."""
        return self._base + int((time.monotonic() - self._since) * 1000 * self.speed)

    def advance(self, ms: int) -> int:
        """Move the clock forward by ``ms`` and return its time."""
        self._base += ms
        return self.now_ms()

    def set(self, ms: int) -> None:
        """Put the clock to ``ms``, backwards too."""
        self._base, self._since = ms, time.monotonic()
