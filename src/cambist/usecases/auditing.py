"""The audit log: whether its chain is whole."""

from collections.abc import Iterable

from cambist.domain.deed import GENESIS, AuditRow, is_whole
from cambist.domain.record import record


@record(kw_only=True)
class Verdict:
    """What came of a look at the whole chain."""

    count: int
    """Rows that are whole, from the first."""
    last: AuditRow | None
    """The last of them."""
    broken: int | None = None
    """``seq`` of the first row that is not."""
    why: str = ""
    """Key of the text that says what is wrong with it (``audit.changed``, ``.missing``, ``.unchained``)."""


def verify(chain: Iterable[AuditRow]) -> Verdict:
    """Return whether each row says what was hashed, names the row before it, and none is missing between them.

    That rows at the end are missing, only somebody knows who has kept the last hash.
    """
    count, last = 0, None
    for row in chain:
        why = _wrong(row, count + 1, GENESIS if last is None else last.hash)
        if why:
            return Verdict(count=count, last=last, broken=row.seq, why=why)
        count, last = count + 1, row
    return Verdict(count=count, last=last)


def _wrong(row: AuditRow, expected: int, previous: str) -> str:
    if row.seq != expected:
        return "audit.missing"
    if not is_whole(row):
        return "audit.changed"
    return "" if row.previous == previous else "audit.unchained"
