"""`SqlBudgetMemory`: the bans of venues in the database."""

from functools import cached_property

import sqlalchemy as sa

from cambist.adapters.storage.database import insert_into, obeying, open_database, writing
from cambist.adapters.storage.tables.book import budget_bans as table


class SqlBudgetMemory:
    """The port `BudgetMemory` over SQL. The database is opened, and migrated if need be, when it is first used."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url

    def bans(self) -> dict[str, int]:
        """Return the time (ms) until which each key is banned; those that are over stay until they are lifted."""
        with obeying(), self._engine.connect() as connection:
            return {row.key: row.until_ms for row in connection.execute(sa.select(table))}

    def ban(self, key: str, until_ms: int) -> None:
        """Remember that ``key`` is banned until ``until_ms``, whatever was remembered before."""
        insert = insert_into(self._engine, table).values(key=key, until_ms=until_ms)
        self._write(insert.on_conflict_do_update(index_elements=["key"], set_={"until_ms": until_ms}))

    def lift(self, key: str) -> None:
        """Forget the ban of ``key``, if there is one."""
        self._write(sa.delete(table).where(table.c.key == key))

    def _write(self, statement: sa.Insert | sa.Delete) -> None:
        with obeying(), writing(self._engine).begin() as connection:
            connection.execute(statement)

    @cached_property
    def _engine(self) -> sa.Engine:
        return open_database(self._url)
