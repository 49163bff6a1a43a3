"""Jobs run step by step, whatever the steps do; and what is told of them on the bus."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from contextvars import copy_context
from pathlib import Path
from typing import Any

import pytest
from tests.databases import sqlite_url

from cambist.adapters.bus.inprocess import InProcessBus
from cambist.adapters.clock import SteppedClock
from cambist.adapters.storage.jobs import SqlJobs
from cambist.domain.errors import BadInput
from cambist.domain.job import Failure, Job, JobStatus, Said
from cambist.domain.text import language
from cambist.domain.timeframe import DAY_MS
from cambist.ports.bus import JOBS
from cambist.ports.jobs import Step, Tell
from cambist.usecases.jobs import Running, tell_progress

NOW = 1_700_000_000_000
READING = Said(key="jobs.step.reading", params={})
RUNNING = Said(key="jobs.step.running", params={})


class Bench:
    """A store, a watch that is moved by hand, and jobs of the kind ``made`` that do what a test says."""

    def __init__(self, url: str) -> None:
        self.store = SqlJobs(url)
        self.now_s = 0.0
        self.steps: list[Step] = []
        self.runs = Running(self.store, {"made": self._kind}, SteppedClock(NOW), seconds=lambda: self.now_s)

    def _kind(self, job: Job) -> Sequence[Step]:
        return self.steps

    def start(self, *steps: Step, **params: Any) -> str:
        self.steps = list(steps)
        self.store.add(Job(id="j", user_id=1, kind="made", params=params, asked_ms=NOW))
        assert self.runs.begin("j") == [step.name for step in steps]
        return "j"

    @property
    def job(self) -> Job:
        return self.store.job("j")


def step(do: Any, name: str = "a", low: int = 0, high: int = 100, *, computes: bool = False) -> Step:
    return Step(name=name, low=low, high=high, do=do, computes=computes)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(sqlite_url(tmp_path / "cambist.db"))


def test_a_job_is_done_when_its_last_step_is(bench):
    bench.start(step(lambda tell: None, "a"), step(lambda tell: {"added": 3}, "b"))
    assert bench.runs.do("j", "a")
    assert (bench.job.status, bench.job.result) == (JobStatus.RUNNING, None)
    assert bench.runs.do("j", "b")
    assert (bench.job.status, bench.job.result, bench.job.percent) == (JobStatus.DONE, {"added": 3}, 100)
    assert not bench.runs.do("j", "b")
    assert bench.runs.begin("j") is None


def test_what_a_person_gave_wrong_is_named_in_the_job(bench):
    def refuse(tell: Tell) -> None:
        raise BadInput("symbol", "X", "jobs.symbol")

    bench.start(step(refuse), step(lambda tell: None, "b"))
    assert not bench.runs.do("j", "a")
    assert bench.job.status is JobStatus.FAILED
    assert bench.job.failure == Failure(key="jobs.symbol", params={}, field="symbol", value="X")


def test_what_breaks_is_told_without_what_it_said(bench, caplog):
    def break_down(tell: Tell) -> None:
        raise RuntimeError("password=hunter2")

    bench.start(step(break_down))
    assert not bench.runs.do("j", "a")
    assert bench.job.status is JobStatus.FAILED
    assert "RuntimeError" in str(bench.job.failure)
    assert "hunter2" not in str(bench.job.failure)
    assert "job j failed in its step a" in caplog.text


def test_progress_is_written_five_times_a_second_at_most_and_at_once_when_something_begins(bench):
    written: list[tuple[str, int]] = []

    def do(tell: Tell) -> None:
        for tick in range(17):  # one every 62.5 ms
            bench.now_s = tick / 16
            tell(READING if tick < 2 else RUNNING, tick / 16)
            found = (bench.job.step.key, bench.job.percent)
            if not written or written[-1] != found:
                written.append(found)

    bench.start(step(do, low=40, high=80))
    bench.runs.do("j", "a")
    assert written == [
        (READING.key, 40),
        (RUNNING.key, 45),
        (RUNNING.key, 55),
        (RUNNING.key, 65),
        (RUNNING.key, 75),
        (RUNNING.key, 80),
    ]


def test_a_job_is_all_done_only_once_it_has_ended(bench):
    shown: list[int] = []

    def do(tell: Tell) -> None:
        tell(RUNNING, 1.0)
        shown.append(bench.job.percent)

    bench.start(step(do))
    bench.runs.do("j", "a")
    assert (shown, bench.job.percent) == ([99], 100)


def test_a_cancel_ends_a_step_where_it_next_tells(bench):
    reached: list[int] = []

    def do(tell: Tell) -> None:
        for tick in range(10):
            bench.now_s = float(tick)
            tell(RUNNING, tick / 10)
            reached.append(tick)
            if tick == 3:
                bench.store.cancel("j", NOW)

    bench.start(step(do), step(lambda tell: None, "b"))
    assert not bench.runs.do("j", "a")
    assert reached == [0, 1, 2, 3]
    assert bench.job.status is JobStatus.CANCELLED


def test_only_computing_counts_and_goes_on_counting_after_a_crash(bench):
    def takes(seconds: float):
        def do(tell: Tell) -> None:
            tell(RUNNING, 0.0)
            bench.now_s += seconds
            tell(RUNNING, 1.0)

        return do

    bench.start(step(takes(5.0), "load"), step(takes(2.0), "run", computes=True), step(takes(9.0), "end"))
    bench.runs.do("j", "load")
    assert bench.job.cpu_ms == 0
    bench.runs.do("j", "run")
    bench.runs.do("j", "run")  # again, by another worker
    assert bench.job.cpu_ms == 4_000


def test_a_job_ends_when_the_time_that_its_person_has_is_used_up(bench):
    def do(tell: Tell) -> None:
        for tick in range(10):
            bench.now_s = float(tick)
            tell(RUNNING, tick / 10)

    bench.store.add(Job(id="beside", user_id=1, kind="made", params={}, asked_ms=NOW - 1, cpu_ms=1_000))
    bench.store.add(Job(id="long ago", user_id=1, kind="made", params={}, asked_ms=NOW - DAY_MS - 1, cpu_ms=9_000))
    bench.store.add(Job(id="other", user_id=2, kind="made", params={}, asked_ms=NOW, cpu_ms=9_000))
    bench.start(step(do, computes=True), allowed_per_day_ms=3_500)
    assert not bench.runs.do("j", "a")
    assert bench.job.status is JobStatus.FAILED
    assert bench.job.failure == Failure(key="jobs.out_of_time", params={})
    assert bench.job.cpu_ms == 3_000


def test_a_job_that_was_asked_long_ago_counts_for_itself(bench):
    def do(tell: Tell) -> None:
        bench.now_s = 10.0
        tell(RUNNING, 0.5)

    bench.steps = [step(do, computes=True)]
    params = {"allowed_per_day_ms": 2_500}
    bench.store.add(Job(id="j", user_id=1, kind="made", params=params, asked_ms=NOW - DAY_MS - 1))
    bench.runs.begin("j")
    assert not bench.runs.do("j", "a")
    assert bench.job.failure == Failure(key="jobs.out_of_time", params={})


def test_a_job_speaks_the_language_of_who_asked(bench):
    heard: list[str] = []
    bench.start(step(lambda tell: heard.append(language())), language="fr")
    copy_context().run(bench.runs.do, "j", "a")
    assert heard == ["fr"]


def test_a_job_of_which_workers_die_is_given_up(bench):
    bench.start(step(lambda tell: None))
    bench.runs.give_up("j")
    assert bench.job.failure == Failure(key="jobs.given_up", params={})


def test_each_change_is_told_once_and_what_ended_before_us_is_not(tmp_path):
    store, clock = SqlJobs(sqlite_url(tmp_path / "cambist.db")), SteppedClock(NOW)

    def job(name: str) -> Job:
        return Job(id=name, user_id=3, kind="made", params={}, asked_ms=NOW)

    async def read(call: Any, *given: Any) -> Any:
        return call(*given)

    async def told() -> list[dict[str, Any]]:
        heard: list[dict[str, Any]] = []
        bus = InProcessBus()

        async def listen() -> None:
            async for delivery in bus.subscribe(JOBS, group="test", consumer="test"):
                heard.append(delivery.message)  # noqa: PERF401 - it is looked at while it grows

        async def pass_(ms: int) -> None:
            await clock.move_to(clock.now_ms() + ms)
            for _ in range(20):
                await asyncio.sleep(0)

        store.add(job("old"))
        store.cancel("old", NOW - 1_000)
        tasks = [asyncio.create_task(listen())]
        await asyncio.sleep(0)
        tasks.append(asyncio.create_task(tell_progress(store, bus, clock, read)))
        await pass_(0)
        store.add(job("new"))
        await pass_(1_000)  # nothing was under way: it looks once a second
        store.begin("new", NOW)
        await pass_(250)
        await pass_(250)
        store.tell("new", RUNNING, 30, 5)
        await pass_(250)
        store.add(job("quick"))
        store.cancel("quick", clock.now_ms())
        store.end("new", JobStatus.DONE, clock.now_ms(), result={"backtest": 4})
        await pass_(250)
        await pass_(10_000)
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        return heard

    heard = asyncio.run(told())
    assert [(one["job"], one["status"], one["percent"]) for one in heard] == [
        ("new", "queued", 0),
        ("new", "running", 0),
        ("new", "running", 30),
        ("new", "done", 100),
        ("quick", "cancelled", 0),
    ]
    assert heard[2]["step"] == {"key": "jobs.step.running", "params": {}}
    assert heard[3]["result"] == {"backtest": 4}
    assert {one["user_id"] for one in heard} == {3}
    assert len({one["id"] for one in heard}) == 5
