"""Candles in files as people bring them: read, recognised, checked row by row (`cambist.ports.history.CandleFiles`).

What a file holds is learnt from its content where the content tells it (columns, units, dates, timeframe), from its
name where it does not (venue, symbol), and from the options before both. Nothing is guessed silently: what cannot be
known is asked for, and a name that contradicts the content is refused.
"""

import gzip
import io
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq

from cambist.adapters.storage.formats.delimited import read_csv, read_json
from cambist.adapters.storage.formats.label import Label, as_symbol, option_symbol, read_label
from cambist.adapters.storage.formats.layout import CandleLayout, NoCandles, TradeLayout, layout_of
from cambist.adapters.storage.formats.rows import Rows, rows_of
from cambist.adapters.storage.formats.screening import Screening
from cambist.domain.errors import BadCandles, BadInput, NotFound
from cambist.domain.text import say
from cambist.domain.timeframe import Timeframe
from cambist.ports.history import FileRead

# what pyarrow, gzip, zipfile and json raise for a file that is not what its name says
_UNREADABLE = (EOFError, OSError, ValueError, pa.ArrowException, zipfile.BadZipFile)


class KnownFiles:
    """Reads Parquet, feather, CSV (also .gz and .zip) and JSON.

    It knows the dumps of Binance, Kraken, Bitfinex, CryptoDataDownload and freqtrade, and any table that names its
    columns in a usual way.
    """

    def read(
        self,
        path: Path,
        *,
        venue: str | None = None,
        symbol: str | None = None,
        timeframe: Timeframe | None = None,
        repair: bool = False,
    ) -> FileRead:
        """Read and check one file of candles, or of trades if ``timeframe`` says which candles to make of them.

        Raises `NotFound` if there is no file; `BadInput` naming the option to give if venue, symbol or timeframe
        cannot be known; `BadCandles` naming each bad row, unless ``repair`` drops them, and always if the file is not
        made of candles, contradicts its name, or lacks candles in a way that no repair makes good.
        """
        if not path.is_file():
            raise NotFound("candles.no_file", path=path)
        label, source = read_label(path), str(path)
        if label.other:
            raise BadCandles(source, remedy="candles.not_candles", what=say(label.other))
        rows = read_rows(path)
        wanted = option_symbol(symbol) if symbol else None
        known = wanted or label.symbol
        layout = layout_of(rows, known.split("/")[0] if known else None)
        if isinstance(layout, NoCandles):
            what = say(layout.what, columns=layout.columns)
            raise BadCandles(source, remedy="candles.not_candles", what=what)
        screening = Screening(source, rows, _venue(label, source, venue), repair=repair)
        screening.symbol = wanted or _symbol(label, source, rows, layout)
        if label.testnet:
            screening.notes.append(say("candles.note.testnet"))
        if isinstance(layout, TradeLayout):
            return screening.trades(layout, timeframe)
        return screening.candles(layout, timeframe, label.timeframe)


def read_rows(path: Path) -> Rows:
    """Return the rows of the file at ``path`` as they stand; raise `BadCandles` if it cannot be read."""
    name = path.name.lower()
    try:
        if name.endswith((".parquet", ".pq")):
            return _columns(pq.ParquetFile(path).read())
        if name.endswith((".feather", ".arrow", ".ipc")):
            return _columns(feather.read_table(path, memory_map=False))
        data = path.read_bytes()
        if name.endswith(".gz"):
            data, name = gzip.decompress(data), name.removesuffix(".gz")
        elif name.endswith(".zip"):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                (name,) = archive.namelist()  # exchanges put one file into each archive
                data = archive.read(name)
        return read_json(data) if name.endswith(".json") else read_csv(data)
    except _UNREADABLE as error:
        raise BadCandles(str(path), remedy="candles.unreadable", why=str(error)) from error


def _columns(table: pa.Table) -> Rows:
    return rows_of(tuple(table.column_names), tuple(column.combine_chunks() for column in table.columns))


def _venue(label: Label, source: str, option: str | None) -> str:
    if option:
        return option.lower()
    if len(label.venues) == 1:
        return label.venues[0]
    key = "candles.venue_doubtful" if label.venues else "candles.venue_needed"
    raise BadInput("--venue", source, key, found=", ".join(label.venues))


def _symbol(label: Label, source: str, rows: Rows, layout: CandleLayout | TradeLayout) -> str:
    inside = (
        [] if layout.symbol is None else [cell for cell in rows.columns[layout.symbol].unique().to_pylist() if cell]
    )
    if len(inside) > 1:
        raise BadCandles(source, remedy="candles.many_symbols", found=", ".join(map(str, inside[:5])))
    written = as_symbol(str(inside[0])) if inside else None
    # only the name knows whether BTCUSDT means the spot pair or the perpetual
    if written and label.symbol and written.split(":")[0] != label.symbol.split(":")[0]:
        raise BadCandles(source, remedy="candles.symbol_contradicts", named=label.symbol, found=written)
    symbol = label.symbol or written
    if symbol is None:
        raise BadInput("--symbol", source, "candles.symbol_needed")
    return symbol
