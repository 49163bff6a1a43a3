"""The life of an order, as one table. What a venue can say is a word; an order that has heard it is in a state.

Words come late, twice, and in any order. The table has an answer to every word in every state; quantity is counted
by trade id, beside the state, so no path through the table loses quantity or counts it twice.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from cambist.domain.order import Order
from cambist.domain.report import FillReport, OrderReport, Status
from cambist.domain.request import OrderRequest
from cambist.domain.wish import Enter

ZERO = Decimal(0)


class Life(StrEnum):
    """Where an order stands, as far as we know."""

    NEW = "new"
    SUBMITTING = "submitting"
    """Journaled, and on its way: it may or may not have left."""
    UNKNOWN = "unknown"
    """It has left, and no answer came: it may or may not exist. Only the venue's own word ends this."""
    OPEN = "open"
    PARTLY_FILLED = "partly_filled"
    FILLED = "filled"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    EXPIRED = "expired"


class Word(StrEnum):
    """What an order can hear."""

    SENT = "sent"
    LOST = "lost"
    """No answer came, or one that says nothing."""
    ACCEPTED = "accepted"
    PART = "part"
    """A fill that leaves something."""
    WHOLE = "whole"
    """The fill after which nothing is left."""
    TAKE_BACK = "take_back"
    """We asked the venue to cancel it."""
    STANDS = "stands"
    """The venue would not cancel it."""
    CANCELLED = "cancelled"
    REFUSED = "refused"
    EXPIRED = "expired"
    ABSENT = "absent"
    """The venue knows no such order, and a request of ours can no longer reach it."""


_LETTERS = dict(zip("NSUOPFCXRE", Life, strict=True))
# What each word makes of an order, in the order of `Word`:
#     sent lost accepted part whole take_back stands cancelled refused expired absent
_ROWS = {
    "N": "S N O P F X N X R E N",
    "S": "S U O P F S S X R E R",
    "U": "U U O P F U U X R E R",
    "O": "O O O P F C O X R E E",
    "P": "P P P P F C P X R E E",
    "C": "C C C C F C O X R E E",
    # ended: of the venue's later words only a fill of the whole changes anything
    "F": "F F F F F F F F F F F",
    "X": "X X X X F X X X X X X",
    "E": "E E E E F E E E E E E",
    # it said no, or that it had none, and now shows it: evidence wins
    "R": "R R O P F R R X R E R",
}
TABLE: dict[Life, dict[Word, Life]] = {
    _LETTERS[life]: {word: _LETTERS[to] for word, to in zip(Word, row.split(), strict=True)}
    for life, row in _ROWS.items()
}

ENDED = frozenset({Life.FILLED, Life.CANCELLED, Life.REFUSED, Life.EXPIRED})
_SAID = {
    Status.OPEN: Word.ACCEPTED,
    Status.PARTLY_FILLED: Word.ACCEPTED,
    Status.CANCELLED: Word.CANCELLED,
    Status.REFUSED: Word.REFUSED,
    Status.EXPIRED: Word.EXPIRED,
}


@dataclass(slots=True)
class Working:
    """One order under way: what was asked, where it stands, what it has filled."""

    order: Order
    """As the decision knows it; several attempts at one order share it."""
    request: OrderRequest
    attempt: int = 1
    plan: Enter | None = None
    """For entries: the wish that it comes from, with its protections."""
    list_id: str = ""
    """The pair (OCO) that it belongs to."""
    life: Life = Life.NEW
    trades: set[str] = field(default_factory=set)
    filled: Decimal = ZERO
    """The sum of the fills that we hold, each counted once."""
    reported: Decimal = ZERO
    """What the venue says has filled; more than ``filled``: fills are on their way to us."""
    since_ms: int = 0
    """When it entered its present state."""
    sent_ms: int = 0
    """When it was sent at the earliest: none of its fills is older, whatever states it has been in since."""
    told: bool = False
    """Whether the decision has been told that it ended."""
    reason: str = ""

    @property
    def ended(self) -> bool:
        """Whether the venue will do nothing more with it."""
        return self.life in ENDED

    @property
    def settled(self) -> bool:
        """Whether it has ended and we hold every fill that the venue reports."""
        return self.ended and self.filled >= self.reported

    @property
    def left(self) -> Decimal:
        """Return the quantity that has not filled."""
        return self.request.quantity - self.filled

    def hear(self, word: Word, ts: int) -> None:
        """Move to the state that ``word`` leads to."""
        life = TABLE[self.life][word]
        if word is Word.SENT:
            self.sent_ms = self.sent_ms or ts
        if life is not self.life:
            self.life, self.since_ms = life, ts

    def report(self, report: OrderReport) -> None:
        """Take in the venue's word on this order; a stale one changes nothing."""
        self.reported = max(self.reported, report.filled)
        self.reason = report.reason or self.reason
        if report.status is Status.FILLED:
            self.reported = max(self.reported, self.request.quantity)
            if self.filled >= self.request.quantity:
                self.hear(Word.WHOLE, report.ts)
            elif not self.ended:
                self.hear(Word.ACCEPTED, report.ts)  # it is filled once the fills are here
            return
        self.hear(_SAID[report.status], report.ts)

    def fill(self, fill: FillReport) -> bool:
        """Count ``fill``; False if it was counted before."""
        if fill.trade_id in self.trades:
            return False
        self.trades.add(fill.trade_id)
        self.filled += fill.quantity
        self.hear(Word.WHOLE if self.filled >= self.request.quantity else Word.PART, fill.ts)
        return True
