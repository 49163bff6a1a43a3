"""CSV as exchanges and archives write it, and JSON lists of rows: read as text, cell for cell."""

import json
from typing import Any

import pyarrow as pa
import pyarrow.csv as csv

from cambist.adapters.storage.formats.rows import Rows, rows_of
from cambist.domain.errors import BadRow

_LOOK = 12
"""Lines that are looked at to learn what the file is like."""
_DELIMITERS = ",;\t|"


def read_csv(data: bytes) -> Rows:
    """Return the rows of a CSV: any usual delimiter, with or without a header, banner lines before it left out.

    Raises `UnicodeDecodeError` or `pyarrow.ArrowInvalid` if it is no text or no table.
    """
    data.decode()  # all of it, before anything else trips over a byte that is no text
    head = data[:65_536].decode("utf-8-sig", "ignore")
    lines = [line for line in head.splitlines() if line.strip()][:_LOOK]
    if not lines:
        return rows_of(None, ())
    delimiter = max(_DELIMITERS, key=lambda mark: sum(line.count(mark) for line in lines))
    # the last of these lines may be cut off, and a banner has fewer cells: most lines are right
    widths = [len(line.split(delimiter)) for line in lines]
    width = max(widths, key=widths.count)
    banner = next((at for at, cells in enumerate(widths) if cells == width), 0)
    first = [cell.strip().strip('"') for cell in lines[banner].split(delimiter)]
    header = not any(_is_number(cell) for cell in first)
    names = tuple(first) if header else None
    malformed: list[BadRow] = []

    skipped = banner + header

    def note(row: Any) -> str:
        malformed.append(BadRow(row.number - skipped, row.text, "candles.rule.cells"))
        return "skip"

    ids = [str(at) for at in range(width)]
    table = csv.read_csv(
        pa.BufferReader(data),
        # rows are only numbered for the handler when one thread reads
        read_options=csv.ReadOptions(use_threads=False, skip_rows=skipped, column_names=ids),
        parse_options=csv.ParseOptions(delimiter=delimiter, invalid_row_handler=note),
        convert_options=csv.ConvertOptions(column_types=dict.fromkeys(ids, pa.string()), strings_can_be_null=False),
    )
    return rows_of(names, tuple(column.combine_chunks() for column in table.columns), tuple(malformed))


def read_json(data: bytes) -> Rows:
    """Return the rows of a JSON list of lists (numbers as they are written); raise `ValueError` for other JSON."""
    found = json.loads(data, parse_float=str, parse_int=str)
    if not isinstance(found, list) or not all(isinstance(row, list) for row in found):
        raise ValueError("a list of rows was expected: [[time, open, high, low, close, volume], ...]")
    if not found:
        return rows_of(None, ())
    widths = [len(row) for row in found]
    width = max(set(widths), key=widths.count)
    malformed = tuple(
        BadRow(at, ",".join(map(str, row)), "candles.rule.cells")
        for at, row in enumerate(found, start=1)
        if len(row) != width
    )
    whole = [row for row in found if len(row) == width]
    columns = (
        pa.array(["" if cell is None else str(cell) for cell in column], pa.string())
        for column in zip(*whole, strict=True)
    )
    return rows_of(None, tuple(columns), malformed)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
