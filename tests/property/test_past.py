"""What has become of orders, read off the journal: in any number of pieces it comes to the same, and it adds up."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from random import Random
from threading import Barrier, Thread

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.contract.book import an_account
from tests.property.test_desk import BTC, NATIVE, NOTHING, PLAIN, World, run

from cambist.adapters.storage.journal import SqlJournal
from cambist.adapters.storage.past import SqlPast
from cambist.adapters.storage.register import SqlRegister
from cambist.domain.account import AccountSpec
from cambist.domain.command import Place, PlacePair
from cambist.domain.past import WHOLE, Curve, PastFill, PastOrder, PastTrade, Wanted
from cambist.domain.timeframe import DAY_MS, MINUTE_MS
from cambist.domain.wire import from_text
from cambist.engine.recovery import Journaled, snapshot_of
from cambist.execution.orders import Life
from cambist.ports.book import JournalEntry
from cambist.ports.past import At, Piece
from cambist.usecases.past import History
from cambist.usecases.past_reading import HOUR_MS
from cambist.usecases.past_state import worth

ALL = Wanted()
BOT = "bot"


@dataclass
class Book:
    """A database that holds copies of journals, each under an account of its own."""

    url: str

    def __post_init__(self) -> None:
        self.register, self.journal = SqlRegister(self.url), SqlJournal(self.url)

    def account(self) -> AccountSpec:
        spec = an_account(venue="simulated")
        self.register.add_account(spec)
        return spec

    def copy(self, entries: list[JournalEntry], to: AccountSpec) -> None:
        self.journal.append([replace(entry, account=to.id) for entry in entries])

    def history(self, user_id: int | None = None, *, piece: int = 2_000, traits=NATIVE) -> History:
        return History(SqlPast(self.url, user_id), self.journal, lambda _: traits, piece=piece)


@dataclass
class Rows:
    """All that is kept of one account."""

    orders: list[PastOrder]
    fills: list[PastFill]
    trades: list[PastTrade]
    curves: list[Curve]

    @classmethod
    def of(cls, history: History, account: str, *, named: str = "") -> "Rows":
        kept, wanted = history.read_on(account), Wanted(account=account)
        curves = kept.curves([(account, BOT), (account, WHOLE)])
        name = named or account
        return cls(
            orders=[replace(one, account=name) for one in kept.orders(wanted, 10_000)],
            fills=[replace(one, account=name) for one in kept.fills(wanted, 10_000)],
            trades=[replace(one, account=name) for one in kept.trades(wanted, None)],
            curves=[replace(one, account=name) for one in curves],
        )


@pytest.fixture
def book(database_url: str) -> Iterator[Book]:
    found = Book(database_url)
    yield found
    found.journal.close()


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Book]:
    found = Book(f"sqlite:///{tmp_path_factory.mktemp('past') / 'cambist.db'}")
    yield found
    found.journal.close()


def aged(world: World, chance: Random) -> list[JournalEntry]:
    """Return the world's journal as if it had taken months: some of its nights are long."""
    later, entries, last = 0, [], world.journal.entries[0].ts
    for entry in world.journal.entries:
        if entry.ts != last and chance.random() < 0.3:
            later += chance.choice([7_000, 20 * MINUTE_MS, 3 * HOUR_MS, DAY_MS, 40 * DAY_MS])
        last = entry.ts
        entries.append(replace(entry, ts=entry.ts + later))
    return entries


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), traits=st.sampled_from([NATIVE, PLAIN, NOTHING]))
def test_in_any_number_of_pieces_it_comes_to_the_same(sqlite: Book, seed: int, traits):
    chance = Random(seed)
    entries = aged(run(seed, traits, 25), chance)
    at_once, in_pieces = sqlite.account(), sqlite.account()
    sqlite.copy(entries, at_once)
    whole = Rows.of(sqlite.history(traits=traits), at_once.id, named="it")
    while entries:
        size = chance.randint(1, 60)
        sqlite.copy(entries[:size], in_pieces)
        entries = entries[size:]
        if chance.random() < 0.7:
            sqlite.history(traits=traits, piece=chance.randint(1, 40)).read_on(in_pieces.id)
    assert Rows.of(sqlite.history(traits=traits), in_pieces.id, named="it") == whole
    assert whole.fills or not whole.trades
    again = sqlite.history(traits=traits)
    again.make_again(at_once.id)
    assert Rows.of(again, at_once.id, named="it") == whole


@pytest.mark.parametrize("fee_in_base", [False, True], ids=["fee in quote", "fee in base"])
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_it_adds_up_to_the_ledger(sqlite: Book, fee_in_base: bool, seed: int):
    world = run(seed, PLAIN, 30, fee_in_base=fee_in_base)
    spec = sqlite.account()
    sqlite.copy(world.journal.entries, spec)
    history = sqlite.history(traits=PLAIN)
    rows, account = Rows.of(history, spec.id), world.account
    moved: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for fill in rows.fills:
        sign = 1 if fill.side == "buy" else -1
        moved["market", "BTC"] -= sign * fill.quantity
        moved["market", "USDT"] += sign * fill.quantity * fill.price
        moved["fees", fill.fee_asset] += fill.fee
    booked = {key: amount for key, amount in account.ledger.balances.items() if key[0] in ("market", "fees")}
    assert {key: amount for key, amount in moved.items() if amount} == booked

    filled: dict[str, Decimal] = defaultdict(Decimal)
    for fill in rows.fills:
        filled[fill.client_id] += fill.quantity
    known = {order.client_id: order for order in rows.orders}
    assert {name: order.filled for name, order in known.items() if order.filled} == dict(filled)
    for name, one in account.orders.items():
        assert (known[name].status, known[name].filled) == (one.life.value, one.filled)
    assert {name for name in known if not name.startswith("refused-")} == set(_placed(world.journal.entries))

    seat = account.seats[BOT]
    assert len(rows.trades) == seat.closed
    if not seat.bot.position and not fee_in_base:  # what a fee leaves as dust is held, and no trade's
        won = sum((trade.pnl for trade in rows.trades), Decimal(0))
        assert abs(won - (seat.state.cash - seat.spec.budget)) < Decimal("1e-18")
    last = {curve.bot: curve.equity[-1] for curve in rows.curves}
    assert last == {BOT: seat.state.equity(), WHOLE: worth(account)}
    free = account.ledger.balance("free", "USDT")
    assert last[WHOLE] == free + last[BOT]
    assert snapshot_of(replace(history.now(spec)[0].account, spec=account.spec)) == snapshot_of(_lean(account))


def _lean(account):
    for seat in account.seats.values():
        seat.state.trades.clear()
        seat.state.refused.clear()
    return account


def _placed(entries: list[JournalEntry]) -> Iterator[str]:
    for entry in entries:
        journaled: Journaled = from_text(Journaled, entry.body)
        for command in journaled.commands:
            match command:
                case Place(request):
                    yield request.client_id
                case PlacePair(_, stop, target):
                    yield from (stop.client_id, target.client_id)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_worth_is_kept_by_the_minute_the_hour_and_the_day(sqlite: Book, seed: int):
    entries = aged(run(seed, NATIVE, 30), Random(seed))
    spec = sqlite.account()
    sqlite.copy(entries, spec)
    now = -(-entries[-1].ts // MINUTE_MS) * MINUTE_MS
    for curve in Rows.of(sqlite.history(piece=50), spec.id).curves:
        assert list(curve.ts) == sorted(set(curve.ts))
        assert curve.ts[-1] == now
        for older, bucket in ((DAY_MS + HOUR_MS, HOUR_MS), (91 * DAY_MS, DAY_MS)):
            old = [-(-ts // bucket) for ts in curve.ts if ts <= now - older]
            assert len(old) == len(set(old))


# -- on both databases ------------------------------------------------------------------------------------------------


def test_two_at_once_count_nothing_twice(book: Book):
    entries = run(11, NATIVE, 60).journal.entries
    alone, shared = book.account(), book.account()
    for spec in (alone, shared):
        book.copy(entries, spec)
    expected = Rows.of(book.history(), alone.id, named="it")
    start, failed = Barrier(3), []

    def read() -> None:
        try:
            history = book.history(piece=7)
            start.wait()
            history.read_on(shared.id)
        except Exception as error:  # noqa: BLE001 - told below
            failed.append(error)

    threads = [Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert Rows.of(book.history(), shared.id, named="it") == expected
    assert [mark.behind for mark in book.history().read_on().marks(shared.id)] == [False]


def test_a_piece_that_does_not_follow_on_is_not_kept(book: Book):
    spec = book.account()
    book.copy(run(3, NATIVE, 20).journal.entries, spec)
    kept = book.history().read_on(spec.id)
    before = Rows.of(book.history(), spec.id)
    mark = kept.mark(spec.id)
    assert mark is not None
    for after in (0, mark[0] - 1, mark[0] + 1):
        piece = Piece(account=spec.id, user_id=1, after_seq=after, seq=after + 1, state="{}", orders=[before.orders[0]])
        assert not kept.keep(replace(piece, orders=[replace(before.orders[0], status="never")]))
    assert Rows.of(book.history(), spec.id) == before
    assert kept.mark(spec.id) == mark


def test_a_state_of_another_version_is_made_again(book: Book):
    spec = book.account()
    book.copy(run(5, NATIVE, 20).journal.entries, spec)
    expected = Rows.of(book.history(), spec.id)
    store = SqlPast(book.url)
    mark = store.mark(spec.id)
    assert mark is not None
    stale = Piece(account=spec.id, user_id=1, after_seq=mark[0], seq=mark[0], state='{"version": 0}')
    stale = replace(stale, orders=[replace(expected.orders[0], client_id="left over")])
    assert store.keep(stale)
    assert book.history().now(spec)[0].account.ledger.balances  # though nothing is new
    assert Rows.of(book.history(), spec.id) == expected
    assert store.keep(stale)
    assert book.history().known()[spec.id].seats
    assert store.keep(stale)
    book.copy([replace(world_entry, seq=mark[0] + 1) for world_entry in run(5, NATIVE, 20).journal.entries[2:3]], spec)
    found = Rows.of(book.history(), spec.id)
    assert found.orders == expected.orders
    assert found.trades == expected.trades


def test_pages_hold_everything_once_newest_first(book: Book):
    spec = book.account()
    book.copy(run(17, NATIVE, 60).journal.entries, spec)
    kept = book.history().read_on(spec.id)
    wanted = Wanted(account=spec.id)
    whole = kept.orders(wanted, 10_000)
    assert len(whole) > 10
    assert [one.changed_ms for one in whole] == sorted((one.changed_ms for one in whole), reverse=True)
    paged: list[PastOrder] = []
    after: At | None = None
    while page := kept.orders(wanted, 7, after):
        paged += page
        after = (page[-1].changed_ms, page[-1].account, page[-1].client_id)
    assert paged == whole
    fills: list[PastFill] = []
    after = None
    while some := kept.fills(wanted, 3, after):
        fills += some
        after = (some[-1].ts, some[-1].account, some[-1].seq)
    assert fills == kept.fills(wanted, 10_000)
    assert kept.order(spec.id, whole[0].client_id) == whole[0]
    filled = kept.orders(replace(wanted, statuses=(Life.FILLED.value,)), 10_000)
    assert filled == [one for one in whole if one.status == "filled"]


def test_a_user_sees_nothing_of_others(book: Book):
    mine, theirs = an_account(venue="simulated", user_id=41), an_account(venue="simulated", user_id=42)
    for spec in (mine, theirs):
        book.register.add_account(spec)
        book.copy(run(19, NATIVE, 60).journal.entries, spec)
    other = book.history(42).read_on()
    assert {one.account for one in other.fills(ALL, 500)} == {theirs.id}
    kept = book.history(41).read_on()
    for found in (kept.orders(ALL, 500), kept.fills(ALL, 500), kept.trades(ALL, None)):
        assert found
        assert {(one.account, one.user_id) for one in found} == {(mine.id, 41)}
    assert not kept.curves([(theirs.id, WHOLE), (theirs.id, BOT)])
    assert not kept.curves([(theirs.id, BOT)], since=1_700_000_500_000)
    assert kept.mark(theirs.id) is None
    kept.forget(theirs.id)
    assert other.trades(ALL, None)
    assert kept.marks(theirs.id) == []


def test_a_curve_begins_with_the_last_point_before_its_time(book: Book):
    spec = book.account()
    book.copy(run(23, NATIVE, 30).journal.entries, spec)
    kept = book.history().read_on(spec.id)
    (whole,) = kept.curves([(spec.id, WHOLE)])
    since = whole.ts[5] + 1
    (cut,) = kept.curves([(spec.id, WHOLE)], since=since, until=whole.ts[9])
    assert cut.ts == whole.ts[5:10]
    assert cut.equity == whole.equity[5:10]
    assert BTC.quote == cut.quote
