"""Kraken in a box, asked as its documents say: who may ask, what is refused, what is told of orders and fills."""

from decimal import Decimal
from typing import Any

import pytest
from tests.unit.simulators.krakens import ALICE, HELD, NOW, SYMBOL, UNLIMITED, Client, Refusal, run

from cambist.domain.timeframe import MINUTE_MS
from cambist.simulators.faults import Fault, Kind
from cambist.simulators.kraken import Limits, is_secret
from cambist.simulators.kraken.names import names_of
from cambist.simulators.kraken.signing import signature_of

D = Decimal


def refusing(words: str):
    return pytest.raises(Refusal, match=f"^{words}$")


# -- names and signatures ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("symbol", "names"),
    [
        ("BTC/USD", {"XXBTZUSD", "XBTUSD", "XBT/USD", "BTC/USD", "BTCUSD"}),
        ("ETH/BTC", {"XETHXXBT", "ETHXBT", "ETH/XBT", "ETH/BTC", "ETHBTC"}),
        ("BTC/USDT", {"XBTUSDT", "XBT/USDT", "BTC/USDT", "BTCUSDT"}),
        ("DOGE/USD", {"XDGUSD", "XDG/USD", "DOGE/USD", "DOGEUSD"}),
        ("SOL/EUR", {"SOLEUR", "SOL/EUR"}),
    ],
)
def test_pairs_have_the_names_that_kraken_gives_them(symbol, names):
    assert set(names_of(symbol)) == names


def test_the_signature_is_that_of_krakens_own_example():
    secret = "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg=="
    body = "nonce=1616492376594&ordertype=limit&pair=XBTUSD&price=37500&type=buy&volume=1.25"
    assert signature_of(secret, "/0/private/AddOrder", "1616492376594", body) == (
        "4/dpxb3iT4tp/ZCVEwSnEsLxx0bqyhLpdfOpc6fn7OR8+UClSV5n9E6aSS8MPtnRfp32bAb0nmbRn6H8ndwLUQ=="
    )
    assert is_secret(secret)
    assert not is_secret("cambist")


def test_only_the_owner_of_a_key_is_answered_and_each_nonce_once():
    async def body(client: Client) -> None:
        held = await client.private("Balance", nonce=10)
        assert held == {"ZUSD": "100000.0000000000", "XXBT": "2.0000000000"}
        for nonce in (10, 9):
            with refusing("EAPI:Invalid nonce"):
                await client.private("Balance", nonce=nonce)
        client.secret = "d3Jvbmc="
        with refusing("EAPI:Invalid signature"):
            await client.private("Balance", nonce=11)
        client.key = "nobody"
        with refusing("EAPI:Invalid key"):
            await client.private("Balance", nonce=11)
        with refusing("EGeneral:Unknown method"):
            await client.public("Nonsense")

    run(body)


# -- the market -------------------------------------------------------------------------------------------------------


def test_candles_trades_and_prices_agree():
    async def body(client: Client) -> None:
        answer = await client.public("OHLC", pair="XBTUSD", interval=60, since=(NOW - 3 * 60 * MINUTE_MS) // 1000)
        rows = answer["XXBTZUSD"]
        # after the time asked for, so without the candle that opens there; with the one under way
        assert [row[0] * 1000 for row in rows] == [NOW - 120 * MINUTE_MS, NOW - 60 * MINUTE_MS, NOW]
        assert answer["last"] == rows[-2][0]
        trades = (await client.public("Trades", pair="XBTUSD", since=f"{(NOW - 60 * MINUTE_MS - 1) * 10**6}"))[
            "XXBTZUSD"
        ]
        within = [row for row in trades if NOW - 60 * MINUTE_MS <= row[2] * 1000 < NOW]
        assert D(rows[1][1]) == D(within[0][0])
        assert D(rows[1][2]) == max(D(row[0]) for row in within)
        assert D(rows[1][6]) == sum(D(row[1]) for row in within)
        assert [row[6] for row in trades] == list(range(trades[0][6], trades[0][6] + len(trades)))
        ticker = (await client.public("Ticker", pair="XXBTZUSD"))["XXBTZUSD"]
        assert D(ticker["c"][0]) == client.server.exchange.price(SYMBOL) == D(trades[-1][0])
        assert D(ticker["b"][0]) < D(ticker["a"][0])
        book = (await client.public("Depth", pair="BTC/USD", count=5))["XXBTZUSD"]
        assert [book["bids"][0][0], book["asks"][0][0]] == [ticker["b"][0], ticker["a"][0]]
        with refusing("EQuery:Unknown asset pair"):
            await client.public("Ticker", pair="NOSUCH")
        with refusing("EGeneral:Invalid arguments:interval"):
            await client.public("OHLC", pair="XBTUSD", interval=7)

    run(body)


def test_rules_are_stated_as_they_are_judged():
    async def body(client: Client) -> None:
        pair = (await client.public("AssetPairs", pair="XBTUSD"))["XXBTZUSD"]
        assert {name: pair[name] for name in ("pair_decimals", "lot_decimals", "tick_size", "ordermin", "costmin")} == {
            "pair_decimals": 1, "lot_decimals": 8, "tick_size": "0.1", "ordermin": "0.0001", "costmin": "0.5",
        }  # fmt: skip
        assert (pair["fees"][0][1], pair["fees_maker"][0][1]) == (0.4, 0.25)
        for words, side, kind, volume, terms in (
            ("EOrder:Insufficient funds", "buy", "limit", "10", {"price": client.price("0.9")}),
            ("EOrder:Insufficient funds", "sell", "market", "2.1", {}),
            ("EOrder:Order minimum not met", "buy", "market", "0.00009", {}),
            ("EOrder:Cost minimum not met", "buy", "limit", "0.0001", {"price": "100.0"}),
            ("EGeneral:Invalid arguments:volume", "buy", "market", "0.000000001", {}),
            ("EGeneral:Invalid arguments:volume", "buy", "market", "-1", {}),
            ("EGeneral:Invalid arguments:volume", "buy", "market", "1e-2", {}),
            ("EGeneral:Invalid arguments:userref", "buy", "market", "1", {"userref": "--1"}),
            ("EGeneral:Invalid arguments:ordertype", "buy", "trailing-stop", "1", {}),
            ("EGeneral:Invalid arguments:price", "buy", "limit", "1", {}),
            ("EGeneral:Invalid arguments:cl_ord_id", "buy", "market", "1", {"cl_ord_id": "more than eighteen signs"}),
            ("EGeneral:Invalid arguments:cl_ord_id", "buy", "market", "1", {"cl_ord_id": "a", "userref": 1}),
            ("EGeneral:Invalid arguments:timeinforce", "buy", "limit", "1", {"price": "1.0", "timeinforce": "FOK"}),
            ("EOrder:Post only order", "buy", "limit", "0.1", {"price": client.price("1.01"), "oflags": "post"}),
            ("EOrder:Invalid price", "sell", "stop-loss", "0.1", {"price": client.price("1.01")}),
        ):
            with refusing(words):
                await client.order(side, kind, volume, **terms)
        with refusing("EOrder:Invalid price:XBTUSD price can only be specified up to 1 decimals."):
            await client.order("buy", "limit", "1", price="30000.05")
        assert client.server.exchange.orders("alice", SYMBOL) == []

    run(body)


# -- orders -----------------------------------------------------------------------------------------------------------


def test_an_order_is_told_in_words_and_found_by_each_of_its_names():
    async def body(client: Client) -> None:
        terms: dict[str, Any] = {"pair": "XBTUSD", "type": "sell", "ordertype": "stop-loss-limit", "volume": "0.02"}
        levels: dict[str, Any] = {"price": client.price("0.95"), "price2": client.price("0.94")}
        checked = await client.private("AddOrder", **terms, **levels, validate="true")
        words = f"sell 0.02000000 XBTUSD @ stop loss {levels['price']} -> limit {levels['price2']}"
        assert checked == {"descr": {"order": words}}
        placed = await client.private("AddOrder", **terms, **levels, cl_ord_id="mine")
        assert placed["descr"] == {"order": words}
        other = await client.order("buy", "limit", price=client.price("0.9"), userref="42")
        mine = placed["txid"][0]
        assert set((await client.private("OpenOrders"))["open"]) == {mine, other}
        assert set((await client.private("OpenOrders", cl_ord_id="mine"))["open"]) == {mine}
        assert set((await client.private("OpenOrders", userref=42))["open"]) == {other}
        told = (await client.private("QueryOrders", txid=f"{mine},{other}"))[mine]
        assert (told["cl_ord_id"], told["userref"], told["status"]) == ("mine", None, "open")
        assert (told["descr"]["ordertype"], told["descr"]["price"]) == ("stop-loss-limit", levels["price"])
        with refusing("EOrder:cl_ord_id already in use"):
            await client.order("buy", "limit", price=client.price("0.9"), cl_ord_id="mine")
        assert await client.private("CancelOrder", cl_ord_id="mine") == {"count": 1}
        assert await client.private("CancelOrder", txid="42") == {"count": 1}
        with refusing("EOrder:Unknown order"):
            await client.private("CancelOrder", txid=mine)
        closed = await client.private("ClosedOrders", cl_ord_id="mine")
        assert (closed["count"], closed["closed"][mine]["status"]) == (1, "canceled")
        assert closed["closed"][mine]["reason"] == "User requested"
        # the name of an order that is over may be given again
        await client.order("buy", "limit", price=client.price("0.9"), cl_ord_id="mine")

    run(body)


def test_fills_and_balances_are_exact_and_paged_the_newest_first():
    async def body(client: Client) -> None:
        for number in range(30):
            await client.order("sell" if number % 2 else "buy", "market", "0.0123")
            await client.server.advance(1_000)
        for number in range(25):
            await client.order("sell" if number % 2 else "buy", "market", "0.0123")
        first = await client.private("TradesHistory")
        assert (first["count"], len(first["trades"])) == (55, 50)
        rest = await client.private("TradesHistory", ofs=50)
        trades = {**first["trades"], **rest["trades"]}
        assert len(trades) == 55
        numbers = [trade["trade_id"] for trade in trades.values()]
        assert numbers == sorted(numbers, reverse=True)
        owed = dict(HELD)
        for trade in trades.values():
            assert trade["pair"] == "XXBTZUSD"
            sign = 1 if trade["type"] == "buy" else -1
            owed["BTC"] += sign * D(trade["vol"])
            owed["USD"] -= sign * D(trade["cost"]) + D(trade["fee"])
            assert D(trade["fee"]) == D(trade["cost"]) * D("0.004")
        held = await client.private("BalanceEx")
        assert {name: D(one["balance"]) for name, one in held.items()} == {"ZUSD": owed["USD"], "XXBT": owed["BTC"]}
        assert {asset: one.total for asset, one in client.server.exchange.balances("alice").items()} == owed
        # ``start`` is left out, ``end`` is taken in
        ts = trades[list(trades)[30]]["time"]
        span = await client.private("TradesHistory", start=ts, end=ts + 1)
        assert {trade["time"] for trade in span["trades"].values()} == {ts + 1}
        names = list(trades)[:2]
        assert list(await client.private("QueryTrades", txid=",".join(names))) == names

    run(body)


def test_numbers_in_json_are_taken_as_they_are_written():
    async def body(client: Client) -> None:
        orders = [
            {"type": "buy", "ordertype": "limit", "price": 0.1, "volume": 98765432.12345678},
            {"type": "buy", "ordertype": "market", "volume": 1e-05},
        ]
        answer = await client.json("AddOrderBatch", {"pair": "XBTUSD", "orders": orders})
        assert [one["error"] for one in answer["orders"]] == [
            "EOrder:Insufficient funds",
            "EOrder:Order minimum not met",
        ]
        placed = await client.json("AddOrder", {"pair": "XBTUSD", "type": "buy", "ordertype": "market", "volume": 0.02})
        assert (await client.told(placed["txid"][0]))["vol"] == "0.02000000"

    run(body)


def test_worth_of_quote_currency_can_be_bought():
    async def body(client: Client) -> None:
        name = await client.order("buy", "market", "500", oflags="viqc")
        told = await client.told(name)
        assert D(499) < D(told["cost"]) <= D(500)
        assert (told["vol"], told["vol_exec"][:3], told["status"]) == ("500.00000000", "499", "closed")

    run(body)


def test_a_trigger_and_the_terms_of_a_limit_can_be_changed_and_the_name_stays():
    async def body(client: Client) -> None:
        stop = await client.order("sell", "stop-loss", price=client.price("0.9"), cl_ord_id="s")
        await client.private("AmendOrder", cl_ord_id="s", trigger_price=client.price("0.95"))
        assert (await client.told(stop))["descr"]["price"] == client.price("0.95")
        with refusing("EOrder:Invalid price"):
            await client.private("AmendOrder", cl_ord_id="s", trigger_price=client.price("1.05"))
        assert (await client.told(stop))["descr"]["price"] == client.price("0.95")
        limit = await client.order("buy", "limit", "1", price=client.price("0.9"))
        await client.private("AmendOrder", txid=limit, limit_price=client.price("0.8"), order_qty="0.5")
        told = await client.told(limit)
        assert (told["status"], told["descr"]["price"], told["vol"]) == ("open", client.price("0.8"), "0.50000000")
        with refusing("EOrder:Insufficient funds"):
            await client.private("AmendOrder", txid=limit, order_qty="1000")
        told = await client.told(limit)
        assert (told["status"], told["vol"]) == ("open", "0.50000000")
        await client.private("AmendOrder", txid=limit, limit_price=client.price("1.01"))
        assert (await client.told(limit))["status"] == "closed"
        with refusing("EOrder:Unknown order"):
            await client.private("AmendOrder", txid=limit, order_qty="1")
        assert len(client.server.exchange.open_orders("alice")) == 1

    run(body)


# -- limits -----------------------------------------------------------------------------------------------------------


def test_calls_are_counted_by_key_and_come_back_with_time():
    async def body(client: Client) -> None:
        for _ in range(5):
            await client.private("TradesHistory")  # two points each
        for _ in range(5):
            await client.private("Balance")
        with refusing("EAPI:Rate limit exceeded"):
            await client.private("Balance")
        await client.order("buy", "market")  # has a counter of its own
        client.server.clock.advance(3_100)
        await client.private("Balance")
        with refusing("EAPI:Rate limit exceeded"):
            await client.private("Balance")

    run(body, limits=Limits())


def test_cancels_of_young_orders_use_up_what_may_be_ordered_on_a_pair():
    async def body(client: Client) -> None:
        price = client.price("0.9")
        for _ in range(6):  # nine points each: one for the order, eight for taking it back at once
            await client.private("CancelOrder", txid=await client.order("buy", "limit", price=price))
        for _ in range(6):
            last = await client.order("buy", "limit", price=price)
        with refusing("EOrder:Rate limit exceeded"):
            await client.order("buy", "limit", price=price)
        await client.private("CancelOrder", txid=last)  # that is never refused
        await client.server.advance(301_000)
        for _ in range(5):
            await client.private("CancelOrder", txid=next(iter((await client.private("OpenOrders"))["open"])))
        for _ in range(60):  # old orders cost nothing to take back, and the counter is at zero again
            await client.order("buy", "limit", price=price, volume="0.001")
        with refusing("EOrder:Rate limit exceeded"):
            await client.order("buy", "limit", price=price, volume="0.001")

    run(body, limits=Limits(calls=1e9, open_orders=100))


def test_so_many_orders_may_be_open_on_a_pair():
    async def body(client: Client) -> None:
        for _ in range(3):
            await client.order("buy", "limit", price=client.price("0.9"))
        with refusing("EOrder:Orders limit exceeded"):
            await client.order("buy", "limit", price=client.price("0.9"))

    run(body, limits=Limits(calls=1e9, trading=1e9, open_orders=3))


# -- faults -----------------------------------------------------------------------------------------------------------


def test_the_faults_strike_where_they_are_meant_to():
    async def body(client: Client) -> None:
        server = client.server
        server.faults = [Fault(kind=Kind.WRONG_BALANCES, path="*/BalanceEx", factor=0.5)]
        assert (await client.private("BalanceEx"))["XXBT"]["balance"] == "1.0000000000"
        assert (await client.private("BalanceEx"))["XXBT"]["balance"] == "2.0000000000"
        server.faults = [Fault(kind=Kind.SKEW, path="*/Time", seconds=90)]
        assert (await client.public("Time"))["unixtime"] == NOW // 1000 + 90
        server.faults = [Fault(kind=Kind.THIN, path="POST /0/private/AddOrder", factor=0.25)]
        thin = await client.told(await client.order("buy", "market", "0.04"))
        assert (thin["status"], thin["vol_exec"]) == ("canceled", "0.01000000")
        server.faults = [Fault(kind=Kind.THIN, path="POST /0/private/AddOrder", factor=0.25)]
        thin = await client.told(await client.order("sell", "market", "0.04"))
        assert (thin["status"], thin["vol_exec"]) == ("canceled", "0.01000000")
        limit = await client.order("buy", "limit", "0.04", price=client.price("0.9"))
        server.faults = [Fault(kind=Kind.FILL_AFTER_CANCEL, path="*/CancelOrder", factor=0.5)]
        assert await client.private("CancelOrder", txid=limit) == {"count": 1}
        told = await client.told(limit)
        assert (told["status"], told["vol_exec"]) == ("canceled", "0.02000000")
        server.faults = [Fault(kind=Kind.DUPLICATES, path="*/OHLC")]
        rows = (await client.public("OHLC", pair="XBTUSD"))["XXBTZUSD"]
        assert len(rows) > len({row[0] for row in rows})
        server.faults = [Fault(kind=Kind.STALE_BOOK, path="*/Depth", seconds=600)]
        old, new = [await client.public("Depth", pair="XBTUSD", count=1) for _ in range(2)]
        assert old != new
        server.faults = [Fault(kind=Kind.STATUS, path="*/Balance", status=503)]
        with refusing("EService:Unavailable"):
            await client.private("Balance")
        server.faults = [Fault(kind=Kind.BAN, path="*/Balance", seconds=60)]
        for _ in range(2):
            with refusing("EGeneral:Temporary lockout"):
                await client.private("Balance")
        server.clock.advance(60_001)
        await client.private("Balance")
        assert [one.fault.kind for one in server.struck] == [
            Kind.WRONG_BALANCES, Kind.SKEW, Kind.THIN, Kind.THIN, Kind.FILL_AFTER_CANCEL,
            Kind.DUPLICATES, Kind.STALE_BOOK, Kind.STATUS, Kind.BAN,
        ]  # fmt: skip

    run(body)


def test_a_restart_without_memory_gives_no_name_twice():
    async def body(client: Client) -> None:
        before = await client.order("buy", "market")
        await client.server.restart(memory=False)
        await client.public("Time")  # over a connection of its own: the old one was cut
        assert await client.private("QueryOrders", txid=before) == {}
        assert (await client.private("Balance"))["XXBT"] == "2.0000000000"
        assert await client.order("buy", "market") != before

    run(body, limits=UNLIMITED)


def test_a_customer_without_a_name_is_known_by_the_key():
    assert (ALICE.account, type(ALICE)(key="x", secret="").account) == ("alice", "x")
