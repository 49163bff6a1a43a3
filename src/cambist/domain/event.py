"""Events: what has happened, in the past tense. The only thing that moves the engine."""

from decimal import Decimal

from cambist.domain.account import BotSpec, BotStatus
from cambist.domain.instrument import Instrument
from cambist.domain.order import Fill, Order, OrderType, Side, TimeInForce
from cambist.domain.record import record
from cambist.domain.report import BalancesReported, FillReport, OrderReport
from cambist.domain.request import Traits
from cambist.domain.trading import TradingState
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


@record
class GuardTouched:
    """Price has reached a guard of the bot's position that does not rest at the venue (or does, and did not act)."""

    bot: str
    ts: int
    order: str
    """The guard's id."""
    price: Decimal


@record
class Released:
    """A person takes a position out of its bot's hands, unsold: what it held is the account's from here on."""

    bot: str
    ts: int


@record
class Wished:
    """A person, or a program that speaks for one, has wishes for a bot, at about price ``close``."""

    ts: int
    request: int
    """Number of the request: it is acted on once."""
    bot: str
    close: float
    wishes: tuple[Wish, ...]


@record(kw_only=True)
class HandOrdered:
    """A person orders on what the account holds free."""

    ts: int
    request: int
    instrument: Instrument
    side: Side
    type: OrderType
    quantity: Decimal
    price: Decimal | None = None
    trigger: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    reduce_only: bool = False


@record
class HandCancelled:
    """A person takes an order by hand back."""

    ts: int
    request: int
    client_id: str


@record
class HandAmended:
    """A person wants an order by hand to be of this quantity (what has filled included), at these prices."""

    ts: int
    request: int
    client_id: str
    quantity: Decimal
    price: Decimal | None = None
    trigger: Decimal | None = None


Event = CandleClosed | Decided | OrderFilled | OrderExpired | FundingPaid | GuardTouched | Released
"""What moves one bot's decision, in backtest and live."""


# -- what happens to an account, live: journaled, each of these -------------------------------------------------------


@record
class Opened:
    """The account was taken over with what its venue reported."""

    report: BalancesReported


@record
class Configured:
    """From here on these are the account's settings, and what its venue can do. Judged by others, the same events would
    not give the same account."""

    ts: int
    traits: Traits
    limits: str
    """JSON of `cambist.execution.limits.Limits`."""
    rules: str
    """JSON of `cambist.execution.breaker.BreakerRules`."""


@record
class BotAdded:
    """A bot was given its budget, and the instrument that it trades."""

    ts: int
    spec: BotSpec
    instrument: Instrument


@record
class BotChanged:
    """A bot was started, stopped, suspended, resumed or paused."""

    ts: int
    bot: str
    status: BotStatus


@record
class BotDeleted:
    """A bot that holds nothing gives back what it was given, with what it won or lost."""

    ts: int
    bot: str


@record
class Seen:
    """What was known of market and venue at a decision, or when a price alone asked for one."""

    ts: int
    prices: tuple[tuple[str, Decimal], ...]
    """(symbol, last price), of now."""
    venue_ready: bool
    clock_skew_ms: int = 0
    """Our clock less the venue's."""
    marks: tuple[tuple[str, Decimal], ...] = ()
    """(symbol, last price) of what else is held: they value positions, and may be a minute old."""
    elsewhere: Decimal = Decimal(0)
    """What the same user's other accounts hold and have ordered, in quote currency."""


@record
class OrderReported:
    """The venue said where an order stands."""

    report: OrderReport


@record
class FillReported:
    """The venue reported an execution."""

    fill: FillReport


@record
class OrderLost:
    """An order left and no answer came."""

    client_id: str
    ts: int


@record
class OrderAbsent:
    """The venue knows no order of this id, and no request of ours can reach it any more."""

    client_id: str
    ts: int


@record
class CancelStood:
    """The venue would not cancel an order, or it is not known whether it did: it may still stand."""

    client_id: str
    ts: int


@record
class TriggerMoved:
    """The venue moved the trigger of a resting stop."""

    client_id: str
    ts: int
    trigger: Decimal


@record
class TradingChanged:
    """A person (or the kill switch) changed what the account may do; ``flatten`` closes all positions."""

    ts: int
    state: TradingState
    may_reduce: bool = True
    flatten: bool = False


@record
class BreakerRearmed:
    """A person re-armed the equity breaker."""

    ts: int


@record
class Frozen:
    """Book and venue were found to differ on an instrument."""

    ts: int
    symbol: str
    why: str


@record
class Thawed:
    """A person has looked at the difference and lets the instrument trade again."""

    ts: int
    symbol: str


@record
class Corrected:
    """A person adopts that the venue holds ``amount`` more of ``asset`` than the book said (negative: less)."""

    ts: int
    asset: str
    amount: Decimal
    why: str


@record
class Restarted:
    """The engine came up on this account: what was on its way when it went down has no answer."""

    ts: int


@record
class TimePassed:
    """A deadline has come."""

    ts: int


AccountEvent = (
    CandleClosed
    | Decided
    | FundingPaid
    | GuardTouched
    | Opened
    | Configured
    | BotAdded
    | BotChanged
    | BotDeleted
    | Seen
    | OrderReported
    | FillReported
    | OrderLost
    | OrderAbsent
    | CancelStood
    | TriggerMoved
    | TradingChanged
    | BreakerRearmed
    | Frozen
    | Thawed
    | Corrected
    | Released
    | Restarted
    | TimePassed
    | Wished
    | HandOrdered
    | HandCancelled
    | HandAmended
)
"""What moves an account. Journaled before anything is done about it; the same events give the same account again."""
