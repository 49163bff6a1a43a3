"""An office over a database of its own, and people in it who cost no hashing."""

from pathlib import Path

from tests.databases import sqlite_url

from cambist.accounts import passwords
from cambist.apps import bootstrap
from cambist.apps.settings import load
from cambist.domain.person import Person, Role
from cambist.usecases.office import Office, Visit

NOW = 1_800_000_000_000
PASSWORD = "correct-horse-battery"


def office_in(folder: Path, **environment: str) -> Office:
    """Return an office that keeps everything in ``folder``."""
    sqlite_url(folder / "cambist.db")
    return bootstrap.office(load({"CAMBIST_HOME": str(folder), **environment}))


def visit(now_ms: int = NOW, **known: str) -> Visit:
    """Return a visit from somewhere."""
    return Visit(now_ms=now_ms, **{"address": "203.0.113.7", "agent": "test", **known})


def somebody(office: Office, name: str, role: Role = Role.TRADE, *, password: bool = False) -> Person:
    """Add somebody, with `PASSWORD` or none."""
    kept = passwords.hashed(PASSWORD, b"s" * passwords.SALT) if password else passwords.NONE
    return office.people.add(name, kept, role, NOW)
