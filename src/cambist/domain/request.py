"""What goes to a venue, and what a venue can do for us by itself."""

from dataclasses import dataclass
from decimal import Decimal

from cambist.domain.order import OrderType, Side, TimeInForce
from cambist.domain.record import record


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What a venue can do for us by itself."""

    stops: bool
    """Stop-market (or stop-limit) orders rest at the venue."""
    oco: bool
    """A stop and a take-profit rest as one: when one fills, the venue ends the other."""
    amend: bool = False
    """The trigger of a resting stop can be moved without taking it back."""
    cuts_to_cash: bool = False
    """Entries are cut to `OrderRequest.cost_limit` by the venue itself, as the fill law says (the simulated one)."""
    receive_window_ms: int = 5_000
    """A request that reaches the venue later than this after it was signed is refused by it."""


@record(kw_only=True)
class OrderRequest:
    """An order as it goes to the venue. Prices are whole ticks, quantities whole lots."""

    client_id: str
    symbol: str
    side: Side
    type: OrderType
    quantity: Decimal
    price: Decimal | None = None
    trigger: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    reduce_only: bool = False
    """Meant for perpetuals; spot venues ignore it."""
    cost_limit: Decimal | None = None
    """Quote currency that an entry may cost, fee included; only venues that cut to cash heed it."""
