import pytest
from tests.contract.heartbeat_log import HeartbeatLogContract

from cambist.adapters.storage.budget_memory import SqlBudgetMemory
from cambist.adapters.storage.heartbeat_log import SqlHeartbeatLog


class TestSqlHeartbeatLog(HeartbeatLogContract):
    @pytest.fixture
    def log(self, database_url: str) -> SqlHeartbeatLog:
        return SqlHeartbeatLog(database_url)


def test_bans_are_remembered_by_who_starts_anew(database_url: str):
    memory = SqlBudgetMemory(database_url)
    assert memory.bans() == {}
    memory.ban("binance 127.0.0.1", 2**41)
    memory.ban("kraken main", 5)
    memory.ban("kraken main", 4)
    assert SqlBudgetMemory(database_url).bans() == {"binance 127.0.0.1": 2**41, "kraken main": 4}
    memory.lift("kraken main")
    memory.lift("nobody")
    assert SqlBudgetMemory(database_url).bans() == {"binance 127.0.0.1": 2**41}
