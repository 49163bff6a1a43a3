"""What a second worker brings: `bench.sweep` on Dask clusters of this machine (``python -m bench.cluster``).

Each worker is a process with one thread. What every worker needs once (code, candles) is there before the clock starts.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from typing import Any

import cambist as cb
from bench import work
from bench.sweep import evaluator, tried
from cambist.adapters.crew.dask import Cluster
from cambist.backtest.optimise.evaluation import Evaluator
from cambist.backtest.result import Settings
from cambist.strategies.ema_cross import EmaCross

WORKERS = (1, 2)
TARGET = 1.7
"""How many times as fast two are to be as one."""
_START_MS = 1_704_067_200_000


def rows(runs: int = 3) -> list[dict[str, Any]]:
    """Return one row per kind of strategy and number of workers: median seconds, and how many times one worker's rate.

    ``event loop``: 48 trials of a tenth of a second, what clusters are for. ``compiled``: 200 of some milliseconds,
    which keep the scheduler and this process as busy as the workers.
    """
    return [*_rows("event loop", *_looped(), runs), *_rows("compiled", evaluator(), _batches(work.PAIRS, 5), runs)]


def _looped() -> tuple[Evaluator, list[Any]]:
    market = cb.synthetic_market((work.SYMBOL,), start_ms=_START_MS, count=20_000, timeframe="1h", seed=5)
    pairs = tuple((fast, slow) for fast in range(5, 17) for slow in range(30, 90, 15))
    return Evaluator(EmaCross, [market[work.SYMBOL]], settings=Settings()), _batches(pairs, 1)


def _batches(pairs: Sequence[tuple[int, int]], size: int) -> list[Any]:
    return [tuple(pairs[i : i + size]) for i in range(0, len(pairs), size)]


def _rows(kind: str, shared: Evaluator, batches: list[Any], runs: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    answers = []
    for workers in WORKERS:
        seconds, answer = _timed(workers, shared, batches, runs)
        answers.append(answer)
        median = statistics.median(seconds)
        first = found[0]["median_s"] if found else median
        row = {"kind": kind, "workers": workers, "median_s": median, "fastest_s": min(seconds)}
        found.append(row | {"times": first / median})
    if any(answer != answers[0] for answer in answers):
        raise RuntimeError("two workers gave other figures than one")
    return found


def _timed(workers: int, shared: Any, batches: list[Any], runs: int) -> tuple[list[float], str]:
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=workers, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0", host="127.0.0.1"
    ) as cluster:
        crew = Cluster(cluster.scheduler_address)
        seconds = []
        for run in range(runs + 1):
            began = time.perf_counter()
            answers = sorted((batch, repr(answer)) for batch, answer in crew.work(tried, shared, batches))
            if run:
                seconds.append(time.perf_counter() - began)
        crew.close()
    return seconds, repr(answers)


if __name__ == "__main__":
    for row in rows():
        print(
            f"{row['kind']:10}  {row['workers']} workers  {row['median_s']:6.2f} s (fastest {row['fastest_s']:.2f})"
            f"  {row['times']:.2f} times (target for two: {TARGET})"
        )
