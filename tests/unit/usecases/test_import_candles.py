from pathlib import Path

import numpy as np
import pytest

from cambist.adapters.storage.candle_files import KnownFiles
from cambist.adapters.storage.candles import ParquetLake
from cambist.domain.errors import BadCandles, BadInput, NotFound, Stopped
from cambist.domain.timeframe import Timeframe
from cambist.market.series import build
from cambist.ports.history import FileRead
from cambist.usecases.import_candles import Imported, Refused, import_candles

SHARED = Path(__file__).parents[3].parent / "shared/data/01-candles"
START = 1_704_067_200_000


def series(venue="binance", symbol="BTC/USDT", factor=1.0, seed=1, count=300):
    close = factor * 100 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.001, count)))
    ts = START + np.arange(count) * Timeframe.M1.ms
    return build(venue, symbol, Timeframe.M1, ts, close, close * 1.001, close * 0.999, close, close)


class Files:
    """Files that are known by their names alone."""

    def __init__(self, **held):
        self.held = held

    def read(self, path, *, venue=None, symbol=None, timeframe=None, repair=False):
        found = self.held[path.name]
        if isinstance(found, Exception):
            raise found
        return FileRead(candles=found, notes=("read",))


def run(lake, names=None, **held):
    return list(import_candles(Files(**held), lake, [Path(name) for name in names or held]))


@pytest.fixture
def lake(tmp_path):
    return ParquetLake(tmp_path)


def test_one_bad_file_does_not_stop_the_others(lake):
    first, bad, missing, last = run(
        lake, a=series(), b=BadCandles("b"), c=NotFound("candles.no_file", path="c"), d=series(symbol="ETH/USDT")
    )
    assert isinstance(first, Imported)
    assert (first.count, first.appended.added, first.notes) == (300, 300, ("read",))
    assert isinstance(bad, Refused)
    assert isinstance(missing, Refused)
    assert isinstance(last, Imported)
    assert [one.symbol for one in lake.series()] == ["BTC/USDT", "ETH/USDT"]


def test_ctrl_c_stops_and_keeps_what_was_done(lake):
    outcomes = import_candles(Files(a=series(), b=Stopped("cli.stopped")), lake, [Path("a"), Path("b")])
    assert isinstance(next(outcomes), Imported)
    with pytest.raises(Stopped):
        next(outcomes)
    assert len(lake.series()) == 1


def test_the_same_closes_on_another_venue_are_doubted(lake):
    _, copy = run(lake, a=series("coinbase"), b=series("bitfinex"))
    assert isinstance(copy, Imported)
    assert copy.notes[1:] == (
        "100.0% of the closes are those of coinbase BTC/USDT 1m: one of the two bears the wrong label",
    )


def test_spot_under_the_name_of_the_perpetual_is_doubted(lake):
    _, copy = run(lake, a=series(), b=series(symbol="BTC/USDT:USDT"))
    assert isinstance(copy, Imported)
    assert "binance BTC/USDT 1m" in copy.notes[1]


def test_prices_far_from_every_other_market_are_doubted(lake):
    _, testnet = run(lake, a=series(), b=series("bybit", factor=0.5))
    assert isinstance(testnet, Imported)
    assert "typically 69% away from binance BTC/USDT 1m" in testnet.notes[1]


def test_markets_that_differ_a_little_and_other_pairs_are_not_doubted(lake):
    outcomes = run(lake, a=series(), b=series("kraken", factor=1.001), c=series(symbol="ETH/USDT"))
    assert [outcome.notes for outcome in outcomes if isinstance(outcome, Imported)] == [("read",)] * 3


def test_what_contradicts_the_lake_is_said(lake):
    _, again, other = run(lake, ["a", "a", "b"], a=series(), b=series(seed=2))
    assert isinstance(again, Imported)
    assert (again.appended.added, again.appended.replaced, again.notes) == (0, 0, ("read",))
    assert isinstance(other, Imported)
    assert other.appended.replaced == 300
    assert "of 300 candles that the lake held already, 100.0% closed at another price" in other.notes[1]


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"the reference candles are not at {SHARED}")
def test_coinbase_under_the_name_of_bitfinex_is_found_beside_coinbase(lake):
    files = KnownFiles()
    true = SHARED / "rawcsv_coinbase_BTCUSD_1h.csv.gz"
    false = SHARED / "rawcsv_TRAP_labelled_bitfinex_is_coinbase_BTCUSD_1h.csv.gz"
    list(import_candles(files, lake, [true], repair=True))
    (doubted,) = import_candles(files, lake, [false], venue="bitfinex", repair=True)
    assert isinstance(doubted, Imported)
    assert "those of coinbase BTC/USD 1h" in doubted.notes[-1]
    (refused,) = import_candles(files, lake, [false], repair=True)
    assert isinstance(refused, Refused)
    assert isinstance(refused.error, BadInput)
