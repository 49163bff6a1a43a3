"""The audit log on both databases: a chain that several processes write, and in which nothing changes unseen."""

import subprocess
import sys
from dataclasses import replace

import pytest
import sqlalchemy as sa
from tests.databases import fresh_postgres

from cambist.adapters.storage.audit_log import SqlAuditLog
from cambist.adapters.storage.database import open_database
from cambist.adapters.storage.tables.people import audit_log as table
from cambist.domain.deed import GENESIS, Deed, chained, is_whole
from cambist.usecases.auditing import verify

DEED = Deed(
    ts=1_800_000_000_000,
    user_id=7,
    actor="ann é",
    action="login",
    target="ann",
    details={"b": [1, "é"], "a": None},
    address="203.0.113.7",
    request_id="r1",
)


@pytest.fixture
def url(database_url: str, request: pytest.FixtureRequest, tmp_path) -> str:
    """Return the URL of a log of this test's own."""
    if "postgres" in database_url:
        return fresh_postgres(request.getfixturevalue("postgres_server"))
    return f"sqlite:///{tmp_path / 'log.db'}"


@pytest.fixture
def log(url: str) -> SqlAuditLog:
    return SqlAuditLog(url)


def filled(log: SqlAuditLog, count: int = 5) -> None:
    for number in range(count):
        log.append(replace(DEED, ts=DEED.ts + number, user_id=7 + number % 2))


def test_each_row_holds_the_hash_of_the_one_before(log):
    assert verify(log.chain()).count == 0
    filled(log)
    rows = list(log.chain())
    assert [row.seq for row in rows] == [1, 2, 3, 4, 5]
    assert [row.previous for row in rows] == [GENESIS, *(row.hash for row in rows[:-1])]
    assert rows[0] == chained(replace(DEED, user_id=7), 1, GENESIS)
    assert rows[0].details == '{"a":null,"b":[1,"\\u00e9"]}'
    found = verify(rows)
    assert (found.count, found.last, found.broken) == (5, rows[-1], None)


def test_the_newest_come_first_of_one_or_all_and_page_by_page(log):
    filled(log)
    assert [row.seq for row in log.latest(2)] == [5, 4]
    assert [row.seq for row in log.latest(10, user_id=8)] == [4, 2]
    assert [row.seq for row in log.latest(10, user_id=7, before=5)] == [3, 1]
    assert log.latest(10, user_id=99) == []


CHANGES = {
    "ts": 1,
    "user_id": 1,
    "actor": "bob",
    "action": "logout",
    "target": "bob",
    "details": "{}",
    "address": "",
    "request_id": "r2",
    "previous": "f" * 64,
    "hash": "f" * 64,
}


@pytest.mark.parametrize("column", CHANGES)
def test_a_changed_row_is_found(log, url, column):
    filled(log)
    with open_database(url).begin() as connection:
        connection.execute(sa.update(table).where(table.c.seq == 3).values({column: CHANGES[column]}))
    found = verify(log.chain())
    assert (found.count, found.broken, found.why) == (2, 3, "audit.changed")


def test_a_row_that_was_changed_and_hashed_anew_breaks_the_chain_at_the_next(log, url):
    filled(log)
    row = list(log.chain())[2]
    forged = chained(replace(DEED, actor="nobody"), 3, row.previous)
    with open_database(url).begin() as connection:
        connection.execute(
            sa.update(table)
            .where(table.c.seq == 3)
            .values(actor="nobody", details=forged.details, ts=forged.ts, user_id=forged.user_id, hash=forged.hash)
        )
    assert is_whole(list(log.chain())[2])
    found = verify(log.chain())
    assert (found.broken, found.why) == (4, "audit.unchained")


@pytest.mark.parametrize("seq", [1, 3])
def test_a_missing_row_is_found(log, url, seq):
    filled(log)
    with open_database(url).begin() as connection:
        connection.execute(sa.delete(table).where(table.c.seq == seq))
    found = verify(log.chain())
    assert (found.broken, found.why) == (seq + 1, "audit.missing")


def test_the_log_is_read_a_page_at_a_time(log, monkeypatch):
    monkeypatch.setattr("cambist.adapters.storage.audit_log._PAGE", 2)
    filled(log)
    assert [row.seq for row in log.chain()] == [1, 2, 3, 4, 5]


WRITER = """
import sys
from cambist.adapters.storage.audit_log import SqlAuditLog
from cambist.domain.deed import Deed
log = SqlAuditLog(sys.argv[1])
sys.stdin.read()
for number in range(25):
    log.append(Deed(ts=number, user_id=1, actor=sys.argv[2], action="x", target="", details={"n": number}))
"""


def test_several_processes_write_one_chain(log, url):
    filled(log, 1)
    command = [sys.executable, "-c", WRITER, url]
    writers = [subprocess.Popen([*command, f"w{number}"], stdin=subprocess.PIPE) for number in range(3)]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.close()
    assert [writer.wait(timeout=120) for writer in writers] == [0, 0, 0]
    rows = list(log.chain())
    assert len(rows) == 76
    assert verify(rows).broken is None
    for number in range(3):
        assert [row.ts for row in rows if row.actor == f"w{number}"] == list(range(25))
