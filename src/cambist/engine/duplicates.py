"""Signals that come twice, from two heartbeats: the first wins. Pure."""

from collections import OrderedDict

from cambist.domain.signal import Signal


class Deduplicator:
    """Lets each signal through once, whoever brings it first, and watches over the primary source.

    It remembers the last ``remember`` ids. ``silent_ms``: how long the primary may owe us a signal. It owes one when
    another source has told of a close that it has not, or when none has come ``beat_ms`` after its last: heartbeats
    tell of every minute.
    """

    def __init__(
        self,
        now_ms: int,
        *,
        primary: str = "primary",
        silent_ms: int = 30_000,
        beat_ms: int = 60_000,
        remember: int = 100_000,
    ) -> None:
        self.primary = primary
        self._silent_ms, self._beat_ms, self._remember = silent_ms, beat_ms, remember
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._due_ms = now_ms + beat_ms

    def first(self, signal: Signal, now_ms: int) -> bool:
        """Tell whether ``signal``, received at ``now_ms``, is new; its copies are not."""
        new = signal.id not in self._seen
        if signal.source == self.primary:
            self._due_ms = now_ms + self._beat_ms
        elif new:
            self._due_ms = min(self._due_ms, now_ms)
        if new:
            self._seen[signal.id] = None
            if len(self._seen) > self._remember:
                self._seen.popitem(last=False)
        return new

    def primary_silent(self, now_ms: int) -> bool:
        """Tell whether the primary source has been silent for too long."""
        return now_ms - self._due_ms >= self._silent_ms
