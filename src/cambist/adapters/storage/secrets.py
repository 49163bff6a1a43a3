"""`SqlSecrets`: sealed secrets in the database."""

from collections.abc import Iterator
from dataclasses import asdict, fields
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from cambist.adapters.storage.database import insert_into, obeying, open_database, reading, writing
from cambist.adapters.storage.tables.people import secrets as table
from cambist.domain.secret import SealedSecret

_KEY = ("user_id", "record", "purpose")


class SqlSecrets:
    """The port `SecretRows` over SQL. The database is opened, and migrated if need be, when it is first used."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url

    def keep(self, row: SealedSecret, *, replace: bool = True) -> None:
        """Write ``row`` in place of an older one, or leave that there."""
        values = asdict(row)
        insert = insert_into(self._engine, table).values(values)
        if replace:
            newer = {name: value for name, value in values.items() if name not in _KEY}
            write = insert.on_conflict_do_update(index_elements=list(_KEY), set_=newer)
        else:
            write = insert.on_conflict_do_nothing(index_elements=list(_KEY))
        with obeying(), writing(self._engine).begin() as connection:
            connection.execute(write)

    def find(self, user_id: int, record: str, purpose: str) -> SealedSecret | None:
        """Return a row."""
        with obeying(), reading(self._engine).connect() as connection:
            row = connection.execute(sa.select(table).where(_where(user_id, record, purpose))).one_or_none()
        return None if row is None else _secret(row)

    def forget(self, user_id: int, record: str, purpose: str | None = None) -> int:
        """Delete a row, or all of ``record``; return how many went."""
        with obeying(), writing(self._engine).begin() as connection:
            return int(connection.execute(sa.delete(table).where(_where(user_id, record, purpose))).rowcount)

    def wrapped_otherwise(self, key_id: str) -> Iterator[SealedSecret]:
        """Yield the rows whose data key another key than ``key_id`` has wrapped."""
        query = sa.select(table).where(table.c.key_id != key_id).order_by(*(table.c[name] for name in _KEY))
        with obeying(), reading(self._engine).connect() as connection:
            rows = connection.execute(query).all()
        yield from map(_secret, rows)

    def rewrap(self, row: SealedSecret, key_id: str, wrapped_key: bytes) -> bool:
        """Replace the wrapped key of ``row``; False if it is not as it was read."""
        as_read = sa.and_(_where(row.user_id, row.record, row.purpose), table.c.wrapped_key == row.wrapped_key)
        update = sa.update(table).where(as_read).values(key_id=key_id, wrapped_key=wrapped_key)
        with obeying(), writing(self._engine).begin() as connection:
            return int(connection.execute(update).rowcount) == 1

    @cached_property
    def _engine(self) -> sa.Engine:
        return open_database(self._url)


def _where(user_id: int, record: str, purpose: str | None) -> sa.ColumnElement[bool]:
    of_record = sa.and_(table.c.user_id == user_id, table.c.record == record)
    return of_record if purpose is None else sa.and_(of_record, table.c.purpose == purpose)


def _secret(row: sa.Row[Any]) -> SealedSecret:
    return SealedSecret(**{field.name: getattr(row, field.name) for field in fields(SealedSecret)})
