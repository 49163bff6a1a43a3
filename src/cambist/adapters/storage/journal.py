"""`SqlJournal`: the journal, its snapshots and the ledger in the database."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from threading import Lock
from typing import Any

import sqlalchemy as sa

from cambist.adapters.storage.database import insert_into, obeying, open_database, writing
from cambist.adapters.storage.register import no_such_account
from cambist.adapters.storage.tables.book import accounts, journal, snapshots
from cambist.domain.errors import JournalFenced, StorageFailed
from cambist.domain.ledger import Cause, LedgerEntry, Line
from cambist.ports.book import JournalEntry

_PAGE = 4_000
"""Rows that are read at once: a journal of any length passes through this much memory."""

# As text, straight to the driver: with expressions an append costs twice as much, and so does a replay.
_WRITE_ENTRY = "INSERT INTO journal (account, seq, user_id, ts, kind, body) VALUES (?, ?, ?, ?, ?, ?)"
_READ_ENTRIES = "SELECT seq, ts, kind, body FROM journal WHERE account = ? AND seq > ? AND seq <= ? ORDER BY seq"
_NEXT_SEQ = "SELECT min(seq) FROM journal WHERE account = ? AND seq > ?"
_WRITE_LINE = (
    "INSERT INTO ledger_lines (user_id, account, entry, line, ts, cause, place, asset, amount) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_READ_LINES = (
    "SELECT id, entry, ts, cause, place, asset, amount FROM ledger_lines "
    "WHERE account = ? AND id > ? ORDER BY id LIMIT ?"
)


class SqlJournal:
    """The port `Journal` over SQL, for one engine.

    Writes go over one connection that stays open, one at a time; reads open their own, so a journal that is being read
    holds up nobody. The database is opened, and migrated if need be, when it is first used. All methods raise
    `StorageFailed` if it does not obey: whether an append that failed so is in the book, only the book can tell (start
    again from `read`). An account must be in the register (`NotFound`) before anything is written about it.
    """

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self._lock = Lock()
        self._users: dict[str, int] = {}
        self._heads: dict[str, int] = {}
        """The last ``seq`` of each account that this journal has written."""

    def append(self, entries: Sequence[JournalEntry], ledger: Sequence[tuple[str, LedgerEntry]] = ()) -> None:
        """Write ``entries`` and the ledger's (account, entry), all or nothing, on the disk when this returns.

        Raises `JournalFenced` unless each ``seq`` is the next of its account, and `StorageFailed` if a ledger entry is
        booked already.
        """
        with self._lock, obeying():
            with self._connection.begin():
                heads = self._write(entries)
                if ledger:
                    self._book(ledger)
            self._heads.update(heads)

    def read(self, account: str, after_seq: int = 0) -> Iterator[JournalEntry]:
        """Yield the entries of ``account`` after ``after_seq``, in order, in steady memory.

        Raises `StorageFailed` where entries are missing: a state rebuilt without them would be wrong.
        """
        with obeying(), self._engine.connect() as connection:
            while True:
                # by a range of seq, which has no gaps: with LIMIT, PostgreSQL may sort all that is left for each page
                page = _fetch(connection, _READ_ENTRIES, account, after_seq, after_seq + _PAGE)
                if page and page[-1][0] != after_seq + len(page):
                    raise StorageFailed("book.hole", account=account, seq=after_seq)
                for seq, ts, kind, body in page:
                    yield JournalEntry(account=account, seq=seq, ts=ts, kind=kind, body=body)
                after_seq += len(page)
                if len(page) < _PAGE and not _goes_on(connection, account, after_seq):
                    return

    def snapshot(self, account: str, seq: int, body: str) -> None:
        """Keep the account's state after ``seq`` (JSON) in place of an older one."""
        with self._lock, obeying(), self._connection.begin():
            insert = insert_into(self._engine, snapshots)
            insert = insert.values(account=account, user_id=self._user_of(account), seq=seq, body=body)
            newer = {"seq": insert.excluded.seq, "body": insert.excluded.body}
            self._connection.execute(
                insert.on_conflict_do_update(
                    index_elements=["account"], set_=newer, where=snapshots.c.seq <= insert.excluded.seq
                )
            )

    def last_snapshot(self, account: str) -> tuple[int, str] | None:
        """Return (seq, body) of the newest snapshot."""
        query = sa.select(snapshots.c.seq, snapshots.c.body).where(snapshots.c.account == account)
        with obeying(), self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else (row.seq, row.body)

    def ledger(self, account: str) -> Iterator[LedgerEntry]:
        """Yield the ledger entries of ``account`` in the order in which they were booked, in steady memory."""
        for (entry, ts, cause), rows in groupby(self._lines(account), itemgetter(1, 2, 3)):
            lines = tuple(Line(place=place, asset=asset, amount=Decimal(amount)) for *_, place, asset, amount in rows)
            yield LedgerEntry(id=entry, ts=ts, cause=Cause(cause), lines=lines)

    def close(self) -> None:
        """Close the connection that stays open; who writes again opens another."""
        with self._lock, obeying():
            if "_connection" in self.__dict__:
                self._connection.close()
                del self._connection

    def _write(self, entries: Sequence[JournalEntry]) -> dict[str, int]:
        """Write ``entries`` and return the last ``seq`` of their accounts."""
        heads: dict[str, int] = {}
        rows = []
        for entry in entries:
            account, seq = entry.account, entry.seq
            if seq != heads.get(account, self._heads.get(account, 0)) + 1 and seq != self._head(account) + 1:
                raise JournalFenced("book.fenced", account=account, seq=seq)
            heads[account] = seq
            rows.append((account, seq, self._user_of(account), entry.ts, entry.kind, entry.body))
        if rows:
            try:
                self._connection.exec_driver_sql(_spelled(self._connection, _WRITE_ENTRY), rows)
            except sa.exc.IntegrityError as error:
                raise JournalFenced("book.fenced", account=", ".join(heads), seq=entries[0].seq) from error
        return heads

    def _book(self, ledger: Sequence[tuple[str, LedgerEntry]]) -> None:
        rows = [
            (self._user_of(account), account, entry.id, number, entry.ts, entry.cause.value, *_text_of(line))
            for account, entry in ledger
            for number, line in enumerate(entry.lines)
        ]
        try:
            self._connection.exec_driver_sql(_spelled(self._connection, _WRITE_LINE), rows)
        except sa.exc.IntegrityError as error:
            booked = ", ".join(sorted({f"{account}: {entry.id}" for account, entry in ledger}))
            raise StorageFailed("book.booked_twice", entries=booked) from error

    def _head(self, account: str) -> int:
        """Return the last ``seq`` of ``account`` in the database; 0 if it has none."""
        query = sa.select(sa.func.max(journal.c.seq)).where(journal.c.account == account)
        return self._connection.scalar(query) or 0

    def _user_of(self, account: str) -> int:
        user = self._users.get(account)
        if user is None:
            user = self._connection.scalar(sa.select(accounts.c.user_id).where(accounts.c.id == account))
            if user is None:
                raise no_such_account(account, self._connection.scalars(sa.select(accounts.c.id)))
            self._users[account] = user
        return user

    def _lines(self, account: str) -> Iterator[tuple[Any, ...]]:
        after = 0
        with obeying(), self._engine.connect() as connection:
            while page := _fetch(connection, _READ_LINES, account, after, _PAGE):
                yield from page
                after = page[-1][0]

    @cached_property
    def _engine(self) -> sa.Engine:
        return open_database(self._url)

    @cached_property
    def _connection(self) -> sa.Connection:
        return writing(self._engine).connect()


def _goes_on(connection: sa.Connection, account: str, seq: int) -> bool:
    """Tell whether ``account`` has an entry after ``seq`` (there may be one since the last look)."""
    ((following,),) = _fetch(connection, _NEXT_SEQ, account, seq)
    if following is not None and following != seq + 1:
        raise StorageFailed("book.hole", account=account, seq=seq)
    return following is not None


def _fetch(connection: sa.Connection, query: str, *values: object) -> list[tuple[Any, ...]]:
    cursor: Any = connection.exec_driver_sql(_spelled(connection, query), values).cursor
    rows: list[tuple[Any, ...]] = cursor.fetchall()
    connection.rollback()  # whoever takes long over a page holds no transaction open
    return rows


def _spelled(connection: sa.Connection, statement: str) -> str:
    """Return ``statement`` with its marks as this driver reads them."""
    return statement if connection.dialect.name == "sqlite" else statement.replace("?", "%s")


def _text_of(line: Line) -> tuple[str, str, str]:
    if not isinstance(line.amount, Decimal) or not line.amount.is_finite():
        raise TypeError(f"money is a finite Decimal, not {line.amount!r}")
    return line.place, line.asset, str(line.amount)
