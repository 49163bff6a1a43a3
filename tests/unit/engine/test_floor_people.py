"""What people ask of a floor that fails, starts anew, or has something else to do."""

import asyncio
from decimal import Decimal

import pytest
from tests.unit.engine.test_floor import MARKET, NOW, SYMBOL, Place, _gone, place, run, started, until

from cambist.adapters.storage.journal import SqlJournal
from cambist.adapters.storage.register import SqlRegister
from cambist.adapters.venues.simulated.venue import SimulatedVenue
from cambist.domain.account import BotStatus, Mode
from cambist.domain.errors import BusFailed
from cambist.domain.event import BotChanged
from cambist.domain.request import OrderRequest
from cambist.domain.text import language, speak
from cambist.domain.timeframe import Timeframe
from cambist.domain.trading import TradingState
from cambist.engine.errands import MOST_AGE_MS
from cambist.engine.floor import Floor
from cambist.engine.live import Engine
from cambist.ports.book import JournalEntry, Request
from cambist.ports.bus import HEARTBEAT, REQUESTS, Delivery
from cambist.usecases.accounts import add_account, ask, set_settings
from cambist.usecases.bots import add_bot, tell_bot

__all__ = ["place"]

PRICE = float(MARKET.close[199])


def order(quantity: str = "0.01") -> dict[str, str]:
    return {"symbol": SYMBOL, "side": "buy", "type": "limit", "quantity": quantity, "price": f"{PRICE * 0.9:.2f}"}


def engine_of(floor: Floor) -> Engine:
    assert floor._attendant is not None
    return floor._attendant._engine


def hook(place: Place, budget: str = "1000") -> None:
    add_bot(
        place.register,
        "hook",
        account="paper",
        strategy="webhook",
        symbol=SYMBOL,
        timeframe=Timeframe.M1,
        budget=budget,
    )


def test_an_account_that_failed_comes_back_with_the_limits_that_were_set_meanwhile(
    place: Place, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("cambist.engine.attendant._TRIED_AGAIN_S", 0.2)

    async def work() -> None:
        place.bot()
        async with place.floor() as floor:
            await started(place, floor)
            set_settings(place.register, "paper", {"max_daily_loss": "100", "from_peak.flatten": "0.2"}, 0)
            await started(place, floor)
            engine = engine_of(floor)
            lane = engine.lanes["paper"]
            wanted = lane.account.limits, lane.account.rules
            engine.tell(lane, BotChanged(0, "nobody", BotStatus.RUNNING))  # it fails on that
            await until(lambda: engine.lanes.get("paper") not in (None, lane), "opened anew")
            anew = engine.lanes["paper"].account
            assert (anew.limits, anew.rules) == wanted
            assert anew.limits.max_daily_loss == 100

    run(work)


def test_an_account_that_leaves_takes_nobody_along(place: Place):
    async def work() -> None:
        add_account(place.register, "other", venue="simulated", mode=Mode.PAPER)
        place.exchange.add_account("other", {"USDT": Decimal(10_000)})
        place.bot()
        async with place.floor() as floor:
            await started(place, floor)
            first = floor._attendant
            ask(place.register, 1, "other", "leave", 0, force=False)
            await until(lambda: len(place.register.accounts()) == 1, "it has left")
            await asyncio.sleep(0.2)
            assert floor._attendant is first
            assert floor.reasons() == []

    run(work)


def test_who_asks_again_after_a_crash_is_told_that_it_was_done(place: Place, monkeypatch: pytest.MonkeyPatch):
    async def work() -> None:
        with monkeypatch.context() as broken:
            broken.setattr(SqlRegister, "answer", _gone)
            async with place.floor():
                number = ask(place.register, 1, "paper", "order", place.clock.now_ms(), **order())
                await until(lambda: place.exchange.open_orders("paper"), "the order is at the venue")
                await asyncio.sleep(0.1)
        async with place.floor() as floor:
            await started(place, floor)
            assert "done before" in place.register.request(number).answer
            assert len(place.exchange.open_orders("paper")) == 1

    run(work)


def test_what_waited_for_an_engine_waits_for_its_venue_too(place: Place):
    class Slow(SimulatedVenue):
        async def open_orders(self, symbols=()):
            await asyncio.sleep(0.5)
            return await super().open_orders(symbols)

    async def work() -> None:
        hook(place)
        tell_bot(place.register, "hook", "start", 0)
        async with place.floor() as floor:
            await started(place, floor)
        place.venue = Slow
        wishes = [{"kind": "enter", "side": "buy", "notional": "500"}]
        asked = [
            ask(place.register, 1, "paper", "order", place.clock.now_ms(), **order()),
            ask(place.register, 1, "paper", "wish", place.clock.now_ms(), bot="hook", wishes=wishes),
        ]
        async with place.floor() as floor:
            await started(place, floor)
            for number in asked:
                assert not place.register.request(number).refused, place.register.request(number).answer

    run(work)


def test_what_was_asked_for_long_ago_opens_nothing_but_may_still_close(place: Place):
    async def work() -> None:
        enter, leave = [{"kind": "enter", "side": "buy", "notional": "500"}], [{"kind": "exit"}]
        hook(place)
        tell_bot(place.register, "hook", "start", 0)
        async with place.floor() as floor:
            await started(place, floor)
            now = place.clock.now_ms()
            ask(place.register, 1, "paper", "wish", now, bot="hook", wishes=enter)
            account = engine_of(floor).lanes["paper"].account
            await until(lambda: account.seats["hook"].bot.position, "it holds")
        long_ago = place.clock.now_ms() - MOST_AGE_MS - 1
        number = ask(place.register, 1, "paper", "order", long_ago, **order())
        again = ask(place.register, 1, "paper", "wish", long_ago, bot="hook", wishes=enter)
        out = ask(place.register, 1, "paper", "wish", long_ago, bot="hook", wishes=leave)
        async with place.floor() as floor:
            await started(place, floor)
            asked = [place.register.request(one) for one in (number, again, out)]
            assert [one.refused for one in asked] == [True, True, False]
            assert "60 s" in asked[0].answer
            account = engine_of(floor).lanes["paper"].account
            await until(lambda: account.idle, "it has left")
            assert not place.exchange.open_orders("paper")

    run(work)


def test_a_bus_that_takes_no_acknowledgement_for_a_moment_disturbs_nobody(
    place: Place, monkeypatch: pytest.MonkeyPatch
):
    refused = []

    async def away(group: str, delivery: Delivery) -> None:
        refused.append(delivery.topic)
        raise BusFailed("bus.failed", where="redis", why="away")

    async def work() -> None:
        place.bot()
        async with place.floor() as floor:
            await started(place, floor)
            first = floor._attendant
            monkeypatch.setattr(place.bus, "ack", away)
            await place.bus.publish(REQUESTS, {"id": "1", "ts": 0})
            await place.close(NOW)
            await until(lambda: {REQUESTS, HEARTBEAT} <= set(refused), "both were refused")
            await until(place.orders, "it has decided")
            await asyncio.sleep(0.1)
            assert floor._attendant is first

    run(work)


def test_people_are_answered_in_their_own_language(place: Place):
    async def work() -> None:
        async with place.floor() as floor:
            speak("fr")
            french = ask(place.register, 1, "paper", "halt", 0)
            speak("en")
            english = ask(place.register, 1, "paper", "halt", 0)
            await started(place, floor)
            speak("fr")  # whoever says nothing is answered in the engine's
            unsaid = place.register.ask(Request(user_id=1, account="paper", action="halt"))
            await started(place, floor)
        answers = [place.register.request(number).answer for number in (french, english, unsaid)]
        assert answers == ["paper est à l'arrêt.", "paper is halted.", "paper is halted."]

    run(work)


def test_what_a_request_begins_speaks_the_engine_s_language(place: Place):
    heard = []

    async def listen() -> None:
        heard.append(language())

    async def work() -> None:
        async with place.floor() as floor:
            speak("fr")
            engine_of(floor).start(None, listen())
            await until(lambda: heard, "it has begun")
            assert heard == ["en"]

    run(work)


def test_an_amendment_is_held_to_what_the_order_is(place: Place):
    stop = {"symbol": SYMBOL, "side": "buy", "type": "stop", "quantity": "0.01", "trigger": f"{PRICE * 1.1:.2f}"}
    amendments: list[tuple[int, dict[str, str], str]] = [
        (0, {"trigger": f"{PRICE * 1.1:.2f}"}, "trigger"),  # a limit order waits at a limit
        (1, {"price": f"{PRICE * 0.9:.2f}"}, "price"),
        (1, {"trigger": f"{PRICE * 0.9:.2f}"}, "trigger"),  # it would buy at once
        (1, {"quantity": "1e30"}, "quantity"),
    ]

    async def work() -> None:
        async with place.floor() as floor:
            for wanted in (order(), stop):
                ask(place.register, 1, "paper", "order", place.clock.now_ms(), **wanted)
            await started(place, floor)
            await until(lambda: len(place.exchange.open_orders("paper")) == 2, "both rest")
            limited, stopped = sorted(place.exchange.open_orders("paper"), key=lambda one: str(one.type))
            for which, change, field in amendments:
                name = (limited, stopped)[which].client_id
                number = ask(place.register, 1, "paper", "amend", place.clock.now_ms(), order=name, **change)
                await started(place, floor)
                asked = place.register.request(number)
                assert asked.refused
                assert f"{field}:" in asked.answer
            assert {one.client_id for one in place.exchange.open_orders("paper")} == {
                limited.client_id,
                stopped.client_id,
            }

    run(work)


def test_a_bot_s_budget_is_not_taken_from_what_an_order_by_hand_waits_for(place: Place):
    async def work() -> None:
        async with place.floor() as floor:
            ask(place.register, 1, "paper", "order", place.clock.now_ms(), **order(f"{9_000 / (PRICE * 0.9):.3f}"))
            await started(place, floor)
            hook(place, "9000")
            number = tell_bot(place.register, "hook", "start", 0)
            await started(place, floor)
            assert place.register.request(number).refused
            await until(lambda: place.exchange.open_orders("paper"), "it rests at the venue")
            place.trade(PRICE * 0.8)
            ledger = engine_of(floor).lanes["paper"].account.ledger
            await until(lambda: ledger.balance("free", "BTC"), "filled")
            assert ledger.balance("free", "USDT") >= 0

    run(work)


def test_one_journal_that_cannot_be_read_keeps_nobody_else_down(place: Place):
    async def work() -> None:
        add_account(place.register, "other", venue="simulated", mode=Mode.PAPER)
        broken = JournalEntry(account="other", seq=1, ts=1, kind="Opened", body='{"event": {"nonsense": 1}}')
        SqlJournal(place.url).append([broken], [])
        place.bot()
        async with place.floor() as floor:
            await started(place, floor)
            assert list(engine_of(floor).lanes) == ["paper"]
            assert any("other" in why for why in floor.reasons())

    run(work)


def test_a_halt_does_not_wait_for_what_hangs(place: Place):
    hangs, answers = asyncio.Event(), asyncio.Event()

    class Hanging(SimulatedVenue):
        async def price(self, symbol: str) -> Decimal:
            hangs.set()
            await answers.wait()
            return await super().price(symbol)

    place.venue = Hanging

    async def work() -> None:
        place.bot()
        async with place.floor() as floor:
            await started(place, floor)
            account = engine_of(floor).lanes["paper"].account
            account.prices.clear()
            ask(place.register, 1, "paper", "offer", 0, symbol=SYMBOL)
            await until(hangs.is_set, "a price is waited for")
            ask(place.register, 1, "paper", "activate", 0)
            ask(place.register, 1, "paper", "halt", 0)
            await until(lambda: account.trading is TradingState.HALTED, "halted")
            assert place.register.waiting()  # for a price
            answers.set()
            await until(lambda: not place.register.waiting(), "all is done")
            assert account.trading is TradingState.HALTED  # the last word

    run(work)


def test_stop_and_sell_waits_for_an_entry_that_is_on_its_way(place: Place):
    class Slow(SimulatedVenue):
        async def submit(self, request: OrderRequest):
            await asyncio.sleep(0.5)
            return await super().submit(request)

    place.venue = Slow

    async def work() -> None:
        hook(place)
        tell_bot(place.register, "hook", "start", 0)
        async with place.floor() as floor:
            await started(place, floor)
            wishes = [{"kind": "enter", "side": "buy", "notional": "500"}]
            ask(place.register, 1, "paper", "wish", place.clock.now_ms(), bot="hook", wishes=wishes)
            await started(place, floor)
            tell_bot(place.register, "hook", "stop", 0, sell=True)
            await started(place, floor)
            account = engine_of(floor).lanes["paper"].account
            await until(lambda: account.idle, "nothing is held")
            await asyncio.sleep(0.7)
            assert account.idle

    run(work)
