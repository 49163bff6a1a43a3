"""The floor: up from the register, through failures, with signals that are late, missing, or told twice."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.databases import sqlite_url
from tests.unit.engine.rooms import Heard, instrument

from cambist.adapters.bus.inprocess import InProcessBus
from cambist.adapters.clock import AcceleratedClock
from cambist.adapters.storage.candles import ParquetLake
from cambist.adapters.storage.journal import SqlJournal
from cambist.adapters.storage.lease import open_lease
from cambist.adapters.storage.register import SqlRegister
from cambist.adapters.venues.simulated.venue import SimulatedVenue
from cambist.domain.account import AccountSpec, BotStatus, Mode
from cambist.domain.candles import Candles
from cambist.domain.errors import BadInput, StorageFailed, VenueUnavailable
from cambist.domain.event import BotChanged
from cambist.domain.ledger import LedgerEntry
from cambist.domain.signal import Signal
from cambist.domain.tick import CandleTick, TradeTick
from cambist.domain.timeframe import MINUTE_MS, Timeframe
from cambist.engine.floor import Book, Floor
from cambist.engine.seating import Surroundings
from cambist.engine.standing import account_standing
from cambist.market.exchange import Exchange
from cambist.market.matching import Costs
from cambist.market.synthetic import synthetic_market
from cambist.ports.book import JournalEntry
from cambist.ports.bus import ANSWERS, HEARTBEAT
from cambist.ports.metrics import Unmeasured
from cambist.usecases.accounts import add_account, ask
from cambist.usecases.bots import add_bot, tell_bot

SYMBOL = "BTC/USDT"
BUYS = """
class Buys(Strategy):
    def next(self):
        if not self.position:
            self.buy(fraction=0.5, stop_loss=0.1)
"""
NOW = 1_704_067_200_000  # on each floor a minute has just begun, and does not end
MARKET = synthetic_market((SYMBOL,), start_ms=NOW - 200 * MINUTE_MS, count=240, timeframe="1m", seed=3)[SYMBOL]


class Recent:
    """The market's history, which now and then cannot be had."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []
        self.away = 0

    async def candles(self, symbol: str, timeframe: Timeframe, since: int, until: int) -> Candles:
        if self.away:
            self.away -= 1
            raise VenueUnavailable("venue.unavailable", venue="x", detail="away")
        self.asked.append((since, until))
        return MARKET.between(since, until)

    async def trades(self, symbol: str, first_id: int, last_id: int) -> list[TradeTick]:
        return []


class Unsteady(SqlJournal):
    """A journal whose disk is full, or slow, at times."""

    failures = 0
    takes_s = 0.0

    def append(self, entries: Sequence[JournalEntry], ledger: Sequence[tuple[str, LedgerEntry]] = ()) -> None:
        time.sleep(Unsteady.takes_s)
        if Unsteady.failures:
            Unsteady.failures -= 1
            raise StorageFailed("database.failed", why="disk full")
        super().append(entries, ledger)


class Witness(SqlRegister):
    """A register that looks, at each answer, at what has been journaled by then."""

    journaled: dict[str, list[str]]

    def answer(self, request_id: int, done_ms: int, answer: str, *, refused: bool = False) -> None:
        entries = SqlJournal(self._url).read("paper", 0)
        self.journaled[self.request(request_id).action] = [f"{entry.kind} {entry.body}" for entry in entries]
        super().answer(request_id, done_ms, answer, refused=refused)


@dataclass
class Place:
    """Everything around a floor, and the floor."""

    folder: Path
    heard: Heard = field(default_factory=Heard)
    recent: Recent = field(default_factory=Recent)
    bus: InProcessBus = field(default_factory=InProcessBus)
    clock: AcceleratedClock = field(default_factory=lambda: AcceleratedClock(1.0, NOW + 1))
    venue: type[SimulatedVenue] = SimulatedVenue

    def __post_init__(self) -> None:
        self.url = sqlite_url(self.folder / "book.db")
        self.register = SqlRegister(self.url, None)
        self.exchange = Exchange([instrument(SYMBOL)], Costs(), by_law=True)
        self.exchange.add_account("paper", {"USDT": Decimal(10_000)})
        self.exchange.at_open(SYMBOL, NOW, float(MARKET.close[199]), 1e6)
        add_account(self.register, "paper", venue="simulated", mode=Mode.PAPER)
        (self.folder / "buys.py").write_text(BUYS, encoding="utf-8")

    def bot(self, name: str = "b", strategy: str = "buys.py") -> None:
        """Add a bot and ask for its start."""
        file = str(self.folder / strategy)
        add_bot(
            self.register, name, account="paper", strategy=file, symbol=SYMBOL, timeframe=Timeframe.M1, budget="1000"
        )
        tell_bot(self.register, name, "start", 0)

    async def open_venue(self, spec: AccountSpec) -> SimulatedVenue:
        return self.venue(self.exchange, spec.id, self.clock)

    @asynccontextmanager
    async def floor(self) -> AsyncIterator[Floor]:
        around = Surroundings(
            register=self.register,
            bus=self.bus,
            clock=self.clock,
            wall=self.clock,
            alerts=self.heard,
            recent=self.recent,
            market="simulated",
            prices=None,
            lake=ParquetLake(self.folder / "candles"),
            open_venue=self.open_venue,
            late_ms=5_000,
        )
        floor = Floor(Book(journal=lambda: Unsteady(self.url), lease=open_lease(self.url)), around, Unmeasured())
        running = asyncio.create_task(floor.run())
        try:
            await floor.up.wait()
            yield floor
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    async def close(self, ts: int, *, times: int = 1) -> None:
        """Tell the bots of the candle that opened at ``ts``."""
        (row,) = MARKET.between(ts, ts + 1)
        values: dict[str, Any] = {
            name: Decimal(repr(getattr(row, name))) for name in ("open", "high", "low", "close", "volume")
        }
        tick = CandleTick(symbol=SYMBOL, timeframe=Timeframe.M1, ts=ts, closed=True, received_ms=ts, **values)
        for _ in range(times):
            signal = Signal(venue="simulated", candle=tick, received_ms=ts)
            await self.bus.publish(HEARTBEAT, signal.message())

    def trade(self, price: float) -> None:
        """Let somebody trade at ``price``, a minute from now: after whatever rests by now has come to rest."""
        self.exchange.trade(SYMBOL, self.clock.now_ms() + MINUTE_MS, price, 1e6)

    def orders(self) -> int:
        return sum(one.type == "market" for one in self.exchange.orders("paper", SYMBOL))


async def until(true: Callable[[], Any], what: str) -> None:
    async with asyncio.timeout(120):
        while not true():
            await asyncio.sleep(0.02)
    assert true(), what


async def started(place: Place, floor: Floor, bot: str = "b") -> None:
    def running() -> bool:
        return not place.register.waiting()

    await until(running, "the request is answered")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    Unsteady.failures, Unsteady.takes_s = 0, 0.0
    return Place(tmp_path)


def run(work: Callable[[], Any]) -> None:
    asyncio.run(work())


def test_a_close_is_decided_on_once_however_often_it_is_told(place: Place):
    async def work() -> None:
        place.bot()
        async with place.floor() as floor:
            await started(place, floor)
            await place.close(NOW, times=3)
            await until(place.orders, "an order")
            await asyncio.sleep(0.1)
            assert place.orders() == 1

    run(work)


def test_a_close_after_which_another_has_closed_is_seen_and_not_decided_on(place: Place):
    async def work() -> None:
        place.bot()
        async with place.floor() as floor:
            place.recent.asked.clear()
            await started(place, floor)
            assert place.recent.asked[-1][1] == NOW  # history ends here
            before, place.clock.now_ms = place.clock.now_ms, lambda: NOW + 4 * MINUTE_MS  # type: ignore[method-assign]
            await place.close(NOW)
            await until(lambda: floor_has_seen(floor, NOW), "it is seen")
            assert place.orders() == 0
            place.clock.now_ms = before  # type: ignore[method-assign]
            await place.close(NOW + MINUTE_MS)
            await until(place.orders, "the next one is decided on")

    run(work)


def bot_of(floor: Floor, bot: str) -> Any:
    attendant = floor._attendant
    assert attendant is not None
    return next(some[bot] for some in attendant._bots._by_series.values() if bot in some)


def floor_has_seen(floor: Floor, ts: int) -> bool:
    return bool(bot_of(floor, "b").runner.last_ts == ts)


def test_closes_that_were_missed_are_fetched_before_the_next_decision(place: Place):
    async def work() -> None:
        place.bot()
        async with place.floor() as floor:
            await started(place, floor)
            held = place.recent.asked[-1][1]
            place.recent.away = 1
            await place.close(held + 3 * MINUTE_MS)
            await until(lambda: "running.missed" in place.heard.told(), "it says so")
            assert place.orders() == 0  # with a hole in its history it does not decide
            await place.close(held + 4 * MINUTE_MS)
            await until(place.orders, "an order")
            assert place.recent.asked[-1] == (held, held + 4 * MINUTE_MS)

    run(work)


def test_a_bot_without_history_is_told_of_and_one_that_cannot_be_loaded_is_paused(place: Place):
    async def work() -> None:
        place.bot()
        async with place.floor() as floor:
            await started(place, floor)
        (place.folder / "buys.py").write_text("class Broken(Strategy): nonsense", encoding="utf-8")
        async with place.floor() as floor:
            await until(lambda: "running.no_bot" in place.heard.told(), "it is told")
            attendant = floor._attendant
            assert attendant is not None
            seat = attendant._engine.lanes["paper"].account.seats["b"]
            await until(lambda: seat.status is BotStatus.PAUSED, "paused")

    run(work)


def test_a_disk_that_is_full_for_a_while_costs_nothing_but_time(place: Place):
    async def work() -> None:
        place.bot()
        async with place.floor() as floor:
            await started(place, floor)
            attendant = floor._attendant
            Unsteady.failures = 1
            await place.close(NOW)
            await until(lambda: floor._attendant not in (None, attendant) and floor.up.is_set(), "up again")
            assert "trading.journal_failed" in place.heard.told()
            assert place.orders() == 0  # what was not journaled did not leave
            await place.close(NOW + MINUTE_MS)
            await until(place.orders, "an order")
            assert place.orders() == 1

    run(work)


def test_an_account_that_fails_leaves_the_loop_and_is_opened_anew(place: Place, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("cambist.engine.attendant._TRIED_AGAIN_S", 0.2)

    async def work() -> None:
        place.bot()
        async with place.floor() as floor:
            await started(place, floor)
            attendant = floor._attendant
            assert attendant is not None
            engine = attendant._engine
            lane = engine.lanes["paper"]
            engine.tell(lane, BotChanged(0, "nobody", BotStatus.RUNNING))  # no seat: the desk raises
            await until(lambda: engine.lanes.get("paper") not in (None, lane), "opened anew")
            assert "trading.account_failed" in place.heard.told()
            anew = engine.lanes["paper"]
            await until(lambda: anew.ready and bot_of(floor, "b").lane is anew, "its bot is asked again")
            await place.close(bot_of(floor, "b").runner.last_ts + MINUTE_MS)
            await until(place.orders, "an order")

    run(work)


def test_what_is_answered_as_done_is_in_the_journal_however_slow_it_is(place: Place):
    """An answer that came before would be a promise that a crash breaks: a halt that was never halted."""
    witness = place.register = Witness(place.url, None)
    witness.journaled = {}

    async def work() -> None:
        place.bot()
        async with place.floor() as floor:
            await started(place, floor)
            Unsteady.takes_s = 0.2
            for action, told in (
                ("suspend", '"suspended"'),
                ("stop", '"stopped"'),
                ("halt", "TradingChanged"),
                ("rearm", "BreakerRearmed"),
                ("settings", "Configured"),
            ):
                bot = "b" if action in ("suspend", "stop") else ""
                ask(witness, 1, "paper", action, 0, bot=bot)
                await started(place, floor)
                assert told in witness.journaled[action][-1], (action, witness.journaled[action][-1])

    run(work)


def test_a_bot_that_holds_nothing_is_deleted_and_its_money_is_the_account_s(place: Place):
    async def work() -> None:
        place.bot()
        (place.folder / "waits.py").write_text("class Waits(Strategy):\n    def next(self):\n        pass\n")
        place.bot("idle", "waits.py")
        async with place.floor() as floor:
            await started(place, floor)
            await place.close(NOW)
            account = bot_of(floor, "b").lane.account
            await until(lambda: account.seats["b"].bot.position, "it has bought")
            refused = tell_bot(place.register, "b", "delete", 0)
            await started(place, floor)
            assert place.register.request(refused).refused
            assert "stop it and sell" in place.register.request(refused).answer
            tell_bot(place.register, "b", "stop", 0, sell=True)
            await until(lambda: account.idle, "it has sold")
            number = tell_bot(place.register, "b", "delete", 0)
            await started(place, floor)
            assert not place.register.request(number).refused, place.register.request(number).answer
            assert [bot.id for bot in place.register.bots()] == ["idle"]
            assert account.ledger.of("b") == {}
            assert account.ledger.holdings() == {
                asset: one.total for asset, one in place.exchange.balances("paper").items() if one.total
            }
            assert [bot.id for bot in account_standing(account, 0).bots] == ["idle"]
            with pytest.raises(BadInput, match="exists already"):
                place.bot("b")
            begun = account.equity()
        async with place.floor() as floor:
            account = bot_of(floor, "idle").lane.account
            assert account.seats["b"].deleted
            assert account.equity() == begun == account.seats["idle"].state.equity()

    run(work)


def test_orders_by_hand_are_followed_after_a_start_though_the_account_has_no_bot(place: Place):
    price = float(MARKET.close[199])

    async def work() -> None:
        order = {"symbol": SYMBOL, "side": "buy", "type": "limit", "quantity": "0.01", "price": f"{price * 0.9:.2f}"}
        async with place.floor() as floor:
            number = ask(place.register, 1, "paper", "order", place.clock.now_ms(), **order)
            await started(place, floor)
            assert not place.register.request(number).refused, place.register.request(number).answer
            await until(lambda: place.exchange.open_orders("paper"), "it rests at the venue")
        place.trade(price * 0.8)
        async with place.floor() as floor:
            assert floor._attendant is not None
            ledger = floor._attendant._engine.lanes["paper"].account.ledger
            await until(lambda: ledger.balance("free", "BTC"), "what has filled meanwhile")

    run(work)


def test_a_bot_whose_deletion_was_journaled_but_not_answered_is_deleted_by_the_next_engine(
    place: Place, monkeypatch: pytest.MonkeyPatch
):
    async def work() -> None:
        place.bot()
        with monkeypatch.context() as broken:
            async with place.floor() as floor:
                await started(place, floor)
                account = bot_of(floor, "b").lane.account
                broken.setattr(SqlRegister, "delete_bot", _gone)
                broken.setattr(SqlRegister, "answer", _gone)
                number = tell_bot(place.register, "b", "delete", 0)
                await until(lambda: account.seats["b"].deleted, "journaled")
        assert place.register.request(number).done_ms is None
        assert [bot.id for bot in place.register.bots()] == ["b"]
        async with place.floor() as floor:
            await until(lambda: place.register.request(number).done_ms, "answered")
            assert place.register.bots() == []

    run(work)


def _gone(*_: object, **__: object) -> None:
    raise StorageFailed("database.failed", why="it is gone")


def test_what_no_engine_does_is_answered(place: Place):
    async def work() -> None:
        place.bot()
        number = ask(place.register, 1, "paper", "dance", 0)
        async with place.floor():
            await until(lambda: place.register.request(number).done_ms, "answered")
        assert "Not done" in place.register.request(number).answer
        assert json.loads(place.register.request(number).params) == {}

    run(work)


def test_an_answer_is_told_to_whoever_asked(place: Place):
    async def work() -> None:
        place.bot()
        place.register.answer(place.register.waiting()[0].id, 1, "done before")
        number = ask(place.register, 1, "paper", "dance", 0)
        told = place.bus.subscribe(ANSWERS, group="test", consumer="one")
        async with place.floor(), asyncio.timeout(120):
            message = (await anext(told)).message
        ts, answer = message.pop("ts"), message.pop("answer")
        assert isinstance(ts, int)
        assert "Not done" in answer
        assert message == {
            "id": f"answer:{number}",
            "user_id": 1,
            "request": number,
            "account": "paper",
            "bot": "",
            "action": "dance",
            "refused": True,
        }

    run(work)


def test_a_request_that_makes_no_sense_does_not_end_the_engine(place: Place):
    async def work() -> None:
        place.bot()
        numbers = [ask(place.register, 1, "paper", "thaw", 0), ask(place.register, 1, "paper", "adopt", 0, symbol=3)]
        async with place.floor() as floor:
            await until(lambda: not place.register.waiting(), "answered")
            assert floor.up.is_set()
        for number in numbers:
            assert "Not done" in place.register.request(number).answer

    run(work)


def test_what_nobody_foresaw_brings_the_floor_up_anew(place: Place, monkeypatch: pytest.MonkeyPatch):
    async def work() -> None:
        place.bot()
        async with place.floor() as floor:
            await started(place, floor)
            attendant, waiting = floor._attendant, place.register.waiting
            monkeypatch.setattr(place.register, "waiting", lambda: 1 / 0)
            await until(lambda: floor._attendant is not attendant, "down")
            monkeypatch.setattr(place.register, "waiting", waiting)
            await until(lambda: floor._attendant is not None and floor.up.is_set(), "up again")
            await place.close(NOW)
            await until(place.orders, "an order")

    run(work)


def test_an_account_that_cannot_be_opened_is_told_of_and_named_in_the_health(place: Place):
    async def closed(spec: AccountSpec) -> SimulatedVenue:
        raise VenueUnavailable("venue.unavailable", venue=spec.venue, detail="away")

    async def work() -> None:
        place.bot()
        place.open_venue = closed  # type: ignore[method-assign]
        async with place.floor() as floor:
            assert place.heard.told() == ["running.no_account"]
            assert any("paper" in reason for reason in floor.reasons())
            await until(lambda: not place.register.waiting(), "answered")
            assert place.heard.told() == ["running.no_account"]  # once

    run(work)
