"""What is remembered of keys, on both databases: confined to their owners, gone with their accounts."""

from itertools import count

import pytest
import sqlalchemy as sa
from tests.contract.book import an_account

from cambist.adapters.storage.account_keys import SqlKeyRegister
from cambist.adapters.storage.database import open_database
from cambist.adapters.storage.register import SqlRegister
from cambist.domain.broker import KeyRights, KnownKey, Right
from cambist.domain.errors import BadInput, NotFound

_users = count(9_000)


@pytest.fixture
def user(database_url: str) -> int:
    return next(_users)


def a_key(database_url: str, user: int) -> KnownKey:
    account = an_account(user_id=user)
    SqlRegister(database_url, user).add_account(account)
    rights = KeyRights(read=Right.YES, trade=Right.NO, withdraw=Right.UNKNOWN, expires_ms=2**41)
    return KnownKey(account=account.id, user_id=user, rights=rights, tested_ms=5)


def test_the_last_test_counts(database_url, user):
    first = a_key(database_url, user)
    keys = SqlKeyRegister(database_url, user)
    assert keys.keys() == {}
    keys.tested(first)
    assert keys.keys() == {first.account: first}
    again = KnownKey(account=first.account, user_id=user, rights=KeyRights(read=Right.YES), tested_ms=6)
    keys.tested(again)
    assert keys.keys() == {first.account: again}


def test_nobody_sees_or_touches_what_is_anothers(database_url, user):
    mine = a_key(database_url, user)
    SqlKeyRegister(database_url, user).tested(mine)
    theirs = SqlKeyRegister(database_url, next(_users))
    assert theirs.keys() == {}
    with pytest.raises(BadInput):
        theirs.tested(mine)
    other = KnownKey(account=mine.account, user_id=next(_users), rights=KeyRights(), tested_ms=9)
    with pytest.raises(NotFound):
        SqlKeyRegister(database_url, other.user_id).tested(other)
    assert SqlKeyRegister(database_url).keys()[mine.account] == mine


def test_it_goes_with_its_account_and_needs_one(database_url, user):
    mine = a_key(database_url, user)
    keys = SqlKeyRegister(database_url, user)
    keys.tested(mine)
    with open_database(database_url).begin() as connection:
        connection.execute(sa.text("DELETE FROM accounts WHERE id = :id"), {"id": mine.account})
    assert keys.keys() == {}
    with pytest.raises(NotFound):
        keys.tested(mine)
