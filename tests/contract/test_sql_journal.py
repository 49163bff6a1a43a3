import pytest
from tests.contract.book import an_account
from tests.contract.journal import JournalContract, OpenJournal

from cambist.adapters.storage.journal import SqlJournal
from cambist.adapters.storage.register import SqlRegister


@pytest.fixture
def open_journal(database_url: str):
    opened: list[SqlJournal] = []

    def opens() -> SqlJournal:
        opened.append(SqlJournal(database_url))
        return opened[-1]

    yield opens
    for journal in opened:
        journal.close()


@pytest.fixture
def account(database_url: str) -> str:
    spec = an_account()
    SqlRegister(database_url).add_account(spec)
    return spec.id


@pytest.fixture
def other_account(database_url: str) -> str:
    spec = an_account(user_id=2)
    SqlRegister(database_url).add_account(spec)
    return spec.id


class TestSqlJournal(JournalContract):
    def test_what_was_closed_opens_again(self, open_journal: OpenJournal, account: str):
        journal = SqlJournal(open_journal()._url)  # type: ignore[attr-defined]
        assert list(journal.read(account)) == []
        journal.close()
        journal.close()
        assert list(journal.read(account)) == []
        journal.close()
