import multiprocessing
import operator
import os
import platform
import signal
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import distributed
import pytest
from tests.contract.crew import CrewContract, note, noted

from cambist.adapters.crew.dask import Cluster
from cambist.domain.errors import BadInput, CrewFailed
from cambist.ports.crew import Crew


@pytest.fixture(scope="module")
def local() -> Iterator[distributed.LocalCluster]:
    """Return a real scheduler and two real workers, each in a process of its own, with a nurse that replaces it."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0", host="127.0.0.1"
    ) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def cluster(local: distributed.LocalCluster) -> Iterator[Crew]:
    crew = Cluster(local.scheduler_address)
    yield crew
    crew.close()


class TestCluster(CrewContract):
    arrivals = 6  # of thirty batches: Dask drops copies that nobody needs for two seconds, and fetches them again

    @pytest.fixture
    def crew(self, cluster: Crew) -> Crew:
        return cluster


def slain_once(path: Path, number: int) -> int:
    """Do what the machine's memory keeper does, once, to whoever comes here second."""
    if number == 5 and not noted(path):
        note(path, "slain")
        os.kill(os.getpid(), signal.SIGKILL)
    return -number


def slain(_: object, number: int) -> int:
    if number == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return -number


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_what_a_lost_worker_was_doing_is_done_again(cluster: Crew, tmp_path):
    assert sorted(cluster.work(slain_once, tmp_path / "slain", range(30))) == [(n, -n) for n in range(30)]
    assert noted(tmp_path / "slain") == ["slain"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_work_of_which_workers_die_is_told(local: distributed.LocalCluster, cluster: Crew, monkeypatch):
    monkeypatch.setattr(local.scheduler, "allowed_failures", 0)  # otherwise three more die of it
    with pytest.raises(CrewFailed) as failure:
        deque(cluster.work(slain, None, range(8)), maxlen=0)
    assert failure.value.key == "crew.batch_kills"
    assert sorted(cluster.work(operator.add, 1, range(3))) == [(0, 1), (1, 2), (2, 3)]


def test_what_is_no_address_is_refused():
    for address in ("localhost", "http://localhost:8786", "tcp://localhost", "tcp://:8786", ""):
        with pytest.raises(BadInput, match=r"--cluster.*tcp://HOST:PORT"):
            Cluster(address)


def test_an_address_where_nobody_answers_is_told():
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(CrewFailed, match=address):
            Cluster(address, patience_s=0.2)


def test_what_to_install_is_told_where_dask_is_not(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(BadInput, match=r"pip install 'cambist\[cluster\]'"):
        Cluster("tcp://127.0.0.1:8786")


PYTHON = platform.python_version()


def older_here() -> str:
    return "3.9.1" if multiprocessing.parent_process() is None else PYTHON


def test_workers_of_other_versions_are_refused(local: distributed.LocalCluster, monkeypatch):
    monkeypatch.setattr(platform, "python_version", older_here)
    with pytest.raises(CrewFailed) as failure:
        Cluster(local.scheduler_address)
    params = failure.value.params
    assert (params["what"], params["ours"]) == ("Python", "3.9")
    assert params["theirs"] == f"3.{sys.version_info.minor}"


STOPPED = """
import sys, time
from cambist.adapters.crew.dask import Cluster

def do(shared, number):
    if number >= 2:
        time.sleep(0.05)
    return number

crew = Cluster(sys.argv[1])
try:
    for number, answer in crew.work(do, list(range(1000)), range(10_000)):
        print("came", number, flush=True)
except KeyboardInterrupt:
    print("stopped", flush=True)
finally:
    crew.close()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no process groups to send Ctrl-C to")
def test_ctrl_c_leaves_the_cluster_without_noise_and_without_work(local: distributed.LocalCluster):
    script = [sys.executable, "-c", STOPPED, local.scheduler_address]
    with subprocess.Popen(script, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as one:
        assert one.stdout is not None
        for _ in range(3):
            assert one.stdout.readline().startswith("came")
        one.send_signal(signal.SIGINT)
        told, noise = one.communicate(timeout=60)
    assert told.splitlines()[-1] == "stopped"
    assert noise == ""


def test_all_workers_gone_is_told_after_a_time(local: distributed.LocalCluster):
    # the last test: nobody is left
    crew = Cluster(local.scheduler_address, patience_s=3)
    work = crew.work(operator.add, 1, count())
    number, answer = next(work)  # in any order
    assert answer == number + 1
    local.scale(0)
    with pytest.raises(CrewFailed) as failure:
        deque(work, maxlen=0)
    assert failure.value.key == "crew.no_workers"
    assert "dask worker" in str(failure.value)
    crew.close()
    with pytest.raises(CrewFailed, match=r"no workers for 0\.2 s"):
        Cluster(local.scheduler_address, patience_s=0.2)
