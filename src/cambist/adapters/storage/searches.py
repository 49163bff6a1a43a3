"""`SqlSearches`: finished searches in the database."""

import time
from dataclasses import fields
from typing import Any

import sqlalchemy as sa

from cambist.adapters.storage.owned import Owned
from cambist.adapters.storage.tables.work import searches as table
from cambist.domain.account import LOCAL_USER
from cambist.domain.errors import NotFound
from cambist.ports.searches import StoredSearch

_FIELDS = tuple(field.name for field in fields(StoredSearch))
_TUPLES = ("values", "goals", "axes", "where", "symbols", "timeframes", "notes")
# to make a statement takes longer than to run it
_LATEST = (
    sa.select(*(table.c[name] for name in _FIELDS if name != "detail"))
    .order_by(table.c.id.desc())
    .limit(sa.bindparam("limit"))
)


class SqlSearches(Owned):
    """The port `SearchStore` over SQL, for one user."""

    def __init__(self, database_url: str, user_id: int = LOCAL_USER) -> None:
        super().__init__(database_url, user_id)
        self._owner = user_id

    def keep(self, search: StoredSearch) -> int:
        """Keep ``search`` and return its id; its own ``id`` and ``created_ms`` are not looked at."""
        return int(self._add(table, row_of(search, self._owner, time.time_ns() // 1_000_000)))

    def get(self, search_id: int) -> StoredSearch:
        """Return the search ``search_id`` with its detail; raise `NotFound`."""
        for row in self._read(sa.select(*(table.c[name] for name in _FIELDS)).where(table.c.id == search_id)):
            return _search(row)
        raise NotFound("searches.not_found", id=search_id)

    def latest(self, limit: int = 50, strategy: str | None = None, *, before: int | None = None) -> list[StoredSearch]:
        """Return the newest searches first, without detail; with ``before`` those of a smaller id."""
        query = _LATEST
        if strategy is not None:
            query = query.where(table.c.strategy == strategy)
        if before is not None:
            query = query.where(table.c.id < before)
        return [_search(row) for row in self._read(query, limit=limit)]

    def forget(self, search_id: int) -> None:
        """Delete one search; raise `NotFound`."""
        if not self._change(sa.delete(table).where(table.c.id == search_id)):
            raise NotFound("searches.not_found", id=search_id)


def row_of(search: StoredSearch, user_id: int, created_ms: int) -> dict[str, Any]:
    """Return ``search`` as a row of ``user_id``'s."""
    row = {name: getattr(search, name) for name in _FIELDS if name != "id"}
    return row | {"user_id": user_id, "created_ms": created_ms}


def _search(row: dict[str, Any]) -> StoredSearch:
    return StoredSearch(**row | {name: tuple(row[name]) for name in _TUPLES})
