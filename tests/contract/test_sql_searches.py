from dataclasses import replace
from itertools import count
from math import inf, isnan, nan
from typing import Any

import pytest

from cambist.adapters.storage.searches import SqlSearches
from cambist.domain.errors import NotFound
from cambist.ports.searches import StoredSearch

_users = count(1)


def a_search(**changes: Any) -> StoredSearch:
    plain: dict[str, Any] = {
        "study": "EmaCross binance BTC/USDT",
        "run": "5f" * 8,
        "strategy": "EmaCross",
        "params": {"fast": 10, "slow": 20, "timeframe": "1h"},
        "values": (1.25, -0.2),
        "metrics": {"sharpe": 1.25, "profit_factor": inf, "sortino": nan},
        "out_of_sample": {"sharpe": 0.3, "calmar": nan},
        "judgement": {
            "light": "amber",
            "key": "judgement.amber.some",
            "params": {},
            "reasons": [],
            "figures": {"pbo": nan},
        },
        "method": "grid",
        "goals": ({"text": "sharpe", "better": 1}, {"text": "max_drawdown", "better": 1}),
        "axes": ({"name": "fast", "values": [5, 10]}, {"name": "slow", "values": [20, 50]}),
        "where": ("fast < slow",),
        "seed": 2**40,
        "settings": {"cash": 10_000.0, "maker_fee_bps": None},
        "venue": "binance",
        "symbols": ("BTC/USDT", "ETH/USDT"),
        "timeframes": ("1h",),
        "first_ts": 1_577_836_800_000,
        "last_ts": 1_609_455_600_000,
        "split_ts": 1_600_000_000_000,
        "trials": 4,
        "counted": 12,
        "data_hash": "d" * 32,
        "code_hash": "c" * 32,
        "notes": ("one",),
        "detail": {
            "top": [{"number": 3, "params": {"fast": 10}, "values": [1.25, nan], "metrics": {"sharpe": nan}}],
            "front": [],
            "walk": None,
            "paths": None,
            "plateau": {"kept": nan},
        },
    }
    return StoredSearch(**plain | changes)


@pytest.fixture
def user() -> int:
    return next(_users)


@pytest.fixture
def store(database_url: str, user: int) -> SqlSearches:
    return SqlSearches(database_url, user)


def test_what_is_kept_comes_back_to_the_last_digit(store: SqlSearches):
    kept = a_search()
    number = store.keep(kept)
    found = store.get(number)
    assert found.id == number
    assert found.created_ms > 0
    assert repr(replace(found, id=0, created_ms=0)) == repr(kept)  # NaN is not itself, but reads so
    assert found.out_of_sample is not None
    assert isnan(found.out_of_sample["calmar"])


def test_what_was_chosen_on_everything_has_nothing_beside_it(store: SqlSearches):
    found = store.get(store.keep(a_search(out_of_sample=None, split_ts=None)))
    assert (found.out_of_sample, found.split_ts) == (None, None)


def test_a_list_has_the_newest_first_without_detail(store: SqlSearches):
    numbers = [store.keep(a_search(strategy=name)) for name in ("One", "Two", "One")]
    assert [(one.id, one.detail) for one in store.latest()] == [(number, {}) for number in reversed(numbers)]
    assert [one.id for one in store.latest(strategy="One")] == [numbers[2], numbers[0]]
    assert [one.id for one in store.latest(1, before=numbers[2])] == [numbers[1]]


def test_a_search_that_is_deleted_is_gone(store: SqlSearches):
    number = store.keep(a_search())
    store.forget(number)
    for forgotten in (store.get, store.forget):
        with pytest.raises(NotFound, match=str(number)):
            forgotten(number)


def test_another_persons_search_is_not_there(store: SqlSearches, database_url: str):
    number = store.keep(a_search())
    other = SqlSearches(database_url, next(_users))
    assert other.latest() == []
    for reach in (other.get, other.forget):
        with pytest.raises(NotFound):
            reach(number)
    assert store.get(number).id == number
