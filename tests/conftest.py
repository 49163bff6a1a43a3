"""Fixtures that every test can ask for, and how tests are shared out to workers."""

import gc
import logging
import os
import signal
import sqlite3
from collections.abc import Generator, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from tests.databases import database_url, postgres_server, postgres_url, redis_server
from tests.turns import pytest_collection_modifyitems, pytest_xdist_auto_num_workers, pytest_xdist_make_scheduler

from cambist.accounts import passwords
from cambist.adapters.storage import database
from cambist.domain.text import speak

if TYPE_CHECKING:
    from pwdlib import PasswordHash
    from sqlalchemy.pool import ConnectionPoolEntry

__all__ = [
    "database_url",
    "postgres_server",
    "postgres_url",
    "pytest_collection_modifyitems",
    "pytest_xdist_auto_num_workers",
    "pytest_xdist_make_scheduler",
    "redis_server",
]

# The same examples at each run, however slow the machine: a commit is right or wrong, not lucky.
# `pytest --hypothesis-profile default` looks for others.
settings.register_profile(
    "same", derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("same")

for name in [*os.environ]:  # what somebody has set for a Cambist of their own is not for these
    if name in ("DATABASE_URL", "BUS_URL") or (name.startswith("CAMBIST_") and not name.startswith("CAMBIST_TEST_")):
        del os.environ[name]

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # A shell that starts us in the background has Ctrl-C ignored, also by the processes that tests start and stop so.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect tests without looking for garbage: there is none, and it would take a third of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_runtest_setup() -> None:
    """Let each test begin in English, whatever the one before has spoken."""
    speak("en")


@pytest.fixture(scope="module", autouse=True)
def quick_hashes(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let passwords be hashed as ever, but at the least cost, where the cost is not what a file is about."""
    with pytest.MonkeyPatch.context() as patch:
        if request.path.name != "test_passwords.py":
            patch.setattr(passwords, "_hasher", _quick_hasher)
        yield


@pytest.fixture(scope="module", autouse=True)
def no_power_cuts(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let this process not wait until the disk has what it commits, but where that is what a file is about."""
    prepare = database._prepare_sqlite

    def prepared(file: Path, connection: sqlite3.Connection, record: "ConnectionPoolEntry") -> None:
        prepare(file, connection, record)
        connection.execute("PRAGMA synchronous = OFF")

    with pytest.MonkeyPatch.context() as patch:
        if request.path.name != "test_book.py":
            patch.setattr(database, "_prepare_sqlite", prepared)
            patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture(scope="module", autouse=True)
def no_log_stays_open() -> Iterator[None]:
    """Take back the log that a command has opened in this process: the next file would write into it, and be heard."""
    root = logging.getLogger()
    level = root.level
    yield
    root.setLevel(level)
    for handler in [one for one in root.handlers if type(one).__module__.startswith("cambist.")]:
        root.removeHandler(handler)


@cache
def _quick_hasher() -> "PasswordHash":
    from pwdlib import PasswordHash
    from pwdlib.hashers.argon2 import Argon2Hasher

    return PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))
