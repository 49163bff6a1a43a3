import multiprocessing
import subprocess
import sys
from dataclasses import asdict
from itertools import count
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cambist.adapters.storage import trials as store
from cambist.adapters.storage.trials import ParquetTrials
from cambist.domain.errors import StorageFailed
from cambist.domain.search import BLOCKS, MOMENTS, State, Trial
from cambist.ports.trials import TrialLog, TrialLogs

STUDY, RUN = "EmaCross binance BTC/USDT", "3f2a"
_runs = count()


@pytest.fixture
def logs(tmp_path) -> TrialLogs:
    return ParquetTrials(tmp_path / "trials")


@pytest.fixture
def log(logs: TrialLogs) -> TrialLog:
    return logs.open(STUDY, RUN)


def tried(number: int, *, metrics: int = 3) -> Trial:
    """Return a trial whose every part tells its number."""
    return Trial(
        number=number,
        params={"fast": number % 50, "slow": number / 2},
        values=(number / 3, -float(number)),
        metrics={f"metric {key}": number + key / 10 for key in range(metrics)},
        moments=np.full((2, BLOCKS, MOMENTS), number / 7),
    )


def failed(number: int) -> Trial:
    return Trial(
        number=number, params={"fast": 1, "slow": 0.5}, state=State.FAILED, why={"key": "k", "params": {"a": 1}}
    )


def told(trial: Trial) -> str:
    """Return all of a trial as what can be compared: NaN equals itself, the order of names does not matter."""
    fields = asdict(trial) | {"moments": None if trial.moments is None else trial.moments.tobytes()}
    return repr({name: sorted(value.items()) if isinstance(value, dict) else value for name, value in fields.items()})


def numbers(log: TrialLog) -> list[int]:
    return [trial.number for trial in log.read()]


def files(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "trials").rglob("*.parquet"))


def test_a_run_that_never_was_is_empty(logs: TrialLogs, log: TrialLog, tmp_path):
    log.append([])
    assert (log.numbers(), list(log.read()), logs.count(STUDY)) == (set(), [], 0)
    assert not (tmp_path / "trials").exists()


def test_what_is_appended_is_read_back_as_it_was(log: TrialLog):
    trials = [
        tried(0),
        failed(1),
        Trial(number=2, params={"fast": 3, "slow": 1.5}, state=State.PRUNED, metrics={"sharpe": float("nan")}),
        Trial(number=3, params={"word": "é", "yes": True, "no": False, "large": 2**70, "slow": float("inf")}),
        Trial(number=4, params={"word": "", "yes": False, "fast": 2.5, "slow": 2}, values=(float("-inf"),)),
        Trial(number=5, params={"timeframe": "1h"}, moments=np.random.default_rng(1).normal(size=(2, BLOCKS, MOMENTS))),
    ]
    log.append(trials)
    kept = list(log.read())
    assert [told(trial) for trial in kept] == [told(trial) for trial in trials]


def test_a_number_counts_once(logs: TrialLogs, log: TrialLog):
    log.append([tried(3), tried(1), tried(3)])
    log.append([tried(2), tried(3)])
    assert numbers(log) == [1, 2, 3]
    assert log.numbers() == {1, 2, 3}
    assert logs.count(STUDY) == 3


def test_a_study_is_the_sum_of_its_runs(logs: TrialLogs, log: TrialLog):
    log.append([tried(0), failed(1)])
    logs.open(STUDY, "another").append([tried(0)])
    logs.open(STUDY.lower(), RUN).append([tried(0)])
    logs.open("../../elsewhere", "../x").append([tried(7)])
    assert [logs.count(name) for name in (STUDY, STUDY.lower(), "../../elsewhere", "none")] == [3, 1, 1, 0]


def test_a_study_remembers_its_looks(logs: TrialLogs, log: TrialLog):
    assert logs.look(STUDY, "a", 10, 1) == [(10, 1)]
    assert logs.look(STUDY, "b", 20, 7) == [(10, 1), (20, 7)]
    assert logs.look(STUDY, "a", 10, 3) == [(10, 3), (20, 7)]
    assert logs.look("another", "a", 5, 1) == [(5, 1)]
    log.append([tried(0)])
    assert (logs.count(STUDY), numbers(log)) == (1, [0])


def test_nothing_is_kept_outside_the_folder(logs: TrialLogs, tmp_path):
    logs.open("../../elsewhere", "..").append([tried(7)])
    assert [path.name for path in tmp_path.iterdir()] == ["trials"]
    assert len(files(tmp_path)) == 1


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(appends=st.lists(st.lists(st.integers(0, 60), max_size=8), max_size=12), many=st.integers(2, 5))
def test_any_appends_equal_a_dictionary(logs: TrialLogs, monkeypatch, appends, many):
    monkeypatch.setattr(store, "_MANY", many)
    monkeypatch.setattr(store, "_SMALL", 20)
    monkeypatch.setattr(store, "_ROWS_AT_ONCE", 3)
    run = str(next(_runs))  # the folder lives through all examples
    log = logs.open("any", run)
    wanted: dict[int, Trial] = {}
    for given_numbers in appends:
        fresh = [failed(number) if number % 5 == 0 else tried(number, metrics=number % 3) for number in given_numbers]
        log.append(fresh)
        wanted |= {trial.number: trial for trial in fresh}
    assert [told(trial) for trial in log.read()] == [told(wanted[number]) for number in sorted(wanted)]
    assert log.numbers() == wanted.keys()


def test_many_small_parts_become_one(log: TrialLog, logs: TrialLogs, tmp_path):
    for number in range(3 * store._MANY):
        log.append([tried(number)])
    assert len(files(tmp_path)) < store._MANY
    assert numbers(log) == list(range(3 * store._MANY))
    assert logs.count(STUDY) == 3 * store._MANY


def test_parts_that_are_put_together_while_they_are_read_are_read_once(log: TrialLog, tmp_path, monkeypatch):
    monkeypatch.setattr(store, "_MANY", 8)
    for number in range(7):
        log.append([tried(number)])
    reading = log.read()
    came = [next(reading).number]
    log.append([tried(7)])
    assert len(files(tmp_path)) == 1
    assert came + [trial.number for trial in reading] == list(range(8))


def test_any_notebook_can_read_a_part(log: TrialLog, tmp_path):
    log.append([tried(1), tried(2)])
    (path,) = files(tmp_path)
    table = pq.read_table(path)
    assert table.column_names[:4] == ["number", "state", "param.fast", "param.slow"]
    assert table.column("param.fast").to_pylist() == [1, 2]


def test_what_is_no_part_is_named(log: TrialLog, logs: TrialLogs, tmp_path):
    log.append([tried(1)])
    (path,) = files(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-40])  # torn
    for call in (log.numbers, lambda: list(log.read())):
        with pytest.raises(StorageFailed, match=path.name):
            call()
    path.write_bytes(whole)
    foreign = path.with_name("trials.of-mine.parquet")
    foreign.write_bytes(whole)
    with pytest.raises(StorageFailed, match=r"trials\.of-mine"):
        logs.count(STUDY)
    foreign.unlink()
    (path.parent / ".trials.0-0-1-aa.parquet.xyz.tmp").write_bytes(whole[:40])  # of a writer that was killed
    assert numbers(log) == [1]
    log.append([tried(2)])
    assert not list(path.parent.glob(".*.tmp"))


def append_by_turns(root, first, gate):
    log = ParquetTrials(root).open(STUDY, RUN)
    gate.wait()
    for number in range(first, first + 60, 2):
        log.append([tried(number), tried(1000 + number // 2)])


def test_processes_append_at_once(log: TrialLog, logs: TrialLogs, tmp_path):
    spawn = multiprocessing.get_context("spawn")
    gate = spawn.Barrier(2)
    writers = [spawn.Process(target=append_by_turns, args=(tmp_path / "trials", first, gate)) for first in (0, 1)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert numbers(log) == [*range(60), *range(1000, 1030)]
    assert log.numbers() == {*range(60), *range(1000, 1030)}
    assert logs.count(STUDY) == 90


KILLED = """
import os, signal, sys
from pathlib import Path
import pyarrow.parquet as pq
from cambist.adapters.storage import atomic, trials as store
from tests.contract.test_trials import RUN, STUDY, tried

store._MANY = 2
atomic.os.fsync = lambda _: None  # the system outlives its processes
root, steps = Path(sys.argv[1]), 0
places = [(pq, "write_table"), (atomic, "_sync"), (Path, "replace"), (Path, "unlink")]
plain = {place: getattr(*place) for place in places}

def watched(place, dies_at):
    def call(*arguments, **options):
        global steps
        steps += 1
        if steps == dies_at:
            os.kill(os.getpid(), signal.SIGKILL)  # before it is done
        found = plain[place](*arguments, **options)
        steps += 1
        if steps == dies_at:
            os.kill(os.getpid(), signal.SIGKILL)  # or after
        return found
    return call

warm = store.ParquetTrials(root / "warm").open(STUDY, RUN)
for number in range(2):
    warm.append([tried(number)])  # what is imported when it is needed is there for all children
dies_at, ended = 0, False
while not ended:
    dies_at += 1
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        for place in places:
            setattr(*place, watched(place, dies_at))
        log = store.ParquetTrials(root / str(dies_at)).open(STUDY, RUN)
        for number in range(2):
            log.append([tried(number)])
            os.write(tell, b"%d " % number)
        os._exit(0)
    os.close(tell)
    with os.fdopen(told, "rb") as words:
        kept = words.read().decode()
    _, status = os.waitpid(child, 0)
    ended = os.WIFEXITED(status)
    print(dies_at, *kept.split(), flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither fork nor SIGKILL")
def test_a_writer_that_is_killed_at_any_step_loses_nothing_and_doubles_nothing(tmp_path):
    script = [sys.executable, "-c", KILLED, str(tmp_path)]
    done = subprocess.run(script, capture_output=True, text=True, timeout=300, check=True)
    lines = [[int(word) for word in line.split()] for line in done.stdout.splitlines()]
    assert len(lines) > 25  # steps at which it was killed
    assert lines[-1][1:] == [0, 1]  # the last ended by itself
    for dies_at, *kept in lines:
        log = ParquetTrials(tmp_path / str(dies_at)).open(STUDY, RUN)
        there = [told(trial) for trial in log.read()]
        # what was told to be safe is there, and perhaps the one that was on its way
        assert there in [[told(tried(number)) for number in range(len(kept) + more)] for more in (0, 1)]
        assert log.numbers() == set(range(len(there)))
        log.append([tried(number) for number in range(3)])
        assert numbers(log) == [0, 1, 2]
        assert not list((tmp_path / str(dies_at)).rglob("*.tmp"))


MANY = """
import resource, sys
from pathlib import Path
from cambist.adapters.storage.trials import ParquetTrials
from tests.contract.test_trials import RUN, STUDY, tried

held = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if sys.platform == "linux" else 1024 * 1024)
log = ParquetTrials(Path(sys.argv[1])).open(STUDY, RUN)
step, total = 2000, 100_000

def add(first):
    log.append([tried(number, metrics=1) for number in range(first, first + step)])

for first in range(0, 5 * step, step):
    add(first)
count = sum(1 for _ in log.read())
before = held()
for first in range(5 * step, total, step):
    add(first)
last = -1
for trial in log.read():
    assert trial.number == last + 1
    last = trial.number
print(count, last + 1, len(log.numbers()), before, held())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows tells no peak of memory this way")
def test_memory_does_not_grow_with_the_trials(tmp_path):
    script = [sys.executable, "-c", MANY, str(tmp_path)]
    done = subprocess.run(script, capture_output=True, text=True, timeout=300, check=True)
    count, read, kept, before, after = map(int, done.stdout.split())
    assert (count, read, kept) == (10_000, 100_000, 100_000)
    assert after - before < 40  # MB; their moments alone are 77
