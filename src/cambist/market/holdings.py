"""What one account holds at an exchange: assets, what its orders and shorts lock of them, and positions.

A spot fill moves base against quote. A perpetual's moves its position (kept under the instrument's symbol, negative
when short) against quote, by the same sums; a short locks what it brought in and as much again, its margin. That is
the cash convention of the engine's state, so that free means the same on both sides.
"""

from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal

from cambist.domain.instrument import Instrument, Kind
from cambist.domain.order import Side
from cambist.domain.position import FLAT, ZERO, Position
from cambist.domain.report import Balance

_SHOWN = Decimal("1e-18")


class Holdings:
    """The assets of one account. Amounts are exact as long as the decimal context has the digits."""

    __slots__ = ("_locked", "_margins", "_total", "positions")

    def __init__(self, balances: Mapping[str, Decimal]) -> None:
        self._total = dict(balances)
        self._locked: dict[str, Decimal] = {}
        self._margins: dict[str, dict[str, Decimal]] = {}  # of shorts, by quote and symbol
        self.positions: dict[str, Position] = {}
        """Of perpetuals, by symbol; flat ones are absent."""

    def free(self, asset: str) -> Decimal:
        """Return what can be spent or locked of ``asset``; below zero if a short has lost more than there was."""
        return self._total.get(asset, ZERO) - self._locked.get(asset, ZERO) - self._margin(asset)

    def lock(self, asset: str, amount: Decimal) -> None:
        """Lock ``amount`` more of ``asset`` (negative: less)."""
        if amount:
            self._locked[asset] = self._locked.get(asset, ZERO) + amount

    def position(self, symbol: str) -> Position:
        """Return what is held of a perpetual."""
        return self.positions.get(symbol, FLAT)

    def trade(self, instrument: Instrument, side: Side, quantity: Decimal, price: Decimal) -> None:
        """Book one fill, without its fee."""
        signed = side.sign * quantity
        self.pay(instrument.quote, signed * price)
        if instrument.kind is not Kind.PERPETUAL:
            self.pay(instrument.base, -signed)
            return
        symbol = instrument.symbol
        held = self.position(symbol)
        left = held.quantity + signed
        if held.quantity * signed >= 0:
            held = held.grown(signed, price)
        elif left * held.quantity >= 0:
            held = held.reduced(signed)
        else:
            held = FLAT.grown(left, price)
        self.pay(symbol, -signed)
        self.take(instrument, held)

    def take(self, instrument: Instrument, held: Position) -> None:
        """Hold ``held`` of a perpetual from now on, with its margin; what it cost is booked already."""
        symbol = instrument.symbol
        if held:
            self.positions[symbol] = held
        else:
            self.positions.pop(symbol, None)
        margins = self._margins.setdefault(instrument.quote, {})
        margins.pop(symbol, None)
        if held.quantity < 0:
            margins[symbol] = -2 * held.quantity * held.entry_price

    def pay(self, asset: str, amount: Decimal) -> None:
        """Take ``amount`` of ``asset`` out (negative: put it in)."""
        self._total[asset] = self._total.get(asset, ZERO) - amount

    def balance(self, asset: str) -> Balance:
        """Return what is held of ``asset``."""
        margin = self._margin(asset)
        if margin:  # from a mean price, which may have no end: shown with an end, so that what is shown adds up
            margin = margin.quantize(_SHOWN, ROUND_CEILING)
        locked = self._locked.get(asset, ZERO) + margin
        return Balance(asset, self._total.get(asset, ZERO) - locked, locked)

    def balances(self) -> dict[str, Balance]:
        """Return what is held, by asset, perpetuals by symbol; nothings are left out."""
        return {asset: self.balance(asset) for asset, total in self._total.items() if total or self._locked.get(asset)}

    def _margin(self, asset: str) -> Decimal:
        margins = self._margins.get(asset)
        return sum(margins.values(), ZERO) if margins else ZERO
