"""The gateway over the bus: the same venue from another process, each order sent at most once."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.ccxt.box import BUY, CLIENT_ID, KEYS, Box, at, binance_order, box, furnish, gateway_to
from tests.unit.ccxt.test_ccxt_streams import EXECUTION, Pushing, until

from cambist.adapters.bus.inprocess import InProcessBus
from cambist.adapters.venues.ccxt.remote import BusVenue, open_bus_venue
from cambist.adapters.venues.ccxt.serving import serve_requests
from cambist.adapters.venues.ccxt.trading import CcxtVenue
from cambist.adapters.venues.ccxt.wire import (
    METHODS,
    error_from_json,
    error_to_json,
    from_json,
    report_from_json,
    report_to_json,
    to_json,
)
from cambist.domain.credentials import Credentials
from cambist.domain.errors import (
    BusFailed,
    CambistError,
    NotFound,
    OutcomeUnknown,
    ParseError,
    RateLimited,
    VenueRefused,
    VenueUnavailable,
)
from cambist.domain.order import OrderType, Side
from cambist.domain.report import Balance, BalancesReported, Connection, OrderReport, Status
from cambist.ports.bus import CCXT_REQUESTS, CCXT_RESPONSES, Delivery
from cambist.ports.venue import OrderRequest, Venue


class Counted(CcxtVenue):
    """A venue that knows whether it was closed."""

    closed = False

    async def close(self) -> None:
        self.closed = True
        await super().close()


@asynccontextmanager
async def served_over_a_bus(
    answers: dict[str, Any], bus: InProcessBus | None = None
) -> AsyncIterator[tuple[InProcessBus, Box]]:
    bus = bus or InProcessBus()
    async with box(answers) as served, gateway_to(served) as gateway:
        furnish(gateway.place("binance"))
        opened: list[Counted] = []

        async def resolve(account: str) -> Venue:
            if account != "alice":
                raise NotFound("gateway.account", account=account)
            assert all(venue.closed for venue in opened)
            opened.append(Counted(account, gateway.place("binance"), KEYS))
            return opened[-1]

        server = asyncio.create_task(serve_requests(resolve, bus))
        await asyncio.sleep(0)
        try:
            yield bus, served
        finally:
            server.cancel()
            await asyncio.gather(server, return_exceptions=True)
            for venue in opened:
                await venue.close()
    await bus.close()


def test_orders_answers_and_errors_come_through_to_the_digit():
    async def inside() -> None:
        answers = {
            "POST /api.binance.com/api/v3/order": binance_order(executedQty="0.00000001"),
            "DELETE /api.binance.com/api/v3/order": lambda _: at(400, {"code": -2011, "msg": "Unknown order sent."}),
            "GET /api.binance.com/api/v3/order": lambda _: at(400, {"code": -2013, "msg": "Order does not exist."}),
            "/account": {"balances": [{"asset": "BTC", "free": "0.10", "locked": "0"}]},
            "/openOrders": [],
            "/ticker/24hr": {"symbol": "BTCUSDT", "lastPrice": "10000.10", "closeTime": 5},
        }
        async with served_over_a_bus(answers) as (bus, served):
            venue = await open_bus_venue("alice", bus)
            assert (venue.name, venue.traits.oco, venue.traits.stops) == ("binance", True, True)
            report = await venue.submit(BUY)
            assert (report.client_id, str(report.filled)) == (CLIENT_ID, "1E-8")
            assert served.of("/order", "POST")[0].form["price"] == "10000.1"
            assert await venue.balances() == {"BTC": Balance("BTC", Decimal("0.10"), Decimal(0))}
            assert str(await venue.price("BTC/USDT")) == "10000.10"
            assert await venue.open_orders() == []
            assert (await venue.instruments(["BTC/USDT"]))["BTC/USDT"].tick_size == Decimal("0.01")
            with pytest.raises(NotFound, match=CLIENT_ID):
                await venue.cancel("BTC/USDT", CLIENT_ID)
            with pytest.raises(VenueRefused, match="move the trigger"):
                await venue.amend("BTC/USDT", CLIENT_ID, Decimal(1))
            await venue.close()
            with pytest.raises(NotFound, match="no account bob"):
                await open_bus_venue("bob", bus)

    asyncio.run(inside())


def test_no_key_ever_travels_over_the_bus():
    async def inside() -> str:
        async with served_over_a_bus({"/api/v3/order": lambda _: at(401, {"code": -2015, "msg": "key?"})}) as (bus, _):
            heard: list[str] = []

            async def overhear() -> None:
                topics = bus.subscribe(CCXT_REQUESTS, CCXT_RESPONSES, group="spy", consumer="spy")
                async for delivery in topics:
                    text = json.dumps(delivery.message)
                    heard.append(text)

            spy = asyncio.create_task(overhear())
            await asyncio.sleep(0)
            venue = await open_bus_venue("alice", bus)
            with pytest.raises(VenueRefused):
                await venue.submit(BUY)
            await venue.close()
            spy.cancel()
            await asyncio.gather(spy, return_exceptions=True)
            assert len(heard) >= 4
            return "".join(heard)

    said = asyncio.run(inside())
    assert KEYS.secret not in said
    assert '"key"' not in said.replace('"key": "venue', "")


def test_an_account_that_is_opened_anew_uses_the_keys_of_now():
    async def inside() -> None:
        bus, keys = InProcessBus(), [Credentials(api_key="old", secret="s"), Credentials(api_key="new", secret="s")]
        account = {"balances": [{"asset": "USDT", "free": "1", "locked": "0"}]}
        async with box({"api/v3/account": account}) as served, gateway_to(served) as gateway:
            furnish(gateway.place("binance"))

            async def resolve(account: str) -> Venue:
                return gateway.venue(account, "binance", keys.pop(0))

            server = asyncio.create_task(serve_requests(resolve, bus))
            await asyncio.sleep(0)
            for _ in range(2):
                venue = await open_bus_venue("alice", bus)
                await venue.balances()
                await venue.balances()
                await venue.close()
            assert [one.headers["X-MBX-APIKEY"] for one in served.of("api/v3/account")] == ["old"] * 2 + ["new"] * 2
            server.cancel()
            await asyncio.gather(server, return_exceptions=True)
        await bus.close()

    asyncio.run(inside())


def test_a_request_that_comes_again_is_answered_from_memory_and_an_old_one_is_never_sent():
    async def inside() -> None:
        async with served_over_a_bus({"/api/v3/order": binance_order()}) as (bus, served):
            answers = bus.subscribe(CCXT_RESPONSES, group="test", consumer="test")
            request = {
                "id": "one",
                "account": "alice",
                "method": "submit",
                "args": [to_json(BUY)],
                "until_ms": 9e15,
            }
            for _ in range(3):
                await bus.publish(CCXT_REQUESTS, request)
            three = [await asyncio.wait_for(anext(answers), 60) for _ in range(3)]
            assert {json.dumps(one.message) for one in three} == {json.dumps(three[0].message)}
            assert three[0].message["result"]["client_id"] == CLIENT_ID
            assert len(served.of("/order")) == 1
            await bus.publish(CCXT_REQUESTS, request | {"id": "late", "until_ms": 1})
            late = (await asyncio.wait_for(anext(answers), 60)).message
            assert type(error_from_json(late["error"])) is OutcomeUnknown
            assert len(served.of("/order")) == 1
            garbage: dict[str, Any]
            for garbage in ({"args": [5]}, {"args": []}, {"method": "__init__"}, {"args": "x"}):
                await bus.publish(CCXT_REQUESTS, request | {"id": str(garbage)} | garbage)
                refused = (await asyncio.wait_for(anext(answers), 60)).message
                assert type(error_from_json(refused["error"])) is ParseError
            assert len(served.of("/order")) == 1

    asyncio.run(inside())


def test_answers_to_questions_are_not_kept():
    async def inside() -> None:
        async with served_over_a_bus({"/account": {"balances": []}}) as (bus, served):
            answers = bus.subscribe(CCXT_RESPONSES, group="test", consumer="test")
            request = {"id": "one", "account": "alice", "method": "balances", "args": [], "until_ms": 9e15}
            for number in (1, 2):
                await bus.publish(CCXT_REQUESTS, request)
                assert (await asyncio.wait_for(anext(answers), 60)).message["result"] == {}
                assert len(served.of("/account")) == number

    asyncio.run(inside())


def test_an_order_in_hand_when_the_gateway_dies_is_not_sent_by_the_next():
    async def inside() -> None:
        bus = InProcessBus(redeliver_after_s=0.01)
        reached, sent = asyncio.Event(), 0

        class Slow:
            async def submit(self, _: OrderRequest) -> None:
                nonlocal sent
                sent += 1
                reached.set()
                await asyncio.sleep(60)

        async def resolve(_: str) -> Any:
            return Slow()

        first = asyncio.create_task(serve_requests(resolve, bus))
        await asyncio.sleep(0)
        venue = BusVenue("alice", bus, timeout_s=1.0)
        order = asyncio.create_task(venue.submit(BUY))
        await asyncio.wait_for(reached.wait(), 60)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        second = asyncio.create_task(serve_requests(resolve, bus))
        with pytest.raises(OutcomeUnknown):
            await order
        assert sent == 1
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
        await bus.close()

    asyncio.run(inside())


def test_without_a_gateway_orders_are_unknown_and_questions_unavailable():
    async def inside() -> None:
        bus = InProcessBus()
        with pytest.raises(VenueUnavailable):
            await open_bus_venue("alice", bus, timeout_s=0.02)
        venue = BusVenue("alice", bus, timeout_s=0.02)
        with pytest.raises(OutcomeUnknown):
            await venue.submit(BUY)
        with pytest.raises(OutcomeUnknown):
            await venue.cancel("BTC/USDT", CLIENT_ID)
        with pytest.raises(VenueUnavailable):
            await venue.balances()
        await bus.close()
        with pytest.raises(OutcomeUnknown):
            await venue.submit(BUY)

    asyncio.run(inside())


def test_what_nobody_foresaw_is_answered_once_and_not_asked_for_again_for_ever(caplog):
    """A fill without a price: our parser meets what it does not expect."""
    odd = {"symbol": "BTCUSDT", "id": 1, "orderId": 28, "qty": "1", "time": 1, "isBuyer": True, "isMaker": True}

    async def inside() -> None:
        async with served_over_a_bus({"/myTrades": [odd], "/order": binance_order()}) as (bus, _):
            venue = await open_bus_venue("alice", bus, timeout_s=60)
            with pytest.raises(VenueUnavailable, match="TypeError"):
                await asyncio.wait_for(venue.fills("BTC/USDT", 0), 60)
            answers = bus.subscribe(CCXT_RESPONSES, group="test", consumer="test")
            strange = {"id": "x", "account": "alice", "method": "listen", "lease_s": "long"}
            await bus.publish(CCXT_REQUESTS, strange)
            said = (await asyncio.wait_for(anext(answers), 60)).message
            assert type(error_from_json(said["error"])) is VenueUnavailable
            async with asyncio.timeout(60):
                while bus._topics[CCXT_REQUESTS].groups["gateway"].taken:
                    await asyncio.sleep(0)
            await venue.close()
        assert [record.levelname for record in caplog.records if record.name.endswith("serving")] == ["ERROR", "ERROR"]

    asyncio.run(inside())


def test_a_bus_that_fails_for_a_moment_does_not_make_a_venue_deaf():
    class Stumbling(InProcessBus):
        stumbled = False

        async def ack(self, group: str, delivery: Delivery) -> None:
            if delivery.topic == CCXT_RESPONSES and not self.stumbled:
                self.stumbled = True
                raise BusFailed("bus.failed", where="here", why="away")
            await super().ack(group, delivery)

    async def inside() -> None:
        async with served_over_a_bus({"/account": {"balances": []}}, Stumbling()) as (bus, _):
            venue = await open_bus_venue("alice", bus, timeout_s=60)
            assert await venue.balances() == {}
            assert bus.stumbled  # type: ignore[attr-defined]
            await venue.close()

    asyncio.run(inside())


def test_reports_come_over_the_bus():
    async def inside() -> None:
        binance = Pushing()
        async with served_over_a_bus({"/ws-api/v3": lambda _: binance}) as (bus, _):
            venue = await open_bus_venue("alice", bus)
            async with aclosing(venue.reports()) as stream:  # type: ignore[type-var]
                up, _before = await until(stream, Connection)
                assert up.up
                await binance.push(EXECUTION)
                order, _before = await until(stream, OrderReport)
                assert (order.client_id, str(order.filled)) == (CLIENT_ID, "0.00001000")
            await venue.close()

    asyncio.run(inside())


REPORTS = [
    OrderReport(client_id="a", symbol="BTC/USDT", status=Status.OPEN, filled=Decimal("0.10"), ts=5, side=Side.BUY),
    BalancesReported(7, (Balance("BTC", Decimal("1E-8"), Decimal(0)),)),
    Connection(False, 9, "why"),
]


@pytest.mark.parametrize("report", REPORTS)
def test_reports_survive_json(report):
    assert report_from_json(json.loads(json.dumps(report_to_json(report)))) == report


@given(
    st.decimals(allow_nan=False, allow_infinity=False), st.none() | st.decimals(allow_nan=False, allow_infinity=False)
)
def test_money_survives_json_to_the_digit(quantity, price):
    wish = OrderRequest(
        client_id="a", symbol="BTC/USDT", side=Side.BUY, type=OrderType.LIMIT, quantity=quantity, price=price
    )
    back = from_json(METHODS["submit"][0][0], json.loads(json.dumps(to_json(wish))))
    assert back == wish
    assert str(back.quantity) == str(quantity)


@pytest.mark.parametrize(
    "error",
    [
        NotFound("venue.order_unknown", venue="binance", order="a"),
        OutcomeUnknown("gateway.silent"),
        RateLimited("venue.budget_spent", 12.5, venue="binance"),
        VenueRefused("venue.refused", venue="binance", detail=VenueUnavailable("gateway.silent")),
    ],
)
def test_errors_survive_json(error: CambistError):
    back = error_from_json(json.loads(json.dumps(error_to_json(error))))
    assert (type(back), str(back)) == (type(error), str(error))
    if isinstance(error, RateLimited):
        assert isinstance(back, RateLimited)
        assert back.retry_after_s == 12.5


def test_money_as_a_number_is_refused():
    with pytest.raises(ParseError):
        from_json(Decimal, 0.1)
