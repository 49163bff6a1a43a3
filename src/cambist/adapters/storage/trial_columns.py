"""Trials as columns (Arrow), and back: what `trials` writes and reads.

- ``number`` (int64) and ``state`` (text);
- ``param.<axis>``, each in its own type; where an axis has values of several types, as JSON;
- ``values``, a list of float64, one per goal;
- ``metric.<key>``, float64; null is a metric that the trial does not have, NaN one that it has;
- ``moments``, a fixed list of float64, and ``why``, JSON; null where there are none.
"""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cambist.domain.search import BLOCKS, MOMENTS, State, Trial

_PARAM, _METRIC = "param.", "metric."
_JSON = {b"cambist": b"json"}
"""Marks the columns of axes whose values are of several types."""
_TYPES = {bool: pa.bool_(), int: pa.int64(), float: pa.float64(), str: pa.string()}


def table_of(trials: Sequence[Trial]) -> pa.Table:
    """Return trials as columns; those of parameters and metrics are the ones that occur."""
    columns: dict[str, pa.Array] = {
        "number": pa.array([trial.number for trial in trials], pa.int64()),
        "state": pa.array([str(trial.state) for trial in trials], pa.string()),
    }
    marks = {}
    for axis in dict.fromkeys(name for trial in trials for name in trial.params):
        columns[_PARAM + axis], marks[_PARAM + axis] = _axis([trial.params.get(axis) for trial in trials])
    columns["values"] = pa.array([trial.values for trial in trials], pa.list_(pa.float64()))
    for key in dict.fromkeys(name for trial in trials for name in trial.metrics):
        # from Python's own numbers: None becomes null, and NaN stays NaN
        columns[_METRIC + key] = pa.array([trial.metrics.get(key) for trial in trials], pa.float64())
    columns["moments"] = _folded([trial.moments for trial in trials])
    columns["why"] = pa.array(
        [json.dumps(trial.why, default=str) if trial.why else None for trial in trials], pa.string()
    )
    schema = pa.schema([pa.field(name, array.type, metadata=marks.get(name)) for name, array in columns.items()])
    return pa.Table.from_arrays(list(columns.values()), schema=schema)


def trials_of(batch: pa.RecordBatch) -> list[Trial]:
    """Return the rows of a batch as trials."""
    params, metrics = _named(batch, _PARAM), _named(batch, _METRIC)
    moments = _unfolded(batch.column("moments"))
    present = batch.column("moments").is_valid().to_pylist()
    fields = zip(*(batch.column(name).to_pylist() for name in ("number", "state", "values", "why")), strict=True)
    return [
        Trial(
            number=number,
            params=_of_row(params, row),
            state=State(state),
            values=tuple(values),
            metrics=_of_row(metrics, row),
            moments=moments[row] if present[row] else None,
            why=json.loads(why) if why else {},
        )
        for row, (number, state, values, why) in enumerate(fields)
    ]


def together(tables: Sequence[pa.Table]) -> pa.Table:
    """Return all rows as one table, by number, each number once."""
    fields: dict[str, pa.Field] = {}
    for field in (field for table in tables for field in table.schema):
        if not fields.setdefault(field.name, field).equals(field, check_metadata=True):
            # an axis whose values are of another type in each: they are written anew
            trials = [trial for table in tables for batch in table.to_batches() for trial in trials_of(batch)]
            return together([table_of(trials)])
    whole = pa.concat_tables(tables, promote_options="default")
    _, rows = np.unique(whole.column("number").to_numpy(), return_index=True)
    return whole.take(rows)


def _axis(values: Sequence[Any]) -> tuple[pa.Array, dict[bytes, bytes] | None]:
    kinds = {type(value) for value in values} - {type(None)}
    kind = _TYPES.get(kinds.pop()) if len(kinds) == 1 else None
    if kind is not None:
        try:
            return pa.array(values, kind), None
        except (OverflowError, pa.ArrowInvalid):  # whole numbers beyond 64 bits
            pass
    return pa.array([None if value is None else json.dumps(value) for value in values], pa.string()), _JSON


def _plain(column: pa.Array, field: pa.Field) -> list[Any]:
    values: list[Any] = column.to_pylist()
    if (field.metadata or {}).get(b"cambist") != b"json":
        return values
    return [None if text is None else json.loads(text) for text in values]


def _named(batch: pa.RecordBatch, prefix: str) -> dict[str, list[Any]]:
    return {
        field.name.removeprefix(prefix): _plain(column, field)
        for field, column in zip(batch.schema, batch.columns, strict=True)
        if field.name.startswith(prefix)
    }


def _of_row(columns: dict[str, list[Any]], row: int) -> dict[str, Any]:
    return {name: value for name, column in columns.items() if (value := column[row]) is not None}


def _folded(moments: Sequence[npt.NDArray[np.float64] | None]) -> pa.Array:
    flat = np.zeros((len(moments), 2, BLOCKS, MOMENTS))
    for row, of_one in enumerate(moments):
        if of_one is not None:
            flat[row] = of_one
    absent = pa.array([of_one is None for of_one in moments])
    return pa.FixedSizeListArray.from_arrays(flat.ravel(), flat[0].size, mask=absent)


def _unfolded(column: pa.FixedSizeListArray) -> npt.NDArray[np.float64]:
    """Return moments as one array of shape (rows, 2, BLOCKS, MOMENTS); where there are none, it holds anything."""
    size = column.type.list_size
    flat = column.values.to_numpy(zero_copy_only=False)[column.offset * size : (column.offset + len(column)) * size]
    return np.asarray(flat).reshape(len(column), 2, -1, MOMENTS)
