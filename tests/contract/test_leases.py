from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.contract.book import fresh
from tests.contract.lease import LeaseContract

from cambist.adapters.storage.database import open_database
from cambist.adapters.storage.lease import FileLease, PostgresLease, open_lease
from cambist.domain.errors import BadInput, StorageFailed


class TestLease(LeaseContract):
    pass


def test_a_file_that_somebody_removed_is_no_lease(tmp_path: Path):
    database = tmp_path / "new" / "cambist.db"
    one, two = FileLease(database), FileLease(database)
    assert one.take("floor")
    (file,) = database.parent.iterdir()
    assert file.name.startswith("cambist.db.lease-")
    file.unlink()
    assert two.take("floor")
    assert not one.held("floor")
    assert not one.take("floor")
    two.give_back()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(StorageFailed, match="file"):
        FileLease(tmp_path / "file" / "cambist.db").take("floor")


def test_a_lost_connection_is_a_lost_lease(postgres_url: str):
    lease, other, name = open_lease(postgres_url), open_lease(postgres_url), fresh("lease")
    assert lease.take(name)
    end = sa.text(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks "
        "WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    with open_database(postgres_url).connect() as connection:
        assert connection.scalars(end).all() == [True]
    assert not lease.held(name)
    assert other.take(name)
    assert not lease.take(name)
    other.give_back()
    assert lease.take(name)
    lease.give_back()


def test_a_server_that_is_not_there_is_said(tmp_path: Path):
    lease = open_lease(f"postgresql://nobody@/nothing?host={tmp_path}")
    with pytest.raises(StorageFailed):
        lease.take("floor")
    assert not lease.held("floor")


def test_the_url_says_which_it_is(tmp_path: Path):
    assert isinstance(open_lease(f"sqlite:///{tmp_path / 'cambist.db'}"), FileLease)
    assert isinstance(open_lease("postgresql://me@host/db"), PostgresLease)
    with pytest.raises(BadInput, match="DATABASE_URL"):
        open_lease("mysql://me@host/db")
