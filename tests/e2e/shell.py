"""The command line as people use it, in a folder and a home of its own."""

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.backtest.made import walk

from cambist.apps.cli.main import main
from cambist.domain.text import speak

Run = Callable[..., tuple[int, str, str]]
"""Given words (and ``language``): the exit code, what was printed, and what went to the error stream."""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    monkeypatch.setenv("CAMBIST_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    def call(*arguments: Any, language: str = "en") -> tuple[int, str, str]:
        monkeypatch.setenv("CAMBIST_LANG", language)
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        code = ended.value.code
        return (0 if code is None else int(code)), said.out, said.err

    yield call
    speak("en")


def write(path: Path, count: int = 1_000, seed: int = 1) -> Path:
    """Write hourly candles of a random walk to a CSV file."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["timestamp", "open", "high", "low", "close", "volume"])
        for candle in walk(count, seed=seed):
            rows.writerow([candle.ts, candle.open, candle.high, candle.low, candle.close, candle.volume])
    return path


def strict(text: str) -> Any:
    """Read JSON as other programs do: NaN and Infinity are none."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)
