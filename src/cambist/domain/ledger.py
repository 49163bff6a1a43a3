"""The ledger's words: balanced entries of double-entry lines, append-only."""

from decimal import Decimal
from enum import StrEnum

from cambist.domain.record import record


class Cause(StrEnum):
    """Why money moved."""

    OPENING = "opening"
    """What an account held when it was taken over."""
    TRADE = "trade"
    FEE = "fee"
    FUNDING = "funding"
    TRANSFER = "transfer"
    """Between a bot's budget and the account's free cash."""
    CORRECTION = "correction"
    """A difference between book and venue, adopted by a person."""


@record(kw_only=True)
class Line:
    """One side of an entry: ``amount`` of ``asset`` to (positive) or from (negative) one place.

    ``place`` is a bot's id, ``free`` (the account's cash that no bot has), or a counterparty: ``market``, ``fees``,
    ``outside``. Over the lines of one entry the amounts of each asset sum to zero.
    """

    place: str
    asset: str
    amount: Decimal


@record(kw_only=True)
class LedgerEntry:
    """One balanced movement. ``id`` names what caused it, so that it cannot be booked twice."""

    id: str
    ts: int
    cause: Cause
    lines: tuple[Line, ...]
