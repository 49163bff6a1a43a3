"""Is a stream whole and plausible? Its ids, its times; each flaw is named with its place."""

from enum import StrEnum

from cambist.domain.record import record
from cambist.market.order_book import BookSnapshot


class Flaw(StrEnum):
    """What can be wrong with a message that parses."""

    GAP = "gap"
    """Ids between this message and the one before are absent."""
    REPEATED = "repeated"
    """Its ids were there before."""
    EARLY = "early"
    """It was received before it happened."""
    LATE = "late"
    """It was received long after it happened."""
    OUTSIDE = "outside"
    """It lies outside the span that the record is said to cover."""
    UNEVEN = "uneven"
    """A snapshot shows fewer levels than were asked for."""


@record(kw_only=True)
class Finding:
    """One flaw: at the id ``at``, where ``expected`` should have stood and ``found`` did (ids, ms or levels)."""

    flaw: Flaw
    at: int
    expected: int
    found: int


class SequenceCheck:
    """Ids that rise without a gap: trades, one each; book changes, from a first to a last."""

    def __init__(self) -> None:
        self._next: int | None = None

    def see(self, first: int, last: int | None = None) -> Finding | None:
        """Return what is wrong with the message that holds the ids from ``first`` to ``last``, None if nothing is."""
        expected, last = self._next, first if last is None else last
        if expected is None or first == expected:
            self._next = last + 1
            return None
        if first < expected:
            return Finding(flaw=Flaw.REPEATED, at=first, expected=expected, found=first)
        self._next = last + 1
        return Finding(flaw=Flaw.GAP, at=first, expected=expected, found=first)


@record(kw_only=True)
class TimeCheck:
    """When a message may be received, in ms: not before its event less ``skew_ms``, not later than ``late_ms`` after.

    ``since`` and ``until`` bound the events themselves: ``[since, until)``.
    """

    skew_ms: int = 1_000
    late_ms: int = 5_000
    since: int | None = None
    until: int | None = None

    def see(self, at: int, event_ms: int, received_ms: int) -> Finding | None:
        """Return what is wrong with the times of the message with the id ``at``, None if nothing is."""
        if self.since is not None and event_ms < self.since:
            return Finding(flaw=Flaw.OUTSIDE, at=at, expected=self.since, found=event_ms)
        if self.until is not None and event_ms >= self.until:
            return Finding(flaw=Flaw.OUTSIDE, at=at, expected=self.until, found=event_ms)
        if received_ms < event_ms - self.skew_ms:
            return Finding(flaw=Flaw.EARLY, at=at, expected=event_ms, found=received_ms)
        if received_ms > event_ms + self.late_ms:
            return Finding(flaw=Flaw.LATE, at=at, expected=event_ms, found=received_ms)
        return None


def check_levels(snapshot: BookSnapshot, levels: int) -> Finding | None:
    """Tell whether a snapshot of a deep market shows ``levels`` on each side."""
    fewest = min(len(snapshot.bids), len(snapshot.asks))
    if fewest == levels:
        return None
    return Finding(flaw=Flaw.UNEVEN, at=snapshot.last_update, expected=levels, found=fewest)
