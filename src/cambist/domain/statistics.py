"""How trading has gone: what statistics say. Money is exact and in one currency, ratios are estimates."""

from decimal import Decimal

from cambist.domain.price import Price
from cambist.domain.record import record


@record(kw_only=True)
class Performance:
    """How some of the trading has gone. Money is in ``currency``."""

    name: str
    """The group's: a bot, a strategy, a source, a broker's account, a symbol; empty for all that was asked for."""
    currency: str
    since: int | None
    until: int | None
    """From when to when (ms) there was something to measure; None: nothing."""
    capital: Decimal | None
    """What the returns are of; None where there is no such thing (orders by hand)."""
    pnl: Decimal
    """Won and lost, what is held valued at its last price."""
    realised: Decimal
    """By trades that have ended."""
    fees: Decimal
    """Of trades that have ended."""
    trades: int
    open_positions: int
    figures: tuple[tuple[str, float | None], ...]
    """By the keys of docs/metrics.md; None: undefined."""


@record(kw_only=True)
class Report:
    """Performances in one currency, and what could not be turned into it."""

    currency: str
    rates: tuple[Price, ...]
    unconverted: tuple[str, ...]
    """Currencies without a price: what is in them is not counted."""
    groups: tuple[Performance, ...]


@record(kw_only=True)
class Balance:
    """What accounts were worth over time, in ``currency``; ``account`` is empty for all together."""

    account: str
    currency: str
    ts: tuple[int, ...]
    balance: tuple[Decimal, ...]


@record(kw_only=True)
class Balances:
    """What was worth what over time."""

    currency: str
    rates: tuple[Price, ...]
    unconverted: tuple[str, ...]
    total: Balance
    accounts: tuple[Balance, ...]
    """Each in its own currency."""


@record(kw_only=True)
class Day:
    """What one UTC day came to."""

    day: str
    """As 2026-11-21."""
    pnl: Decimal
    """Change of what the bots and the orders by hand have won, positions valued at their last prices of the day."""
    realised: Decimal
    fees: Decimal
    trades: int
    won: int


@record(kw_only=True)
class Daily:
    """Day after day, oldest first."""

    currency: str
    rates: tuple[Price, ...]
    unconverted: tuple[str, ...]
    days: tuple[Day, ...]
