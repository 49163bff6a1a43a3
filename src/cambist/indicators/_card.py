"""The card of an indicator: what it reads, takes and gives, and how much history it needs.

Every indicator is a pure function over float64 arrays of one length, decorated with `indicator`. It returns an array
of that length, or a named tuple of such arrays; values are NaN until warmed up. The same function serves research
(whole history) and live (the last ``warmup`` candles): ``warmup`` is long enough that the last value is the same to
1e-9 relative.

The decorator also guards the door, once for all: columns of different lengths and parameters outside their bounds are
refused as `BadInput`, numbers arrive in the type of their default, columns as contiguous float64, never empty and
never beginning with NaN.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from inspect import signature
from math import ceil, log
from typing import Any, ParamSpec, Protocol, TypeVar, cast

import numpy as np
import numpy.typing as npt

from cambist.domain.errors import BadInput
from cambist.indicators._shared import active

Floats = npt.NDArray[np.float64]

_FLOAT = np.dtype(np.float64)
_CONTIGUOUS = (8,)
"""The strides of a contiguous row of float64."""

P = ParamSpec("P")
R = TypeVar("R", covariant=True)


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter: its default and its bounds. An integer default means an integer parameter."""

    default: int | float
    low: int | float
    high: int | float


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What there is to know about an indicator."""

    name: str
    title: str
    inputs: tuple[str, ...]
    """Columns of candles, in the order of the function's arguments: ``ts open high low close volume``."""
    params: dict[str, Param]
    outputs: tuple[str, ...]
    unit: str
    """Of all outputs, or of each in turn, parted by spaces: ``price``, ``distance`` (a difference of prices),
    ``percent``, ``ratio``, ``volume``, ``index``, ``sign``."""
    warmup: Callable[..., int]
    """Takes the parameters, gives the number of candles after which the last value no longer depends on older ones."""
    source: str
    """Where the formula comes from."""
    relative_level: bool = False
    """Cumulative: only differences between its values mean anything (the level depends on where history starts)."""

    @property
    def units(self) -> tuple[str, ...]:
        """Return the unit of each output."""
        units = tuple(self.unit.split())
        return units if len(units) == len(self.outputs) else units * len(self.outputs)


class Indicator(Protocol[P, R]):
    """A function with its card."""

    card: Card

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R: ...


def indicator(
    *,
    title: str,
    inputs: str,
    outputs: str,
    unit: str,
    warmup: Callable[..., int],
    source: str,
    relative_level: bool = False,
    **params: Param,
) -> Callable[[Callable[P, R]], Indicator[P, R]]:
    """Give the decorated function its card and its checks. ``inputs`` and ``outputs`` are names parted by spaces.

    The function's arguments are first its inputs, then its parameters with the defaults of the card.
    """

    def attach(function: Callable[P, R]) -> Indicator[P, R]:
        card = Card(
            name=function.__name__,
            title=title,
            inputs=tuple(inputs.split()),
            params=params,
            outputs=tuple(outputs.split()),
            unit=unit,
            warmup=warmup,
            source=source,
            relative_level=relative_level,
        )
        carded = _guarded(function, card)
        carded.card = card
        return cast("Indicator[P, R]", carded)

    return attach


def _guarded(function: Callable[..., Any], card: Card) -> Any:
    """Return ``function`` behind the checks that are the same for all."""
    width = len(card.inputs)
    arguments = signature(function).parameters
    settings = [(name, argument.default) for name, argument in arguments.items()][width:]
    if settings != [(name, spec.default) for name, spec in card.params.items()]:
        raise TypeError(f"{card.name}: the card's parameters are not the function's")
    specs = {name: (type(spec.default), spec.low, spec.high) for name, spec in card.params.items()}
    by_place = tuple(specs.values())

    def checked(*args: Any, **kwargs: Any) -> Any:
        # Calls in good order, nearly all of them, cost a microsecond here; the rest is sorted out at leisure.
        try:
            size = args[0].size
            for values in args[:width]:
                if values.dtype is not _FLOAT or values.strides != _CONTIGUOUS or values.size != size:
                    return _sorted_out(function, card, args, kwargs)
                first = values.item(0)
                if first != first:  # NaN is the one number that differs from itself
                    return _sorted_out(function, card, args, kwargs)
            for value, (kind, low, high) in zip(args[width:], by_place, strict=False):
                if type(value) is not kind or not low <= value <= high:
                    return _sorted_out(function, card, args, kwargs)
            for name, value in kwargs.items():
                kind, low, high = specs[name]
                if type(value) is not kind or not low <= value <= high:
                    return _sorted_out(function, card, args, kwargs)
        except (AttributeError, IndexError, KeyError):
            return _sorted_out(function, card, args, kwargs)
        return function(*args, **kwargs)

    @wraps(function)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        store = active()
        return checked(*args, **kwargs) if store is None else store.once(checked, args, kwargs)

    return guarded


def _sorted_out(function: Callable[..., Any], card: Card, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call ``function`` with its arguments put into good order; raise BadInput where that cannot be."""
    given = signature(function).bind(*args, **kwargs).arguments
    columns = list(signature(function).parameters)[: len(card.inputs)]
    series = {name: _column(name, given.pop(name)) for name in columns}
    size = len(series[columns[0]])
    for name, values in series.items():
        if len(values) != size:
            raise BadInput(name, len(values), "indicator.lengths", first=columns[0], length=size)
    params = {name: _fitted(name, value, card.params[name]) for name, value in given.items()}
    return _after_head(function, list(series.values()), params)


def _fitted(name: str, value: Any, spec: Param) -> int | float:
    """Return ``value`` in the type of the parameter's default; raise BadInput where it does not fit."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise BadInput(name, value, "number.needed")
    if not spec.low <= value <= spec.high:
        raise BadInput(name, value, "number.between", low=spec.low, high=spec.high)
    if not isinstance(spec.default, int):
        return float(value)
    if value != int(value):
        raise BadInput(name, value, "indicator.whole", low=spec.low, high=spec.high)
    return int(value)


def _column(name: str, values: Any) -> Floats:
    try:
        column = floats(values)
    except (TypeError, ValueError) as error:
        raise BadInput(name, values, "indicator.column") from error
    if column.ndim != 1:
        raise BadInput(name, column.shape, "indicator.column")
    return column


def _after_head(function: Callable[..., Any], series: list[Floats], params: dict[str, int | float]) -> Any:
    """Call ``function`` on what follows the leading NaN, as in an average of an average; give NaN for the head.

    Empty columns take this road as one NaN: it says how many outputs there are, and the C code is spared the case.
    """
    size = len(series[0])
    known = ~np.isnan(series).any(axis=0)
    head = int(known.argmax()) if known.any() else max(size - 1, 0)
    result = function(*(values[head:] if size else np.full(1, np.nan) for values in series), **params)

    def whole(values: Floats) -> Floats:
        return np.concatenate((np.full(head, np.nan), values))[:size]

    return type(result)(*map(whole, result)) if isinstance(result, tuple) else whole(result)


def ema_memory(alpha: float, forget: float = 1e-11) -> int:
    """Return after how many steps an exponential average with weight ``alpha`` has forgotten its seed.

    ``(1 - alpha) ** steps <= forget``; the default leaves two digits below the 1e-9 that is promised.
    """
    return ceil(log(forget) / log(1.0 - alpha)) if alpha < 1.0 else 1


def floats(values: npt.ArrayLike) -> Floats:
    """Return ``values`` as a contiguous float64 array, without a copy where it is one already."""
    return np.ascontiguousarray(values, dtype=np.float64)
