"""Refusals: values with a reason, not exceptions."""

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why a wish did not become an order. Texts: ``refused.<reason>``."""

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


@dataclass(frozen=True, slots=True)
class Refused:
    """A wish that was refused."""

    bot: str
    ts: int
    reason: Reason
