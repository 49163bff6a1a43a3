"""Orders: what is asked of a venue, and what came of it."""

from decimal import Decimal
from enum import StrEnum

from cambist.domain.record import record


class Side(StrEnum):
    """Which way an order goes."""

    BUY = "buy"
    SELL = "sell"

    sign: int
    """+1 for buy, -1 for sell."""

    def __init__(self, value: str) -> None:
        self.sign = 1 if value == "buy" else -1

    @property
    def opposite(self) -> "Side":
        """Return the other side."""
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(StrEnum):
    """How an order waits and at what it fills."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    """Becomes a market order when price goes against it to ``trigger``."""
    TAKE_PROFIT = "take_profit"
    """Becomes a market order when price goes its way to ``trigger``."""


class TimeInForce(StrEnum):
    """How long an order lives."""

    GTC = "gtc"
    """Until it is filled or cancelled."""
    IOC = "ioc"
    """What does not fill at once is dropped."""


class Role(StrEnum):
    """What an order is for."""

    ENTRY = "entry"
    EXIT = "signal"
    """Closes a position because the strategy wished so."""
    STOP_LOSS = "stop_loss"
    TAKE_PROFIT = "take_profit"
    TRAILING_STOP = "trailing_stop"


class Liquidity(StrEnum):
    """Whether a fill took from the book or was waiting in it."""

    MAKER = "maker"
    TAKER = "taker"


@record(kw_only=True)
class Order:
    """One order. ``price`` is set for limits, ``trigger`` for stops and take-profits; all in the instrument's steps."""

    id: str
    """The client order id: a pure function of bot, cause and leg."""
    bot: str
    side: Side
    type: OrderType
    quantity: Decimal
    role: Role
    price: Decimal | None = None
    trigger: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC

    @property
    def reduces(self) -> bool:
        """Whether the order may only make a position smaller."""
        return self.role is not Role.ENTRY

    @property
    def level(self) -> Decimal:
        """Return the price at which a waiting order acts: its limit or its trigger."""
        level = self.price if self.type is OrderType.LIMIT else self.trigger
        if level is None:
            raise ValueError(f"order {self.id} waits for no price")
        return level

    @property
    def falling(self) -> bool:
        """Whether a waiting order acts when price falls to its level (else: when it rises to it)."""
        return (self.side is Side.SELL) == (self.type is OrderType.STOP)


@record(kw_only=True)
class Fill:
    """One execution of one order."""

    ts: int
    """Open time (ms) of the candle in which it happened; live, the venue's time."""
    price: Decimal
    quantity: Decimal
    fee: Decimal
    """In ``fee_asset``."""
    slippage: Decimal
    """What it cost to be worse than the price it acted at, in quote currency; already in ``price``."""
    liquidity: Liquidity
    fee_asset: str = ""
    """Empty: the quote currency."""
