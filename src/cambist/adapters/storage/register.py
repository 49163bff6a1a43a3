"""`SqlRegister`: accounts, bots, requests and alerts in the database."""

from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from difflib import get_close_matches
from typing import Any

import sqlalchemy as sa

from cambist.adapters.storage.database import obeying, writing
from cambist.adapters.storage.owned import Owned, counted
from cambist.adapters.storage.tables.book import accounts, alerts, bots, journal, ledger_lines, requests, snapshots
from cambist.adapters.storage.tables.people import secrets
from cambist.adapters.storage.tables.work import (
    account_keys,
    history_marks,
    past_equity,
    past_fills,
    past_orders,
    past_trades,
    webhooks,
)
from cambist.domain.account import AccountSpec, BotSpec, Mode
from cambist.domain.alert import Alert, Level
from cambist.domain.errors import BadInput, NotFound, TooMany
from cambist.domain.timeframe import Timeframe
from cambist.ports.book import Request

_OF_ACCOUNT = (
    past_equity,
    past_trades,
    past_fills,
    past_orders,
    history_marks,
    account_keys,
    webhooks,
    requests,
    alerts,
    bots,
    snapshots,
    ledger_lines,
    journal,
)
"""What goes with an account, those first that name others."""

# to make a statement takes longer than to run it
_ACCOUNTS = sa.select(accounts).order_by(accounts.c.id)
_BOTS = sa.select(*(column for column in bots.c if column.name != "deleted_ms"))
_BOTS = _BOTS.where(bots.c.deleted_ms.is_(None)).order_by(bots.c.id)
_BOTS_OF = _BOTS.where(bots.c.account == sa.bindparam("account"))
_WAITING = sa.select(requests).where(requests.c.done_ms.is_(None)).order_by(requests.c.id)
_REQUEST = sa.select(requests).where(requests.c.id == sa.bindparam("id"))
_ALERTS = sa.select(*(column for column in alerts.c if column.name != "id")).order_by(alerts.c.id.desc())
_NEWEST_ALERTS = _ALERTS.limit(sa.bindparam("limit"))


class SqlRegister(Owned):
    """The port `Register` over SQL."""

    def add_account(self, spec: AccountSpec) -> None:
        """Add an account; raise `BadInput` if its id is taken, be it by another user."""
        try:
            self._add(accounts, _row(spec))
        except sa.exc.IntegrityError:
            raise BadInput("account", spec.id, "book.account_taken") from None

    def change_account(
        self, account: str, how: Callable[[dict[str, Any] | None], dict[str, Any] | None]
    ) -> AccountSpec:
        """Replace an account's settings by what ``how`` makes of them, and return it; raise `NotFound`."""
        changed: list[AccountSpec] = []

        def rewritten(row: dict[str, Any]) -> dict[str, Any]:
            spec = _account(row)
            changed.append(replace(spec, settings=how(spec.settings)))
            return {"settings": changed[-1].settings}

        if not self._rewrite(accounts, account, rewritten):
            raise no_such_account(account, [one.id for one in self.accounts()])
        return changed[-1]

    def forget_account(self, account: str) -> None:
        """Delete an account with all that is kept of it; raise `NotFound`."""
        with obeying(), writing(self._engine).begin() as connection:
            kept = [
                *connection.scalars(sa.select(webhooks.c.id).where(webhooks.c.account == account)),
                f"account:{account}",
            ]
            connection.execute(self._confine(secrets.delete().where(secrets.c.record.in_(kept))))
            for table in _OF_ACCOUNT:
                connection.execute(self._confine(table.delete().where(table.c.account == account)))
            gone = connection.execute(self._confine(accounts.delete().where(accounts.c.id == account))).rowcount
        if not gone:
            raise no_such_account(account, [one.id for one in self.accounts()])

    def accounts(self) -> list[AccountSpec]:
        """Return the accounts, by id."""
        return [_account(row) for row in self._read(_ACCOUNTS)]

    def add_bot(self, spec: BotSpec, most: int | None = None) -> None:
        """Add a bot; raise `TooMany` if its user has ``most`` already.

        Raises `BadInput` if its id is taken, `NotFound` if its user has no such account.
        """
        self._need_account(spec.account, spec.user_id)

        def room(connection: sa.Connection) -> None:
            if most is not None and counted(connection, bots, spec.user_id, bots.c.deleted_ms.is_(None)) >= most:
                raise TooMany("running.most_bots", most=most)

        try:
            self._add(bots, _row(spec), first=room)
        except sa.exc.IntegrityError:
            raise BadInput("bot", spec.id, "book.bot_taken") from None

    def forget_bot(self, bot: str) -> None:
        """Delete a bot and what was asked of it; raise `NotFound`."""
        self._change(requests.delete().where(requests.c.bot == bot))
        if not self._change(bots.delete().where(bots.c.id == bot)):
            raise NotFound("running.unknown_bot", bot=bot, known=", ".join(one.id for one in self.bots()) or "-")

    def delete_bot(self, bot: str, deleted_ms: int) -> None:
        """Name a bot no more among the others; raise `NotFound`."""
        here = (bots.c.id == bot) & bots.c.deleted_ms.is_(None)
        if not self._change(sa.update(bots).where(here).values(deleted_ms=deleted_ms)):
            raise NotFound("running.unknown_bot", bot=bot, known=", ".join(one.id for one in self.bots()) or "-")

    def bots(self, account: str | None = None) -> list[BotSpec]:
        """Return the bots, of one account or of all, by id."""
        rows = self._read(_BOTS) if account is None else self._read(_BOTS_OF, account=account)
        return [_bot(row) for row in rows]

    def ask(self, request: Request) -> int:
        """Put a request to the engine and return its id; raise `NotFound` if its user has no such account or bot."""
        self._need_account(request.account, request.user_id)
        if request.bot:
            known = [bot.id for bot in self.bots(request.account)]
            if request.bot not in known:
                raise NotFound("book.no_bot", bot=request.bot, account=request.account, near=_near(request.bot, known))
        row = _row(request)
        del row["id"]
        try:
            return int(self._add(requests, row))
        except sa.exc.IntegrityError:  # it was put before: whoever asked did not hear of it
            of_key = (requests.c.user_id == request.user_id) & (requests.c.key == request.key)
            for first in self._read(sa.select(requests.c.id).where(of_key)):
                return int(first["id"])
            raise

    def waiting(self) -> list[Request]:
        """Return the requests that have no answer yet, oldest first."""
        return [Request(**row) for row in self._read(_WAITING)]

    def answer(self, request_id: int, done_ms: int, answer: str, *, refused: bool = False) -> None:
        """Say what came of a request; raise `NotFound`."""
        values = {"done_ms": done_ms, "answer": answer, "refused": refused}
        update = sa.update(requests).where(requests.c.id == request_id).values(values)
        if not self._change(update):
            raise NotFound("book.no_request", id=request_id)

    def request(self, request_id: int) -> Request:
        """Return one request; raise `NotFound`."""
        for row in self._read(_REQUEST, id=request_id):
            return Request(**row)
        raise NotFound("book.no_request", id=request_id)

    def raise_alert(self, alert: Alert) -> None:
        """Keep an alert."""
        self._add(alerts, _row(alert))

    def alerts(self, limit: int = 50) -> list[Alert]:
        """Return the newest alerts first."""
        return [Alert(**{**row, "level": Level(row["level"])}) for row in self._read(_NEWEST_ALERTS, limit=limit)]

    def _need_account(self, account: str, user_id: int) -> None:
        known = [row["id"] for row in self._read(sa.select(accounts.c.id).where(accounts.c.user_id == user_id))]
        if account not in known:
            raise no_such_account(account, known)


def no_such_account(account: str, known: Iterable[str]) -> NotFound:
    """Return the error for an account that is not there, with those that are named nearly so."""
    return NotFound("book.no_account", account=account, near=_near(account, known))


def _near(name: str, known: Iterable[str]) -> str:
    known = sorted(known)
    return ", ".join(get_close_matches(name, known, 3) or known[:10]) or "-"


def _row(spec: AccountSpec | BotSpec | Request | Alert) -> dict[str, Any]:
    return {field.name: getattr(spec, field.name) for field in fields(spec)}


def _account(row: dict[str, Any]) -> AccountSpec:
    return AccountSpec(**{**row, "mode": Mode(row["mode"])})


def _bot(row: dict[str, Any]) -> BotSpec:
    return BotSpec(**{**row, "timeframe": Timeframe(row["timeframe"])})
