"""Kraken in a box under ccxt, REST and pro, unmodified: only its addresses are changed."""

import asyncio
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from typing import Any

import ccxt
import ccxt.pro
import pytest
from tests.unit.simulators.krakens import ALICE, CANDLES, HELD, NOW, RULES, SECRET, SYMBOL, UNLIMITED

from cambist.domain.timeframe import MINUTE_MS
from cambist.simulators.clock import Clock
from cambist.simulators.faults import Fault, Kind
from cambist.simulators.kraken import KrakenServer, Limits


@asynccontextmanager
async def opened(limits: Limits) -> AsyncIterator[tuple[KrakenServer, Any]]:
    server = KrakenServer(
        CANDLES.values(),
        instruments=RULES,
        customers=[ALICE],
        clock=Clock(NOW, speed=0),
        same_clock=True,
        limits=limits,
    )
    url = await server.start()
    client = ccxt.pro.kraken({"apiKey": "k", "secret": SECRET, "enableRateLimit": False})
    client.urls["api"] |= {"public": url, "private": url}
    sockets = "ws" + url.removeprefix("http")
    client.urls["api"]["ws"] |= {"private": sockets, "privateV2": f"{sockets}/v2", "publicV2": f"{sockets}/v2"}
    try:
        yield server, client
    finally:
        await client.close()
        await server.stop()


def run(body: Callable[[KrakenServer, Any], Awaitable[None]], limits: Limits = UNLIMITED) -> None:
    async def hold() -> None:
        async with opened(limits) as (server, client):
            await body(server, client)
            owed = dict(HELD)
            for fill in server.exchange.fills("alice", SYMBOL):
                owed["BTC"] += fill.side.sign * fill.quantity
                owed["USD"] -= fill.side.sign * fill.quantity * fill.price
                owed[fill.fee_asset] -= fill.fee
            assert {asset: held.total for asset, held in server.exchange.balances("alice").items()} == owed

    asyncio.run(hold())


async def moving(server: KrakenServer, *waits: Awaitable[Any]) -> list[Any]:
    """Let the market move until all ``waits`` have come about."""
    done = asyncio.gather(*waits)
    async with asyncio.timeout(60):
        while not done.done():
            await server.advance(5_000)
            await asyncio.wait([done], timeout=0.02)
        return await done


def test_ccxt_reads_the_market():
    async def body(server: KrakenServer, client: Any) -> None:
        await client.load_markets()
        market = client.market(SYMBOL)
        assert sorted(client.markets) == sorted(CANDLES)
        assert (market["id"], market["altname"], market["wsId"]) == ("XXBTZUSD", "XBTUSD", "XBT/USD")
        assert (market["precision"]["price"], market["precision"]["amount"]) == (0.1, 1e-8)
        assert (market["limits"]["amount"]["min"], market["limits"]["cost"]["min"]) == (0.0001, 0.5)
        assert (market["taker"], market["maker"]) == (0.004, 0.0025)
        assert await client.fetch_time() == NOW
        assert (await client.fetch_status())["status"] == "ok"
        ticker = await client.fetch_ticker(SYMBOL)
        assert ticker["last"] == float(server.exchange.price(SYMBOL))
        assert ticker["bid"] <= ticker["last"] <= ticker["ask"]
        assert set(await client.fetch_tickers()) == set(CANDLES)
        candles = await client.fetch_ohlcv(SYMBOL, "5m", since=NOW - 10 * MINUTE_MS)
        assert [row[0] for row in candles] == [NOW - 10 * MINUTE_MS, NOW - 5 * MINUTE_MS, NOW]
        assert candles[0][2] == CANDLES[SYMBOL].high[290:295].max()
        trades = await client.fetch_trades(SYMBOL, limit=5)
        assert [int(one["id"]) - int(trades[0]["id"]) for one in trades] == list(range(5))
        book = await client.fetch_order_book(SYMBOL, 10)
        assert len(book["bids"]) == len(book["asks"]) == 10
        assert book["bids"][0][0] < book["asks"][0][0]
        fee = await client.fetch_trading_fee(SYMBOL)
        assert (fee["taker"], fee["maker"]) == (0.004, 0.0025)

    run(body)


def test_ccxt_trades():
    async def body(server: KrakenServer, client: Any) -> None:
        price = float(server.exchange.price(SYMBOL))
        taken = await client.create_order(SYMBOL, "market", "buy", 0.01, None, {"clientOrderId": "mine"})
        bought = await client.fetch_order(taken["id"])
        assert (bought["status"], bought["filled"], bought["average"]) == ("closed", 0.01, price)
        assert (bought["clientOrderId"], bought["fee"]["currency"]) == ("mine", "USD")
        await server.advance(1_000)
        dear = await client.create_market_buy_order_with_cost(SYMBOL, 500)
        assert 499 < float((await client.fetch_order(dear["id"]))["info"]["cost"]) <= 500
        waiting = await client.create_order(SYMBOL, "limit", "buy", 0.02, round(price * 0.9, 1))
        stop = await client.create_order(
            SYMBOL, "market", "sell", 0.01, None, {"stopLossPrice": round(price * 0.95, 1)}
        )
        target = await client.create_order(
            SYMBOL, "limit", "sell", 0.01, round(price * 1.05, 1), {"takeProfitPrice": round(price * 1.04, 1)}
        )
        found = {one["id"]: one for one in await client.fetch_open_orders()}
        assert set(found) == {waiting["id"], stop["id"], target["id"]}
        assert found[stop["id"]]["stopLossPrice"] == round(price * 0.95, 1)
        assert found[target["id"]]["takeProfitPrice"] == round(price * 1.04, 1)
        balance = await client.fetch_balance()
        assert balance["BTC"]["used"] == 0.02
        assert balance["USD"]["used"] == pytest.approx(round(price * 0.9, 1) * 0.02 * 1.004)
        await client.edit_order(waiting["id"], SYMBOL, "limit", "buy", 0.03, round(price * 0.91, 1))
        changed = await client.fetch_order(waiting["id"])
        assert (changed["price"], changed["amount"]) == (round(price * 0.91, 1), 0.03)
        await client.cancel_order(waiting["id"])
        assert (await client.fetch_order(waiting["id"]))["status"] == "canceled"
        await client.create_orders(
            [{"symbol": SYMBOL, "type": "limit", "side": "buy", "amount": 0.01, "price": 1_000.0 + n} for n in range(2)]
        )
        await client.cancel_all_orders()
        assert await client.fetch_open_orders() == []
        assert {one["status"] for one in await client.fetch_closed_orders()} == {"closed", "canceled"}
        fills = await client.fetch_my_trades(SYMBOL)
        assert [one["order"] for one in fills] == [taken["id"], dear["id"]]
        assert await client.fetch_order_trades(taken["id"], SYMBOL, params={"trades": bought["trades"]}) == [fills[0]]

    run(body)


def test_ccxt_is_told_no_in_the_exchanges_words():
    async def body(server: KrakenServer, client: Any) -> None:
        with pytest.raises(ccxt.InsufficientFunds):
            await client.create_order(SYMBOL, "limit", "buy", 100, 1_000)
        with pytest.raises(ccxt.InvalidOrder):
            await client.create_order(SYMBOL, "market", "buy", 0.00001)
        with pytest.raises(ccxt.OrderNotFound):
            await client.cancel_order("OAAAAA-AAAAA-AAAAAA")
        with pytest.raises(ccxt.OrderNotFound):
            await client.fetch_order("OAAAAA-AAAAA-AAAAAA")
        client.options["lastNonce"], client.nonce = 0, lambda: 1
        with pytest.raises(ccxt.InvalidNonce):
            await client.fetch_balance()
        del client.nonce
        client.apiKey = "unknown"
        with pytest.raises(ccxt.AuthenticationError):
            await client.fetch_balance()
        client.apiKey = "k"

        async def ask_much() -> None:
            for _ in range(16):
                await client.fetch_balance()

        with pytest.raises(ccxt.DDoSProtection):
            await ask_much()

    run(body, Limits())


def test_ccxt_pro_watches_the_market():
    async def body(server: KrakenServer, client: Any) -> None:
        await client.load_markets()
        ticker, trades, candles, book = await moving(
            server,
            client.watch_ticker(SYMBOL),
            client.watch_trades(SYMBOL),
            client.watch_ohlcv(SYMBOL, "1m"),
            client.watch_order_book(SYMBOL, 25),
        )
        assert ticker["symbol"] == trades[-1]["symbol"] == SYMBOL
        assert candles[-1][0] >= NOW
        for _ in range(10):
            (book,) = await moving(server, client.watch_order_book(SYMBOL, 25))
        await asyncio.sleep(0)
        async with asyncio.timeout(60):  # what is still under way changes it until it is the book that is asked for
            while True:
                asked = await client.fetch_order_book(SYMBOL, 25)
                sides = [[[level[:2] for level in one[side]] for side in ("bids", "asks")] for one in (book, asked)]
                if sides[0] == sides[1]:
                    return

    run(body)


def test_ccxt_pro_watches_an_account_and_orders_over_the_socket():
    async def body(server: KrakenServer, client: Any) -> None:
        await client.load_markets()
        orders = asyncio.create_task(client.watch_orders())
        fills = asyncio.create_task(client.watch_my_trades())
        balance = asyncio.create_task(client.watch_balance())
        async with asyncio.timeout(60):
            assert (await balance)["BTC"]["total"] == 2
            price = float(server.exchange.price(SYMBOL))
            waiting = await client.create_order_ws(SYMBOL, "limit", "buy", 0.01, round(price * 0.9, 1))
            first = await orders
            assert [(one["id"], one["status"], one["amount"]) for one in first] == [(waiting["id"], "open", 0.01)]
            await client.edit_order_ws(waiting["id"], SYMBOL, "limit", "buy", 0.02, round(price * 0.9, 1))
            await client.cancel_order_ws(waiting["id"])
            assert (await client.fetch_order(waiting["id"]))["status"] == "canceled"
            balance = asyncio.create_task(client.watch_balance())
            await client.create_order(SYMBOL, "market", "buy", 0.02)
            assert [(one["amount"], one["fee"]["currency"]) for one in await fills] == [(0.02, "USD")]
            assert await balance

    run(body)


def test_an_answer_that_is_lost_leaves_an_order_that_exists():
    async def body(server: KrakenServer, client: Any) -> None:
        await client.load_markets()
        server.faults = [Fault(kind=Kind.LOST, path="POST /0/private/AddOrder")]
        with pytest.raises((ccxt.NetworkError, ccxt.ExchangeError)):  # ccxt takes a broken connection for either
            await client.create_order(SYMBOL, "market", "buy", 0.01, None, {"clientOrderId": "lost"})
        assert [one.fault.kind for one in server.struck] == [Kind.LOST]
        (found,) = await client.fetch_closed_orders(SYMBOL, None, None, {"clientOrderId": "lost"})
        assert (found["status"], found["filled"]) == ("closed", 0.01)

    run(body)


def command(tmp_path: Any, *options: str) -> "subprocess.Popen[str]":
    program = [sys.executable, "-c", "from cambist.apps.cli.main import main; main()"]
    return subprocess.Popen(
        [*program, "simulate", "exchange", "--dialect", "kraken", "--port", "0", "--symbol", "BTC/USD", *options],
        env=os.environ | {"CAMBIST_HOME": str(tmp_path), "CAMBIST_LANG": "en"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_command_serves_kraken(tmp_path):
    process = command(tmp_path)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("Kraken spot in a box")
        url = next(word for word in line.replace(",", " ").split() if word.startswith("http"))
        key, secret = (line.split(f"{name} ")[1].split(",")[0].split(". ")[0] for name in ("Key", "secret"))
        with urllib.request.urlopen(f"{url}/0/public/AssetPairs", timeout=60) as answer:
            assert b"XXBTZUSD" in answer.read()

        async def held() -> Any:
            client = ccxt.pro.kraken({"apiKey": key, "secret": secret})
            client.urls["api"] |= {"public": url, "private": url}
            try:
                return await client.fetch_balance()
            finally:
                await client.close()

        assert Decimal(str(asyncio.run(held())["BTC"]["total"])) == 1
        process.send_signal(signal.SIGINT)
        assert "requests and 0 faults" in process.communicate(timeout=60)[0]
        assert process.returncode == 0
    finally:
        with suppress(ProcessLookupError):
            process.kill()


def test_a_secret_that_kraken_could_not_have_given_is_refused(tmp_path):
    out, said = command(tmp_path, "--secret", "cambist").communicate(timeout=60)
    assert "base64" in said
    assert not out
