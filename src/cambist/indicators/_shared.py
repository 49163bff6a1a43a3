"""What combinations of a search have in common is computed once: an average of one period over one column.

A `Store` is active only where a search evaluates (`with sharing(store):`); elsewhere asking whether one is costs some
ten nanoseconds. It knows columns that were made known to it and what it holds itself; anything else (a column that the
strategy computed) goes by it. What it hands out cannot be written into. Threads may share it.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock, local
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class Store:
    """Results of indicators, by function, columns and parameters; the least recently used go first."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.bytes = 0
        self._lock = Lock()
        self._names: dict[int, Hashable] = {}
        """What is known, by the identity of the array. All of them are held, here or by their owner."""
        self._columns: list[Array] = []
        self._results: OrderedDict[Hashable, Any] = OrderedDict()
        self._last = local()

    def know(self, name: Hashable, columns: Iterable[Array]) -> None:
        """Make ``columns`` known for as long as the store lives; they must not change."""
        for number, column in enumerate(columns):
            if id(column) not in self._names:
                self._columns.append(column)
                self._names[id(column)] = (name, number)

    def crossed(self, rising: Any, level: Any) -> Array | None:
        """Return where ``rising`` goes above ``level``; None unless both are known.

        Who asks for one way asks for the other next: both are worked out, and each thread remembers its last pair.
        """
        one, other, rises, falls = getattr(self._last, "pair", (None, None, None, None))
        if one is rising and other is level:
            return rises
        if one is level and other is rising:
            return falls
        if id(rising) not in self._names or id(level) not in self._names or rising.shape != level.shape:
            return None
        from cambist.indicators._crosses import crosses

        pair = _frozen(crosses(rising, level))
        self._last.pair = (rising, level, *pair)
        return pair[0]  # type: ignore[no-any-return]

    def once(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return ``function(*args, **kwargs)``, computed now or before."""
        key = self._key(function, args, kwargs)
        if key is None:
            return function(*args, **kwargs)
        with self._lock:
            if key in self._results:
                self._results.move_to_end(key)
                return self._results[key]
        result = _frozen(function(*args, **kwargs))
        with self._lock:
            if key not in self._results:  # or another thread was quicker
                self._keep(key, result)
            return self._results.get(key, result)

    def _key(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Hashable | None:
        parts: list[Hashable] = [function]
        for name, value in (*((None, value) for value in args), *sorted(kwargs.items())):
            if isinstance(value, np.ndarray):
                known = self._names.get(id(value))
                if known is None:
                    return None
                parts.append((name, known))
            elif isinstance(value, int | float | np.number):
                parts.append((name, type(value), value))
            else:
                return None
        return tuple(parts)

    def _keep(self, key: Hashable, result: Any) -> None:
        size = sum(array.nbytes for array in _arrays(result))
        if size > self.most_bytes or any(id(array) in self._names for array in _arrays(result)):
            return
        while self.bytes + size > self.most_bytes:
            _, old = self._results.popitem(last=False)
            self.bytes -= sum(array.nbytes for array in _arrays(old))
            for array in _arrays(old):
                self._names.pop(id(array), None)
        self._results[key] = result
        self.bytes += size
        for number, array in enumerate(_arrays(result)):
            self._names[id(array)] = (key, number)


def _arrays(result: Any) -> tuple[Array, ...]:
    return tuple(result) if isinstance(result, tuple) else (result,)


def _frozen(result: Any) -> Any:
    for array in _arrays(result):
        array.flags.writeable = False
    return result


_ACTIVE: ContextVar[Store | None] = ContextVar("shared", default=None)
active = _ACTIVE.get
"""Return the store that is active in this thread, None mostly."""


@contextmanager
def sharing(store: Store | None) -> Iterator[None]:
    """Let indicators share by ``store`` within; None: let them not."""
    before = _ACTIVE.set(store)
    try:
        yield
    finally:
        _ACTIVE.reset(before)
