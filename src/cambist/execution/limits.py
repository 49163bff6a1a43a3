"""What an account's orders are judged by: the limits that people set, and the situation that an order meets."""

from dataclasses import dataclass, fields
from decimal import Decimal

from cambist.domain.errors import BadInput
from cambist.domain.record import record
from cambist.domain.trading import TradingState
from cambist.execution.breaker import Breaker

MINUTE_MS = 60_000
MOST_ORDERS = 1_000
"""How many order times are kept: a limit on orders per minute must be at most this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a person allows; None: no limit. Notionals and losses are in quote currency. At a limit is within it.

    Raises `BadInput` for a limit that is negative, not finite, or could never bind.
    """

    max_order_notional: Decimal | None = None
    max_instrument_notional: Decimal | None = None
    max_bot_notional: Decimal | None = None
    max_account_notional: Decimal | None = None
    max_user_notional: Decimal | None = None
    max_open_positions: int | None = None
    max_orders_per_10s: int | None = None
    max_orders_per_minute: int | None = None
    max_daily_loss: Decimal | None = None
    """A UTC day that has lost this much, unrealised included, sees no more entries."""
    max_daily_loss_fraction: Decimal | None = None
    """The same, as a fraction of the day's opening equity."""
    price_band_bps: Decimal | None = None
    """How far from the last trade an entry may be priced."""
    max_price_age_ms: int | None = None
    max_clock_skew_ms: int | None = None
    max_unprotected_ms: int | None = 30_000
    """How long a position may wait for its stop to rest at a venue that takes stops, before it is closed at market."""

    def __post_init__(self) -> None:
        for name in (field.name for field in fields(self)):
            limit = getattr(self, name)
            if limit is None:
                continue
            if not Decimal(limit).is_finite() or limit < 0:
                raise BadInput(name, limit, "limits.positive")
            if name.startswith("max_orders") and limit > MOST_ORDERS:
                raise BadInput(name, limit, "limits.orders", most=MOST_ORDERS)
        fraction = self.max_daily_loss_fraction
        if fraction is not None and not 0 < fraction <= 1:
            raise BadInput("max_daily_loss_fraction", fraction, "limits.fraction")


@record
class OrderRate:
    """When the last orders left (ms, oldest first): those of the last minute, at most `MOST_ORDERS`."""

    times: tuple[int, ...] = ()

    def sent(self, ts: int) -> "OrderRate":
        """Return the rate after an order left at ``ts``; all that leave count, also those that only reduce."""
        kept = [time for time in self.times if time > ts - MINUTE_MS]
        return OrderRate((*kept, ts)[-MOST_ORDERS:])

    def within(self, span_ms: int, now_ms: int) -> int:
        """Return how many left in the ``span_ms`` (at most a minute) before ``now_ms``.

        Times after ``now_ms`` count too: a clock that was set back does not allow more.
        """
        return sum(time > now_ms - span_ms for time in self.times)


@record(kw_only=True)
class Situation:
    """What an order meets on its way out, as the caller sees it at ``now_ms``. Money is in quote currency."""

    now_ms: int
    state: TradingState
    halted_may_reduce: bool
    """Whether whoever halted the account allowed it to go on protecting and closing what it holds."""
    breaker: Breaker
    """The account's, watched with ``equity``."""
    equity: Decimal
    venue_ready: bool
    """Whether the venue answers, its stream is up, and books were found to agree since it came up."""
    clock_skew_ms: int
    """Our clock less the venue's."""
    last_price: Decimal | None
    """Of the instrument's last trade; None: none was seen."""
    last_price_ms: int
    frozen: bool
    """Whether book and venue differ on the instrument."""
    opposed: bool
    """Whether others of the account are, or want to be, on the other side of the same perpetual."""
    unknown_order: bool
    """Whether of an order on the instrument it is not known if the venue has it."""
    instrument_notional: Decimal
    """What is held and under way to be entered on the instrument by the account's bots (shorts count as positive)."""
    bot_notional: Decimal
    account_notional: Decimal
    user_notional: Decimal
    other_positions: int
    """Positions held or being entered by the account, without the one that the order would enter."""
    free_cash: Decimal
    """What the bot may spend."""
    cash_binds: bool
    """Whether an entry must cost no more than ``free_cash``. Not where the venue cuts it to the cash, as the fill law
    (`cambist.market.matching`) does."""
    rate: OrderRate
