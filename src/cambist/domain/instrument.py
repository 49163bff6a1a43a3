"""Instruments: everything that can be traded on a venue, with the rules its orders must keep."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Kind(StrEnum):
    """What is traded."""

    SPOT = "spot"
    PERPETUAL = "perpetual"
    OUTCOME = "outcome"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """A spot pair, a perpetual or an outcome share, and the rules that its venue sets.

    Prices are multiples of ``tick_size``, quantities multiples of ``lot_step``; an order is worth at least
    ``min_notional`` (quote currency) and is at least ``min_quantity`` (base currency). Fees are in basis points.
    ``assumed`` tells that no venue's rules were at hand and that these were chosen so as not to bind.
    """

    venue: str
    symbol: str
    kind: Kind = Kind.SPOT
    tick_size: Decimal
    lot_step: Decimal
    min_notional: Decimal = Decimal(0)
    min_quantity: Decimal = Decimal(0)
    maker_fee_bps: Decimal | None = None
    taker_fee_bps: Decimal | None = None
    assumed: bool = False

    @property
    def base(self) -> str:
        """Return the currency that is bought and sold."""
        return self.symbol.split("/", 1)[0]

    @property
    def quote(self) -> str:
        """Return the currency in which prices and profits are counted."""
        return self.symbol.split("/", 1)[-1].split(":", 1)[0]

    @classmethod
    def assume(cls, venue: str, symbol: str, highest_price: float, cash: float = 10_000.0) -> "Instrument":
        """Return an instrument whose rules do not bind: prices and what ``cash`` buys to twelve digits, no minimum.

        The kind is read off the symbol as ccxt writes it (``BTC/USDT:USDT`` is a perpetual).
        """
        digits = Decimal(str(highest_price)).adjusted() + 1 if highest_price > 0 else 0
        return cls(
            venue=venue,
            symbol=symbol,
            kind=Kind.PERPETUAL if ":" in symbol else Kind.SPOT,
            tick_size=Decimal(1).scaleb(max(-22, digits - 12)),
            lot_step=Decimal(1).scaleb(max(-22, Decimal(str(cash)).adjusted() - digits - 11)),
            assumed=True,
        )
