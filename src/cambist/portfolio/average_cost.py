"""What was bought by hand, at its average cost: what a sale of it has won.

A fee in the quote currency is counted with what it was paid on; one in the base currency is as if less had been bought,
and paid for apart; one in a third currency is not counted, as for bots. Sums are exact; the cost of a part is a
division, and what is left keeps the rest of it, so nothing is lost over many sales.
"""

from dataclasses import dataclass
from decimal import Decimal

from cambist.domain.exact import EXACT
from cambist.domain.instrument import Instrument, Kind
from cambist.domain.position import ZERO
from cambist.domain.record import record
from cambist.domain.report import FillReport


@record(kw_only=True)
class Reduced:
    """By how much a fill has made smaller what was held."""

    sign: int
    """+1: it was long."""
    quantity: Decimal
    cost: Decimal
    """What this part was entered at (quantity times price)."""
    proceeds: Decimal
    fees: Decimal
    """On both ways."""
    entry_ts: int


@dataclass(slots=True)
class Lot:
    """What is held of one instrument by hand."""

    held: Decimal = ZERO
    """Negative if short."""
    cost: Decimal = ZERO
    """Quantity times price of what is held."""
    fees: Decimal = ZERO
    """Paid on what is held."""
    since_ms: int = 0
    """The first fill since nothing was held."""
    realised: Decimal = ZERO
    """Won by what is not held any more, after fees."""

    def take(self, fill: FillReport, instrument: Instrument) -> Reduced | None:
        """Count ``fill``; return what it has made smaller, if it has.

        What is sold on a spot market beyond what was bought by hand has no known cost, and is not counted.
        """
        sign = fill.side.sign
        kept = fill.fee if fill.fee and fill.fee_asset == instrument.base else ZERO
        quantity = EXACT.subtract(fill.quantity, kept) if sign > 0 else EXACT.add(fill.quantity, kept)
        fee = _fee(fill, instrument)
        reduced = None
        if self.held * sign < 0:
            part = min(quantity, abs(self.held))
            paid = _share(fee, part, quantity)
            reduced = self._reduce(part, fill.price, paid)
            quantity, fee = EXACT.subtract(quantity, part), EXACT.subtract(fee, paid)
        if quantity > 0 and (sign > 0 or instrument.kind is Kind.PERPETUAL):
            self._grow(quantity * sign, fill.price, fee, fill.ts)
        return reduced

    def worth(self, price: Decimal | None) -> Decimal:
        """Return what was won and lost so far, what is held valued at ``price`` (None: at its cost), after fees."""
        won = self.realised - self.fees
        if price is None or not self.held:
            return won
        return won + self.held * price - (self.cost if self.held > 0 else -self.cost)

    def _grow(self, signed: Decimal, price: Decimal, fee: Decimal, ts: int) -> None:
        if not self.held:
            self.since_ms = ts
        self.held = EXACT.add(self.held, signed)
        self.cost = EXACT.add(self.cost, EXACT.multiply(abs(signed), price))
        self.fees = EXACT.add(self.fees, fee)

    def _reduce(self, part: Decimal, price: Decimal, fee: Decimal) -> Reduced:
        sign, whole = (1 if self.held > 0 else -1), abs(self.held)
        cost, fees = _share(self.cost, part, whole), _share(self.fees, part, whole)
        proceeds = EXACT.multiply(part, price)
        self.held = EXACT.subtract(self.held, part * sign)
        self.cost, self.fees = EXACT.subtract(self.cost, cost), EXACT.subtract(self.fees, fees)
        paid = EXACT.add(fees, fee)
        won = EXACT.subtract(proceeds, cost) * sign
        self.realised = EXACT.add(self.realised, EXACT.subtract(won, paid))
        return Reduced(sign=sign, quantity=part, cost=cost, proceeds=proceeds, fees=paid, entry_ts=self.since_ms)


def _fee(fill: FillReport, instrument: Instrument) -> Decimal:
    """Return the fee of ``fill`` in the quote currency."""
    if not fill.fee_asset or fill.fee_asset == instrument.quote:
        return fill.fee
    return EXACT.multiply(fill.fee, fill.price) if fill.fee_asset == instrument.base else ZERO


def _share(of: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    return of if part == whole else of * part / whole
