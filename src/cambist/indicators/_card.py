"""The card of an indicator: what it reads, takes and gives, and how much history it needs.

Every indicator is a pure function over float64 arrays of one length, decorated with `indicator`. It returns an array
of that length, or a named tuple of such arrays; values are NaN until warmed up. The same function serves research
(whole history) and live (the last ``warmup`` candles): ``warmup`` is long enough that the last value is the same to
1e-9 relative.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, log
from typing import Any, ParamSpec, Protocol, TypeVar, cast

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

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
    """Of the outputs: ``price``, ``percent``, ``ratio``, ``volume``, ``index``."""
    warmup: Callable[..., int]
    """Takes the parameters, gives the number of candles after which the last value no longer depends on older ones."""
    source: str
    """Where the formula comes from."""
    relative_level: bool = False
    """Cumulative: only differences between its values mean anything (the level depends on where history starts)."""


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
    """Give the decorated function its card. ``inputs`` and ``outputs`` are names parted by spaces."""

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
        carded = cast(Any, function)
        carded.card = card
        return cast("Indicator[P, R]", carded)

    return attach


def ema_memory(alpha: float, forget: float = 1e-11) -> int:
    """Return after how many steps an exponential average with weight ``alpha`` has forgotten its seed.

    ``(1 - alpha) ** steps <= forget``; the default leaves two digits below the 1e-9 that is promised.
    """
    return ceil(log(forget) / log(1.0 - alpha)) if alpha < 1.0 else 1


def floats(values: npt.ArrayLike) -> Floats:
    """Return ``values`` as a contiguous float64 array, without a copy where it is one already."""
    return np.ascontiguousarray(values, dtype=np.float64)
