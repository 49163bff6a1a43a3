"""Tallies: who has tried how often, counted for as long as it matters, by all processes that have them in common."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol


class Tallies(Protocol):
    """Short notes by name. Blocking calls; safe in several threads."""

    def change(self, names: Sequence[str], how: Callable[[list[Any]], list[Any]], for_ms: int) -> None:
        """Replace the notes called ``names`` (plain JSON; None where there is none) by what ``how`` makes of them.

        Nobody else changes them in between. ``how`` does nothing else, for it may be called again; what it raises
        leaves them as they were. They are kept for ``for_ms`` at least. Raises `BusFailed` if they are out of reach.
        """
        ...
