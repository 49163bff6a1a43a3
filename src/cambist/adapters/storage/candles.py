"""The candle lake in Parquet: one file per series, readable in any notebook.

``<root>/<venue>/<symbol>/<timeframe>.parquet`` with the columns ``ts`` (UTC timestamp, ms) and ``open high low close
volume`` (float64), sorted by ``ts``; what `series` needs to know stands in the file's own key-value metadata.

LZ4 over byte-stream-split floats, measured on a year of minutes (``bench/lake.py``): two thirds of the bytes of no
compression at all, read about as fast, and twice as fast as Zstandard, which would save another eighth.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cambist.adapters.storage.atomic import only_writer, replace
from cambist.adapters.storage.instruments import read_instrument, write_instrument
from cambist.adapters.storage.names import series_name, symbol_folder, venue_folder
from cambist.domain.candles import Candles
from cambist.domain.errors import BadCandles, NotFound, StorageFailed
from cambist.domain.instrument import Instrument
from cambist.domain.text import say
from cambist.domain.timeframe import Timeframe
from cambist.market.series import build, check, gaps
from cambist.ports.history import Appended, Series

_FLOATS = ("open", "high", "low", "close", "volume")
_SCHEMA = pa.schema(
    [
        pa.field("ts", pa.timestamp("ms", "UTC"), nullable=False),
        *(pa.field(name, pa.float64(), nullable=False) for name in _FLOATS),
    ]
)
_ABOUT = b"cambist"
_ROWS_PER_GROUP = 65_536
"""Candles per row group: what is read at the least, six weeks of minutes."""
# the disk, or a file that something else wrote there: not Parquet, other columns, no metadata, no JSON
_DISOBEDIENCE = (OSError, pa.ArrowException, ArithmeticError, LookupError, TypeError, ValueError)
_NAMED = 5
"""Series that the refusal of an unknown one names."""


class ParquetLake:
    """The candle lake under the folder ``root`` (`cambist.ports.history.CandleLake`), which is made when needed.

    Readers never wait and never see half a file; writers of one series take turns, across processes. Raises
    `StorageFailed` if the disk or a file does not obey.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def read(
        self, venue: str, symbol: str, timeframe: Timeframe | str, since: int | None = None, until: int | None = None
    ) -> Candles:
        """Return the candles opening in ``[since, until)`` (ms); raise `NotFound` if the lake has no such series.

        The arrays are the caller's own (contiguous, writable). Only the row groups that hold the range are read.
        """
        timeframe = Timeframe.parse(timeframe)
        path = self._path(venue, symbol, timeframe)
        with _obeying(path):
            try:
                arrays = _read(path, since, until)
            except FileNotFoundError:
                raise self._nothing(venue, symbol, timeframe) from None
        return build(venue, symbol, timeframe, *arrays).between(since, until)

    def append(self, candles: Candles) -> Appended:
        """Merge ``candles`` in by open time, newer values winning; atomic, safe against other writers and kill -9.

        Raises `BadCandles`, and keeps nothing, if one of them breaks a rule (`cambist.market.series`, jumps aside:
        what a venue says of its own trades is kept).
        """
        if not len(candles):
            return Appended(added=0, replaced=0)
        if rows := check(candles, jumps=False):
            raise BadCandles(f"{candles.venue} {candles.symbol} {candles.timeframe}", rows)
        path = self._path(candles.venue, candles.symbol, candles.timeframe)
        with _obeying(path), only_writer(path):
            kept = None
            if path.exists():
                kept = build(candles.venue, candles.symbol, candles.timeframe, *_read(path))
            merged, appended = _merge(kept, candles)
            if appended.added or appended.replaced:
                replace(path, lambda fresh: _write(fresh, merged))
        return appended

    def series(self) -> list[Series]:
        """List what the lake holds, by venue, symbol and timeframe (shortest first)."""
        found = []
        for path in self.root.glob("*/*/*.parquet"):
            with _obeying(path):
                found.append(_about(path))
        return sorted(found, key=lambda one: (one.venue, one.symbol, one.timeframe.ms))

    def instrument(self, venue: str, symbol: str) -> Instrument | None:
        """Return the venue's rules for ``symbol`` if they were kept, else None."""
        path = self._folder(venue, symbol) / "instrument.json"
        with _obeying(path):
            return read_instrument(path)

    def keep_instrument(self, instrument: Instrument) -> None:
        """Keep a venue's rules beside its candles, in the place of those kept before."""
        path = self._folder(instrument.venue, instrument.symbol) / "instrument.json"
        with _obeying(path), only_writer(path):
            replace(path, lambda fresh: write_instrument(fresh, instrument))

    def _folder(self, venue: str, symbol: str) -> Path:
        return self.root / venue_folder(venue) / symbol_folder(symbol)

    def _path(self, venue: str, symbol: str, timeframe: Timeframe) -> Path:
        return self._folder(venue, symbol) / f"{series_name(timeframe)}.parquet"

    def _nothing(self, venue: str, symbol: str, timeframe: Timeframe) -> NotFound:
        wanted = {"venue": venue, "symbol": symbol, "timeframe": timeframe}
        held = self.series()
        if not held:
            return NotFound("candles.lake_empty", **wanted)
        # the nearest first: the same symbol, then the same venue
        held.sort(key=lambda one: (one.symbol != symbol) * 2 + (one.venue != venue))
        there = ", ".join(f"{one.venue} {one.symbol} {one.timeframe}" for one in held[:_NAMED])
        if len(held) > _NAMED:
            there = say("candles.and_more", there=there, more=len(held) - _NAMED)
        return NotFound("candles.none", there=there, **wanted)


def _read(path: Path, since: int | None = None, until: int | None = None) -> list[Any]:
    """Return the six columns as arrays: every row group that may hold a candle in ``[since, until)``.

    Decoded group by group into memory that the cache still holds, then copied to its place, in memory of Arrow's pool
    (new pages from the system would cost as much as the decoding), without the conversions that import pandas.
    """
    # no memory map: it is no faster here, and on Windows it would keep writers from replacing the file
    with pq.ParquetFile(path, pre_buffer=False) as file:
        if not file.schema_arrow.equals(_SCHEMA):
            raise ValueError(f"columns {_told(file.schema_arrow)} where {_told(_SCHEMA)} were expected")
        groups = _groups(file.metadata, since, until)
        count = sum(file.metadata.row_group(group).num_rows for group in groups)
        kinds = [np.int64, *[np.float64] * len(_FLOATS)]
        arrays = [np.frombuffer(pa.allocate_buffer(8 * count), kind) for kind in kinds]
        start = 0
        for group in groups:
            table = file.read_row_group(group, use_threads=False)
            for array, column in zip(arrays, table.columns, strict=True):
                at = start
                for chunk in column.chunks:
                    values = np.frombuffer(chunk.buffers()[1], array.dtype, len(chunk), 8 * chunk.offset)
                    array[at : at + len(chunk)] = values
                    at += len(chunk)
            start += table.num_rows
    return arrays


def _told(schema: pa.Schema) -> str:
    return ", ".join(f"{field.name} {field.type}{'' if field.nullable else ' not null'}" for field in schema)


def _groups(metadata: Any, since: int | None, until: int | None) -> list[int]:
    if since is None and until is None:
        return list(range(metadata.num_row_groups))
    wanted = []
    for group in range(metadata.num_row_groups):
        times = metadata.row_group(group).column(0).statistics
        if times is not None:
            first, last = times.min_raw, times.max_raw
            if (since is not None and last < since) or (until is not None and first >= until):
                continue
        wanted.append(group)
    return wanted


def _write(path: Path, candles: Candles) -> None:
    about = {
        "venue": candles.venue,
        "symbol": candles.symbol,
        "timeframe": str(candles.timeframe),
        "count": len(candles),
        "first_ts": int(candles.ts[0]),
        "last_ts": int(candles.ts[-1]),
    }
    absent = gaps(candles.ts, candles.timeframe)
    about |= {"missing": absent.missing, "gaps": absent.runs}
    columns = [
        pa.Array.from_buffers(field.type, len(candles), [None, pa.py_buffer(getattr(candles, field.name))])
        for field in _SCHEMA
    ]
    schema = _SCHEMA.with_metadata({_ABOUT: json.dumps(about, ensure_ascii=False).encode()})
    pq.write_table(
        pa.Table.from_arrays(columns, schema=schema),
        path,
        row_group_size=_ROWS_PER_GROUP,
        compression="lz4",
        use_dictionary=False,
        column_encoding={"ts": "DELTA_BINARY_PACKED"} | dict.fromkeys(_FLOATS, "BYTE_STREAM_SPLIT"),
    )


def _about(path: Path) -> Series:
    about = json.loads(pq.read_metadata(path).metadata[_ABOUT])
    return Series(**about | {"timeframe": Timeframe(about["timeframe"])})


def _merge(kept: Candles | None, fresh: Candles) -> tuple[Candles, Appended]:
    label = (fresh.venue, fresh.symbol, fresh.timeframe)
    if kept is None:  # built anew: what is written must be contiguous and of the right types
        whole = build(*label, *(getattr(fresh, name) for name in _SCHEMA.names))
        return whole, Appended(added=len(fresh), replaced=0)
    columns = [(getattr(kept, name), getattr(fresh, name)) for name in _SCHEMA.names]
    if fresh.ts[0] > kept.ts[-1]:  # what a download does all day
        arrays, replaced = [np.concatenate(pair) for pair in columns], 0
    else:
        _, old, new = np.intersect1d(kept.ts, fresh.ts, assume_unique=True, return_indices=True)
        changed = np.zeros(old.size, dtype=np.bool_)
        for before, after in columns[1:]:
            changed |= before[old] != after[new]
        replaced = int(np.count_nonzero(changed))
        stays = np.ones(len(kept), dtype=np.bool_)
        stays[old] = False
        arrays = [np.concatenate((before[stays], after)) for before, after in columns]
        order = np.argsort(arrays[0], kind="stable")
        arrays = [array[order] for array in arrays]
    merged = build(*label, *arrays)
    return merged, Appended(added=len(merged) - len(kept), replaced=replaced)


@contextmanager
def _obeying(path: Path) -> Iterator[None]:
    """Name the file when the disk, or the file itself, does not obey."""
    try:
        yield
    except _DISOBEDIENCE as error:
        raise StorageFailed("candles.storage", path=path, why=str(error) or type(error).__name__) from error
