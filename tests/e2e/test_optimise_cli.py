"""`cambist optimise` and `cambist searches` as people run them."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.e2e.shell import Run, strict, write

CROSS = """
import cambist as cb
from cambist import Signals, SignalStrategy, param


class Cross(SignalStrategy):
    fast = param(10, low=2, high=100)
    slow = param(20, low=5, high=400)

    def signals(self, candles):
        quick, calm = cb.indicators.ema(candles.close, self.fast), cb.indicators.ema(candles.close, self.slow)
        return Signals(
            enter_long=cb.crossed_above(quick, calm), exit_long=cb.crossed_below(quick, calm), stop_loss=0.05, size=0.5
        )
"""
MARKET = ("--symbol", "BTC/USDT", "--timeframe", "1h")
RUN = ("optimise", "cross.py", "fast=4:16:4", "slow=20,40", *MARKET)


@pytest.fixture
def shell(run: Run, tmp_path: Path) -> Run:
    """Give the command line two thousand hours of binance BTC/USDT, and a strategy."""
    (tmp_path / "cross.py").write_text(CROSS, encoding="utf-8")
    assert run("import", write(tmp_path / "binance_BTCUSDT_1h.csv", 2_000))[0] == 0
    return run


def test_a_grid_ends_with_a_word_and_is_kept(shell, tmp_path):
    code, out, err = shell(*RUN, "--report", "search.html")
    assert (code, err) == (0, "")
    assert "No edge" in out
    assert re.search(r"Trials +grid: 8 trials, 8 over the study's whole life", out)
    assert "Kept as search #1" in out
    assert "<html" in (tmp_path / "search.html").read_text(encoding="utf-8")
    code, out, _ = shell("searches")
    assert code == 0
    assert "Cross" in out
    code, out, _ = shell("searches", "1", language="fr")
    assert "Aucun avantage" in out
    found = strict(shell("searches", "1", "--json")[1])
    assert found["judgement"]["light"] == "red"
    assert len(found["judgement"]["reasons_said"]) == 3
    assert len(found["detail"]["top"]) == 8
    assert set(found["params"]) == {"fast", "slow"}
    assert found["out_of_sample"]["trades"] > 0
    assert "Deleted: #1" in shell("searches", "--delete", "1", "--yes")[1]
    assert "no search" in shell("searches", "1")[2].lower()


def test_every_try_counts_over_the_studys_whole_life(shell):
    assert strict(shell(*RUN, "--json")[1])["counted"] == 8
    again = strict(shell(*RUN, "--json")[1])
    assert (again["id"], again["trials"], again["counted"]) == (2, 8, 8)  # the same trials are no new tries
    more = strict(shell("optimise", "cross.py", "fast=5,7", *MARKET, "--json")[1])
    assert (more["trials"], more["counted"]) == (2, 10)
    other = strict(shell("optimise", "cross.py", "fast=5,7", *MARKET, "--study", "another", "--json")[1])
    assert (other["trials"], other["counted"]) == (2, 2)
    assert more["judgement"]["figures"]["luck"] >= other["judgement"]["figures"]["luck"]


def test_conditions_objectives_walks_and_parameters_that_stay(shell):
    asked = ("optimise", "cross.py", "fast=4:40:12", *MARKET, "--set", "slow=30", "--where", "fast < 30")
    found = strict(shell(*asked, "--objective", "return/drawdown", "--walk-forward", "20d/10d", "--json")[1])
    assert (found["trials"], found["goals"][0]["text"]) == (3, "return/drawdown")
    assert all(trial["params"]["fast"] < 30 for trial in found["detail"]["top"])
    assert len(found["detail"]["walk"]["windows"]) >= 4


@pytest.mark.parametrize("method", ["random", "tpe", "cmaes"])
def test_the_other_methods(shell, method):
    found = strict(shell("optimise", "cross.py", *MARKET, "--method", method, "--trials", "16", "--json")[1])
    assert found["trials"] == 16
    assert found["method"] == method


def test_several_objectives_give_a_front(shell):
    goals = ("--objective", "sharpe", "--objective", "max_drawdown")
    found = strict(shell(*RUN, *goals, "--json")[1])
    front = [tuple(trial["values"]) for trial in found["detail"]["front"]]
    assert front
    assert not any(a != b and a[0] >= b[0] and a[1] >= b[1] for a in front for b in front)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("optimise", "cross.py", "fsat=1:5", *MARKET), "fast"),
        (("optimise", "cross.py", "fast=9:3", *MARKET), "fast"),
        (("optimise", "cross.py", "fast=4,8", *MARKET, "--objective", "sharp"), "sharpe"),
        (("optimise", "cross.py", "fast=4,8", *MARKET, "--where", "fast <"), "where"),
        *((("optimise", "cross.py", "fast=4,8", *MARKET, "--split", share), "split") for share in ("0", "2", "nan")),
        (("optimise", "cross.py", "fast=4,8", *MARKET, "--walk-forward", "soon"), "90d/30d"),
        (("optimise", "cross.py", "fast=4,8", *MARKET, "--set", "fast=9"), "fast"),
        (("optimise", "cross.py", "fast=4,8", *MARKET, "--set", "calm=9"), "calm"),
        (("optimise", "cross.py", "fast=4,8", *MARKET, "--jobs", "0"), "jobs"),
        (("optimise", "cross.py", "fast=4,8", *MARKET, "--cluster", "somewhere"), "tcp://"),
        (("searches", "9"), "#9"),
    ],
)
def test_what_will_not_do_is_said_in_one_sentence(shell, arguments, said):
    code, out, err = shell(*arguments)
    assert (code, out) == (1, "")
    assert err.startswith("cambist: ")
    assert said in err
    assert "Traceback" not in err


SLOW = """
import time

from cambist import Strategy, param


class Slow(Strategy):
    wait = param(1, low=1, high=1000)

    def init(self):
        time.sleep(0.05)

    def next(self):
        if len(self.candles.close) % 40 == self.wait % 40:
            self.close() if self.position else self.buy(fraction=0.5)
"""


def test_ctrl_c_keeps_what_was_tried_and_the_same_command_goes_on(shell, tmp_path):
    (tmp_path / "slow.py").write_text(SLOW, encoding="utf-8")
    asked = ("optimise", "slow.py", "wait=1:60:1", *MARKET, "--jobs", "1", "--json")
    process = subprocess.Popen(
        [str(Path(sys.executable).parent / "cambist"), *asked],
        env=os.environ | {"CAMBIST_HOME": str(tmp_path / "home"), "CAMBIST_LANG": "en"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )
    studies = tmp_path / "home" / "studies"
    while not list(studies.rglob("*.parquet")):
        assert process.poll() is None, process.communicate()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    stopped = re.search(r"(\d+)", err)
    assert stopped is not None
    assert out == ""
    done = int(stopped[1])
    assert 0 < done < 60
    found = strict(shell(*asked)[1])
    assert (found["trials"], found["counted"]) == (60, 60)
