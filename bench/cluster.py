"""What a second worker brings: `bench.sweep` on Dask clusters of this machine (``python -m bench.cluster``).

Each worker is a process with one thread. What every worker needs once (code, candles) is there before the clock starts.
"""

from __future__ import annotations

import statistics
import time
from typing import Any

from bench import work
from bench.sweep import AT_ONCE, evaluator, tried
from cambist.adapters.crew.dask import Cluster

WORKERS = (1, 2)
TARGET = 1.7
"""How many times as fast two are to be as one."""


def rows(runs: int = 3) -> list[dict[str, Any]]:
    """Return one row per number of workers: the median of the runs in seconds, and how many times one worker's rate."""
    shared = evaluator()
    batches = [work.PAIRS[i : i + AT_ONCE] for i in range(0, len(work.PAIRS), AT_ONCE)]
    found: list[dict[str, Any]] = []
    answers = []
    for workers in WORKERS:
        seconds, answer = _timed(workers, shared, batches, runs)
        answers.append(answer)
        median = statistics.median(seconds)
        first = found[0]["median_s"] if found else median
        row = {"workers": workers, "combinations": len(work.PAIRS), "median_s": median, "fastest_s": min(seconds)}
        found.append(row | {"times": first / median})
    if any(answer != answers[0] for answer in answers):
        raise RuntimeError("two workers gave other figures than one")
    return found


def _timed(workers: int, shared: Any, batches: list[Any], runs: int) -> tuple[list[float], str]:
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
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
            f"{row['workers']} workers  {row['median_s']:6.2f} s (fastest {row['fastest_s']:.2f})"
            f"  {row['times']:.2f} times (target for two: {TARGET})"
        )
