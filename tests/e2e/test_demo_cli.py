"""The demonstration, stopped half way."""

import signal
import sys
from pathlib import Path

import pytest
from tests.e2e.floors import PATIENCE_S, Home, until


@pytest.mark.skipif(sys.platform == "win32", reason="a signal as Unix has it")
def test_a_demo_that_is_stopped_says_what_it_leaves(tmp_path: Path):
    home = Home(tmp_path / "home")
    try:
        process = home.start("demo", "--report", str(tmp_path / "report.html"))
        until(lambda: list((tmp_path / "home" / "candles").rglob("*SOL*/*.parquet")), "the last of the market is there")
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=PATIENCE_S)
    finally:
        home.end()
    assert process.returncode == 130
    assert "Stopped. No report was written; results kept: –." in said
    assert not (tmp_path / "report.html").exists()
    assert "No backtest has been kept yet" in home.run("results")
