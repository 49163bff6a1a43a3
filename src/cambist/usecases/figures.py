"""The figures that make a trade's profit, one by one: what changes when one of them does."""

from dataclasses import dataclass
from decimal import Decimal

from cambist.domain.trade import ExitReason
from cambist.engine.state import ClosedTrade

SAME = Decimal("1e-12")
"""Within this share of each other two figures are the same: averages are divisions, and those are rounded."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What the profit of a trade is made of."""

    sign: int
    quantity: Decimal
    entry: Decimal
    exit: Decimal
    ended: bool
    fee_rate: Decimal
    """Fees as a share of what was turned over."""
    funding: Decimal

    @classmethod
    def of(cls, trade: ClosedTrade) -> "Figures":
        """Return those of ``trade``."""
        gain = trade.sign * trade.quantity * (trade.exit_price - trade.entry_price)
        ended = trade.reason is not ExitReason.OPEN
        turned = trade.quantity * (trade.entry_price + (trade.exit_price if ended else 0))
        return cls(
            sign=trade.sign,
            quantity=trade.quantity,
            entry=trade.entry_price,
            exit=trade.exit_price,
            ended=ended,
            fee_rate=trade.fees / turned,
            funding=gain - trade.fees - trade.pnl,
        )

    @property
    def turned(self) -> Decimal:
        """Return the value of all that was bought and sold."""
        return self.quantity * (self.entry + (self.exit if self.ended else 0))

    @property
    def pnl(self) -> Decimal:
        """Return the profit after fees and funding, in quote currency."""
        gain = self.sign * self.quantity * (self.exit - self.entry)
        return gain - self.fee_rate * self.turned - self.funding

    def scale(self, field: str) -> Decimal:
        """Return what a difference of ``field`` is small or large against."""
        if field == "funding":
            return self.turned
        return Decimal(1) if field == "fee_rate" else abs(getattr(self, field))


def alike(one: Decimal, other: Decimal, scale: Decimal) -> bool:
    """Tell whether two figures are the same, measured against ``scale``."""
    return abs(one - other) <= SAME * scale
