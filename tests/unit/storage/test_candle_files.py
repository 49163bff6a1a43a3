"""Every format, built here: what each archive writes, and what people make of it."""

import gzip
import json
import zipfile
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from cambist.adapters.storage.candle_files import KnownFiles
from cambist.domain.errors import BadCandles, BadInput, NotFound
from cambist.domain.text import speak
from cambist.domain.timeframe import Timeframe

START = 1_704_067_200_000  # Monday 2024-01-01
HOUR = 3_600_000
COUNT = 30
TS = [START + hour * HOUR for hour in range(COUNT)]
# as text, because that is what files hold: open, high, low, close, volume
TEXT = [[f"{100 + at}.1", f"{102 + at}.25", f"{99 + at}.5", f"{101 + at}.123456789", f"1{at}.5"] for at in range(COUNT)]
WANTED = [[float(cell) for cell in row] for row in TEXT]


def date(ts, form="%Y-%m-%d %H:%M:%S"):
    return datetime.fromtimestamp(ts / 1000, UTC).strftime(form)


def lines(rows, header=None, banner=None):
    head = [line for line in (banner, header) if line]
    return "\n".join([*head, *(",".join(map(str, row)) for row in rows)]) + "\n"


def read(path, content=None, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, str):
        path.write_text(content)
    elif content is not None:
        path.write_bytes(content)
    return KnownFiles().read(path, **options)


def refusal(path, content=None, **options):
    with pytest.raises(BadInput) as caught:
        read(path, content, **options)
    return caught.value


def assert_whole(found, symbol="BTC/USDT", venue="binance", timeframe=Timeframe.H1):
    candles = found.candles
    assert (candles.venue, candles.symbol, candles.timeframe) == (venue, symbol, timeframe)
    assert candles.ts.tolist() == TS
    columns = zip(
        *(getattr(candles, name).tolist() for name in ("open", "high", "low", "close", "volume")), strict=True
    )
    assert [list(row) for row in columns] == WANTED
    assert found.dropped == ()


KLINES = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore"
)


@pytest.mark.parametrize("unit", [1, 1000], ids=["ms", "us"])
@pytest.mark.parametrize("header", [None, KLINES], ids=["headerless", "header"])
def test_binance_dumps(tmp_path, unit, header):
    rows = [[ts * unit, *row, (ts + HOUR) * unit - 1, 1, 2, 3, 4, 0] for ts, row in zip(TS, TEXT, strict=True)]
    text = lines(rows, header)
    assert_whole(read(tmp_path / "spot" / "BTCUSDT-1h-2024-01.csv", text, venue="binance"))
    folder = tmp_path / "binance" / "futures" / "um" / "monthly" / "klines" / "BTCUSDT" / "1h"
    assert_whole(read(folder / "BTCUSDT-1h-2024-01.csv.gz", gzip.compress(text.encode())), "BTC/USDT:USDT")
    with zipfile.ZipFile(tmp_path / "BTCUSDT-1h-2024-01.zip", "w") as archive:
        archive.writestr("BTCUSDT-1h-2024-01.csv", text)
    assert_whole(read(tmp_path / "BTCUSDT-1h-2024-01.zip", venue="Binance"))


def test_a_dump_that_changes_from_ms_to_us_midway(tmp_path):
    rows = [[ts if at < 10 else ts * 1000, *row] for at, (ts, row) in enumerate(zip(TS, TEXT, strict=True))]
    assert_whole(read(tmp_path / "binance_BTCUSDT_1h.csv", lines(rows)))


def test_cryptodatadownload(tmp_path):
    rows = [
        [date(ts, "%Y-%m-%d %I-%p"), "BTCUSDT", *row[:4], row[4], 9_999]
        for ts, row in reversed(list(zip(TS, TEXT, strict=True)))
    ]
    banner = "https://www.CryptoDataDownload.com"
    for header in (
        "Date,Symbol,Open,High,Low,Close,Volume From,Volume To",
        "date,symbol,open,high,low,close,volume_btc,volume",
        "date,symbol,open,high,low,close,Volume USDT,Volume BTC",
    ):
        # the volume in the base currency is meant, wherever it stands
        swapped = [[*row[:6], row[7], row[6]] for row in rows] if header.endswith("BTC") else rows
        found = read(tmp_path / "Binance_BTCUSDT_1h.csv", lines(swapped, header, banner))
        assert_whole(found)
        assert found.notes == ("dates without a time zone, read as UTC", "newest first: turned round")


def test_kraken_without_header_in_seconds(tmp_path):
    rows = [[ts // 1000, *row, 17] for ts, row in zip(TS, TEXT, strict=True)]
    assert_whole(read(tmp_path / "kraken" / "XBTUSD_60.csv", lines(rows)), "BTC/USD", "kraken")


def test_bitfinex_order_is_recognised_by_content(tmp_path):
    rows = [[ts, row[0], row[3], row[1], row[2], row[4]] for ts, row in zip(TS, TEXT, strict=True)]
    found = read(tmp_path / "bitfinex_tBTCUSD_1h.csv", lines(rows))
    assert_whole(found, "BTC/USD", "bitfinex")
    assert "Bitfinex" in found.notes[0]
    plain = [[ts, *row] for ts, row in zip(TS, TEXT, strict=True)]
    assert read(tmp_path / "bitfinex_tBTCUSD_1h.csv", lines(plain)).notes == ()


def test_one_bad_row_does_not_turn_the_columns_round(tmp_path):
    rows = [[ts, *row] for ts, row in zip(TS, TEXT, strict=True)]
    rows[5][2], rows[5][4] = rows[5][4], rows[5][2]
    error = refusal(tmp_path / "binance_BTCUSDT_1h.csv", lines(rows))
    assert isinstance(error, BadCandles)
    assert [(row.row, row.key) for row in error.rows] == [(6, "candles.rule.high")]


def test_freqtrade(tmp_path):
    rows = [[ts, *map(float, row)] for ts, row in zip(TS, TEXT, strict=True)]
    assert_whole(read(tmp_path / "data" / "binance" / "BTC_USDT-1h.json", json.dumps(rows)))
    columns = dict(zip(("open", "high", "low", "close", "volume"), zip(*WANTED, strict=True), strict=True))
    table = pa.table({"date": pa.array(TS, pa.timestamp("ms", "UTC"))} | {k: list(v) for k, v in columns.items()})
    futures = tmp_path / "data" / "binance" / "futures" / "BTC_USDT_USDT-1h-futures.feather"
    futures.parent.mkdir(parents=True)
    feather.write_feather(table, futures)
    assert_whole(read(futures), "BTC/USDT:USDT")
    parquet = tmp_path / "data" / "binance" / "BTC_USDT-1h.parquet"
    pq.write_table(table.set_column(0, "date", pa.array(TS, pa.int64())), parquet)
    assert_whole(read(parquet))


@pytest.mark.parametrize(
    ("header", "form"),
    [
        ("Date,Open,High,Low,Close,Volume", lambda ts: date(ts)),
        ("datetime,o,h,l,c,v", lambda ts: date(ts, "%Y-%m-%dT%H:%M:%SZ")),
        ("Time (UTC),Open,High,Low,Close,Vol", lambda ts: date(ts, "%Y-%m-%dT%H:%M:%S.000+00:00")),
        ("Gmt time,Open,High,Low,Close,Volume", lambda ts: date(ts, "%d.%m.%Y %H:%M:%S.000")),
        (",Open,High,Low,Close,Volume", lambda ts: date(ts, "%m/%d/%Y %H:%M")),
        ("date,open,high,low,close,volume", lambda ts: date(ts, "%d/%m/%Y %H:%M")),
        ("date,open,high,low,close,volume", lambda ts: date(ts, "%Y-%m-%d %I:%M %p")),
        ("unix,open,high,low,close,volume", lambda ts: ts // 1000),
        ("timestamp,open,high,low,close,volume", lambda ts: f"{ts / 1000:.1f}"),
        ("t,open,high,low,close,volume", lambda ts: ts * 1_000_000),
    ],
)
def test_usual_names_and_dates(tmp_path, header, form):
    rows = [[form(ts), *row] for ts, row in zip(TS, TEXT, strict=True)]
    found = read(tmp_path / "any.csv", lines(rows, header), venue="binance", symbol="BTC/USDT")
    assert_whole(found)


def test_other_delimiters_quotes_and_a_byte_order_mark(tmp_path):
    rows = [";".join(f'"{cell}"' for cell in (ts, *row)) for ts, row in zip(TS, TEXT, strict=True)]
    content = "\ufefftime;open;high;low;close;volume\r\n" + "\r\n".join(rows)
    assert_whole(read(tmp_path / "btcusdt_1h.csv", content.encode(), venue="binance"))


def test_day_and_month_that_cannot_be_told_apart_are_asked_for(tmp_path):
    days = ["01/02/2024", "02/02/2024"]
    rows = [[day, *row] for day, row in zip(days, TEXT, strict=False)]
    error = refusal(tmp_path / "binance_BTCUSDT.csv", lines(rows, "date,open,high,low,close,volume"))
    assert error.key == "candles.day_or_month"


def test_prices_are_the_nearest_floats_of_their_text(tmp_path):
    rng = np.random.default_rng(2)
    texts = [f"0.{int(digits):017d}" for digits in rng.integers(10**15, 10**17, COUNT)]
    rows = [[ts, text, text, text, text, text] for ts, text in zip(TS, texts, strict=True)]
    candles = read(tmp_path / "binance_SHIBUSDT_1h.csv", lines(rows)).candles
    assert candles.open.tolist() == [float(text) for text in texts]


def test_months_named_by_their_last_day_are_moved_to_their_first(tmp_path):
    days = ["2023-12-31", "2024-01-31", "2024-02-29", "2024-03-31"]
    rows = [[day, *row] for day, row in zip(days, TEXT, strict=False)]
    found = read(tmp_path / "binance_BTCUSDT.csv", lines(rows, "date,open,high,low,close,volume"))
    assert found.candles.timeframe is Timeframe.MO1
    assert [date(ts, "%Y-%m-%d") for ts in found.candles.ts.tolist()] == [
        "2023-12-01",
        "2024-01-01",
        "2024-02-01",
        "2024-03-01",
    ]


def good(**changes):
    """The plain file, with whole rows replaced by position."""
    rows = [[ts, *row] for ts, row in zip(TS, TEXT, strict=True)]
    for at, row in changes.items():
        rows[int(at[1:])] = row
    return rows


HEADER = "timestamp,open,high,low,close,volume"


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ([TS[4], "x", *TEXT[4][1:]], "finite"),
        ([TS[4], "", *TEXT[4][1:]], "finite"),
        ([TS[4], "nan", *TEXT[4][1:]], "finite"),
        ([TS[4], 0, *TEXT[4][1:]], "price"),
        ([TS[4], *TEXT[4][:4], -1], "volume"),
        (["soon", *TEXT[4]], "time"),
        (["1.70407E+12", *TEXT[4]], "rounded"),
        ([TS[4] + 1, *TEXT[4]], "grid"),
        ([TS[3], *TEXT[4]], "twice"),
        ([TS[4], *TEXT[4], 1, 2], "cells"),
        ([TS[4], 5], "cells"),
    ],
)
def test_a_bad_row_is_named_and_repair_drops_it(tmp_path, row, rule):
    path, text = tmp_path / "binance_BTCUSDT_1h.csv", lines(good(r4=row), HEADER)
    error = refusal(path, text)
    assert isinstance(error, BadCandles)
    assert [(one.row, one.what, one.key) for one in error.rows] == [
        (5, ",".join(map(str, row)), f"candles.rule.{rule}")
    ]
    found = read(path, repair=True)
    assert found.candles.ts.tolist() == TS[:4] + TS[5:]
    assert len(found.dropped) == 1
    assert found.dropped[0].startswith("rows dropped: 1 (")


def test_rows_after_a_malformed_one_keep_their_numbers(tmp_path):
    rows = good(r4=[1, 2], r9=[TS[9], 0, 0, 0, 0, 0])
    error = refusal(tmp_path / "binance_BTCUSDT_1h.csv", lines(rows, HEADER, "a banner"))
    assert isinstance(error, BadCandles)
    assert [row.row for row in error.rows] == [5, 10]


def test_repair_sorts_and_says_so(tmp_path):
    rows = good()
    rows[7], rows[8] = rows[8], rows[7]
    error = refusal(tmp_path / "binance_BTCUSDT_1h.csv", lines(rows, HEADER))
    assert isinstance(error, BadCandles)
    assert [row.key for row in error.rows] == ["candles.rule.order"]
    found = read(tmp_path / "binance_BTCUSDT_1h.csv", repair=True)
    assert found.candles.ts.tolist() == TS
    assert found.dropped == ("rows moved: 1 (it stands out of order)",)


def test_times_that_a_spreadsheet_rounded_are_taken_from_the_dates(tmp_path):
    rows = [
        [ts // 1000 if at < 20 else f"{float(ts):.4E}", date(ts, "%m/%d/%Y %H:%M"), *row]
        for at, (ts, row) in enumerate(zip(TS, TEXT, strict=True))
    ]
    text = lines(rows, "Unix Timestamp,Date,Open,High,Low,Close,Volume")
    error = refusal(tmp_path / "gemini_BTCUSD_1hr.csv", text)
    assert isinstance(error, BadCandles)
    assert {row.key for row in error.rows} == {"candles.rule.rounded"}
    assert len(error.rows) == 10
    found = read(tmp_path / "gemini_BTCUSD_1hr.csv", repair=True)
    assert found.candles.ts.tolist() == TS
    assert "10" in found.dropped[0]


def test_trades_become_candles_of_the_timeframe_that_is_given(tmp_path):
    seconds = START // 1000
    rows = [[seconds + 20 * at, f"{100 + at}.5", "0.25"] for at in range(10)]  # three a minute
    path, text = tmp_path / "kraken" / "XBTUSD.csv.gz", gzip.compress(lines(rows).encode())
    error = refusal(path, text)
    assert (error.field, error.key) == ("--timeframe", "candles.trades_need_timeframe")
    found = read(path, timeframe=Timeframe.M1)
    assert found.candles.symbol == "BTC/USD"
    # the first minute is covered from its open; the last is not finished
    assert found.candles.ts.tolist() == [START, START + 60_000, START + 120_000]
    assert found.candles.volume.tolist() == [0.75] * 3


@pytest.mark.parametrize(
    ("name", "header", "what"),
    [
        ("binance_BTCUSDT_8h.csv", "timestamp,funding_rate", "funding rates"),
        ("binance_BTCUSDT-8h-funding_rate.csv", HEADER, "funding rates"),
        ("binance_BTCUSDT-8h-mark.csv", HEADER, "mark prices"),
        ("binance_BTCUSDT.csv", "timestamp,bid,ask", "the columns timestamp, bid, ask"),
    ],
)
def test_what_is_no_candles_is_named(tmp_path, name, header, what):
    rows = [[ts, *row[: header.count(",")]] for ts, row in zip(TS, TEXT, strict=True)]
    assert f"It holds {what}" in str(refusal(tmp_path / name, lines(rows, header)))


def test_the_folder_of_a_person_named_mark_holds_candles(tmp_path):
    assert_whole(read(tmp_path / "mark" / "binance_BTCUSDT_1h.csv", lines(good(), HEADER)))


def test_what_cannot_be_known_is_asked_for(tmp_path):
    text = lines(good(), HEADER)
    assert refusal(tmp_path / "BTCUSDT_1h.csv", text).field == "--venue"
    assert refusal(tmp_path / "binance_1h.csv", text).field == "--symbol"
    assert refusal(tmp_path / "binance_BTCUSDT.csv", lines(good()[:1], HEADER)).field == "--timeframe"
    doubtful = refusal(tmp_path / "bitfinex_or_coinbase_BTCUSD_1h.csv", text)
    assert "bitfinex, coinbase" in str(doubtful)
    assert refusal(tmp_path / "binance_1h.csv", text, symbol="GOOG").key == "candles.symbol_form"
    assert refusal(tmp_path / "binance_BTCUSDT_8h.csv", text).key == "timeframe.known"


def test_a_name_that_contradicts_the_content_is_refused_and_an_option_overrides_it(tmp_path):
    text = lines(good(), HEADER)
    for name in ("binance_BTCUSDT_5m.csv", "binance_BTCUSDT_4h.csv"):
        error = refusal(tmp_path / name, text, repair=True)
        assert error.key == "candles.timeframe_contradicts"
        assert "1h apart" in str(error)
        assert_whole(read(tmp_path / name, timeframe=Timeframe.H1))
    with_symbol = lines(
        [[row[0], "ETHUSDT", *row[1:]] for row in good()], "timestamp,symbol,open,high,low,close,volume"
    )
    assert refusal(tmp_path / "binance_BTCUSDT_1h.csv", with_symbol).key == "candles.symbol_contradicts"
    assert_whole(read(tmp_path / "binance_BTCUSDT_1h.csv", symbol="ETHUSDT"), "ETH/USDT")


def test_several_symbols_in_one_file_are_refused(tmp_path):
    rows = [[row[0], "ETHUSDT" if row[0] == TS[3] else "BTCUSDT", *row[1:]] for row in good()]
    error = refusal(tmp_path / "binance_1h.csv", lines(rows, "timestamp,symbol,open,high,low,close,volume"))
    assert error.key == "candles.many_symbols"


def test_a_series_that_is_shifted_as_a_whole_is_refused_in_one_sentence(tmp_path):
    rows = [[row[0] + 59 * 60_000, *row[1:]] for row in good()]
    error = refusal(tmp_path / "binance_BTCUSDT_1h.csv", lines(rows, HEADER), repair=True)
    assert "59 minutes after the open" in str(error)


def test_gaps_of_a_faulty_download_are_refused_even_with_repair(tmp_path):
    rows = [[START + (page * 121 + at) * HOUR, *TEXT[at]] for page in range(12) for at in range(20)]
    for repair in (False, True):
        error = refusal(tmp_path / "bybit_BTCUSDT_1h.csv", lines(rows, HEADER), repair=repair)
        assert error.key == "candles.paging_faults"
        assert "cambist download bybit BTC/USDT 1h" in str(error)


def test_a_file_that_is_not_there_or_no_table_is_said_to_be(tmp_path):
    with pytest.raises(NotFound, match="nowhere"):
        read(tmp_path / "nowhere.csv")
    for name, content in (
        ("binance_BTCUSDT_1h.parquet", b"no parquet"),
        ("binance_BTCUSDT_1h.feather", b"no feather"),
        ("binance_BTCUSDT_1h.csv.gz", b"not zipped"),
        ("binance_BTCUSDT_1h.zip", b"not zipped"),
        ("binance_BTCUSDT_1h.json", b'{"a": 1}'),
        ("binance_BTCUSDT_1h.csv", b"\x00\xff\xfe\x81\n\x81,\x81"),
        ("binance_BTCUSDT_1h.csv", b""),
        ("binance_BTCUSDT_1h.csv", b"time,open,high,low,close,volume\n"),
        ("binance_BTCUSDT_1h.json", b"[]"),
    ):
        assert isinstance(refusal(tmp_path / name, content), BadCandles)


def test_refusals_are_said_in_french(tmp_path):
    speak("fr")
    try:
        error = refusal(tmp_path / "binance_BTCUSDT_1h.csv", lines(good(r4=[TS[4], 0, 0, 0, 0, 0]), HEADER))
        assert isinstance(error, BadCandles)
        assert "ligne 5" in str(error.rows[0])
        assert "un prix est nul" in str(error.rows[0])
    finally:
        speak("en")
