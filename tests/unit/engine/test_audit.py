"""What the outside is told of an engine: real runs, on the bus of this process and on a real Redis."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from tests.databases import RedisServer, sqlite_url
from tests.unit.engine.floors import SYMBOLS, Floor, floor, market, two_bots

from cambist.adapters.bus.inprocess import InProcessBus
from cambist.adapters.bus.redis import RedisBus
from cambist.adapters.storage.journal import SqlJournal
from cambist.domain.account import BotStatus
from cambist.domain.alert import Alert, Level
from cambist.domain.errors import BusFailed
from cambist.domain.event import BotChanged, Decided
from cambist.domain.order import Side
from cambist.domain.report import OrderReport, Status
from cambist.domain.standing import AccountStanding
from cambist.domain.text import say
from cambist.domain.wire import codec, from_text
from cambist.domain.wish import Enter, Notional
from cambist.engine.audit import Audit
from cambist.engine.recovery import Journaled
from cambist.ports.bus import ALERTS, AUDIT, FILLS, ORDERS, SIGNALS, Bus

TOPICS = (SIGNALS, ORDERS, FILLS, ALERTS, AUDIT)
Messages = dict[str, list[dict[str, Any]]]
_prefixes = count(1)


class Prefixed:
    """A bus whose topics are this test's alone: the Redis server is shared."""

    def __init__(self, bus: Bus) -> None:
        self._bus, self._prefix = bus, f"audit-{next(_prefixes)}-"

    async def publish(self, topic: str, message: dict[str, Any]) -> None:
        await self._bus.publish(self._prefix + topic, message)

    def subscribe(self, *topics: str, **how: Any):
        return self._bus.subscribe(*(self._prefix + topic for topic in topics), **how)

    async def ack(self, group: str, delivery) -> None:
        await self._bus.ack(group, delivery)

    async def close(self) -> None:
        await self._bus.close()


@pytest.fixture(params=["in process", "redis"])
def open_bus(request: pytest.FixtureRequest):
    if request.param == "in process":
        return lambda: Prefixed(InProcessBus(keep=100_000))
    server: RedisServer = request.getfixturevalue("redis_server")
    return lambda: Prefixed(RedisBus(server.url, keep=100_000))


async def everything(bus: Bus, audit: Audit) -> Messages:
    """Return what ``audit`` has told, topic by topic."""
    await audit.settled()
    found: Messages = {topic: [] for topic in TOPICS}
    for topic in TOPICS:
        await bus.publish(topic, {"id": "the end"})
        reading: Any = bus.subscribe(topic, group="test", consumer="test", from_start=True)
        async with asyncio.timeout(60):
            while (delivery := await anext(reading)).message["id"] != "the end":
                found[topic].append(delivery.message)
                await bus.ack("test", delivery)
        await reading.aclose()
    return found


async def ran(bus: Bus, url: str, candles: int = 300) -> tuple[Messages, Floor, list[tuple]]:
    """Run two bots over ``candles``; return what was told, and the floor as it was left."""
    series = market(candles)
    async with floor(url, series, bus, every_s=0.01) as opened:
        await two_bots(opened, series)
        await opened.run(series)
        found = await everything(bus, opened.audit)
        journal = [(entry.seq, entry.body) for entry in SqlJournal(url).read("paper")]
        return found, opened, journal


@asynccontextmanager
async def on(open_bus) -> AsyncIterator[Bus]:
    bus = open_bus()
    try:
        yield bus
    finally:
        await bus.close()


def test_a_run_is_told_whole(open_bus, tmp_path):
    async def scenario() -> None:
        async with on(open_bus) as bus:
            found, opened, journal = await ran(bus, sqlite_url(tmp_path / "book.db"))
        account = opened.lane.account
        for messages in found.values():
            ids = [message["id"] for message in messages if message.get("kind") != "standing"]
            assert len(ids) == len(set(ids))
            assert all(message["account"] == "paper" and message["user_id"] == 1 for message in messages)
        # every journaled event, in order, as the journal has it
        events = [message for message in found[AUDIT] if message["kind"] == "event"]
        assert [message["seq"] for message in events] == [seq for seq, _ in journal]
        for message, (_, body) in zip(events, journal, strict=True):
            told = codec(Journaled)[1]({"event": message["data"], "commands": message["commands"]})
            assert told == from_text(Journaled, body)
            assert message["event"] == type(told.event).__name__
        # every order and its last state, every fill
        last = {message["client_id"]: message for message in found[ORDERS]}
        assert {name: one.life for name, one in account.orders.items()} == {
            name: message["status"] for name, message in last.items()
        }
        fills = Counter(message["client_id"] for message in found[FILLS])
        assert fills == Counter({name: len(one.trades) for name, one in account.orders.items() if one.trades})
        for name, one in account.orders.items():
            assert Decimal(last[name]["filled"]) == one.filled
        # every trade, from its entry to its end
        executed = Counter(message["type"] for message in found[ALERTS])
        trades = [trade for seat in account.seats.values() for trade in seat.state.trades]
        assert executed["trade_closed"] == len(trades) >= 5
        held = sum(bool(seat.bot.position) for seat in account.seats.values())
        assert executed["trade_executed"] == len(trades) + held
        assert sorted(Decimal(m["pnl"]) for m in found[ALERTS] if m["type"] == "trade_closed") == sorted(
            trade.pnl for trade in trades
        )
        assert {message["strategy"] for message in found[SIGNALS]} == {"donchian_trend", "ema_cross"}

    asyncio.run(scenario())


def test_the_same_run_has_the_same_ids_and_contents(tmp_path):
    async def told(name: str) -> Messages:
        async with on(lambda: Prefixed(InProcessBus(keep=100_000))) as bus:
            found, _, _ = await ran(bus, sqlite_url(tmp_path / f"{name}.db"), 150)
            return found

    first, second = asyncio.run(told("first")), asyncio.run(told("second"))
    for topic in (SIGNALS, ORDERS, FILLS, ALERTS):
        assert first[topic] == second[topic]
        assert first[topic]


def texts(message: dict[str, Any], *names: str) -> bool:
    return all(message[name] is None or str(Decimal(message[name])) for name in names)


def test_messages_have_the_forms_of_the_mission(tmp_path):
    async def scenario() -> Messages:
        async with on(lambda: Prefixed(InProcessBus(keep=100_000))) as bus:
            return (await ran(bus, sqlite_url(tmp_path / "book.db")))[0]

    found = asyncio.run(scenario())
    signal = next(one for one in found[SIGNALS] if one["action"] == "buy")
    assert signal.keys() >= {"timestamp", "pair", "action", "confidence", "strategy", "target_bot"}
    assert signal["pair"] in ("BTCUSDT", "ETHUSDT")
    assert signal["timestamp"].endswith("Z")
    entry = next(one for one in found[ORDERS] if one["role"] == "entry" and one["bot_id"] == "cross")
    assert entry.keys() >= {"timestamp", "bot_id", "pair", "side", "quantity", "price", "stop_loss", "take_profit"}
    assert entry["status"] == "submitting"
    money = ("quantity", "price", "stop_loss", "take_profit", "filled")
    assert all(isinstance(one[name], str | None) for one in found[ORDERS] for name in money)
    assert Decimal(entry["stop_loss"]) < Decimal(entry["price"]) < Decimal(entry["take_profit"])
    alert = next(one for one in found[ALERTS] if one["type"] == "trade_executed" and one["bot"] == "cross")
    assert alert.keys() >= {"type", "bot", "pair", "side", "price", "risk", "potential_gain", "rr_ratio"}
    price, quantity = Decimal(alert["price"]), Decimal(alert["quantity"])
    assert Decimal(alert["risk"]) == (price - Decimal(alert["stop_loss"])) * quantity
    assert Decimal(alert["potential_gain"]) == (Decimal(alert["take_profit"]) - price) * quantity
    assert Decimal(alert["rr_ratio"]) == pytest.approx(Decimal(2), abs=Decimal("0.01")), "ema_cross: 2 % against 4 %"
    # the guards that then stand at the venue are those that were told of
    guards = [one for one in found[ORDERS] if one["bot_id"] == "cross" and one["role"] == "stop_loss"]
    assert guards[0]["trigger"] == guards[0]["stop_loss"] == alert["stop_loss"]
    fill = found[FILLS][0]
    assert fill.keys() >= {"timestamp", "trade_id", "price", "quantity", "fee", "fee_asset", "liquidity", "bot_id"}


def test_how_an_account_stands_is_told_once_it_is_there_and_after_it_was_touched(open_bus, tmp_path):
    async def scenario() -> None:
        async with on(open_bus) as bus:
            reading: Any = bus.subscribe(AUDIT, group="test", consumer="test", from_start=True)
            read = codec(AccountStanding)[1]

            async def until(wanted) -> Any:
                async with asyncio.timeout(120):
                    while True:
                        message = (await anext(reading)).message
                        if message["kind"] == "standing" and wanted(one := read(message["standing"])):
                            return one

            series = market(50)
            async with floor(sqlite_url(tmp_path / "book.db"), series, bus, every_s=0.01) as opened:
                first = await until(lambda one: True)
                assert (first.id, first.bots, first.equity) == ("paper", (), 0)
                assert first.ready or (await until(lambda one: one.ready)).ready
                opened.seat("one", "ema_cross", SYMBOLS[0], series[SYMBOLS[0]])
                seated = await until(lambda one: bool(one.bots))
                assert seated.equity == seated.bots[0].budget == 5_000
                theirs = OrderReport(
                    client_id="", venue_id="9", symbol=SYMBOLS[0], status=Status.OPEN, filled=Decimal(0), ts=0
                )
                opened.lane.foreign = (theirs,)
                assert (await until(lambda one: bool(one.foreign))).foreign == ("9",)
                await opened.engine.remove("paper")
                async with asyncio.timeout(120):
                    while (await anext(reading)).message["kind"] != "left":
                        pass
            await reading.aclose()

    asyncio.run(scenario())


def test_what_is_touched_often_is_told_seldom(tmp_path):
    async def scenario() -> None:
        async with on(lambda: Prefixed(InProcessBus(keep=100_000))) as bus:
            series = market(200)
            async with floor(sqlite_url(tmp_path / "book.db"), series, bus, every_s=3_600) as opened:
                await two_bots(opened, series)
                await opened.run(series)
                found = await everything(bus, opened.audit)
                assert sum(message["kind"] == "standing" for message in found[AUDIT]) <= 1
                assert len(found[AUDIT]) > 400

    asyncio.run(scenario())


def test_an_alert_is_told_once_whichever_way_it_comes(tmp_path):
    async def scenario() -> None:
        async with on(lambda: Prefixed(InProcessBus())) as bus:
            series = market(50)
            async with floor(sqlite_url(tmp_path / "book.db"), series, bus) as opened:
                opened.seat("one", "ema_cross", SYMBOLS[0], series[SYMBOLS[0]])
                wish = Enter(side=Side.BUY, size=Notional(100.0))  # no price was seen yet: refused, with an alert
                opened.engine.tell(opened.lane, Decided("one", opened.clock.now_ms(), 40_000.0, (wish,)))
                await opened.settled()
                assert len(opened.heard.alerts) == 1
                for alert in opened.heard.alerts:
                    await opened.audit.send(alert)
                pause = {"bot": "one", "why": ValueError("no")}
                await opened.audit.send(
                    Alert(ts=5, level=Level.CRITICAL, key="trading.paused", params=pause, account="paper", bot="one")
                )
                found = await everything(bus, opened.audit)
        refused, paused = found[ALERTS]
        assert refused["type"] == refused["key"] == opened.heard.alerts[0].key
        assert refused["level"] == "info"
        assert say(paused["key"], **paused["params"]).startswith("one is paused: its strategy failed: no")

    asyncio.run(scenario())


class Away:
    """A bus that is not there until it is mended."""

    def __init__(self) -> None:
        self.mended = False
        self.tries = 0
        self.told: list[tuple[str, dict[str, Any]]] = []

    async def publish(self, topic: str, message: dict[str, Any]) -> None:
        await asyncio.sleep(0)
        self.tries += 1
        if not self.mended:
            raise BusFailed("bus.failed", where="nowhere", why="away")
        self.told.append((topic, message))


def test_a_bus_that_is_away_costs_the_oldest_notes_and_nothing_else(tmp_path, caplog):
    async def scenario() -> None:
        series = market(250)
        away: Any = Away()
        async with floor(sqlite_url(tmp_path / "book.db"), series, None) as alone:
            await two_bots(alone, series)
            await alone.run(series)
        async with floor(sqlite_url(tmp_path / "other.db"), series, away, most=50) as opened:
            opened.bus = None  # the heartbeat has another
            await two_bots(opened, series)
            await opened.run(series)
            assert [seat.state.trades for seat in opened.lane.account.seats.values()] == [
                seat.state.trades for seat in alone.lane.account.seats.values()
            ]
            assert away.tries < 10
            assert opened.audit.dropped == opened.lane.seq - 51, "fifty wait, and one is being told"
            away.mended = True
            async with asyncio.timeout(120):
                await opened.audit.settled()
        seqs = [message["seq"] for topic, message in away.told if topic == AUDIT and message["kind"] == "event"]
        assert seqs[1:] == list(range(opened.lane.seq - 49, opened.lane.seq + 1))
        assert len({message["id"] for _, message in away.told}) == len(away.told)

    with caplog.at_level(logging.WARNING, logger="cambist.engine.audit"):
        asyncio.run(scenario())
    away, back = (record.message for record in caplog.records if record.name == "cambist.engine.audit")
    assert away.startswith("The bus is away: ")
    assert back.startswith("The bus is there again; ")


def test_what_cannot_be_said_is_left_out(tmp_path, caplog):
    async def scenario() -> int:
        async with on(lambda: Prefixed(InProcessBus())) as bus:
            series = market(50)
            async with floor(sqlite_url(tmp_path / "book.db"), series, bus) as opened:
                opened.seat("one", "ema_cross", SYMBOLS[0], series[SYMBOLS[0]])
                wish = Enter(side=Side.BUY, size=Notional(float("nan")))
                opened.engine.tell(opened.lane, Decided("one", opened.clock.now_ms(), 40_000.0, (wish,)))
                opened.engine.tell(opened.lane, BotChanged(opened.clock.now_ms(), "one", BotStatus.STOPPED))
                await opened.settled()
                found = await everything(bus, opened.audit)
                assert [m["event"] for m in found[AUDIT] if m["kind"] == "event"][-1] == "BotChanged"
                dropped: int = opened.audit.dropped
                return dropped

    assert asyncio.run(scenario()) == 1
    assert [record.message for record in caplog.records if record.name == "cambist.engine.audit"] == [
        say("audit.unspeakable")
    ]


def test_an_account_that_comes_back_tells_of_what_is_under_way(tmp_path):
    async def scenario() -> None:
        bus, url, series = Prefixed(InProcessBus(keep=100_000)), sqlite_url(tmp_path / "book.db"), market(330)
        async with floor(url, series, bus) as opened:
            await two_bots(opened, series)
            await opened.run(series)
            await opened.audit.settled()
            working = {name for name, one in opened.lane.account.orders.items() if not one.settled}
            assert working
            await opened.engine.remove("paper")
            seq = opened.lane.seq
            again = await opened.engine.add(
                type(opened.lane.account)(opened.lane.account.spec, opened.venue.traits), opened.venue
            )
            await opened.settled()
            found = await everything(bus, opened.audit)
        told = {message["client_id"] for message in found[ORDERS] if message["seq"] == seq + 1}
        assert told == working
        assert again.seq > seq

    asyncio.run(scenario())


def test_the_audit_of_no_engine_is_quiet():
    async def scenario() -> None:
        from cambist.adapters.clock import SystemClock

        away: Any = Away()
        telling = asyncio.create_task(Audit(away, SystemClock(), every_s=0.001).run())
        await asyncio.sleep(0.02)
        telling.cancel()
        await asyncio.wait((telling,))
        assert away.tries == 0

    asyncio.run(scenario())
