"""How an account stands, as screens and chats are told it: what the audit stream carries, and nothing else reads."""

from decimal import Decimal

from cambist.domain.account import BotStatus, Mode
from cambist.domain.order import OrderType, Role, Side
from cambist.domain.record import record
from cambist.domain.timeframe import Timeframe
from cambist.domain.trading import BreakerStage, TradingState


@record(kw_only=True)
class OrderStanding:
    """One order that is not over, or is and was not settled yet."""

    client_id: str
    symbol: str
    side: Side
    type: OrderType
    role: Role
    life: str
    """A state of `cambist.execution.orders`."""
    quantity: Decimal
    filled: Decimal
    price: Decimal | None
    """The limit; None for market orders."""
    trigger: Decimal | None
    since_ms: int


@record(kw_only=True)
class BotStanding:
    """One bot: what it is doing, what it holds, who guards that, and its orders."""

    id: str
    strategy: str
    symbol: str
    timeframe: Timeframe
    status: BotStatus
    budget: Decimal
    equity: Decimal
    """The budget with its gains and losses, the position at the last price."""
    price: Decimal | None
    """The instrument's last price."""
    quantity: Decimal
    """Of the position; negative if short, 0 if there is none."""
    entry_price: Decimal
    unrealised: Decimal
    """What the position has gained at the last price, before fees."""
    protection: str
    """A value of `cambist.execution.protection.Protection`."""
    stop_loss: Decimal | None
    take_profit: Decimal | None
    trades: int
    """How many have closed."""
    realised: Decimal
    """What was gained so far, fees and funding included, the present position's too."""
    closing: bool = False
    """Whether the position is being closed: its guards are taken back for that."""
    orders: tuple[OrderStanding, ...] = ()


@record(kw_only=True)
class AccountStanding:
    """One account and its bots. Money is in ``quote``."""

    id: str
    user_id: int
    venue: str
    mode: Mode
    quote: str
    ts: int
    """When it stood so (ms)."""
    seq: int
    """The last journal entry that this knows of."""
    ready: bool | None
    """Whether the venue's stream is up and books have been compared since; None: read off a journal, so unknown."""
    trading: TradingState
    breaker: BreakerStage
    equity: Decimal
    """Of its bots together."""
    free: Decimal = Decimal(0)
    """Cash that no bot has and no order by hand waits for."""
    won: Decimal = Decimal(0)
    """What bots that were deleted have won, less what they have lost."""
    frozen: tuple[tuple[str, str], ...] = ()
    """(symbol, why)."""
    unknown: tuple[str, ...] = ()
    """Client ids of orders of which only the venue knows what has become."""
    foreign: tuple[str, ...] = ()
    """Client ids of orders found at the venue that are not ours."""
    bots: tuple[BotStanding, ...] = ()
