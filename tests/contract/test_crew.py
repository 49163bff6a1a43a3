import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.crew import CrewContract, Market, measured, note, noted

from cambist.adapters.crew.local import Processes, Threads
from cambist.domain.errors import BadInput, CrewFailed
from cambist.ports.crew import Crew


class TestThreads(CrewContract):
    @pytest.fixture
    def crew(self) -> Iterator[Crew]:
        crew = Threads(3)
        yield crew
        crew.close()


class TestThisThread(CrewContract):
    @pytest.fixture
    def crew(self) -> Iterator[Crew]:
        crew = Processes(1)
        yield crew
        crew.close()


@pytest.fixture(scope="module")
def processes() -> Iterator[Crew]:
    crew = Processes(2)
    yield crew
    crew.close()


class TestProcesses(CrewContract):
    @pytest.fixture
    def crew(self, processes: Crew) -> Crew:
        return processes


def dies(path: Path, number: int) -> int:
    note(path, str(os.getpid()))
    if number == 6:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def settings(_: None, name: str) -> str | None:
    return os.environ.get(name)


@pytest.mark.parametrize("crew", [Threads, Processes])
def test_nobody_is_no_crew(crew):
    with pytest.raises(BadInput, match="--jobs"):
        crew(0)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_process_that_is_killed_is_told_and_what_came_before_stays(tmp_path):
    crew = Processes(2)
    came: list[int] = []
    with pytest.raises(CrewFailed) as failure:
        came.extend(number for number, _ in crew.work(dies, tmp_path / "pids", range(40)))
    assert failure.value.params["workers"] == 2
    assert "--jobs" in str(failure.value)
    assert set(came) <= set(range(40)) - {6}
    assert not any(running(int(pid)) for pid in set(noted(tmp_path / "pids")))
    assert [answer for _, answer in crew.work(dies, tmp_path / "pids", [1])] == [1]  # others take their places
    crew.close()
    assert not any(running(int(pid)) for pid in set(noted(tmp_path / "pids")))


def test_what_is_given_up_leaves_no_process_and_no_file(tmp_path, monkeypatch):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    crew = Processes(2)
    market = Market(tmp_path / "notes", 1000)
    work = crew.work(measured, market, ([2] for _ in range(1000)))
    next(work)
    work.close()
    assert noted(market.notes)
    assert not any(running(int(pid)) for pid in noted(market.notes))
    assert len(list(folder.iterdir())) == 1
    crew.close()
    assert list(folder.iterdir()) == []


def test_processes_use_one_thread_each():
    crew = Processes(2)
    names = ["NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"]
    assert dict(crew.work(settings, None, names)) == dict.fromkeys(names, "1")
    crew.close()


TYPED = """
import warnings
warnings.simplefilter("error")
from cambist.adapters.crew.local import Processes

class Doubling:
    factor = 2
    def of(self, number):
        return self.factor * number

def do(shared, number):
    return type(shared)(), shared.of(number)

crew = Processes(2)
print(sorted((number, answer, found.factor) for number, (found, answer) in crew.work(do, Doubling(), range(4))))
crew.close()
"""


def python(*arguments: str, **options) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


def test_classes_typed_in_main_travel():
    told, noise = python("-c", TYPED).communicate(timeout=60)
    assert noise == ""
    assert told.strip() == "[(0, 0, 2), (1, 2, 2), (2, 4, 2), (3, 6, 2)]"


LONG = """
import os, sys, time
from cambist.adapters.crew.local import Processes

def say(*words):  # in one piece: others write into the same pipe
    os.write(1, (" ".join(map(str, words)) + os.linesep).encode())

def do(shared, number):
    if number >= 4:
        say("busy", os.getpid())
        time.sleep(60)
    return number

crew = Processes(2)
try:
    for number, answer in crew.work(do, None, range(100)):
        say("came", number)
except KeyboardInterrupt:
    say("stopped")
finally:
    crew.close()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no process groups to send Ctrl-C to")
@pytest.mark.parametrize(("what", "ending"), [(signal.SIGINT, ["stopped"]), (signal.SIGKILL, [])])
def test_processes_end_with_the_one_who_started_them(what, ending, tmp_path):
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    with python("-c", LONG, start_new_session=True, env=environment) as parent:
        assert parent.stdout is not None
        lines = [parent.stdout.readline().split() for _ in range(6)]
        assert [line[0] for line in lines].count("busy") == 2
        if what == signal.SIGINT:
            os.killpg(parent.pid, what)  # as a terminal does: the children are meant too
        else:
            parent.send_signal(what)
