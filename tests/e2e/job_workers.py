"""Real worker processes, jobs that people ask for, and the exchange in a box that has the candles."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from cambist.apps import bootstrap
from cambist.apps.settings import Settings, load
from cambist.apps.worker import READY
from cambist.domain.candles import Candles
from cambist.domain.job import Job
from cambist.domain.timeframe import Timeframe
from cambist.market.synthetic import synthetic_market
from cambist.usecases.backtests import Surroundings, Wanted, submit

START = 1_420_070_400_000  # 2015-01-01: whatever is asked for has closed long ago
HOUR = Timeframe.H1.ms
LONG = 30_000
PATIENCE_S = 300.0
COSTS: dict[str, Any] = {
    "cash": 10_000.0,
    "fee_bps": 10.0,
    "maker_fee_bps": None,
    "slippage_bps": 5.0,
    "spread_bps": 0.0,
    "volume_share": 0.1,
    "limit_touch": False,
    "pyramiding": 1,
}


class Place:
    """A home, its database, and who works there."""

    def __init__(self, home: Path, database_url: str) -> None:
        self.environment = {"CAMBIST_HOME": str(home), "DATABASE_URL": database_url}
        self.workers: list[Worker] = []

    @property
    def settings(self) -> Settings:
        return load(self.environment)

    def around(self, user_id: int = 1) -> Surroundings:
        return Surroundings(
            jobs=bootstrap.jobs(self.settings, user_id),
            register=bootstrap.register(self.settings, user_id),
            shelf=bootstrap.strategies(self.settings, user_id),
            lake=bootstrap.lake(self.settings),
            exchanges=bootstrap.has_candles,
        )

    def ask(self, user_id: int = 1, limits: Mapping[str, Any] | None = None, **wanted: Any) -> Job:
        """Submit a backtest of 2,000 hours, or of what ``wanted`` says instead."""
        order: dict[str, Any] = {
            "strategy": "ema_cross",
            "venue": "binance",
            "symbols": ("BTC/USDT",),
            "timeframe": Timeframe.H1,
            "since": START,
            "until": START + 2_000 * HOUR,
            "params": {},
            "settings": COSTS,
        }
        return submit(
            Wanted(**(order | wanted)),
            self.around(user_id),
            job_id=uuid4().hex,
            user_id=user_id,
            limits=limits or {},
            now_ms=now_ms(),
        )

    def job(self, job: Job) -> Job:
        return bootstrap.jobs(self.settings).job(job.id)

    def cancel(self, job: Job) -> Job:
        return bootstrap.jobs(self.settings).cancel(job.id, now_ms())

    def ended(self, job: Job) -> Job:
        """Wait until ``job`` has ended, and return it."""
        until(lambda: self.job(job).status.ended, self.workers)
        return self.job(job)

    def start(self, venue_url: str | None = None) -> "Worker":
        """Start a worker and wait until it takes jobs."""
        environment = self.environment | ({} if venue_url is None else {"CAMBIST_VENUE_URL": venue_url})
        worker = Worker(os.environ | environment)
        self.workers.append(worker)
        return worker

    def stop(self) -> None:
        for worker in self.workers:
            worker.kill()


class Worker:
    """One worker process."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "cambist.apps.worker"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        assert line == READY, self.kill()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> str:
        """End it as nothing else does, and return what it logged."""
        self._process.kill()
        with suppress(ValueError):
            return self._process.communicate(timeout=PATIENCE_S)[1]
        return ""

    def leave_alone(self) -> int:
        """End as its parent would, by no longer being there; return its exit code."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.stdin = None
        self._process.communicate(timeout=PATIENCE_S)
        return self._process.returncode


@contextmanager
def place(home: Path, database_url: str) -> Iterator[Place]:
    made = Place(home, database_url)
    try:
        yield made
    finally:
        made.stop()


def until(true: Callable[[], bool], workers: list[Worker] | None = None, seconds: float = PATIENCE_S) -> None:
    """Wait until something is ``true``; say what the workers logged if it does not become so."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            logs = "\n".join(worker.kill() for worker in workers or [])
            raise AssertionError(f"waited in vain; workers said:\n{logs}")
        time.sleep(0.02)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def hours(count: int = 2_000, *symbols: str) -> list[Candles]:
    made = synthetic_market(symbols or ("BTC/USDT",), start_ms=START, count=count, timeframe=Timeframe.H1, seed=7)
    return [replace(candles, venue="binance") for candles in made.values()]


def long_one(at: Place, count: int = LONG) -> dict[str, Any]:
    """Put candles into the lake, and return the backtest on them that takes some seconds, event by event.

    One candle of the first symbol is missing.
    """
    symbols = ("BTC/USDT", "ETH/USDT", "SOL/USDT", "ADA/USDT")
    lake = bootstrap.lake(at.settings)
    first, *others = hours(count, *symbols)
    for candles in (*others, first[:1_000], first[1_001:]):
        lake.append(candles)
    return {"symbols": symbols, "until": START + count * HOUR, "proof": False}
