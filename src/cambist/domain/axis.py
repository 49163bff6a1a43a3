"""The values of an axis of a search, counted and by their place; both the search and what proposes use them."""

from decimal import Decimal

from cambist.domain.search import Axis, Value


def size(axis: Axis) -> int | None:
    """Return how many values ``axis`` has; None if it is a stretch without steps."""
    if axis.values:
        return len(axis.values)
    if axis.low is None or axis.high is None:
        return 0
    step = _step(axis)
    return None if step is None else int((_exact(axis.high) - _exact(axis.low)) // step) + 1


def value_at(axis: Axis, place: int) -> Value:
    """Return the value at ``place`` (from 0) of an axis that has a `size`, exact to the last decimal."""
    if axis.values:
        return axis.values[place]
    step = _step(axis)
    if step is None or axis.low is None:
        raise ValueError(f"{axis.name} has no steps")
    exact = _exact(axis.low) + place * step
    return int(exact) if axis.whole else float(exact)


def numeric(axis: Axis) -> bool:
    """Tell whether its values are numbers, so that one lies between others."""
    return not any(isinstance(value, bool | str) for value in axis.values)


def _step(axis: Axis) -> Decimal | None:
    if axis.step is not None:
        return _exact(axis.step)
    return Decimal(1) if axis.whole else None


def _exact(number: float) -> Decimal:
    return Decimal(repr(float(number)))  # 0.1 + 2 * 0.1 is 0.3 as people count
