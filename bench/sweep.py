"""200 pairs of EMA periods over a year of one-minute candles, with all figures of each: ``python -m bench.sweep``.

Stop, target, fees and fills are those of the other figures (work.py); as many threads as there are cores try
combinations. Signals are computed by a strategy as a user would write it.
"""

from __future__ import annotations

import os
import time
from typing import Any

from bench import work
from bench.measure import Report, arguments, peak_mb, timed, versions, year

start = time.perf_counter()
import cambist as cb  # noqa: E402

IMPORT_S = time.perf_counter() - start

from cambist.adapters.crew.local import Threads  # noqa: E402
from cambist.backtest.optimise.evaluation import Evaluator  # noqa: E402
from cambist.backtest.result import Settings  # noqa: E402

PACKAGES = ("cambist", "numba", "numpy", "ta-lib")
AT_ONCE = 5


class EmaPair(cb.SignalStrategy):
    """An EMA cross, long only."""

    fast = cb.param(10, low=2, high=500)
    slow = cb.param(20, low=2, high=500)

    def signals(self, candles: cb.Candles) -> cb.Signals:
        quick, calm = cb.indicators.ema(candles.close, self.fast), cb.indicators.ema(candles.close, self.slow)
        return cb.Signals(
            enter_long=cb.crossed_above(quick, calm),
            exit_long=cb.crossed_below(quick, calm),
            stop_loss=work.STOP,
            take_profit=work.TARGET,
            size=work.FRACTION,
        )


def evaluator() -> Evaluator:
    """Return a fresh one, which has nothing in store."""
    ts, open_, high, low, close, volume = year()
    candles = cb.Candles(
        venue=work.VENUE,
        symbol=work.SYMBOL,
        timeframe=cb.Timeframe(work.TIMEFRAME),
        ts=ts,
        open=open_,
        high=high,
        low=low,
        close=close,
        volume=volume,
    )
    costs = Settings(cash=work.CASH, fee_bps=work.FEE * 1e4, slippage_bps=work.SLIPPAGE * 1e4, volume_share=None)
    return Evaluator(EmaPair, [candles], settings=costs)


def tried(shared: Evaluator, pairs: tuple[tuple[int, int], ...]) -> list[dict[str, float]]:
    """Return the figures of each pair."""
    return [shared.evaluate({"fast": fast, "slow": slow})[0].metrics for fast, slow in pairs]


def swept(shared: Evaluator) -> dict[str, Any]:
    """Try all pairs; return total trades, the best final equity, and how long all processors worked at it."""
    began = time.process_time()
    batches = [work.PAIRS[i : i + AT_ONCE] for i in range(0, len(work.PAIRS), AT_ONCE)]
    figures = [one for _, some in Threads(os.cpu_count() or 1).work(tried, shared, batches) for one in some]
    return {
        "trades": int(sum(one["trades"] + one["open_trades"] for one in figures)),
        "final": max(one["final_equity"] for one in figures) / work.CASH,
        "cpu_s": time.process_time() - began,
    }


def main() -> None:
    told = arguments()
    measure = timed(swept, told.runs, work.COUNT * len(work.PAIRS), prepare=evaluator, facts=dict)
    print(Report({"whole": measure}, versions(*PACKAGES), IMPORT_S, peak_mb()).line())


if __name__ == "__main__":
    main()
