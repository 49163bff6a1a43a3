"""What exchanges show to everybody: the symbols that they list, their last prices, their order books."""

from decimal import Decimal
from typing import Self

from cambist.domain.instrument import Instrument, Kind
from cambist.domain.record import record


@record(kw_only=True)
class Listing:
    """One symbol that an exchange (or its testnet) lists, with the rules of its orders."""

    exchange: str
    testnet: bool
    symbol: str
    base: str
    quote: str
    kind: Kind
    active: bool
    """Whether it is traded now."""
    tick_size: Decimal
    lot_step: Decimal
    min_quantity: Decimal
    min_notional: Decimal

    @classmethod
    def of(cls, rules: Instrument, *, testnet: bool = False, active: bool = True) -> Self:
        """Return the listing of an instrument."""
        return cls(
            exchange=rules.venue,
            testnet=testnet,
            symbol=rules.symbol,
            base=rules.base,
            quote=rules.quote,
            kind=rules.kind,
            active=active,
            tick_size=rules.tick_size,
            lot_step=rules.lot_step,
            min_quantity=rules.min_quantity,
            min_notional=rules.min_notional,
        )


@record(kw_only=True)
class ListedExchange:
    """When the symbols of an exchange were last fetched, and how many there are."""

    exchange: str
    testnet: bool
    refreshed_ms: int
    count: int


@record(kw_only=True)
class Ticker:
    """The last prices of one symbol; what the exchange does not tell is None. Volumes are of the last 24 hours."""

    symbol: str
    ts: int
    """When it was true (ms, the exchange's clock)."""
    last: Decimal | None
    bid: Decimal | None
    ask: Decimal | None
    high: Decimal | None
    low: Decimal | None
    open: Decimal | None
    volume: Decimal | None
    """In base currency."""
    quote_volume: Decimal | None
    change_percent: Decimal | None


@record(kw_only=True)
class Depth:
    """An order book down to some levels: (price, quantity), the best first."""

    symbol: str
    ts: int
    bids: tuple[tuple[Decimal, Decimal], ...]
    asks: tuple[tuple[Decimal, Decimal], ...]
