"""What the candle lake costs: writing and reading a year of minutes. ``python -m bench.lake`` prints it."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from cambist.adapters.storage.candles import ParquetLake
from cambist.domain.candles import Candles
from cambist.domain.timeframe import MINUTE_MS, Timeframe
from cambist.market.resample import resample
from cambist.market.series import build, check

COUNT = 525_600
START = 1_672_531_200_000  # 2023-01-01
MARKET = ("binance", "BTC/USDT", Timeframe.M1)


def year() -> Candles:
    """Return a year of minutes of a seeded random walk, prices to the cent, volumes to five digits."""
    rng = np.random.default_rng(1)
    close = np.round(30_000 * np.exp(np.cumsum(rng.normal(0, 5e-4, COUNT))), 2)
    open_ = np.concatenate(([30_000.0], close[:-1]))
    high = np.round(np.maximum(open_, close) * 1.0003, 2)
    low = np.round(np.minimum(open_, close) * 0.9997, 2)
    ts = START + np.arange(COUNT) * MINUTE_MS
    return build(*MARKET, ts, open_, high, low, close, np.round(rng.exponential(20, COUNT), 5))


def rows(runs: int = 11) -> list[dict[str, Any]]:
    """Return one row per figure: what was measured, the median and the fastest of the runs in ms, the file in MB."""
    candles = year()
    month = (START + 150 * 1440 * MINUTE_MS, START + 180 * 1440 * MINUTE_MS)
    with tempfile.TemporaryDirectory() as folder:
        fresh = (ParquetLake(Path(folder) / str(run)) for run in range(runs + 1))
        lake = ParquetLake(Path(folder) / "lake")
        lake.append(candles)
        (file,) = lake.root.glob("*/*/*.parquet")
        size = file.stat().st_size / 1e6
        work: dict[str, Callable[[], object]] = {
            "read a year": lambda: lake.read(*MARKET),
            "read a month of it": lambda: lake.read(*MARKET, *month),
            "list the lake": lake.series,
            "check a year": lambda: check(candles),
            "a year of 1m to 1h": lambda: resample(candles, Timeframe.H1),
            # last: what it leaves to the disk would slow down those after it
            "write a year (checked, synced to disk)": lambda: next(fresh).append(candles),
        }
        return [
            {"what": what, **_timed(call, runs), "candles": COUNT, "megabytes": round(size, 1)}
            for what, call in work.items()
        ]


def _timed(call: Callable[[], object], runs: int) -> dict[str, float]:
    call()  # files in the cache, code loaded
    taken = []
    for _ in range(runs):
        started = time.perf_counter()
        call()
        taken.append((time.perf_counter() - started) * 1000)
    return {"median_ms": round(statistics.median(taken), 2), "fastest_ms": round(min(taken), 2)}


if __name__ == "__main__":
    for row in rows():
        print(f"{row['what']:40} {row['median_ms']:8.2f} ms (fastest {row['fastest_ms']:.2f})  {row['megabytes']} MB")
