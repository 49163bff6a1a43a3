"""Positions: what a bot holds of one instrument."""

from decimal import Decimal

from cambist.domain.record import record

ZERO = Decimal(0)


@record
class Position:
    """A signed quantity (negative: short) and the average price at which it was entered."""

    quantity: Decimal = ZERO
    entry_price: Decimal = ZERO
    entries: int = 0
    """How many entries it is made of."""

    def __bool__(self) -> bool:
        return self.quantity != ZERO

    def grown(self, signed_quantity: Decimal, price: Decimal, *, new_entry: bool = True) -> "Position":
        """Return the position after a fill in its own direction (or the first one); entry price is averaged.

        ``new_entry`` is False for a further fill of an order that is counted already.
        """
        total = self.quantity + signed_quantity
        if not self.quantity:
            return Position(total, price, 1)
        cost = self.quantity * self.entry_price + signed_quantity * price
        return Position(total, cost / total, self.entries + new_entry)

    def reduced(self, signed_quantity: Decimal) -> "Position":
        """Return the position after a fill against it, which must not turn it round."""
        left = self.quantity + signed_quantity
        if left * self.quantity < 0:
            raise ValueError(f"a fill of {signed_quantity} turns a position of {self.quantity} round")
        return Position(left, self.entry_price, self.entries) if left else FLAT

    def traded(self, signed_quantity: Decimal, price: Decimal) -> "Position":
        """Return the position after a fill either way, which may turn it round."""
        left = self.quantity + signed_quantity
        if self.quantity * signed_quantity >= 0:
            return self.grown(signed_quantity, price)
        if self.quantity * left >= 0:
            return self.reduced(signed_quantity)
        return Position(left, price, 1)


FLAT = Position()
