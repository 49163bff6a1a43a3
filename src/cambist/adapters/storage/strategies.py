"""`SqlShelf`: strategies that people keep on the server, in the database."""

from dataclasses import fields, replace
from typing import Any

import sqlalchemy as sa

from cambist.adapters.storage.database import obeying, writing
from cambist.adapters.storage.owned import Owned, counted
from cambist.adapters.storage.tables.work import strategies, strategy_versions
from cambist.domain.errors import BadInput, NotFound, Taken, TooMany
from cambist.domain.strategy_text import StoredStrategy, StrategyVersion

_WITHOUT_CODE = [column for column in strategy_versions.c if column.name != "code"]
_ALL = sa.select(strategies).order_by(strategies.c.id)


class SqlShelf(Owned):
    """The port `Shelf` over SQL."""

    def add(self, strategy: StoredStrategy, code: str, most: int | None = None) -> StoredStrategy:
        """Keep a new strategy with ``code`` as version 1 and return it with its id; raise `Taken` if its user has
        another of that name, `TooMany` if ``most`` already.
        """
        if self._user_id not in (None, strategy.user_id):
            raise BadInput("user_id", strategy.user_id, "book.not_yours", user=self._user_id)
        first = replace(strategy, version=1)
        row = {field.name: getattr(first, field.name) for field in fields(first) if field.name != "id"}
        try:
            with obeying(but=sa.exc.IntegrityError), writing(self._engine).begin() as connection:
                if most is not None and counted(connection, strategies, strategy.user_id) >= most:
                    raise TooMany("shelf.too_many", most=most)
                number = connection.execute(strategies.insert().values(row).returning(strategies.c.id)).scalar_one()
                kept = replace(first, id=number)
                connection.execute(strategy_versions.insert().values(_version_row(kept, code, kept.created_ms)))
        except sa.exc.IntegrityError:
            raise Taken("shelf.name_taken", name=strategy.name) from None
        return kept

    def save(self, strategy_id: int, code: str, *, expected_version: int, now_ms: int) -> StoredStrategy:
        """Keep ``code`` as the next version; raise `Taken` if ``expected_version`` is not the newest, `NotFound`."""
        following = replace(self.get(strategy_id), version=expected_version + 1, changed_ms=now_ms)
        newest = (strategies.c.id == strategy_id) & (strategies.c.version == expected_version)
        update = self._confine(sa.update(strategies).where(newest))
        with obeying(), writing(self._engine).begin() as connection:
            # who comes first moves the number on, and holds the row until the version is there too
            if connection.execute(update.values(version=following.version, changed_ms=now_ms)).rowcount:
                connection.execute(strategy_versions.insert().values(_version_row(following, code, now_ms)))
                return following
        raise Taken("shelf.changed_meanwhile", expected=expected_version)

    def change(self, strategy: StoredStrategy) -> None:
        """Replace name, description, timeframe and ``changed_ms``; raise `Taken` if its name is, `NotFound`."""
        update = sa.update(strategies).where(strategies.c.id == strategy.id)
        values = {name: getattr(strategy, name) for name in ("name", "description", "timeframe", "changed_ms")}
        try:
            changed = self._change(update.values(values))
        except sa.exc.IntegrityError:
            raise Taken("shelf.name_taken", name=strategy.name) from None
        if not changed:
            raise NotFound("shelf.no_strategy", id=strategy.id)

    def strategies(self) -> list[StoredStrategy]:
        """Return the strategies, by id."""
        return [StoredStrategy(**row) for row in self._read(_ALL)]

    def get(self, strategy_id: int) -> StoredStrategy:
        """Return one strategy; raise `NotFound`."""
        for row in self._read(sa.select(strategies).where(strategies.c.id == strategy_id)):
            return StoredStrategy(**row)
        raise NotFound("shelf.no_strategy", id=strategy_id)

    def versions(self, strategy_id: int) -> list[StrategyVersion]:
        """Return all versions, oldest first, with empty ``code``; raise `NotFound` if there is no such strategy."""
        query = sa.select(*_WITHOUT_CODE).where(strategy_versions.c.strategy == strategy_id)
        rows = self._read(query.order_by(strategy_versions.c.version))
        if not rows:
            raise NotFound("shelf.no_strategy", id=strategy_id)
        return [StrategyVersion(**row, code="") for row in rows]

    def version(self, strategy_id: int, version: int) -> StrategyVersion:
        """Return one version with its code; raise `NotFound`."""
        for row in self._read(sa.select(strategy_versions).where(_is(strategy_id, version))):
            return StrategyVersion(**row)
        raise NotFound("shelf.no_version", id=strategy_id, version=version)

    def code(self, strategy_id: int, version: int) -> str:
        """Return the code of one version; raise `NotFound`."""
        return self.version(strategy_id, version).code

    def judge(self, strategy_id: int, version: int, verdict: dict[str, Any]) -> None:
        """Keep what the validation said of a version; raise `NotFound`."""
        if not self._change(sa.update(strategy_versions).where(_is(strategy_id, version)).values(verdict=verdict)):
            raise NotFound("shelf.no_version", id=strategy_id, version=version)

    def forget(self, strategy_id: int) -> None:
        """Delete a strategy with all its versions; raise `NotFound`."""
        if not self._change(sa.delete(strategies).where(strategies.c.id == strategy_id)):
            raise NotFound("shelf.no_strategy", id=strategy_id)


def _is(strategy_id: int, version: int) -> sa.ColumnElement[bool]:
    return (strategy_versions.c.strategy == strategy_id) & (strategy_versions.c.version == version)


def _version_row(strategy: StoredStrategy, code: str, now_ms: int) -> dict[str, Any]:
    return {
        "strategy": strategy.id,
        "version": strategy.version,
        "user_id": strategy.user_id,
        "code": code,
        "created_ms": now_ms,
        "verdict": {},
    }
