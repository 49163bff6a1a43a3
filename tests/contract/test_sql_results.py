import sqlite3
from contextlib import closing

import pytest
from tests.contract.result_store import OpenAs, ResultStoreContract, a_result, many_trades

from cambist.adapters.storage.results import SqlResults


@pytest.fixture(scope="module")
def open_as(database_url: str) -> OpenAs:
    return lambda user_id: SqlResults(database_url, user_id)


class TestSqlResults(ResultStoreContract):
    pass


def test_twelve_thousand_trades_take_little_room(tmp_path):
    file = tmp_path / "cambist.db"
    result = a_result(trades=many_trades(12_000), equity=tuple((i, i / 7) for i in range(2_000)))
    result_id = SqlResults(f"sqlite:///{file}").keep(result)
    with closing(sqlite3.connect(file)) as connection:
        (size,) = connection.execute(
            "SELECT length(trades) + length(equity) FROM backtest_results WHERE id = ?", (result_id,)
        ).fetchone()
    print(f"12,000 trades: {size / 1e6:.2f} MB")
    assert size < 2_000_000


def test_the_first_user_is_meant_when_none_is_named(tmp_path):
    url = f"sqlite:///{tmp_path / 'cambist.db'}"
    result_id = SqlResults(url).keep(a_result())
    assert SqlResults(url, user_id=1).get(result_id).id == result_id


def test_results_can_be_read_while_another_writes(tmp_path):
    file = tmp_path / "cambist.db"
    store = SqlResults(f"sqlite:///{file}")
    result_id = store.keep(a_result())
    writer = sqlite3.connect(file, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("DELETE FROM backtest_results")
    assert [result.id for result in store.latest()] == [result_id]
    writer.execute("ROLLBACK")
    writer.close()
