"""Kernels that were kept on disk are made anew when the arithmetic that is compiled into them changes."""

import os
import subprocess
import sys
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

import cambist

RUN = """
import numpy as np
import cambist as cb
from cambist.backtest.optimise.evaluation import Evaluator
from cambist.backtest.result import Settings

class Once(cb.SignalStrategy):
    def signals(self, candles):
        return cb.Signals(enter_long=np.arange(len(candles)) == 5)

made = cb.synthetic_market(("BTC/USDT",), start_ms=1_704_067_200_000, count=50, timeframe="1h", seed=3)["BTC/USDT"]
for engine in ("event loop", "compiled"):
    print(cb.backtest(Once, made, engine=engine, proof=False).metrics["slippage"])
print(Evaluator(Once, [made], settings=Settings()).evaluate({})[0].metrics["slippage"])
"""
BEFORE, AFTER = "price * (1.0 + adverse)", "price * (1.0 + 2.0 * adverse)"


@pytest.mark.slow
def test_no_kernel_outlives_the_arithmetic_that_it_was_made_of(tmp_path: Path):
    copied = copytree(Path(cambist.__file__).parent, tmp_path / "cambist", ignore=ignore_patterns("__pycache__"))

    def slippages() -> list[float]:
        run = subprocess.run(
            [sys.executable, "-B", "-c", RUN],
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
            cwd=tmp_path, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return [float(line) for line in run.stdout.split()]

    before = slippages()
    costs = copied / "market" / "costs.py"
    text = costs.read_text()
    assert BEFORE in text
    costs.write_text(text.replace(BEFORE, AFTER))
    after = slippages()
    assert before[0] > 0.0
    for found in (before, after):
        assert found == pytest.approx([found[0]] * 3)
    assert after[0] == pytest.approx(2.0 * before[0], rel=1e-3)
