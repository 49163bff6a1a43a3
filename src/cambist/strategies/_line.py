"""Lines: series that a strategy reads backwards from now. ``line[-1]`` is the value at the last closed candle."""

from collections.abc import Sequence
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from cambist.domain.errors import BadStrategy
from cambist.indicators._shared import active

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


class Clock:
    """How far time has come: ``now`` is the position of the last closed candle. Shared by all lines of a strategy."""

    __slots__ = ("dropped", "live", "now", "read")

    now: int
    live: bool
    """Lines still grow: what they hold after ``now`` means nothing yet."""
    dropped: int
    """Candles that were before the first one held, and are kept no more (live)."""
    read: bool
    """Whether all values of something were asked for."""

    def __init__(self, now: int, *, live: bool = False) -> None:
        self.live = live
        self.dropped = 0
        self.read = False
        self.now = now


class Line:
    """One value per candle, revealed candle by candle; reads and compares as the value at the last closed candle."""

    __slots__ = ("_array", "clock", "falls", "name", "relative", "rises", "unit", "values", "warmup")

    values: Sequence[float]
    """All values, as a list: single numbers are read from it several times quicker than from an array. Live, a
    memoryview of what the line grows into: it gives the same plain numbers, and is not made anew at each candle."""
    rises: dict["Line | float", list[bool]]
    """Where the line crosses above another (or a number), worked out when first asked; see `crossed_above`."""
    falls: dict["Line | float", list[bool]]
    """Where it crosses below."""

    def __init__(
        self,
        array: npt.ArrayLike,
        clock: Clock,
        name: str,
        *,
        unit: str = "",
        warmup: int = 0,
        relative: bool = False,
    ) -> None:
        self._array = np.asarray(array, dtype=np.float64)
        self.clock = clock
        self.name = name
        self.unit = unit
        self.warmup = warmup
        self.relative = relative  # cumulative: only how it moves means anything

    def __getattr__(self, name: str) -> Any:
        # slots that are filled when first read; from then on they answer themselves
        if name == "values":
            self.clock.read = True
            self.values = self._array.tolist()
        elif name in ("rises", "falls"):
            setattr(self, name, {})
        else:
            raise AttributeError(name)
        return getattr(self, name)

    @property
    def whole(self) -> Floats:
        """Return all values as an array, those after the last closed candle included (for charts and proofs)."""
        clock = self.clock
        clock.read = True
        return self._array[: clock.now + 1].copy() if clock.live else self._array

    def last(self, count: int) -> Floats:
        """Return the last ``count`` values up to now (fewer if there are fewer), as a view."""
        end = self.clock.now + 1
        return self._array[max(0, end - count) : end]

    def grows_in(self, buffer: Floats) -> None:
        """From here on the values are those of ``buffer``, up to now."""
        self._array = buffer
        self.values = buffer.data  # a sequence of plain floats

    def __getitem__(self, back: int) -> float:
        now = self.clock.now
        if back >= 0 or back < -now - 1:
            raise BadStrategy(self.name, back, "line.index", oldest=-now - 1)
        return self.values[now + 1 + back]

    def __len__(self) -> int:
        return self.clock.dropped + self.clock.now + 1

    def __float__(self) -> float:
        return self.values[self.clock.now]

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]:
        known = self._array[: self.clock.now + 1]
        known.flags.writeable = False  # it is a view of what the backtest runs on
        if self.clock.live and copy is None:
            copy = True  # and live of what is written over
        return np.array(known, dtype=dtype, copy=copy)

    def __lt__(self, other: float) -> bool:
        return self.values[self.clock.now] < float(other)

    def __le__(self, other: float) -> bool:
        return self.values[self.clock.now] <= float(other)

    def __gt__(self, other: float) -> bool:
        return self.values[self.clock.now] > float(other)

    def __ge__(self, other: float) -> bool:
        return self.values[self.clock.now] >= float(other)

    def __repr__(self) -> str:
        return f"<Line {self.name} now {float(self):g}>"


Series = Line | Floats | Sequence[float] | float


@overload
def crossed_above(one: Line, other: Line | float) -> bool: ...
@overload
def crossed_above(one: Floats, other: Floats | float) -> Bools: ...
def crossed_above(one: Any, other: Any) -> Any:
    """Tell whether ``one`` rose above ``other`` at this candle: at or below it one candle ago, above it now.

    For lines the answer is for now; for arrays it is an array, one answer per candle (the first is False).
    """
    if one.__class__ is Line:
        try:
            return one.rises[other][one.clock.now]
        except KeyError:
            if one.clock.live:
                return _crosses(one, other, one.clock.now)
            one.rises[other] = _crossed(one.whole, _whole(other)).tolist()
            return one.rises[other][one.clock.now]
    return _crossed(np.asarray(one), np.asarray(other))


@overload
def crossed_below(one: Line, other: Line | float) -> bool: ...
@overload
def crossed_below(one: Floats, other: Floats | float) -> Bools: ...
def crossed_below(one: Any, other: Any) -> Any:
    """Tell whether ``one`` fell below ``other`` at this candle: at or above it one candle ago, below it now.

    For lines the answer is for now; for arrays it is an array, one answer per candle (the first is False).
    """
    if one.__class__ is Line:
        try:
            return one.falls[other][one.clock.now]
        except KeyError:
            if one.clock.live:
                return _crosses(other, one, one.clock.now)
            one.falls[other] = _crossed(_whole(other), one.whole).tolist()
            return one.falls[other][one.clock.now]
    return _crossed(np.asarray(other), np.asarray(one))


def _whole(other: Any) -> Any:
    return other.whole if isinstance(other, Line) else np.asarray(other, dtype=np.float64)


def _crosses(rising: Any, level: Any, now: int) -> bool:
    """Tell whether ``rising`` went above ``level`` at ``now``, which is all that is known of lines that grow."""
    before, above = _pair(rising, now)
    level_before, level_now = _pair(level, now)
    return now > 0 and above > level_now and before <= level_before


def _pair(value: Any, now: int) -> tuple[float, float]:
    """Return the values one candle ago and now."""
    if isinstance(value, Line):
        return value.values[now - 1], value.values[now]
    return float(value), float(value)


def _crossed(rising: Floats, level: Floats) -> Bools:
    """Return where ``rising`` went above ``level``; either may be a single number, NaN never crosses."""
    store = active()
    shared = None if store is None else store.crossed(rising, level)
    if shared is not None:
        return shared
    above = np.asarray(rising > level)
    before = np.asarray(rising <= level)  # not merely ~above: comparisons with NaN are False
    crossed = np.empty(above.size, dtype=np.bool_)
    crossed[0] = False
    np.logical_and(above[1:], before[:-1], out=crossed[1:])
    return crossed
