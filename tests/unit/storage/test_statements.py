"""How statements reach SQLite: who may write begins so, and a query that is written once is confined for each user."""

import gc
import sqlite3
from contextlib import closing

import pytest
import sqlalchemy as sa

from cambist.adapters.storage import owned
from cambist.adapters.storage.database import open_database, rows_of, writing
from cambist.adapters.storage.owned import Owned
from cambist.adapters.storage.register import SqlRegister
from cambist.adapters.storage.tables.book import accounts
from cambist.domain.account import AccountSpec, Mode


class Book(Owned):
    """A store that shows what its statements come to."""

    def ids(self, query: sa.Select, **given: object) -> list[str]:
        return [row["id"] for row in self._read(query, **given)]


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'book.db'}"


def another_may_write(url: str) -> bool:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=0, isolation_level=None)) as other:
        try:
            other.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        other.execute("ROLLBACK")
        return True


def test_who_will_write_keeps_others_from_it_before_the_first_statement_and_who_reads_does_not(url):
    engine = open_database(url)
    with writing(engine).begin():
        assert not another_may_write(url)
    assert another_may_write(url)
    with engine.begin() as connection:  # also after somebody has written over the same engine
        connection.scalar(sa.select(sa.func.count()).select_from(accounts))
        raw = connection.connection.dbapi_connection
        assert raw is not None
        assert raw.in_transaction
        assert another_may_write(url)


def test_a_reader_sees_one_state_until_it_ends(url):
    book = SqlRegister(url)
    engine = open_database(url)
    count = sa.select(sa.func.count()).select_from(accounts)
    with engine.connect() as connection:
        assert connection.scalar(count) == 0
        book.add_account(AccountSpec(id="late", user_id=1, venue="simulated", mode=Mode.PAPER, quote="USDT"))
        assert connection.scalar(count) == 0
    assert rows_of(engine, count) == [{"count_1": 1}]


def test_one_query_gives_each_user_what_is_theirs(url):
    for user in (1, 2, 3):
        spec = AccountSpec(id=f"of-{user}", user_id=user, venue="simulated", mode=Mode.PAPER, quote="USDT")
        SqlRegister(url).add_account(spec)
    of_all, named = (
        sa.select(accounts).order_by(accounts.c.id),
        sa.select(accounts).where(accounts.c.id == sa.bindparam("name")),
    )
    for _ in range(2):
        for user in (2, 1, 3):
            assert Book(url, user).ids(of_all) == [f"of-{user}"]
            assert Book(url, user).ids(named, name="of-2") == (["of-2"] if user == 2 else [])
        assert Book(url).ids(of_all) == ["of-1", "of-2", "of-3"]
        assert Book(url).ids(named, name="of-2") == ["of-2"]


def test_queries_that_are_composed_anew_are_not_kept(url):
    book = Book(url, 1)
    gc.collect()
    before = len(owned._of_owner)
    for number in range(50):
        book.ids(sa.select(accounts).where(accounts.c.id == str(number)))
    gc.collect()
    assert len(owned._of_owner) <= before + 1
