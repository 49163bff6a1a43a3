"""The drill: engines that are killed at the steps of their journal lose nothing, and broken ones are found out."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.e2e.broken_engines import start_broken

from cambist.apps.drill.box import SPEED, run
from cambist.apps.drill.killing import Kill, Moment
from cambist.apps.drill.plan import Plan, plan
from cambist.simulators.faults import Fault, Kind

BUSY = str(Path(__file__).parent / "strategies" / "busy.py")
HISTORY = 10


def deadly(*kills: Kill, faults: tuple[Fault, ...] = (), minutes: int = 6, seed: int = 3) -> Plan:
    return Plan(seed=seed, minutes=minutes, faults=faults, kills=kills)


LOST = Fault(kind=Kind.LOST, path="POST /api/v3/order", times=2)


@pytest.mark.parametrize("moment", list(Moment))
def test_an_engine_killed_at_its_steps_loses_nothing(moment):
    run_ = run(deadly(*(Kill(moment, step) for step in (1, 2, 3, 2)), minutes=7), BUSY, HISTORY)
    assert run_.good, run_
    assert len(run_.deaths) >= 3
    assert all(death.startswith(moment.value) for death in run_.deaths)
    assert run_.verdict.fills >= 1


def test_a_fill_is_not_lost_however_often_and_long_the_engine_is_down_before_it_is_taken():
    kills = (Kill(Moment.SENT, 1, down_s=90), Kill(Moment.AFTER, 1, down_s=90), Kill(Moment.AFTER, 1, down_s=90))
    run_ = run(deadly(*kills, minutes=12), BUSY, HISTORY)
    assert run_.good, run_
    assert run_.deaths == ("sent submit", "after Restarted", "after Restarted")


def test_a_seeded_run_with_faults_and_deaths_loses_nothing():
    planned = plan(2, 8, SPEED)
    assert planned == plan(2, 8, SPEED) != plan(3, 8, SPEED)
    run_ = run(planned, BUSY, HISTORY)
    assert run_.good, run_
    assert run_.struck


@pytest.mark.parametrize(
    ("how", "found"),
    [
        ("sends again", lambda verdict: verdict.orphans),
        ("sends twice", lambda verdict: verdict.duplicates),
        ("leaves out a line", lambda verdict: verdict.missing and verdict.differing),
        ("does not guard", lambda verdict: verdict.unprotected_ms > 0),
    ],
)
def test_a_broken_engine_does_not_pass(how, found):
    broken = run(deadly(faults=(LOST,)), BUSY, HISTORY, start=start_broken(how))
    assert not broken.good
    assert found(broken.verdict), broken


def test_an_engine_that_ends_by_itself_does_not_pass():
    broken = run(deadly(minutes=1), BUSY, HISTORY, start=start_broken("falls"))
    assert not broken.good
    assert broken.broke
    assert "TypeError" in broken.why


def test_an_engine_that_crashes_before_it_is_killed_does_not_pass():
    crash = start_broken("crashes before its time")
    broken = run(deadly(Kill(Moment.SENT, 1), minutes=1), BUSY, HISTORY, start=crash)
    assert (broken.good, broken.deaths, broken.broke) == (False, (), 1)


def cambist(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", "from cambist.apps.cli.main import main; main()", "drill", *arguments]
    environment = {**os.environ, "CAMBIST_LANG": "en"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", env=environment)


def test_the_command_prints_a_sheet():
    process = cambist(BUSY, "--runs", "1", "--hours", "0.07", "--seed", "2")
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, out + errors
    assert "Passed: nothing was lost." in out
    assert "orders sent twice" in out


def test_a_strategy_that_does_nothing_proves_nothing(tmp_path):
    idle = tmp_path / "idle.py"
    idle.write_text("from cambist import Strategy\n\n\nclass Idle(Strategy):\n    def next(self):\n        pass\n")
    process = cambist(str(idle), "--runs", "1", "--hours", "0.02", "--seed", "12")
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 1, out + errors
    assert "sent no order" in out


@pytest.mark.skipif(sys.platform == "win32", reason="a console's Ctrl-C cannot be sent to one process there")
def test_ctrl_c_prints_what_was_done():
    process = cambist(BUSY, "--runs", "500", "--hours", "0.02", "--workers", "1")
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=7)  # some runs in, or none: it stops wherever it is
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=60)
    assert process.returncode in (1, 130), out + errors
    assert "Stopped" in out + errors


@pytest.mark.parametrize("wrong", [("--runs", "0"), ("--hours", "0"), ("--hours", "nan"), ("--workers", "0")])
def test_a_wrong_option_is_refused_before_the_work(wrong):
    process = cambist("ema_cross", *wrong)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert wrong[0] in errors
