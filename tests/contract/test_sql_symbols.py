import pytest
from tests.contract.symbols import SymbolsContract

from cambist.adapters.storage.symbols import SqlSymbols


@pytest.fixture(scope="module")
def symbols(database_url: str) -> SqlSymbols:
    return SqlSymbols(database_url)


class TestSqlSymbols(SymbolsContract):
    pass
