"""Rows that belong to people: every statement on them passes here, and is confined to one user's."""

from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from cambist.adapters.storage.database import obeying, open_database, rows_of, writing
from cambist.domain.errors import BadInput

_Change = TypeVar("_Change", sa.Update, sa.Delete)
_Confined = TypeVar("_Confined", sa.Select[Any], sa.Update, sa.Delete)
_of_owner: WeakKeyDictionary[sa.Select[Any], sa.Select[Any]] = WeakKeyDictionary()
"""Queries as they are confined, for as long as they are: those that are written once are confined once."""


class Owned:
    """A store for one user, who neither sees nor touches what is others'; for all if ``user_id`` is None.

    The database is opened, and migrated if need be, when it is first used. All methods raise `StorageFailed` if it
    does not obey.
    """

    def __init__(self, database_url: str, user_id: int | None = None) -> None:
        self._url = database_url
        self._user_id = user_id

    def _add(
        self,
        table: sa.Table,
        row: dict[str, Any],
        *,
        returning: str = "id",
        first: Callable[[sa.Connection], None] | None = None,
    ) -> Any:
        """Write one row and return its ``returning``; lets `IntegrityError` through. No row is added but by this.

        ``first`` is done in the same transaction, and raises if the row is not to be.
        """
        if self._user_id not in (None, row["user_id"]):
            raise BadInput("user_id", row["user_id"], "book.not_yours", user=self._user_id)
        with obeying(but=sa.exc.IntegrityError), writing(self._engine).begin() as connection:
            if first is not None:
                first(connection)
            return connection.execute(table.insert().values(row).returning(table.c[returning])).scalar_one()

    def _read(self, query: sa.Select[Any], **given: object) -> list[dict[str, Any]]:
        """Return the rows of ``query``, of one table, that are this user's, its parameters ``given``.

        No row is read but by this.
        """
        if self._user_id is None:
            return rows_of(self._engine, query, **given)
        return rows_of(self._engine, _confined(query), **given, owner=self._user_id)

    def _change(self, statement: _Change) -> int:
        """Update or delete rows, of this user's, and return how many; lets `IntegrityError` through."""
        with obeying(but=sa.exc.IntegrityError), writing(self._engine).begin() as connection:
            return int(connection.execute(self._confine(statement)).rowcount)

    def _rewrite(self, table: sa.Table, key: str, how: Callable[[dict[str, Any]], dict[str, Any]]) -> bool:
        """Set what ``how`` returns on the row of this user with the id ``key``, given that row; False if there is none.

        Nobody else writes the row from when it is read until it is written: two who change different parts of one
        document at once are both heard. ``how`` asks nothing of the database, which waits for it.
        """
        # those who add rows that name this one need not wait
        query = self._confine(sa.select(table).where(table.c.id == key).with_for_update(key_share=True))
        with obeying(but=sa.exc.IntegrityError), writing(self._engine).begin() as connection:
            row = connection.execute(query).mappings().one_or_none()
            if row is None:
                return False
            values = how(dict(row))
            connection.execute(self._confine(sa.update(table).where(table.c.id == key).values(values)))
        return True

    def _confine(self, statement: _Confined) -> _Confined:
        """Return ``statement`` confined to this user's rows; a transaction of many statements uses it for each."""
        if self._user_id is None:
            return statement
        (table,) = _tables(statement) if isinstance(statement, sa.Select) else (statement.table,)
        return statement.where(table.c.user_id == self._user_id)

    @cached_property
    def _engine(self) -> sa.Engine:
        return open_database(self._url)


def counted(connection: sa.Connection, table: sa.Table, user_id: int, *which: sa.ColumnElement[bool]) -> int:
    """Return how many rows of ``table`` are this user's, in a transaction that adds one more if that is not too many.

    Nobody else counts them until it ends: two who did so at the same time would both find room.
    """
    if connection.dialect.name == "postgresql":  # SQLite has but one writer
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(table.name), user_id)))
    query = sa.select(sa.func.count()).select_from(table).where(table.c.user_id == user_id, *which)
    return int(connection.scalar(query) or 0)


def _confined(query: sa.Select[Any]) -> sa.Select[Any]:
    """Return ``query`` confined to the rows of the user ``owner``."""
    known = _of_owner.get(query)
    if known is None:
        (table,) = _tables(query)
        known = _of_owner[query] = query.where(table.c.user_id == sa.bindparam("owner"))
    return known


def _tables(query: sa.Select[Any]) -> set[sa.FromClause]:
    """Return all that ``query`` reads from; `Select.get_final_froms` would compile it to know."""
    children = query.get_children()
    return {one for one in children if isinstance(one, sa.FromClause) and not isinstance(one, sa.FunctionElement)}
