import pytest
from tests.contract.webhooks import OpenRegister, OpenWebhooks, WebhooksContract

from cambist.adapters.storage.register import SqlRegister
from cambist.adapters.storage.webhooks import SqlWebhooks


@pytest.fixture(scope="module")
def open_webhooks(database_url: str) -> OpenWebhooks:
    return lambda user_id: SqlWebhooks(database_url, user_id)


@pytest.fixture(scope="module")
def open_register(database_url: str) -> OpenRegister:
    return lambda user_id: SqlRegister(database_url, user_id)


class TestSqlWebhooks(WebhooksContract):
    pass
