"""What a strategy sees of one series of candles: its columns and any indicator on them, as lines."""

import inspect
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from math import ceil
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from cambist import indicators
from cambist.domain.candles import Candles
from cambist.domain.errors import BadStrategy
from cambist.domain.timeframe import DAY_MS, Timeframe
from cambist.market.grid import close_times
from cambist.market.resample import resample
from cambist.strategies._line import Clock, Floats, Line

COLUMNS = ("open", "high", "low", "close", "volume", "ts")


@dataclass(frozen=True, slots=True, eq=False)
class Recipe:
    """How lines were computed, so that they can be again when candles come."""

    view: "View"
    function: Callable[..., Any]
    inputs: tuple[str, ...]
    """Columns of candles."""
    of: Line | None
    """Stands in for the column."""
    settings: tuple[Any, ...]
    needs: int
    """Candles that the last value needs, those that ``of`` needs apart."""
    lines: tuple[Line, ...]
    result: Any
    """The lines as the strategy got them."""


class View:
    """Candles of one timeframe as a strategy sees them: ``view.close``, ``view.ema(50)``, ``view.macd().signal``.

    A view of a larger timeframe gives one value per candle of the strategy's own timeframe: that of the last larger
    candle that had closed by then. So lines of all timeframes step together and can be compared and crossed.
    """

    def __init__(self, candles: Candles, clock: Clock, shown_on: "View | None" = None) -> None:
        self._candles = candles
        self._clock = clock
        self._shown_on = shown_on
        self._ratio = 1
        self._rows: npt.NDArray[np.int64] | None = None
        self._recipes: list[Recipe] = []
        """Of all timeframes, in the order in which they were asked for."""
        if shown_on is not None:
            longest = 31 * DAY_MS if candles.timeframe.is_calendar else candles.timeframe.ms
            self._ratio = ceil(longest / shown_on._candles.timeframe.ms)
            self._recipes = shown_on._recipes
        self._lines: dict[str, Line] = {}
        self._known: dict[Hashable, Recipe] = {}

    @property
    def lines(self) -> dict[str, Line]:
        """Return the indicators and own lines made so far, by name."""
        return self._lines

    @property
    def candles(self) -> Candles:
        """Return the candles themselves, as arrays."""
        self._clock.read = True
        return self._candles

    def line(
        self, name: str, values: npt.ArrayLike, *, unit: str = "", warmup: int = 0, relative: bool = False
    ) -> Line:
        """Return ``values`` (one per candle of this view) as a line that is revealed candle by candle."""
        self._clock.read = True
        return self._line(name, values, unit=unit, warmup=warmup, relative=relative)

    def _line(self, name: str, values: npt.ArrayLike, *, unit: str, warmup: int, relative: bool) -> Line:
        array = np.asarray(values, dtype=np.float64)
        if array.shape != self._candles.ts.shape:
            raise BadStrategy(name, array.shape, "line.shape", count=len(self._candles))
        if self._shown_on is not None:
            array = shown(array, self._last_closed(self._shown_on))
            warmup = (warmup + 2) * self._ratio  # the first and the last larger candle may be incomplete
            name = f"{name} {self._candles.timeframe}"
        line = Line(array, self._clock, name, unit=unit, warmup=warmup, relative=relative)
        self._lines[name] = line
        return line

    def indicator(self, name: str, args: tuple[Any, ...], given: dict[str, Any]) -> Any:
        """Return the line (or the named tuple of lines) of the indicator ``name`` with these parameters."""
        key = (name, args, tuple(given.items()))
        try:
            known = self._known.get(key)
        except TypeError:  # an array: it has no recipe
            return self._computed(name, args, given).result
        if known is None:
            known = self._known[key] = self._computed(name, args, given)
            self._recipes.append(known)
        return known.result

    def _computed(self, name: str, args: tuple[Any, ...], given: dict[str, Any]) -> Recipe:
        function = indicators.find(name)
        card = function.card
        of = given.pop("of", None)
        columns = [getattr(self._candles, column) for column in card.inputs]
        if of is not None:
            if len(columns) != 1:
                raise BadStrategy("of", name, "line.of", inputs=" ".join(card.inputs))
            columns = [self._stands_in(of)]
        bound = inspect.signature(function).bind(*columns, *args, **given)
        bound.apply_defaults()
        params = {key: value for key, value in bound.arguments.items() if key in card.params}
        needs = card.warmup(**params)
        warmup = needs + (of.warmup if isinstance(of, Line) else 0)
        relative = card.relative_level or (isinstance(of, Line) and of.relative)
        label = f"{name}({', '.join(f'{value:g}' for value in params.values())})"
        out = function(*bound.args, **bound.kwargs)
        many = isinstance(out, tuple)
        fields = [f".{field}" for field in getattr(out, "_fields", range(len(out)))] if many else [""]
        lines = tuple(
            self._line(f"{label}{field}", column, unit=unit, warmup=warmup, relative=relative)
            for field, column, unit in zip(fields, out if many else (out,), card.units, strict=True)
        )
        return Recipe(
            view=self,
            function=function,
            inputs=card.inputs,
            of=of if isinstance(of, Line) else None,
            settings=bound.args[len(columns) :],
            needs=needs,
            lines=lines,
            result=cast(Any, type(out))(*lines) if many else lines[0],
        )

    def _last_closed(self, shown_on: "View") -> npt.NDArray[np.int64]:
        if self._rows is None or self._clock.live:
            self._rows = last_closed(self._candles, shown_on._candles)
        return self._rows

    def _stands_in(self, of: Line | npt.ArrayLike) -> Floats:
        """Return what takes the place of a column: one value per candle."""
        if not isinstance(of, Line):
            self._clock.read = True
            return np.asarray(of, dtype=np.float64)
        return of.last(len(self._candles)) if self._clock.live else of._array

    def __getattr__(self, name: str) -> Any:
        if name in COLUMNS:
            values: Floats = getattr(self._candles, name)
            if self._shown_on is not None:
                values = shown(values.astype(np.float64), self._last_closed(self._shown_on))
            line = Line(values, self._clock, name, unit="price")
            self.__dict__[name] = line
            return line
        if name.startswith("_") or name not in indicators.names():
            raise AttributeError(f"no column or indicator {name!r}")
        return lambda *args, **given: self.indicator(name, args, given)


def larger(candles: Candles, timeframe: Timeframe | str) -> Candles:
    """Return ``candles`` gathered into a larger ``timeframe``, complete ones only; else raise `BadStrategy`."""
    wanted = Timeframe.parse(timeframe)
    if not wanted.holds(candles.timeframe):
        raise BadStrategy("timeframe", str(timeframe), "line.timeframe", own=candles.timeframe)
    return resample(candles, wanted)


def on_larger(candles: Candles, timeframe: Timeframe | str, compute: Callable[[Candles], npt.ArrayLike]) -> Floats:
    """Return ``compute(larger candles)`` on the rows of ``candles``: at each, the value of the last one closed by then.

    For signal strategies: ``on_larger(candles, "4h", lambda big: indicators.ema(big.close, 50))``.
    """
    coarse = larger(candles, timeframe)
    return shown(np.asarray(compute(coarse), dtype=np.float64), last_closed(coarse, candles))


def last_closed(coarse: Candles, fine: Candles) -> npt.NDArray[np.int64]:
    """Return, for each candle of ``fine``, the position of the last candle of ``coarse`` closed by its close, or -1."""
    return np.searchsorted(close_times(coarse), close_times(fine), side="right") - 1


def shown(values: Floats, rows: npt.NDArray[np.int64]) -> Floats:
    """Return ``values`` at ``rows``; NaN where there is none yet (-1)."""
    if not values.size:
        return np.full(rows.size, np.nan)
    return np.where(rows >= 0, values[rows], np.nan)
