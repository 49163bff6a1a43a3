"""The audit log: what people did, append-only, each row chained to the one before it."""

from collections.abc import Iterator
from typing import Protocol

from cambist.domain.deed import AuditRow, Deed


class AuditLog(Protocol):
    """Blocking calls; all raise `StorageFailed`."""

    def append(self, deed: Deed) -> AuditRow:
        """Write ``deed`` at the end of the chain; durable when this returns. Safe beside other processes."""
        ...

    def latest(self, limit: int, *, user_id: int | None = None, before: int | None = None) -> list[AuditRow]:
        """Return the newest rows first: of one user or of all, only those before row ``before``."""
        ...

    def chain(self) -> Iterator[AuditRow]:
        """Yield all rows in order, in steady memory."""
        ...
