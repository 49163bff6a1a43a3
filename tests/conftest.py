"""Fixtures that every test can ask for, and how tests are shared out to workers."""

import signal

from tests.databases import database_url, postgres_server, postgres_url, redis_server
from tests.turns import pytest_collection_modifyitems, pytest_xdist_auto_num_workers, pytest_xdist_make_scheduler

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
