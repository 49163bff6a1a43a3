"""Searches for the report to show: a real small grid over a market that never was, and what can be added to it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import product
from typing import Any

import numpy as np

import cambist as cb
from cambist.analytics.performance import relative_changes, samples
from cambist.backtest.optimise.judge import Evidence, judge
from cambist.backtest.optimise.plateau import plateau
from cambist.backtest.optimise.result import KEPT, Paths, Plateau, Searched, Table, Walk, Window
from cambist.backtest.result import Settings
from cambist.domain.judgement import Judgement
from cambist.domain.search import Axis, Goal, Method, Span, Trial
from cambist.strategies.bollinger_breakout import BollingerBreakout

START = 1_640_995_200_000  # 2022-01-01
HOUR = 3_600_000
COUNT = 3_000
SPLIT = START + 2_000 * HOUR
WHOLE = Span(start_ts=START, stop_ts=START + COUNT * HOUR)
AXES = (
    Axis(name="period", values=(8, 12, 16, 20, 24, 30, 40, 55, 80)),
    Axis(name="width", values=(1.0, 1.5, 2.0, 2.5, 3.0)),
    Axis(name="stop_loss", values=(0.02, 0.05)),
)
SHARPE = Goal(text="sharpe")
DRAWDOWN = Goal(text="max_drawdown")
TRADES = Goal(text="trades", better=-1)


@cache
def market() -> cb.Candles:
    return cb.synthetic_market(("BTC/USDT",), start_ms=START, count=COUNT, timeframe="1h", seed=7)["BTC/USDT"]


@cache
def grid() -> tuple[Trial, ...]:
    """Try every combination on what lies before the split."""
    before = market().between(START, SPLIT)
    names = [axis.name for axis in AXES]
    trials = []
    for number, values in enumerate(product(*(axis.values for axis in AXES))):
        params = dict(zip(names, values, strict=True))
        metrics = cb.backtest(BollingerBreakout(**params), before, proof=False).metrics
        trials.append(Trial(number=number, params=params, metrics=metrics))
    return tuple(trials)


@cache
def chosen_of(number: int) -> Any:
    return cb.backtest(BollingerBreakout(**grid()[number].params), market())


def table_of(trials: tuple[Trial, ...], goals: tuple[Goal, ...]) -> Table:
    values = np.array([[trial.metrics[goal.text] for goal in goals] for trial in trials])
    return Table(
        number=np.array([trial.number for trial in trials]),
        done=np.isfinite(values).all(axis=1),
        params={axis.name: np.array([float(trial.params[axis.name]) for trial in trials]) for axis in AXES},
        values=values,
        metrics={key: np.array([trial.metrics[key] for trial in trials]) for key in KEPT},
    )


def wide(count: int, axes: int = 6, *, goals: tuple[Goal, ...] = (SHARPE,)) -> tuple[tuple[Axis, ...], Table]:
    """Return a table of so many made-up trials on so many axes, one of them of words and one without listed values."""
    rng = np.random.default_rng(5)
    # the first has few enough values to be mapped one by one
    tops = [155, *([405] * (axes - 3))]
    lists = [Axis(name=f"length_{i}", values=tuple(range(5, top))) for i, top in enumerate(tops)]
    made = (*lists, Axis(name="kind", values=("sma", "ema", "wma")), Axis(name="stop", low=0.001, high=0.1, log=True))
    params: dict[str, Any] = {
        axis.name: rng.integers(5, top, count).astype(float) for axis, top in zip(lists, tops, strict=True)
    }
    params["kind"] = rng.choice(np.array(["sma", "ema", "wma"], dtype=object), count)
    params["stop"] = np.exp(rng.uniform(np.log(0.001), np.log(0.1), count))
    values = rng.normal(0.0, 1.0, (count, len(goals))) - ((params["length_0"] - 60) / 50)[:, None] ** 2
    values[::97] = np.nan
    values[5, 0] = -400.0  # a ruin, far off
    table = Table(
        number=np.arange(count),
        done=np.isfinite(values).all(axis=1),
        params=params,
        values=values,
        metrics={key: rng.normal(0.0, 1.0, count) for key in KEPT},
    )
    return made, table


def of_table(axes: tuple[Axis, ...], table: Table, goals: tuple[Goal, ...] = (SHARPE,), **changes: Any) -> Searched:
    """Return a search with that table: the best row is its choice."""
    scores = np.where(table.done, goals[0].better * table.values[:, 0], -np.inf)
    row = int(scores.argmax())
    params = {
        name: column[row].item() if hasattr(column[row], "item") else column[row]
        for name, column in table.params.items()
    }
    best = Trial(number=int(table.number[row]), params=params, values=tuple(table.values[row].tolist()), metrics={})
    return searched(
        axes=axes, table=table, goals=goals, best=best, front=(best,), plateau=plateau(table, axes, best), **changes
    )


def not_beaten(trials: tuple[Trial, ...], goals: tuple[Goal, ...]) -> tuple[Trial, ...]:
    worth = {t.number: np.array([g.better * v for g, v in zip(goals, t.values, strict=True)]) for t in trials}
    return tuple(
        trial
        for trial in trials
        if not any((one >= worth[trial.number]).all() and (one > worth[trial.number]).any() for one in worth.values())
    )


@cache
def verdict() -> Judgement:
    """Judge the best by what it gave: real figures of a real search in noise."""
    known = [trial for trial in grid() if np.isfinite(trial.metrics["sharpe"])]
    result = chosen_of(max(known, key=lambda trial: trial.metrics["sharpe"]).number)
    days, cash = samples(result.ts)[0], result.settings.cash
    returns, market_returns = (relative_changes(one[days], cash) for one in (result.equity, result.buy_and_hold))
    return judge(
        Evidence(
            returns=returns[: returns.size * 2 // 3],
            out_of_sample=returns[returns.size * 2 // 3 :],
            periods=365.0,
            pnl=result.trades.pnl,
            cash=result.settings.cash,
            trials=1_234,
            sharpes=np.array([trial.metrics["sharpe"] for trial in grid()]) / 365.0**0.5,
            market=market_returns[: returns.size * 2 // 3],
            double_costs_return=-0.02,
        ),
        draws=200,
    )


def walk() -> Walk:
    spans = [(START + i * 500 * HOUR, START + (i + 2) * 500 * HOUR, START + (i + 3) * 500 * HOUR) for i in range(4)]
    result = chosen_of(0)
    rows = result.ts > spans[0][1]
    equity = np.concatenate([[10_000.0], result.equity[rows] / result.equity[~rows][-1] * 10_000.0])
    return Walk(
        anchored=False,
        windows=tuple(
            Window(
                train=Span(start_ts=start, stop_ts=cut),
                test=Span(start_ts=cut, stop_ts=stop),
                params=grid()[17 * i].params if i else {},  # nothing was chosen in the first
                value=1.4 - 0.2 * i if i else np.nan,
                metrics=chosen_of(0).metrics,
            )
            for i, (start, cut, stop) in enumerate(spans)
        ),
        ts=result.ts[rows],
        equity=equity,
        metrics={"total_return": 0.04, "annual_return": 0.12, "sharpe": 0.61, "sortino": 0.8, "max_drawdown": -0.07},
        efficiency=0.44,
    )


def paths(count: int = 45) -> Paths:
    rng = np.random.default_rng(3)
    returns = rng.normal(0.0002, 0.01, (count, 250))
    return Paths(
        groups=10,
        tested=8,
        splits=45,
        sharpes=returns.mean(axis=1) / returns.std(axis=1) * 365.0**0.5,
        equities=np.concatenate([np.ones((count, 1)), np.cumprod(1.0 + returns, axis=1)], axis=1),
    )


def searched(goals: tuple[Goal, ...] = (SHARPE,), **changes: Any) -> Searched:
    """Return the small grid as a finished search; ``changes`` are fields of their own."""
    trials = tuple(replace(trial, values=tuple(trial.metrics[goal.text] for goal in goals)) for trial in grid())
    done = tuple(trial for trial in trials if np.isfinite(trial.values).all())
    best = max(done, key=lambda trial: goals[0].better * trial.values[0])
    chosen = chosen_of(best.number)
    table = table_of(trials, goals)
    given: dict[str, Any] = {
        "study": "BollingerBreakout synthetic BTC/USDT",
        "run": "5f0c2f7a9e4d1b36",
        "strategy": "BollingerBreakout",
        "called": "BollingerBreakout",
        "method": Method.GRID,
        "axes": AXES,
        "goals": goals,
        "where": ("trades >= 20",),
        "seed": 42,
        "settings": Settings(),
        "venue": "synthetic",
        "symbols": ("BTC/USDT",),
        "timeframes": ("1h",),
        "whole": WHOLE,
        "split_ts": SPLIT,
        "table": table,
        "counted": 1_234,
        "best": best,
        "front": not_beaten(done, goals),
        "chosen": chosen,
        "out_of_sample": cb.backtest(
            BollingerBreakout(**best.params), market().between(SPLIT, None), proof=False
        ).metrics,
        "walk": None,
        "paths": None,
        "plateau": plateau(table, AXES, best),
        "judgement": verdict(),
        "notes": (),
    }
    return Searched(**{**given, **changes})


def bare() -> Searched:
    """Return the least that a search can be: one axis, one goal, no split, nothing beside."""
    axis = AXES[0]
    trials = tuple(trial for trial in grid() if trial.params["width"] == 2.0 and trial.params["stop_loss"] == 0.02)
    trials = tuple(replace(t, params={"period": t.params["period"]}, values=(t.metrics["sharpe"],)) for t in trials)
    best = max(trials, key=lambda trial: trial.values[0])
    table = Table(
        number=np.array([trial.number for trial in trials]),
        done=np.ones(len(trials), np.bool_),
        params={"period": np.array([float(trial.params["period"]) for trial in trials])},
        values=np.array([trial.values for trial in trials]),
        metrics={key: np.array([trial.metrics[key] for trial in trials]) for key in KEPT},
    )
    return searched(
        axes=(axis,), table=table, best=best, front=(best,), split_ts=None, out_of_sample=None, where=(),
        plateau=Plateau(neighbours=0, kept=np.nan, worst=np.nan, importance={}),
    )  # fmt: skip
