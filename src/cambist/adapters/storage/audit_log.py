"""`SqlAuditLog`: the chain of deeds in the database."""

from collections.abc import Iterator
from functools import cached_property

import sqlalchemy as sa

from cambist.adapters.storage.database import obeying, open_database, rows_of, writing
from cambist.adapters.storage.tables.people import audit_log as table
from cambist.domain.deed import GENESIS, AuditRow, Deed, chained

_LOCK = 0x61756469  # "audi": who appends must see what was appended last
_PAGE = 1_000


class SqlAuditLog:
    """The port `AuditLog` over SQL. The database is opened, and migrated if need be, when it is first used."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url

    def append(self, deed: Deed) -> AuditRow:
        """Write ``deed`` at the end of the chain; durable when this returns. Safe beside other processes."""
        last = sa.select(table.c.seq, table.c.hash).order_by(table.c.seq.desc()).limit(1)
        with obeying(), writing(self._engine).begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            seq, previous = connection.execute(last).one_or_none() or (0, GENESIS)
            row = chained(deed, seq + 1, previous)
            connection.execute(table.insert().values({name: getattr(row, name) for name in table.c.keys()}))  # noqa: SIM118
        return row

    def latest(self, limit: int, *, user_id: int | None = None, before: int | None = None) -> list[AuditRow]:
        """Return the newest rows first: of one user or of all, only those before row ``before``."""
        query = sa.select(table).order_by(table.c.seq.desc()).limit(limit)
        if user_id is not None:
            query = query.where(table.c.user_id == user_id)
        if before is not None:
            query = query.where(table.c.seq < before)
        return self._rows(query)

    def chain(self) -> Iterator[AuditRow]:
        """Yield all rows in order, in steady memory."""
        after = None
        while True:
            query = sa.select(table).order_by(table.c.seq).limit(_PAGE)
            page = self._rows(query if after is None else query.where(table.c.seq > after))
            yield from page
            if len(page) < _PAGE:
                return
            after = page[-1].seq

    def _rows(self, query: sa.Select[tuple[object, ...]]) -> list[AuditRow]:
        return [AuditRow(**row) for row in rows_of(self._engine, query)]

    @cached_property
    def _engine(self) -> sa.Engine:
        return open_database(self._url)
