"""One account against an exchange that loses answers, repeats and reorders messages, while we crash at any moment.

Whatever happens, once the exchange has answered everything: what the account believes to hold is what the exchange
says it holds, to the last digit; no order of ours stands that the account does not know; every position is guarded.
And meanwhile no position that wants a stop is without one for longer than is allowed, or it is being closed.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cambist.domain.account import AccountSpec, BotSpec, BotStatus, Mode
from cambist.domain.command import MoveStop, Place, PlacePair, TakeBackOrder
from cambist.domain.errors import NotFound, VenueRefused
from cambist.domain.event import (
    AccountEvent,
    BotAdded,
    BotChanged,
    BotDeleted,
    CancelStood,
    CandleClosed,
    Decided,
    FillReported,
    Opened,
    OrderAbsent,
    OrderLost,
    OrderReported,
    Restarted,
    Seen,
    TimePassed,
    TriggerMoved,
)
from cambist.domain.instrument import Instrument
from cambist.domain.ledger import LedgerEntry
from cambist.domain.order import OrderType, Side
from cambist.domain.report import BalancesReported, FillReport, OrderReport, Status
from cambist.domain.request import Traits
from cambist.domain.timeframe import Timeframe
from cambist.domain.wire import from_text
from cambist.domain.wish import CancelEntries, Enter, Exit, Fraction
from cambist.engine.account import Account
from cambist.engine.desk import step
from cambist.engine.recovery import Journaled, body_of, recover, snapshot_of
from cambist.execution.limits import Limits
from cambist.execution.orders import Life
from cambist.execution.protection import Protection, sellable, sellable_at, tightest
from cambist.market.exchange import Exchange
from cambist.market.matching import Costs
from cambist.ports.book import JournalEntry

SYMBOL = "BTC/USDT"
MINUTE, TICK = 60_000, 10_000
LIMIT = Limits().max_unprotected_ms or 0
BTC = Instrument(
    venue="simulated",
    symbol=SYMBOL,
    tick_size=Decimal("0.01"),
    lot_step=Decimal("0.0001"),
    min_notional=Decimal(5),
    min_quantity=Decimal("0.0001"),
)
SPEC = AccountSpec(id="paper", user_id=1, venue="simulated", mode=Mode.PAPER, quote="USDT")
BOT = BotSpec(
    id="bot",
    user_id=1,
    account="paper",
    strategy="ema_cross",
    params={},
    symbol=SYMBOL,
    timeframe=Timeframe.M1,
    budget=Decimal(10_000),
)


class MemoryJournal:
    """The journal as the disk keeps it: text."""

    def __init__(self) -> None:
        self.entries: list[JournalEntry] = []
        self.booked: list[LedgerEntry] = []
        self.snap: tuple[int, str] | None = None

    def append(self, entries: Sequence[JournalEntry], ledger: Sequence[tuple[str, LedgerEntry]] = ()) -> None:
        self.entries += entries
        self.booked += [entry for _, entry in ledger]

    def read(self, account: str, after_seq: int = 0) -> Iterator[JournalEntry]:
        return iter([entry for entry in self.entries if entry.seq > after_seq])

    def snapshot(self, account: str, seq: int, body: str) -> None:
        self.snap = (seq, body)

    def last_snapshot(self, account: str) -> tuple[int, str] | None:
        return self.snap

    def ledger(self, account: str) -> Iterator[LedgerEntry]:
        return iter(self.booked)


class World:
    """A market, an exchange on it, a network that cannot be trusted, and one account."""

    def __init__(self, seed: int, traits: Traits, *, fee_in_base: bool = False) -> None:
        self.random = Random(seed)
        self.traits = traits
        self.ts = 1_700_000_000_000
        self.inbox: list[AccountEvent] = []
        self.journal = MemoryJournal()
        self.exchange = Exchange([BTC], Costs(volume_share=0.5), self._listen, fee_in_base=fee_in_base)
        self.exchange.add_account("paper", {"USDT": Decimal(10_000)})
        self.account = Account(SPEC, traits)
        self.price = 100.0
        self.trust = False
        self.no_stops = False
        self.bare_since: int | None = None
        self.closed_for_it = 0
        self.exchange.at_open(SYMBOL, self.ts, self.price, 10.0)
        self.take(Opened(BalancesReported(self.ts, tuple(self.exchange.balances("paper").values()))))
        self.take(BotAdded(self.ts, BOT, BTC))
        self.take(BotChanged(self.ts, "bot", BotStatus.RUNNING))

    # -- the network

    def _listen(self, account: str, report: object) -> None:
        if isinstance(report, OrderReport):
            self._post(OrderReported(report))
        elif isinstance(report, FillReport):
            self._post(FillReported(report))

    def _post(self, event: AccountEvent) -> None:
        if self.trust or self.random.random() > 0.15:  # else lost
            self.inbox.append(event)
            if not self.trust and self.random.random() < 0.2:
                self.inbox.append(event)

    def deliver(self, share: float) -> None:
        """Hand over some of what is under way, in any order."""
        waiting, self.inbox = self.inbox, []
        if not self.trust:
            self.random.shuffle(waiting)
        for event in waiting:
            if self.trust or self.random.random() < share:
                self.take(event)
            else:
                self.inbox.append(event)

    # -- journal, then act

    def take(self, event: AccountEvent) -> None:
        outcome = step(self.account, event)
        self.closed_for_it += sum(alert.key == "trading.unprotected" for alert in outcome.alerts)
        for booked in outcome.entries:
            for asset in {line.asset for line in booked.lines}:
                assert sum(line.amount for line in booked.lines if line.asset == asset) == 0
        body = body_of(event, outcome.commands)
        seq = len(self.journal.entries) + 1
        kind = type(event).__name__
        entry = JournalEntry(account="paper", seq=seq, ts=self.ts, kind=kind, body=body)
        self.journal.append([entry], [("paper", one) for one in outcome.entries])
        for command in outcome.commands:
            if not self.trust and self.random.random() < 0.03:
                self.crash()  # after the journal, before the wire: this and what follows never leave
                return
            self.carry_out(command)

    def crash(self) -> None:
        if self.random.random() < 0.3:
            self.journal.snapshot("paper", len(self.journal.entries), snapshot_of(self.account))
        found = recover(Account(SPEC, self.traits), self.journal)
        assert not found.differs
        assert snapshot_of(found.account) == snapshot_of(self.account)
        self.account = found.account
        self.bare_since = None  # while it was down nobody could protect anything
        self.take(Restarted(self.ts))

    def carry_out(self, command) -> None:
        """Send ``command``; the answer is lost now and then, before or after the exchange has obeyed."""
        fate = 1.0 if self.trust else self.random.random()
        before, after = fate < 0.05, fate < 0.15
        if isinstance(command, Place | PlacePair):
            self._place(command, before=before, after=after)
        elif isinstance(command, TakeBackOrder) and not before:
            try:
                report = self.exchange.cancel("paper", SYMBOL, command.client_id)
            except NotFound:
                self.inbox.append(OrderAbsent(command.client_id, self.ts))
            else:
                if not after:
                    self.inbox.append(OrderReported(report))
        elif isinstance(command, MoveStop) and not before:
            with suppress(NotFound, VenueRefused):
                self.exchange.amend("paper", SYMBOL, command.client_id, command.trigger)
                self.inbox.append(TriggerMoved(command.client_id, self.ts, command.trigger))

    def _place(self, command: Place | PlacePair, *, before: bool, after: bool) -> None:
        requests = (command.request,) if isinstance(command, Place) else (command.stop, command.target)
        reports: tuple[OrderReport, ...] = ()
        try:
            if self.no_stops and requests[0].type is OrderType.STOP:
                raise VenueRefused("exchange.no_stop", order=requests[0].client_id)
            if not before and isinstance(command, Place):
                reports = (self.exchange.submit("paper", command.request),)
            elif not before and isinstance(command, PlacePair):
                reports = self.exchange.submit_oco("paper", command.list_id, command.stop, command.target)
        except VenueRefused as error:
            self.inbox.extend(OrderReported(self._refused(request.client_id, str(error))) for request in requests)
            return
        if before or after:
            self.inbox.extend(OrderLost(request.client_id, self.ts) for request in requests)
        else:
            self.inbox.extend(OrderReported(report) for report in reports)

    def _refused(self, client_id: str, why: str) -> OrderReport:
        return OrderReport(
            client_id=client_id, symbol=SYMBOL, status=Status.REFUSED, filled=Decimal(0), ts=self.ts, reason=why
        )

    def ask(self) -> None:
        """Ask the exchange about all that is not settled, as reconciliation does."""
        for name, one in list(self.account.orders.items()):
            if one.settled or one.life is Life.SUBMITTING:
                continue
            try:
                report = self.exchange.order("paper", SYMBOL, name)
            except NotFound:
                if self.trust:
                    self.inbox.append(OrderAbsent(name, self.ts))
                continue
            self.inbox.append(OrderReported(report))
            if one.life is Life.CANCELLING and not report.status.final:
                self.inbox.append(CancelStood(name, self.ts))
        for fill in self.exchange.fills("paper", SYMBOL):
            known = self.account.orders.get(fill.client_id)
            if known is not None and fill.trade_id not in known.trades:
                self.inbox.append(FillReported(fill))

    # -- the market

    def candle(self) -> None:
        open_ = round(self.price, 2)
        close = round(max(1.0, open_ * (1 + self.random.gauss(0, 0.02))), 2)
        high = round(max(open_, close) * (1 + abs(self.random.gauss(0, 0.01))), 2)
        low = round(min(open_, close) * (1 - abs(self.random.gauss(0, 0.01))), 2)
        volume = self.random.choice([0.0, 1.0, 50.0, 5_000.0])
        self.exchange.at_open(SYMBOL, self.ts, open_, volume)
        self.deliver(0.6)
        for _ in self.exchange.in_range(SYMBOL, self.ts, (open_, high, low, close), volume):
            self.deliver(0.3)
        self.price = close
        self.take(Seen(self.ts, ((SYMBOL, Decimal(repr(close))),), venue_ready=True))
        self.take(CandleClosed("bot", self.ts, high, low, close))
        for price in (low, high, close):
            self.show(price)

    def show(self, price: float) -> None:
        for event in self.account.touched(SYMBOL, Decimal(repr(price)), self.ts):
            self.take(event)

    def pass_time(self) -> None:
        """Let a minute's ticks pass, and hold each against the limit on what is unprotected."""
        for _ in range(MINUTE // TICK):
            self.ts += TICK
            if self.account.due(self.ts):
                self.take(TimePassed(self.ts))
            self.look_after()

    def look_after(self) -> None:
        """Measure, at the exchange itself, how long a position that wants a stop has had none."""
        seat = self.account.seats["bot"]
        bot, traits = seat.bot, self.traits
        wants = traits.stops and tightest(list(bot.protections.values())) is not None and bot.exiting is None
        total = self.exchange.balances("paper").get("BTC")
        held = min(bot.position.quantity, total.total if total else Decimal(0))
        stops = [one for one in self.exchange.open_orders("paper") if one.type is OrderType.STOP]
        takes = sellable_at(BTC, sellable(BTC, held), Decimal(repr(self.price)))
        sold = [fill for fill in self.exchange.fills("paper", SYMBOL) if fill.side is Side.SELL]
        gone = any(fill.trade_id not in self.account.orders[fill.client_id].trades for fill in sold)  # unheard of yet
        if not wants or not takes or gone or any(one.side is Side.SELL for one in stops):
            self.bare_since = None
        elif self.bare_since is None:
            self.bare_since = self.ts
        else:
            assert self.ts - self.bare_since <= LIMIT + TICK

    def decide(self) -> None:
        kind = self.random.random()
        if kind < 0.5:
            wish = Enter(
                side=Side.BUY,
                size=Fraction(self.random.choice([0.1, 0.5, 1.0])),
                limit=self.price * 0.99 if self.random.random() < 0.3 else None,
                stop_loss=self.random.choice([None, 0.01, 0.03]),
                take_profit=self.random.choice([None, 0.02]),
                trailing_stop=self.random.choice([None, None, 0.02]),
            )
            self.take(Decided("bot", self.ts, self.price, (wish,)))
        elif kind < 0.8:
            self.take(Decided("bot", self.ts, self.price, (Exit(),)))
        else:
            self.take(Decided("bot", self.ts, self.price, (CancelEntries(),)))

    def calm_down(self) -> None:
        """From here on the network is good: ask and answer until nothing moves."""
        self.trust, self.no_stops = True, False
        for _ in range(200):
            before = snapshot_of(self.account)
            self.ask()
            self.deliver(1.0)
            self.ts += 61_000
            self.exchange.at_open(SYMBOL, self.ts, self.price, 1_000_000.0)
            self.deliver(1.0)
            self.show(self.price)
            self.deliver(1.0)
            if self.account.due(self.ts):
                self.take(TimePassed(self.ts))
                self.deliver(1.0)
            if not self.inbox and snapshot_of(self.account) == before:
                return
        raise AssertionError("it never comes to rest")


NATIVE = Traits(stops=True, oco=True, amend=True, cuts_to_cash=True)
PLAIN = Traits(stops=True, oco=False, amend=False, cuts_to_cash=True)
NOTHING = Traits(stops=False, oco=False, cuts_to_cash=True)


def run(
    seed: int, traits: Traits, moves: int, *, fee_in_base: bool = False, deleting: Callable[[World], None] | None = None
) -> World:
    world = World(seed, traits, fee_in_base=fee_in_base)
    for _ in range(moves):
        world.candle()
        if deleting is not None:
            deleting(world)
        if world.random.random() < 0.6:
            world.decide()
        if world.random.random() < 0.3:
            world.ask()
        if world.random.random() < 0.05:
            world.crash()
        world.deliver(0.7)
        world.no_stops = world.random.random() < (0.8 if world.no_stops else 0.1)
        world.pass_time()
    world.calm_down()
    return world


@pytest.mark.parametrize("traits", [NATIVE, PLAIN, NOTHING], ids=["oco", "stops", "none"])
@pytest.mark.parametrize("fee_in_base", [False, True], ids=["fee in quote", "fee in base"])
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_nothing_is_lost_doubled_or_left_alone(traits: Traits, fee_in_base: bool, seed: int):
    world = run(seed, traits, 40, fee_in_base=fee_in_base)
    account, exchange = world.account, world.exchange
    seat = account.seats["bot"]
    held = {asset: balance.total for asset, balance in exchange.balances("paper").items() if balance.total}
    assert account.ledger.holdings() == held
    assert not account.frozen
    position = seat.bot.position.quantity
    dust = held.get("BTC", Decimal(0)) - position
    assert Decimal(0) <= dust < BTC.lot_step * (1 + len(seat.state.trades))
    assert {order.client_id for order in exchange.open_orders("paper")} == {
        name for name, one in account.orders.items() if not one.ended
    }
    assert all(one.settled for one in account.orders.values() if one.ended)
    if position and traits is NATIVE and not seat.too_small:
        assert account.protection("bot") in (Protection.NATIVE, Protection.NONE_WANTED)
    if seat.bot.exiting is not None:
        assert seat.too_small


@pytest.mark.parametrize("traits", [NATIVE, NOTHING], ids=["oco", "none"])
@pytest.mark.parametrize("fee_in_base", [False, True], ids=["fee in quote", "fee in base"])
@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_deleted_bot_gives_back_all_it_has_whenever_it_is_asked(traits: Traits, fee_in_base: bool, seed: int):
    def deleting(world: World) -> None:
        if world.random.random() < 0.2:
            seat = world.account.seats["bot"]
            idle, was = not seat.bot.position and not world.account.working("bot"), seat.deleted
            world.take(BotDeleted(world.ts, "bot"))
            assert world.account.seats["bot"].deleted is (idle or was)
            if world.account.seats["bot"].deleted:
                world.take(BotChanged(world.ts, "bot", BotStatus.PAUSED))
                assert world.account.seats["bot"].deleted

    world = run(seed, traits, 30, fee_in_base=fee_in_base, deleting=deleting)
    account, exchange = world.account, world.exchange
    seat = account.seats["bot"]
    held = {asset: balance.total for asset, balance in exchange.balances("paper").items() if balance.total}
    assert account.ledger.holdings() == held
    assert {order.client_id for order in exchange.open_orders("paper")} == {
        name for name, one in account.orders.items() if not one.ended
    }
    if seat.deleted and not seat.bot.position:
        assert account.ledger.of("bot") == {}
        assert account.ledger.of("free") == held
        assert account.equity() == 0
        won = held["USDT"] - 10_000
        dust = held.get("BTC", Decimal(0))
        assert dust or seat.state.cash == BOT.budget + won
    again = recover(Account(SPEC, traits), world.journal)
    assert not again.differs
    assert snapshot_of(again.account) == snapshot_of(account)
    assert len({entry.id for entry in world.journal.booked}) == len(world.journal.booked)


def test_bots_are_deleted_in_these_worlds():
    deleted = []
    for seed in range(12):
        world = run(seed, NATIVE, 30, deleting=lambda world: world.take(BotDeleted(world.ts, "bot")))
        deleted.append(world.account.seats["bot"].deleted)
    assert sum(deleted) >= 10  # the property above is put to the test


def test_what_the_venue_will_not_guard_in_time_is_closed():
    worlds = [run(seed, PLAIN, 40) for seed in range(10)]
    assert sum(world.closed_for_it for world in worlds) >= 5  # the property above is put to the test


def test_a_journal_gives_the_same_account_again():
    world = run(7, NATIVE, 60)
    world.journal.snap = None
    assert len({entry.id for entry in world.journal.booked}) == len(world.journal.booked)
    again = recover(Account(SPEC, NATIVE), world.journal)
    assert not again.differs
    assert snapshot_of(again.account) == snapshot_of(world.account)
    assert from_text(Account, snapshot_of(again.account)) == again.account
    first: Journaled = from_text(Journaled, world.journal.entries[0].body)
    assert isinstance(first.event, Opened)
