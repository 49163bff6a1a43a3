"""Stops, the breaker and unprotected positions between candles, end to end on the simulated exchange."""

import asyncio
from decimal import Decimal
from typing import Any

from tests.unit.engine.rooms import BTC, CASH, ETH, room

from cambist.domain.alert import Level
from cambist.domain.event import CandleClosed
from cambist.domain.request import Traits
from cambist.domain.trading import BreakerStage
from cambist.engine.live import Lane
from cambist.execution.breaker import BreakerRules, Falls
from cambist.execution.limits import Limits
from cambist.execution.protection import Protection
from cambist.ports.metrics import Unmeasured

NO_STOPS = Traits(stops=False, oco=False, cuts_to_cash=True)
D = Decimal


def stage(lane: Lane) -> BreakerStage:
    assert lane.account.breaker is not None
    return lane.account.breaker.stage


class Counted(Unmeasured):
    def __init__(self) -> None:
        self.counts: dict[tuple[Any, ...], float] = {}

    def count(self, name: str, value: float = 1, **labels: str) -> None:
        key = (name, *labels.values())
        self.counts[key] = self.counts.get(key, 0) + value


def test_a_stop_acts_within_a_minute_though_the_feed_is_silent(tmp_path):
    async def story() -> None:
        async with room(tmp_path) as floor:
            lane = await floor.add(traits=NO_STOPS)
            await floor.enter(lane, 100.0, stop_loss=0.05)
            assert lane.account.protection("paper-btc") is Protection.EMULATED
            await floor.trade(90.0)  # nobody tells the engine
            await floor.pass_time(61)
            assert not lane.account.seats["paper-btc"].bot.position
            assert [str(t.reason) for t in lane.account.seats["paper-btc"].state.trades] == ["stop_loss"]

    asyncio.run(story())


def test_a_venue_is_asked_once_a_minute_for_what_is_held_however_many_hold_it(tmp_path):
    async def story() -> None:
        async with room(tmp_path) as floor:
            lanes = [await floor.add(name, symbols=(BTC, ETH)) for name in ("one", "two", "three")]
            await floor.pass_time(120)
            assert not [symbol for venue in floor.venues.values() for symbol in venue.asked]
            for lane in lanes:
                await floor.enter(lane, 100.0, stop_loss=0.05)
            await floor.pass_time(300)
            assert [symbol for venue in floor.venues.values() for symbol in venue.asked] == [BTC] * 5

    asyncio.run(story())


def test_a_venue_that_does_not_answer_is_counted_and_asked_again(tmp_path):
    async def story() -> None:
        metrics = Counted()
        async with room(tmp_path, metrics=metrics) as floor:
            lane = await floor.add(traits=NO_STOPS)
            await floor.enter(lane, 100.0, stop_loss=0.05)
            floor.venues["paper"].answers = False
            await floor.trade(90.0)
            await floor.pass_time(130)
            assert lane.account.seats["paper-btc"].bot.position
            assert metrics.counts["venue_errors_total", "simulated", "TimeoutError"] == 3
            floor.venues["paper"].answers = True
            await floor.pass_time(60)
            assert not lane.account.seats["paper-btc"].bot.position

    asyncio.run(story())


def test_a_price_that_moves_nothing_is_not_journaled(tmp_path):
    async def story() -> None:
        rules = BreakerRules(from_peak=Falls(flatten=D("0.10")))
        async with room(tmp_path) as floor:
            lane = await floor.add(traits=NO_STOPS, rules=rules)
            await floor.enter(lane, 100.0, stop_loss=0.5)
            before = lane.seq
            for price in (99.0, 98.0, 97.0, 105.0):
                await floor.trade(price, told=True)
            assert lane.seq == before

    asyncio.run(story())


def test_the_breaker_flattens_between_candles(tmp_path):
    async def story() -> None:
        rules = BreakerRules(from_peak=Falls(flatten=D("0.10")))
        async with room(tmp_path) as floor:
            lane = await floor.add(rules=rules)
            await floor.enter(lane, 100.0, 20_000.0)
            await floor.trade(90.01, told=True)
            assert stage(lane) is BreakerStage.CLEAR
            assert lane.account.seats["paper-btc"].bot.position
            await floor.trade(90.0, told=True)
            assert stage(lane) is BreakerStage.FLATTEN
            await floor.settled()
            assert not lane.account.seats["paper-btc"].bot.position
            held = await floor.venues["paper"].balances()
            assert {asset: one.total for asset, one in held.items() if one.total} == {"USDT": CASH - 2_000}
            assert "trading.breaker" in floor.heard.told()
            # what was on its way and fills only now is closed too, and nothing new is let in
            await floor.enter(lane, 90.0)
            assert not lane.account.seats["paper-btc"].bot.position

    asyncio.run(story())


def test_the_breaker_sees_all_that_the_account_holds_at_its_latest_prices(tmp_path):
    async def story() -> None:
        rules = BreakerRules(from_peak=Falls(reduce_only=D("0.10")))
        async with room(tmp_path) as floor:
            lane = await floor.add(rules=rules, symbols=(BTC, ETH))
            await floor.enter(lane, 100.0, 20_000.0)
            await floor.enter(lane, 10.0, 10_000.0, ETH)
            await floor.enter(lane, 10.0, 5_000.0, ETH, limit=9.0)  # refused: the bot is in already
            await floor.trade(85.0, told=True)  # 3 000 of 40 000
            assert stage(lane) is BreakerStage.CLEAR
            await floor.trade(8.9, ETH, told=True)  # and 1 100: more than a tenth together
            assert stage(lane) is BreakerStage.REDUCE_ONLY
            assert lane.account.seats["paper-btc"].bot.position  # reduce only: it is held, and may be closed

    asyncio.run(story())


def test_reduce_only_takes_back_entries_that_wait(tmp_path):
    async def story() -> None:
        rules = BreakerRules(from_opening=Falls(reduce_only=D("0.05")))
        async with room(tmp_path) as floor:
            lane = await floor.add(rules=rules, symbols=(BTC, ETH))
            await floor.enter(lane, 100.0, 20_000.0)
            await floor.enter(lane, 10.0, 5_000.0, ETH, limit=9.0)
            assert len(await floor.venues["paper"].open_orders()) == 1
            await floor.trade(89.0, told=True)
            await floor.settled()
            assert stage(lane) is BreakerStage.REDUCE_ONLY
            assert await floor.venues["paper"].open_orders() == []

    asyncio.run(story())


def test_a_budget_for_another_bot_arms_no_breaker(tmp_path):
    async def story() -> None:
        rules = BreakerRules(from_peak=Falls(no_entries=D("0.05")))
        async with room(tmp_path) as floor:
            lane = await floor.add(rules=rules)
            await floor.enter(lane, 100.0, 20_000.0, stop_loss=0.5)
            await floor.trade(90.0, told=True)
            assert stage(lane) is BreakerStage.NO_ENTRIES
            await floor.engine.remove("paper")
            again = await floor.add(symbols=(BTC, ETH), rules=rules)
            assert stage(again) is BreakerStage.NO_ENTRIES
            assert len(again.account.seats) == 2

    asyncio.run(story())


def test_a_stop_that_the_venue_refuses_is_tried_again_and_watched_meanwhile(tmp_path):
    async def story() -> None:
        async with room(tmp_path) as floor:
            lane = await floor.add()
            seat = lane.account.seats["paper-btc"]
            floor.venues["paper"].takes_stops = False
            await floor.enter(lane, 100.0, stop_loss=0.05)
            await floor.pass_time(10)
            stops = [one for one in floor.venues["paper"].sent if one.reduce_only]
            assert len(stops) == len({one.client_id for one in stops}) == 4  # after 0, 1, 3 and 7 s
            assert floor.heard.told().count("trading.guard_refused") == 1
            assert lane.account.protection("paper-btc") is Protection.EMULATED
            floor.venues["paper"].takes_stops = True
            await floor.pass_time(6)
            assert lane.account.protection("paper-btc") is Protection.NATIVE
            await floor.pass_time(60)
            assert seat.bot.position

    asyncio.run(story())


def test_a_price_at_a_stop_that_was_refused_closes_at_once(tmp_path):
    async def story() -> None:
        async with room(tmp_path) as floor:
            lane = await floor.add()
            floor.venues["paper"].takes_stops = False
            await floor.enter(lane, 100.0, stop_loss=0.05)
            await floor.pass_time(10)  # the next attempt is due in 5 s
            await floor.trade(94.0, told=True)
            await floor.settled()
            assert not lane.account.seats["paper-btc"].bot.position
            assert "trading.unprotected" not in floor.heard.told()

    asyncio.run(story())


def test_what_cannot_be_protected_in_time_is_closed(tmp_path):
    async def story() -> None:
        async with room(tmp_path) as floor:
            lane = await floor.add(limits=Limits(max_unprotected_ms=20_000))
            floor.venues["paper"].takes_stops = False
            await floor.enter(lane, 100.0, stop_loss=0.05)
            await floor.pass_time(20)
            assert lane.account.seats["paper-btc"].bot.position
            await floor.pass_time(2)
            assert not lane.account.seats["paper-btc"].bot.position
            (told,) = [alert for alert in floor.heard.alerts if alert.key == "trading.unprotected"]
            assert told.level is Level.CRITICAL
            assert told.bot == "paper-btc"
            assert told.params["seconds"] == "21"

    asyncio.run(story())


def test_without_a_limit_nothing_is_closed_and_without_stops_at_the_venue_neither(tmp_path):
    async def story() -> None:
        async with room(tmp_path) as floor:
            lane = await floor.add("refused", limits=Limits(max_unprotected_ms=None))
            floor.venues["refused"].takes_stops = False
            other = await floor.add("none", traits=NO_STOPS)
            for one in (lane, other):
                await floor.enter(one, 100.0, stop_loss=0.05)
            await floor.pass_time(300, step_s=10)
            for one, name in ((lane, "refused"), (other, "none")):
                assert one.account.protection(f"{name}-btc") is Protection.EMULATED
            assert "trading.unprotected" not in floor.heard.told()

    asyncio.run(story())


def test_the_clock_is_compared_and_the_other_accounts_of_a_user_count(tmp_path):
    async def story() -> None:
        async with room(tmp_path) as floor:
            limits = Limits(max_user_notional=D(15_000), max_clock_skew_ms=1_000)
            one, two = [await floor.add(name, limits=limits) for name in ("one", "two")]
            stranger = await floor.add("stranger", user=2, limits=limits)
            for lane in (one, two, stranger):
                await floor.enter(lane, 100.0, 10_000.0)
            assert one.account.seats["one-btc"].bot.position
            assert not two.account.seats["two-btc"].bot.position
            assert two.account.elsewhere == D(10_000)
            assert "refused.user_notional" in floor.heard.told()
            assert stranger.account.seats["stranger-btc"].bot.position
            assert stranger.account.elsewhere == 0
            await floor.engine.remove("one")
            for venue in floor.venues.values():
                venue.ahead_ms = 1_500
            await floor.pass_time(61)
            await floor.enter(two, 100.0, 10_000.0)
            assert two.account.elsewhere == 0
            assert two.account.clock_skew_ms == -1_500
            assert "refused.clock_skew" in floor.heard.told()

    asyncio.run(story())


def test_a_trailing_stop_that_price_has_passed_before_it_could_be_moved_closes_the_position(tmp_path):
    async def story() -> None:
        async with room(tmp_path) as floor:
            lane = await floor.add()
            await floor.enter(lane, 100.0, trailing_stop=0.05)
            await floor.trade(100.0)  # the candle has closed at 106, and price has fallen since
            floor.engine.tell(lane, CandleClosed("paper-btc", floor.clock.now_ms(), 106.0, 100.0, 106.0))
            await floor.settled()
            (stop,) = await floor.venues["paper"].open_orders()
            assert stop.trigger == D(95)  # 100.70 is above the market: the venue would not have it
            await floor.trade(100.0, told=True)
            assert not lane.account.seats["paper-btc"].bot.position
            assert [str(t.reason) for t in lane.account.seats["paper-btc"].state.trades] == ["trailing_stop"]

    asyncio.run(story())
