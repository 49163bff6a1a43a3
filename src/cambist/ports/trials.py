"""Where the trials of searches are kept, as they end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from cambist.domain.search import Trial


class TrialLog(Protocol):
    """The trials of one run of a search: what was appended is kept, whatever happens to the process.

    Several processes may append to one run; a number that was appended twice counts once.
    """

    def append(self, trials: Sequence[Trial]) -> None:
        """Keep ``trials``; they are safe when this returns. Raises `StorageFailed`."""
        ...

    def numbers(self) -> set[int]:
        """Return the numbers of all trials that are kept."""
        ...

    def read(self) -> Iterator[Trial]:
        """Yield all trials in the order of their numbers, without holding them all."""
        ...


class TrialLogs(Protocol):
    """The trials of a user's searches. A study has runs: each is one space, searched in one way on one market."""

    def open(self, study: str, run: str) -> TrialLog:
        """Return the log of a run; it need not exist."""
        ...

    def count(self, study: str) -> int:
        """Return how many trials a study has seen over all of its runs, whatever became of them."""
        ...

    def look(self, study: str, mark: str, until_ts: int, tries: int) -> list[tuple[int, int]]:
        """Keep that a study chose among ``tries`` on what came before ``until_ts``, and looked at what came after.

        Return ``until_ts`` and ``tries`` of all its looks, this one among them; those of one ``mark`` (a word) have
        seen the same, and are one. Raises `StorageFailed`.
        """
        ...
