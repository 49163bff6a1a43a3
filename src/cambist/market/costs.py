"""What trading costs, and how prices and quantities fall on a venue's steps.

Plain functions over float64 that the event loop calls and the compiled simulator compiles: the arithmetic of the fill
law is written here once. (Compiled, counts of steps are doubles: an int64 does not hold all of them.) A tick is
``mul / scale`` with ``scale`` a power of ten, so that ``ticks * mul / scale`` is the double nearest to the decimal
price: equal prices compare equal whether they were parsed from text or computed.
Counts of ticks and lots are rounded with a tolerance of 2e-15 relative plus 1e-9 for the last bits of the doubles.
"""

from decimal import Decimal
from math import ceil, floor

BPS = 1e-4


def step_parts(step: Decimal) -> tuple[int, int]:
    """Return a step (tick size or lot step) as ``(mul, scale)``: ``step == mul / scale``, ``scale`` a power of ten."""
    sign, digits, exponent = step.normalize().as_tuple()
    if sign or not step.is_finite() or not step or not isinstance(exponent, int):
        raise ValueError(f"a step must be a positive number, not {step}")
    number = int("".join(map(str, digits)))
    return (number, 10**-exponent) if exponent < 0 else (number * 10**exponent, 1)


def steps_down(value: float, mul: int, scale: int) -> int:
    """Return how many whole steps fit into ``value``."""
    steps = value * scale / mul
    return floor(steps + steps * 2e-15 + 1e-9)


def steps_up(value: float, mul: int, scale: int) -> int:
    """Return the fewest whole steps that reach ``value``."""
    steps = value * scale / mul
    return ceil(steps - steps * 2e-15 - 1e-9)


def slipped_steps(price: float, sign: int, adverse: float, mul: int, scale: int) -> int:
    """Return the price, in ticks, at which a market order fills that acts at ``price``.

    ``sign`` is +1 for a buy, -1 for a sell; ``adverse`` the fraction by which slippage and half the spread worsen it.
    Rounded against the order: a buy up, a sell down.
    """
    if sign > 0:
        return steps_up(price * (1.0 + adverse), mul, scale)
    return steps_down(price * (1.0 - adverse), mul, scale)


def level_steps(entry_price: float, sign: int, fraction: float, mul: int, scale: int) -> int:
    """Return a protective level, in ticks, at ``entry_price * (1 + sign * fraction)``.

    ``sign`` is that of the position; a stop-loss passes a negative fraction, a take-profit a positive one. Rounded
    towards the dearer side of the position: a stop comes no later, a target no sooner, than was asked.
    """
    level = entry_price * (1.0 + sign * fraction)
    if sign > 0:
        return steps_up(level, mul, scale)
    return steps_down(level, mul, scale)


def affordable(cash: float, price: float, fee: float, mul: int, scale: int) -> int:
    """Return how many lots ``cash`` pays for at ``price``, the fee (a fraction of the notional) included."""
    worth = cash / (price * (1.0 + fee))
    lots = steps_down(worth, mul, scale)
    if lots * mul / scale * price * (1.0 + fee) > cash * (1.0 + 1e-15):  # the tolerance went too far
        steps = worth * scale / mul
        lots = floor(steps - steps * 2e-15)
    return max(lots, 0)
