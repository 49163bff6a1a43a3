import pytest
from tests.contract.register import OpenRegister, RegisterContract

from cambist.adapters.storage.register import SqlRegister


@pytest.fixture(scope="module")
def open_register(database_url: str) -> OpenRegister:
    registers: dict[int | None, SqlRegister] = {}
    return lambda user_id: registers.setdefault(user_id, SqlRegister(database_url, user_id))


class TestSqlRegister(RegisterContract):
    pass
