"""`CcxtVenue` against a scripted server: what is said of an order when its answer is good, bad, or lost."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web
from tests.unit.ccxt.box import (
    BUY,
    CLIENT_ID,
    EXCHANGE_INFO,
    KEYS,
    Asked,
    Box,
    at,
    binance_order,
    box,
    furnish,
    gateway_to,
)

from cambist.adapters.venues.ccxt.gateway import Gateway
from cambist.adapters.venues.ccxt.trading import CcxtVenue
from cambist.domain.errors import (
    NotFound,
    OutcomeUnknown,
    RateLimited,
    VenueError,
    VenueRefused,
    VenueUnavailable,
)
from cambist.domain.instrument import Instrument, Kind
from cambist.domain.order import Liquidity, OrderType, Side
from cambist.domain.report import Balance, Status
from cambist.ports.venue import OrderRequest

Work = Callable[[CcxtVenue, Box], Awaitable[Any]]


def run(work: Work, answers: dict[str, Any], exchange: str = "binance", **settings: Any) -> Any:
    async def inside() -> Any:
        async with box(answers) as served, gateway_to(served, **settings) as gateway:
            furnish(gateway.place(exchange))
            venue = gateway.venue("one", exchange, KEYS)
            try:
                return await work(venue, served)
            finally:
                await venue.close()

    return asyncio.run(inside())


async def cut(request: web.Request) -> web.StreamResponse:
    """Break the connection without a word."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def half(request: web.Request) -> web.StreamResponse:
    """Announce a long answer, send its beginning, and go."""
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "500"})
    await response.prepare(request)
    await response.write(b'{"symbol": "BTCUSDT", "orderId": 28,')
    assert request.transport is not None
    request.transport.close()
    return response


async def slow(_: web.Request) -> web.StreamResponse:
    """Answer when nobody listens any more."""
    await asyncio.sleep(30)
    return web.Response()


def page(status: int) -> web.Response:
    return web.Response(status=status, text="<html><h1>Bad gateway</h1></html>", content_type="text/html")


LOST: dict[str, Any] = {
    "the connection breaks": lambda _: cut,
    "the answer breaks off": lambda _: half,
    "no answer in time": lambda _: slow,
    "a proxy's page under 200": lambda _: page(200),
    "a proxy's page under 502": lambda _: page(502),
    "a refusal under 503": lambda _: at(503, {"code": -2010, "msg": "Account has insufficient balance."}),
    "the exchange timed out": lambda _: at(400, {"code": -1007, "msg": "Timeout waiting for response."}),
    "status unknown to the exchange": lambda _: at(400, {"code": -1006, "msg": "Execution status unknown."}),
    "the same id twice": lambda _: at(400, {"code": -2010, "msg": "Duplicate order sent."}),
    "an empty answer": lambda _: at(200, {}),
    "a list": lambda _: at(200, [1, 2]),
}


def patience(how: str) -> float:
    return 1.0 if how == "no answer in time" else 60.0


@pytest.mark.parametrize("how", sorted(LOST))
def test_an_order_whose_answer_is_lost_is_unknown_and_was_sent_once(how):
    async def work(venue: CcxtVenue, served: Box) -> None:
        with pytest.raises(OutcomeUnknown):
            await venue.submit(BUY)
        assert len(served.of("/order", "POST")) == 1

    run(work, {"POST /api.binance.com/api/v3/order": LOST[how]}, timeout_s=patience(how))


@pytest.mark.parametrize("how", sorted(set(LOST) - {"the same id twice", "an empty answer", "a list"}))
def test_a_cancellation_whose_answer_is_lost_is_unknown(how):
    async def work(venue: CcxtVenue, served: Box) -> None:
        with pytest.raises(OutcomeUnknown):
            await venue.cancel("BTC/USDT", CLIENT_ID)
        assert served.of("/order", "DELETE")

    run(work, {"DELETE /api.binance.com/api/v3/order": LOST[how]}, timeout_s=patience(how))


def test_an_exchange_that_cannot_be_reached_leaves_an_order_unknown():
    async def inside() -> None:
        gateway = Gateway(base_url="http://127.0.0.1:1")
        furnish(gateway.place("binance"))
        with pytest.raises(OutcomeUnknown):
            await gateway.venue("one", "binance", KEYS).submit(BUY)
        await gateway.close()

    asyncio.run(inside())


REFUSED = [
    (400, {"code": -2010, "msg": "Account has insufficient balance for requested action."}, VenueRefused),
    (400, {"code": -1013, "msg": "Filter failure: NOTIONAL"}, VenueRefused),
    (401, {"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."}, VenueRefused),
    (400, {"code": -9999, "msg": "Something that ccxt does not know."}, VenueRefused),
    (429, {"code": -1003, "msg": "Too many requests."}, RateLimited),
    (418, {"code": -1003, "msg": "Way too many requests."}, RateLimited),
]


@pytest.mark.parametrize(("status", "body", "kind"), REFUSED)
def test_a_refusal_is_a_refusal(status, body, kind):
    async def work(venue: CcxtVenue, served: Box) -> None:
        with pytest.raises(VenueError) as refused:
            await venue.submit(BUY)
        assert type(refused.value) is kind
        assert len(served.of("/order")) == 1

    run(work, {"/api/v3/order": lambda _: at(status, body)})


UNDECIDED = [
    ("bybit", "/v5/order/create", 200, {"retCode": 10016, "retMsg": "System error. Please try again later."}),
    ("bybit", "/v5/order/create", 200, {"retCode": 170146, "retMsg": "Order creation timeout"}),
    ("bybit", "/v5/order/create", 200, {"retCode": 170035, "retMsg": "Submitted to the system for processing!"}),
    ("bitget", "/place-order", 400, {"code": "40015", "msg": "System is abnormal, please try again later"}),
    (
        "okx",
        "/batch-orders",
        200,
        {"code": "1", "data": [{"sCode": "51149", "sMsg": "Order timed out. Please try again."}]},
    ),
    ("bybit", "/v5/order/create", 200, {"result": {"tag": 160 * "0"}, "retCode": 170146, "retMsg": "Order timeout"}),
]


@pytest.mark.parametrize(("exchange", "path", "status", "body"), UNDECIDED)
def test_an_exchange_that_lost_sight_of_an_order_itself_has_not_refused_it(exchange, path, status, body):
    async def work(venue: CcxtVenue, served: Box) -> None:
        with pytest.raises(OutcomeUnknown):
            await venue.submit(BUY)
        assert len(served.of(path, "POST")) == 1

    run(work, {path: lambda _: at(status, body)}, exchange)


def test_the_venues_word_comes_back_to_the_digit():
    filled = binance_order(status="PARTIALLY_FILLED", executedQty="0.00000001", cummulativeQuoteQty="0.00010000")

    async def work(venue: CcxtVenue, _: Box) -> None:
        report = await venue.submit(BUY)
        assert (report.client_id, report.venue_id, report.status) == (CLIENT_ID, "28", Status.PARTLY_FILLED)
        assert (str(report.filled), str(report.quantity)) == ("1E-8", "0.12345")
        assert report.price == Decimal("10000.10")
        assert report.ts == 1_700_000_000_000

    run(work, {"/api/v3/order": filled})


def test_an_id_that_was_used_before_gives_the_order_that_bears_it():
    async def work(venue: CcxtVenue, _: Box) -> None:
        report = await venue.submit(BUY)
        assert (report.status, report.filled) == (Status.FILLED, Decimal("0.12345"))

    run(
        work,
        {
            "POST /api.binance.com/api/v3/order": LOST["the same id twice"],
            "GET /api.binance.com/api/v3/order": binance_order(status="FILLED", executedQty="0.12345000"),
        },
    )


@pytest.mark.parametrize(
    "change", [{"quantity": Decimal("0.123451")}, {"quantity": Decimal(0)}, {"price": Decimal("10000.101")}]
)
def test_an_order_off_the_steps_is_refused_not_rounded(change):
    async def work(venue: CcxtVenue, served: Box) -> None:
        with pytest.raises(VenueRefused, match="steps of"):
            await venue.submit(replace(BUY, **change))
        assert served.asked == []

    run(work, {})


def test_an_acknowledgement_alone_is_an_open_order():
    async def work(venue: CcxtVenue, _: Box) -> None:
        report = await venue.submit(BUY)
        assert (report.status, report.filled, report.type, report.side) == (
            Status.OPEN,
            0,
            OrderType.LIMIT,
            Side.BUY,
        )

    ack = {"symbol": "BTCUSDT", "orderId": 28, "clientOrderId": CLIENT_ID, "transactTime": 1_700_000_000_000}
    run(work, {"/api/v3/order": ack})


def test_a_cancellation_that_comes_too_late_tells_what_became_of_the_order():
    async def work(venue: CcxtVenue, _: Box) -> None:
        report = await venue.cancel("BTC/USDT", CLIENT_ID)
        assert (report.status, report.filled) == (Status.FILLED, Decimal("0.12345"))

    run(
        work,
        {
            "DELETE /api.binance.com/api/v3/order": lambda _: at(400, {"code": -2011, "msg": "Unknown order sent."}),
            "GET /api.binance.com/api/v3/order": binance_order(status="FILLED", executedQty="0.12345000"),
        },
    )


def test_a_cancellation_of_what_the_venue_does_not_know_is_not_found():
    async def work(venue: CcxtVenue, _: Box) -> None:
        with pytest.raises(NotFound):
            await venue.cancel("BTC/USDT", CLIENT_ID)

    run(
        work,
        {
            "DELETE /api.binance.com/api/v3/order": lambda _: at(400, {"code": -2011, "msg": "Unknown order sent."}),
            "GET /api.binance.com/api/v3/order": lambda _: at(400, {"code": -2013, "msg": "Order does not exist."}),
        },
    )


def test_a_cancellation_that_was_taken_but_cannot_be_looked_at_is_unknown():
    async def work(venue: CcxtVenue, _: Box) -> None:
        with pytest.raises(OutcomeUnknown):
            await venue.cancel("BTC/USDT", CLIENT_ID)

    run(
        work,
        {
            "/cancel-order": {"code": "00000", "data": {"orderId": "1", "clientOid": CLIENT_ID}},
            "/orderInfo": lambda _: at(429),
        },
        "bitget",
    )


def test_a_failing_question_is_unavailable_not_unknown_and_not_not_found():
    async def work(venue: CcxtVenue, _: Box) -> None:
        for question in (venue.order("BTC/USDT", CLIENT_ID), venue.open_orders(), venue.fills("BTC/USDT", 0)):
            with pytest.raises(VenueUnavailable):
                await question

    answers = {end: lambda _: page(503) for end in ("/order", "/openOrders", "/myTrades")}
    run(work, answers)


def test_a_wrong_clock_is_measured_again_and_the_order_goes_out_with_the_right_time():
    ahead_ms = 3_600_000

    def order(asked: Asked) -> web.Response:
        if abs(int(asked.form["timestamp"]) - time.time() * 1000 - ahead_ms) > 5_000:
            return at(400, {"code": -1021, "msg": "Timestamp for this request is outside of the recvWindow."})
        return at(200, binance_order())

    async def work(venue: CcxtVenue, served: Box) -> None:
        report = await venue.submit(BUY)
        assert report.status is Status.OPEN
        assert len(served.of("/order")) == 2
        assert {one.form["newClientOrderId"] for one in served.of("/order")} == {CLIENT_ID}
        assert abs(await venue.clock_ms() - time.time() * 1000 - ahead_ms) < 5_000

    clock = {"/api/v3/time": lambda _: at(200, {"serverTime": round(time.time() * 1000) + ahead_ms})}
    run(work, {"/api/v3/order": order} | clock)


def okx_order(asked: Asked) -> dict[str, Any]:
    """OKX once a stop has triggered: an order of another id went out, and found too few to deal with."""
    if asked.query.get("ordId") != "777":
        return {"code": "51603", "data": [], "msg": "Order does not exist"}
    said = {"instId": "BTC-USDT", "instType": "SPOT", "ordType": "market", "side": "sell", "state": "canceled"}
    ids = {"ordId": "777", "clOrdId": "of-its-own", "algoId": "431", "algoClOrdId": CLIENT_ID}
    return {"code": "0", "msg": "", "data": [{**said, **ids, "sz": "0.12345", "accFillSz": "0.1", "uTime": "2"}]}


def test_a_stop_of_okx_that_triggered_is_the_order_that_it_became():
    stop = {
        "algoId": "431",
        "algoClOrdId": CLIENT_ID,
        "clOrdId": "",
        "ordId": "777",
        "ordIdList": ["777"],
        "instId": "BTC-USDT",
        "instType": "SPOT",
        "ordType": "trigger",
        "side": "sell",
        "state": "effective",
        "sz": "0.12345",
        "actualSz": "0.12345",
        "triggerPx": "9000.5",
    }

    def algo(asked: Asked) -> dict[str, Any]:
        if asked.query.get("algoId") is not None or asked.query["algoClOrdId"] != CLIENT_ID:
            return {
                "code": "51000",
                "data": [],
                "msg": "Parameter algoId error",
            }  # if both are given, it goes by algoId
        return {"code": "0", "msg": "", "data": [stop]}

    async def work(venue: CcxtVenue, _: Box) -> None:
        report = await venue.order("BTC/USDT", CLIENT_ID)
        assert (report.status, report.filled, report.client_id) == (Status.CANCELLED, Decimal("0.1"), CLIENT_ID)
        stop["state"] = "live"
        resting = await venue.order("BTC/USDT", CLIENT_ID)
        assert (resting.status, resting.filled, resting.trigger) == (Status.OPEN, 0, Decimal("9000.5"))

    run(work, {"/trade/order": okx_order, "/trade/order-algo": algo}, "okx")


def test_orders_of_others_are_shown_as_they_are():
    foreign = binance_order(orderId=7, clientOrderId="web_0123456789ABCDEF-not-ours", type="STOP_LOSS_LIMIT")
    foreign |= {"stopPrice": "9000.10000000", "time": 5, "updateTime": 6}
    del foreign["transactTime"]

    async def work(venue: CcxtVenue, _: Box) -> None:
        (found,) = await venue.open_orders()
        assert found.client_id == "web_0123456789ABCDEF-not-ours"
        assert (found.type, found.trigger, found.ts) == (OrderType.STOP, Decimal("9000.1"), 6)

    run(work, {"/openOrders": [foreign]})


def trade(number: int, ts: int, order: int = 28) -> dict[str, Any]:
    return {
        "symbol": "BTCUSDT",
        "id": number,
        "orderId": order,
        "price": "10000.10000000",
        "qty": "0.00001000",
        "quoteQty": "0.10000100",
        "commission": "0.00000001",
        "commissionAsset": "BNB",
        "time": ts,
        "isBuyer": True,
        "isMaker": number % 2 == 0,
        "isBestMatch": True,
    }


def test_fills_are_complete_over_many_pages_each_once_with_their_fee_and_our_id():
    start = round(time.time() * 1000) - 3 * 86_400_000
    book = [trade(number, start + number * 60_000 - number % 3 * 60_000) for number in range(2_500)]
    book.sort(key=lambda one: (one["time"], one["id"]))

    def my_trades(asked: Asked) -> list[dict[str, Any]]:
        if "startTime" not in asked.query:
            return book[-1_000:]
        since, until = int(asked.query["startTime"]), int(asked.query["endTime"])
        assert until - since <= 86_400_000
        return [one for one in book if since <= one["time"] <= until][: int(asked.query["limit"])]

    async def work(venue: CcxtVenue, served: Box) -> None:
        fills = await venue.fills("BTC/USDT", start + 60_000)
        wanted = [one for one in book if one["time"] >= start + 60_000]
        assert [fill.trade_id for fill in fills] == [str(one["id"]) for one in wanted]
        assert {fill.client_id for fill in fills} == {CLIENT_ID}
        assert len(served.of("/order")) == 1  # whose they are was asked once
        first = fills[0]
        assert (str(first.fee), first.fee_asset, str(first.price)) == ("1E-8", "BNB", "10000.10000000")
        assert {fill.liquidity for fill in fills} == {Liquidity.MAKER, Liquidity.TAKER}
        before = len(served.asked)
        assert len(await venue.fills("BTC/USDT", start + 2_000 * 60_000)) > 400
        assert len(served.asked) == before + 1  # the newest page held them all

    run(work, {"/myTrades": my_trades, "/api/v3/order": binance_order(status="FILLED")})


def test_kraken_mixes_symbols_in_its_pages_newest_first():
    now = round(time.time())
    book = {
        f"T{number:04d}": {
            "ordertxid": "OID",
            "pair": "XBTUSDT" if number % 10 == 0 else "XETHZUSD",
            "time": now - 500 + number + 0.25,
            "type": "buy",
            "ordertype": "limit",
            "price": "10000.1",
            "cost": "1.0",
            "fee": "0.0016",
            "vol": "0.0001",
            "margin": "0",
            "cl_ord_id": CLIENT_ID,
        }
        for number in range(120)
    }

    def history(asked: Asked) -> dict[str, Any]:
        until = float(asked.form["end"])
        found = [(name, one) for name, one in book.items() if float(one["time"]) <= until]
        return {"error": [], "result": {"trades": dict(sorted(found, reverse=True)[:50]), "count": len(found)}}

    async def work(venue: CcxtVenue, _: Box) -> None:
        fills = await venue.fills("BTC/USDT", (now - 1_000) * 1000)
        assert [fill.trade_id for fill in fills] == [f"T{number:04d}" for number in range(0, 120, 10)]
        assert {fill.fee_asset for fill in fills} == {"USDT"}
        assert {fill.client_id for fill in fills} == {CLIENT_ID}

    run(work, {"/TradesHistory": history}, "kraken")


def test_fills_of_coinbase_that_share_a_millisecond_with_the_edge_of_a_page_are_not_lost():
    """An order that sweeps through the book fills many times within a millisecond; Coinbase counts microseconds."""
    start = datetime.now(UTC).replace(microsecond=500_050) - timedelta(hours=1)
    told = {"order_id": "venue-1", "price": "10000.1", "size": "0.001", "commission": "0.01", "side": "SELL"}
    book = [
        {"trade_id": f"t{number:03d}", "trade_time": f"{start + timedelta(microseconds=20 * number):%FT%T.%fZ}"}
        for number in range(150)
    ]

    def fills(asked: Asked) -> dict[str, Any]:
        until = asked.query["end_sequence_timestamp"].replace("Z", "000Z")  # it writes milliseconds
        found = [told | one | {"product_id": "BTC-USDT"} for one in book if one["trade_time"] <= until]
        return {"fills": found[-100:][::-1], "cursor": ""}

    order = {"order_id": "venue-1", "client_order_id": CLIENT_ID, "product_id": "BTC-USDT", "status": "FILLED"}

    async def work(venue: CcxtVenue, _: Box) -> None:
        found = await venue.fills("BTC/USDT", 0)
        assert [fill.trade_id for fill in found] == [one["trade_id"] for one in book]

    run(work, {"/historical/fills": fills, "/historical/venue-1": {"order": order}}, "coinbase")


def test_more_fills_at_one_time_than_a_page_holds_are_not_passed_over_in_silence():
    now = round(time.time() * 1000) - 1_000
    book = [trade(number, now) for number in range(1_000)]

    async def work(venue: CcxtVenue, _: Box) -> None:
        with pytest.raises(VenueUnavailable, match="more fills"):
            await venue.fills("BTC/USDT", now)

    run(work, {"/myTrades": book})


def test_balances_are_exact_and_empty_ones_left_out():
    account = {
        "balances": [
            {"asset": "BTC", "free": "0.10000001", "locked": "0.20000002"},
            {"asset": "USDT", "free": "123456789.12345678", "locked": "0.00000000"},
            {"asset": "ETH", "free": "0.00000000", "locked": "0.00000000"},
        ]
    }

    async def work(venue: CcxtVenue, _: Box) -> None:
        held = await venue.balances()
        assert held == {
            "BTC": Balance("BTC", Decimal("0.10000001"), Decimal("0.20000002")),
            "USDT": Balance("USDT", Decimal("123456789.12345678"), Decimal(0)),
        }
        assert str(held["BTC"].total) == "0.30000003"

    run(work, {"/account": account})


def test_price_and_rules():
    async def work(venue: CcxtVenue, _: Box) -> None:
        assert str(await venue.price("BTC/USDT")) == "10000.12"
        with pytest.raises(NotFound):
            await venue.instruments(["DOGE/USDT"])
        with pytest.raises(VenueRefused):
            await venue.submit(
                OrderRequest(
                    client_id=CLIENT_ID,
                    symbol="DOGE/USDT",
                    side=Side.BUY,
                    type=OrderType.MARKET,
                    quantity=Decimal(1),
                )
            )

    run(work, {"/ticker/24hr": {"symbol": "BTCUSDT", "lastPrice": "10000.12", "closeTime": 5}})


def test_perpetuals_are_not_traded_with_real_money():
    symbol = "BTC/USDT:USDT"

    async def work(venue: CcxtVenue, box: Box) -> None:
        rules = (await venue.instruments(["BTC/USDT"]))["BTC/USDT"]

        async def listed(symbol: str) -> Instrument:
            return replace(rules, symbol=symbol, kind=Kind.PERPETUAL)

        venue._place.instrument = listed  # type: ignore[method-assign]
        with pytest.raises(VenueRefused, match="perpetual"):
            await venue.instruments([symbol])
        with pytest.raises(VenueRefused, match="perpetual"):
            await venue.submit(
                OrderRequest(
                    client_id=CLIENT_ID, symbol=symbol, side=Side.BUY, type=OrderType.MARKET, quantity=Decimal(1)
                )
            )
        assert not box.of("/order")

    run(work, {"/order": {}})


def test_markets_are_loaded_once_for_all_who_wait_and_it_can_be_watched():
    heard: list[tuple[str, int | None]] = []

    async def inside() -> None:
        now = {"serverTime": round(time.time() * 1000)}
        async with (
            box({"/exchangeInfo": EXCHANGE_INFO, "/time": now}) as served,
            gateway_to(served, progress=lambda *said: heard.append(said)) as gateway,
        ):
            venues = [gateway.venue(f"user{number}", "binance", KEYS) for number in range(20)]
            rules = await asyncio.gather(*(venue.instruments(["BTC/USDT"]) for venue in venues))
            assert {str(rule["BTC/USDT"].tick_size) for rule in rules} == {"0.01"}
            assert len(served.of("/exchangeInfo")) == 1
            assert len(served.of("/time")) == 1
            for venue in venues:
                await venue.close()

    asyncio.run(inside())
    assert heard == [("binance", None), ("binance", 1)]


def test_a_symbol_that_is_listed_while_we_run_is_found_without_asking_again_and_again():
    now_ms = round(time.time() * 1000)
    listed: dict[str, Any] = deepcopy(EXCHANGE_INFO)

    async def inside() -> None:
        nonlocal now_ms
        async with (
            box({"/exchangeInfo": lambda _: listed, "/time": lambda _: {"serverTime": now_ms}}) as served,
            gateway_to(served, now_ms=lambda: now_ms) as gateway,
        ):
            venue = gateway.venue("one", "binance", KEYS)
            await venue.instruments(["BTC/USDT"])
            listed["symbols"].append(listed["symbols"][0] | {"symbol": "NEWUSDT", "baseAsset": "NEW"})
            for _ in range(2):
                with pytest.raises(NotFound):
                    await venue.instruments(["NEW/USDT"])
            assert len(served.of("/exchangeInfo")) == 1
            now_ms += 601_000
            assert (await venue.instruments(["NEW/USDT"]))["NEW/USDT"].base == "NEW"
            for _ in range(2):
                with pytest.raises(NotFound):
                    await venue.instruments(["GONE/USDT"])
            assert len(served.of("/exchangeInfo")) == 2
            await venue.close()

    asyncio.run(inside())
