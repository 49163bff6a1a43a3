"""Results made up from seeded random numbers, for the report to show. No engine is needed."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from cambist.backtest.result import Leg, Line, Result, Settings
from cambist.domain.candles import Candles
from cambist.domain.instrument import Instrument
from cambist.domain.proof import Proof, Verdict
from cambist.domain.timeframe import Timeframe
from cambist.domain.trade import EXIT_REASONS, ExitReason, Trades

if TYPE_CHECKING:
    from cambist.domain.candles import Floats, Ints

START = 1_640_995_200_000  # 2022-01-01
PROVED = Proof(look_ahead=Verdict.PASS, warm_up=Verdict.PASS, checks=12, warm_up_candles=96)


def candles(size: int, *, symbol: str = "BTC/USDT", timeframe: Timeframe = Timeframe.H1, seed: int = 1) -> Candles:
    rng = np.random.default_rng(seed)
    vol = 0.006 * np.sqrt(timeframe.ms / 3_600_000)
    way = np.arange(size) / max(1, size)
    moves = rng.standard_t(4, size) * vol * (0.55 + 0.3 * np.sin(way * 25)) * 0.7
    # a random walk that is drawn back to a slow wave: a year of minutes must not end at a thousandth of its start
    wave = 0.35 * np.sin(way * 8) + 0.2 * way
    log_close = np.cumsum(moves)
    close = np.round(46_000 * np.exp(wave + log_close - way * log_close[-1:].sum()), 2)
    open_ = np.concatenate(([46_000.0], close[:-1]))[:size]
    reach = np.abs(rng.normal(0, vol, (2, size)))
    high = np.round(np.maximum(open_, close) * (1 + reach[0] * 0.6), 2)
    low = np.round(np.minimum(open_, close) * (1 - reach[1] * 0.6), 2)
    return Candles(
        venue="binance",
        symbol=symbol,
        timeframe=timeframe,
        ts=START + np.arange(size, dtype=np.int64) * timeframe.ms,
        open=open_,
        high=high,
        low=low,
        close=close,
        volume=np.round(rng.lognormal(3, 1, size), 5),
    )


def average(values: Floats, length: int) -> Floats:
    out = np.full(values.size, np.nan)
    if values.size >= length:
        total = np.cumsum(np.concatenate(([0.0], values)))
        out[length - 1 :] = (total[length:] - total[:-length]) / length
    return out


def strength(close: Floats, length: int = 14) -> Floats:
    change = np.diff(close, prepend=close[:1])
    up, down = average(np.maximum(change, 0), length), average(np.maximum(-change, 0), length)
    with np.errstate(invalid="ignore", divide="ignore"):
        return 100 - 100 / (1 + up / np.where(down == 0, np.nan, down))


def trades(series: list[Candles], count: int, *, strategy: str, seed: int = 2) -> Trades:
    rng = np.random.default_rng(seed)
    per_symbol = max(1, count // len(series)) if count else 0
    parts: list[dict[str, Any]] = []
    for number, one in enumerate(series):
        size = min(per_symbol, max(0, (len(one) - 2) // 2))
        at = np.sort(rng.choice(len(one) - 1, size * 2, replace=False))
        entry, leave = at[0::2], at[1::2]
        side = np.where(rng.random(size) < 0.68, 1, -1)
        gain = side * (one.close[leave] / one.open[entry] - 1) + rng.normal(0.004, 0.01, size)
        quantity = np.round(2_500 / one.open[entry], 5)
        fees = quantity * (one.open[entry] + one.close[leave]) * 0.001
        reason = np.where(gain < -0.01, 1, np.where(gain > 0.02, 2, rng.integers(0, 2, size) * 3))
        parts.append(
            {
                "side": side,
                "entry_ts": one.ts[entry],
                "entry_price": one.open[entry] * 1.0005,
                "exit_ts": one.ts[leave],
                "exit_price": one.close[leave] * 0.9995,
                "quantity": quantity,
                "pnl": gain * quantity * one.open[entry] - fees,
                "fees": fees,
                "slippage": quantity * one.open[entry] * 0.0005,
                "exit_reason": reason,
                "symbol": np.full(size, number),
            }
        )
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.argsort(columns["exit_ts"], kind="stable")
    columns = {name: column[order] for name, column in columns.items()}
    if order.size:
        columns["exit_reason"][-1] = EXIT_REASONS.index(ExitReason.OPEN)
    for name in ("side", "exit_reason"):
        columns[name] = columns[name].astype(np.int8)
    columns["symbol"] = columns["symbol"].astype(np.int16)
    return Trades(
        **columns,
        strategy=np.zeros(order.size, np.int16),
        symbols=tuple(one.symbol for one in series),
        strategies=(strategy,),
    )


def equity_of(done: Trades, ts: Ints, cash: float, seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    gains = np.zeros(ts.size)
    np.add.at(gains, np.minimum(np.searchsorted(ts, done.exit_ts), ts.size - 1), done.pnl)
    noise = rng.normal(0, cash * 0.05 / np.sqrt(ts.size), ts.size)
    return np.maximum(cash * 0.1, cash + np.cumsum(gains) + np.cumsum(noise))


def leg(one: Candles, strategy: str) -> Leg:
    return Leg(
        strategy=strategy,
        candles=one,
        instrument=Instrument(
            venue="binance",
            symbol=one.symbol,
            tick_size=Decimal("0.01"),
            lot_step=Decimal("0.00001"),
            min_notional=Decimal(5),
        ),
        lines=(
            Line(name="ema(24)", values=average(one.close, 24), overlay=True),
            Line(name="ema(96)", values=average(one.close, 96), overlay=True),
            Line(name="rsi(14)", values=strength(one.close), overlay=False),
        ),
    )


def result(
    size: int = 4_000,
    *,
    count: int = 160,
    strategy: str = "EmaCross",
    params: dict[str, Any] | None = None,
    symbols: tuple[str, ...] = ("BTC/USDT",),
    timeframe: Timeframe = Timeframe.H1,
    proof: Proof = PROVED,
    notes: tuple[str, ...] = (),
    seed: int = 1,
) -> Result:
    series = [candles(size, symbol=symbol, timeframe=timeframe, seed=1 + i) for i, symbol in enumerate(symbols)]
    done = trades(series, count, strategy=strategy, seed=seed + 1)
    ts = series[0].ts + timeframe.ms
    equity = equity_of(done, ts, 10_000.0, seed)
    hold = 10_000 * series[0].close / series[0].open[0]
    peak = np.maximum.accumulate(equity)
    won = done.pnl[done.pnl > 0]
    lost = done.pnl[done.pnl <= 0]
    metrics = {
        "total_return": float(equity[-1] / 10_000 - 1),
        "annual_return": 0.1834,
        "volatility": 0.2761,
        "sharpe": 1.27,
        "sortino": 1.92,
        "calmar": float("nan"),
        "max_drawdown": float((equity / peak - 1).min()),
        "max_drawdown_days": 48.0,
        "trades": float(len(done)),
        "open_trades": 1.0,
        "win_rate": won.size / max(1, len(done)),
        "profit_factor": float(won.sum() / -lost.sum()) if lost.size else float("inf"),
        "expectancy": float(done.pnl.mean()) if len(done) else float("nan"),
        "average_win": float(won.mean()) if won.size else float("nan"),
        "average_loss": float(lost.mean()) if lost.size else float("nan"),
        "sqn": 1.61 + seed / 10,
        "exposure": 0.4312,
        "turnover": 38.2,
        "fees": float(done.fees.sum()),
        "slippage": float(done.slippage.sum()),
        "best_trade": float(done.pnl.max()) if len(done) else float("nan"),
        "worst_trade": float(done.pnl.min()) if len(done) else float("nan"),
        "longest_winning_streak": 9.0,
        "longest_losing_streak": 6.0,
        "buy_and_hold_return": float(hold[-1] / 10_000 - 1),
        "buy_and_hold_max_drawdown": float((hold / np.maximum.accumulate(hold) - 1).min()),
        "final_equity": float(equity[-1]),
        "pnl": float(equity[-1] - 10_000),
    }
    return Result(
        strategy=strategy,
        params={"fast": 24, "slow": 96, "stop_loss": 0.02} if params is None else params,
        settings=Settings(),
        engine="compiled",
        legs=tuple(leg(one, strategy) for one in series),
        ts=ts,
        equity=equity,
        buy_and_hold=hold,
        trades=done,
        metrics=metrics,
        proof=proof,
        notes=notes,
    )
