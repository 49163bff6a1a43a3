import json
from dataclasses import replace
from decimal import Decimal
from math import inf, nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cambist.backtest.result import Leg, Result, Settings
from cambist.domain.candles import Candles
from cambist.domain.instrument import Instrument
from cambist.domain.proof import Difference, Proof, Verdict
from cambist.domain.text import all_texts, speak
from cambist.domain.timeframe import Timeframe
from cambist.domain.trade import Trades
from cambist.ports.results import StoredResult
from cambist.usecases.results import Comparison, Measured, compare, store, thin, to_keep

HOUR = 3_600_000
PASSED = {"look_ahead": "pass", "warm_up": "pass"}


def leg(symbol: str, first: int, number: int) -> Leg:
    prices = np.full(number, 100.0)
    ts = first + HOUR * np.arange(number, dtype=np.int64)
    candles = Candles(
        venue="binance",
        symbol=symbol,
        timeframe=Timeframe.H1,
        ts=ts,
        open=prices,
        high=prices,
        low=prices,
        close=prices,
        volume=prices,
    )
    return Leg(strategy="EmaCross", candles=candles, instrument=Instrument.assume("binance", symbol, 100.0))


def a_run(**changes: Any) -> Result:
    one, none = np.ones(1, dtype=np.int64), np.zeros(1, dtype=np.int16)
    price = np.array([100.0])
    plain: dict[str, Any] = {
        "strategy": "EmaCross",
        "params": {"fast": np.int64(10), "share": np.float64(0.1), "side": Verdict.PASS, "steps": (1, 2)},
        "settings": Settings(fee_bps=7.5),
        "engine": "event loop",
        "legs": (leg("BTC/USDT", 10 * HOUR, 5), leg("ETH/USDT", 8 * HOUR, 5)),
        "ts": HOUR * np.arange(9, 16, dtype=np.int64),
        "equity": np.linspace(10_000.0, 10_600.0, 7),
        "buy_and_hold": np.full(7, 10_000.0),
        "trades": Trades(
            side=-one.astype(np.int8),
            entry_ts=10 * HOUR * one,
            entry_price=price,
            exit_ts=12 * HOUR * one,
            exit_price=price - 6,
            quantity=price,
            pnl=6 * price,
            fees=price * 0,
            slippage=price * 0,
            exit_reason=none.astype(np.int8),
            symbol=none,
            strategy=none,
            symbols=("BTC/USDT",),
            strategies=("EmaCross",),
        ),
        "metrics": {"total_return": np.float64(0.06), "sharpe": nan},
        "proof": Proof(
            look_ahead=Verdict.FAIL,
            warm_up=Verdict.PASS,
            checks=3,
            look_ahead_difference=Difference(ts=HOUR, symbol="BTC/USDT", column="enter_long", used=1.0, truncated=nan),
        ),
        "notes": ("a note",),
    }
    return Result(**(plain | changes))


class Shelf:
    """A store that remembers what it was given."""

    def __init__(self) -> None:
        self.kept: list[StoredResult] = []

    def keep(self, result: StoredResult) -> int:
        self.kept.append(result)
        return 7

    def get(self, result_id: int) -> StoredResult:
        raise NotImplementedError

    def latest(
        self,
        limit: int = 50,
        strategy: str | None = None,
        *,
        venue: str | None = None,
        timeframe: str | None = None,
        before: int | None = None,
    ) -> list[StoredResult]:
        raise NotImplementedError

    def forget(self, result_id: int) -> None:
        raise NotImplementedError


def test_a_run_is_kept_with_all_that_identifies_it():
    shelf, run = Shelf(), a_run()
    assert store(run, shelf) == 7
    (kept,) = shelf.kept
    assert (kept.strategy, kept.engine) == ("EmaCross", "event loop")
    assert (kept.code_hash, kept.data_hash) == (run.code_hash, run.data_hash)
    assert (kept.venue, kept.symbols, kept.timeframe) == ("binance", ("BTC/USDT", "ETH/USDT"), "1h")
    assert (kept.first_ts, kept.last_ts, kept.candles) == (8 * HOUR, 14 * HOUR, 10)
    assert kept.settings["fee_bps"] == 7.5
    assert kept.settings["volume_share"] == 0.1
    assert kept.notes == ("a note",)
    assert kept.trades == tuple(run.trades)
    assert kept.equity[0] == (9 * HOUR, 10_000.0)
    assert kept.equity[-1] == (15 * HOUR, 10_600.0)


def test_what_is_kept_is_plain_enough_for_json():
    kept = to_keep(a_run())
    assert json.loads(json.dumps(kept.params)) == {"fast": 10, "share": 0.1, "side": "pass", "steps": [1, 2]}
    assert kept.proof["look_ahead"] == "fail"
    assert kept.proof["look_ahead_difference"]["column"] == "enter_long"
    for values in (kept.params.values(), kept.metrics.values()):
        assert {type(value) for value in values} <= {int, float, str, list}


def test_parameters_that_json_does_not_know_are_kept_as_their_text():
    kept = to_keep(a_run(params={"size": Decimal("0.10"), "file": Path("a/b"), "weights": np.array([1.5, 2.5])}))
    assert kept.params == {"size": "0.10", "file": str(Path("a/b")), "weights": [1.5, 2.5]}


def test_a_short_curve_is_kept_whole():
    assert thin(np.arange(3), np.array([1.0, 5.0, 2.0]), points=4) == ((0, 1.0), (1, 5.0), (2, 2.0))


@given(
    equity=hnp.arrays(np.float64, st.integers(1, 400), elements=st.floats(-1e6, 1e6)),
    points=st.integers(4, 60),
)
def test_a_thinned_curve_keeps_ends_highs_and_lows(equity, points):
    ts = np.arange(equity.size, dtype=np.int64) * HOUR
    thinned = thin(ts, equity, points)
    assert len(thinned) <= max(points, 1)
    assert thinned[0] == (0, equity[0])
    assert thinned[-1] == (ts[-1], equity[-1])
    values = [value for _, value in thinned]
    assert min(values) == equity.min()
    assert max(values) == equity.max()
    assert all(equity[moment // HOUR] == value for moment, value in thinned)
    assert [moment for moment, _ in thinned] == sorted({moment for moment, _ in thinned})


def stored(result_id: int = 1, **changes: Any) -> StoredResult:
    plain: dict[str, Any] = {
        "proof": PASSED,
        "metrics": {"total_return": 0.1, "max_drawdown": -0.2, "volatility": 0.3, "trades": 10.0, "pnl": 1_000.0},
    }
    return replace(to_keep(a_run(**changes.pop("run", {}))), id=result_id, **(plain | changes))


def row(comparison: Comparison, key: str) -> Measured:
    return next(row for row in comparison.metrics if row.key == key)


def metrics(**changes: float) -> dict[str, float]:
    return stored().metrics | changes


def test_the_best_value_is_the_one_that_people_would_choose():
    comparison = compare(
        [
            stored(1, metrics=metrics(total_return=0.1, max_drawdown=-0.2, volatility=0.3)),
            stored(2, metrics=metrics(total_return=0.2, max_drawdown=-0.4, volatility=0.2, trades=99.0)),
            stored(3, metrics=metrics(total_return=nan, max_drawdown=-0.2, volatility=0.9)),
        ]
    )
    assert row(comparison, "total_return").best == (1,)
    assert row(comparison, "max_drawdown").best == (0, 2)
    assert row(comparison, "volatility").best == (1,)
    assert row(comparison, "trades").best == ()  # neither more nor fewer is better
    assert row(comparison, "pnl").best == ()  # all are equal
    assert comparison.warnings == ()
    assert comparison.differences == ()


def test_infinity_can_be_best_and_what_is_missing_cannot():
    comparison = compare(
        [stored(1, metrics={"profit_factor": inf}), stored(2, metrics={"profit_factor": 3.0}), stored(3)]
    )
    profit_factor = row(comparison, "profit_factor")
    assert profit_factor.best == (0,)
    assert str(profit_factor.values) == "(inf, 3.0, nan)"
    assert row(comparison, "total_return").best == ()  # only one has it


def test_a_result_whose_proof_failed_is_never_best():
    cheat = stored(2, metrics=metrics(total_return=9.0), proof=PASSED | {"look_ahead": "fail"})
    comparison = compare([stored(1), cheat, stored(3, metrics=metrics(total_return=0.05))])
    assert row(comparison, "total_return").best == (0,)
    assert len(comparison.warnings) == 1
    assert "The proof of #2 failed" in comparison.warnings[0]


def test_differences_are_named_once_each():
    comparison = compare(
        [
            stored(1, params={"fast": 10, "threshold": nan}, settings={"cash": 1.0, "fee_bps": 10.0}),
            stored(2, params={"fast": 12, "threshold": nan}, settings={"cash": 1.0, "fee_bps": 2.0}, engine="compiled"),
        ]
    )
    assert [(row.kind, row.key, row.values) for row in comparison.differences] == [
        ("run", "engine", ("event loop", "compiled")),
        ("param", "fast", (10, 12)),
        ("setting", "fee_bps", (10.0, 2.0)),
    ]


@pytest.mark.parametrize(
    ("changes", "warning"),
    [
        ({"data_hash": "other"}, "the candles themselves changed"),
        ({"data_hash": "other", "timeframe": "4h"}, "Not the same candles"),
        ({"data_hash": "other", "first_ts": 0}, "Not the same candles"),
        ({"run": {"settings": Settings(fee_bps=7.5, slippage_bps=0.0)}}, r"Not the same costs (Slippage)"),
        ({"run": {"settings": Settings(fee_bps=7.5, cash=5.0)}}, "compare percentages, not amounts"),
        ({"proof": {"look_ahead": "pass", "warm_up": "skipped"}}, "#2: not proved"),
        ({"proof": {}}, "#2: not proved"),
        ({"proof": {"look_ahead": "skipped", "warm_up": "fail"}}, "The proof of #2 failed"),
        ({"code_hash": "other"}, "The code of EmaCross changed"),
    ],
)
def test_what_does_not_compare_is_warned_of(changes, warning):
    warnings = compare([stored(1), stored(2, **changes)]).warnings
    assert len(warnings) == 1
    assert warning in warnings[0]


def test_strategies_of_other_names_have_other_code_as_a_matter_of_course():
    assert compare([stored(1), stored(2, strategy="Rsi", code_hash="other")]).warnings == ()


def test_amounts_from_unlike_cash_are_not_ranked_but_percentages_are():
    rich = stored(2, run={"settings": Settings(fee_bps=7.5, cash=1e6)}, metrics=metrics(pnl=1e5, total_return=0.2))
    comparison = compare([stored(1), rich])
    assert row(comparison, "pnl").best == ()
    assert row(comparison, "total_return").best == (1,)


def test_warnings_speak_the_language_in_use():
    speak("fr")
    try:
        (warning,) = compare([stored(1), stored(2, code_hash="other")]).warnings
    finally:
        speak("en")
    assert warning == "Le code de EmaCross a changé entre ces exécutions."


def test_each_text_has_the_same_placeholders_in_both_languages():
    from string import Formatter

    for key, sentences in all_texts().items():
        if key.partition(".")[0] in ("database", "results", "show", "compare"):
            english, french = ({name for _, name, _, _ in Formatter().parse(text) if name} for text in sentences)
            assert english == french, key
