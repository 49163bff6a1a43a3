"""What has become of orders, kept for reading: derived from the journal, which can make all of it again.

Blocking calls. Every method may raise `StorageFailed`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from cambist.domain.account import AccountSpec
from cambist.domain.past import Curve, EquityPoint, PastFill, PastOrder, PastTrade, Results, Wanted
from cambist.domain.record import record

At = tuple[str | int, ...]
"""Where a row stands in a list: its time, then what makes it unique."""


@record(kw_only=True)
class Thinning:
    """Of the points in ``(after, upto]`` only the last of each ``bucket`` (ms) stays; a bucket ends where its number
    divides the time."""

    after: int
    upto: int
    bucket: int


@record(kw_only=True)
class Mark:
    """How far an account's journal has been read."""

    account: AccountSpec
    seq: int
    """The last entry that was read; 0: none."""
    ts: int
    """When that was journaled (ms): another account of the same name has another."""
    behind: bool
    """Whether the journal goes on after it."""


@dataclass(slots=True, kw_only=True)
class Piece:
    """What a stretch of an account's journal has changed: all of it is kept, or none."""

    account: str
    user_id: int
    after_seq: int
    """The mark that it follows on."""
    seq: int
    state: str
    """All that reading on needs to know (JSON)."""
    orders: list[PastOrder] = field(default_factory=list)
    fills: list[PastFill] = field(default_factory=list)
    trades: list[PastTrade] = field(default_factory=list)
    equity: list[EquityPoint] = field(default_factory=list)
    thinning: list[Thinning] = field(default_factory=list)


class Past(Protocol):
    """Orders, fills, trades and equity of one user (or of all)."""

    def marks(self, account: str | None = None) -> list[Mark]:
        """Return how far the journal of each account (or of the one) has been read, by id."""
        ...

    def mark(self, account: str) -> tuple[int, str] | None:
        """Return (seq, state) up to which the journal of ``account`` has been read."""
        ...

    def keep(self, piece: Piece) -> bool:
        """Keep ``piece`` with its mark, all or nothing; False, and nothing is kept, if the mark is not the one that it
        follows on: somebody else has read on meanwhile."""
        ...

    def forget(self, account: str) -> None:
        """Delete everything about ``account``; it can be read off its journal again."""
        ...

    def orders(self, wanted: Wanted, limit: int, after: At | None = None) -> list[PastOrder]:
        """Return orders by the time of their last change, newest first, those that follow ``after`` (changed_ms,
        account, client_id)."""
        ...

    def order(self, account: str, client_id: str) -> PastOrder:
        """Return one order; raise `NotFound`."""
        ...

    def fills(
        self, wanted: Wanted, limit: int, after: At | None = None, client_id: str | None = None
    ) -> list[PastFill]:
        """Return fills, newest first, those that follow ``after`` (ts, account, seq)."""
        ...

    def trades(self, wanted: Wanted, limit: int | None, after: At | None = None) -> list[PastTrade]:
        """Return trades by their ends, newest first, those that follow ``after`` (exit_ts, account, seq, number)."""
        ...

    def results(self, wanted: Wanted) -> Results:
        """Return what came of trades: all that are wanted, in columns."""
        ...

    def curves(self, of: Sequence[tuple[str, str]], since: int | None = None, until: int | None = None) -> list[Curve]:
        """Return what each of the (account, bot) in ``of`` was worth, by account and bot; those with no point are left
        out. From the last point at or before ``since`` (ms) on, up to ``until``.
        """
        ...
