"""What is peculiar to Kraken: what it pushes and how ccxt reads it, refusals that ccxt does not know, its pace."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from tests.contract.venue import eventually, heard_of, listening
from tests.unit.simulators.krakens import CANDLES, HELD, NOW, RULES, SECRET, SYMBOL, UNLIMITED

from cambist.adapters.venues.ccxt.errors import DUPLICATE
from cambist.adapters.venues.ccxt.gateway import Gateway
from cambist.adapters.venues.ccxt.kraken_pushes import Pushes, mended
from cambist.adapters.venues.ccxt.quirks import QUIRKS
from cambist.adapters.venues.ccxt.trading import CcxtVenue
from cambist.domain.credentials import Credentials
from cambist.domain.errors import NotFound, OutcomeUnknown, VenueRefused
from cambist.domain.order import OrderType, Side
from cambist.domain.report import Connection, FillReport, OrderReport, Status
from cambist.ports.venue import OrderRequest
from cambist.simulators.clock import Clock
from cambist.simulators.faults import Fault, Kind
from cambist.simulators.kraken import Customer, KrakenServer, Limits

D = Decimal
BUY, SELL = Side.BUY, Side.SELL
ROW = QUIRKS["kraken"]
UNHURRIED = tuple(pace for pace in ROW.paces if pace.name != "counter")
ME = Customer(key="key", secret=SECRET, balances=HELD, name="me")


# -- what is pushed ---------------------------------------------------------------------------------------------------


def executions(*events: dict[str, Any], kind: str = "update") -> dict[str, Any]:
    return {"channel": "executions", "type": kind, "data": list(events), "sequence": 1}


PENDING = {
    "order_id": "O1",
    "symbol": "BTC/USD",
    "order_qty": 0.5,
    "cum_cost": 0.0,
    "exec_type": "pending_new",
    "side": "buy",
    "order_type": "limit",
    "cl_ord_id": "mine",
    "limit_price": 100.5,
    "stop_price": 0.0,
    "order_status": "pending_new",
}


def test_what_follows_an_announcement_is_given_its_terms_back_until_the_order_is_over():
    pushes = Pushes()
    (told,) = pushes(executions(PENDING))
    assert told["data"] == [PENDING]
    (told,) = pushes(executions({"exec_type": "new", "order_status": "new", "order_id": "O1"}))
    assert {name: told["data"][0][name] for name in ("symbol", "order_qty", "cl_ord_id", "order_status")} == {
        "symbol": "BTC/USD", "order_qty": 0.5, "cl_ord_id": "mine", "order_status": "new",
    }  # fmt: skip
    over = {"exec_type": "filled", "order_status": "filled", "order_id": "O1", "cum_qty": 0.5}
    (told,) = pushes(executions(over))
    assert told["data"][0]["symbol"] == "BTC/USD"
    assert list(pushes(executions(over))) == [executions(over)]  # by then nothing is known of it


def test_a_list_of_orders_and_fills_is_taken_apart_for_ccxt_takes_all_for_what_the_first_is():
    trade = {"exec_type": "trade", "order_id": "O1", "exec_id": "T1", "symbol": "BTC/USD"}
    parts = list(Pushes()(executions(PENDING, trade, kind="snapshot")))
    assert [[one["exec_type"] for one in part["data"]] for part in parts] == [["pending_new"], ["trade"]]
    assert list(Pushes()(executions(kind="snapshot"))) == []


def test_what_answers_nothing_is_not_counted_as_an_answer_and_a_refused_subscription_is_not_passed_over():
    assert list(Pushes()({"channel": "heartbeat"})) == []
    assert list(Pushes()({"channel": "status", "type": "update", "data": []})) == []
    assert list(Pushes()({"method": "pong"})) == [{"method": "pong"}]
    with pytest.raises(ValueError, match="ESession"):
        Pushes()({"method": "subscribe", "success": False, "error": "ESession:Invalid session"})


def test_the_user_s_number_is_not_our_id_and_no_trigger_is_no_trigger():
    order = {
        "clientOrderId": "0", "status": "open", "amount": "0", "triggerPrice": "0.0",
        "info": {"exec_type": "canceled", "order_userref": 0, "cum_qty": 1e-05, "order_qty": 0.5, "stop_price": 0.0},
    }  # fmt: skip
    right = mended(order)
    assert [right[name] for name in ("clientOrderId", "amount", "filled", "triggerPrice")] == [
        None,
        "0.5",
        "1e-05",
        None,
    ]
    assert mended({"clientOrderId": "7", "filled": "1", "info": {"userref": 7}})["filled"] == "1"


# -- our venue before the box -----------------------------------------------------------------------------------------


@asynccontextmanager
async def placed(**settings: Any) -> AsyncIterator[tuple[KrakenServer, CcxtVenue]]:
    server = KrakenServer(CANDLES.values(), instruments=RULES, customers=[ME], **settings)
    gateway = Gateway(base_url=await server.start())
    venue = gateway.venue("me", "kraken", Credentials(api_key="key", secret=SECRET))
    try:
        yield server, venue
    finally:
        await venue.close()
        await gateway.close()
        await server.stop()


def run(body: Callable[[KrakenServer, CcxtVenue], Awaitable[None]], *, paces: Any = UNHURRIED, **settings: Any) -> None:
    """Run ``body`` as a large customer, who may ask as much as he likes."""

    async def hold() -> None:
        given: dict[str, Any] = {"clock": Clock(NOW, speed=0), "limits": UNLIMITED} | settings
        async with placed(**given) as (server, venue):
            await body(server, venue)

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(QUIRKS, "kraken", replace(ROW, paces=paces))
        asyncio.run(hold())


def request(client_id: str, side: Side, kind: OrderType, quantity: str = "0.01", **levels: Any) -> OrderRequest:
    return OrderRequest(client_id=client_id, symbol=SYMBOL, side=side, type=kind, quantity=D(quantity), **levels)


def level(server: KrakenServer, factor: str) -> Decimal:
    return (server.exchange.price(SYMBOL) * D(factor)).quantize(D("0.1"))


def test_the_stream_tells_a_part_that_filled_and_an_end_with_all_that_had_filled():
    async def body(server: KrakenServer, venue: CcxtVenue) -> None:
        async with listening(venue) as heard:
            await venue.submit(request("half", BUY, OrderType.LIMIT, "0.04", price=level(server, "0.9")))
            await heard_of(heard, request("half", BUY, OrderType.LIMIT), Status.OPEN)
            server.faults = [Fault(kind=Kind.FILL_AFTER_CANCEL, path="*/CancelOrder", factor=0.5)]
            await venue.cancel(SYMBOL, "half")
            ended = await heard_of(heard, request("half", BUY, OrderType.LIMIT), Status.CANCELLED)
            assert (ended.filled, ended.symbol, ended.quantity) == (D("0.02"), SYMBOL, D("0.04"))

            async def fill() -> FillReport | None:
                return next((one for one in heard if isinstance(one, FillReport)), None)

            told = await eventually(fill, "the stream did not tell the fill")
            assert (told.client_id, told.quantity, told.fee_asset) == ("half", D("0.02"), "USD")
            assert [told] == await venue.fills(SYMBOL, 0)
            said = [one for one in heard if isinstance(one, OrderReport)]
            assert {(one.client_id, one.symbol, one.type) for one in said} == {("half", SYMBOL, OrderType.LIMIT)}

    run(body)


def test_what_ccxt_was_told_while_nobody_waited_is_there_for_who_waits_next():
    async def body(server: KrakenServer, venue: CcxtVenue) -> None:
        await venue.instruments([SYMBOL])
        venue._place.refresh(venue._view)
        client = venue._view.client("ws://nowhere")
        waiting = client.future("orders")
        client.resolve("first", "orders")
        client.resolve("second", "orders")
        client.resolve("third", "orders")
        client.resolve("never asked for", "trades")
        async with asyncio.timeout(60):
            assert [await waiting, await client.future("orders")] == ["first", "third"]
        assert not client.future("orders").done()
        assert not client.future("trades").done()

    run(body)


def test_twelve_orders_in_a_row_are_all_told_to_their_ends():
    async def body(server: KrakenServer, venue: CcxtVenue) -> None:
        async with listening(venue) as heard:
            names = [f"n{number}" for number in range(12)]
            for number, name in enumerate(names):  # each order is three messages in a row, and each fill one more
                await venue.submit(request(name, SELL if number % 2 else BUY, OrderType.MARKET))
            for name in names:
                await heard_of(heard, request(name, BUY, OrderType.MARKET), Status.FILLED)

            async def told() -> bool | None:
                found = {one.client_id for one in heard if isinstance(one, FillReport)}
                return found == set(names) or None

            await eventually(told, "fills were lost")

    run(body)


def test_orders_that_others_placed_have_no_id_of_ours():
    async def body(server: KrakenServer, venue: CcxtVenue) -> None:
        terms = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.01", "userref": "7"}
        async with listening(venue) as heard:
            server.desk.place("me", {**terms, "price": str(level(server, "0.9"))})
            (order,) = await venue.open_orders()
            assert (order.client_id, order.quantity) == ("", D("0.01"))

            async def told() -> OrderReport | None:
                return next((one for one in heard if isinstance(one, OrderReport)), None)

            assert (await eventually(told, "the stream did not tell the order")).client_id == ""

    run(body)


def test_a_stream_that_is_cut_comes_back_and_tells_what_is_open():
    async def body(server: KrakenServer, venue: CcxtVenue) -> None:
        async with listening(venue) as heard:
            await venue.submit(request("waits", BUY, OrderType.LIMIT, price=level(server, "0.9")))
            await heard_of(heard, request("waits", BUY, OrderType.LIMIT), Status.OPEN)
            server.streams.cut_all()

            async def back() -> bool | None:
                ups = [one.up for one in heard if isinstance(one, Connection)]
                return ups == [True, False, True] or None

            await eventually(back, "the stream did not come back")
            await venue.submit(request("later", BUY, OrderType.MARKET))
            await heard_of(heard, request("later", BUY, OrderType.MARKET), Status.FILLED)
            await venue.cancel(SYMBOL, "waits")
            ended = await heard_of(heard, request("waits", BUY, OrderType.LIMIT), Status.CANCELLED)
            assert ended.symbol == SYMBOL

    run(body)


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (("small", BUY, OrderType.MARKET, "0.00001"), "Order minimum not met"),
        (("cheap", BUY, OrderType.LIMIT, "0.0001", "0.0001"), "Cost minimum not met"),
        (("beyond", SELL, OrderType.STOP, "0.01", "1.1"), "Invalid price"),
    ],
)
def test_refusals_that_ccxt_does_not_know_are_refusals(wish, words):
    async def body(server: KrakenServer, venue: CcxtVenue) -> None:
        name, side, kind, quantity, *factor = wish
        levels = {"price" if kind is OrderType.LIMIT else "trigger": level(server, one) for one in factor}
        with pytest.raises(VenueRefused, match=words):
            await venue.submit(request(name, side, kind, quantity, **levels))
        with pytest.raises(NotFound):
            await venue.order(SYMBOL, name)

    run(body)


def test_fees_are_asked_for_in_the_currency_in_which_they_are_told():
    async def body(server: KrakenServer, venue: CcxtVenue) -> None:
        for side in (BUY, SELL):
            await venue.submit(request(f"f{side}", side, OrderType.MARKET))
        asked = [one.params for one in server.served if one.path.endswith("/AddOrder")]
        assert [params["oflags"] for params in asked] == ["fciq", "fciq"]
        assert {fill.fee_asset for fill in await venue.fills(SYMBOL, 0)} == {"USD"}

    run(body)


def test_what_is_said_of_our_id_is_looked_into():
    async def body(server: KrakenServer, venue: CcxtVenue) -> None:
        wish = request("twice", BUY, OrderType.LIMIT, price=level(server, "0.9"))
        first = await venue.submit(wish)
        assert (await venue.submit(wish)).venue_id == first.venue_id  # asked, not sent again
        with pytest.raises(OutcomeUnknown) as unsure:
            await venue.submit(request("not our kind of id, it is too long", BUY, OrderType.MARKET))
        assert unsure.value.key == DUPLICATE
        assert len(server.exchange.orders("me", SYMBOL)) == 1

    run(body)


def test_an_order_whose_answer_was_lost_is_found_by_our_id():
    async def body(server: KrakenServer, venue: CcxtVenue) -> None:
        await venue.instruments([SYMBOL])
        server.faults = [Fault(kind=Kind.LOST, path="*/AddOrder"), Fault(kind=Kind.STATUS_AFTER, path="*/CancelOrder")]
        with pytest.raises(OutcomeUnknown):
            await venue.submit(request("lost", BUY, OrderType.LIMIT, price=level(server, "0.9")))
        assert (await venue.order(SYMBOL, "lost")).status is Status.OPEN
        with pytest.raises(OutcomeUnknown):
            await venue.cancel(SYMBOL, "lost")
        assert (await venue.order(SYMBOL, "lost")).status is Status.CANCELLED

    run(body)


def test_fills_of_one_second_and_of_many_pages_are_all_told_once():
    async def body(server: KrakenServer, venue: CcxtVenue) -> None:
        terms = {"pair": "XBTUSD", "ordertype": "market", "volume": "0.001"}
        for number in range(130):
            server.desk.place("me", {**terms, "type": "sell" if number % 2 else "buy"})
            if not number % 10:
                await server.advance(1_000)
        fills = await venue.fills(SYMBOL, 0)
        assert len(fills) == len({fill.trade_id for fill in fills}) == 130
        # three pages, and the orders that they belong to, which were not ours to know, twenty at a time
        asked = [one.path.rpartition("/")[2] for one in server.served]
        assert (asked.count("TradesHistory"), asked.count("QueryOrders")) == (4, 7)
        ts = fills[60].ts
        assert ts % 1_000 == 0  # the venue leaves out what happened at the very second it is asked from
        assert await venue.fills(SYMBOL, ts) == [fill for fill in fills if fill.ts >= ts]

    run(body)


def test_the_smallest_account_is_never_told_that_it_asks_too_much():
    async def body(server: KrakenServer, venue: CcxtVenue) -> None:
        began = time.monotonic()
        for _ in range(14):
            await venue.balances()
        assert time.monotonic() - began > 2  # it had to wait, but was not refused
        assert [one.status for one in server.served if one.path.endswith("/BalanceEx")] == [200] * 14

    run(body, paces=ROW.paces, clock=Clock(), limits=Limits())
