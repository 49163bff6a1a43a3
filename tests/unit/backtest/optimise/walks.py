"""Searches in miniature: 100 pairs of averages on a made market, and the evidence that the best of them gives.

Positions are numpy arrays, half of the equity or nothing, decided at one price and held from it to the next; costs are
a fraction of what is traded. It is what the engine does, without its rules of steps and volumes.
"""

from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np

from cambist.analytics.overfitting import moments
from cambist.analytics.resampling import random_entries
from cambist.backtest.optimise.judge import Evidence
from cambist.domain.search import EXACT
from cambist.domain.trade import Trades

A_DAY = 2
A_YEAR = 365 * A_DAY
STEP_MS = 86_400_000 // A_DAY
FAST, SLOW = (2, 3, 4, 5, 7, 9, 11, 14, 17, 20), (24, 28, 33, 39, 46, 54, 64, 75, 88, 104)
VOLATILITY = 0.7 / sqrt(A_YEAR)
CASH = 10_000.0
SIZE = 0.5
"""Share of the equity that is in the market when something is."""

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Rules:
    cost: float = 0.0
    shorts: bool = False
    held_back: float = 0.0
    """Share of the history, at its end, on which nothing is chosen."""


def martingale(rng: np.random.Generator, walks: int, days: int) -> Array:
    """Prices whose expected change is nothing."""
    noise = VOLATILITY * rng.standard_normal((walks, days * A_DAY))
    return paths(noise - VOLATILITY**2 / 2.0)


def paths(logs: Array) -> Array:
    prices: Array = 100.0 * np.exp(np.concatenate((np.zeros((len(logs), 1)), np.cumsum(logs, axis=1)), axis=1))
    return prices


def momentum(rng: np.random.Generator, walks: int, days: int, strength: float, lasting_days: float = 15.0) -> Array:
    """Prices that drift up or down, turning now and then.

    ``strength`` is the Sharpe ratio per year of whoever knows which way it goes, without costs.
    """
    shape = (walks, days * A_DAY)
    turns = np.where(rng.random(shape) < 1.0 / (lasting_days * A_DAY), -1.0, 1.0)
    way = np.cumprod(turns, axis=1) * rng.choice((-1.0, 1.0), (walks, 1))
    drift = strength / sqrt(A_YEAR) * VOLATILITY
    return paths(VOLATILITY * rng.standard_normal(shape) + drift * way - VOLATILITY**2 / 2.0)


def averages(prices: Array) -> dict[int, Array]:
    """Exponential moving averages of each row, by period."""
    periods = np.array(FAST + SLOW, dtype=np.float64)
    weights = (2.0 / (periods + 1.0))[:, None]
    found = np.empty((prices.shape[1], periods.size, prices.shape[0]), dtype=np.float32)
    now = np.repeat(prices[None, :, 0], periods.size, axis=0)
    for i, column in enumerate(prices.T):
        now += weights * (column - now)
        found[i] = now
    return {period: found[:, i] for i, period in enumerate(FAST + SLOW)}


def searched(prices: Array, rules: Rules, seed: int) -> list[Evidence]:
    """Return what a search over all pairs gives, for each row of prices."""
    lines = averages(prices)
    found = []
    for walk in range(len(prices)):
        quick = np.stack([lines[period][:-1, walk] for period in FAST])[:, None]
        calm = np.stack([lines[period][:-1, walk] for period in SLOW])[None, :]
        above = (quick > calm).reshape(len(FAST) * len(SLOW), -1)
        held = np.where(above, SIZE, -SIZE if rules.shorts else 0.0)
        held[:, : max(SLOW)] = 0.0  # not warmed up
        found.append(evidence(prices[walk], held, rules, seed + walk))
    return found


def growth(prices: Array, held: Array, cost: float) -> Array:
    """Logarithms of what positions that are held from each price to the next make of 1: shape (trials, steps)."""
    moved = held * (prices[1:] / prices[:-1] - 1.0)
    moved -= cost * np.abs(np.diff(held, axis=1, prepend=0.0))
    return np.log1p(moved)


def daily(prices: Array, held: Array, cost: float) -> Array:
    made: Array = np.expm1(growth(prices, held, cost).reshape(len(held), -1, A_DAY).sum(axis=2))
    return made


def evidence(prices: Array, held: Array, rules: Rules, seed: int) -> Evidence:
    days = (prices.size - 1) // A_DAY
    split = days - int(rules.held_back * days)
    returns = daily(prices, held, rules.cost)
    seen = returns[:, :split]
    spread = seen.std(axis=1, ddof=1)
    ratios = np.divide(seen.mean(axis=1), spread, out=np.full(len(held), np.nan), where=spread > 0.0)
    best = int(np.nanargmax(ratios))
    until = split * A_DAY
    chosen, known = held[best, :until], prices[: until + 1]
    trades = trades_of(known, chosen, rules.cost)
    ts = STEP_MS * np.arange(known.size)
    return Evidence(
        returns=seen[best],
        periods=365.0,
        market=known[A_DAY::A_DAY] / known[:-A_DAY:A_DAY] - 1.0,
        pnl=trades.pnl,
        cash=CASH,
        trials=len(held),
        sharpes=ratios,
        moments=np.stack([moments(row)[EXACT] for row in seen]),
        double_costs_return=float(np.prod(1.0 + daily(known, chosen[None], 2.0 * rules.cost))) - 1.0,
        random=random_entries({"X": (ts, known)}, trades, cash=CASH, rng=np.random.default_rng(seed), draws=50),
        out_of_sample=returns[best, split:] if rules.held_back else None,
        seed=seed,
    )


def trades_of(prices: Array, held: Array, cost: float) -> Trades:
    turns = np.flatnonzero(np.diff(held, prepend=0.0, append=0.0))
    entered = turns[:-1][held[turns[:-1]] != 0.0]
    left = turns[np.searchsorted(turns, entered) + 1]
    side = np.sign(held[entered])
    made = np.concatenate(([0.0], np.cumsum(growth(prices, held[None], cost)[0])))
    before = CASH * np.exp(made[entered])
    pnl = CASH * np.exp(made[left]) - before
    size = entered.size
    return Trades(
        side=side.astype(np.int8),
        entry_ts=STEP_MS * entered,
        entry_price=prices[entered],
        exit_ts=STEP_MS * left,
        exit_price=prices[left],
        quantity=SIZE * before / prices[entered],
        pnl=pnl,
        fees=cost * SIZE * before * (1.0 + prices[left] / prices[entered]),
        slippage=np.zeros(size),
        exit_reason=np.zeros(size, np.int8),
        symbol=np.zeros(size, np.int16),
        strategy=np.zeros(size, np.int16),
        symbols=("X",),
        strategies=("Averages",),
    )
