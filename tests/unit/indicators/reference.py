"""Reference values from elsewhere: where they lie and how they are read. Nothing of it is copied into this repository.

All numbers come as float64 arrays; an empty cell is NaN.
"""

import csv
import gzip
import json
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

Floats = npt.NDArray[np.float64]
Columns = dict[str, Floats]

HLC = ("high", "low", "close")

_DATA = Path(__file__).resolve().parents[3] / "../shared/data"


def data_dir() -> Path:
    """Return the folder of reference data; skip the test where it is absent."""
    folder = (_DATA / "04-indicators").resolve()
    if not folder.is_dir():
        pytest.skip("the reference data (../shared/data/04-indicators) is not on this machine")
    return folder


def skender(name: str) -> Columns:
    """Return ``result_<name>`` of Stock.Indicators: computed on `skender_quotes`, with its default parameters."""
    with gzip.open(data_dir() / "skender" / f"result_{name}.json.gz", "rt", encoding="utf-8") as file:
        rows = json.load(file)
    return {field: _numbers(row[field] for row in rows) for field in rows[0]}


def skender_sheet(name: str) -> list[list[str]]:
    """Return the rows of ``calc_<name>``, a spreadsheet worked out by hand on `skender_quotes`, headings included."""
    with gzip.open(data_dir() / "skender" / f"calc_{name}.csv.gz", "rt", encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


@cache
def skender_quotes(name: str = "default") -> Columns:
    """Return candles: ``default`` (502 days of a share), ``bitcoin`` (days), ``intraday`` (minutes), ``zeros``..."""
    return _table(data_dir() / "skender" / f"quotes_{name}.csv")


@cache
def spy() -> Columns:
    """Return the daily candles of SPY, 1999 to 2020."""
    return _table(data_dir() / "pandasta_SPY_D.csv")


def tulip(name: str) -> list[tuple[list[float], list[Floats], list[Floats]]]:
    """Return the vectors of the Tulip indicator ``name``: (parameters, inputs, outputs), printed to 3 decimals.

    Outputs are shorter than inputs by the candles that the indicator needs first.
    """
    return [(params, inputs, outputs) for found, params, inputs, outputs in _tulip() if found == name]


def stockcharts(name: str) -> Columns:
    """Return the worked example ``cs-<name>`` of StockCharts' ChartSchool; columns by their heading."""
    return _table(data_dir() / f"stockcharts_cs-{name}.csv")


def columns(table: Columns, *names: str) -> list[Floats]:
    return [table[name] for name in names]


def assert_close(ours: Floats, theirs: Floats, rtol: float = 1e-9, *, start: int = 0) -> None:
    """Check that NaN stands in the same places and the rest agrees to ``rtol`` from row ``start`` on.

    Relative to the value, or to the median size of the series where the value is smaller: an oscillator that crosses
    zero has no relative precision there.
    """
    assert ours.shape == theirs.shape
    ours, theirs = ours[start:], theirs[start:]
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs), err_msg="NaN in different places")
    known = ~np.isnan(theirs)
    assert known.any(), "nothing to compare"
    scale = np.maximum(np.abs(theirs[known]), np.median(np.abs(theirs[known])))
    np.testing.assert_array_less(np.abs(ours[known] - theirs[known]), rtol * scale + 1e-300)


@cache
def _tulip() -> list[tuple[str, list[float], list[Floats], list[Floats]]]:
    vectors = []
    text = "\n".join(
        line for line in (data_dir() / "tulip_untest.txt").read_text("utf-8").splitlines() if not line.startswith("#")
    )
    counts = _tulip_inputs()
    for block in text.split("\n\n"):
        lines = [line.strip() for line in block.splitlines() if line.strip()]
        if not lines:
            continue
        name, *params = lines[0].split()
        rows = [np.array([float(cell) for cell in line.strip("{}").split(",") if cell]) for line in lines[1:]]
        inputs = counts.get(name, len(rows) - 1)
        vectors.append((name, [float(value) for value in params], rows[:inputs], rows[inputs:]))
    return vectors


def _tulip_inputs() -> dict[str, int]:
    """How many of the rows are inputs, where an indicator has more than one output (the file does not say)."""
    return {"aroon": 2, "bbands": 1, "di": 3, "dm": 2, "fisher": 2, "macd": 1, "minmax": 1, "msw": 1, "stoch": 3}


def _table(path: Path) -> Columns:
    with path.open(encoding="utf-8-sig", newline="") as file:
        head, *rows = list(csv.reader(file))
    return {name: _numbers(row[place] for row in rows) for place, name in enumerate(head) if name}


def _numbers(cells) -> Floats:
    return np.array([_number(cell) for cell in cells], dtype=np.float64)


def _number(cell: object) -> float:
    try:
        return float(cell) if cell is not None else float("nan")  # type: ignore[arg-type]
    except ValueError:
        return float("nan")  # dates and remarks
