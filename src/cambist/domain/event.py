"""Events: what has happened, in the past tense. The only thing that moves the engine."""

from decimal import Decimal

from cambist.domain.order import Fill, Order
from cambist.domain.record import record
from cambist.domain.wish import Wish


@record
class CandleClosed:
    """A candle of the bot's instrument has closed."""

    bot: str
    ts: int
    high: float
    low: float
    close: float


@record
class Decided:
    """A bot's strategy has wishes, on the candle that opened at ``ts`` and closed at price ``close``."""

    bot: str
    ts: int
    close: float
    wishes: tuple[Wish, ...]


@record
class OrderFilled:
    """An order filled, whole or in part."""

    order: Order
    fill: Fill
    done: bool
    """Whether nothing of the order is left."""


@record
class OrderExpired:
    """What was left of an order was dropped by the venue: IOC, cash or minimums did not allow more."""

    order: Order
    ts: int


@record
class FundingPaid:
    """A perpetual's funding was exchanged; ``amount`` is in quote currency, negative if the bot received it."""

    bot: str
    ts: int
    amount: Decimal


Event = CandleClosed | Decided | OrderFilled | OrderExpired | FundingPaid
