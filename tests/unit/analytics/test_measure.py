"""`measure`: all measures of one run together."""

from math import isnan, sqrt
from typing import Any

import numpy as np
import pytest

from cambist.analytics import performance
from cambist.analytics.performance import measure
from cambist.domain.metrics import METRICS
from cambist.domain.timeframe import DAY_MS, MINUTE_MS
from cambist.domain.trade import EXIT_REASONS, ExitReason, Trades

MIDNIGHT = 19_000 * DAY_MS


def trades(pnl: list[float], *, open_pnl: tuple[float, ...] = (), fees: float = 0.0, slippage: float = 0.0) -> Trades:
    every = np.array([*pnl, *open_pnl], dtype=float)
    reasons = [ExitReason.SIGNAL] * len(pnl) + [ExitReason.OPEN] * len(open_pnl)
    times, ones = np.zeros(every.size, np.int64), np.ones(every.size)
    return Trades(
        side=np.ones(every.size, np.int8),
        entry_ts=times,
        entry_price=ones,
        exit_ts=times,
        exit_price=ones,
        quantity=ones,
        pnl=every,
        fees=ones * fees,
        slippage=ones * slippage,
        exit_reason=np.array([EXIT_REASONS.index(reason) for reason in reasons], np.int8),
        symbol=np.zeros(every.size, np.int16),
        strategy=np.zeros(every.size, np.int16),
        symbols=("BTC/USDT",),
        strategies=("",),
    )


def run(equity: list[float] | np.ndarray, step: int = DAY_MS, made: Trades | None = None, **other) -> dict[str, float]:
    equity = np.array(equity, dtype=float)
    ts = MIDNIGHT + step * np.arange(1, equity.size + 1)
    options: dict[str, Any] = {"cash": 100.0, "buy_and_hold": equity, "exposure": 0.5, "volume_traded": 0.0} | other
    return measure(ts, equity, made or trades([]), **options)


def test_it_gives_exactly_the_metrics_that_are_shown():
    metrics = run([100.0, 101.0])
    assert set(metrics) == set(METRICS)
    assert all(type(value) is float for value in metrics.values())


def test_a_run_by_hand():
    made = trades([30.0, -10.0, 20.0, -10.0], open_pnl=(-50.0,), fees=1.5, slippage=0.5)
    equity = np.full(730, 110.0)  # two years of days
    equity[10:20], equity[20:300], equity[300:] = 125.0, 100.0, 121.0
    hold = np.linspace(100.0, 50.0, 730)
    metrics = run(equity, made=made, buy_and_hold=hold, exposure=0.25, volume_traded=4_000.0)
    assert metrics["total_return"] == pytest.approx(0.21)
    assert metrics["annual_return"] == pytest.approx(0.1)
    assert metrics["max_drawdown"] == pytest.approx(-0.2)
    assert metrics["max_drawdown_days"] == 730 - 20  # from the last close at 125 to the end
    assert metrics["calmar"] == pytest.approx(0.5)
    returns = np.zeros(730)
    returns[[0, 10, 20, 300]] = 0.1, 125 / 110 - 1, -0.2, 0.21
    assert metrics["volatility"] == pytest.approx(returns.std(ddof=1) * sqrt(365))
    assert metrics["sharpe"] == pytest.approx(returns.mean() / returns.std(ddof=1) * sqrt(365))
    assert metrics["sortino"] == pytest.approx(returns.mean() / sqrt(0.04 / 730) * sqrt(365))
    assert (metrics["trades"], metrics["open_trades"]) == (4.0, 1.0)
    assert metrics["win_rate"] == 0.5
    assert metrics["profit_factor"] == 2.5
    assert metrics["expectancy"] == 7.5
    assert (metrics["average_win"], metrics["average_loss"]) == (25.0, -10.0)
    assert (metrics["best_trade"], metrics["worst_trade"]) == (30.0, -10.0)
    assert metrics["sqn"] == pytest.approx(2.0 * 7.5 / np.std([30.0, -10.0, 20.0, -10.0], ddof=1))
    assert (metrics["fees"], metrics["slippage"]) == (7.5, 2.5)  # of the open trade too
    assert metrics["exposure"] == 0.25
    assert metrics["turnover"] == pytest.approx(2_000.0 / equity.mean())
    assert metrics["buy_and_hold_return"] == -0.5
    assert metrics["buy_and_hold_max_drawdown"] == -0.5
    assert (metrics["final_equity"], metrics["pnl"]) == (121.0, 21.0)


def test_minutes_are_measured_by_the_day():
    rng = np.random.default_rng(2)
    equity = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.001, 1440 * 30)))
    minutes, days = run(equity, MINUTE_MS), run(equity[1439::1440])
    for key in ("total_return", "annual_return", "volatility", "sharpe", "sortino"):
        assert minutes[key] == pytest.approx(days[key], rel=1e-12)
    assert minutes["max_drawdown"] <= days["max_drawdown"]  # minutes see troughs that days do not


def test_a_short_run_is_measured_by_the_candle():
    equity = 100.0 * np.exp(np.cumsum(np.random.default_rng(2).normal(0.0, 0.001, 1440 * 9)))
    metrics = run(equity, MINUTE_MS)
    returns = np.diff(equity, prepend=100.0) / np.concatenate(([100.0], equity[:-1]))
    assert metrics["sharpe"] == pytest.approx(performance.sharpe(returns, 525_600), rel=1e-12)
    assert metrics["volatility"] == pytest.approx(performance.volatility(returns, 525_600), rel=1e-12)


def test_a_run_of_ten_days_is_measured_by_the_day():
    hours = MIDNIGHT + 60 * MINUTE_MS * np.arange(1, 241)
    assert performance.samples(hours)[0].tolist() == list(range(23, 240, 24))
    assert performance.samples(hours[:-1])[0].size == 239


def test_weeks_are_measured_by_the_candle():
    equity = 100.0 * np.exp(np.cumsum(np.random.default_rng(2).normal(0.0, 0.05, 100)))
    returns = np.diff(equity, prepend=100.0) / np.concatenate(([100.0], equity[:-1]))
    assert run(equity, 7 * DAY_MS)["sharpe"] == pytest.approx(performance.sharpe(returns, 365 / 7), rel=1e-12)


def test_a_gap_does_not_make_candles_longer():
    ts = MIDNIGHT + DAY_MS * np.array([3, 4, 5, 20, 21])
    equity = np.full(5, 100.0)
    metrics = measure(ts, equity, trades([]), cash=100.0, buy_and_hold=equity, exposure=0.0, volume_traded=1900.0)
    assert metrics["turnover"] == pytest.approx(365.0)  # 19 days: the first candle opened one day before its close


def test_time_under_water_ends_with_the_recovery():
    assert run([101.0, 100.0, 99.0, 101.0, 100.5])["max_drawdown_days"] == 3.0
    assert run([99.0, 99.0, 98.0])["max_drawdown_days"] == 3.0  # from the cash on
    assert run([100.0, 101.0, 101.0, 102.0])["max_drawdown_days"] == 0.0


# --- edges


def test_no_trades():
    metrics = run([100.0] * 400)
    for key in ("trades", "open_trades", "longest_winning_streak", "longest_losing_streak", "fees", "slippage", "pnl"):
        assert metrics[key] == 0.0
    for key in ("win_rate", "profit_factor", "expectancy", "average_win", "average_loss", "sqn", "best_trade"):
        assert isnan(metrics[key])
    # Flat equity: no return and no risk; what divides by risk is undefined.
    for key in ("total_return", "annual_return", "volatility", "max_drawdown", "max_drawdown_days", "turnover"):
        assert metrics[key] == 0.0
    for key in ("sharpe", "sortino", "calmar"):
        assert isnan(metrics[key])


def test_one_candle():
    metrics = run([110.0], volume_traded=50.0)
    assert metrics["total_return"] == pytest.approx(0.1)
    for key in ("annual_return", "volatility", "sharpe", "sortino", "calmar", "turnover"):
        assert isnan(metrics[key])


def test_all_wins():
    metrics = run([101.0, 102.0, 103.0], made=trades([1.0, 1.0, 1.0]))
    assert metrics["win_rate"] == 1.0
    assert (metrics["longest_winning_streak"], metrics["longest_losing_streak"]) == (3.0, 0.0)
    assert isnan(metrics["profit_factor"])
    assert isnan(metrics["average_loss"])
    assert metrics["worst_trade"] == 1.0


def test_only_open_trades():
    metrics = run([90.0, 80.0], made=trades([], open_pnl=(-20.0,)))
    assert (metrics["trades"], metrics["open_trades"]) == (0.0, 1.0)
    assert isnan(metrics["worst_trade"])


@pytest.mark.parametrize(
    ("pnl", "winning", "losing"),
    [
        ([1, 1, -1, 1, 1, 1], 3, 1),
        ([-1, -1, 1, -1], 1, 2),
        ([1, 0, 1], 1, 0),  # nothing gained is not a win: it ends the streak
        ([0, 0], 0, 0),
        ([-1], 0, 1),
    ],
)
def test_streaks(pnl, winning, losing):
    metrics = run([100.0, 100.0], made=trades([float(value) for value in pnl]))
    assert (metrics["longest_winning_streak"], metrics["longest_losing_streak"]) == (winning, losing)


def test_ruin():
    equity = np.full(40, 100.0)
    equity[20:], equity[30:] = -10.0, 60.0  # below zero, then paid in again
    metrics = run(equity)
    assert metrics["max_drawdown"] == -1.0
    returns = np.append(np.zeros(20), -1.0)  # they end there
    assert metrics["sharpe"] == pytest.approx(performance.sharpe(returns), rel=1e-12)
    lost = run(np.where(np.arange(40) < 20, 100.0, -10.0))
    assert lost["total_return"] == pytest.approx(-1.1)
    assert lost["annual_return"] == -1.0
    assert lost["calmar"] == -1.0
    assert isnan(run(np.full(3, -1.0), volume_traded=1.0)["turnover"])
    assert not any(value in (np.inf, -np.inf) for value in lost.values())


def test_currency_does_not_matter():
    rng = np.random.default_rng(4)
    equity, pnl = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.02, 200))), rng.normal(0.0, 3.0, 50)
    one = run(equity, made=trades(list(pnl)), volume_traded=500.0)
    other = run(1000.0 * equity, made=trades(list(1000.0 * pnl)), cash=100_000.0, volume_traded=500_000.0)
    money = {"expectancy", "average_win", "average_loss", "best_trade", "worst_trade", "final_equity", "pnl"}
    for key, value in one.items():
        scale = 1000.0 if key in money else 1.0
        assert other[key] == pytest.approx(value * scale, rel=1e-9, abs=1e-12, nan_ok=True), key
