"""The equity breaker: as an account's equity falls, its trading is narrowed in stages.

Equity is that of the whole account over all its bots, open positions at their last prices included. The breaker is
watched at every change of it, also where no rule is set: it keeps the day's opening, which the daily limits need.

- The stage only rises by itself. A person re-arms it (`rearm`); a restart does not: the `Breaker` is stored.
- Falls are fractions, counted from the peak (since the breaker was armed) and from the opening of the UTC day. After
  re-arming, the day counts from the peak since then, or the fall that was just accepted would trip it again.
- A fall of exactly the stage's fraction trips it. Nothing is divided, so nothing is rounded, but in `moved`.
- The day opens with the first equity that is seen in it.
"""

from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Context, Decimal

from cambist.domain.errors import BadInput
from cambist.domain.exact import EXACT
from cambist.domain.position import ZERO
from cambist.domain.record import record
from cambist.domain.trading import BreakerStage

DAY_MS = 86_400_000
_UP = Context(prec=50, rounding=ROUND_CEILING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Falls:
    """The falls of equity, as fractions of where it fell from, that trip each stage; None: a stage that is left out.

    Raises `BadInput` unless they are above 0, at most 1, and rise from stage to stage.
    """

    halve: Decimal | None = None
    no_entries: Decimal | None = None
    reduce_only: Decimal | None = None
    flatten: Decimal | None = None

    def __post_init__(self) -> None:
        least = ZERO
        for stage, fraction in self.stages():
            if not (fraction.is_finite() and ZERO < fraction <= 1):
                raise BadInput(stage.name.lower(), fraction, "limits.fraction")
            if fraction <= least:
                raise BadInput(stage.name.lower(), fraction, "breaker.rising", least=least)
            least = fraction

    def stages(self) -> list[tuple[BreakerStage, Decimal]]:
        """Return the stages that there are, mildest first, with their fractions."""
        named = ((stage, getattr(self, stage.name.lower())) for stage in BreakerStage if stage)
        return [(stage, fraction) for stage, fraction in named if fraction is not None]


@record(kw_only=True)
class BreakerRules:
    """What trips the breaker; whichever of the two asks for the later stage counts."""

    from_peak: Falls | None = None
    from_opening: Falls | None = None


@record(kw_only=True)
class Breaker:
    """Where an account's equity has come from, in quote currency, and how far the breaker has come."""

    peak: Decimal
    """The highest equity since the breaker was armed, made larger and smaller with it by payments in and out."""
    start: Decimal
    """The day's opening equity, likewise: fractions of the day are counted from it."""
    opening: Decimal
    """The day's opening equity, plus what was paid in since: the day's loss in money is counted from it."""
    day: int
    """Whole UTC days since the epoch."""
    stage: BreakerStage
    since_ms: int
    """When the stage was reached."""


def armed(equity: Decimal, ts: int) -> Breaker:
    """Return the breaker of an account that starts (ms) with ``equity``."""
    stage = BreakerStage.CLEAR
    return Breaker(peak=equity, start=equity, opening=equity, day=ts // DAY_MS, stage=stage, since_ms=ts)


def watch(breaker: Breaker, rules: BreakerRules, equity: Decimal, ts: int) -> Breaker:
    """Return the breaker after the account was seen to be worth ``equity`` at ``ts`` (ms).

    A ``ts`` of a day that is over (a clock that was set back) does not open that day again.
    """
    peak, start, opening, day = breaker.peak, breaker.start, breaker.opening, breaker.day
    if ts // DAY_MS > day:
        start, opening, day = equity, equity, ts // DAY_MS
    peak = max(peak, equity)
    stage = max(
        breaker.stage,
        _tripped(rules.from_peak, peak, equity),
        _tripped(rules.from_opening, min(start, peak), equity),  # the peak is lower only after re-arming
    )
    since = breaker.since_ms if stage == breaker.stage else ts
    return Breaker(peak=peak, start=start, opening=opening, day=day, stage=stage, since_ms=since)


def rearm(breaker: Breaker, equity: Decimal, ts: int) -> Breaker:
    """Return the breaker as a person re-arms it: clear, and counting falls from ``equity`` on.

    The day's opening stays: what the day may lose (`cambist.execution.limits`) is not given anew.
    """
    return replace(breaker, peak=equity, stage=BreakerStage.CLEAR, since_ms=ts)


def moved(breaker: Breaker, amount: Decimal, equity: Decimal) -> Breaker:
    """Return the breaker after ``amount`` was paid in (negative: out) while the account was worth ``equity``.

    ``equity`` is that before the payment. The day's loss in money stays what it was, and so does each fall as a
    fraction: a payment neither trips a stage nor hides a fall. What does not divide is rounded up in the 50th digit,
    so that a fall never looks smaller.
    """
    return replace(
        breaker,
        peak=_scaled(breaker.peak, amount, equity),
        start=_scaled(breaker.start, amount, equity),
        opening=EXACT.add(breaker.opening, amount),
    )


def size_factor(stage: BreakerStage) -> Decimal:
    """Return by what the size of a new entry is multiplied."""
    if stage >= BreakerStage.NO_ENTRIES:
        return ZERO
    return Decimal("0.5") if stage is BreakerStage.HALVE else Decimal(1)


def _tripped(falls: Falls | None, reference: Decimal, equity: Decimal) -> BreakerStage:
    reached = BreakerStage.CLEAR
    if falls is None or equity >= reference:
        return reached
    fall = EXACT.subtract(reference, equity)
    for stage, fraction in falls.stages():
        if fall >= EXACT.multiply(fraction, reference):
            reached = stage
    return reached


def _scaled(reference: Decimal, amount: Decimal, equity: Decimal) -> Decimal:
    after = EXACT.add(equity, amount)
    if equity <= 0 or after < 0:  # there is no fraction of nothing: keep the loss in money
        return EXACT.add(reference, amount)
    return _UP.divide(EXACT.multiply(reference, after), equity)
