"""SQLite files are kept open by the process, and what happens to them meanwhile is seen all the same."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.databases import sqlite_url

from cambist.adapters.storage import database
from cambist.adapters.storage.register import SqlRegister
from cambist.domain.account import AccountSpec, Mode


def account(name: str) -> AccountSpec:
    return AccountSpec(id=name, user_id=1, venue="simulated", mode=Mode.PAPER, quote="USDT")


def names(file: Path) -> list[str]:
    return [one.id for one in SqlRegister(f"sqlite:///{file}").accounts()]


def test_a_file_that_was_put_in_place_of_another_is_read(tmp_path):
    first, second = tmp_path / "first.db", tmp_path / "second.db"
    for file in (first, second):
        SqlRegister(f"sqlite:///{file}").add_account(account(file.stem))
    known = SqlRegister(f"sqlite:///{first}")
    assert [one.id for one in known.accounts()] == ["first"]
    for suffix in ("-wal", "-shm"):
        Path(f"{first}{suffix}").unlink(missing_ok=True)
    with sa.create_engine(f"sqlite:///{second}", poolclass=sa.NullPool).connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    second.replace(first)
    assert [one.id for one in known.accounts()] == ["second"]


def test_a_file_that_was_deleted_is_begun_again(tmp_path):
    file = tmp_path / "book.db"
    SqlRegister(f"sqlite:///{file}").add_account(account("old"))
    for one in tmp_path.iterdir():
        one.unlink()
    assert names(file) == []


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="this system does not list open files")
def test_only_so_many_files_are_kept_open(tmp_path):
    for number in range(3 * database._MOST_OPEN):
        file = tmp_path / f"{number}.db"
        sqlite_url(file)
        assert names(file) == []
    held = {str(one.readlink()) for one in Path("/proc/self/fd").iterdir() if one.is_symlink()}
    assert len({one for one in held if one.startswith(str(tmp_path)) and one.endswith(".db")}) <= database._MOST_OPEN
