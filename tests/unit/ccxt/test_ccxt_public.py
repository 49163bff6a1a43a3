"""What the end-to-end tests of `cambist download` do not reach."""

import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from cambist.adapters.venues.ccxt.backoff import Backoff
from cambist.adapters.venues.ccxt.client import connect, load_only, market_kind, moved
from cambist.adapters.venues.ccxt.gather import gathered
from cambist.adapters.venues.ccxt.lazy import venues
from cambist.adapters.venues.ccxt.public import CcxtPublicMarket
from cambist.domain.candles import Candles
from cambist.domain.errors import BadInput, NotFound
from cambist.domain.timeframe import Timeframe
from cambist.market.resample import resample
from cambist.market.series import build
from cambist.market.synthetic import synthetic_market
from cambist.simulators.binance import BinanceSimulator

START = 1_704_067_200_000


def market(count: int, timeframe: Timeframe = Timeframe.H1) -> Candles:
    made = synthetic_market(("BTC/USDT",), start_ms=START, count=count, timeframe=timeframe, seed=11)["BTC/USDT"]
    return replace(made, venue="binance")


def venue(server: BinanceSimulator) -> CcxtPublicMarket:
    return CcxtPublicMarket("binance", server.url, backoff=Backoff(first_s=0.01))


def test_pages_keep_to_the_venues_limit_and_begin_at_the_next_open():
    source = market(2_100)
    with BinanceSimulator(source) as server:
        pages = list(venue(server).candles("BTC/USDT", Timeframe.H1, START + 1, START + 2_050 * Timeframe.H1.ms - 1))
    assert [len(page) for page in pages] == [1000, 1000, 49]
    assert pages[0].ts[0] == source.ts[1]


def test_an_impossible_row_is_left_out_and_said_not_the_page_around_it(caplog):
    source = market(30)
    high = source.high.copy()
    high[7] = source.low[7] / 2
    with BinanceSimulator(replace(source, high=high)) as server:
        pages = list(venue(server).candles("BTC/USDT", Timeframe.H1, START, START + 30 * Timeframe.H1.ms))
    np.testing.assert_array_equal(np.concatenate([page.ts for page in pages]), np.delete(source.ts, 7))
    assert "sent 1 candles that cannot be" in caplog.text


def test_the_venues_clock_is_asked_once_for_many_spans():
    with BinanceSimulator(market(100)) as server:
        public = venue(server)
        for hour in (0, 20, 40):
            list(public.candles("BTC/USDT", Timeframe.H1, START + hour * Timeframe.H1.ms, START + 60 * Timeframe.H1.ms))
        assert len(server.requests("/api/v3/time")) == 1
        assert len(server.requests("/api/v3/exchangeInfo")) == 1


def test_after_a_machine_has_slept_the_venues_clock_is_asked_anew(monkeypatch):
    hour = Timeframe.H1.ms
    with BinanceSimulator(market(100), now_ms=START + 10 * hour) as server:
        public = venue(server)
        assert sum(map(len, public.candles("BTC/USDT", Timeframe.H1, START, START + 100 * hour))) == 10
        server.now_ms += 20 * hour
        slept = SimpleNamespace(time=lambda: time.time() + 20 * 3_600, monotonic=time.monotonic)
        monkeypatch.setattr("cambist.adapters.venues.ccxt.public.time", slept)
        assert sum(map(len, public.candles("BTC/USDT", Timeframe.H1, START, START + 100 * hour))) == 30


def test_near_matches_look_past_case_and_signs():
    with BinanceSimulator(*(replace(market(1), symbol=s) for s in ("BTC/USDT", "ETH/BTC", "DOGE/USDT"))) as server:
        with pytest.raises(NotFound, match=r"mean: DOGE/USDT"):
            venue(server).instrument("doge-usdt")
        with pytest.raises(NotFound, match=r"written like BTC/USDT"):
            venue(server).instrument("QQQQQ")


def test_an_unknown_venue_names_near_ones():
    with pytest.raises(BadInput, match=r"Did you mean: kraken"):
        CcxtPublicMarket("krakn")


def test_a_venue_from_whose_candles_a_timeframe_cannot_be_made_says_which_it_keeps():
    with BinanceSimulator(market(1)) as server:
        public = venue(server)
        public._exchange.timeframes = {"1h": "1h", "1d": "1d"}
        with pytest.raises(BadInput, match=r"it offers: 1h 1d"):
            public.candles("BTC/USDT", Timeframe.M10, START, START + 1)


@pytest.mark.parametrize("name", sorted(venues()))
def test_every_exchange_can_be_set_up_with_numbers_as_text_and_moved_as_a_whole(name):
    exchange = connect(name, base_url="http://127.0.0.1:9")

    def addresses(urls: object) -> list[str]:
        return [a for url in urls.values() for a in addresses(url)] if isinstance(urls, dict) else [str(urls)]

    assert exchange.number is str
    assert exchange.parse_number("0.10") == "0.10"
    assert all("://127.0.0.1:9/" in address for address in addresses(exchange.urls["api"]))


def test_addresses_are_moved_at_any_depth():
    urls = {"rest": "https://api.{hostname}/v3", "ws": {"spot": "wss://stream.x.com:9443/ws"}}
    assert moved(urls, "http://127.0.0.1:80", "x.com") == {
        "rest": "http://127.0.0.1:80/api.x.com/v3",
        "ws": {"spot": "ws://127.0.0.1:80/stream.x.com:9443/ws"},
    }


def test_only_the_family_of_markets_asked_for_is_loaded():
    assert [market_kind(symbol) for symbol in ("BTC/USDT", "BTC/USDT:USDT", "BTC/USD:BTC")] == [
        "spot",
        "linear",
        "inverse",
    ]
    binance, okx = connect("binance"), connect("okx")
    for kind in ("linear", "spot"):
        load_only(binance, kind)
        assert binance.options["fetchMarkets"]["types"] == [kind]
    load_only(okx, "linear")
    assert okx.options["fetchMarkets"]["types"] == ["swap"]


@pytest.mark.parametrize("cut", [1, 2, 3, 7, 100])
def test_gathering_page_by_page_equals_resampling_the_whole(cut):
    fives = market(400, Timeframe.M5)
    keep = np.random.default_rng(5).random(400) > 0.3  # nobody traded in the others
    columns = [getattr(fives, name)[keep] for name in ("ts", "open", "high", "low", "close", "volume")]
    fives = build("binance", "BTC/USDT", Timeframe.M5, *columns)
    made = list(gathered((fives[i : i + cut] for i in range(0, len(fives), cut)), Timeframe.M15))
    whole = resample(fives, Timeframe.M15, keep_first=True)
    for name in ("ts", "open", "high", "low", "close", "volume"):
        together = np.concatenate([getattr(page, name) for page in made])
        np.testing.assert_array_equal(together[: len(whole)], getattr(whole, name))
    assert int(made[-1].ts[-1]) == Timeframe.M15.floor(int(fives.ts[-1]))
