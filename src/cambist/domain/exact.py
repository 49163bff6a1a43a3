"""Exact arithmetic. The context that Python sets by itself rounds to 28 digits without a word; this one refuses to."""

from decimal import Context, DivisionByZero, Inexact, InvalidOperation, Overflow

EXACT = Context(prec=200, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow])
"""For sums and products of money: ``EXACT.add(a, b)``. What would not fit into 200 digits raises `decimal.Inexact`."""
