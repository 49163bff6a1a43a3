"""People: who they are, what they may do, and who is asking right now."""

import re
from enum import StrEnum
from typing import Any

from cambist.domain.record import record
from cambist.domain.text import Language


class Role(StrEnum):
    """What a person is here for."""

    VIEW = "view"
    TRADE = "trade"
    ADMIN = "admin"


class Scope(StrEnum):
    """What a request may do. A person has the scopes of their role, an API token some of its owner's."""

    READ = "read"
    TRADE = "trade"
    ACCOUNT = "account"
    """Keys, tokens, passwords, brokers."""
    ADMIN = "admin"
    """Other people, and the server's settings."""


NAME = re.compile(r"[a-z][a-z0-9_.-]{1,31}")
"""How people may be called."""

SCOPES: dict[Role, frozenset[Scope]] = {
    Role.VIEW: frozenset((Scope.READ,)),
    Role.TRADE: frozenset((Scope.READ, Scope.TRADE, Scope.ACCOUNT)),
    Role.ADMIN: frozenset(Scope),
}


@record(kw_only=True)
class Person:
    """Somebody who may come in. Passwords and other secrets are kept elsewhere."""

    id: int
    name: str
    role: Role
    active: bool
    profile: dict[str, Any]
    """``language`` (en, fr), ``time_zone``, ``theme`` (dark, light), ``currency``, ``default_account``, and ``ai``:
    ``provider`` (openrouter, ollama, openai, off), ``url``, ``model``. What is missing has not been chosen."""
    limits: dict[str, Any]
    """``max_bots``, ``requests_per_minute``, ``backtest_minutes_per_day`` (int), ``max_notional``, ``max_daily_loss``
    (amounts as text). What is missing is not limited."""
    totp_on: bool
    """Whether a second factor is asked for."""
    created_ms: int
    seen_ms: int | None = None
    """When they last signed in or renewed their session."""


@record(kw_only=True)
class Identity:
    """Who is asking, as proved by what came with the request."""

    user_id: int
    name: str
    role: Role
    scopes: frozenset[Scope]
    session: str | None
    """Id of the session; None for an API token and for the debug login."""
    token: str | None
    """Id of the API token."""
    language: Language
    time_zone: str
    limits: dict[str, Any]
    """As `Person.limits`."""
    until_ms: int | None = None
    """When the proof ends by itself."""
