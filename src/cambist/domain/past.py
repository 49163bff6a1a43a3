"""What has become of orders: each order, its fills, the trades that came of them, and what all of it was worth."""

from decimal import Decimal

from cambist.domain.record import record

MANUAL = "manual"
"""The source of what a person ordered by hand, and the reason why such a trade ended."""
STRATEGY = "strategy"
"""The source of what a bot's own strategy decided."""
WHOLE = ""
"""In place of a bot: the account as a whole."""


@record(kw_only=True)
class PastOrder:
    """One order, or one wish that was refused before an order came of it."""

    account: str
    client_id: str
    user_id: int
    bot: str
    source: str
    """`STRATEGY`, `MANUAL`, or ``webhook:<id>``."""
    strategy: str
    symbol: str
    side: str
    """Empty where a refused wish does not tell."""
    type: str
    role: str
    status: str
    """A state of `cambist.execution.orders`; wishes that came to nothing are ``refused``."""
    reason: str
    """Why it was refused: a `cambist.domain.refusal.Reason`, ``not_running``, or the venue's own words."""
    quantity: Decimal
    """0 for a wish whose size was not known."""
    filled: Decimal
    price: Decimal | None
    """The limit; None for market orders."""
    trigger: Decimal | None
    average: Decimal | None
    """The average price at which it filled; None if it did not."""
    sent_ms: int
    changed_ms: int


@record(kw_only=True)
class PastFill:
    """One execution. ``seq`` is the entry of the account's journal that tells of it."""

    account: str
    seq: int
    user_id: int
    bot: str
    source: str
    client_id: str
    trade_id: str
    ts: int
    symbol: str
    side: str
    quantity: Decimal
    price: Decimal
    fee: Decimal
    fee_asset: str
    liquidity: str


@record(kw_only=True)
class PastTrade:
    """One position from its first fill to its last; by hand: one sale of what was bought, at its average cost."""

    account: str
    seq: int
    number: int
    user_id: int
    bot: str
    source: str
    strategy: str
    symbol: str
    quote: str
    side: str
    """``long`` or ``short``."""
    entry_ts: int
    entry_price: Decimal
    exit_ts: int
    exit_price: Decimal
    quantity: Decimal
    pnl: Decimal
    """After fees and funding, in ``quote``."""
    fees: Decimal
    slippage: Decimal
    reason: str
    """A `cambist.domain.trade.ExitReason`, or `MANUAL`."""


@record(kw_only=True)
class Curve:
    """What a bot was worth over time, or (`WHOLE`) its account: values at times (ms) that rise."""

    account: str
    bot: str
    quote: str
    ts: tuple[int, ...]
    equity: tuple[Decimal, ...]


@record(kw_only=True)
class EquityPoint:
    """What a bot was worth at ``ts`` (ms), or (`WHOLE`) its account. By hand: what was won and lost so far."""

    account: str
    bot: str
    ts: int
    user_id: int
    quote: str
    equity: Decimal


@record(kw_only=True)
class PastSeat:
    """A bot as its account's journal knows it, or the place of the orders by hand on one symbol."""

    account: str
    bot: str
    source: str
    strategy: str
    symbol: str
    quote: str
    budget: Decimal
    """0 by hand."""
    open_since_ms: int
    """Since when it has held what it holds; 0: it holds nothing."""


@record(kw_only=True)
class Results:
    """What came of trades, as columns of one length, by the times of their ends. What is not money is a float.

    What their bots are (strategy, symbol, currency) is said once, by `PastSeat`.
    """

    account: tuple[str, ...]
    bot: tuple[str, ...]
    entry_ts: tuple[int, ...]
    exit_ts: tuple[int, ...]
    turned: tuple[float, ...]
    """The value of all that was bought and sold."""
    slippage: tuple[float, ...]
    pnl: tuple[Decimal, ...]
    fees: tuple[Decimal, ...]


@record(kw_only=True)
class Wanted:
    """Which part of the past; what is None is not looked at. Times are ``[since, until)`` in ms."""

    account: str | None = None
    bot: str | None = None
    source: str | None = None
    """``webhook`` means all of them."""
    strategy: str | None = None
    symbol: str | None = None
    statuses: tuple[str, ...] = ()
    """Of orders; none: all."""
    since: int | None = None
    until: int | None = None
