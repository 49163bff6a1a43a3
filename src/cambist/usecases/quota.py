"""How often, and how much at once, one person may have work done that is dear."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from cambist.accounts.tallies import OwnTallies
from cambist.domain.errors import TooMany
from cambist.ports.tallies import Tallies

_HOUR_MS = 3_600_000


class Quota:
    """So many pieces of work of one person at once in this process, and an hour. Safe in several threads.

    The hour is counted for this process, or for all that have ``tallies`` in common. ``area`` names the texts that say
    so: ``<area>.too_often`` and ``<area>.too_many_at_once``.
    """

    def __init__(self, area: str, *, at_once: int, per_hour: int, tallies: Tallies | None = None) -> None:
        self._area = area
        self._at_once = at_once
        self._per_hour = per_hour
        self._tallies = OwnTallies() if tallies is None else tallies
        self._running: dict[int, int] = {}
        self._lock = Lock()

    @contextmanager
    def taken(self, user_id: int, now_ms: int) -> Iterator[None]:
        """Take a place for as long as the context lasts; raise `TooMany`, or `BusFailed`. To enter it may block."""
        with self._lock:
            if self._running.get(user_id, 0) >= self._at_once:
                raise TooMany(f"{self._area}.too_many_at_once", most=self._at_once)
            self._running[user_id] = self._running.get(user_id, 0) + 1
        try:
            self._tallies.change(
                [f"begun:{self._area}:{user_id}"], lambda notes: [self._begun(notes, now_ms)], _HOUR_MS
            )
            yield
        finally:
            with self._lock:
                self._running[user_id] -= 1

    def _begun(self, notes: list[Any], now_ms: int) -> list[int]:
        """Return when work was begun this last hour (ms), now among it."""
        begun = [then for then in notes[0] or () if then > now_ms - _HOUR_MS]
        if len(begun) >= self._per_hour:
            wait_s = (begun[0] + _HOUR_MS - now_ms) / 1000
            raise TooMany(f"{self._area}.too_often", wait_s, most=self._per_hour, minutes=int(wait_s // 60) + 1)
        return [*begun, now_ms]
