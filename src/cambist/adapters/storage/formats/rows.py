"""Rows as they stand in a file: columns of text (CSV, JSON) or of what the file declares (Parquet, feather)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cambist.domain.errors import BadRow

if TYPE_CHECKING:
    from cambist.domain.candles import Floats, Ints

_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What a file holds. ``columns`` are arrow arrays of one length; ``names`` is None where there is no header."""

    names: tuple[str, ...] | None
    columns: tuple[Any, ...]
    malformed: tuple[BadRow, ...] = ()
    """Lines that have another number of cells than the header; they are not among the columns."""
    numbers: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    """Position of each row in the file, the first data row being 1."""

    def __len__(self) -> int:
        return len(self.columns[0]) if self.columns else 0

    def cells(self, at: int) -> str:
        """Return the row at position ``at`` (in the columns) as it stands in the file."""
        values = (column[at].as_py() for column in self.columns)
        return ",".join("" if value is None else str(value) for value in values)


def rows_of(names: tuple[str, ...] | None, columns: tuple[Any, ...], malformed: tuple[BadRow, ...] = ()) -> Rows:
    """Return `Rows` that know at which line of the file each of them stands."""
    count = len(columns[0]) if columns else 0
    numbers = np.arange(1, count + len(malformed) + 1, dtype=np.int64)
    numbers = np.delete(numbers, [bad.row - 1 for bad in malformed])
    return Rows(names=names, columns=columns, malformed=malformed, numbers=numbers)


def floats(column: Any) -> Floats:
    """Return ``column`` as float64, text correctly rounded; what is no number is NaN."""
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        try:
            column = pc.cast(column, pa.float64())
        except pa.ArrowInvalid:  # at least one cell is no number: find which, and keep the others
            text = pc.utf8_trim_whitespace(column)
            known = pc.match_substring_regex(text, _NUMBER)
            column = pc.cast(pc.if_else(known, text, pa.scalar(None, text.type)), pa.float64())
    elif not pa.types.is_floating(column.type):
        try:
            column = pc.cast(column, pa.float64(), safe=False)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            return np.full(len(column), np.nan)
    return np.array(column.to_numpy(zero_copy_only=False), dtype=np.float64)
