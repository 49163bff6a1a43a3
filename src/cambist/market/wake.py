"""Who must be asked at a price: books that sleep between two levels, found without looking at the others."""

from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from math import inf


class WakeLevels:
    """Sleepers by number, each with the price at or below which it wakes and the one at or above which it does.

    Changing a sleeper's levels costs the logarithm of how many there are; those that stay asleep cost nothing.
    """

    __slots__ = ("_above", "_below", "_heaps")

    def __init__(self) -> None:
        # a heap holds a level for each side of each sleeper, and outdated ones until they come up or are swept
        self._below: dict[int, float] = {}
        self._above: dict[int, float] = {}
        self._heaps: tuple[list[tuple[float, int]], list[tuple[float, int]]] = ([], [])

    def set(self, number: int, below: float, above: float) -> None:
        """Let sleeper ``number`` wake when price falls to ``below`` or rises to ``above``; infinities: never."""
        for side, levels, level in ((0, self._below, -below), (1, self._above, above)):
            if level == inf:
                levels.pop(number, None)
            elif levels.get(number) != level:
                levels[number] = level
                heap = self._heaps[side]
                heappush(heap, (level, number))
                if len(heap) > 2 * len(levels) + 64:
                    heap[:] = [(level, number) for number, level in levels.items()]
                    heapify(heap)

    def wake(self, low: float, high: float) -> list[int]:
        """Return who wakes between ``low`` and ``high``, in order; each sleeps again when its levels are set."""
        woken = set(self._due(0, self._below, -low))
        woken.update(self._due(1, self._above, high))
        for number in woken:
            self._below.pop(number, None)
            self._above.pop(number, None)
        return sorted(woken)

    def _due(self, side: int, levels: dict[int, float], reached: float) -> Iterator[int]:
        heap = self._heaps[side]
        while heap and heap[0][0] <= reached:
            level, number = heappop(heap)
            if levels.get(number) == level:
                yield number
