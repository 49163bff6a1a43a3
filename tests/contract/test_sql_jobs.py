"""The store of jobs, on both databases."""

from threading import Barrier, Thread
from typing import Any

import pytest

from cambist.adapters.storage.jobs import SqlJobs
from cambist.adapters.storage.results import SqlResults
from cambist.domain.errors import BadInput, NotFound, TooMany
from cambist.domain.job import Failure, Job, JobStatus, Said, failure_of
from cambist.ports.results import StoredResult

DOWNLOADING = Said(key="jobs.step.loading", params={"symbol": "BTC/USDT", "timeframe": "1h", "venue": "binance"})


@pytest.fixture
def all_jobs(database_url: str) -> SqlJobs:
    return SqlJobs(database_url)


def job(number: int, user_id: int, **fields: Any) -> Job:
    plain: dict[str, Any] = {"kind": "backtest", "params": {"cash": 1.5}, "asked_ms": 1_000 + number}
    return Job(id=f"{user_id}x{number}", user_id=user_id, **(plain | fields))


def result() -> StoredResult:
    return StoredResult(
        strategy="EmaCross",
        params={},
        settings={},
        engine="event loop",
        venue="binance",
        symbols=("BTC/USDT",),
        timeframe="1h",
        first_ts=0,
        last_ts=1,
        candles=2,
        data_hash="",
        code_hash="",
        metrics={},
        proof={},
        notes=(),
    )


def test_what_is_added_is_what_is_read(database_url, all_jobs):
    mine = SqlJobs(database_url, 20)
    whole = job(
        1,
        20,
        status=JobStatus.FAILED,
        step=DOWNLOADING,
        percent=7,
        cancelling=True,
        started_ms=5,
        ended_ms=6,
        result={"added": 3},
        failure=failure_of(BadInput("symbol", "X", "jobs.symbol")),
        cpu_ms=9,
    )
    mine.add(whole)
    mine.add(job(2, 20))
    assert mine.job("20x1") == all_jobs.job("20x1") == whole
    assert mine.job("20x2") == job(2, 20)
    assert str(whole.step) == "Loading candles of BTC/USDT 1h from binance"
    assert str(whole.failure).startswith("symbol: 'X' will not do. Write it as")


def test_nobody_sees_or_touches_what_is_others(database_url, all_jobs):
    mine, theirs = SqlJobs(database_url, 30), SqlJobs(database_url, 31)
    mine.add(job(1, 30))
    with pytest.raises(NotFound):
        theirs.add(job(2, 30))
    assert theirs.latest() == theirs.active() == theirs.changing(0) == []
    for forbidden in (lambda: theirs.job("30x1"), lambda: theirs.cancel("30x1", 5)):
        with pytest.raises(NotFound):
            forbidden()
    assert theirs.begin("30x1", 5) is None
    assert not theirs.end("30x1", JobStatus.FAILED, 5)
    assert mine.job("30x1") == job(1, 30)
    all_jobs.begin("30x1", 6)
    assert not theirs.tell("30x1", DOWNLOADING, 50, 1)
    with pytest.raises(NotFound):
        theirs.keep_result("30x1", result(), 7)
    assert mine.job("30x1").percent == 0
    all_jobs.tell("30x1", DOWNLOADING, 50, 7)
    assert mine.spent_ms(30, 0) == 7
    assert theirs.spent_ms(30, 0) == 0


def test_lists_are_filtered_and_go_on_where_they_ended(database_url):
    mine = SqlJobs(database_url, 40)
    for number in range(5):
        mine.add(job(number, 40, asked_ms=7, kind="download" if number % 2 else "backtest"))
    mine.cancel("40x0", 9)
    newest = [one.id for one in mine.latest(2)]
    assert newest == ["40x4", "40x3"]
    assert [one.id for one in mine.latest(9, before=(7, "40x3"))] == ["40x2", "40x1", "40x0"]
    assert [one.id for one in mine.latest(9, kind="download")] == ["40x3", "40x1"]
    assert [one.id for one in mine.latest(9, status=JobStatus.CANCELLED)] == ["40x0"]
    assert [one.id for one in mine.active()] == ["40x1", "40x2", "40x3", "40x4"]
    assert {one.id for one in mine.changing(10)} == {"40x1", "40x2", "40x3", "40x4"}
    assert "40x0" in {one.id for one in mine.changing(9)}


def test_a_job_runs_once_and_ends_once(database_url, all_jobs):
    mine = SqlJobs(database_url, 50)
    mine.add(job(1, 50))
    begun = all_jobs.begin("50x1", 2_000)
    assert begun is not None
    assert (begun.status, begun.started_ms) == (JobStatus.RUNNING, 2_000)
    again = all_jobs.begin("50x1", 3_000)  # another worker goes on with it
    assert again is not None
    assert again.started_ms == 2_000
    assert all_jobs.tell("50x1", DOWNLOADING, 12, 340)
    told = mine.job("50x1")
    assert (told.step, told.percent, told.cpu_ms) == (DOWNLOADING, 12, 340)
    assert all_jobs.end("50x1", JobStatus.FAILED, 4_000, failure=Failure(key="jobs.given_up", params={}))
    assert not all_jobs.end("50x1", JobStatus.DONE, 5_000)
    assert not all_jobs.tell("50x1", DOWNLOADING, 99, 1)
    assert all_jobs.begin("50x1", 6_000) is None
    assert all_jobs.keep_result("50x1", result(), 7_000) is None
    ended = mine.job("50x1")
    assert (ended.status, ended.percent, ended.ended_ms) == (JobStatus.FAILED, 12, 4_000)
    assert mine.cancel("50x1", 9_000) == ended
    assert SqlResults(database_url, 50).latest() == []


def test_a_job_that_is_cancelled_goes_no_further(database_url, all_jobs):
    mine = SqlJobs(database_url, 60)
    mine.add(job(1, 60))
    assert mine.cancel("60x1", 5).ended_ms == 5
    assert all_jobs.begin("60x1", 6) is None
    mine.add(job(2, 60))
    all_jobs.begin("60x2", 7)
    running = mine.cancel("60x2", 8)
    assert (running.status, running.cancelling) == (JobStatus.RUNNING, True)
    assert not all_jobs.tell("60x2", DOWNLOADING, 50, 1)
    assert all_jobs.begin("60x2", 9) is None  # after a restart
    assert mine.job("60x2").status is JobStatus.CANCELLED


def test_a_result_is_kept_with_the_end_of_its_job_or_not_at_all(database_url, all_jobs):
    mine, kept = SqlJobs(database_url, 70), SqlResults(database_url, 70)
    mine.add(job(1, 70))
    all_jobs.begin("70x1", 5)

    def broken(_: int) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        all_jobs.keep_result("70x1", result(), 6, broken)
    assert (mine.job("70x1").status, kept.latest()) == (JobStatus.RUNNING, [])
    seen: list[int] = []
    number = all_jobs.keep_result("70x1", result(), 6, seen.append)
    assert seen == [number]
    assert all_jobs.keep_result("70x1", result(), 7) is None
    (only,) = kept.latest()
    assert (only.id, only.created_ms) == (number, 6)
    done = mine.job("70x1")
    assert (done.status, done.percent, done.result) == (JobStatus.DONE, 100, {"backtest": number})


def test_limits_hold_also_for_those_who_ask_at_the_same_time(database_url):
    mine = SqlJobs(database_url, 80)
    mine.add(job(0, 80))
    mine.cancel("80x0", 1)  # counts no more
    gate, outcomes = Barrier(8), []

    def ask(number: int) -> None:
        gate.wait()
        try:
            SqlJobs(database_url, 80).add(job(number, 80), most_active=3)
            outcomes.append("added")
        except TooMany:
            outcomes.append("too many")

    threads = [Thread(target=ask, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["added"] * 3 + ["too many"] * 5
    assert len(mine.active()) == 3


def test_what_was_spent_is_counted_by_person_and_since(database_url):
    mine = SqlJobs(database_url, 90)
    for number, kind in enumerate(["backtest", "search", "download"]):
        mine.add(job(number, 90, kind=kind, cpu_ms=10 + number))
    SqlJobs(database_url, 91).add(job(4, 91, cpu_ms=100))
    everybody = SqlJobs(database_url)
    for since_ms, spent_ms in ((0, 33), (1_001, 23)):
        assert mine.spent_ms(90, since_ms) == everybody.spent_ms(90, since_ms) == spent_ms
    assert mine.spent_ms(91, 0) == 0
