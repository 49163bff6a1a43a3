"""The sockets of Kraken in a box: what is pushed of the market and of an account, exact, or as faults have it."""

import zlib
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.simulators.krakens import HELD, NOW, SYMBOL, Client, Ear, Refusal, run

from cambist.domain.timeframe import MINUTE_MS
from cambist.simulators.faults import Fault, Kind
from cambist.simulators.kraken.shapes import moment

D = Decimal


async def listening(client: Client, ear: Ear, *channels: str, **how: Any) -> None:
    token = (await client.private("GetWebSocketsToken"))["token"]
    for channel in channels:
        await ear.say("subscribe", channel=channel, token=token, **how)
        await ear.until(lambda one: one.get("method") == "subscribe" and one["success"])


# -- the market -------------------------------------------------------------------------------------------------------


def test_a_book_kept_by_the_changes_is_the_book_that_is_asked_for_and_its_checksum_right():
    async def body(client: Client) -> None:
        async with client.socket() as ear:
            assert (await ear.hear())["channel"] == "status"
            await ear.say("subscribe", channel="book", symbol=[SYMBOL], depth=25)
            sides: dict[str, dict[Decimal, Decimal]] = {"bids": {}, "asks": {}}
            best: dict[str, list[tuple[Decimal, Decimal]]] = {}

            def taken(told: Any) -> None:
                for name, side in sides.items():
                    side.update({level["price"]: level["qty"] for level in told[name]})
                    best[name] = sorted((level for level in side.items() if level[1]), reverse=name == "bids")[:25]
                    sides[name] = dict(best[name])
                texts = [
                    text
                    for name in ("asks", "bids")
                    for price, quantity in best[name][:10]
                    for text in (f"{price:.1f}", f"{quantity:.8f}")
                ]
                assert (
                    zlib.crc32("".join(text.replace(".", "").lstrip("0") for text in texts).encode())
                    == (told["checksum"])
                )

            taken((await ear.of("book", "snapshot"))[0])
            await client.server.advance(10 * MINUTE_MS)
            asked = (await client.public("Depth", pair="XBTUSD", count=25))["XXBTZUSD"]
            last = (await client.public("Trades", pair="XBTUSD", count=1))["XXBTZUSD"][0]
            for _ in range(120):  # twelve trades a minute, each a change
                (told,) = await ear.of("book")
                taken(told)
            assert told["timestamp"] == moment(round(last[2] * 1000))
            for name, levels in best.items():
                assert levels == [(D(price), D(quantity)) for price, quantity, _ in asked[name]]

    run(body)


def test_what_falls_out_of_the_depth_is_not_told():
    async def body(client: Client) -> None:
        market = client.server.market
        line = market.line("XBTUSD")
        async with client.socket() as ear:
            await ear.say("subscribe", channel="book", symbol=[SYMBOL], depth=10)
            await ear.of("book", "snapshot")
            await client.server.advance(10 * MINUTE_MS)
            removed = 0
            for _ in range(120):
                (told,) = await ear.of("book")
                book = market.book(line, at=round(datetime.fromisoformat(told["timestamp"]).timestamp() * 1000))
                for name, side in (("bids", book.bids), ("asks", book.asks)):
                    gone = {level["price"] for level in told[name] if not level["qty"]}
                    assert not gone & {price for price, _ in side}
                    removed += len(gone)
        assert removed

    run(body)


def test_trades_candles_and_ticker_are_pushed_as_they_happen():
    async def body(client: Client) -> None:
        async with client.socket() as ear:
            for channel, more in (("trade", {}), ("ohlc", {"interval": 5}), ("ticker", {})):
                await ear.say("subscribe", channel=channel, symbol=[SYMBOL], **more)
                assert await ear.of(channel, "snapshot")
            await client.server.advance(MINUTE_MS)
            *_, (trade,) = [await ear.of("trade") for _ in range(12)]
            asked = (await client.public("Trades", pair="XBTUSD", count=1))["XXBTZUSD"][0]
            assert (f"{trade['price']:.1f}", trade["qty"], trade["trade_id"]) == (asked[0], D(asked[1]), asked[6])
        async with client.socket() as ear:
            await ear.say("subscribe", channel="ohlc", symbol=[SYMBOL], interval=5, snapshot=False)
            await ear.until(lambda one: one.get("success"))
            await client.server.advance(5 * MINUTE_MS)
            candles: list[dict[str, Any]] = []
            while not candles or candles[-1]["interval_begin"] != "2024-01-01T05:05:00.000000Z":
                candles += await ear.of("ohlc")
            rows = (await client.public("OHLC", pair="XBTUSD", interval=5))["XXBTZUSD"]
            told, asked = candles[-2], next(row for row in rows if row[0] * 1000 == NOW)
            assert [told[name] for name in ("open", "high", "low", "close", "volume", "trades")] == [
                *(D(text) for text in asked[1:5]), D(asked[6]), asked[7],
            ]  # fmt: skip

    run(body)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"channel": "ticker", "symbol": ["NO/SUCH"]}, "Currency pair not supported NO/SUCH"),
        ({"channel": "book", "symbol": [SYMBOL], "depth": 7}, "Subscription depth not supported"),
        ({"channel": "ohlc", "symbol": [SYMBOL], "interval": 7}, "Subscription ohlc interval not supported"),
        ({"channel": "nonsense"}, "Subscription name invalid"),
        ({"channel": "executions", "token": "stolen"}, "ESession:Invalid session"),
    ],
)
def test_what_cannot_be_had_is_refused(params, words):
    async def body(client: Client) -> None:
        async with client.socket() as ear:
            await ear.say("subscribe", **params)
            said = await ear.until(lambda one: "method" in one)
            assert (said["method"], said["success"], said["error"], said["req_id"]) == ("subscribe", False, words, 7)
            await ear.say("ping")
            assert (await ear.until(lambda one: "method" in one))["method"] == "pong"

    run(body)


def test_silence_is_broken_by_heartbeats():
    async def body(client: Client) -> None:
        async with client.socket() as ear:
            await ear.say("subscribe", channel="trade", symbol=[SYMBOL])
            await ear.of("trade", "snapshot")
            client.server.clock.advance(1_001)
            assert await ear.until(lambda one: one == {"channel": "heartbeat"})

    run(body)


# -- accounts ---------------------------------------------------------------------------------------------------------


def test_an_order_is_announced_with_its_terms_and_then_named_by_what_changes():
    async def body(client: Client) -> None:
        async with client.socket() as ear:
            await listening(client, ear, "executions", "balances")
            name = await client.order("buy", "market", "0.02", cl_ord_id="mine")
            said = [(await ear.of("executions"))[0] for _ in range(4)]
            assert [one["exec_type"] for one in said] == ["pending_new", "new", "trade", "filled"]
            assert {(one["order_id"], one["cl_ord_id"]) for one in said} == {(name, "mine")}
            assert [("symbol" in one) for one in said] == [True, False, True, False]
            price = client.server.exchange.price(SYMBOL)
            trade, over = said[2:]
            assert (trade["last_qty"], trade["last_price"]) == (D("0.02"), price)
            assert trade["fees"] == [{"asset": "USD", "qty": price * D("0.02") * D("0.004")}]
            assert trade["exec_id"] in (await client.private("TradesHistory"))["trades"]
            assert (over["order_status"], over["cum_qty"], over["cum_cost"]) == ("filled", D("0.02"), price * D("0.02"))
            ledger = {one["asset"]: one for one in [(await ear.of("balances"))[0] for _ in range(2)]}
            assert ledger["USD"]["balance"] == HELD["USD"] + ledger["USD"]["amount"] - ledger["USD"]["fee"]
            assert (ledger["BTC"]["amount"], ledger["BTC"]["balance"]) == (D("0.02"), D("2.02"))

    run(body)


def test_who_comes_later_is_told_how_things_stand():
    async def body(client: Client) -> None:
        stop = await client.order("sell", "stop-loss", price=client.price("0.9"))
        await client.order("buy", "market")
        async with client.socket() as ear:
            await listening(client, ear, "executions", snap_trades=True)
            waiting, trade = await ear.of("executions", "snapshot")
            assert (waiting["order_id"], waiting["stop_price"]) == (stop, D(client.price("0.9")))
            assert (trade["exec_type"], trade["order_status"]) == ("trade", "filled")
            await client.private("CancelOrder", txid=stop)
            (gone,) = await ear.of("executions")
            assert (gone["exec_type"], gone["cancel_reason"], gone["cum_qty"]) == ("canceled", "User requested", 0)

    run(body)


def test_a_token_runs_out():
    async def body(client: Client) -> None:
        token = (await client.private("GetWebSocketsToken"))["token"]
        client.server.clock.advance(901_000)
        async with client.socket() as ear:
            await ear.say("subscribe", channel="balances", token=token)
            said = await ear.until(lambda one: "method" in one)
            assert said["error"] == "ESession:Invalid session"

    run(body)


def test_a_token_that_opened_a_channel_does_not_run_out_on_that_socket():
    async def body(client: Client) -> None:
        token = (await client.private("GetWebSocketsToken"))["token"]
        async with client.socket() as ear, client.socket() as other:
            await ear.say("subscribe", channel="balances", token=token)
            await ear.of("balances", "snapshot")
            await client.server.advance(901_000)
            for socket, granted in ((ear, True), (other, False)):
                await socket.say("cancel_all", token=token)
                said = await socket.until(lambda one: one.get("method") == "cancel_all")
                assert said["success"] is granted

    run(body)


def test_a_change_that_is_refused_is_not_told():
    async def body(client: Client) -> None:
        limit = await client.order("buy", "limit", "1", price=client.price("0.9"))
        async with client.socket() as ear:
            await listening(client, ear, "executions")
            with pytest.raises(Refusal, match="Insufficient funds"):
                await client.private("AmendOrder", txid=limit, order_qty="1000")
            await client.private("AmendOrder", txid=limit, order_qty="0.5")
            (said,) = await ear.of("executions")
            assert (said["exec_type"], said["order_qty"]) == ("amended", D("0.5"))

    run(body)


def test_an_order_of_which_too_little_is_left_is_not_changed_and_stays():
    async def body(client: Client) -> None:
        server = client.server
        server.faults = [Fault(kind=Kind.THIN, path="POST /0/private/AddOrder", factor=0.6)]
        limit = await client.order("buy", "limit", "0.00018", price=client.price("1.01"))
        with pytest.raises(Refusal, match="Order minimum not met"):
            await client.private("AmendOrder", txid=limit, limit_price=client.price("1.02"))
        assert (await client.told(limit))["status"] == "open"
        assert [one.filled for one in server.exchange.open_orders("alice")] == [D("0.000108")]

    run(body)


def test_orders_over_a_socket_are_the_same_orders():
    async def body(client: Client) -> None:
        token = (await client.private("GetWebSocketsToken"))["token"]

        async with client.socket() as ear:

            async def ask(method: str, **params: Any) -> Any:
                await ear.say(method, token=token, **params)
                return await ear.until(lambda one: one.get("method") == method)

            terms = {"symbol": SYMBOL, "side": "sell", "order_qty": 0.01}
            stop = await ask(
                "add_order", **terms, order_type="stop-loss", triggers={"price": float(client.price("0.9"))}
            )
            name = stop["result"]["order_id"]
            assert (await client.told(name))["descr"]["ordertype"] == "stop-loss"
            moved = await ask("amend_order", order_id=name, trigger_price=float(client.price("0.95")))
            assert moved["success"]
            assert (await client.told(name))["descr"]["price"] == client.price("0.95")
            assert (await ask("cancel_order", order_id=[name]))["success"]
            again = await ask("cancel_order", order_id=[name])
            assert (again["success"], again["error"]) == (False, "EOrder:Unknown order")
            price = float(client.price("1.1"))
            await ask("add_order", **terms, order_type="limit", limit_price=price, cl_ord_id="w")
            assert (await ask("cancel_all"))["result"] == {"count": 1}
            small = await ask("add_order", **terms | {"order_qty": 1e-05}, order_type="limit", limit_price=price)
            assert small["error"] == "EOrder:Order minimum not met"
            poor = await ask("add_order", **terms | {"order_qty": 10}, order_type="limit", limit_price=price)
            assert poor["error"] == "EOrder:Insufficient funds"

    run(body)


def test_the_faults_of_streams_strike_what_they_name():
    async def body(client: Client) -> None:
        async with client.socket() as ear:
            await listening(client, ear, "executions")
            client.server.faults = [
                Fault(kind=Kind.DROP, path="ws:user:new"),
                Fault(kind=Kind.REPEAT, path="ws:user:trade"),
            ]
            await client.order("buy", "market")
            said = [(await ear.of("executions"))[0]["exec_type"] for _ in range(4)]
            assert said == ["pending_new", "trade", "trade", "filled"]
            client.server.faults = [Fault(kind=Kind.REORDER, path="ws:executions")]
            await client.order("buy", "market")
            said = [(await ear.of("executions"))[0]["exec_type"] for _ in range(4)]
            assert said == ["new", "pending_new", "trade", "filled"]
            name = await client.order("buy", "limit", price=client.price("0.9"))
            client.server.faults = [Fault(kind=Kind.FILL_AFTER_CANCEL, path="*/CancelOrder", factor=1.0)]
            with pytest.raises(Refusal, match="Unknown order"):
                await client.private("CancelOrder", txid=name)
            said = [(await ear.of("executions"))[0]["exec_type"] for _ in range(4)]
            assert said == ["pending_new", "new", "trade", "filled"]
            client.server.faults = [Fault(kind=Kind.CLOSE, path="ws:executions")]
            await client.order("buy", "market")
            with pytest.raises(TypeError):  # nothing more comes: the message is no text
                await ear.of("executions")

    run(body)
