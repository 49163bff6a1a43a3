"""`cambist download` as people run it: the real command, the real ccxt, real HTTP, and an exchange that fails."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from cambist.adapters.storage.candles import ParquetLake
from cambist.adapters.venues.ccxt.backoff import Backoff
from cambist.adapters.venues.ccxt.public import CcxtPublicMarket
from cambist.apps.cli.main import main
from cambist.domain.candles import Candles
from cambist.domain.errors import VenueUnavailable
from cambist.domain.instrument import Instrument
from cambist.domain.text import speak
from cambist.domain.timeframe import Timeframe
from cambist.market.resample import resample
from cambist.market.series import build
from cambist.market.synthetic import synthetic_market
from cambist.simulators.binance import BinanceSimulator
from cambist.simulators.faults import Fault, Kind
from cambist.usecases.download import download

HOUR = Timeframe.H1.ms
START = 1_704_067_200_000  # 2024-01-01
COLUMNS = ("ts", "open", "high", "low", "close", "volume")
SPAN = ("--since", "2024-01-01", "--until", "2024-05-24T08:00")  # 3,464 hours: four pages
COUNT = 3_464


def market(count: int = COUNT, timeframe: Timeframe = Timeframe.H1) -> Candles:
    made = synthetic_market(("BTC/USDT",), start_ms=START, count=count, timeframe=timeframe, seed=7)["BTC/USDT"]
    return replace(made, venue="binance")


def without(candles: Candles, first: int, last: int) -> Candles:
    columns = (np.delete(getattr(candles, name), slice(first, last)) for name in COLUMNS)
    return build(candles.venue, candles.symbol, candles.timeframe, *columns)


def assert_same(found: Candles, expected: Candles) -> None:
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name, strict=True)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("CAMBIST_HOME", str(tmp_path))
    monkeypatch.setenv("CAMBIST_LANG", "en")
    yield tmp_path
    speak("en")


@pytest.fixture
def lake(home: Path) -> ParquetLake:
    return ParquetLake(home / "candles")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch):
    def command(server: BinanceSimulator, *arguments: str) -> int:
        monkeypatch.setenv("CAMBIST_VENUE_URL", server.url)
        with pytest.raises(SystemExit) as ended:
            main(["download", *(arguments or ("binance", "BTC/USDT", "1h", *SPAN))])
        return int(ended.value.code or 0)

    return command


def asked(server: BinanceSimulator) -> list[tuple[int, int]]:
    """Return what was asked for: (first open, number of candles), request by request."""
    return [(int(one.params["startTime"]), int(one.params["limit"])) for one in server.requests()]


def hours(*pairs: tuple[int, int]) -> list[tuple[int, int]]:
    return [(START + first * HOUR, count) for first, count in pairs]


PAGES = hours((0, 1000), (1000, 1000), (2000, 1000), (3000, 464))


def test_a_download_brings_every_candle_and_a_second_one_asks_for_none(run, lake, capsys):
    source = market()
    with BinanceSimulator(source) as server:
        assert run(server) == 0
        assert asked(server) == PAGES
        assert "3,464 new candles of binance BTC/USDT 1h" in capsys.readouterr().out
        assert_same(lake.read("binance", "BTC/USDT", Timeframe.H1), source)
        server.served.clear()
        assert run(server) == 0
        assert asked(server) == []
        assert "Nothing new" in capsys.readouterr().out


def test_every_digit_of_a_price_survives(run, lake):
    generator = np.random.default_rng(3)
    price = generator.uniform(1e-9, 1e6, 500) * 10.0 ** generator.integers(-6, 3, 500)
    ts = START + np.arange(500) * HOUR
    source = build("binance", "BTC/USDT", Timeframe.H1, ts, price, price * 1.1, price * 0.9, price, price / 7)
    with BinanceSimulator(source) as server:
        assert run(server) == 0
    assert_same(lake.read("binance", "BTC/USDT", Timeframe.H1), source)


FAULTS = {
    "429, come back in one second": Fault(kind=Kind.STATUS, status=429, retry_after="1"),
    "418, come back in one second": Fault(kind=Kind.STATUS, status=418, retry_after="1"),
    "500": Fault(kind=Kind.STATUS, status=500),
    "503, twice": Fault(kind=Kind.STATUS, status=503, times=2),
    "a web page with status 502": Fault(kind=Kind.HTML, status=502),
    "a web page with status 200": Fault(kind=Kind.HTML, status=200),
    "the connection breaks in mid-body": Fault(kind=Kind.RESET),
    "half of the JSON": Fault(kind=Kind.TRUNCATED),
    "rows twice and out of order": Fault(kind=Kind.DUPLICATES),
    "a slow answer": Fault(kind=Kind.LATENCY, seconds=0.5),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_the_lake_is_whole_whatever_goes_wrong(run, lake, fault):
    source = market()
    with BinanceSimulator(source, faults=[replace(fault, skip=1)]) as server:
        started = time.monotonic()
        assert run(server) == 0
        took = time.monotonic() - started
        assert [one.fault for one in server.requests()][1] is fault.kind
        if fault.retry_after is not None:
            assert took >= float(fault.retry_after)
    assert_same(lake.read("binance", "BTC/USDT", Timeframe.H1), source)


@pytest.mark.parametrize("path", ["/api/v3/exchangeInfo", "/api/v3/time"])
@pytest.mark.parametrize("kind", [Kind.TRUNCATED, Kind.HTML, Kind.RESET])
def test_the_questions_before_the_first_candle_are_asked_again_too(lake, path, kind):
    source = market(50)
    with BinanceSimulator(source, faults=[Fault(kind=kind, path=path, status=200)]) as server:
        fetch(server, lake)
        assert len(server.requests(path)) == 2
    assert_same(lake.read("binance", "BTC/USDT", Timeframe.H1), source)


def fetch(server: BinanceSimulator, lake: ParquetLake, *, timeout_s: float = 60.0, tries: int = 3):
    venue = CcxtPublicMarket("binance", server.url, timeout_s=timeout_s, backoff=Backoff(tries=tries, first_s=0.01))
    until = START + COUNT * HOUR
    return download(venue, lake, venue="binance", symbol="BTC/USDT", timeframe=Timeframe.H1, since=START, until=until)


def test_a_venue_that_does_not_answer_is_asked_again_in_time(lake):
    source = market()
    with BinanceSimulator(source, faults=[Fault(kind=Kind.STALL, seconds=30, skip=1)]) as server:
        fetch(server, lake, timeout_s=0.3, tries=20)
    assert_same(lake.read("binance", "BTC/USDT", Timeframe.H1), source)


def test_giving_up_keeps_what_arrived_and_the_next_run_goes_on_from_there(run, lake):
    source = market()
    with BinanceSimulator(source, faults=[Fault(kind=Kind.STATUS, skip=2, times=3)]) as server:
        with pytest.raises(VenueUnavailable, match=r"gave up after 3 tries\. Check the connection"):
            fetch(server, lake)
        assert_same(lake.read("binance", "BTC/USDT", Timeframe.H1), source[:2000])
        server.served.clear()
        assert run(server) == 0
        assert asked(server) == PAGES[2:]
    assert_same(lake.read("binance", "BTC/USDT", Timeframe.H1), source)


def test_a_refusal_ends_it_at_once_in_one_sentence(run, capsys):
    with BinanceSimulator(market(), faults=[Fault(kind=Kind.STATUS, status=451, skip=1)]) as server:
        assert run(server) == 1
        assert len(server.requests()) == 2
    errors = capsys.readouterr().err.splitlines()
    assert errors[0] == "The 1,000 candles that arrived are kept."
    assert errors[1].startswith("cambist: binance refused: 451")


def test_only_what_is_missing_is_asked_for(run, lake):
    source = market()
    lake.append(source[500:1200])
    lake.append(source[2600:3000])
    with BinanceSimulator(source) as server:
        assert run(server) == 0
        assert asked(server) == hours((0, 500), (1200, 1000), (2200, 400), (3000, 464))
    assert_same(lake.read("binance", "BTC/USDT", Timeframe.H1), source)


def test_without_a_beginning_it_tops_up_what_the_lake_holds(run, lake):
    source = market()
    lake.append(source[1000:3400])
    with BinanceSimulator(source) as server:
        assert run(server, "binance", "BTC/USDT", "1h", "--until", "2024-05-24T08:00") == 0
        assert asked(server) == hours((3400, 64))
    assert_same(lake.read("binance", "BTC/USDT", Timeframe.H1), source[1000:])


def test_the_unfinished_candle_never_comes_out_and_comes_whole_once_it_has_closed(run, lake):
    source = market(1500)
    half_past = START + 1200 * HOUR + HOUR // 2
    with BinanceSimulator(source, now_ms=half_past) as server:
        assert run(server) == 0
        assert_same(lake.read("binance", "BTC/USDT", Timeframe.H1), source[:1200])
        server.served.clear()
        server.now_ms = half_past + HOUR
        assert run(server) == 0
        assert asked(server) == hours((1200, 1))
    assert_same(lake.read("binance", "BTC/USDT", Timeframe.H1), source[:1201])


def test_an_unfinished_candle_behind_a_hole_is_dropped_though_the_venue_sends_it(run, lake):
    source = without(market(1500), 1190, 1200)
    with BinanceSimulator(source, now_ms=START + 1200 * HOUR + HOUR // 2) as server:
        assert run(server) == 0
        assert server.requests()[-1].rows[-1] == START + 1200 * HOUR
    assert_same(lake.read("binance", "BTC/USDT", Timeframe.H1), source[:1190])


def test_before_the_listing_across_holes_and_after_the_delisting(run, lake, capsys):
    source = market(60_000, Timeframe.M1)
    source = without(source, 20_000, 35_000)
    with BinanceSimulator(source, now_ms=START + 3 * 365 * 86_400_000) as server:
        ends = ("--since", "2021-01-01", "--until", "2026-01-01")
        assert run(server, "binance", "BTC/USDT", "1m", *ends) == 0
        assert len(server.requests()) < 60
    assert_same(lake.read("binance", "BTC/USDT", Timeframe.M1), source)
    assert "do not exist at binance" in capsys.readouterr().out


def test_ten_minutes_are_gathered_from_the_five_that_binance_keeps(run, lake):
    fives = without(market(5_000, Timeframe.M5), 2_001, 2_009)
    with BinanceSimulator(fives) as server:
        assert run(server, "binance", "BTC/USDT", "10m", "--since", "2024-01-01", "--until", "2024-01-18T08:40") == 0
        assert {one.params["interval"] for one in server.requests()} == {"5m"}
    assert_same(lake.read("binance", "BTC/USDT", Timeframe.M10), resample(fives, Timeframe.M10))


def test_months_are_fetched_as_the_calendar_has_them(run, lake):
    days = market(400, Timeframe.D1)
    with BinanceSimulator(days) as server:
        assert run(server, "binance", "BTC/USDT", "1M", "--since", "2023-06-01", "--until", "2025-06-01") == 0
    found, expected = lake.read("binance", "BTC/USDT", Timeframe.MO1), resample(days, Timeframe.MO1)
    # the exchange adds volumes up exactly, floats only nearly so
    np.testing.assert_allclose(found.volume, expected.volume, rtol=1e-14)
    assert_same(replace(found, volume=expected.volume), expected)


def test_the_rules_of_the_market_are_kept_beside_its_candles(run, lake):
    rules = Instrument(
        venue="binance",
        symbol="BTC/USDT",
        tick_size=Decimal("0.01"),
        lot_step=Decimal("0.00001"),
        min_notional=Decimal(5),
        min_quantity=Decimal("0.00001"),
        maker_fee_bps=Decimal(10),
        taker_fee_bps=Decimal(10),
    )
    with BinanceSimulator(market(10), instruments=[rules]) as server:
        assert run(server) == 0
    assert lake.instrument("binance", "BTC/USDT") == rules


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("binanse", "BTC/USDT", "1h"), "Did you mean: binance"),
        (("binance", "BTCUSDT", "1h"), "Did you mean: BTC/USDT?"),
        (("binance", "BTC/USDT", "7m"), "Use one of: 1m 3m"),
        (("binance", "BTC/USDT", "1h"), "say where to begin"),
        (("binance", "BTC/USDT", "1h", "--since", "yesterday"), "such as 2024-01-31"),
        (("binance", "BTC/USDT", "1h", "--since", "2024-02-01", "--until", "2024-01-01"), "after the beginning"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence_with_what_would_be_right(run, capsys, arguments, sentence):
    with BinanceSimulator(market(10)) as server:
        assert run(server, *arguments) == 1
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1


def test_it_speaks_french_too(run, capsys, monkeypatch):
    monkeypatch.setenv("CAMBIST_LANG", "fr")
    with BinanceSimulator(market(10)) as server:
        assert run(server) == 0
    assert "10 nouvelles bougies" in capsys.readouterr().out


def test_ctrl_c_keeps_complete_pages_and_the_same_command_goes_on(run, lake):
    source = market()
    slow = Fault(kind=Kind.LATENCY, seconds=0.4, skip=1, times=1)
    silent = Fault(kind=Kind.STALL, seconds=60, skip=2, times=1)
    with BinanceSimulator(source, faults=[slow, silent]) as server:
        program = [sys.executable, "-c", "from cambist.apps.cli.main import main; main()"]
        process = subprocess.Popen(
            [*program, "download", "binance", "BTC/USDT", "1h", *SPAN],
            env=os.environ | {"CAMBIST_VENUE_URL": server.url},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        deadline = time.monotonic() + 300
        while len(server.requests()) < 3 and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=300)
        assert process.returncode == 130, error
        assert out == ""
        assert re.fullmatch(r"Stopped\. 2,000 new candles of binance BTC/USDT 1h are kept; .* goes on .*\n", error)
        assert_same(lake.read("binance", "BTC/USDT", Timeframe.H1), source[:2000])
        server.served.clear()
        assert run(server) == 0
        assert asked(server) == PAGES[2:]
    assert_same(lake.read("binance", "BTC/USDT", Timeframe.H1), source)
