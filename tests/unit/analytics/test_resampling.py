"""Days drawn anew, trades in other orders, trades entered at random: against what theory says they give."""

from itertools import permutations
from math import exp, isnan, log, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cambist.analytics import resampling as rs
from cambist.analytics.performance import annual_return, max_drawdown, sharpe
from cambist.domain.trade import Trades

MINUTE_MS = 60_000


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


# --- block length


@pytest.mark.parametrize("memory", [0.3, 0.5, 0.8])
def test_the_block_length_of_an_autoregression(memory):
    # of x(t) = memory * x(t - 1) + noise, the best mean length is known: (2 memory / (1 - memory^2))^(2/3) * size^(1/3)
    size = 40_000
    noise = rng(3).standard_normal(size)
    series = np.empty(size)
    now = 0.0
    for i, shock in enumerate(noise):
        now = memory * now + shock
        series[i] = now
    best = (2.0 * memory / (1.0 - memory**2)) ** (2.0 / 3.0) * size ** (1.0 / 3.0)
    assert rs.block_length(series) == pytest.approx(best, rel=0.25)


def test_the_block_length_without_memory_is_short():
    assert np.median([rs.block_length(rng(seed).standard_normal(2000)) for seed in range(30)]) < 8.0


@given(st.integers(0, 60), st.floats(-1.0, 1.0))
def test_the_block_length_is_between_one_and_a_third(size, first):
    series = rng(size).standard_normal(size) if first < 0.5 else np.full(size, first)
    assert 1.0 <= rs.block_length(series) <= max(1.0, np.ceil(size / 3.0))


# --- bands


def test_bands_are_as_wide_as_the_standard_error_says():
    returns = rng(1).normal(0.001, 0.02, 1460)
    found = rs.bands(returns, 365.0, rng(), draws=2000, length=1.0)
    years = returns.size / 365.0
    error = 1.645 / sqrt(years)  # of a yearly Sharpe ratio that is small: A. Lo, 2002
    own = sharpe(returns)
    assert found.sharpe == pytest.approx((own - error, own, own + error), abs=0.12)
    low, middle, high = (log(1.0 + value) for value in found.annual_return)
    spread = 1.645 * 0.02 * sqrt(365.0 / years)
    assert middle == pytest.approx(log(1.0 + annual_return(float(np.prod(1.0 + returns)) - 1.0, years)), abs=0.05)
    assert (middle - low, high - middle) == pytest.approx((spread, spread), rel=0.12)


def test_bands_of_equity_begin_at_one_and_end_with_the_total():
    returns = rng(2).normal(0.001, 0.02, 900)
    found = rs.bands(returns, 365.0, rng(), draws=300)
    assert found.at[0] == 0
    assert found.at[-1] == 900
    assert found.at.size == rs.POINTS
    assert found.equity.shape == (3, rs.POINTS)
    assert found.equity[:, 0] == pytest.approx(1.0)
    assert (np.diff(found.equity, axis=0) >= 0.0).all()
    assert found.equity[:, -1] ** (365.0 / 900.0) - 1.0 == pytest.approx(found.annual_return, abs=1e-5)


def test_longer_blocks_keep_runs_of_good_days_together():
    # forty good days, forty bad ones, and so on: drawn one by one they even out, drawn in blocks they do not
    returns = np.tile(np.repeat([0.01, -0.01], 40), 10)
    alone, together = (rs.bands(returns, 365.0, rng(4), draws=400, length=length) for length in (1.0, 40.0))
    width = [np.log(band.equity[2, -1] / band.equity[0, -1]) for band in (alone, together)]
    assert width[1] > 2.0 * width[0]


def test_the_same_seed_draws_the_same():
    returns = rng(5).normal(0.0, 0.02, 200)
    one, same, other = (rs.bands(returns, 365.0, rng(seed), draws=50) for seed in (1, 1, 2))
    assert one.equity.tobytes() == same.equity.tobytes()
    assert one.annual_return != other.annual_return


def test_bands_of_nothing_of_ruin_and_of_equal_days():
    assert all(map(isnan, rs.bands(np.zeros(1), 365.0, rng()).sharpe))
    still = rs.bands(np.zeros(50), 365.0, rng(), draws=20)
    assert still.annual_return == (0.0, 0.0, 0.0)
    assert still.sharpe == (0.0, 0.0, 0.0)
    ruined = rs.bands(np.array([0.01] * 30 + [-1.0]), 365.0, rng(), draws=200)
    assert ruined.annual_return[0] == pytest.approx(-1.0)
    assert np.isfinite(ruined.equity).all()


# --- trades in other orders


@given(st.lists(st.floats(-900.0, 2000.0), max_size=30))
def test_returns_of_trades_compound_to_the_total(pnl):
    found = rs.trade_returns(np.array(pnl, dtype=np.float64), 10_000.0)
    equity = np.cumsum([10_000.0, *pnl])
    if (equity <= 0.0).any():
        assert found.size <= len(pnl)
        assert found[-1] == -1.0
    else:
        assert np.prod(1.0 + found) == pytest.approx(equity[-1] / 10_000.0)


def test_shuffled_drawdowns_are_those_of_all_orders():
    returns = np.array([0.1, -0.05, 0.02, -0.2, 0.07])
    paths = np.cumprod(1.0 + np.array(list(permutations(returns.tolist()))), axis=1)
    orders = [max_drawdown(path, 1.0) for path in paths]
    found = rs.shuffled_drawdowns(returns, rng(), draws=6000)
    assert {round(value, 10) for value in found} <= {round(value, 10) for value in orders}
    assert found.mean() == pytest.approx(np.mean(orders), abs=0.002)
    assert np.quantile(found, 0.05) == pytest.approx(np.quantile(orders, 0.05), abs=0.01)


def test_drawdowns_of_winners_of_a_total_loss_and_of_nothing():
    assert (rs.shuffled_drawdowns(np.full(10, 0.01), rng(), draws=5) == 0.0).all()
    assert rs.shuffled_drawdowns(np.array([0.5, -1.0]), rng(), draws=5) == pytest.approx(-1.0)
    assert rs.shuffled_drawdowns(np.empty(0), rng()).size == 0


# --- trades entered at random


def trades_of(entries, exits, opens, sides, *, cost=0.0, size=1.0, cash=1000.0) -> Trades:
    """Trades that buy a share ``size`` of the equity at opens, and pay ``cost`` of what they buy."""
    pnl, bought, equity = [], [], cash
    for entry, exit_, side in zip(entries, exits, sides, strict=True):
        bought.append(size * equity)
        pnl.append(bought[-1] * (side * (opens[exit_] / opens[entry] - 1.0) - cost))
        equity += pnl[-1]
    count = len(entries)
    entry_price = opens[np.array(entries, dtype=int)]
    return Trades(
        side=np.array(sides, np.int8),
        entry_ts=MINUTE_MS * np.array(entries, dtype=np.int64),
        entry_price=entry_price,
        exit_ts=MINUTE_MS * np.array(exits, dtype=np.int64),
        exit_price=opens[np.array(exits, dtype=int)],
        quantity=np.array(bought) / entry_price,
        pnl=np.array(pnl, dtype=np.float64),
        fees=cost * np.array(bought),
        slippage=np.zeros(count),
        exit_reason=np.zeros(count, np.int8),
        symbol=np.zeros(count, np.int16),
        strategy=np.zeros(count, np.int16),
        symbols=("X",),
        strategies=("S",),
    )


def entered(opens, trades, draws=400, seed=0) -> rs.RandomEntries:
    ts = MINUTE_MS * np.arange(opens.size)
    return rs.random_entries({"X": (ts, opens)}, trades, cash=1000.0, rng=rng(seed), draws=draws)


def test_one_trade_of_one_candle_is_entered_everywhere_alike():
    opens = np.array([100.0, 110.0, 99.0, 103.95, 83.16])  # +10 %, -10 %, +5 %, -20 %
    found = entered(opens, trades_of([0], [1], opens, [1], cost=0.01), draws=4000)
    values, counts = np.unique(np.round(found.results, 9), return_counts=True)
    assert values == pytest.approx([-0.21, -0.11, 0.04, 0.09])
    assert counts / 4000 == pytest.approx(0.25, abs=0.03)
    assert found.actual == pytest.approx(0.09)
    assert found.share == pytest.approx(0.25, abs=0.03)
    short = entered(opens, trades_of([3], [4], opens, [-1], cost=0.01, size=0.5))
    assert short.results.max() == pytest.approx(short.actual) == pytest.approx(0.5 * (0.2 - 0.01))


def test_random_trades_do_not_overlap():
    # prices double with every candle: trades of 3 + 2 + 4 candles, kept apart, always make 2^9, wherever they lie
    opens = 2.0 ** np.arange(12.0)
    found = entered(opens, trades_of([0, 4, 7], [3, 6, 11], opens, [1, 1, 1]), draws=50)
    assert found.results == pytest.approx(2.0**9 - 1.0)
    assert found.share == 1.0


def test_a_strategy_that_knows_the_turns_beats_all_random_ones_and_one_that_does_not_beats_half():
    opens = 100.0 * np.exp(np.cumsum(rng(7).normal(0.0, 0.01, 4000)))
    steps = np.arange(0, 3980, 20)
    ahead = opens[steps + 10] > opens[steps]
    knowing = trades_of(steps, steps + 10, opens, np.where(ahead, 1, -1))
    assert entered(opens, knowing).share == 0.0
    shares = []
    for seed in range(40):
        starts = np.sort(rng(seed).choice(steps, 60, replace=False))
        shares.append(entered(opens, trades_of(starts, starts + 10, opens, [1] * 60), draws=100, seed=seed).share)
    assert np.mean(shares) == pytest.approx(0.5, abs=0.13)


def test_costs_are_paid_by_the_random_ones_too():
    opens = np.full(500, 100.0)
    steps = list(range(0, 400, 10))
    found = entered(opens, trades_of(steps, [step + 5 for step in steps], opens, [1] * 40, cost=0.002), draws=20)
    assert found.results == pytest.approx((1.0 - 0.002) ** 40 - 1.0)
    assert found.actual == pytest.approx(found.results[0])
    assert found.share == 1.0


def test_each_symbol_trades_its_part_of_the_cash():
    opens = 2.0 ** np.arange(12.0)
    ts = MINUTE_MS * np.arange(12)
    trades = trades_of([2], [5], opens, [1], cash=500.0)
    found = rs.random_entries({"X": (ts, opens), "Y": (ts, opens)}, trades, cash=1000.0, rng=rng(), draws=5)
    assert found.results == pytest.approx((8.0 + 1.0) / 2.0 - 1.0)
    assert found.actual == pytest.approx(3.5)


def test_overlapping_trades_nothing_to_enter_and_ruin():
    opens = 100.0 * np.exp(np.cumsum(rng(8).normal(0.0, 0.02, 30)))
    pyramid = trades_of([0, 1, 2], [20, 21, 22], opens, [1, 1, 1], size=0.3)
    assert np.isfinite(entered(opens, pyramid).results).all()
    nothing = entered(opens, trades_of([], [], opens, []))
    assert nothing.results.size == 0
    assert isnan(nothing.share)
    doubling = 2.0 ** np.arange(6.0)
    ruined = entered(doubling, trades_of([0], [2], doubling, [-1]))
    assert ruined.results == pytest.approx(-1.0, abs=exp(-29.0))
    assert ruined.actual == -1.0
