"""Exact arithmetic. The context that Python sets by itself rounds to 28 digits without a word; this one refuses to."""

from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow

from cambist.domain.errors import BadInput

EXACT = Context(prec=200, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow])
"""For sums and products of money: ``EXACT.add(a, b)``. What would not fit into 200 digits raises `decimal.Inexact`."""
TOO_LARGE = Decimal("1e16")
"""No order, price or budget that a person writes is this large; exact figures of it might not be kept."""


def amount(field: str, given: object) -> Decimal:
    """Return the amount that a person has given, as text or a whole number: above 0 and below `TOO_LARGE`.

    Raises `BadInput` naming ``field``; of a float too, which has lost what was written.
    """
    try:
        found = Decimal(given) if isinstance(given, str | int) and not isinstance(given, bool) else Decimal(0)
    except InvalidOperation:
        found = Decimal(0)
    if not found.is_finite() or found <= 0:
        raise BadInput(field, given, "running.amount")
    if found >= TOO_LARGE:
        raise BadInput(field, given, "running.too_large")
    return found
