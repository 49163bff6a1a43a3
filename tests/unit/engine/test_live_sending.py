"""Answers that are lost: only the venue's own word ends the doubt, and until then nobody enters."""

import asyncio
from decimal import Decimal

from tests.unit.engine.rooms import CASH, Room, Wilful, account_spec, room

from cambist.adapters.storage.register import SqlRegister
from cambist.domain.alert import Level
from cambist.domain.errors import OutcomeUnknown, VenueUnavailable
from cambist.domain.event import Decided, TradingChanged
from cambist.domain.report import OrderReport
from cambist.domain.request import OrderRequest
from cambist.domain.trading import TradingState
from cambist.domain.wish import CancelEntries
from cambist.engine.live import Lane
from cambist.execution.orders import Life

D = Decimal


class Lossy(Wilful):
    """What happens to requests is as ``fate`` says: lost ``before`` or ``after`` the venue has obeyed."""

    fate = ""
    error: Exception = OutcomeUnknown("database.failed", why="no answer")
    silent = False

    async def submit(self, request: OrderRequest) -> OrderReport:
        if self.fate == "before":
            raise self.error
        report = await super().submit(request)
        if self.fate == "after":
            raise self.error
        return report

    async def cancel(self, symbol: str, client_id: str) -> OrderReport:
        if self.fate == "before":
            raise self.error
        report = await super().cancel(symbol, client_id)
        if self.fate == "after":
            raise self.error
        return report

    async def order(self, symbol: str, client_id: str) -> OrderReport:
        if self.silent:
            raise VenueUnavailable("database.failed", why="no answer")
        return await super().order(symbol, client_id)


async def opened(floor: Room) -> tuple[Lane, Lossy]:
    SqlRegister(floor.url, 1).add_account(account_spec())
    floor.exchange.add_account("paper", {"USDT": CASH})
    venue = Lossy(floor.exchange, "paper", floor.clock)
    floor.venues["paper"] = venue
    return await floor.add(), venue


def test_an_order_that_was_never_answered_and_exists_is_found(tmp_path):
    async def story() -> None:
        for number, error in enumerate((OutcomeUnknown("database.failed", why="?"), KeyError("a bug"), TimeoutError())):
            (tmp_path / str(number)).mkdir()
            async with room(tmp_path / str(number)) as floor:
                lane, venue = await opened(floor)
                venue.fate, venue.error = "after", error
                floor.exchange.pause("BTC/USDT")  # it rests until the next open
                await floor.enter(lane, 100.0)
                venue.fate = ""
                assert len(lane.account.orders) == 1
                await floor.pass_time(3)
                assert [one.life for one in lane.account.orders.values()] == [Life.OPEN]
                await floor.trade(100.0)
                assert lane.account.seats["paper-btc"].bot.position.quantity == 100
                assert len(venue._exchange.orders("paper", "BTC/USDT")) == 1

    asyncio.run(story())


def test_an_order_that_never_arrived_is_over_once_it_can_arrive_no_more(tmp_path):
    async def story() -> None:
        async with room(tmp_path) as floor:
            lane, venue = await opened(floor)
            venue.fate = "before"
            await floor.enter(lane, 100.0)
            (one,) = lane.account.unknown()
            await floor.pass_time(venue.traits.receive_window_ms / 1_000)
            assert lane.account.unknown() == [one]  # until then the request may still be on its way
            await floor.pass_time(5)
            assert one.life is Life.REFUSED
            venue.fate = ""
            await floor.enter(lane, 100.0)
            assert lane.account.seats["paper-btc"].bot.position.quantity == 100
            assert "trading.unknown_long" not in floor.heard.told()

    asyncio.run(story())


def test_a_doubt_that_lasts_is_told_once(tmp_path):
    async def story() -> None:
        async with room(tmp_path) as floor:
            lane, venue = await opened(floor)
            venue.fate, venue.silent = "before", True
            await floor.enter(lane, 100.0)
            await floor.pass_time(120)
            (told,) = [alert for alert in floor.heard.alerts if alert.key == "trading.unknown_long"]
            assert told.level is Level.CRITICAL
            assert len(lane.account.unknown()) == 1

    asyncio.run(story())


def test_a_cancellation_that_is_lost_is_asked_about_and_sent_again(tmp_path):
    async def story() -> None:
        for number, fate in enumerate(("before", "after")):
            (tmp_path / str(number)).mkdir()
            async with room(tmp_path / str(number)) as floor:
                lane, venue = await opened(floor)
                await floor.enter(lane, 100.0, limit=90.0)
                venue.fate = fate
                now = floor.clock.now_ms()
                floor.engine.tell(lane, Decided("paper-btc", now, 100.0, (CancelEntries(),)))
                await floor.settled()
                venue.fate = ""
                await floor.pass_time(10)
                assert [one.life for one in lane.account.orders.values()] == [Life.CANCELLED]
                assert await venue.open_orders() == []

    asyncio.run(story())


def test_the_kill_switch_cancels_and_closes_and_a_late_fill_is_closed_too(tmp_path):
    async def story() -> None:
        async with room(tmp_path) as floor:
            lane, venue = await opened(floor)
            await floor.enter(lane, 100.0, 5_000.0, stop_loss=0.05)
            await floor.trade(100.0)
            floor.exchange.pause("BTC/USDT")
            kill = TradingChanged(floor.clock.now_ms(), TradingState.HALTED, may_reduce=True, flatten=True)
            floor.engine.tell(lane, kill)
            await floor.settled()
            await floor.trade(99.0)
            assert not lane.account.seats["paper-btc"].bot.position
            assert {asset: one.total for asset, one in (await venue.balances()).items() if one.total} == {
                "USDT": CASH - 50
            }
            await floor.enter(lane, 99.0)
            assert "refused.halted" in floor.heard.told()

    asyncio.run(story())
