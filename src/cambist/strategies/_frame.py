"""Views of pandas objects that end at now: quick for single values, pandas itself for everything else."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from cambist.strategies._line import Clock


class _Positions:
    """``series.iloc``: ``[-1]`` and its like are read from a list, all else by pandas."""

    __slots__ = ("_clock", "_series", "_values")

    def __init__(self, series: pd.Series, clock: Clock) -> None:
        self._series = series
        self._values: list[Any] | None = None
        self._clock = clock

    def __getitem__(self, key: Any) -> Any:
        now = self._clock.now
        if key.__class__ is int and -now - 1 <= key < 0:
            if self._values is None:
                self._values = self._series.tolist()
            return self._values[now + 1 + key]
        return self._series.iloc[: now + 1].iloc[key]


class SeriesView:
    """A pandas Series up to now."""

    __slots__ = ("_clock", "_series", "iloc")

    def __init__(self, series: pd.Series, clock: Clock) -> None:
        self._series = series
        self._clock = clock
        self.iloc = _Positions(series, clock)

    @property
    def real(self) -> pd.Series:
        """Return the Series itself, up to now."""
        return self._series.iloc[: self._clock.now + 1]

    def __len__(self) -> int:
        return self._clock.now + 1

    def __getitem__(self, key: Any) -> Any:
        if key.__class__ is int and key < 0:
            return self.iloc[key]
        return self.real[key]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.array(self.real, dtype=dtype, copy=copy)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.real)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


class FrameView:
    """A pandas DataFrame up to now."""

    def __init__(self, frame: pd.DataFrame, clock: Clock) -> None:
        self._frame = frame
        self._clock = clock
        self._columns = {name: SeriesView(frame[name], clock) for name in frame.columns}

    @property
    def real(self) -> pd.DataFrame:
        """Return the DataFrame itself, up to now."""
        return self._frame.iloc[: self._clock.now + 1]

    def __len__(self) -> int:
        return self._clock.now + 1

    def __getitem__(self, key: Any) -> Any:
        if key.__class__ is str and key in self._columns:
            return self._columns[key]
        return self.real[key]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        columns = self._columns
        return columns[name] if name in columns else getattr(self.real, name)


def _by_pandas(name: str) -> Any:
    def operate(self: Any, *others: Any) -> Any:
        real = [other.real if isinstance(other, SeriesView | FrameView) else other for other in others]
        return getattr(self.real, name)(*real)

    return operate


_OPERATORS = "lt le gt ge eq ne add radd sub rsub mul rmul truediv rtruediv floordiv mod pow neg abs and or xor invert"
for _name in _OPERATORS.split(" "):
    for _view in (SeriesView, FrameView):
        setattr(_view, f"__{_name}__", _by_pandas(f"__{_name}__"))
