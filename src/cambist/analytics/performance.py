"""Performance and risk of a run: small functions over arrays, and `measure`, which gives all of it at once.

| Key | What it is |
|---|---|
| ``total_return`` | final equity / cash - 1 |
| ``annual_return`` | (1 + total return) ^ (1 / years) - 1; years from the first candle's open to the last close |
| ``volatility`` | standard deviation of returns, per year |
| ``sharpe`` | mean return / standard deviation, per year; risk-free rate 0 |
| ``sortino`` | mean return / downside deviation, per year; target 0 |
| ``calmar`` | annual return / size of the deepest drawdown |
| ``max_drawdown`` | deepest fall of equity from its peak so far, a NEGATIVE fraction: -0.2 is a fall by 20 % |
| ``max_drawdown_days`` | longest time from a peak to its recovery, or to the end if it has not come (days) |
| ``trades``, ``open_trades`` | how many trades have ended, and how many have not |
| ``win_rate`` | share of trades that made money |
| ``profit_factor`` | sum of profits / sum of losses |
| ``expectancy`` | mean profit of a trade (quote currency) |
| ``average_win``, ``average_loss`` | mean profit of trades that made money; of those that lost it (negative) |
| ``sqn`` | system quality number: sqrt(trades) * mean profit / its standard deviation |
| ``best_trade``, ``worst_trade`` | largest and smallest profit of a trade (quote currency) |
| ``longest_winning_streak``, ``longest_losing_streak`` | most trades in a row that made, that lost money |
| ``exposure`` | share of candles with an open position |
| ``turnover`` | notional traded / mean equity, per year |
| ``fees``, ``slippage`` | paid on all trades, open ones included (quote currency) |
| ``buy_and_hold_return``, ``buy_and_hold_max_drawdown`` | the same, of cash put into the market and left there |
| ``final_equity``, ``pnl`` | equity at the last close; less the cash (quote currency) |

Conventions. A year has 365 days. Drawdowns and returns start from the cash. Volatility, Sharpe and Sortino are of daily
returns: equity is sampled at the last close of each UTC day (a close at 00:00 ends the day before it; a day without
candles repeats the day before). Runs shorter than ten days, and candles longer than a day, are measured candle by
candle, with as many to the year as go into 365 days. Standard deviations are of samples (ddof 1), but the downside
deviation is over all returns. Trade statistics are of trades that have ended; profit is after fees; a trade that made
nothing is neither won nor lost. What is undefined is NaN: ratios to a deviation or a loss of zero, means of nothing.
Equity at or below zero is ruin: the annual return and the drawdown are -1, and returns end there.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import expm1, log1p, nan, sqrt
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from cambist.domain.timeframe import DAY_MS

if TYPE_CHECKING:
    from cambist.domain.trade import Trades

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

YEAR_MS = 365 * DAY_MS
_SHORT_RUN_MS = 10 * DAY_MS
_NOISE = 1e-14
"""Deviations below this are the rounding of equal returns, not risk."""


def measure(
    ts: Ints,
    equity: Floats,
    trades: Trades,
    *,
    cash: float,
    buy_and_hold: Floats,
    exposure: float,
    volume_traded: float,
) -> dict[str, float]:
    """Return all measures of one run by the keys of the table above.

    ``ts`` (close times, ms), ``equity`` and ``buy_and_hold`` (quote currency) have one value per candle, at least one;
    ``cash`` is the equity before the first candle, positive; ``volume_traded`` is in quote currency.
    """
    start_ts = start_of(ts)
    rows, periods = samples(ts)
    drawdown, underwater_ms = _underwater(ts, equity, start_ts, cash)
    course = Course(
        elapsed_ms=int(ts[-1]) - start_ts,
        final=float(equity[-1]),
        mean=float(equity.mean()),
        drawdown=drawdown,
        underwater_ms=underwater_ms,
        returns=relative_changes(equity[rows], cash),
        periods=periods,
    )
    closed = trades.closed
    return summed(
        course,
        of_trades(trades.pnl[closed], closed.size, float(trades.fees.sum()), float(trades.slippage.sum())),
        cash=cash,
        held=held_through(ts, buy_and_hold, cash),
        exposure=exposure,
        volume_traded=volume_traded,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What measures need of the equity of a run."""

    elapsed_ms: int
    """From the first candle's open to the last close."""
    final: float
    mean: float
    drawdown: float
    """The deepest, 0 to -1."""
    underwater_ms: int
    """The longest time from a peak to its recovery."""
    returns: Floats
    """Of the samples; they end at ruin."""
    periods: float
    """How many of them make a year."""


def summed(
    course: Course,
    of_trades: dict[str, float],
    *,
    cash: float,
    held: tuple[float, float],
    exposure: float,
    volume_traded: float,
) -> dict[str, float]:
    """Return all measures; ``held`` are return and drawdown of cash put into the market and left there."""
    years = course.elapsed_ms / YEAR_MS
    total = course.final / cash - 1.0
    annual = annual_return(total, years)
    return {
        "total_return": total,
        "annual_return": annual,
        "volatility": volatility(course.returns, course.periods),
        "sharpe": sharpe(course.returns, course.periods),
        "sortino": sortino(course.returns, course.periods),
        "calmar": calmar(annual, course.drawdown),
        "max_drawdown": course.drawdown,
        "max_drawdown_days": course.underwater_ms / DAY_MS,
        **of_trades,
        "exposure": float(exposure),
        "turnover": volume_traded / course.mean / years if years > 0.0 and course.mean > 0.0 else nan,
        "buy_and_hold_return": held[0],
        "buy_and_hold_max_drawdown": held[1],
        "final_equity": course.final,
        "pnl": course.final - cash,
    }


def held_through(ts: Ints, buy_and_hold: Floats, cash: float) -> tuple[float, float]:
    """Return the return and the deepest drawdown of cash that was put into the market and left there."""
    return float(buy_and_hold[-1]) / cash - 1.0, _underwater(ts, buy_and_hold, start_of(ts), cash)[0]


def annual_return(total: float, years: float) -> float:
    """Return the yearly rate that compounds to ``total`` in ``years``: (1 + total) ^ (1 / years) - 1 (CAGR).

    -1 after ruin; NaN over no time, or where it is beyond all numbers.
    """
    if not years > 0.0:
        return nan
    if total <= -1.0:
        return -1.0
    try:
        return expm1(log1p(total) / years)
    except OverflowError:
        return nan


def volatility(returns: Floats, periods_per_year: float = 365.0) -> float:
    """Return the standard deviation (ddof 1) of ``returns``, times the root of periods per year; NaN below two."""
    return float(returns.std(ddof=1)) * sqrt(periods_per_year) if returns.size > 1 else nan


def sharpe(returns: Floats, periods_per_year: float = 365.0) -> float:
    """Return mean / standard deviation (ddof 1) * sqrt(periods per year) of returns in excess of the risk-free rate.

    W. F. Sharpe, The Sharpe Ratio, Journal of Portfolio Management, 1994. NaN below two returns, or where they are
    all the same.
    """
    if returns.size < 2:
        return nan
    deviation = float(returns.std(ddof=1))
    return float(returns.mean()) / deviation * sqrt(periods_per_year) if deviation > _NOISE else nan


def sortino(returns: Floats, periods_per_year: float = 365.0) -> float:
    """Return mean / downside deviation * sqrt(periods per year) of returns in excess of the target.

    F. A. Sortino and L. N. Price, Performance Measurement in a Downside Risk Framework, Journal of Investing, 1994.
    NaN below two returns, or where none is negative.
    """
    if returns.size < 2:
        return nan
    deviation = downside_deviation(returns)
    return float(returns.mean()) / deviation * sqrt(periods_per_year) if deviation > _NOISE else nan


def downside_deviation(returns: Floats, target: float = 0.0) -> float:
    """Return the root mean square of shortfalls below ``target``, over all returns, good ones counting as zero."""
    shortfall = np.minimum(returns - target, 0.0)
    return sqrt(float(shortfall @ shortfall) / returns.size) if returns.size else nan


def max_drawdown(equity: Floats, start: float | None = None) -> float:
    """Return the deepest fall from a peak as a fraction between 0 and -1; NaN of nothing.

    The first peak is ``start``, by default the first value; NaN if that is not positive.
    """
    if not equity.size:
        return nan
    first = float(equity[0]) if start is None else start
    return _underwater(np.zeros(equity.size, np.int64), equity, 0, first)[0] if first > 0.0 else nan


def calmar(annual: float, drawdown: float) -> float:
    """Return the annual return over the size of the deepest drawdown (T. W. Young, Futures, 1991).

    Over the whole run, not its last 36 months. NaN without a drawdown.
    """
    return annual / -drawdown if drawdown < 0.0 else nan


def profit_factor(pnl: Floats) -> float:
    """Return the sum of profits over the sum of losses; NaN without losses."""
    profits, losses = _profits_and_losses(pnl)
    return profits / losses if losses > 0.0 else nan


def sqn(pnl: Floats) -> float:
    """Return the system quality number: sqrt(n) * mean / standard deviation (ddof 1) of profits.

    Van K. Tharp, Definitive Guide to Position Sizing, 2008; with profits in money in place of multiples of the risk
    taken, which a strategy without a stop has not. NaN below two trades, or where all made the same.
    """
    if pnl.size < 2:
        return nan
    mean, deviation = float(pnl.mean()), float(pnl.std(ddof=1))
    return sqrt(pnl.size) * mean / deviation if deviation > _NOISE * abs(mean) else nan


def _day_ends(ts: Ints) -> Ints:
    """Return the position of the last close of each UTC day; for a day without candles that of the day before it."""
    midnights = DAY_MS * np.arange(-(-int(ts[0]) // DAY_MS), -(-int(ts[-1]) // DAY_MS) + 1)
    return np.searchsorted(ts, midnights, side="right") - 1


def monthly_returns(ts: Ints, equity: Floats, start: float | None = None) -> list[tuple[int, int, float]]:
    """Return (year, month, return) of each calendar month in UTC from the first candle to the last, in order.

    ``ts`` holds close times in ms; the first month starts from ``start``, by default the first value; the returns
    compound to the total. A close at 00:00 on the first ends the month before. NaN after ruin.
    """
    if not ts.size:
        return []
    first, last = ((ts[[0, -1]] - 1).astype("datetime64[ms]").astype("datetime64[M]")).astype(np.int64)
    months = np.arange(first, last + 1)
    ends = (months + 1).astype("datetime64[M]").astype("datetime64[ms]").astype(np.int64)
    closes = equity[np.searchsorted(ts, ends, side="right") - 1]
    returns = np.full(months.size, nan)
    known = relative_changes(closes, float(equity[0]) if start is None else start)
    returns[: known.size] = known
    return [
        (1970 + month // 12, month % 12 + 1, value)
        for month, value in zip(months.tolist(), returns.tolist(), strict=True)
    ]


def _underwater(ts: Ints, equity: Floats, start_ts: int, start: float) -> tuple[float, int]:
    # Numba takes most of a second to load: whoever only draws a stored result does without.
    from cambist.analytics._kernels import underwater

    return underwater(ts, equity, start_ts, start)  # type: ignore[no-any-return]


def start_of(ts: Ints) -> int:
    """Return when the first candle opened; its close if there is no second candle to tell its length.

    The length is the shortest among the first candles: gaps make a step longer, never shorter.
    """
    return int(ts[0]) - (int(np.diff(ts[:100]).min()) if ts.size > 1 else 0)


def samples(ts: Ints) -> tuple[Ints, float]:
    """Return the positions at which equity is sampled for ratios, and how many of them make a year.

    They depend on the close times ``ts`` (ms) alone, so all runs over the same candles have as many returns.
    """
    start = start_of(ts)
    step = int(ts[0]) - start
    if step > DAY_MS or int(ts[-1]) - start < _SHORT_RUN_MS:
        return np.arange(ts.size), YEAR_MS / step if step else nan
    return _day_ends(ts), 365.0


def padded(returns: Floats, count: int) -> Floats:
    """Return ``returns`` as ``count`` values: zeros after ruin."""
    return np.concatenate((returns, np.zeros(count - returns.size)))


def relative_changes(values: Floats, start: float) -> Floats:
    """Return the relative changes from ``start`` through ``values``; the last is -1 where they reach zero: ruin."""
    path = np.maximum(np.concatenate(([start], values)), 0.0)
    ruined = np.flatnonzero(path == 0.0)
    if ruined.size:
        path = path[: ruined[0] + 1]
    return path[1:] / path[:-1] - 1.0


def of_trades(pnl: Floats, count: int, fees: float, slippage: float) -> dict[str, float]:
    """Return the measures of trades: ``pnl`` of those that have ended, ``count``, fees and slippage of all."""
    won, lost = pnl > 0.0, pnl < 0.0
    wins, losses = np.count_nonzero(won), np.count_nonzero(lost)
    profits, loss = _profits_and_losses(pnl)
    return {
        "trades": float(pnl.size),
        "open_trades": float(count - pnl.size),
        "win_rate": wins / pnl.size if pnl.size else nan,
        "profit_factor": profit_factor(pnl),
        "expectancy": float(pnl.mean()) if pnl.size else nan,
        "average_win": profits / wins if wins else nan,
        "average_loss": -loss / losses if losses else nan,
        "sqn": sqn(pnl),
        "best_trade": float(pnl.max()) if pnl.size else nan,
        "worst_trade": float(pnl.min()) if pnl.size else nan,
        "longest_winning_streak": _longest_streak(won),
        "longest_losing_streak": _longest_streak(lost),
        "fees": fees,
        "slippage": slippage,
    }


def _profits_and_losses(pnl: Floats) -> tuple[float, float]:
    return float(np.maximum(pnl, 0.0).sum()), -float(np.minimum(pnl, 0.0).sum())


def _longest_streak(flags: npt.NDArray[np.bool_]) -> float:
    """Return how many in a row are true at most: the widest gap between two that are not, the ends among them."""
    breaks = np.flatnonzero(~flags)
    return float(np.diff(breaks, prepend=-1, append=flags.size).max() - 1)
