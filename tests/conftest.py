"""Fixtures that every test can ask for, and how tests are shared out to workers."""

import gc
import logging
import signal
from collections.abc import Generator, Iterator
from functools import cache
from typing import TYPE_CHECKING

import pytest
from tests.databases import database_url, postgres_server, postgres_url, redis_server
from tests.turns import pytest_collection_modifyitems, pytest_xdist_auto_num_workers, pytest_xdist_make_scheduler

from cambist.accounts import passwords

if TYPE_CHECKING:
    from pwdlib import PasswordHash

__all__ = [
    "database_url",
    "postgres_server",
    "postgres_url",
    "pytest_collection_modifyitems",
    "pytest_xdist_auto_num_workers",
    "pytest_xdist_make_scheduler",
    "redis_server",
]

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


@pytest.fixture(scope="module", autouse=True)
def quick_hashes(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let passwords be hashed as ever, but at the least cost, where the cost is not what a file is about."""
    with pytest.MonkeyPatch.context() as patch:
        if request.path.name != "test_passwords.py":
            patch.setattr(passwords, "_hasher", _quick_hasher)
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
