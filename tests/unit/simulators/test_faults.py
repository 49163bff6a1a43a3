"""Each fault does what it says, where and as often as it says, and is on record."""

import asyncio
import http.client
import json
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from tests.unit.simulators.boxes import HELD, NOW, Refusal, ask, box, order, price

from cambist.domain.errors import BadInput
from cambist.domain.text import speak
from cambist.simulators.binance import BinanceSimulator
from cambist.simulators.faults import Fault, Faults, Kind, read_faults

PLACE = "POST /api/v3/order"
BROKEN = (ConnectionError, http.client.HTTPException)


@pytest.fixture
def server():
    with box() as running:
        yield running


def fails(action: Callable[[], Any]) -> bool:
    try:
        action()
    except (*BROKEN, Refusal):
        return True
    return False


@pytest.mark.parametrize(
    ("fault", "struck"),
    [
        (Fault(kind=Kind.STATUS, path="x"), [0]),
        (Fault(kind=Kind.STATUS, path="x", skip=2, times=2), [2, 3]),
        (Fault(kind=Kind.STATUS, path="x", every=3, times=0), [0, 3, 6, 9]),
        (Fault(kind=Kind.STATUS, path="y"), []),
        (Fault(kind=Kind.STATUS, path="*", skip=9), [9]),
    ],
)
def test_when_a_fault_strikes(fault, struck):
    faults = Faults([fault])
    assert [n for n in range(10) if faults.strike(NOW, "x")] == struck
    assert [one.occasion for one in faults.struck] == struck


@pytest.mark.parametrize(
    ("kind", "places"),
    [
        (Kind.LATENCY, ["POST /api/v3/order"]),
        (Kind.DOWN, ["POST /api/v3/order"]),
        (Kind.DROP, ["ws:user"]),
        (Kind.THIN, ["POST /api/v3/order", "ws-api POST /api/v3/order", "ws AddOrder"]),
    ],
)
def test_a_fault_that_may_strike_anywhere_strikes_only_where_it_can(kind, places):
    faults = Faults([Fault(kind=kind, path="*", times=0)])
    for where in ("POST /api/v3/order", "ws:user", "ws-api POST /api/v3/order", "ws AddOrder"):
        faults.strike(NOW, where)
    assert [one.where for one in faults.struck] == places


def test_a_fault_of_requests_takes_no_message_from_a_stream(server):
    server.faults = [Fault(kind=Kind.LATENCY, path="*", times=0)]
    events = asyncio.run(_events(server, 3, lambda: order(server, "BUY", "MARKET")))
    assert what(events) == ["NEW", "TRADE", "outboundAccountPosition"]


def test_what_is_held_up_takes_effect_though_nobody_waits_for_it(server):
    server.faults = [Fault(kind=Kind.STALL, path=PLACE, seconds=0.2)]
    with pytest.raises(TimeoutError):
        order(server, "BUY", "MARKET", patience_s=0.05)
    assert server.exchange.orders("alice", "BTC/USDT") == []
    deadline = time.monotonic() + 10
    while not ask(server, "GET allOrders", symbol="BTCUSDT"):
        assert time.monotonic() < deadline, "the order was dropped with the connection"
        time.sleep(0.02)


def test_chance_is_by_seed():
    def strikes(seed: int) -> list[bool]:
        faults = Faults([Fault(kind=Kind.DROP, path="ws:*", probability=0.3, times=0)], seed)
        return [faults.strike(NOW, "ws:user") is not None for _ in range(200)]

    assert strikes(1) == strikes(1) != strikes(2)
    assert 30 < sum(strikes(1)) < 90


@pytest.mark.parametrize(("kind", "exists"), [(Kind.LOST, True), (Kind.STATUS_AFTER, True), (Kind.STATUS, False)])
def test_whether_an_order_exists_whose_answer_is_an_error(server, kind, exists):
    server.faults = [Fault(kind=kind, path=PLACE)]
    assert fails(lambda: order(server, "BUY", "MARKET", newClientOrderId="maybe"))
    assert [one.client_id for one in server.exchange.orders("alice", "BTC/USDT")] == ["maybe"] * exists
    assert [one.fault.kind for one in server.struck] == [kind]


def test_a_ban_lasts(server):
    server.faults = [Fault(kind=Kind.BAN, path="GET /api/v3/time", seconds=50)]
    for path in ("time", "ping"):
        with pytest.raises(Refusal) as banned:
            ask(server, f"GET {path}", secret="")
        assert (banned.value.status, banned.value.headers["Retry-After"]) == (418, "50")


def test_a_skewed_clock_refuses_what_it_thinks_too_late(server):
    server.faults = [Fault(kind=Kind.SKEW, path="*", seconds=60, times=2)]
    assert ask(server, "GET time", secret="") == {"serverTime": NOW + 60_000}
    with pytest.raises(Refusal) as refused:
        ask(server, "GET account")
    assert refused.value.code == -1021
    assert ask(server, "GET time", secret="") == {"serverTime": NOW}


def test_wrong_balances_and_stale_books_are_told_not_true(server):
    server.faults = [
        Fault(kind=Kind.WRONG_BALANCES, path="GET /api/v3/account", factor=0.5),
        Fault(kind=Kind.STALE_BOOK, path="GET /api/v3/depth", seconds=120),
    ]
    told = {one["asset"]: Decimal(one["free"]) for one in ask(server, "GET account")["balances"]}
    assert told == {asset: amount / 2 for asset, amount in HELD.items()}
    assert {asset: one.free for asset, one in server.exchange.balances("alice").items()} == HELD
    stale, fresh = (ask(server, "GET depth", secret="", symbol="BTCUSDT")["lastUpdateId"] for _ in range(2))
    assert fresh - stale == 24


def test_a_thin_market_fills_in_part(server):
    server.faults = [Fault(kind=Kind.THIN, path=PLACE, factor=0.25)]
    answer = order(server, "BUY", "LIMIT", "0.4", price=price(server, "1.01"))
    assert (answer["status"], answer["executedQty"]) == ("PARTIALLY_FILLED", "0.10000000")


@pytest.mark.parametrize("side", ["BUY", "SELL"])
def test_of_a_market_order_what_a_thin_market_has_not_expires(server, side):
    server.faults = [Fault(kind=Kind.THIN, path=PLACE, factor=0.25)]
    answer = order(server, side, "MARKET", "0.4")
    assert (answer["status"], answer["executedQty"]) == ("EXPIRED", "0.10000000")
    server.advance(60_000)
    found = ask(server, "GET order", symbol="BTCUSDT", orderId=answer["orderId"])
    assert (found["status"], found["executedQty"]) == ("EXPIRED", "0.10000000")


def test_a_thin_market_kills_what_must_fill_whole(server):
    server.faults = [Fault(kind=Kind.THIN, path=PLACE, factor=0.25)]
    answer = order(server, "BUY", "LIMIT", "0.4", price=price(server, "1.01"), timeInForce="FOK")
    assert (answer["status"], answer["executedQty"]) == ("EXPIRED", "0.00000000")


def test_even_one_row_is_sent_twice(server):
    order(server, "BUY", "MARKET")
    server.faults = [Fault(kind=Kind.DUPLICATES, path="GET /api/v3/myTrades")]
    first, second = ask(server, "GET myTrades", symbol="BTCUSDT")
    assert first == second


@pytest.mark.parametrize(("kind", "orders"), [(Kind.RESTART, 1), (Kind.AMNESIA, 0)])
def test_a_restart_with_and_without_memory(server, kind, orders):
    order(server, "BUY", "LIMIT", price=price(server, "0.9"))
    server.faults = [Fault(kind=kind, path="GET /api/v3/ping")]
    assert fails(lambda: ask(server, "GET ping", secret=""))
    assert len(ask(server, "GET openOrders", symbol="BTCUSDT")) == orders
    assert len(server.exchange.open_orders("alice")) == orders


def test_an_exchange_that_has_lost_its_memory_gives_no_number_twice(server):
    def trade() -> tuple[int, int]:
        placed = order(server, "BUY", "MARKET")
        (fill,) = ask(server, "GET myTrades", symbol="BTCUSDT", orderId=placed["orderId"])
        return placed["orderId"], fill["id"]

    before = trade()
    server.faults = [Fault(kind=Kind.AMNESIA, path="GET /api/v3/ping")]
    assert fails(lambda: ask(server, "GET ping", secret=""))
    after = trade()
    assert after[0] > before[0]
    assert after[1] > before[1]


def test_a_ban_and_a_signature_are_judged_by_the_boxs_clock_alone_where_customers_live_by_it():
    by_ours = round(time.time() * 1_000)
    with box() as lenient:
        ask(lenient, "GET account", timestamp=by_ours)
    with box(same_clock=True) as strict:
        ask(strict, "GET account", timestamp=NOW)
        with pytest.raises(Refusal) as refused:
            ask(strict, "GET account", timestamp=by_ours)
        assert refused.value.code == -1021
        strict.advance(6_000)
        with pytest.raises(Refusal) as refused:
            ask(strict, "GET account", timestamp=NOW)
        assert refused.value.code == -1021
        strict.faults = [Fault(kind=Kind.BAN, path="GET /api/v3/ping", seconds=3_600)]
        with pytest.raises(Refusal) as refused:
            ask(strict, "GET ping", secret="")
        assert refused.value.status == 418
        strict.advance(3_600_001)
        ask(strict, "GET ping", secret="")


async def _events(
    server: BinanceSimulator, count: int, act: Callable[[], Any], patience_s: float = 5
) -> list[dict[str, Any]]:
    """Return ``count`` events that an account's stream tells when ``act`` is done in another thread."""
    loop = asyncio.get_running_loop()
    key = (await loop.run_in_executor(None, lambda: ask(server, "POST userDataStream", secret="")))["listenKey"]
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{server.url}/ws/{key}") as socket,
        asyncio.timeout(patience_s),
    ):
        await loop.run_in_executor(None, act)
        messages = [await socket.receive() for _ in range(count)]
    return [json.loads(one.data) if one.type is aiohttp.WSMsgType.TEXT else {"x": one.type.name} for one in messages]


def what(events: list[dict[str, Any]]) -> list[str]:
    return [event.get("x") or event["e"] for event in events]


REPORTS = "ws:user:executionReport"


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (None, ["NEW", "TRADE", "outboundAccountPosition"]),
        (Fault(kind=Kind.DROP, path=REPORTS, skip=1), ["NEW", "outboundAccountPosition"]),
        (Fault(kind=Kind.REPEAT, path=REPORTS, skip=1), ["NEW", "TRADE", "TRADE", "outboundAccountPosition"]),
        (Fault(kind=Kind.REORDER, path=REPORTS), ["TRADE", "NEW", "outboundAccountPosition"]),
        (Fault(kind=Kind.LATE, path=REPORTS, seconds=0.1), ["TRADE", "outboundAccountPosition", "NEW"]),
        (Fault(kind=Kind.CLOSE, path=REPORTS), ["CLOSED"]),
    ],
)
def test_what_comes_through_a_stream(server, fault, expected):
    server.faults = [] if fault is None else [fault]
    events = asyncio.run(_events(server, len(expected), lambda: order(server, "BUY", "MARKET")))
    assert what(events) == expected


def test_nothing_comes_through_a_socket_that_is_half_open(server):
    server.faults = [Fault(kind=Kind.HALF_OPEN, path=REPORTS, skip=1)]

    async def listen() -> None:
        with pytest.raises(TimeoutError):
            await _events(server, 2, lambda: order(server, "BUY", "MARKET"), patience_s=0.5)

    asyncio.run(listen())
    assert len(server.exchange.fills("alice", "BTC/USDT")) == 1


def test_news_of_a_fill_may_come_after_that_of_the_cancel(server):
    server.faults = [Fault(kind=Kind.FILL_AFTER_CANCEL, path="DELETE /api/v3/order", factor=0.5)]
    placed = order(server, "BUY", "LIMIT", "0.4", price=price(server, "0.9"))
    answers = []

    def cancel() -> None:
        answers.append(ask(server, "DELETE order", symbol="BTCUSDT", orderId=placed["orderId"]))

    events = asyncio.run(_events(server, 3, cancel))
    assert what(events) == ["CANCELED", "outboundAccountPosition", "TRADE"]
    assert [answer["executedQty"] for answer in answers] == ["0.20000000"]
    assert server.exchange.fills("alice", "BTC/USDT")[0].quantity == Decimal("0.2")


def test_a_stop_too_may_be_filled_just_before_its_cancel(server):
    server.faults = [Fault(kind=Kind.FILL_AFTER_CANCEL, path="DELETE /api/v3/order", factor=1.0)]
    placed = order(server, "SELL", "STOP_LOSS", "0.4", stopPrice=price(server, "0.9"))

    def cancel() -> None:
        assert fails(lambda: ask(server, "DELETE order", symbol="BTCUSDT", orderId=placed["orderId"]))

    events = asyncio.run(_events(server, 2, cancel))
    assert what(events) == ["TRADE", "outboundAccountPosition"]  # the cancel failed, and the fill is told all the same
    assert ask(server, "GET order", symbol="BTCUSDT", orderId=placed["orderId"])["status"] == "FILLED"
    assert server.exchange.fills("alice", "BTC/USDT")[0].quantity == Decimal("0.4")


def test_a_script_is_read_from_a_file(tmp_path):
    file = tmp_path / "faults.json"
    file.write_text('{"seed": 3, "faults": [{"kind": "lost", "where": "POST /api/v3/order"}, {"kind": "drop"}]}')
    faults, seed = read_faults(file)
    assert seed == 3
    assert faults == [Fault(kind=Kind.LOST, path="POST /api/v3/order"), Fault(kind=Kind.DROP, path="ws:*")]


@pytest.mark.parametrize(
    ("text", "english", "french"),
    [
        ("{", "not JSON", "pas du JSON"),
        ('{"faults": 3}', "Write {", "Écrivez {"),
        ('[{"kind": "quake"}]', "Use one of: status", "Choisissez parmi : status"),
        ('[{"kind": "lost", "colour": "red"}]', "has the fields: kind where", "a les champs : kind where"),
        ('[{"kind": "lost", "skip": "two"}]', "must be of type int", "doit être de type int"),
        ('[{"kind": "lost", "every": 0}]', "every is 1 or more", "every 1 ou plus"),
        ('[{"kind": "lost", "probability": 2}]', "between 0 and 1", "entre 0 et 1"),
        ('[{"kind": "drop", "where": "/api/v3/order"}]', "happen on streams", "arrivent sur des flux"),
    ],
)
def test_what_is_wrong_in_a_file_is_said(tmp_path, text, english, french):
    file = tmp_path / "faults.json"
    file.write_text(text)
    with pytest.raises(BadInput) as wrong:
        read_faults(file)
    assert english in str(wrong.value)
    speak("fr")
    try:
        assert french in str(wrong.value)
    finally:
        speak("en")


def test_a_socket_is_warned_and_closed_after_a_day(server):
    async def listen() -> list[str]:
        loop = asyncio.get_running_loop()
        async with aiohttp.ClientSession() as session, session.ws_connect(f"{server.url}/ws/btcusdt@trade") as socket:
            await loop.run_in_executor(None, server.advance, 86_400_000 - 600_000)
            await loop.run_in_executor(None, server.advance, 600_000)
            async with asyncio.timeout(10):
                heard = [await socket.receive()]
                while heard[-1].type is aiohttp.WSMsgType.TEXT:
                    heard.append(await socket.receive())
        return [json.loads(one.data)["e"] for one in heard[:-1]] + [heard[-1].type.name]

    heard = asyncio.run(listen())
    assert heard[-2:] == ["serverShutdown", "CLOSE"]
    assert set(heard[:-2]) == {"trade"}


@pytest.mark.parametrize(("messages", "stays"), [(5, True), (6, False)])
def test_who_asks_a_stream_too_quickly_is_cut_off(server, messages, stays):
    async def listen() -> bool:
        async with aiohttp.ClientSession() as session, session.ws_connect(f"{server.url}/ws") as socket:
            for number in range(messages):
                await socket.send_json({"method": "LIST_SUBSCRIPTIONS", "id": number})
            async with asyncio.timeout(10):
                answers = [await socket.receive() for _ in range(messages)]
        return all(one.type is aiohttp.WSMsgType.TEXT for one in answers)

    assert asyncio.run(listen()) is stays


async def _heard_by_key(server: BinanceSimulator, *acts: Callable[[str], Any]) -> list[Any]:
    """Return all that a listen key's socket hears while ``acts`` (given the key) are done, up to a mark at the end."""
    loop = asyncio.get_running_loop()
    key = (await loop.run_in_executor(None, lambda: ask(server, "POST userDataStream", secret="")))["listenKey"]
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{server.url}/ws/{key}") as socket,
        asyncio.timeout(10),
    ):
        for act in acts:
            said = await loop.run_in_executor(None, act, key)
            if said is not None:
                await socket.send_json(said)
        await socket.send_json({"method": "LIST_SUBSCRIPTIONS", "id": "mark"})
        heard = [await socket.receive_json()]
        while heard[-1].get("id") != "mark":
            heard.append(await socket.receive_json())
    return heard[:-1]


def test_a_listen_key_that_is_not_kept_runs_out_and_opens_nothing_more():
    with box(same_clock=True) as server:
        heard = asyncio.run(
            _heard_by_key(
                server,
                lambda _: server.advance(3_500_000),
                lambda key: ask(server, "PUT userDataStream", secret="", listenKey=key) or None,
                lambda _: server.advance(3_500_000),
                lambda _: order(server, "BUY", "LIMIT", price=price(server, "0.9")) and None,
                lambda _: server.advance(100_001),
                lambda _: order(server, "BUY", "MARKET") and None,
            )
        )
    assert what(heard) == ["NEW", "outboundAccountPosition", "listenKeyExpired"]


def test_who_unsubscribes_a_listen_key_hears_no_more_of_the_account(server):
    heard = asyncio.run(
        _heard_by_key(
            server,
            lambda key: {"method": "UNSUBSCRIBE", "params": [key], "id": 1},
            lambda _: order(server, "BUY", "MARKET") and None,
        )
    )
    assert heard == [{"result": None, "id": 1}]
