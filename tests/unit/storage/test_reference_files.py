"""Every file of the reference candles: the clean load whole, the dirty are flagged for what is wrong with them."""

import re
from collections import Counter
from pathlib import Path

import pytest

from cambist.adapters.storage.candle_files import KnownFiles
from cambist.domain.errors import BadCandles, BadInput
from cambist.domain.timeframe import Timeframe
from cambist.market.series import check

SHARED = Path(__file__).parents[3].parent / "shared/data/01-candles"
pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason=f"the reference candles are not at {SHARED}")

NO_CANDLES = re.compile("funding|mark")
DIRTY = re.compile("^(TRAP|rawcsv)")
TRADES = re.compile("trades")
# whose names do not tell what a venue's file must
OPTIONS = {
    "backtestingpy_GOOG.csv": {"symbol": "GOOG/USD"},
    "orderflow_public_trades_list.csv.gz": {"symbol": "ETH/USDT"},
}


def files(*, dirty=False, trades=False, candles=True):
    """Return (name, rows as the README counts them) of the files of one kind."""
    if not SHARED.is_dir():
        return []
    table = re.findall(r"^\| (\S+) \|.*?\| (\d+) \|", (SHARED / "README.md").read_text(), re.MULTILINE)
    assert len(table) > 50
    return [
        (name, int(count))
        for name, count in table
        if bool(DIRTY.search(name)) == dirty
        and bool(TRADES.search(name)) == trades
        and bool(NO_CANDLES.search(name)) != candles
    ]


def read(name, **options):
    if re.match("freqtrade_|backtestingpy_|orderflow_", name):
        options["venue"] = "binance"
    options |= OPTIONS.get(name, {})
    return KnownFiles().read(SHARED / name, **options)


@pytest.mark.parametrize(("name", "count"), files())
def test_clean_files_load_whole(name, count):
    found = read(name)
    assert len(found.candles) == count
    assert found.dropped == ()
    assert check(found.candles) == []


@pytest.mark.parametrize(("name", "count"), files(trades=True))
def test_trades_become_candles(name, count):
    with pytest.raises(BadInput, match="--timeframe"):
        read(name)
    found = read(name, timeframe=Timeframe.M1)
    rows = count - name.startswith("orderflow")  # the README counts that header as a row
    assert f"made of trades: {rows};" in found.notes[0]
    assert check(found.candles) == []


@pytest.mark.parametrize(("name", "count"), files(candles=False))
def test_funding_and_mark_prices_are_refused_by_their_name(name, count):
    with pytest.raises(BadCandles) as refusal:
        read(name)
    assert ("funding rates" if "funding" in name else "mark prices") in str(refusal.value)


def flaws(name, **options):
    with pytest.raises(BadCandles) as refusal:
        read(name, **options)
    rows = refusal.value.rows
    return refusal.value, Counter(row.key.removeprefix("candles.rule.") for row in rows)


def test_each_dirty_file_has_its_test():
    assert sorted(name for name, _ in files(dirty=True)) == [
        "TRAP_bybit_testnet_BTCUSDT_1m_with_gaps.parquet",
        "rawcsv_TRAP_labelled_bitfinex_is_coinbase_BTCUSD_1h.csv.gz",
        "rawcsv_binance_BTCUSDT_1h_cdd.csv.gz",
        "rawcsv_coinbase_BTCUSD_1h.csv.gz",
        "rawcsv_gemini_BTCUSD_1h.csv.gz",
    ]


@pytest.mark.parametrize("repair", [False, True])
def test_pages_of_a_faulty_downloader_are_not_repaired(repair):
    refusal, _ = flaws("TRAP_bybit_testnet_BTCUSDT_1m_with_gaps.parquet", repair=repair)
    assert refusal.key == "candles.paging_faults"
    assert [refusal.params[name] for name in ("gaps", "length", "between")] == [99, 801, 200]  # 13 h 22 min each


def test_the_wild_first_tick_of_binance_copied_hours_and_the_unfinished_end():
    name = "rawcsv_binance_BTCUSDT_1h_cdd.csv.gz"
    refusal, found = flaws(name)
    assert found == {"jump": 1, "copied": 4, "unfinished": 1}
    assert (refusal.rows[0].row, refusal.rows[0].key) == (1, "candles.rule.jump")
    assert "16199.91" in refusal.rows[0].what
    assert refusal.rows[-1].row == 9221
    repaired = read(name, repair=True).candles
    assert len(repaired) == 9221 - 6
    # of each pair of copies the right one stays: the true series has it at this hour
    true = {candle.ts: candle.close for candle in read("binance_spot_BTCUSDT_1h_2017-2024.parquet").candles}
    hour = 1_506_452_400_000  # 2017-09-26 19:00
    kept = {candle.ts: candle.close for candle in repaired}
    assert kept[hour] == true[hour]
    assert hour - 4 * 3_600_000 not in kept


def test_copied_hours_of_coinbase_newest_first():
    name = "rawcsv_coinbase_BTCUSD_1h.csv.gz"
    refusal, found = flaws(name)
    assert found == {"copied": 5}
    assert "2017-11-12 03-AM" in refusal.rows[0].what
    repaired = read(name, repair=True)
    assert len(repaired.candles) == 20_111 - 5
    assert "newest first: turned round" in repaired.notes


def test_times_of_gemini_that_a_spreadsheet_destroyed():
    name = "rawcsv_gemini_BTCUSD_1h.csv.gz"
    refusal, found = flaws(name)
    assert found == {"rounded": 1693, "price": 1}
    assert (refusal.rows[0].row, refusal.rows[0].key) == (1, "candles.rule.price")
    repaired = read(name, repair=True)
    assert len(repaired.candles) == 25_523 - 1  # the column of dates is whole
    assert repaired.candles.ts[-1] == 1_536_188_400_000  # 2018-09-05 23:00


def test_a_name_of_two_venues_is_doubted_and_its_copied_hours_are_found():
    name = "rawcsv_TRAP_labelled_bitfinex_is_coinbase_BTCUSD_1h.csv.gz"
    with pytest.raises(BadInput, match="bitfinex, coinbase"):
        read(name)
    _, found = flaws(name, venue="bitfinex")
    assert found == {"copied": 5}
    # that it is Coinbase's series cannot be seen in it: tests/unit/usecases/test_import_candles.py compares
