"""Measures one by one: against published values, and where they are undefined."""

import csv
import json
from datetime import UTC, datetime
from math import isnan, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cambist.analytics import performance
from cambist.domain.timeframe import DAY_MS

DATA = (Path(__file__).resolve().parents[3] / "../shared/data").resolve()
HOUR_MS = DAY_MS // 24
TRADING_DAYS = 252


def reference(name: str) -> Any:
    path = DATA / "05-portfolio-risk" / name
    if not path.is_file():
        pytest.skip("the reference data (../shared/data/05-portfolio-risk) is not on this machine")
    return json.loads(path.read_text("utf-8"))


def equity_of(returns: np.ndarray) -> np.ndarray:
    return np.cumprod(np.concatenate(([1.0], 1.0 + returns)))


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


# --- empyrical: hand-sized series. Its year has 252 trading days, 52 weeks or 12 months.


class Empyrical:
    def __init__(self) -> None:
        self.table = reference("empyrical_expected_open.json")

    def series(self, name: str) -> np.ndarray:
        return np.array(self.table["series"][name], dtype=float)

    def cases(self, test: str, *, without: tuple[str, ...] = ()) -> list[tuple[np.ndarray, dict[str, Any]]]:
        """Return (returns, case) of a test, less those whose series is named in ``without``."""
        found = [case for case in self.table["cases"] if case["test"] == test and case["returns"] not in without]
        assert found
        return [(self.series(case["returns"]), case) for case in found]


@pytest.fixture(scope="module")
def empyrical() -> Empyrical:
    return Empyrical()


def known(returns: np.ndarray) -> np.ndarray:
    """Empyrical passes over missing returns."""
    return np.asarray(returns[~np.isnan(returns)])


def test_empyrical_max_drawdown(empyrical):
    for returns, case in empyrical.cases("test_max_drawdown"):
        equity = equity_of(known(returns)) if returns.size else np.empty(0)
        expected = pytest.approx(float(case["expected"]), abs=5e-8, nan_ok=True)  # printed to seven decimals at least
        assert performance.max_drawdown(equity) == expected, case


def test_empyrical_annual_return(empyrical):
    per_year = {"empyrical.DAILY": TRADING_DAYS, "empyrical.WEEKLY": 52, "empyrical.MONTHLY": 12}
    for test in ("test_annual_ret", "test_cagr"):
        for returns, case in empyrical.cases(test, without=("empty_returns",)):
            total = float(equity_of(known(returns))[-1] - 1.0)
            years = returns.size / per_year[case["period"]]  # a missing return still takes its day
            assert performance.annual_return(total, years) == pytest.approx(case["expected"], rel=1e-9), case


def test_empyrical_volatility(empyrical):
    per_year = {"empyrical.DAILY": TRADING_DAYS, "empyrical.WEEKLY": 52, "empyrical.MONTHLY": 12}
    for returns, case in empyrical.cases("test_annual_volatility"):
        ours = performance.volatility(known(returns), per_year[case["period"]])
        assert ours == pytest.approx(case["expected"], rel=1e-9), case


def test_empyrical_sharpe(empyrical):
    # Equal returns have no deviation: empyrical's Sharpe of them is infinite, ours undefined.
    for returns, case in empyrical.cases("test_sharpe_ratio", without=("flat_line_1",)):
        free = case["risk_free"]
        excess = returns - (float(free) if free == "0.0" else empyrical.series(free))
        ours = performance.sharpe(known(excess), TRADING_DAYS)
        assert ours == pytest.approx(float(case["expected"]), rel=1e-9, nan_ok=True), case
    assert isnan(performance.sharpe(empyrical.series("flat_line_1"), TRADING_DAYS))


def test_empyrical_rolling(empyrical):
    """Its rolling measures are the plain ones over each window."""
    for test, digits in (("test_roll_sharpe_ratio", 5e-9), ("test_roll_max_drawdown", 5.1e-5)):
        for returns, case in empyrical.cases(test, without=("empty_returns",)):
            window = case["window"]
            parts = [known(returns[i : i + window]) for i in range(returns.size - window + 1)]
            ours = [
                performance.sharpe(part, TRADING_DAYS)
                if "sharpe" in test
                else performance.max_drawdown(equity_of(part))
                for part in parts
            ]
            np.testing.assert_allclose(ours, case["expected"], rtol=1e-8, atol=digits)


def test_empyrical_by_month(empyrical):
    """Daily returns from 30 January 2000 on, added up by month."""
    for returns, case in empyrical.cases("test_aggregate_returns", without=("weekly_returns", "monthly_returns")):
        equity = equity_of(returns)[1:]
        closes = ms("2000-01-31") + DAY_MS * np.arange(equity.size)
        months = performance.monthly_returns(closes, equity, 1.0)
        assert [(year, month) for year, month, _ in months] == [(2000, 1), (2000, 2)]
        values = np.array([value for *_, value in months])
        if case["convert_to"] == "empyrical.MONTHLY":
            np.testing.assert_allclose(values, case["expected"], rtol=1e-9)
        if case["convert_to"] == "empyrical.YEARLY":
            np.testing.assert_allclose(np.prod(1.0 + values) - 1.0, case["expected"][0], rtol=1e-9)


# --- Bacon's monthly returns, as printed in PerformanceAnalytics


@pytest.fixture(scope="module")
def bacon() -> np.ndarray:
    reference("pa_expected_open.json")
    with (DATA / "05-portfolio-risk" / "pa_portfolio_bacon.csv").open(encoding="utf-8") as file:
        return np.array([float(row[1]) for row in list(csv.reader(file))[1:]])


@pytest.mark.parametrize("function", ["DownsideDeviation", "Kappa"])
def test_bacon(bacon, function):
    (case,) = (case for case in reference("pa_expected_open.json") if case["function"] == function)
    target = case["defaults_in_example"]["MAR"]
    ours = {
        "DownsideDeviation": performance.downside_deviation(bacon, target),
        "Kappa": performance.sortino(bacon - target, 1.0),  # Kappa of order 2 is the Sortino ratio of one period
    }[function]
    assert round(ours, case["decimals"]) == case["expected"]


# --- real daily closes; values of empyrical, quantstats and numpy


@pytest.mark.parametrize("case", range(7))
def test_real_closes(case):
    expected = reference("risk_reference_open.json")[case]
    ts, closes = daily_closes(expected)
    returns = sampled_returns(ts, closes)[1:]  # the first is from the first close to itself
    assert returns.size == expected["n_returns"]
    total = closes[-1] / closes[0] - 1.0
    annual = performance.annual_return(total, returns.size / 365.0)
    drawdown = performance.max_drawdown(closes)
    ours = {
        "total_return": total,
        "cagr_n_over_ppy": annual,
        "vol_annual_ddof1": performance.volatility(returns),
        "sharpe_empyrical": performance.sharpe(returns),
        "sharpe_quantstats": performance.sharpe(returns),
        "sortino_empyrical": performance.sortino(returns),
        "sortino_quantstats": performance.sortino(returns),
        "max_drawdown_empyrical": drawdown,
        "max_drawdown_from_prices": drawdown,
        "calmar_empyrical": performance.calmar(annual, drawdown),
    }
    for key, value in ours.items():
        assert value == pytest.approx(expected[key], rel=1e-11), key
    trough = int(ts[(closes / np.maximum.accumulate(closes)).argmin()]) - 1  # a close at 00:00 ends the day before
    assert datetime.fromtimestamp(trough / 1000, UTC).date().isoformat() == expected["max_drawdown_trough"]


def sampled_returns(ts: np.ndarray, equity: np.ndarray, start: float | None = None) -> np.ndarray:
    """Return the returns that the ratios are of; those of a run of ten days or more are daily."""
    rows, _ = performance.samples(ts)
    return performance.relative_changes(equity[rows], float(equity[0]) if start is None else start)


def daily_closes(case: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return close times and closes of the days of one case; of hourly candles only each day's last."""
    parquet = pytest.importorskip("pyarrow.parquet")
    path = DATA / "01-candles" / case["source"].rsplit("/", 1)[-1]
    if not path.is_file():
        pytest.skip("the candles (../shared/data/01-candles) are not on this machine")
    table = parquet.read_table(path)
    opens, closes = (table[name].to_numpy() for name in ("timestamp", "close"))
    length = HOUR_MS if "_1h_" in path.name else DAY_MS
    inside = (opens >= ms(case["first"])) & (opens < ms(case["last"]) + DAY_MS)
    ts, closes = opens[inside] + length, closes[inside]
    if length == HOUR_MS:
        last = np.append(np.diff((ts - 1) // DAY_MS) > 0, True)
        returns = sampled_returns(ts, closes)
        sampled = closes[0] * np.cumprod(1.0 + returns)
        np.testing.assert_allclose(sampled, closes[last], rtol=1e-12)  # the sampling that the ratios rest on
        return ts[last], closes[last]
    return ts, closes


# --- undefined, and at the edge


def test_too_little():
    for few in (np.empty(0), np.array([0.1])):
        assert isnan(performance.volatility(few))
        assert isnan(performance.sharpe(few))
        assert isnan(performance.sortino(few))
        assert isnan(performance.sqn(few))
    assert isnan(performance.max_drawdown(np.empty(0)))
    assert isnan(performance.downside_deviation(np.empty(0)))
    assert performance.monthly_returns(np.empty(0, np.int64), np.empty(0)) == []


def test_no_risk_has_no_ratio():
    same = np.diff(equity_of(np.full(400, 0.001))) / equity_of(np.full(400, 0.001))[:-1]
    assert same.std(ddof=1) > 0.0  # rounding only
    assert isnan(performance.sharpe(same))
    assert isnan(performance.sortino(np.array([0.1, 0.2, 0.0])))
    assert isnan(performance.calmar(0.5, 0.0))
    assert isnan(performance.profit_factor(np.array([1.0, 2.0])))
    assert isnan(performance.profit_factor(np.empty(0)))
    assert isnan(performance.sqn(np.array([0.1, 0.1, 0.1])))


def test_annual_return():
    assert performance.annual_return(0.21, 2.0) == pytest.approx(0.1, rel=1e-12)
    assert performance.annual_return(-1.0, 2.0) == -1.0
    assert performance.annual_return(-1.5, 2.0) == -1.0
    assert isnan(performance.annual_return(0.1, 0.0))
    assert isnan(performance.annual_return(0.5, 1.0 / 525_600))  # 1.5 to the power of the minutes of a year


def test_profit_factor_and_sqn_by_hand():
    pnl = np.array([3.0, -1.0, 2.0, 0.0, -1.5])
    assert performance.profit_factor(pnl) == 2.0
    assert performance.sqn(np.array([1.0, 3.0])) == pytest.approx(sqrt(2.0) * 2.0 / sqrt(2.0), rel=1e-15)


def test_drawdown_by_hand():
    equity = np.array([100.0, 120.0, 90.0, 130.0, 117.0])
    assert performance.max_drawdown(equity) == -0.25
    assert performance.max_drawdown(equity, 200.0) == -0.55


def test_drawdown_of_ruin():
    equity = np.array([100.0, -5.0, 50.0])
    assert performance.max_drawdown(equity) == -1.0
    assert isnan(performance.max_drawdown(np.array([0.0, 1.0])))


def test_daily_returns_by_hand():
    start = 19_000 * DAY_MS
    closes = start + HOUR_MS * np.array([12, 24, 36, 96, 97, 264])
    equity = np.array([110.0, 120.0, 90.0, 180.0, 90.0, 90.0])
    # Close at 24 h ends day 1 (120), day 2 closes at 36 h (90), day 3 has no candle, day 4 ends at 96 h, day 5 at 97 h.
    np.testing.assert_allclose(sampled_returns(closes, equity, 100.0), [0.2, -0.25, 0.0, 1.0, -0.5] + [0.0] * 6)
    assert sampled_returns(closes, equity)[0] == pytest.approx(10.0 / 110.0)


def test_returns_end_with_ruin():
    closes = 19_000 * DAY_MS + DAY_MS * np.arange(1, 6)
    returns = sampled_returns(closes, np.array([90.0, 45.0, -1.0, 20.0, 30.0]), 100.0)
    np.testing.assert_allclose(returns, [-0.1, -0.5, -1.0])


def test_monthly_returns_by_hand():
    closes = np.array([ms("2023-12-15"), ms("2024-01-01"), ms("2024-01-10"), ms("2024-03-31T23:59")])
    months = performance.monthly_returns(closes, np.array([110.0, 121.0, 60.5, 121.0]), 100.0)
    # The close at 00:00 on 1 January is December's; February has no candles.
    assert [(year, month) for year, month, _ in months] == [(2023, 12), (2024, 1), (2024, 2), (2024, 3)]
    np.testing.assert_allclose([value for *_, value in months], [0.21, -0.5, 0.0, 1.0], rtol=1e-12)


# --- properties

PATHS = arrays(np.float64, st.integers(1, 200), elements=st.floats(0.01, 1e6))
# Returns next to -1 have lost the digits of what was left: to compound them back, falls must not be too deep.
GENTLE_PATHS = arrays(np.float64, st.integers(1, 200), elements=st.floats(10.0, 1e4))


@given(PATHS)
def test_drawdown_lies_between_none_and_all(equity):
    worst = performance.max_drawdown(equity)
    assert -1.0 <= worst <= 0.0
    rows = [(low / high - 1.0) for i, high in enumerate(equity) for low in equity[i:]]
    assert worst == pytest.approx(min(rows), abs=1e-15)


@given(PATHS, st.floats(0.001, 1000.0))
def test_currency_does_not_matter(equity, rate):
    closes = DAY_MS * np.arange(1, equity.size + 1)
    one, other = (sampled_returns(closes, money) for money in (equity, equity * rate))
    np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)
    assert performance.max_drawdown(equity) == pytest.approx(performance.max_drawdown(equity * rate), abs=1e-12)


@given(arrays(np.float64, st.integers(2, 100), elements=st.floats(-0.5, 0.5)), st.floats(0.1, 10.0))
def test_ratios_do_not_depend_on_leverage(returns, leverage):
    for ratio in (performance.sharpe, performance.sortino):
        one, other = ratio(returns), ratio(returns * leverage)
        if not isnan(one) and not isnan(other):
            assert other == pytest.approx(one, rel=1e-6, abs=1e-9)


@given(GENTLE_PATHS)
def test_returns_compound_to_the_total(equity):
    closes = 19_000 * DAY_MS + 7 * HOUR_MS * np.arange(1, equity.size + 1)
    total = equity[-1] / 100.0
    assert np.prod(1.0 + sampled_returns(closes, equity, 100.0)) == pytest.approx(total, rel=1e-9)
    months = performance.monthly_returns(closes, equity, 100.0)
    assert np.prod([1.0 + value for *_, value in months]) == pytest.approx(total, rel=1e-9)
