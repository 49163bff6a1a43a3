"""`SqlPeople`: people, sessions, API tokens, invitations and the server's settings in the database."""

from collections.abc import Callable
from dataclasses import asdict
from functools import cached_property
from typing import Any, Literal

import sqlalchemy as sa

from cambist.adapters.storage.database import insert_into, obeying, open_database, rows_of, writing
from cambist.adapters.storage.owned import counted
from cambist.adapters.storage.tables import metadata
from cambist.adapters.storage.tables.book import accounts
from cambist.adapters.storage.tables.people import (
    api_tokens,
    audit_log,
    invitations,
    server_settings,
    sessions,
    users,
)
from cambist.domain.errors import NotAllowed, NotFound, Taken
from cambist.domain.person import Person, Role, Scope
from cambist.ports.people import ApiToken, Invitation, Session

_PERSON = [column for column in users.c if column.name not in ("password", "totp_used")]
_ADMIN = sa.and_(users.c.role == Role.ADMIN.value, users.c.active)
_NOT_ENDED = api_tokens.c.ended_ms.is_(None)

# to make a statement takes longer than to run it, and every request asks who asks
_SOMEBODY = sa.select(*_PERSON).where(users.c.id == sa.bindparam("id"))
_SESSION = sa.select(sessions).where(sessions.c.id == sa.bindparam("id"))
_SESSIONS = (
    sa.select(sessions)
    .where(sessions.c.user_id == sa.bindparam("user_id"), sessions.c.ended_ms.is_(None))
    .where(sessions.c.expires_ms > sa.bindparam("now_ms"))
    .order_by(sessions.c.used_ms.desc(), sessions.c.id)
)
_TOKEN = sa.select(api_tokens).where(api_tokens.c.id == sa.bindparam("id"))
_TOKENS = (
    sa.select(api_tokens)
    .where(api_tokens.c.user_id == sa.bindparam("user_id"), _NOT_ENDED)
    .order_by(api_tokens.c.created_ms, api_tokens.c.id)
)
_SETTING = sa.select(server_settings.c.value).where(server_settings.c.name == sa.bindparam("name"))


class SqlPeople:
    """The port `People` over SQL. The database is opened, and migrated if need be, when it is first used."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url

    # -- users

    def add_first(self, name: str, password: str, created_ms: int) -> Person | None:
        """Add user 1, an admin, if there is nobody yet; else return None."""
        row = {"id": 1, **_new_user(name, password, Role.ADMIN, created_ms)}
        with obeying(), writing(self._engine).begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.text("LOCK TABLE users IN EXCLUSIVE MODE"))
            if connection.scalar(sa.select(sa.func.count()).select_from(users)):
                return None
            connection.execute(users.insert().values(row))
            if connection.dialect.name == "postgresql":  # its counter does not see numbers that are given
                connection.execute(sa.text("SELECT setval(pg_get_serial_sequence('users', 'id'), 1)"))
        return self.person(1)

    def add(self, name: str, password: str, role: Role, created_ms: int, invitation: str | None = None) -> Person:
        """Add somebody; raise `Taken` if the name is, `NotFound` if the invitation is used up."""
        row = _new_user(name, password, role, created_ms)
        try:
            with obeying(but=sa.exc.IntegrityError), writing(self._engine).begin() as connection:
                user_id: int = connection.execute(users.insert().values(row).returning(users.c.id)).scalar_one()
                if invitation is not None:
                    unused = sa.and_(invitations.c.id == invitation, invitations.c.used_by.is_(None))
                    use = sa.update(invitations).where(unused).values(used_by=user_id)
                    if not connection.execute(use).rowcount:
                        raise NotFound("people.no_invitation", id=invitation)
        except sa.exc.IntegrityError:
            raise Taken("people.name_taken", name=name) from None
        return self.person(user_id)

    def person(self, user_id: int) -> Person:
        """Return somebody; raise `NotFound`."""
        row = self._one(_SOMEBODY, id=user_id)
        if row is None:
            raise NotFound("people.no_user", id=user_id)
        return _person(row)

    def named(self, name: str) -> tuple[Person, str] | None:
        """Return who has this name, with the hash of their password."""
        row = self._one(sa.select(*_PERSON, users.c.password).where(users.c.name == name))
        if row is None:
            return None
        password = row.pop("password")
        return _person(row), password

    def everybody(self, after: int = 0, limit: int = 1_000) -> list[Person]:
        """Return people by id, those after ``after``."""
        query = sa.select(*_PERSON).where(users.c.id > after).order_by(users.c.id).limit(limit)
        return [_person(row) for row in self._all(query)]

    def change(self, user_id: int, **changes: Any) -> Person:
        """Set columns of somebody; raise `NotFound`, and `NotAllowed` if no active admin would be left."""
        with obeying(), writing(self._engine).begin() as connection:
            guarded = bool({"role", "active"} & changes.keys())
            if guarded:  # two admins who demote each other at once must not both succeed
                connection.execute(sa.select(users.c.id).where(_ADMIN).order_by(users.c.id).with_for_update())
            change = sa.update(users).where(users.c.id == user_id).values(changes)
            if not connection.execute(change).rowcount:
                raise NotFound("people.no_user", id=user_id)
            if guarded and not connection.scalar(sa.select(sa.func.count()).select_from(users).where(_ADMIN)):
                raise NotAllowed("people.last_admin")
        return self.person(user_id)

    def rewrite(
        self, user_id: int, what: Literal["profile", "limits"], how: Callable[[dict[str, Any]], dict[str, Any]]
    ) -> Person:
        """Replace the profile or the limits of somebody by what ``how`` makes of them; raise `NotFound`."""
        # sessions and tokens that name this row may be added meanwhile
        query = sa.select(users.c[what]).where(users.c.id == user_id).with_for_update(key_share=True)
        with obeying(), writing(self._engine).begin() as connection:
            row = connection.execute(query).one_or_none()
            if row is None:
                raise NotFound("people.no_user", id=user_id)
            connection.execute(sa.update(users).where(users.c.id == user_id).values({what: how(dict(row[0]))}))
        return self.person(user_id)

    def forget(self, user_id: int) -> None:
        """Delete somebody with every row that is theirs, but for the audit log; raise `NotFound`, `Taken`."""
        with obeying(), writing(self._engine).begin() as connection:
            if not connection.execute(sa.delete(users).where(users.c.id == user_id)).rowcount:
                raise NotFound("people.no_user", id=user_id)
            theirs = sa.select(accounts.c.id).where(accounts.c.user_id == user_id).order_by(accounts.c.id)
            left = connection.scalars(theirs).all()
            if left:
                raise Taken("people.has_accounts", accounts=", ".join(left))
            for table in reversed(metadata.sorted_tables):  # those first that name others
                if "user_id" in table.c and table is not audit_log:
                    connection.execute(sa.delete(table).where(table.c.user_id == user_id))

    def use_step(self, user_id: int, step: int) -> bool:
        """Use up the time step of a second factor; False if this one or a later one was used already."""
        unused = sa.and_(users.c.id == user_id, users.c.totp_used < step)
        return self._change(sa.update(users).where(unused).values(totp_used=step)) == 1

    # -- sessions

    def start_session(self, session: Session) -> None:
        """Keep a new session."""
        self._add(sessions, asdict(session))

    def session(self, session_id: str) -> Session | None:
        """Return a session, ended or not."""
        row = self._one(_SESSION, id=session_id)
        return None if row is None else Session(**row)

    def sessions(self, user_id: int, now_ms: int) -> list[Session]:
        """Return the sessions of ``user_id`` that are open, the last used first."""
        return [Session(**row) for row in self._all(_SESSIONS, user_id=user_id, now_ms=now_ms)]

    def renew_session(self, session_id: str, old: str, new: str, now_ms: int, expires_ms: int) -> bool:
        """Replace the hash ``old`` by ``new``; False unless the session is open and ``old`` its hash."""
        right = sa.and_(
            sessions.c.id == session_id,
            sessions.c.secret == old,
            sessions.c.ended_ms.is_(None),
            sessions.c.expires_ms > now_ms,
        )
        changes = {"secret": new, "used_ms": now_ms, "expires_ms": expires_ms}
        return self._change(sa.update(sessions).where(right).values(changes)) == 1

    def end_sessions(
        self, user_id: int, now_ms: int, why: str, *, only: str | None = None, but: str | None = None
    ) -> int:
        """End the sessions of ``user_id``: all, ``only`` one, or all ``but`` one; return how many were open."""
        end = sa.update(sessions).where(_open(user_id)).values(ended_ms=now_ms, why_ended=why)
        if only is not None:
            end = end.where(sessions.c.id == only)
        if but is not None:
            end = end.where(sessions.c.id != but)
        return self._change(end)

    # -- API tokens

    def add_token(self, token: ApiToken, most: int | None = None) -> None:
        """Keep a new token; raise `Taken` if its user has ``most`` that have not been ended."""
        with obeying(), writing(self._engine).begin() as connection:
            if most is not None and counted(connection, api_tokens, token.user_id, _NOT_ENDED) >= most:
                raise Taken("people.tokens_full", most=most)
            connection.execute(api_tokens.insert().values({**asdict(token), "scopes": sorted(token.scopes)}))

    def token(self, token_id: str) -> ApiToken | None:
        """Return a token, ended or not."""
        row = self._one(_TOKEN, id=token_id)
        return None if row is None else _token(row)

    def tokens(self, user_id: int) -> list[ApiToken]:
        """Return the tokens of ``user_id`` that have not been ended, the oldest first."""
        return [_token(row) for row in self._all(_TOKENS, user_id=user_id)]

    def token_used(self, token_id: str, now_ms: int) -> None:
        """Note that a token was used."""
        self._change(sa.update(api_tokens).where(api_tokens.c.id == token_id).values(used_ms=now_ms))

    def end_tokens(self, user_id: int, now_ms: int, *, only: str | None = None) -> int:
        """End the tokens of ``user_id``, or ``only`` one; return how many."""
        end = sa.update(api_tokens).where(api_tokens.c.user_id == user_id, _NOT_ENDED)
        if only is not None:
            end = end.where(api_tokens.c.id == only)
        return self._change(end.values(ended_ms=now_ms))

    # -- invitations

    def invite(self, invitation: Invitation) -> None:
        """Keep a new invitation."""
        self._add(invitations, {**asdict(invitation), "role": invitation.role.value})

    def invitation(self, invitation_id: str) -> Invitation | None:
        """Return an invitation, used or not."""
        row = self._one(sa.select(invitations).where(invitations.c.id == invitation_id))
        return None if row is None else _invitation(row)

    def invitations(self, now_ms: int) -> list[Invitation]:
        """Return the invitations that can still be used."""
        usable = sa.and_(invitations.c.used_by.is_(None), invitations.c.expires_ms > now_ms)
        query = sa.select(invitations).where(usable).order_by(invitations.c.created_ms, invitations.c.id)
        return [_invitation(row) for row in self._all(query)]

    def uninvite(self, invitation_id: str) -> bool:
        """Take an invitation back; False if there is no unused one of this id."""
        unused = sa.and_(invitations.c.id == invitation_id, invitations.c.used_by.is_(None))
        return self._change(sa.delete(invitations).where(unused)) == 1

    # -- the server's settings

    def setting(self, name: str) -> Any:
        """Return a setting; None if it was never set."""
        row = self._one(_SETTING, name=name)
        return None if row is None else row["value"]

    def set_setting(self, name: str, value: Any) -> None:
        """Keep a setting."""
        insert = insert_into(self._engine, server_settings).values(name=name, value=value)
        with obeying(), writing(self._engine).begin() as connection:
            connection.execute(insert.on_conflict_do_update(index_elements=["name"], set_={"value": value}))

    # -- how

    def _all(self, query: sa.Select[Any], **given: object) -> list[dict[str, Any]]:
        return rows_of(self._engine, query, **given)

    def _one(self, query: sa.Select[Any], **given: object) -> dict[str, Any] | None:
        return next(iter(self._all(query, **given)), None)

    def _add(self, table: sa.Table, row: dict[str, Any]) -> None:
        with obeying(), writing(self._engine).begin() as connection:
            connection.execute(table.insert().values(row))

    def _change(self, statement: sa.Update | sa.Delete) -> int:
        with obeying(), writing(self._engine).begin() as connection:
            return int(connection.execute(statement).rowcount)

    @cached_property
    def _engine(self) -> sa.Engine:
        return open_database(self._url)


def _new_user(name: str, password: str, role: Role, created_ms: int) -> dict[str, Any]:
    return {
        "name": name,
        "password": password,
        "role": role.value,
        "active": True,
        "profile": {},
        "limits": {},
        "totp_on": False,
        "totp_used": 0,
        "created_ms": created_ms,
    }


def _open(user_id: int) -> sa.ColumnElement[bool]:
    return sa.and_(sessions.c.user_id == user_id, sessions.c.ended_ms.is_(None))


def _person(row: dict[str, Any]) -> Person:
    return Person(**{**row, "role": Role(row["role"])})


def _token(row: dict[str, Any]) -> ApiToken:
    return ApiToken(**{**row, "scopes": frozenset(Scope(scope) for scope in row["scopes"])})


def _invitation(row: dict[str, Any]) -> Invitation:
    return Invitation(**{**row, "role": Role(row["role"])})
