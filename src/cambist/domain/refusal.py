"""Refusals: values with a reason, not exceptions."""

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why a wish did not become an order, or an order did not leave. Texts: ``refused.<reason>``."""

    SHORT_ON_SPOT = "short_on_spot"
    ALREADY_IN = "already_in"
    CONTRADICTION = "contradiction"
    NO_SIZE = "no_size"
    NO_STOP_FOR_RISK = "no_stop_for_risk"
    NO_CASH = "no_cash"
    BELOW_MIN_QUANTITY = "below_min_quantity"
    BELOW_MIN_NOTIONAL = "below_min_notional"
    EXIT_PENDING = "exit_pending"
    EXPIRED = "expired"
    HALTED = "halted"
    REDUCE_ONLY = "reduce_only"
    BREAKER = "breaker"
    FROZEN = "frozen"
    UNKNOWN_ORDER = "unknown_order"
    VENUE_NOT_READY = "venue_not_ready"
    CLOCK_SKEW = "clock_skew"
    STALE_PRICE = "stale_price"
    OFF_LOT = "off_lot"
    OFF_TICK = "off_tick"
    PRICE_BAND = "price_band"
    ORDER_NOTIONAL = "order_notional"
    INSTRUMENT_NOTIONAL = "instrument_notional"
    BOT_NOTIONAL = "bot_notional"
    ACCOUNT_NOTIONAL = "account_notional"
    USER_NOTIONAL = "user_notional"
    OPEN_POSITIONS = "open_positions"
    ORDER_RATE = "order_rate"
    DAILY_LOSS = "daily_loss"
    NO_HOLDING = "no_holding"
    OPPOSED = "opposed"


@dataclass(frozen=True, slots=True)
class Refused:
    """A wish that was refused."""

    bot: str
    ts: int
    reason: Reason
