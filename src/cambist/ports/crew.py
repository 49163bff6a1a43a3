"""Who computes: threads, processes, or a cluster."""

from collections.abc import Callable, Generator, Iterable
from typing import Protocol, TypeVar

S = TypeVar("S")
B = TypeVar("B")
R = TypeVar("R")


class Crew(Protocol):
    """Workers of one kind. The same work gives the same answers whoever does it."""

    @property
    def workers(self) -> int:
        """How many work at once."""
        ...

    def work(self, do: Callable[[S, B], R], shared: S, batches: Iterable[B]) -> Generator[tuple[B, R], None, None]:
        """Yield each batch with ``do(shared, batch)``, as they are done, in any order.

        ``shared`` (large, the same for all) reaches each worker once. ``batches`` are taken as workers become free, so
        that they can be without end. What ``do`` raises is raised here. Closing it leaves what is not begun.
        Raises `CrewFailed` if the workers are gone.
        """
        ...

    def close(self) -> None:
        """Let the workers go."""
        ...
