"""The year of candles that every engine gets: ``python -m bench.data`` writes it once.

A geometric random walk from 30,000, 55 % annual volatility, eight steps a minute so that highs and lows are honest.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.work import COUNT, FIRST_TS, MINUTE_MS, YEAR_NPY, YEAR_PARQUET

COLUMNS = ("timestamp", "open", "high", "low", "close", "volume")
STEPS = 8
VOLATILITY = 0.55
START = 30_000.0
SEED = 7


def walk(count: int = COUNT, seed: int = SEED) -> np.ndarray:
    """Return ``count`` candles as six rows: open time in ms, open, high, low, close, volume."""
    random = np.random.default_rng(seed)
    step = VOLATILITY / np.sqrt(365 * 24 * 60 * STEPS)
    path = np.exp(np.log(START) + np.cumsum(random.standard_normal(count * STEPS) * step)).reshape(count, STEPS)
    close = path[:, -1]
    open_ = np.concatenate(([START], close[:-1]))
    high, low = np.maximum(path.max(axis=1), open_), np.minimum(path.min(axis=1), open_)
    volume = np.round(random.lognormal(1.0, 1.0, count), 4)
    ts = FIRST_TS + MINUTE_MS * np.arange(count, dtype=np.int64)
    return np.vstack([ts, *(np.round(price, 2) for price in (open_, high, low, close)), volume])


def write() -> None:
    """Write the year as .npy (for the engines) and as Parquet (to be imported), unless both are there."""
    if YEAR_NPY.exists() and YEAR_PARQUET.exists():
        return
    YEAR_NPY.parent.mkdir(parents=True, exist_ok=True)
    rows = walk()
    table = pa.table([pa.array(rows[0].astype(np.int64)), *map(pa.array, rows[1:])], names=list(COLUMNS))
    pq.write_table(table, YEAR_PARQUET.with_suffix(".part"), compression="zstd")
    YEAR_PARQUET.with_suffix(".part").replace(YEAR_PARQUET)
    with YEAR_NPY.with_suffix(".part").open("wb") as file:
        np.save(file, rows)
    YEAR_NPY.with_suffix(".part").replace(YEAR_NPY)


if __name__ == "__main__":
    write()
