"""What the loop does when something fails: the journal, a venue's stream, one account, whoever watches."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.engine.rooms import BTC, Room, Wilful, account_spec, another, room

from cambist.adapters.storage.journal import SqlJournal
from cambist.adapters.storage.register import SqlRegister
from cambist.domain.account import BotStatus
from cambist.domain.errors import BadInput, CambistError, JournalFenced, StorageFailed
from cambist.domain.event import AccountEvent, BotChanged, Decided, Seen
from cambist.domain.ledger import LedgerEntry
from cambist.domain.report import Report
from cambist.domain.wish import Exit
from cambist.engine.account import Account, Outcome
from cambist.engine.live import Lane
from cambist.engine.recovery import recover, snapshot_of
from cambist.execution.limits import Limits
from cambist.ports.book import JournalEntry

D = Decimal


class Failing(SqlJournal):
    """A journal whose disk fails once, when ``fail`` is set: ``before`` it has written, or ``after``."""

    fail = ""

    def append(self, entries: Sequence[JournalEntry], ledger: Sequence[tuple[str, LedgerEntry]] = ()) -> None:
        fail, self.fail = self.fail, ""
        if fail != "before":
            super().append(entries, ledger)
        if fail:
            raise StorageFailed("database.failed", why="the disk")


async def quiet(floor: Room) -> None:
    for _ in range(50):
        await asyncio.sleep(0)


@pytest.mark.parametrize("when", ["before", "after"])
def test_what_was_not_journaled_is_not_done_and_a_new_engine_knows_what_was(tmp_path, when):
    async def story() -> None:
        async with room(tmp_path, Failing) as floor:
            lane = await floor.add()
            await floor.enter(lane, 100.0, stop_loss=0.05)
            venue, journal = floor.venues["paper"], floor.journal
            sent = len(venue.sent)
            written = len(floor.kinds())
            assert isinstance(journal, Failing)
            journal.fail = when
            floor.engine.tell(lane, Decided("paper-btc", floor.clock.now_ms(), 100.0, (Exit(),)))
            with pytest.raises(StorageFailed, match="the disk"):
                await floor.engine.broken()
            with pytest.raises(StorageFailed):
                await floor.engine.settled()
            # memory is ahead: it thinks that it is closing. Nothing more goes out, nothing more is written.
            assert lane.account.seats["paper-btc"].bot.exiting is not None
            floor.engine.price(BTC, D(50))
            await floor.clock.move_to(floor.clock.now_ms() + 120_000)
            await quiet(floor)
            assert len(venue.sent) == sent
            assert [one.client_id for one in await venue.open_orders()] == [venue.sent[-1].client_id]
            assert len(floor.kinds()) == written + (when == "after")
            assert "trading.journal_failed" in floor.heard.told()
        async with another(floor) as again:
            told = recover(Account(account_spec(), venue.traits), again.journal)
            assert told.seq == written + (when == "after")
            assert not told.differs
            lane = await again.add()
            await again.pass_time(15)
            seat = lane.account.seats["paper-btc"]
            assert bool(seat.bot.position) is (when == "before")  # the exit was decided, or it never was
            assert lane.account.ledger.holdings() == {
                asset: held.total for asset, held in (await again.venues["paper"].balances()).items() if held.total
            }
            assert lane.account.unknown() == []
            assert lane.account.protection("paper-btc").value == ("native" if when == "before" else "none_wanted")

    asyncio.run(story())


def test_a_second_writer_stops_the_first(tmp_path):
    async def story() -> None:
        async with room(tmp_path) as floor:
            lane = await floor.add()
            async with another(floor) as usurper:
                await usurper.add()
                floor.engine.see(lane, floor.clock.now_ms(), {BTC: D(100)})
                with pytest.raises(JournalFenced):
                    await floor.engine.broken()
                assert isinstance(floor.engine.failed, JournalFenced)
                assert usurper.engine.failed is None

    asyncio.run(story())


def test_an_account_that_is_removed_is_left_alone(tmp_path):
    async def story() -> None:
        async with room(tmp_path) as floor:
            lane, other = await floor.add("gone"), await floor.add("stays")
            await floor.enter(lane, 100.0, stop_loss=0.05)
            venue = floor.venues["gone"]
            floor.engine.tell(lane, Decided("gone-btc", floor.clock.now_ms(), 100.0, (Exit(),)))
            await floor.engine.remove("gone")
            written, sent = floor.kinds("gone"), len(venue.sent)
            assert "gone" not in floor.engine.lanes
            assert not lane.tasks
            floor.engine.tell(lane, Decided("gone-btc", floor.clock.now_ms(), 100.0, (Exit(),)))
            await floor.trade(1.0, told=True)
            await floor.pass_time(120, step_s=5)
            assert (floor.kinds("gone"), len(venue.sent)) == (written, sent)
            await floor.enter(other, 1.0)
            assert other.account.seats["stays-btc"].bot.position
            await floor.engine.remove("gone")  # twice is once
            async with another(floor) as again:
                back = await again.add("gone")
                await again.pass_time(15)
                assert not back.account.seats["gone-btc"].bot.position  # the stop acted while nobody looked
                assert back.account.ledger.holdings() == {
                    asset: held.total for asset, held in (await venue.balances()).items() if held.total
                }

    asyncio.run(story())


def test_an_account_is_in_the_loop_once(tmp_path):
    async def story() -> None:
        async with room(tmp_path) as floor:
            await floor.add()
            with pytest.raises(BadInput, match="paper"):
                await floor.add()

    asyncio.run(story())


class Broken(Wilful):
    """Its stream ends at once, raises, raises what nobody foresaw, and is well from the fourth time on."""

    opened = 0

    async def reports(self) -> AsyncIterator[Report]:
        self.opened += 1
        if self.opened == 1:
            return
        if self.opened == 2:
            raise CambistError("database.failed", why="gone")
        if self.opened == 3:
            raise KeyError("a field that the venue dropped")
        async for report in super().reports():
            yield report


def test_a_stream_that_ends_or_breaks_is_opened_again(tmp_path):
    async def story() -> None:
        async with room(tmp_path) as floor:
            await floor.add("other")
            venue = Broken(floor.exchange, "paper", floor.clock)
            floor.exchange.add_account("paper", {"USDT": D(1_000)})
            SqlRegister(floor.url, 1).add_account(account_spec())
            floor.venues["paper"] = venue
            lane = await floor.add("paper")
            assert venue.opened == 1
            await floor.pass_time(10)
            assert venue.opened == 4
            assert floor.heard.told().count("trading.stream_lost") == 1
            await floor.enter(lane, 100.0, 500.0)
            assert lane.account.seats["paper-btc"].bot.position.quantity == D(5)  # by what the stream told

    asyncio.run(story())


def test_one_account_that_fails_stops_no_other(tmp_path):
    async def story() -> None:
        async with room(tmp_path) as floor:
            ill, well = await floor.add("ill"), await floor.add("well")
            written = floor.kinds("ill")
            nobody = BotChanged(floor.clock.now_ms(), "a bot that there is not", BotStatus.RUNNING)
            floor.engine.tell(ill, nobody)
            await floor.settled()
            assert list(floor.engine.lanes) == ["well"]
            assert [alert.account for alert in floor.heard.alerts if alert.key == "trading.account_failed"] == ["ill"]
            assert floor.kinds("ill") == written
            await floor.enter(well, 100.0)
            assert well.account.seats["well-btc"].bot.position
            back = await floor.add("ill")  # its journal is whole
            assert back.account.seats.keys() == {"ill-btc"}

    asyncio.run(story())


def test_the_audit_hears_each_event_in_order_once_it_is_journaled(tmp_path):
    heard: list[tuple[int, str]] = []

    async def story() -> None:
        floors: list[Room] = []

        def audit(lane: Lane, event: AccountEvent, outcome: Outcome) -> None:
            heard.append((len(heard) + 1, type(event).__name__))
            entries = {entry.seq: entry.kind for entry in floors[0].journal.read(lane.account.spec.id)}
            assert entries[len(heard)] == type(event).__name__

        async with room(tmp_path, audit=audit) as floor:
            floors.append(floor)
            lane = await floor.add()
            await floor.enter(lane, 100.0, stop_loss=0.05)
            assert [kind for _, kind in heard] == floor.kinds()
            assert lane.seq == len(heard)
            assert "trading.audit_failed" not in floor.heard.told()

    asyncio.run(story())


def test_an_audit_that_fails_stops_nothing(tmp_path):
    async def story() -> None:
        def audit(*_: Any) -> None:
            raise ValueError("a screen")

        async with room(tmp_path, audit=audit) as floor:
            lane = await floor.add()
            await floor.enter(lane, 100.0)
            assert lane.account.seats["paper-btc"].bot.position
            assert floor.heard.told().count("trading.audit_failed") == 1

    asyncio.run(story())


def test_settings_are_journaled_so_that_old_orders_are_judged_as_they_were(tmp_path):
    async def story() -> None:
        async with room(tmp_path) as floor:
            lane = await floor.add(limits=Limits(max_order_notional=D(50_000)))
            await floor.enter(lane, 100.0, stop_loss=0.05)
            held = lane.account.seats["paper-btc"].bot.position
            assert held
            await floor.engine.configure(lane, Limits(max_order_notional=D(1)), lane.account.rules)
            await floor.settled()
            assert lane.account.limits.max_order_notional == 1
            again = recover(Account(account_spec(), lane.account.traits, limits=Limits()), floor.journal)
            assert not again.differs
            assert snapshot_of(again.account) == snapshot_of(lane.account)
            await floor.engine.remove("paper")
            back = await floor.add(limits=Limits(max_order_notional=D(2)))
            assert back.account.limits.max_order_notional == 2
            assert back.account.seats["paper-btc"].bot.position == held
            assert "trading.journal_differs" not in floor.heard.told()
            assert floor.kinds().count("Configured") == 3

    asyncio.run(story())


def test_an_event_in_hand_when_time_stands_still_is_seen(tmp_path):
    async def story() -> None:
        async with room(tmp_path) as floor:
            lane = await floor.add()
            floor.engine.tell(lane, Seen(floor.clock.now_ms(), ((BTC, D(101)),), venue_ready=True))
            await floor.engine.settled(lane)
            assert lane.account.prices[BTC][0] == 101

    asyncio.run(story())
