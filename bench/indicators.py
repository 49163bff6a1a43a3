"""Our indicators beside TA-Lib's C, on a million candles: ``python -m bench.indicators`` prints the table.

Both run in one process, turn about, on the same seeded random walk, and both give new arrays. Like is compared with
like: where one of ours gives several outputs, TA-Lib is called for each that it has. Two outputs of `bollinger`, %b and
width, TA-Lib has not; whoever wants them beside BBANDS computes them with numpy, and so does its side here.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import talib

from bench.data import walk
from cambist import indicators

CANDLES = 1_000_000
RUNS = 5

Run = Callable[[], object]
Row = dict[str, Any]


def rows() -> list[Row]:
    """Return a row for each indicator that TA-Lib has: name, median ms of ours and of TA-Lib's, their ratio."""
    table = dict(zip(("ts", "open", "high", "low", "close", "volume"), walk(CANDLES), strict=True))
    return [_row(name, table, theirs) for name, theirs in sorted(peers(table).items()) if name in indicators.names()]


def peers(table: dict[str, Any]) -> dict[str, Run]:
    """Return what TA-Lib offers for the same outputs, with the defaults of our cards, by the name of our indicator."""
    h, l, c, v = (np.ascontiguousarray(table[name]) for name in ("high", "low", "close", "volume"))  # noqa: E741
    t = talib
    return {
        "adi": lambda: t.AD(h, l, c, v),
        "adx": lambda: (t.ADX(h, l, c, 14), t.PLUS_DI(h, l, c, 14), t.MINUS_DI(h, l, c, 14)),
        "aroon": lambda: (t.AROON(h, l, 25), t.AROONOSC(h, l, 25)),
        "atr": lambda: t.ATR(h, l, c, 14),
        "bollinger": lambda: _bands(c),
        "cci": lambda: t.CCI(h, l, c, 20),
        "chaikin_oscillator": lambda: t.ADOSC(h, l, c, v, 3, 10),
        "dema": lambda: t.DEMA(c, 20),
        "donchian": lambda: (t.MAX(h, 20), t.MIDPRICE(h, l, 20), t.MIN(l, 20)),
        "ema": lambda: t.EMA(c, 20),
        "kama": lambda: t.KAMA(c, 10),
        "linear_regression_slope": lambda: t.LINEARREG_SLOPE(c, 14),
        "macd": lambda: t.MACD(c, 12, 26, 9),
        "mfi": lambda: t.MFI(h, l, c, v, 14),
        "momentum": lambda: t.MOM(c, 10),
        "obv": lambda: t.OBV(c, v),
        "parabolic_sar": lambda: t.SAR(h, l, 0.02, 0.2),
        "roc": lambda: t.ROC(c, 10),
        "rolling_max": lambda: t.MAX(c, 20),
        "rolling_min": lambda: t.MIN(c, 20),
        "rolling_std": lambda: t.STDDEV(c, 20),
        "rsi": lambda: t.RSI(c, 14),
        "sma": lambda: t.SMA(c, 20),
        "stochastic": lambda: t.STOCH(h, l, c, 14, 3, 0, 3, 0),
        "stochastic_rsi": lambda: t.STOCHRSI(c, 14, 14, 3, 0),
        "tema": lambda: t.TEMA(c, 20),
        "trix": lambda: t.TRIX(c, 15),
        "true_range": lambda: t.TRANGE(h, l, c),
        "ultimate_oscillator": lambda: t.ULTOSC(h, l, c, 7, 14, 28),
        "williams_r": lambda: t.WILLR(h, l, c, 14),
        "wma": lambda: t.WMA(c, 20),
    }


def _bands(close: Any) -> tuple[Any, ...]:
    upper, middle, lower = talib.BBANDS(close, 20, 2.0, 2.0)
    spread = upper - lower
    return upper, middle, lower, (close - lower) / spread, spread / middle


def _row(name: str, table: dict[str, Any], theirs: Run) -> Row:
    function = indicators.find(name)
    columns = [np.ascontiguousarray(table[column]) for column in function.card.inputs]

    def ours() -> object:
        return function(*columns)

    times: dict[Run, list[float]] = {ours: [], theirs: []}
    for run in times:
        run()  # compiles, and warms the caches
    for _ in range(RUNS):
        for run, taken in times.items():
            start = time.perf_counter()
            run()
            taken.append(1e3 * (time.perf_counter() - start))
    mine, talibs = (statistics.median(taken) for taken in times.values())
    return {"indicator": name, "cambist_ms": mine, "talib_ms": talibs, "ratio": mine / talibs}


if __name__ == "__main__":
    print(f"{'indicator':<24}{'cambist ms':>12}{'TA-Lib ms':>12}{'ratio':>8}")
    for row in rows():
        print(f"{row['indicator']:<24}{row['cambist_ms']:>12.2f}{row['talib_ms']:>12.2f}{row['ratio']:>8.2f}")
