"""Jobs as people ask for them: real workers, killed and started again, on both databases."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.databases import sqlite_url
from tests.e2e.job_workers import HOUR, LONG, PATIENCE_S, START, Place, hours, long_one, place, until

from cambist.adapters.bus.inprocess import InProcessBus
from cambist.adapters.clock import SystemClock
from cambist.apps import bootstrap
from cambist.apps.worker import Workers
from cambist.domain.candles import Candles
from cambist.domain.errors import NotFound
from cambist.domain.job import JobStatus
from cambist.market.series import build
from cambist.ports.bus import JOBS
from cambist.simulators.binance import BinanceSimulator
from cambist.simulators.faults import Fault, Kind
from cambist.usecases.jobs import tell_progress

PAGE = 1_000


@pytest.fixture
def at(database_url: str, tmp_path: Path) -> Iterator[Place]:
    with place(tmp_path, database_url) as made:
        yield made


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Place]:
    with place(tmp_path, sqlite_url(tmp_path / "cambist.db")) as made:
        yield made


def results(at: Place, user_id: int = 1) -> list[int]:
    return [one.id for one in bootstrap.results(at.settings, user_id).latest(500)]


def test_missing_candles_are_fetched_once_and_the_result_is_kept_with_its_report(at):
    (source,) = hours()
    with BinanceSimulator(source) as box:
        at.start(box.url)
        before = results(at, 7)
        job = at.ended(at.ask(user_id=7))
        assert job.status is JobStatus.DONE, job.failure
        assert (job.percent, job.cancelling) == (100, False)
        kept = bootstrap.results(at.settings, 7).get(job.result["backtest"])
        assert (kept.strategy, kept.venue, kept.candles) == ("EmaCross", "binance", 2_000)
        assert kept.proof["look_ahead"] == "pass"
        assert "<html" in bootstrap.report_files(at.settings, 7).page(kept.id)
        assert results(at, 7) == [kept.id, *before]
        lake = bootstrap.lake(at.settings)
        np.testing.assert_array_equal(lake.read("binance", "BTC/USDT", "1h").close, source.close)
        box.served.clear()
        assert at.ended(at.ask(user_id=7)).status is JobStatus.DONE
        assert not box.served
    with pytest.raises(NotFound):
        bootstrap.results(at.settings, 8).get(kept.id)
    with pytest.raises(NotFound):
        bootstrap.jobs(at.settings, 8).job(job.id)


def test_a_job_that_fails_says_why_and_what_was_wrong(alone):
    with BinanceSimulator(hours()[0]) as box:
        alone.start(box.url)
        job = alone.ended(alone.ask(symbols=("BTC/USDC",)))
        assert (job.status, job.result) == (JobStatus.FAILED, None)
        assert job.failure is not None
        assert "binance does not trade 'BTC/USDC'" in str(job.failure)
        assert alone.ended(alone.ask()).status is JobStatus.DONE  # the worker works on


def test_what_is_cancelled_in_the_queue_never_runs(alone):
    job = alone.ask()
    assert alone.cancel(job).status is JobStatus.CANCELLED
    with BinanceSimulator(hours()[0]) as box:
        alone.start(box.url)
        assert alone.ended(alone.ask()).status is JobStatus.DONE
        assert alone.job(job).status is JobStatus.CANCELLED
        assert alone.job(job).started_ms is None


def test_a_job_is_cancelled_in_the_middle_of_loading_and_what_arrived_stays(alone):
    (source,) = hours(20_000)
    slow = Fault(kind=Kind.LATENCY, seconds=1.0, skip=2, times=100)
    with BinanceSimulator(source, faults=[slow]) as box:
        alone.start(box.url)
        job = alone.ask(until=START + 20_000 * HOUR)
        until(lambda: len(box.requests()) >= 3, alone.workers)
        assert alone.cancel(job).status is JobStatus.RUNNING
        assert alone.ended(job).status is JobStatus.CANCELLED
        assert len(box.requests()) < 20
    held = bootstrap.lake(alone.settings).read("binance", "BTC/USDT", "1h")
    assert len(held) >= 2 * PAGE
    np.testing.assert_array_equal(held.close, source.close[: len(held)])


def test_a_job_is_cancelled_in_the_middle_of_the_run(alone):
    wanted = long_one(alone, 50_000)
    with BinanceSimulator(hours()[0]) as box:
        alone.start(box.url)
        before = results(alone)
        job = alone.ask(**wanted)
        until(lambda: alone.job(job).percent > 40, alone.workers)
        alone.cancel(job)
        ended = alone.ended(job)
    assert ended.status is JobStatus.CANCELLED
    assert 40 < ended.percent < 99
    assert ended.cpu_ms > 0
    assert results(alone) == before


def test_another_worker_goes_on_with_what_a_killed_one_was_loading(at):
    (source,) = hours()
    silent = Fault(kind=Kind.STALL, seconds=300, skip=1, times=1)
    with BinanceSimulator(source, faults=[silent]) as box:
        first = at.start(box.url)
        before = results(at)
        job = at.ask()
        until(lambda: len(box.requests()) >= 2, at.workers)
        second = at.start(box.url)
        first.kill()
        ended = at.ended(job)
        assert ended.status is JobStatus.DONE, ended.failure
        assert second.alive
        assert len(results(at)) == len(before) + 1


def test_after_a_restart_the_run_goes_on_and_what_was_loaded_is_not_looked_at_again(at):
    wanted = long_one(at)
    with BinanceSimulator(without_one(hours(LONG)[0])) as box:
        first = at.start(box.url)
        before = results(at)
        job = at.ask(**wanted)
        until(lambda: at.job(job).percent > 40, at.workers)
        asked = len(box.requests())
        assert asked > 0  # for the candle that the exchange does not have either
        first.kill()
        started = at.job(job)
        assert started.status is JobStatus.RUNNING
        at.start(box.url)
        ended = at.ended(job)
        assert ended.status is JobStatus.DONE, ended.failure
        assert ended.started_ms == started.started_ms
        assert len(results(at)) == len(before) + 1
        assert len(box.requests()) == asked


def test_a_cancel_asked_while_the_worker_is_dead_is_honoured(at):
    wanted = long_one(at, 50_000)
    with BinanceSimulator(without_one(hours(LONG)[0])) as box:
        first = at.start(box.url)
        before = results(at)
        job = at.ask(**wanted)
        until(lambda: at.job(job).percent > 40, at.workers)
        first.kill()
        at.cancel(job)
        at.start(box.url)
        assert at.ended(job).status is JobStatus.CANCELLED
        assert results(at) == before


def test_two_workers_share_the_queue_and_each_job_gives_one_result(at):
    wanted = long_one(at, 10_000)
    with BinanceSimulator(without_one(hours(LONG)[0])) as box:
        at.start(box.url)
        at.start(box.url)
        before = results(at)
        jobs = [at.ask(**wanted) for _ in range(4)]
        until(lambda: sum(at.job(job).status is JobStatus.RUNNING for job in jobs) == 2, at.workers)
        assert {at.ended(job).status for job in jobs} == {JobStatus.DONE}
    kept = [at.job(job).result["backtest"] for job in jobs]
    assert sorted(kept) == sorted(set(results(at)) - set(before))


def test_a_job_that_kills_its_workers_is_given_up(alone):
    silent = Fault(kind=Kind.STALL, seconds=300, times=100)
    with BinanceSimulator(hours()[0], faults=[silent]) as box:
        job = alone.ask()
        for count in range(1, 6):
            worker = alone.start(box.url)
            until(lambda: alone.job(job).status.ended or len(box.requests()) >= count, alone.workers)  # noqa: B023
            if alone.job(job).status.ended:
                break
            worker.kill()
        ended = alone.job(job)
        assert ended.status is JobStatus.FAILED
        assert ended.failure is not None
        assert ended.failure.key == "jobs.given_up"
        assert count == 4  # three have died of it


def test_a_worker_ends_with_whoever_started_it(alone):
    assert alone.start().leave_alone() == 0


def test_workers_are_started_anew_and_progress_is_told_on_the_bus(alone):
    wanted = long_one(alone)

    async def told(venue_url: str) -> list[dict[str, Any]]:
        workers, bus = Workers(replace(alone.settings, venue_url=venue_url)), InProcessBus()
        heard: list[dict[str, Any]] = []
        store = bootstrap.jobs(alone.settings)
        running = asyncio.create_task(workers.run())
        telling = asyncio.create_task(tell_progress(store, bus, SystemClock(), asyncio.to_thread))
        try:
            await asyncio.wait_for(workers.ready.wait(), PATIENCE_S)
            assert workers.reasons() == []
            job = alone.ask(**wanted)
            async with asyncio.timeout(PATIENCE_S):
                async for delivery in bus.subscribe(JOBS, group="test", consumer="test"):
                    heard.append(delivery.message)
                    if len(heard) == 3:
                        (process,) = workers._processes
                        process.kill()
                    if delivery.message["status"] == "done":
                        break
            assert {one["job"] for one in heard} == {job.id}
        finally:
            for task in (running, telling):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
        assert workers.reasons() != []
        return heard

    with BinanceSimulator(without_one(hours(LONG)[0])) as box:
        heard = asyncio.run(told(box.url))
    assert {one["user_id"] for one in heard} == {1}
    assert len({one["id"] for one in heard}) == len(heard)
    assert all({**one, "id": "", "ts": 0} != {**following, "id": "", "ts": 0} for one, following in pairwise(heard))
    assert len({one["percent"] for one in heard}) >= 5
    assert [heard[-1]["result"]["backtest"]] == results(alone)


def test_the_command_runs_workers_and_takes_them_with_it(alone):
    with BinanceSimulator(hours()[0]) as box:
        process = subprocess.Popen(
            [sys.executable, "-c", "from cambist.apps.cli.main import main; main()", "run", "worker", "--jobs", "2"],
            env=os.environ | alone.environment | {"CAMBIST_VENUE_URL": box.url, "CAMBIST_LANG": "en"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert alone.ended(alone.ask()).status is JobStatus.DONE
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=PATIENCE_S)
        finally:
            process.kill()
    assert process.returncode == 0
    assert "/healthz" in out
    lease = bootstrap.lease(alone.settings)
    assert lease.take("worker-1")  # nobody holds it any more
    assert lease.take("worker-2")
    lease.give_back()


def without_one(candles: Candles) -> Candles:
    """Return ``candles`` without the one that `long_one` leaves out."""
    columns = (np.delete(getattr(candles, name), 1_000) for name in ("ts", "open", "high", "low", "close", "volume"))
    return build(candles.venue, candles.symbol, candles.timeframe, *columns)
