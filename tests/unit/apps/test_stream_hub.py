"""The hub: who is told what."""

import asyncio
import json
import logging
from collections.abc import Callable, Collection
from decimal import Decimal
from typing import Any

import pytest

from cambist.adapters.bus.inprocess import InProcessBus
from cambist.adapters.bus.redis import RedisBus
from cambist.adapters.telemetry.metrics import PrometheusMetrics
from cambist.apps.api.stream.client import TOO_SLOW, Client
from cambist.apps.api.stream.hub import KEEP, KEEP_S, Hub
from cambist.apps.api.stream.topics import PRIVATE, Topic, Wanted
from cambist.domain.account import BotStatus, Mode
from cambist.domain.standing import AccountStanding, BotStanding
from cambist.domain.timeframe import Timeframe
from cambist.domain.trading import BreakerStage, TradingState
from cambist.engine.messages import left_message, standing_message
from cambist.ports import bus
from cambist.ports.bus import Delivery

OWN = {bus.ORDERS: "orders", bus.FILLS: "fills", bus.ALERTS: "alerts", bus.JOBS: "jobs", bus.ANSWERS: "requests"}


def run(scenario: Callable[[], Any]) -> None:
    asyncio.run(scenario())


def hub(known: Collection[AccountStanding] = (), **more: Any) -> Hub:
    def read(user_id: int, heard: Collection[str]) -> list[AccountStanding]:
        return [one for one in known if one.user_id == user_id and one.id not in heard]

    return Hub(None, read, **more)  # type: ignore[arg-type]


async def listening(one: Hub, user_id: int, *topics: Topic, **wanted: Any) -> Client:
    client = Client(user_id)
    one.join(client)
    await one.subscribe(client, topics or list(Topic), Wanted(**wanted))
    drain(client)
    return client


def drain(client: Client) -> list[dict[str, Any]]:
    found = []
    while (text := client.take()) is not None:
        found.append(json.loads(text))
    return found


def tell(one: Hub, topic: str, **message: Any) -> None:
    tell.count += 1  # type: ignore[attr-defined]
    message.setdefault("id", f"m{tell.count}")  # type: ignore[attr-defined]
    one.hear(Delivery(topic, str(tell.count), json.loads(json.dumps(message))))  # type: ignore[attr-defined]


tell.count = 0  # type: ignore[attr-defined]


def standing(
    account: str = "main", user_id: int = 1, seq: int = 5, quantity: str = "0.5", price: str = "100"
) -> AccountStanding:
    held = Decimal(quantity)
    bot = BotStanding(
        id="cross",
        strategy="ema_cross",
        symbol="BTC/USDT",
        timeframe=Timeframe.M1,
        status=BotStatus.RUNNING,
        budget=Decimal(1000),
        equity=Decimal("1E+3"),
        price=Decimal(price),
        quantity=held,
        entry_price=Decimal(90),
        unrealised=held * (Decimal(price) - 90),
        protection="native",
        stop_loss=Decimal("88.2"),
        take_profit=None,
        trades=3,
        realised=Decimal("-0.10"),
    )
    return AccountStanding(
        id=account,
        user_id=user_id,
        venue="simulated",
        mode=Mode.PAPER,
        quote="USDT",
        ts=1_000 + seq,
        seq=seq,
        ready=True,
        trading=TradingState.ACTIVE,
        breaker=BreakerStage.CLEAR,
        equity=Decimal(1000),
        bots=(bot,),
    )


def stands(one: Hub, how: AccountStanding) -> None:
    tell(one, bus.AUDIT, **standing_message(how))


# -- whose it is ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("topic", OWN)
def test_what_is_ones_own_goes_to_all_of_ones_clients_and_nobody_else(topic):
    async def scenario():
        one = hub()
        first, second, other = [await listening(one, user) for user in (1, 1, 2)]
        tell(one, topic, id="mine", user_id=1, what="é")
        for client in (first, second):
            (event,) = drain(client)
            assert event["type"] == "event"
            assert (event["topic"], event["seq"], event["id"]) == (OWN[topic], 1, "mine")
            assert event["data"]["what"] == "é"
        assert drain(other) == []

    run(scenario)


def test_figures_of_orders_that_are_only_thought_of_are_no_news():
    async def scenario():
        one = hub()
        client = await listening(one, 1)
        tell(one, bus.ANSWERS, user_id=1, action="offer", answer="{}")
        tell(one, bus.ANSWERS, id="sent", user_id=1, action="order", answer="Sent: c.")
        assert [(event["seq"], event["id"]) for event in drain(client)] == [(1, "sent")]

    run(scenario)


@pytest.mark.parametrize("topic", OWN)
@pytest.mark.parametrize("owner", [None, "1", 0, 7])
def test_what_is_nobodys_or_another_persons_is_told_to_nobody_here(topic, owner):
    async def scenario():
        one = hub()
        client = await listening(one, 1)
        tell(one, topic, user_id=owner)
        tell(one, topic)
        assert drain(client) == []

    run(scenario)


def test_standings_go_to_their_owner_alone():
    async def scenario():
        one = hub()
        mine, theirs = await listening(one, 1), await listening(one, 2)
        stands(one, standing(user_id=2))
        assert drain(mine) == []
        assert {event["topic"] for event in drain(theirs)} == {"bots", "positions"}
        again = Client(1)
        one.join(again)
        await one.subscribe(again, [Topic.BOTS, Topic.POSITIONS], Wanted())
        assert [message["data"] for message in drain(again)] == [[], []]

    run(scenario)


def test_the_progress_of_one_person_on_a_public_topic_is_that_persons():
    async def scenario():
        one = hub()
        mine, theirs = await listening(one, 1), await listening(one, 2)
        tell(one, bus.EXCHANGES, exchange="kraken", user_id=1, done=3)
        tell(one, bus.EXCHANGES, exchange="kraken", symbols=900)
        assert [(event["seq"], "done" in event["data"]) for event in drain(mine)] == [(None, True), (1, False)]
        assert [(event["seq"], "done" in event["data"]) for event in drain(theirs)] == [(1, False)]

    run(scenario)


def test_numbers_of_what_is_private_tell_nothing_of_others():
    async def scenario():
        one = hub()
        client = await listening(one, 1)
        for user in (2, 2, 2, 1):
            tell(one, bus.ORDERS, user_id=user)
        assert [event["seq"] for event in drain(client)] == [1]
        assert one.seqs(1)[Topic.ORDERS] == 1
        assert set(one.seqs(1)) == PRIVATE

    run(scenario)


# -- what is wanted ---------------------------------------------------------------------------------------------------


def test_only_what_was_subscribed_to_comes_and_only_until_it_is_not():
    async def scenario():
        one = hub()
        client = await listening(one, 1, Topic.CANDLES, Topic.FILLS, symbols=frozenset(("BTC/USDT",)))
        tell(one, bus.CANDLES, symbol="BTC/USDT", timeframe="1m")
        tell(one, bus.CANDLES, symbol="ETH/USDT", timeframe="1m")
        tell(one, bus.HEARTBEAT, symbol="BTC/USDT", timeframe="1m")
        tell(one, bus.FILLS, symbol="ETH/USDT", user_id=1)
        tell(one, bus.FILLS, symbol="BTC/USDT", user_id=1)
        assert [(event["topic"], event["seq"]) for event in drain(client)] == [("fills", 2), ("candles", 1)]
        tell(one, bus.CANDLES, symbol="BTC/USDT", timeframe="1m")
        one.unsubscribe(client, [Topic.CANDLES])
        tell(one, bus.CANDLES, symbol="BTC/USDT", timeframe="1m")
        tell(one, bus.FILLS, symbol="BTC/USDT", user_id=1)
        assert [event["topic"] for event in drain(client)] == ["fills"]
        one.leave(client)
        tell(one, bus.FILLS, symbol="BTC/USDT", user_id=1)
        assert drain(client) == []
        assert one.clients == 0

    run(scenario)


def test_timeframes_are_chosen_and_subscribing_again_replaces_the_choice():
    async def scenario():
        one = hub()
        client = await listening(one, 1, Topic.HEARTBEAT, timeframes=frozenset(("1m",)))
        for timeframe in ("1m", "5m"):
            tell(one, bus.HEARTBEAT, symbol="BTC/USDT", timeframe=timeframe)
        assert [event["data"]["timeframe"] for event in drain(client)] == ["1m"]
        await one.subscribe(client, [Topic.HEARTBEAT], Wanted(timeframes=frozenset(("5m",))))
        for timeframe in ("1m", "5m"):
            tell(one, bus.HEARTBEAT, symbol="BTC/USDT", timeframe=timeframe)
        assert [event["data"]["timeframe"] for event in drain(client)] == ["5m"]

    run(scenario)


# -- slow clients -----------------------------------------------------------------------------------------------------


def test_of_ticks_and_bots_only_the_newest_waits():
    async def scenario():
        measured = PrometheusMetrics()
        one = hub(metrics=measured)
        client = await listening(one, 1)
        for price in range(5):
            for symbol in ("BTC/USDT", "ETH/USDT"):
                tell(one, bus.TICKS, venue="binance", symbol=symbol, price=str(price))
            stands(one, standing(seq=price, price=str(price + 1)))
        told = drain(client)
        assert [event["topic"] for event in told] == ["positions", "ticks", "ticks", "bots"]  # and no gap is told
        assert [event["data"]["price"] for event in told[1:3]] == ["4", "4"]
        assert told[3]["data"]["bots"][0]["price"] == "5"
        assert client.left_out == 12
        assert b'cambist_stream_dropped_total{topic="ticks"} 8.0' in measured.text()
        assert b"cambist_stream_clients 1.0" in measured.text()

    run(scenario)


def test_a_client_that_lets_its_own_events_pile_up_is_cut_off_and_can_resume():
    async def scenario():
        one = hub()
        client = Client(1, most_kept=3)
        one.join(client)
        await one.subscribe(client, [Topic.ORDERS], Wanted())
        for number in range(3):
            tell(one, bus.ORDERS, id=f"o{number}", user_id=1)
        assert not client.ended.done()
        tell(one, bus.ORDERS, id="o3", user_id=1)
        assert client.ending is not None
        assert client.ending.code == TOO_SLOW
        assert client.take() is None
        one.leave(client)
        back = Client(1)
        one.join(back)
        assert one.resume(back, one.stream, {Topic.ORDERS: 0})
        await one.subscribe(back, [Topic.ORDERS], Wanted())
        assert [event["id"] for event in drain(back)] == ["o0", "o1", "o2", "o3"]

    run(scenario)


# -- coming back ------------------------------------------------------------------------------------------------------


def test_more_than_is_kept_is_told_as_a_gap():
    async def scenario():
        one = hub()
        for number in range(KEEP + 10):
            tell(one, bus.FILLS, id=f"f{number}", user_id=1)
        client = Client(1)
        one.join(client)
        one.resume(client, one.stream, {Topic.FILLS: 4})
        await one.subscribe(client, [Topic.FILLS], Wanted())
        gap, *rest = drain(client)
        assert gap == {"type": "gap", "topic": "fills", "from": 5, "to": 10}
        assert [event["seq"] for event in rest] == list(range(11, KEEP + 11))

    run(scenario)


@pytest.mark.parametrize(("stream", "seen"), [("another", 2), (None, 9)])
def test_numbers_that_are_not_this_hubs_are_told_as_a_gap(stream, seen):
    async def scenario():
        one = hub()
        for _ in range(3):
            tell(one, bus.ORDERS, user_id=1)
        client = Client(1)
        one.join(client)
        assert one.resume(client, stream or one.stream, {Topic.ORDERS: seen}) is (stream is None)
        await one.subscribe(client, [Topic.ORDERS, Topic.FILLS], Wanted())
        assert drain(client) == [{"type": "gap", "topic": "orders", "from": 0, "to": 3}]
        tell(one, bus.ORDERS, user_id=1)
        assert [event["seq"] for event in drain(client)] == [4]

    run(scenario)


def test_what_is_old_is_let_go_and_told_as_a_gap(monkeypatch):
    async def scenario():
        one = hub()
        tell(one, bus.ORDERS, user_id=1)
        loop = asyncio.get_running_loop()
        later_s = loop.time() + KEEP_S + 1
        monkeypatch.setattr(loop, "time", lambda: later_s)
        tell(one, bus.ORDERS, user_id=1)
        one.forget_old()
        client = Client(1)
        one.join(client)
        one.resume(client, one.stream, {Topic.ORDERS: 0})
        await one.subscribe(client, [Topic.ORDERS], Wanted())
        gap, event = drain(client)
        assert gap == {"type": "gap", "topic": "orders", "from": 1, "to": 1}
        assert event["seq"] == 2

    run(scenario)


# -- how accounts stand -----------------------------------------------------------------------------------------------


def test_a_subscription_begins_with_how_everything_stands():
    async def scenario():
        one = hub([standing("old", seq=3), standing("main", seq=1, quantity="0"), standing("other", user_id=2)])
        stands(one, standing("main", seq=5))  # newer than what the journal said
        client = Client(1)
        one.join(client)
        await one.subscribe(client, [Topic.BOTS, Topic.POSITIONS], Wanted())
        bots, held = drain(client)
        assert (bots["type"], bots["topic"], bots["seq"]) == ("snapshot", "bots", 1)
        assert [(account["account"], account["seq"]) for account in bots["data"]] == [("main", 5), ("old", 3)]
        bot = bots["data"][0]["bots"][0]
        assert (bot["equity"], bot["realised"], bot["orders"], bot["closing"]) == ("1000", "-0.10", [], False)
        assert held["data"][0] == {
            "account": "main",
            "ts": 1005,
            "seq": 5,
            "quote": "USDT",
            "held": [
                {
                    "bot": "cross",
                    "symbol": "BTC/USDT",
                    "quantity": "0.5",
                    "entry_price": "90",
                    "price": "100",
                    "unrealised": "5.0",
                    "protection": "native",
                    "stop_loss": "88.2",
                    "take_profit": None,
                    "closing": False,
                }
            ],
        }

    run(scenario)


def test_positions_are_told_when_more_than_the_price_has_changed():
    async def scenario():
        one = hub()
        client = await listening(one, 1, Topic.POSITIONS, Topic.BOTS)
        told = []
        for seq, (quantity, price) in enumerate([("1", "100"), ("1", "101"), ("2", "101"), ("0", "101"), ("0", "99")]):
            stands(one, standing(seq=seq, quantity=quantity, price=price))
            told.append(sorted(event["topic"] for event in drain(client)))
        both = ["bots", "positions"]
        assert told == [both, ["bots"], both, both, ["bots"]]

    run(scenario)


def test_an_older_standing_that_comes_again_changes_nothing():
    async def scenario():
        one = hub()
        client = await listening(one, 1, Topic.BOTS)
        stands(one, standing(seq=6))
        stands(one, standing(seq=5))
        assert [event["data"]["seq"] for event in drain(client)] == [6]

    run(scenario)


def test_an_account_that_is_run_no_more_is_told_and_read_off_its_journal_again():
    async def scenario():
        kept = [standing("main", seq=9)]
        one = hub(kept)
        client = await listening(one, 1, Topic.BOTS)
        stands(one, standing("main", seq=8))
        tell(one, bus.AUDIT, **left_message(type("Spec", (), {"id": "main", "user_id": 1})(), 8))
        assert [event["data"]["left"] for event in drain(client)] == [True]
        again = Client(1)
        one.join(again)
        await one.subscribe(again, [Topic.BOTS], Wanted())
        assert [one["seq"] for one in drain(again)[0]["data"]] == [9]

    run(scenario)


# -- alerts, and what is wrong ----------------------------------------------------------------------------------------


def test_alerts_are_said_in_both_languages():
    async def scenario():
        one = hub()
        client = await listening(one, 1, Topic.ALERTS)
        params = {"bot": "cross", "symbol": "BTC/USDT", "side": "buy", "quantity": "1", "price": "9", "quote": "USDT"}
        tell(one, bus.ALERTS, user_id=1, type="trade_executed", key="alert.entered", params=params)
        tell(one, bus.ALERTS, user_id=1, type="news", key="alert.of_a_later_version", params={})
        first, second = drain(client)
        english, french = first["data"]["text"]["en"], first["data"]["text"]["fr"]
        assert "buy" in english
        assert "achat" in french
        assert second["data"]["text"] == {"en": "news", "fr": "news"}

    run(scenario)


def test_a_message_that_cannot_be_read_is_logged_and_the_next_one_told(caplog):
    async def scenario():
        one = hub()
        client = await listening(one, 1, Topic.BOTS)
        with caplog.at_level(logging.ERROR):
            tell(one, bus.AUDIT, kind="standing", user_id=1, account="main", standing={"id": 4})
        stands(one, standing())
        assert [event["data"]["account"] for event in drain(client)] == ["main"]

    run(scenario)
    assert "cannot be read" in caplog.text


# -- over a bus -------------------------------------------------------------------------------------------------------


async def _all_hubs_hear_all(open_bus: Callable[[], bus.Bus]) -> None:
    publisher = open_bus()
    heard_by = [open_bus(), open_bus()] if isinstance(publisher, RedisBus) else [publisher, publisher]
    hubs = [Hub(one, lambda user_id, heard: []) for one in heard_by]
    clients = [await listening(one, 1, Topic.ORDERS, Topic.RAW) for one in hubs]
    running = [asyncio.create_task(one.run()) for one in hubs]
    try:
        got: list[list[str]] = [[], []]
        async with asyncio.timeout(20):
            number = 0
            while not all(got):  # until both have subscribed
                number += 1
                await publisher.publish(bus.ORDERS, {"id": f"first-{number}", "user_id": 1})
                await asyncio.sleep(0.01)
                for texts, client in zip(got, clients, strict=True):
                    texts += [event["id"] for event in drain(client)]
            for number in range(50):
                await publisher.publish(bus.ORDERS, {"id": f"o{number}", "user_id": 1})
            for texts, client in zip(got, clients, strict=True):
                while "o49" not in texts:
                    await client.something()
                    texts += [event["id"] for event in drain(client)]
                assert [text for text in texts if text[0] == "o"] == [f"o{number}" for number in range(50)]
    finally:
        for task in running:
            task.cancel()
        await asyncio.wait(running)
        for one in {publisher, *heard_by}:
            await one.close()


def test_every_hub_of_one_process_hears_everything():
    asyncio.run(_all_hubs_hear_all(InProcessBus))


def test_every_hub_of_every_process_hears_everything_over_redis(redis_server):
    asyncio.run(_all_hubs_hear_all(lambda: RedisBus(redis_server.url)))
