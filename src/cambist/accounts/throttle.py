"""How often one may try: each failure makes the next try wait longer, by name and by address."""

from collections import OrderedDict
from threading import Lock

from cambist.domain.errors import TooMany

LONGEST_MS = 15 * 60_000
FORGOTTEN_MS = 60 * 60_000
_FREE = {"name": 5, "address": 20}
"""Failures that cost nothing. Many people may share an address."""
_MOST = 50_000
"""Names and addresses that are remembered; the oldest go first."""


class Throttle:
    """Remembers who failed. A try counts as failed until it is told to have succeeded, so tries at once count too."""

    def __init__(self) -> None:
        self._failed: OrderedDict[tuple[str, str], tuple[int, int]] = OrderedDict()
        """By kind and name: how often, and when last."""
        self._lock = Lock()

    def enter(self, name: str, address: str, now_ms: int) -> None:
        """Count a try; raise `TooMany`, which says how long to wait, if it comes too early.

        Names that do not exist are treated like those that do.
        """
        keys = (("name", name), ("address", address))
        with self._lock:
            wait_ms = max(self._wait_ms(key, now_ms) for key in keys)
            if wait_ms > 0:
                seconds = -(-wait_ms // 1000)
                raise TooMany("people.too_many_tries", retry_after_s=float(seconds), seconds=seconds)
            for key in keys:
                self._failed[key] = (self._times(key, now_ms) + 1, now_ms)
                self._failed.move_to_end(key)
            while len(self._failed) > _MOST:
                self._failed.popitem(last=False)

    def succeeded(self, name: str, address: str) -> None:
        """Forget the failures of ``name``, and as many that were counted for ``address``.

        A good sign-in with a second factor is two tries: were one of them to stay, many people who all come in would
        lock their common address.
        """
        with self._lock:
            times, _ = self._failed.pop(("name", name), (1, 0))
            self._take_back(address, times)

    def spared(self, address: str) -> None:
        """Forget a try of ``address`` that was good; it stays counted for its name, which may not do so without end."""
        with self._lock:
            self._take_back(address, 1)

    def _take_back(self, address: str, tries: int) -> None:
        times, last = self._failed.get(("address", address), (0, 0))
        if times > tries:
            self._failed[("address", address)] = (times - tries, last)
        else:
            self._failed.pop(("address", address), None)

    def _times(self, key: tuple[str, str], now_ms: int) -> int:
        times, last = self._failed.get(key, (0, 0))
        return times if now_ms - last < FORGOTTEN_MS else 0

    def _wait_ms(self, key: tuple[str, str], now_ms: int) -> int:
        over = self._times(key, now_ms) - _FREE[key[0]]
        if over < 0:
            return 0
        pause = min(1000 << min(over, 20), LONGEST_MS)
        return self._failed[key][1] + pause - now_ms
