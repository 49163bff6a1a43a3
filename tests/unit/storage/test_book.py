"""What the book withstands: kill -9, lost connections, missing entries, other writers, and its size."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import tracemalloc
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.contract.book import a_movement, an_account, entries

from cambist.adapters.storage.database import open_database
from cambist.adapters.storage.journal import SqlJournal
from cambist.adapters.storage.register import SqlRegister
from cambist.domain.errors import JournalFenced, StorageFailed


@pytest.fixture
def account(database_url: str) -> str:
    spec = an_account()
    SqlRegister(database_url).add_account(spec)
    return spec.id


@pytest.fixture
def journal(database_url: str):
    journal = SqlJournal(database_url)
    yield journal
    journal.close()


WRITER = """
import sys
from decimal import Decimal
from itertools import count
from tests.contract.book import a_movement, entries
from cambist.adapters.storage.journal import SqlJournal
url, account = sys.argv[1:]
journal = SqlJournal(url)
for turn in count():
    written = entries(account, 5 * turn + 1, 5 * turn + 5)
    journal.append(written, [(account, a_movement(f"m-{turn}", Decimal(turn)))])
    print(written[-1].seq, flush=True)
"""


def test_what_was_appended_survives_kill_9_and_half_an_append_is_never_seen(database_url, journal, account):
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, database_url, account],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    assert writer.stdout is not None
    said = [int(writer.stdout.readline()) for _ in range(40)]
    os.kill(writer.pid, signal.SIGKILL)
    said += [int(line) for line in writer.communicate()[0].split()]
    there = [entry.seq for entry in journal.read(account)]
    assert there == list(range(1, len(there) + 1))
    assert len(there) >= said[-1]
    assert len(there) % 5 == 0
    assert [entry.id for entry in journal.ledger(account)] == [f"m-{turn}" for turn in range(len(there) // 5)]
    journal.append(entries(account, len(there) + 1, len(there) + 1))


def test_what_is_committed_is_on_the_disk(tmp_path):
    with open_database(f"sqlite:///{tmp_path / 'cambist.db'}").connect() as connection:
        full = 2
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == full


def test_a_connection_that_was_cut_fails_once_and_is_made_anew(postgres_url):
    spec = an_account()
    register, journal = SqlRegister(postgres_url), SqlJournal(postgres_url)
    register.add_account(spec)
    journal.append(entries(spec.id, 1, 1))
    # a connection of its own, so that none of those in use is the one that ends the others
    with sa.create_engine(open_database(postgres_url).url, poolclass=sa.NullPool).connect() as connection:
        connection.execute(
            sa.text(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    assert register.accounts()
    with pytest.raises(StorageFailed) as failed:
        journal.append(entries(spec.id, 2, 2))
    assert not isinstance(failed.value, JournalFenced)
    journal.append(entries(spec.id, 2, 2))
    assert list(journal.read(spec.id)) == entries(spec.id, 1, 2)
    journal.close()


def test_an_append_waits_for_another_writer_of_the_database(tmp_path):
    file = tmp_path / "cambist.db"
    spec, journal = an_account(), SqlJournal(f"sqlite:///{file}")
    SqlRegister(f"sqlite:///{file}").add_account(spec)
    other = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    other.execute("UPDATE accounts SET quote = 'EUR'")
    appending = threading.Thread(target=journal.append, args=(entries(spec.id, 1, 1),))
    appending.start()
    other.execute("COMMIT")
    other.close()
    appending.join(10)
    assert list(journal.read(spec.id)) == entries(spec.id, 1, 1)
    journal.close()


@pytest.mark.parametrize("hole", [(1, 1), (2, 4), (99, 250), (101, 200), (1, 290)])
def test_entries_that_are_missing_are_never_passed_over(database_url, journal, account, hole, monkeypatch):
    monkeypatch.setattr("cambist.adapters.storage.journal._PAGE", 100)
    journal.append(entries(account, 1, 300))
    assert list(journal.read(account)) == entries(account, 1, 300)
    with open_database(database_url).begin() as connection:
        gone = sa.text("DELETE FROM journal WHERE account = :account AND seq BETWEEN :first AND :last")
        connection.execute(gone, {"account": account, "first": hole[0], "last": hole[1]})
    with pytest.raises(StorageFailed, match="lacks entries"):
        list(journal.read(account))
    assert list(journal.read(account, after_seq=hole[1])) == entries(account, hole[1] + 1, 300)


def test_two_threads_may_append_to_two_accounts(database_url, journal, account):
    other = an_account()
    SqlRegister(database_url).add_account(other)

    def append(to: str) -> None:
        for seq in range(1, 51):
            journal.append(entries(to, seq, seq))

    threads = [threading.Thread(target=append, args=(to,)) for to in (account, other.id)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(len(list(journal.read(to))) == 50 for to in (account, other.id))


def test_every_row_carries_the_user_of_its_account(database_url, journal):
    spec = an_account(user_id=77)
    SqlRegister(database_url, 77).add_account(spec)
    journal.append(entries(spec.id, 1, 1), [(spec.id, a_movement("m"))])
    journal.snapshot(spec.id, 1, "{}")
    with open_database(database_url).connect() as connection:
        for table in ("journal", "ledger_lines", "snapshots"):
            users = connection.execute(
                sa.text(f"SELECT DISTINCT user_id FROM {table} WHERE account = :account"), {"account": spec.id}
            )
            assert users.scalars().all() == [77]


def test_a_long_journal_is_read_in_steady_memory(database_url, journal, account):
    body = '{"body":"' + "x" * 280 + '"}'
    journal.append(entries(account, 1, 24_000, body))
    started = time.perf_counter()
    assert sum(1 for _ in journal.read(account)) == 24_000
    took = time.perf_counter() - started
    peaks = []
    tracemalloc.start()
    try:
        for after_seq in (16_000, 0):
            tracemalloc.reset_peak()
            assert sum(1 for _ in journal.read(account, after_seq)) == 24_000 - after_seq
            peaks.append(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()
    print(f"{24_000 / took:,.0f} entries/s, at most {peaks[1] / 1e6:.1f} MB")
    assert peaks[1] < 1.2 * peaks[0]
