"""Limits that hold however many come at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

_AT_ONCE = 8


def found_room(add: Callable[[int], object], refusal: type[Exception]) -> int:
    """Return how many of eight calls of ``add``, all begun at once, were not answered by ``refusal``."""
    begin = Barrier(_AT_ONCE)

    def found(n: int) -> bool:
        begin.wait(30)
        try:
            add(n)
        except refusal:
            return False
        return True

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return sum(pool.map(found, range(_AT_ONCE)))
