"""The simulator against the exchange's documentation, through a plain HTTP client."""

import asyncio
import gc
import json
import socket
import urllib.error
import urllib.request
import warnings
from urllib.parse import urlsplit

import aiohttp
import pytest

from cambist.domain.timeframe import Timeframe
from cambist.market.synthetic import synthetic_market
from cambist.simulators.binance import BinanceSimulator, ExchangeServer
from cambist.simulators.clock import Clock
from cambist.simulators.faults import Fault, Kind

START = 1_704_067_200_000
HOUR = Timeframe.H1.ms
SOURCE = synthetic_market(("BTC/USDT",), start_ms=START, count=1_300, timeframe=Timeframe.H1, seed=1)["BTC/USDT"]


@pytest.fixture
def server():
    with BinanceSimulator(SOURCE) as running:
        yield running


def get(server: BinanceSimulator, query: str) -> object:
    with urllib.request.urlopen(f"{server.url}/api/v3/{query}", timeout=5) as answer:
        return json.load(answer)


def klines(server: BinanceSimulator, query: str = "") -> list[list]:
    rows = get(server, f"klines?symbol=BTCUSDT&interval=1h{query}")
    assert isinstance(rows, list)
    return rows


def test_ping_and_time(server):
    assert get(server, "ping") == {}
    assert get(server, "time") == {"serverTime": START + 1_300 * HOUR}


def test_a_kline_has_twelve_fields_with_its_numbers_as_text(server):
    row = klines(server, f"&startTime={START}&limit=1")[0]
    assert [type(cell) for cell in row] == [int, str, str, str, str, str, int, str, int, str, str, str]
    assert (row[0], row[6]) == (START, START + HOUR - 1)
    assert [float(cell) for cell in row[1:6]] == [
        getattr(SOURCE, name)[0] for name in ("open", "high", "low", "close", "volume")
    ]
    assert all(len(cell.split(".")[1]) >= 8 for cell in row[1:6])


@pytest.mark.parametrize(
    ("query", "first", "count"),
    [
        ("", 800, 500),
        ("&limit=3", 1_297, 3),
        ("&limit=5000", 300, 1_000),
        (f"&startTime={START}", 0, 500),
        (f"&startTime={START + 1}&limit=2", 1, 2),
        (f"&startTime={START}&endTime={START + HOUR}", 0, 2),
        (f"&endTime={START + 10 * HOUR}&limit=4", 7, 4),
    ],
)
def test_start_end_and_limit(server, query, first, count):
    opens = [row[0] for row in klines(server, query)]
    assert opens == [START + hour * HOUR for hour in range(first, first + count)]


def test_other_intervals_are_made_of_the_same_candles(server):
    rows = get(server, f"klines?symbol=BTCUSDT&interval=1d&startTime={START}&limit=1")
    assert isinstance(rows, list)
    assert float(rows[0][2]) == SOURCE.high[:24].max()
    assert float(rows[0][4]) == SOURCE.close[23]


def test_the_last_candle_is_unfinished_while_the_clock_stands_in_it():
    with BinanceSimulator(SOURCE, now_ms=START + 5 * HOUR + 60_000) as server:
        last = klines(server)[-1]
    assert last[0] == START + 5 * HOUR
    assert float(last[5]) < SOURCE.volume[5]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("klines?symbol=NOPE&interval=1h", -1121),
        ("klines?symbol=BTCUSDT&interval=10m", -1120),
        ("klines?symbol=BTCUSDT", -1102),
        ("klines?symbol=BTCUSDT&interval=1h&limit=--5", -1100),
        ("klines?symbol=BTCUSDT&interval=1h&limit=%C2%B2", -1100),
        ("depth?symbol=BTCUSDT&limit=much", -1100),
    ],
)
def test_refusals_carry_the_exchanges_codes(server, query, code):
    with pytest.raises(urllib.error.HTTPError) as refused:
        get(server, query)
    with refused.value as answer:
        assert (answer.status, json.load(answer)["code"]) == (400, code)


def test_before_the_first_trade_nothing_is_offered():
    with BinanceSimulator(SOURCE, now_ms=START - 1) as server:
        told = get(server, "ticker/bookTicker?symbol=BTCUSDT")
    assert told == {
        "symbol": "BTCUSDT",
        **dict.fromkeys(("bidPrice", "bidQty", "askPrice", "askQty"), "0.00000000"),
    }


def test_exchange_info_names_the_filters(server):
    info = get(server, "exchangeInfo")
    assert isinstance(info, dict)
    assert [one["symbol"] for one in info["symbols"]] == ["BTCUSDT"]
    assert {one["filterType"] for one in info["symbols"][0]["filters"]} == {
        "PRICE_FILTER",
        "LOT_SIZE",
        "MARKET_LOT_SIZE",
        "PERCENT_PRICE_BY_SIDE",
        "NOTIONAL",
        "MAX_NUM_ORDERS",
        "MAX_NUM_ALGO_ORDERS",
    }


def test_paths_may_be_led_by_the_host_and_requests_are_recorded(server):
    with urllib.request.urlopen(f"{server.url}/api.binance.com/api/v3/klines?symbol=BTCUSDT&interval=1h") as answer:
        json.load(answer)
    served = server.requests()
    assert (served[0].status, served[0].params["interval"], len(served[0].rows)) == (200, "1h", 500)


def test_a_fault_lets_requests_pass_then_strikes_so_often():
    fault = Fault(kind=Kind.STATUS, status=429, retry_after="9", path="/api/v3/ping", skip=1, times=1)
    with BinanceSimulator(SOURCE, faults=[fault]) as server:
        get(server, "ping")
        with pytest.raises(urllib.error.HTTPError) as limited:
            get(server, "ping")
        with limited.value as answer:
            assert answer.headers["Retry-After"] == "9"
        get(server, "ping")
        assert [one.fault for one in server.requests("/api/v3/ping")] == [None, Kind.STATUS, None]


def test_an_exchange_that_is_down_already_does_not_go_down_again():
    async def twice() -> None:
        server = ExchangeServer([SOURCE])
        address = urlsplit(await server.start())
        await asyncio.gather(server.refuse(0), server.refuse(0))
        _, writer = await asyncio.open_connection(address.hostname, address.port)
        writer.close()
        await server.stop()

    asyncio.run(twice())


def test_an_exchange_restarts_though_a_client_does_not_read():
    async def restart() -> None:
        server = ExchangeServer([SOURCE], clock=Clock(START, speed=0))
        url = await server.start()
        names = "/".join(f"btcusdt@{name}" for name in ("trade", "ticker", "depth20", "aggTrade", "bookTicker"))
        async with aiohttp.ClientSession() as session, session.ws_connect(f"{url}/ws/{names}"):
            server.clock.advance(500 * HOUR)
            server.step()
            async with asyncio.timeout(10):
                await server.restart()
                while server.streams.sockets:
                    await asyncio.sleep(0)
        await server.stop()

    asyncio.run(restart())


async def _knock_while_it_goes_down(turns: int) -> None:
    server = ExchangeServer([SOURCE], instruments=(), customers=())
    address = urlsplit(await server.start())
    knocking = []
    for _ in range(10):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex((address.hostname, address.port))
        knocking.append(client)
    for _ in range(turns):  # of the loop: accepted, handed over, served
        await asyncio.sleep(0)
    await server.refuse(0)
    for client in knocking:
        client.close()
    await server.stop()


@pytest.mark.parametrize("turns", range(4))
def test_who_connects_while_it_goes_down_is_not_left_hanging(turns):
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always", ResourceWarning)
        asyncio.run(_knock_while_it_goes_down(turns))
        gc.collect()
    assert [str(one.message) for one in heard if one.category is ResourceWarning] == []
