"""What the decision decides on: one account's money, and for each of its bots a position and its orders."""

from dataclasses import dataclass, field
from decimal import Decimal

from cambist.domain.instrument import Instrument
from cambist.domain.order import Order
from cambist.domain.position import FLAT, ZERO, Position
from cambist.domain.record import record
from cambist.domain.refusal import Refused
from cambist.domain.trade import ExitReason
from cambist.domain.wish import Enter
from cambist.market.matching import Steps


@record(kw_only=True)
class ClosedTrade:
    """One position from its first fill to its last, exact. Times are those of the fills (ms)."""

    bot: str
    sign: int
    entry_ts: int
    entry_price: Decimal
    exit_ts: int
    exit_price: Decimal
    quantity: Decimal
    pnl: Decimal
    fees: Decimal
    slippage: Decimal
    reason: ExitReason


@dataclass(slots=True)
class Bot:
    """One strategy on one instrument, trading from the account's cash."""

    id: str
    instrument: Instrument
    pyramiding: int = 1
    mark: float = 0.0
    """The last known price (quote currency)."""
    position: Position = FLAT
    entries: dict[str, tuple[Order, Enter]] = field(default_factory=dict)
    """Entry orders under way, with the wishes that they come from."""
    waiting: list[str] = field(default_factory=list)
    """Of ``entries``, live: those that leave once the position that they would turn round is closed."""
    protections: dict[str, Order] = field(default_factory=dict)
    """Stops and take-profits that guard the position."""
    exiting: Order | None = None
    """The order that is closing the position."""
    plan: Enter | None = None
    """The wish whose protections the position carries."""
    trails: bool = False
    """Whether a trailing stop guards the position, which must see every candle."""
    # the trade under way
    entry_ts: int = 0
    filled_in: set[str] = field(default_factory=set)
    bought: Decimal = ZERO
    """Quantity entered so far."""
    left: Decimal = ZERO
    """Quantity exited so far."""
    proceeds: Decimal = ZERO
    """Value of what was exited so far (quantity times price)."""
    spent: Decimal = ZERO
    """Value of what was entered so far."""
    fees: Decimal = ZERO
    slippage: Decimal = ZERO
    funding: Decimal = ZERO
    """Funding paid (negative: received)."""
    steps: Steps = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.steps = Steps(self.instrument)

    @property
    def trailing(self) -> Order | None:
        """Return the trailing stop that guards the position, if any."""
        for order in self.protections.values():
            if order.role == "trailing_stop":
                return order
        return None


@dataclass(slots=True)
class State:
    """One account.

    ``cash`` falls by price times quantity at each buy and rises by it at each sale, on perpetuals too; so equity is
    ``cash`` plus the marked value of all positions (negative for shorts), for every kind of instrument.
    """

    cash: Decimal
    bots: dict[str, Bot] = field(default_factory=dict)
    trades: list[ClosedTrade] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)

    def equity(self) -> Decimal:
        """Return cash plus the value of all positions at their last known prices."""
        total = self.cash
        for bot in self.bots.values():
            if bot.position:
                total += bot.position.quantity * Decimal(repr(bot.mark))
        return total

    def free_cash(self) -> Decimal:
        """Return what may be spent. What shorts brought in is not ours, and as much again is held as their margin."""
        free = self.cash
        for bot in self.bots.values():
            if bot.position.quantity < 0:
                free += 2 * bot.position.quantity * bot.position.entry_price
        return free
