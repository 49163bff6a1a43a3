"""The proof stamp: did a strategy look ahead, and was its warm-up long enough?"""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """The outcome of one proof."""

    PASS = "pass"
    FAIL = "fail"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The first place where a value computed on truncated history differs from the one that the backtest used."""

    ts: int
    """Open time (ms) of the candle."""
    symbol: str
    column: str
    """The signal, indicator or decision that differs."""
    used: float
    """The value that the backtest used."""
    truncated: float
    """The value that was to be had at that time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What was proved of one backtest."""

    look_ahead: Verdict
    warm_up: Verdict
    checks: int = 0
    """Truncated histories on which the strategy was computed anew."""
    warm_up_candles: int = 0
    look_ahead_difference: Difference | None = None
    warm_up_difference: Difference | None = None

    @property
    def passed(self) -> bool:
        """Whether both proofs were made and hold."""
        return self.look_ahead is Verdict.PASS and self.warm_up is Verdict.PASS
