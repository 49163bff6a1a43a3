import pytest
from tests.contract.shelf import OpenShelf, ShelfContract

from cambist.adapters.storage.strategies import SqlShelf


@pytest.fixture(scope="module")
def open_shelf(database_url: str) -> OpenShelf:
    return lambda user_id: SqlShelf(database_url, user_id)


class TestSqlShelf(ShelfContract):
    pass
