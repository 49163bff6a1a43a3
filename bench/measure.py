"""How everything here is timed, ours and theirs alike: standard library and numpy only.

Laws: a run that does not count comes first; the garbage is collected before each call, outside the clock; one process
at a time; what lasts less than 0.3 s is called up to 15 times in a row, and their median is one run. On a shared Linux
machine a run waits for its neighbours to be quiet, and one during which they used more than a quarter of a core is
taken again (up to three times as many runs as asked for, for a minute; then the quietest count).
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bench.work import YEAR_NPY

QUIET_CORE = 0.25
PATIENCE_S = 60.0
"""How long, in all, one measurement waits for its neighbours to be quiet."""
LONG_S = 0.3
MOST_CALLS = 15
_WINDOW_S = 0.1
_CLOCK_TICK = 100.0


@dataclass(frozen=True)
class Measure:
    """One thing that was timed, and what came out of it."""

    times: list[float]
    candles: int
    neighbours: float = 0.0
    """Cores that other programs used while the runs that count went on; the highest of them."""
    facts: dict[str, Any] = field(default_factory=dict)
    """What came out of the last run; ``first_s`` is how long the one that does not count took."""

    @property
    def median(self) -> float:
        return statistics.median(self.times)


@dataclass(frozen=True)
class Report:
    """What one process tells the runner, as one line of JSON."""

    measures: dict[str, Measure]
    versions: dict[str, str]
    import_s: float = 0.0
    peak_mb: float = 0.0

    def line(self) -> str:
        return json.dumps(asdict(self), default=float)

    @classmethod
    def parse(cls, line: str) -> Report:
        raw = json.loads(line)
        return cls(**{**raw, "measures": {name: Measure(**one) for name, one in raw["measures"].items()}})


@dataclass(frozen=True)
class Failed:
    """Why there is no measure."""

    reason: str


def year(count: int | None = None) -> tuple[Any, ...]:
    """Return ts (int64) and open, high, low, close, volume (float64) of the first ``count`` candles."""
    import numpy as np

    rows = np.load(YEAR_NPY)[:, :count]
    return (rows[0].astype(np.int64), *(np.ascontiguousarray(row) for row in rows[1:]))


def timed(
    run: Callable[[Any], Any],
    runs: int,
    candles: int,
    *,
    prepare: Callable[[], Any] = lambda: None,
    facts: Callable[[Any], dict[str, Any]] = lambda _result: {},
    warm_up: bool = True,
) -> Measure:
    """Time ``run(prepare())`` ``runs`` times; ``prepare`` and ``facts(result)`` are outside the clock."""
    first: dict[str, Any] = {}
    if warm_up:
        subject, start = prepare(), time.perf_counter()
        run(subject)
        first["first_s"] = time.perf_counter() - start
        del subject
    taken: list[tuple[float, float]] = []
    told: dict[str, Any] = {}
    patience = time.perf_counter() + PATIENCE_S
    for attempt in range(3 * runs):
        if attempt >= runs and time.perf_counter() > patience:
            break
        watch = _quiet_since(patience)
        took, told = _one_run(run, prepare, facts)
        taken.append((watch(), took))
        if sum(others < QUIET_CORE for others, _ in taken) >= runs:
            break
    kept = [pair for pair in taken if pair[0] < QUIET_CORE]
    if len(kept) < runs:
        kept = sorted(taken)[:runs]
    return Measure([took for _, took in kept], candles, max(others for others, _ in kept), told | first)


def _one_run(
    run: Callable[[Any], Any], prepare: Callable[[], Any], facts: Callable[[Any], dict[str, Any]]
) -> tuple[float, dict[str, Any]]:
    """Time one run: one call if it is long, the median of several in a row if it is short."""
    calls: list[float] = []
    while True:
        subject = prepare()
        gc.collect()
        start = time.perf_counter()
        result = run(subject)
        calls.append(time.perf_counter() - start)
        if sum(calls) >= LONG_S or len(calls) == MOST_CALLS:
            return statistics.median(calls), facts(result)
        del result, subject  # or two results would be held at once


def peak_mb() -> float:
    """Return the most memory that this process has held (MB of 10^6 bytes)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def versions(*packages: str) -> dict[str, str]:
    """Return the installed versions of Python and ``packages``."""
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def arguments(*more: str) -> argparse.Namespace:
    """Read a script's command line: what it takes ``more``, in order, and ``--runs``."""
    parser = argparse.ArgumentParser()
    for name in more:
        parser.add_argument(name)
    parser.add_argument("--runs", type=int, default=5)
    return parser.parse_args()


def _others_cpu_s() -> float:
    try:
        ticks = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    except OSError:  # not Linux: nothing is known of the neighbours
        return 0.0
    user, nice, system, _idle, _wait, irq, soft_irq, steal = ticks
    mine = os.times()
    busy = (user + nice + system + irq + soft_irq + steal) / _CLOCK_TICK
    return busy - (mine.user + mine.system + mine.children_user + mine.children_system)


def _quiet_since(patience: float) -> Callable[[], float]:
    """Wait until the neighbours are quiet; return what tells how many cores they have used from then on."""
    while True:
        before, start = _others_cpu_s(), time.perf_counter()

        def cores(before: float = before, start: float = start) -> float:
            return max(0.0, (_others_cpu_s() - before) / (time.perf_counter() - start))

        time.sleep(_WINDOW_S)
        if cores() < QUIET_CORE or time.perf_counter() > patience:
            return cores
