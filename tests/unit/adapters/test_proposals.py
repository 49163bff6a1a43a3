"""Optuna, really run: on small functions, in processes that are killed, and in several at once."""

import gc
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
from typing import Any

import pytest

from cambist.adapters.proposals.locks import Living, Lock
from cambist.adapters.proposals.optuna import OptunaProposers
from cambist.domain.errors import BadInput, StorageFailed
from cambist.domain.search import Axis, Goal, Method

AXES = (
    Axis(name="fast", low=2, high=60, whole=True),
    Axis(name="slow", low=5, high=300, whole=True, log=True),
    Axis(name="stop", low=0.0, high=0.2),
    Axis(name="step", low=0.1, high=0.9, step=0.2),
    Axis(name="listed", values=(1, 2, 5, 10)),
    Axis(name="fixed", values=(7,)),
)
WORDS = (*AXES, Axis(name="side", values=("long", "short", "both")), Axis(name="calm", values=(False, True)))
ONE = (Goal(text="sharpe"),)
TWO = (Goal(text="sharpe"), Goal(text="volatility", better=-1))
SEARCHES = [Method.RANDOM, Method.TPE, Method.CMAES, Method.NSGA2]


def opened(folder, method=Method.TPE, *, axes=AXES, goals=ONE, seed=1, study="study", run="run"):
    return OptunaProposers(folder).open(study, run, method=method, axes=axes, goals=goals, seed=seed)


def height(params):
    return -(((params["fast"] - 20) / 10) ** 2) - ((params["stop"] - 0.05) / 0.03) ** 2


def generations(proposer, count, goals=ONE):
    """Ask and tell ``count`` generations; return them."""
    found = []
    for _ in range(count):
        proposals = proposer.ask(proposer.generation)
        for proposal in proposals:
            proposer.tell(proposal.number, [height(proposal.params)] * len(goals))
        found.append([(proposal.number, proposal.params) for proposal in proposals])
    return found


def load_studies(journal):
    """Return what Optuna itself reads in a journal."""
    import optuna

    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(journal)))
    return [optuna.load_study(study_name=name, storage=storage) for name in optuna.get_all_study_names(storage)]


# -- what is proposed -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", SEARCHES)
def test_proposals_lie_within_their_axes(tmp_path, method):
    axes = AXES if method is Method.CMAES else WORDS
    found = [params for generation in generations(opened(tmp_path, method, axes=axes), 3) for _, params in generation]
    for params in found:
        assert list(params) == [axis.name for axis in axes]
        assert isinstance(params["fast"], int)
        assert 2 <= params["fast"] <= 60
        assert isinstance(params["slow"], int)
        assert 5 <= params["slow"] <= 300
        assert isinstance(params["stop"], float)
        assert 0.0 <= params["stop"] <= 0.2
        assert params["step"] in (0.1, 0.3, 0.5, 0.7, 0.9)
        assert params["listed"] in (1, 2, 5, 10)
        assert params["fixed"] == 7
        assert params.get("side", "long") in ("long", "short", "both")
        assert params.get("calm", True) in (False, True)
    assert len({tuple(params.values()) for params in found}) > len(found) / 2


@pytest.mark.parametrize("method", SEARCHES)
def test_the_same_seed_proposes_the_same_also_when_it_goes_on(tmp_path, method):
    at_once = generations(opened(tmp_path / "a", method), 3)
    in_parts = generations(opened(tmp_path / "b", method), 2) + generations(opened(tmp_path / "b", method), 1)
    assert at_once == in_parts
    numbers = [number for generation in at_once for number, _ in generation]
    assert numbers == list(range(len(numbers)))
    assert generations(opened(tmp_path / "c", method, seed=2), 1) != at_once[:1]


@pytest.mark.parametrize("method", [Method.TPE, Method.CMAES, Method.NSGA2])
def test_what_is_told_draws_proposals_towards_the_best(tmp_path, method):
    axes = (AXES[0], AXES[2])
    found = generations(opened(tmp_path, method, axes=axes), 12 if method is not Method.NSGA2 else 6)
    first, last = found[0], found[-1]
    assert sum(height(params) for _, params in last) / len(last) > sum(height(params) for _, params in first) / len(
        first
    )
    assert max(height(params) for generation in found for _, params in generation) > -0.15


def test_steps_of_one_between_numbers_that_are_not_whole_stay_on_their_steps(tmp_path):
    axis = Axis(name="x", low=0.5, high=60.5, step=1, log=True)  # from 0, Optuna has no logarithms
    found = [params["x"] for generation in generations_of(axis, tmp_path) for params in generation]
    assert all(isinstance(x, float) and x % 1 == 0.5 and 0.5 <= x <= 60.5 for x in found)


def generations_of(axis, folder):
    proposer = opened(folder, axes=(axis,))
    for _ in range(3):
        proposals = proposer.ask(8)
        yield [proposal.params for proposal in proposals]
        for proposal in proposals:
            proposer.tell(proposal.number, [proposal.params[axis.name]])


@pytest.mark.parametrize("better", [+1, -1])
def test_more_or_less_is_better(tmp_path, better):
    proposer = opened(tmp_path, axes=(AXES[2],), goals=(Goal(text="stop", better=better),))
    stops = []
    for _ in range(5):
        for proposal in proposer.ask(8):
            stops.append(proposal.params["stop"])
            proposer.tell(proposal.number, [proposal.params["stop"]])
    mean = sum(stops[-8:]) / 8
    assert mean > 0.13 if better > 0 else mean < 0.07


def test_tpe_learns_what_the_conditions_allow(tmp_path):
    proposer = opened(tmp_path, axes=(AXES[0], AXES[2]))
    broken = []
    for _ in range(10):
        for proposal in proposer.ask(8):
            violation = max(0.0, proposal.params["fast"] - 12)
            broken.append(violation > 0)
            proposer.tell(proposal.number, None if violation else [proposal.params["stop"]], violation=violation)
    assert sum(broken[:16]) > 10  # 48 of 59 do
    assert sum(broken[16:]) < 0.65 * 64
    assert proposer.finished() == 80


@pytest.mark.parametrize("method", SEARCHES)
def test_failures_and_broken_conditions_are_taken_by_all(tmp_path, method):
    proposer = opened(tmp_path, method)
    first, second, third, fourth = proposer.ask(4)
    proposer.tell(first.number, None)
    proposer.tell(second.number, [1.0], violation=2.0)
    proposer.tell(third.number, None, violation=1.0)
    proposer.tell(fourth.number, [0.5])
    proposer.tell(fourth.number, [9.0])  # what was told before holds
    assert proposer.finished() == 4
    (journal,) = tmp_path.rglob("*.journal")
    (study,) = load_studies(journal)
    assert [(trial.state.name, trial.values, trial.constraints) for trial in study.get_trials()[:4]] == {
        Method.TPE: [
            ("FAIL", None, {}),
            ("COMPLETE", [1.0], {"where": 2.0}),
            ("PRUNED", None, {"where": 1.0}),
            ("COMPLETE", [0.5], {}),
        ],
        Method.NSGA2: [
            ("FAIL", None, {}),
            ("COMPLETE", [1.0], {"where": 2.0}),
            ("FAIL", None, {}),
            ("COMPLETE", [0.5], {}),
        ],
    }.get(method, [*[("FAIL", None, {})] * 3, ("COMPLETE", [0.5], {})])
    assert len(generations(proposer, 2)) == 2


@pytest.mark.parametrize("method", [Method.TPE, Method.NSGA2, Method.RANDOM])
def test_several_goals(tmp_path, method):
    assert len(generations(opened(tmp_path, method, goals=TWO), 3, TWO)) == 3


def test_trials_worse_than_most_are_given_up(tmp_path):
    proposer = opened(tmp_path)
    proposals = proposer.ask(12)
    for place, proposal in enumerate(proposals[:8]):
        assert not proposer.prune(proposal.number, float(place))  # nothing to hold them against yet
        proposer.tell(proposal.number, [float(place)])
    good, bad, *_ = proposals[8:]
    assert not proposer.prune(good.number, 6.0)
    assert proposer.prune(bad.number, 1.0)
    assert proposer.finished() == 9


# -- what cannot be ---------------------------------------------------------------------------------------------------


def test_cmaes_says_what_it_cannot_do(tmp_path):
    with pytest.raises(BadInput, match="side is not one"):
        opened(tmp_path, Method.CMAES, axes=WORDS)
    with pytest.raises(BadInput, match="Use tpe or nsga2 for several"):
        opened(tmp_path, Method.CMAES, goals=TWO)
    with pytest.raises(BadInput, match="grid"):
        opened(tmp_path, Method.GRID)


def test_optuna_keeps_quiet(tmp_path, caplog, capfd):
    with caplog.at_level(logging.DEBUG):
        generations(opened(tmp_path, Method.CMAES), 3)
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")


def test_studies_and_runs_do_not_mix(tmp_path):
    for study, run in (("a/b", "run"), ("a_b", "run"), ("a/b", "other"), ("..", ".."), ("é" * 300, "r" * 300)):
        assert opened(tmp_path, study=study, run=run).ask(1)[0].number == 0
    assert all(path.resolve().is_relative_to(tmp_path.resolve()) for path in tmp_path.rglob("*"))


def test_without_a_folder_each_run_begins_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    proposers = OptunaProposers(None)
    how: dict[str, Any] = {"method": Method.TPE, "axes": AXES, "goals": ONE, "seed": 1}
    first = proposers.open("study", "run", **how)
    asked = generations(first, 2)
    second = proposers.open("study", "run", **how)
    assert generations(second, 2) == asked
    del first, second
    gc.collect()
    assert list(tmp_path.iterdir()) == []


def test_a_journal_that_cannot_be_read_says_where_it_is(tmp_path):
    generations(opened(tmp_path), 1)
    (journal,) = tmp_path.rglob("*.journal")
    journal.write_text("no json\n" + journal.read_text())
    with pytest.raises(StorageFailed, match="Remove that file") as caught:
        opened(tmp_path)
    assert caught.value.params["path"] == journal


def test_a_disk_that_does_not_obey_is_told(tmp_path):
    proposer = opened(tmp_path)
    (journal,) = tmp_path.rglob("*.journal")
    journal.unlink()
    with pytest.raises(StorageFailed, match="cannot be written"):
        proposer.ask(1)


# -- processes --------------------------------------------------------------------------------------------------------

PROCESS = """
import sys
from pathlib import Path
from tests.unit.adapters.test_proposals import *
proposer = opened(Path(sys.argv[1]))
"""
ASKS = f"""{PROCESS}
proposals = proposer.ask(8)
for proposal in proposals[:3]:
    proposer.tell(proposal.number, [height(proposal.params)])
print([(proposal.number, proposal.params) for proposal in proposals], flush=True)
sys.stdin.read()
"""
HOLDS = """
import sys
from pathlib import Path
from cambist.adapters.proposals.locks import Lock
Lock(Path(sys.argv[1])).__enter__()
print("held", flush=True)
sys.stdin.read()
"""
SHARES = f"""{PROCESS}
print("ready", flush=True)
sys.stdin.readline()
for generation in generations(proposer, 2):
    print([number for number, _ in generation], flush=True)
"""


def started(code, folder):
    return subprocess.Popen(
        [sys.executable, "-c", code, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def kill(process):
    os.kill(process.pid, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    process.wait()


def test_what_a_process_asked_is_asked_again_first_once_it_is_killed(tmp_path):
    with started(ASKS, tmp_path) as process:
        asked = eval(process.stdout.readline())
        proposer = opened(tmp_path)
        assert [number for number, _ in asked] == list(range(8))
        assert [proposal.number for proposal in proposer.ask(2)] == [8, 9]  # it lives
        kill(process)
    again = [(proposal.number, proposal.params) for proposal in proposer.ask(6)]
    assert again[:5] == asked[3:]
    assert again[5][0] == 10
    assert proposer.finished() == 3
    assert proposer.ask(1)[0].number == 11  # not twice


def test_a_lock_that_a_killed_process_held_is_free(tmp_path):
    proposer = opened(tmp_path)
    (lock,) = tmp_path.rglob("run.*.lock")
    with started(HOLDS, lock) as process:
        assert process.stdout.readline() == "held\n"
        kill(process)
    assert proposer.ask(1)[0].number == 0


def test_a_line_that_a_killed_process_left_half_is_cut_off(tmp_path):
    before = generations(opened(tmp_path / "a"), 2)
    generations(opened(tmp_path / "b"), 1)
    (journal,) = (tmp_path / "b").rglob("*.journal")
    with journal.open("a") as file:
        file.write('{"op_code":5,"worker_id":"x","tri')
    assert before[1:] == generations(opened(tmp_path / "b"), 1)
    assert opened(tmp_path / "b").finished() == 16


def test_a_process_killed_while_asking_leaves_a_trial_that_is_completed(tmp_path):
    expected = generations(opened(tmp_path / "a"), 3)
    generations(opened(tmp_path / "b"), 2)
    opened(tmp_path / "b").ask(8)
    (journal,) = (tmp_path / "b").rglob("*.journal")
    lines = journal.read_text().splitlines(keepends=True)
    made = [place for place, line in enumerate(lines) if '"op_code":4' in line]
    journal.write_text("".join(lines[: made[18] + 4]))  # the third of its eight has two of its parameters
    assert generations(opened(tmp_path / "b"), 1) == expected[2:]


def test_several_processes_share_a_run(tmp_path):
    processes = [started(SHARES, tmp_path) for _ in range(2)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    numbers = [number for text in said for line in text.splitlines() for number in eval(line)]
    assert sorted(numbers) == list(range(32))
    assert opened(tmp_path).finished() == 32
    assert opened(tmp_path).ask(1)[0].number == 32


def test_a_search_given_up_in_this_process_is_gone_on_with(tmp_path):
    proposers = OptunaProposers(tmp_path)
    how: dict[str, Any] = {"method": Method.TPE, "axes": AXES, "goals": ONE, "seed": 1}
    first = proposers.open("study", "run", **how)
    asked = first.ask(4)
    second = proposers.open("study", "run", **how)  # the first is still at hand, as in a notebook
    assert second.ask(4) == asked


# -- locks ------------------------------------------------------------------------------------------------------------


def test_a_lock_has_one_holder_who_may_take_it_again(tmp_path):
    lock, other, order = Lock(tmp_path / "lock"), Lock(tmp_path / "lock"), []

    def wait():
        with other:
            order.append("other")

    with lock:
        with lock:
            thread = threading.Thread(target=wait)
            thread.start()
        order.append("first")
    thread.join()
    assert order == ["first", "other"]


def test_the_living_know_each_other(tmp_path):
    one, other = Living(tmp_path), Living(tmp_path)
    name = other.own
    assert one.holds(one.own)
    assert one.holds(name)
    assert not one.holds("never")
    del other
    assert not one.holds(name)
    assert not (tmp_path / name).exists()
