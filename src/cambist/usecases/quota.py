"""How often, and how much at once, one person may have work done that is dear."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from cambist.domain.errors import TooMany

_HOUR_MS = 3_600_000


class Quota:
    """So many pieces of work of one person at once, and an hour, in this process. Safe in several threads.

    ``area`` names the texts that say so: ``<area>.too_often`` and ``<area>.too_many_at_once``.
    """

    def __init__(self, area: str, *, at_once: int, per_hour: int) -> None:
        self._area = area
        self._at_once = at_once
        self._per_hour = per_hour
        self._running: dict[int, int] = {}
        self._begun: dict[int, deque[int]] = {}
        self._lock = Lock()

    @contextmanager
    def taken(self, user_id: int, now_ms: int) -> Iterator[None]:
        """Take a place for as long as the context lasts; raise `TooMany`."""
        with self._lock:
            self._take(user_id, now_ms)
        try:
            yield
        finally:
            with self._lock:
                self._running[user_id] -= 1

    def _take(self, user_id: int, now_ms: int) -> None:
        begun = self._begun.setdefault(user_id, deque())
        while begun and begun[0] <= now_ms - _HOUR_MS:
            begun.popleft()
        if len(begun) >= self._per_hour:
            wait_s = (begun[0] + _HOUR_MS - now_ms) / 1000
            raise TooMany(f"{self._area}.too_often", wait_s, most=self._per_hour, minutes=int(wait_s // 60) + 1)
        if self._running.get(user_id, 0) >= self._at_once:
            raise TooMany(f"{self._area}.too_many_at_once", most=self._at_once)
        begun.append(now_ms)
        self._running[user_id] = self._running.get(user_id, 0) + 1
