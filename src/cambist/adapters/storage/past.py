"""`SqlPast`: what has become of orders, in the database."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import fields
from decimal import Decimal
from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeVar

import sqlalchemy as sa

from cambist.adapters.storage.database import insert_into, obeying, reading, writing
from cambist.adapters.storage.owned import Owned
from cambist.adapters.storage.tables.book import accounts, journal
from cambist.adapters.storage.tables.work import history_marks, past_equity, past_fills, past_orders, past_trades
from cambist.domain.account import AccountSpec, Mode
from cambist.domain.errors import BadInput, NotFound
from cambist.domain.past import Curve, EquityPoint, PastFill, PastOrder, PastTrade, Results, Wanted
from cambist.ports.past import At, Mark, Piece, Thinning

Row = TypeVar("Row", PastOrder, PastFill, PastTrade)

_TABLES: dict[type, sa.Table] = {
    PastOrder: past_orders,
    PastFill: past_fills,
    PastTrade: past_trades,
    EquityPoint: past_equity,
}
_PLAIN = ("price", "trigger", "average")
"""Amounts that may be missing, which `Money` knows nothing of: text, or nothing."""
_LISTED: dict[type, tuple[str, ...]] = {
    PastOrder: ("changed_ms", "account", "client_id"),
    PastFill: ("ts", "account", "seq"),
    PastTrade: ("exit_ts", "account", "seq", "number"),
}
"""In which order each is listed, the greatest first."""


_COLUMNS = tuple(field.name for field in fields(Results))


def _marks() -> sa.Select[Any]:
    mark = sa.select(history_marks.c.seq).where(history_marks.c.account == accounts.c.id)
    seq = sa.func.coalesce(mark.correlate(accounts).scalar_subquery(), 0)
    more = sa.exists().where(journal.c.account == accounts.c.id, journal.c.seq > seq).correlate(accounts)
    last = sa.select(journal.c.ts).where(journal.c.account == accounts.c.id, journal.c.seq == seq)
    ts = sa.func.coalesce(last.correlate(accounts).scalar_subquery(), 0)
    return sa.select(accounts, seq.label("seq"), ts.label("ts"), more.label("behind")).order_by(accounts.c.id)


# to make a statement takes longer than to run it
_MARKS = _marks()
_ONE_MARK = _MARKS.where(accounts.c.id == sa.bindparam("account"))
_MARK = sa.select(history_marks.c.seq, history_marks.c.state).where(history_marks.c.account == sa.bindparam("account"))


class SqlPast(Owned):
    """The port `Past` over SQL."""

    def marks(self, account: str | None = None) -> list[Mark]:
        """Return how far the journal of each account (or of the one) has been read, by id."""
        rows = self._read(_MARKS) if account is None else self._read(_ONE_MARK, account=account)
        return [
            Mark(
                seq=row.pop("seq"),
                ts=row.pop("ts"),
                behind=bool(row.pop("behind")),
                account=AccountSpec(**{**row, "mode": Mode(row["mode"])}),
            )
            for row in rows
        ]

    def mark(self, account: str) -> tuple[int, str] | None:
        """Return (seq, state) up to which the journal of ``account`` has been read."""
        for row in self._read(_MARK, account=account):
            return row["seq"], row["state"]
        return None

    def keep(self, piece: Piece) -> bool:
        """Keep ``piece`` with its mark, all or nothing; False, and nothing is kept, if it does not follow on."""
        if self._user_id not in (None, piece.user_id):
            raise BadInput("user_id", piece.user_id, "book.not_yours", user=self._user_id)
        with obeying(), writing(self._engine).begin() as connection:
            # the mark first: whoever comes second waits for it, and then finds it moved
            if connection.scalar(self._moving(piece)) is None:
                return False
            self._upsert(connection, PastOrder, piece.orders)
            self._upsert(connection, PastFill, piece.fills)
            self._upsert(connection, PastTrade, piece.trades)
            self._upsert(connection, EquityPoint, piece.equity)
            for thinning in piece.thinning:
                connection.execute(self._confine(_thinned(piece.account, thinning)))
        return True

    def forget(self, account: str) -> None:
        """Delete everything about ``account``; it can be read off its journal again."""
        with obeying(), writing(self._engine).begin() as connection:
            for table in (history_marks, *_TABLES.values()):
                connection.execute(self._confine(sa.delete(table).where(table.c.account == account)))

    def orders(self, wanted: Wanted, limit: int, after: At | None = None) -> list[PastOrder]:
        """Return orders by the time of their last change, newest first, those that follow ``after``."""
        return self._list(PastOrder, wanted, limit, after)

    def order(self, account: str, client_id: str) -> PastOrder:
        """Return one order; raise `NotFound`."""
        table = past_orders
        query = sa.select(table).where(table.c.account == account, table.c.client_id == client_id)
        for row in self._read(query):
            return _record(PastOrder, row)
        raise NotFound("past.no_order", order=client_id, account=account)

    def fills(
        self, wanted: Wanted, limit: int, after: At | None = None, client_id: str | None = None
    ) -> list[PastFill]:
        """Return fills, newest first, those that follow ``after``."""
        return self._list(PastFill, wanted, limit, after, client_id)

    def trades(self, wanted: Wanted, limit: int | None, after: At | None = None) -> list[PastTrade]:
        """Return trades by their ends, newest first, those that follow ``after``."""
        return self._list(PastTrade, wanted, limit, after)

    def results(self, wanted: Wanted) -> Results:
        """Return what came of trades: all that are wanted, in columns."""
        # estimates are made in the database: what is fetched of ten thousand trades is most of what statistics cost
        table, number, given = past_trades, sa.Float(53), _given(wanted)
        prices = sa.cast(table.c.entry_price, number) + sa.cast(table.c.exit_price, number)
        query = sa.select(
            table.c.account,
            table.c.bot,
            table.c.entry_ts,
            table.c.exit_ts,
            sa.cast(table.c.quantity, number) * prices,
            sa.cast(table.c.slippage, number),
            sa.type_coerce(table.c.pnl, sa.String),
            sa.type_coerce(table.c.fees, sa.String),
        ).where(*_conditions(table, table.c.exit_ts, given))
        rows = self._tuples(query.order_by(table.c.exit_ts, table.c.account, table.c.seq), **given)
        found: dict[str, Any] = dict.fromkeys(_COLUMNS, ())
        if rows:
            found = dict(zip(_COLUMNS, zip(*rows, strict=True), strict=True))
        found |= {name: tuple(map(Decimal, found[name])) for name in ("pnl", "fees")}
        return Results(**found)

    def curves(self, of: Sequence[tuple[str, str]], since: int | None = None, until: int | None = None) -> list[Curve]:
        """Return what each of the (account, bot) in ``of`` was worth, by account and bot."""
        table = past_equity
        among = table.c.account.in_({account for account, _ in of}) & table.c.bot.in_({bot for _, bot in of})
        equity = sa.type_coerce(table.c.equity, sa.String)  # made money of below, all at once: a third of the time
        query = sa.select(table.c.account, table.c.bot, table.c.quote, table.c.ts, equity).where(among)
        query = query.order_by(table.c.account, table.c.bot, table.c.ts)
        if until is not None:
            query = query.where(table.c.ts <= until)
        if since is not None:
            old = past_equity.alias("old")
            first = self._confine(sa.select(old.c.account, old.c.bot, sa.func.max(old.c.ts)).where(old.c.ts <= since))
            first = first.group_by(old.c.account, old.c.bot)
            at = sa.tuple_(table.c.account, table.c.bot, table.c.ts)
            query = query.where((table.c.ts > since) | at.in_(first))
        wanted, found = set(of), []
        for (account, bot, quote), points in groupby(self._tuples(query), itemgetter(0, 1, 2)):
            if (account, bot) in wanted:
                _, _, _, ts, worth = zip(*points, strict=True)
                found.append(Curve(account=account, bot=bot, quote=quote, ts=ts, equity=tuple(map(Decimal, worth))))
        return found

    def _tuples(self, query: sa.Select[Any], **given: object) -> list[tuple[Any, ...]]:
        """Return the rows of ``query`` that are this user's, as the driver gives them: a third of the time."""
        with obeying(), reading(self._engine).connect() as connection:
            cursor: Any = connection.execute(self._confine(query), given).cursor
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows

    def _moving(self, piece: Piece) -> sa.UpdateBase:
        """Return what moves the mark, or sets the first."""
        if piece.after_seq:
            at = (history_marks.c.account == piece.account) & (history_marks.c.seq == piece.after_seq)
            update = self._confine(sa.update(history_marks).where(at))
            return update.values(seq=piece.seq, state=piece.state).returning(history_marks.c.seq)
        values = {"account": piece.account, "user_id": piece.user_id, "seq": piece.seq, "state": piece.state}
        insert = insert_into(self._engine, history_marks).values(values).on_conflict_do_nothing()
        return insert.returning(history_marks.c.seq)

    def _upsert(self, connection: sa.Connection, kind: type, rows: Sequence[Any]) -> None:
        if not rows:
            return
        table = _TABLES[kind]
        insert = insert_into(self._engine, table)
        keys = [column.name for column in table.primary_key]
        news = {column.name: insert.excluded[column.name] for column in table.c if column.name not in keys}
        connection.execute(
            insert.on_conflict_do_update(index_elements=keys, set_=news), [_row(kind, one) for one in rows]
        )

    def _list(
        self, kind: type[Row], wanted: Wanted, limit: int | None, after: At | None, client_id: str | None = None
    ) -> list[Row]:
        more = {"limit": limit, "client_id": client_id}
        given = _given(wanted) | {name: value for name, value in more.items() if value is not None}
        table, listed = _TABLES[kind], _LISTED[kind]
        query = _list_of(table, listed, frozenset(given))
        if after is not None:
            query = query.where(sa.tuple_(*(table.c[name] for name in listed)) < sa.tuple_(*after))
        return [_record(kind, row) for row in self._read(query, **given)]


@cache
def _list_of(table: sa.Table, listed: tuple[str, ...], given: frozenset[str]) -> sa.Select[Any]:
    """Return how rows are listed that are chosen by parameters of these names."""
    places = [table.c[name] for name in listed]
    query = sa.select(table).where(*_conditions(table, places[0], given))
    query = query.order_by(*(column.desc() for column in places))
    return query.limit(sa.bindparam("limit")) if "limit" in given else query


def _given(wanted: Wanted) -> dict[str, Any]:
    """Return the parameters by which ``wanted`` chooses."""
    given = {field.name: getattr(wanted, field.name) for field in fields(wanted)}
    return {name: value for name, value in given.items() if value not in (None, ())}


def _conditions(table: sa.Table, when: sa.Column[Any], given: Collection[str]) -> Iterable[sa.ColumnElement[bool]]:
    for name in ("account", "bot", "strategy", "symbol", "client_id"):
        if name in given:
            yield table.c[name] == sa.bindparam(name)
    if "source" in given:  # of a webhook, or of all of them
        source = sa.bindparam("source", type_=sa.String)
        yield (table.c.source == source) | ((source == "webhook") & table.c.source.startswith("webhook:"))
    if "statuses" in given:
        yield table.c.status.in_(sa.bindparam("statuses", expanding=True))
    if "since" in given:
        yield when >= sa.bindparam("since")
    if "until" in given:
        yield when < sa.bindparam("until")


def _thinned(account: str, thinning: Thinning) -> sa.Delete:
    """Return what deletes all points in a range that another of the same bot follows in the same bucket."""
    table, later = past_equity, past_equity.alias("later")
    size = thinning.bucket
    ends = (table.c.ts + size - 1) // size * size
    followed = (
        sa.exists()
        .where(later.c.account == table.c.account, later.c.bot == table.c.bot)
        .where(later.c.ts > table.c.ts, later.c.ts <= ends)
    )
    within = (table.c.ts > thinning.after) & (table.c.ts <= thinning.upto)
    return sa.delete(table).where(table.c.account == account, within, followed)


def _row(kind: type, one: Any) -> dict[str, Any]:
    row = {field.name: getattr(one, field.name) for field in fields(kind)}
    if kind is PastOrder:
        row |= {name: None if row[name] is None else str(row[name]) for name in _PLAIN}
    return row


def _record(kind: type[Row], row: dict[str, Any]) -> Row:
    if kind is PastOrder:
        row |= {name: None if row[name] is None else Decimal(row[name]) for name in _PLAIN}
    return kind(**row)
