"""What every `ResultStore` keeps to: an adapter's test inherits `ResultStoreContract` and gives ``open_as``."""

import time
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cambist.domain.errors import NotFound
from cambist.domain.trade import ExitReason, Trade
from cambist.ports.results import ResultStore, StoredResult

OpenAs = Callable[[int], ResultStore]
"""Opens the store as the user of an id."""

_users = count(1)

INTS = st.integers(min_value=-(2**63), max_value=2**63 - 1)
TEXTS = st.text(max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
TRADES = st.builds(
    Trade,
    symbol=TEXTS,
    side=st.sampled_from(["long", "short"]),
    entry_ts=INTS,
    entry_price=st.floats(),
    exit_ts=INTS,
    exit_price=st.floats(),
    quantity=st.floats(),
    pnl=st.floats(),
    fees=st.floats(),
    exit_reason=st.sampled_from(ExitReason),
    slippage=st.floats(),
    strategy=TEXTS,
)


def a_result(**changes: Any) -> StoredResult:
    plain: dict[str, Any] = {
        "strategy": "EmaCross",
        "params": {"fast": 10, "slow": 20},
        "settings": {"cash": 10_000.0, "fee_bps": 10.0, "maker_fee_bps": None, "limit_touch": False},
        "engine": "compiled",
        "venue": "binance",
        "symbols": ("BTC/USDT", "ETH/USDT"),
        "timeframe": "1h",
        "first_ts": 1_577_836_800_000,
        "last_ts": 1_609_455_600_000,
        "candles": 8_784,
        "data_hash": "d" * 64,
        "code_hash": "c" * 64,
        "metrics": {"total_return": 0.5, "profit_factor": float("inf"), "sharpe": float("nan"), "pnl": -0.0},
        "proof": {"look_ahead": "fail", "look_ahead_difference": {"ts": 1, "used": 1.0, "truncated": float("nan")}},
        "notes": ("3 candles are missing.", "Il manque 3 bougies : attention"),
        "trades": (a_trade(), a_trade(symbol="ETH/USDT", side="short", exit_reason=ExitReason.OPEN)),
        "equity": ((1_577_840_400_000, 10_000.0), (1_577_844_000_000, 10_000.1)),
    }
    return StoredResult(**(plain | changes))


def a_trade(**changes: Any) -> Trade:
    plain: dict[str, Any] = {
        "symbol": "BTC/USDT",
        "side": "long",
        "entry_ts": 1_577_840_400_000,
        "entry_price": 7_200.1,
        "exit_ts": 1_577_847_600_000,
        "exit_price": 7_300.2,
        "quantity": 0.1,
        "pnl": 8.57,
        "fees": 1.45,
        "exit_reason": ExitReason.TAKE_PROFIT,
        "slippage": 0.7,
        "strategy": "EmaCross",
    }
    return Trade(**(plain | changes))


def many_trades(number: int) -> tuple[Trade, ...]:
    """Return trades whose digits do not compress better than those of a real backtest."""
    golden = 0.6180339887498949
    noise = [(i * golden) % 1.0 for i in range(number)]
    return tuple(
        a_trade(
            entry_ts=1_577_836_800_000 + i * 2_580_000,
            exit_ts=1_577_836_800_000 + i * 2_580_000 + round(x * 90) * 60_000,
            entry_price=7_000 * (1 + x / 7),
            exit_price=7_000 * (1 + x / 6.9),
            quantity=1 / (1 + x),
            pnl=100 * (x - 0.49),
            fees=7 * (1 + x / 7),
            slippage=3.5 * (1 + x / 6.9),
            exit_reason=tuple(ExitReason)[i % 5],
        )
        for i, x in enumerate(noise)
    )


def exactly(result: StoredResult) -> str:
    """Return ``result``, but for what the store gives, as text that differs if any bit of a float does; NaN is NaN."""
    return repr({name: getattr(result, name) for name in StoredResult.__slots__ if name not in ("id", "created_ms")})


class ResultStoreContract:
    @pytest.fixture
    def store(self, open_as: OpenAs) -> ResultStore:
        """Return the store of a user who has kept nothing yet."""
        return open_as(next(_users))

    def test_what_is_kept_is_found_again_by_its_id(self, store: ResultStore):
        before = time.time_ns() // 1_000_000
        result_id = store.keep(a_result(id=999, created_ms=5))
        found = store.get(result_id)
        assert exactly(found) == exactly(a_result())
        assert found.id == result_id
        assert before <= found.created_ms <= time.time_ns() // 1_000_000

    def test_an_empty_result_is_kept_too(self, store: ResultStore):
        empty = a_result(params={}, metrics={}, proof={}, settings={}, notes=(), symbols=(), trades=(), equity=())
        assert exactly(store.get(store.keep(empty))) == exactly(empty)

    @settings(max_examples=60, deadline=None)
    @given(
        params=st.dictionaries(TEXTS, JSON, max_size=4),
        metrics=st.dictionaries(TEXTS, st.floats(), max_size=4),
        trades=st.lists(TRADES, max_size=4).map(tuple),
        equity=st.lists(st.tuples(INTS, st.floats()), max_size=4).map(tuple),
    )
    def test_no_bit_is_lost(self, open_as: OpenAs, params, metrics, trades, equity):
        store = open_as(next(_users))
        result = a_result(params=params, metrics=metrics, trades=trades, equity=equity)
        assert exactly(store.get(store.keep(result))) == exactly(result)

    def test_the_newest_come_first_without_trades_and_equity(self, store: ResultStore):
        ids = [store.keep(a_result(candles=i)) for i in range(4)]
        latest = store.latest(limit=3)
        assert [result.id for result in latest] == ids[:0:-1]
        assert [exactly(result) for result in latest] == [
            exactly(a_result(candles=i, trades=(), equity=())) for i in (3, 2, 1)
        ]

    def test_the_list_can_be_of_one_strategy(self, store: ResultStore):
        kept = {name: store.keep(a_result(strategy=name)) for name in ("EmaCross", "Rsi")}
        assert [result.id for result in store.latest(strategy="Rsi")] == [kept["Rsi"]]
        assert store.latest(strategy="Nobody's") == []

    def test_what_is_not_there_is_not_found(self, store: ResultStore):
        with pytest.raises(NotFound, match="#123456"):
            store.get(123456)
        with pytest.raises(NotFound, match="#123456"):
            store.forget(123456)

    def test_what_is_forgotten_is_gone_and_its_id_never_names_another(self, store: ResultStore):
        stays, goes = store.keep(a_result()), store.keep(a_result())
        store.forget(goes)
        with pytest.raises(NotFound):
            store.get(goes)
        assert [result.id for result in store.latest()] == [stays]
        assert store.keep(a_result()) > goes

    def test_a_user_neither_sees_nor_touches_what_another_kept(self, open_as: OpenAs):
        mine, theirs = open_as(next(_users)), open_as(next(_users))
        result_id = mine.keep(a_result())
        assert theirs.latest() == []
        assert theirs.latest(strategy="EmaCross") == []
        with pytest.raises(NotFound):
            theirs.get(result_id)
        with pytest.raises(NotFound):
            theirs.forget(result_id)
        assert mine.get(result_id).id == result_id

    def test_twelve_thousand_trades_are_kept_quickly(self, store: ResultStore):
        store.keep(a_result())  # opened, and what is imported once is imported
        result = a_result(trades=many_trades(12_000), equity=tuple((i, i / 7) for i in range(2_000)))
        started = time.perf_counter()
        result_id = store.keep(result)
        kept = time.perf_counter()
        found = store.get(result_id)
        read = time.perf_counter()
        print(f"12,000 trades: kept in {kept - started:.3f} s, read in {read - kept:.3f} s")
        assert exactly(found) == exactly(result)
