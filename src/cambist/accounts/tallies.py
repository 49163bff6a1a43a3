"""`OwnTallies`: what one process counts by itself."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any

_MOST = 50_000
"""Notes that are remembered; the oldest go first."""


class OwnTallies:
    """The port `Tallies` in this process."""

    def __init__(self) -> None:
        self.notes: OrderedDict[str, Any] = OrderedDict()
        self._lock = Lock()

    def change(self, names: Sequence[str], how: Callable[[list[Any]], list[Any]], for_ms: int) -> None:
        """Replace the notes called ``names`` by what ``how`` makes of them."""
        with self._lock:
            for name, note in zip(names, how([self.notes.get(one) for one in names]), strict=True):
                self.notes.pop(name, None)
                if note is not None:
                    self.notes[name] = note
            while len(self.notes) > _MOST:
                self.notes.popitem(last=False)
