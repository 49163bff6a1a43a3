"""What proposes the next combinations of a search that is not a grid."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from cambist.domain.search import Axis, Goal, Method, Value


@dataclass(frozen=True, slots=True)
class Proposal:
    """A combination to try."""

    number: int
    params: dict[str, Value]


class Proposer(Protocol):
    """One run of a search, remembered in a journal: it goes on after a crash, and several processes may share it."""

    @property
    def generation(self) -> int:
        """How many to ask for at a time and to tell before the next, so that it does not matter how many work."""
        ...

    def ask(self, count: int) -> list[Proposal]:
        """Return ``count`` combinations to try; what was asked by a process that died is asked again first."""
        ...

    def tell(self, number: int, values: Sequence[float] | None, *, violation: float = 0.0) -> None:
        """Take note of what a trial gave: a value per goal, or None if it failed.

        ``violation`` is by how much it breaks the constraints (0: it does not).
        """
        ...

    def prune(self, number: int, value: float) -> bool:
        """Take note of what the first part of the history gave; tell whether to give the trial up.

        One that is given up needs no `tell`.
        """
        ...

    def finished(self) -> int:
        """Return how many trials have ended."""
        ...


class Proposers(Protocol):
    """Makes proposers."""

    def open(
        self, study: str, run: str, *, method: Method, axes: Sequence[Axis], goals: Sequence[Goal], seed: int
    ) -> Proposer:
        """Return the proposer of a run, which may have begun before. Raises `BadInput` for what a method cannot do."""
        ...
