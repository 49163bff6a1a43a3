"""What is searched: axes from Python or from the command line, their combinations by number, and conditions on them."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from math import inf, prod
from typing import Any

import numpy as np

from cambist.domain import expression
from cambist.domain.axis import size, value_at
from cambist.domain.errors import BadInput
from cambist.domain.search import TIMEFRAME, Axis, Method, Params, Value
from cambist.domain.timeframe import Timeframe
from cambist.strategies._load import AnyStrategy
from cambist.strategies._param import Param

MOST_VALUES = 10_000
"""Of one axis of a grid."""
_SPREAD = 10
"""Values of a stretch for which no step is given, in a grid."""
_DEFAULT_GRID = 1_500
"""About how many combinations a grid has at most where nobody says what to search."""
COUNTED, _SAMPLED = 50_000, 20_000
"""Up to how many combinations conditions are counted on each; on how many of more."""

Condition = str | Callable[[Params], object]


@dataclass(frozen=True, slots=True)
class Between:
    """A stretch of numbers, both ends included."""

    low: float
    high: float
    step: float | None = None
    log: bool = False


def between(low: float, high: float, *, step: float | None = None, log: bool = False) -> Between:
    """Search the numbers from ``low`` to ``high``, both included, in steps of ``step``.

    Without a step it is any number between, in a grid ten of them; ``log`` looks as closely between 1 and 10 as between
    10 and 100.
    """
    return Between(low, high, step, log)


def axes_of(
    strategy: AnyStrategy,
    given: Mapping[str, Any] | None = None,
    texts: Sequence[str] = (),
    *,
    method: Method = Method.GRID,
    timeframes: Sequence[str] = (),
    fixed: Collection[str] = (),
) -> tuple[Axis, ...]:
    """Return the axes of a search over ``strategy``.

    ``given`` is by name: values in a sequence, `between`, or text as on the command line; ``texts`` are
    ``fast=5:50:5``, ``fast=5:50``, ``slow=20,50,100``, ``stop_loss=0.01:0.1:log``. ``timeframes`` are those of the
    candles: several of them are an axis. A grid varies what is given, or, if nothing is, a few values of each number
    that has bounds; other methods vary all that has bounds, but what is ``fixed``. The timeframe comes first, so that
    neighbouring combinations have their candles in common. Raises `BadInput` that names the axis.
    """
    wanted: dict[str, Any] = dict(given or {})
    for name, text in map(_named, texts):
        if name in wanted:
            raise BadInput(name, text, "space.twice")
        wanted[name] = text
    grid, silent = method is Method.GRID, not wanted
    axes = []
    if TIMEFRAME not in strategy.params and (TIMEFRAME in wanted or len(set(timeframes)) > 1):
        axes.append(_timeframes(wanted.pop(TIMEFRAME, tuple(timeframes)), timeframes))
    for name in wanted:
        if name not in strategy.params:
            expected = [*strategy.params, *({TIMEFRAME} - set(strategy.params))]
            raise BadInput(name, wanted[name], "param.unknown", known=", ".join(_near(name, expected)))
    if grid and silent:
        axes += _default_grid(strategy.params, fixed)
    else:
        axes += [_axis(name, spec, strategy.params[name], grid) for name, spec in wanted.items()]
        if not grid:
            left = {name: one for name, one in strategy.params.items() if name not in wanted and name not in fixed}
            axes += _default_axes(left, words=method is not Method.CMAES)
    if not axes:
        raise BadInput("grid", strategy.__name__, "space.nothing")
    return tuple(axes)


def kept(strategy: AnyStrategy, base: Params | None = None) -> dict[str, Value]:
    """Return what a combination has where no axis says otherwise: the defaults, and ``base`` over them."""
    declared = strategy.params
    return {name: one.default for name, one in declared.items()} | {
        name: declared[name].read(name, value) if name in declared else value for name, value in (base or {}).items()
    }


def combinations(axes: Sequence[Axis]) -> int:
    """Return how many combinations there are; raise `BadInput` naming an axis whose values cannot be counted."""
    return prod(_size(axis) for axis in axes)


def nth(axes: Sequence[Axis], number: int) -> dict[str, Value]:
    """Return combination ``number``, counted from 0 with the last axis fastest."""
    found: list[tuple[str, Value]] = []
    for axis in reversed(axes):
        number, place = divmod(number, _size(axis))
        found.append((axis.name, value_at(axis, place)))
    return dict(reversed(found))


def drawn(axes: Sequence[Axis], seed: int, number: int) -> dict[str, Value] | None:
    """Return draw ``number`` of a random search: a pure function of ``seed`` and ``number``.

    Where all values can be counted, the draws are a shuffle of all combinations, and None after the last. Where they
    cannot, or where an axis is to be looked at in logarithms, each draw stands alone.
    """
    if shuffled(axes):
        count = combinations(axes)
        return nth(axes, _shuffled(count, seed, number)) if number < count else None
    rng = np.random.default_rng([seed, number])
    return {axis.name: _draw(axis, float(rng.random())) for axis in axes}


def shuffled(axes: Sequence[Axis]) -> bool:
    """Tell whether a random search goes through its combinations as through shuffled cards: none comes twice."""
    return all(size(axis) is not None and (axis.values or not axis.log) for axis in axes)


def conditions(where: Sequence[Condition], axes: Sequence[Axis], base: Params | None = None) -> Callable[[Params], int]:
    """Return what tells how many of the conditions ``where`` a combination breaks.

    An expression may name the axes that are numbers, and the numbers of ``base``; a callable is given all of them.
    Raises `BadInput` for one that cannot be read, and when called for one that raises.
    """
    around = dict(base or {})
    names = {axis.name for axis in axes if not any(isinstance(value, str) for value in axis.values)}
    names |= {name for name, value in around.items() if not isinstance(value, str)}
    names -= {axis.name for axis in axes if any(isinstance(value, str) for value in axis.values)}
    tests = [expression.read(one, names, field="where") if isinstance(one, str) else one for one in where]

    def broken(params: Params) -> int:
        everything = {**around, **params}
        return sum(not _holds(test, everything) for test in tests)

    return broken


def possible(axes: Sequence[Axis], broken: Callable[[Params], int] | None = None) -> int | None:
    """Return how many combinations meet the conditions, None if they cannot be counted.

    Of more than `COUNTED` it is an estimate from a sample, good to about a hundredth.
    """
    if any(size(axis) is None for axis in axes):
        return None
    count = combinations(axes)
    if broken is None:
        return count
    if count <= COUNTED:
        return sum(not broken(nth(axes, number)) for number in range(count))
    met = sum(not broken(nth(axes, _shuffled(count, 0, number))) for number in range(_SAMPLED))
    return met * count // _SAMPLED


# -- axes -------------------------------------------------------------------------------------------------------------


def _named(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name.strip() or not value.strip():
        raise BadInput("grid", text, "space.form")
    return name.strip(), value.strip()


def _near(name: str, known: Sequence[str]) -> Sequence[str]:
    from difflib import get_close_matches

    return get_close_matches(name, known, 1) or known


def _timeframes(spec: Any, timeframes: Sequence[str]) -> Axis:
    words = spec.split(",") if isinstance(spec, str) else list(spec)
    values = sorted({Timeframe.parse(str(word).strip()) for word in words}, key=lambda one: one.ms)
    for value in values:
        if timeframes and value not in timeframes:
            raise BadInput(TIMEFRAME, str(value), "space.timeframe", known=", ".join(timeframes))
    if not values:
        raise BadInput(TIMEFRAME, spec, "space.empty")
    return Axis(name=TIMEFRAME, values=tuple(map(str, values)))


def _axis(name: str, spec: Any, declared: Param, grid: bool) -> Axis:
    """Return the axis ``name`` that ``spec`` asks for, within what is ``declared``."""
    kind = type(declared.default)
    if isinstance(spec, str):
        spec = _spec(name, spec, words=kind in (str, bool))
    if isinstance(spec, Between):
        if kind in (str, bool):
            raise BadInput(name, f"{spec.low}:{spec.high}", "space.no_stretch")
        return _stretch(name, spec, declared, grid)
    values = spec if isinstance(spec, Iterable) else [spec]
    return _listed(name, (declared.read(name, value) for value in values))


def _listed(name: str, values: Iterable[Any]) -> Axis:
    """Return an axis of ``values``: numbers in order, words as they come, none twice."""
    unique = list(dict.fromkeys(islice(values, MOST_VALUES + 1)))
    if not unique:
        raise BadInput(name, "[]", "space.empty")
    if len(unique) > MOST_VALUES:
        raise BadInput(name, f"{unique[0]} … {unique[-1]}", "space.too_many", most=MOST_VALUES)
    return Axis(name=name, values=tuple(unique if isinstance(unique[0], str) else sorted(unique)))


def _spec(name: str, text: str, *, words: bool) -> Between | list[str]:
    """Return what the text of an axis says: ``5:50``, ``5:50:5``, ``5:50:log`` or ``20,50,100``."""
    parts = [part.strip() for part in text.split(":")]
    if len(parts) == 1 or words:
        return [value.strip() for value in text.split(",") if value.strip()]
    if len(parts) > 3:
        raise BadInput(name, text, "space.form")
    try:
        low, high = float(parts[0]), float(parts[1])
        if len(parts) == 3 and parts[2] == "log":
            return Between(low, high, log=True)
        return Between(low, high, float(parts[2]) if len(parts) == 3 else None)
    except ValueError:
        raise BadInput(name, text, "space.form") from None


def _stretch(name: str, spec: Between, declared: Param, grid: bool) -> Axis:
    shown = f"{spec.low}:{spec.high}"
    whole = type(declared.default) is int
    free = Param(declared.default, declared.low, declared.high)  # of choices, those between are meant
    low, high = free.read(name, spec.low), free.read(name, spec.high)
    if low > high:
        raise BadInput(name, shown, "space.order")
    if spec.log and low <= 0:
        raise BadInput(name, shown, "space.log")
    if declared.choices is not None:
        return _listed(name, (value for value in declared.choices if low <= value <= high))
    if spec.step is not None:
        if not 0 < spec.step < inf:
            raise BadInput(name, spec.step, "space.step")
        free.read(name, low + spec.step if low + spec.step <= high else low)  # whole numbers have whole steps
    if low == high:
        return Axis(name=name, values=(low,))
    axis = Axis(name=name, low=float(low), high=float(high), step=spec.step, whole=whole, log=spec.log)
    if not grid:
        return axis
    if spec.step is None:
        return _listed(name, _spread(axis, _SPREAD))
    if _size(axis) > MOST_VALUES:
        raise BadInput(name, f"{shown}:{spec.step}", "space.too_many", most=MOST_VALUES)
    return _listed(name, (value_at(axis, place) for place in range(_size(axis))))


def _spread(axis: Axis, count: int) -> list[Value]:
    """Return ``count`` numbers from one end of a stretch to the other, fewer if there are no more whole ones."""
    low, high = float(axis.low or 0.0), float(axis.high or 0.0)
    found = [_along(low, high, i / (count - 1), log=axis.log) for i in range(count)]
    return list(dict.fromkeys(round(at) if axis.whole else _tidy(at, low, high) for at in found))


def _draw(axis: Axis, share: float) -> Value:
    """Return the value of ``axis`` at ``share`` (0 to 1, without 1) of its way."""
    count = size(axis)
    if count is not None and (axis.values or not axis.log):
        return value_at(axis, int(share * count))
    low, high = float(axis.low or 0.0), float(axis.high or 0.0)
    if count is None:
        return min(max(_along(low, high, share, log=axis.log), low), high)
    step = axis.step or 1.0  # each value stands for what is nearest to it, so that the ends are drawn as others are
    at = _along(max(low - step / 2, low / 2), high + step / 2, share, log=True)
    return value_at(axis, min(max(round((at - low) / step), 0), count - 1))


def _along(low: float, high: float, share: float, *, log: bool) -> float:
    return low * (high / low) ** share if log else low + (high - low) * share


def _tidy(number: float, low: float, high: float) -> float:
    """Return ``number`` to six digits: what a grid takes is to be read by people."""
    return min(max(float(f"{number:.6g}"), low), high)


def _bounded(declared: Param) -> bool:
    number = type(declared.default) in (int, float)
    return number and (bool(declared.choices) or (declared.low is not None and declared.high is not None))


def _default_grid(declared: Mapping[str, Param], fixed: Collection[str]) -> Iterator[Axis]:
    """Yield an axis for each number with bounds, of so few values that the whole is soon done."""
    chosen = {name: one for name, one in declared.items() if _bounded(one) and name not in fixed}
    if not chosen:
        return
    count = min(_SPREAD, max(2, int(_DEFAULT_GRID ** (1.0 / len(chosen)) + 1e-9)))
    for axis in _default_axes(chosen, words=False):
        values = axis.values or _spread(axis, count)
        picked = sorted({round(i * (len(values) - 1) / (count - 1)) for i in range(count)})
        yield _listed(axis.name, [values[place] for place in picked])


def _default_axes(declared: Mapping[str, Param], *, words: bool) -> Iterator[Axis]:
    """Yield an axis for each parameter that says within what it may lie."""
    for name, one in declared.items():
        if _bounded(one) and one.choices is None and one.low is not None and one.high is not None:
            yield _axis(name, Between(one.low, one.high), one, grid=False)
        elif _bounded(one) or (words and one.choices):
            yield _listed(name, one.choices or ())
        elif words and type(one.default) is bool:
            yield _listed(name, (False, True))


# -- combinations -----------------------------------------------------------------------------------------------------


def _size(axis: Axis) -> int:
    count = size(axis)
    if count is None:
        raise BadInput(axis.name, f"{axis.low}:{axis.high}", "space.endless")
    return count


def _shuffled(count: int, seed: int, number: int) -> int:
    """Return where ``number`` goes when 0 ... count - 1 are shuffled: a Feistel network, walked until it is within.

    J. Black and P. Rogaway, Ciphers with Arbitrary Finite Domains, 2002: each number has its own place, and none needs
    to know of the others.
    """
    half = max(1, ((count - 1).bit_length() + 1) // 2)
    mask = (1 << half) - 1
    while True:
        left, right = number >> half, number & mask
        for turn in range(4):
            digest = blake2b(f"{seed} {turn} {right}".encode(), digest_size=half // 8 + 1).digest()
            left, right = right, left ^ (int.from_bytes(digest, "little") & mask)
        number = left << half | right
        if number < count:
            return number


def _holds(test: expression.Expression | Callable[[Params], object], params: Params) -> bool:
    if isinstance(test, expression.Expression):
        value = test(params)  # type: ignore[arg-type]  # the words among them are not named
        return value == value and value != 0.0
    try:
        return bool(test(params))
    except Exception as error:
        name = getattr(test, "__name__", type(test).__name__)
        raise BadInput("where", name, "space.where_raised", what=f"{type(error).__name__}: {error}") from error
