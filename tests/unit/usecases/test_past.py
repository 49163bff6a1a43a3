"""What is kept of orders by hand, of webhooks' bots, and of what came to nothing."""

import asyncio
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from tests.contract.book import an_account
from tests.databases import sqlite_url
from tests.unit.usecases.dealing import BTC, ETH, TRAITS, Dealer, book_of

from cambist.adapters.storage.past import SqlPast
from cambist.adapters.storage.register import SqlRegister
from cambist.domain.account import BotStatus
from cambist.domain.errors import StorageFailed
from cambist.domain.event import BotChanged, Wished
from cambist.domain.order import Side
from cambist.domain.past import WHOLE, Wanted
from cambist.domain.wish import Enter, Fraction, Quantity
from cambist.engine.account import Account
from cambist.engine.recovery import recover
from cambist.market.matching import Costs
from cambist.ports.book import JournalEntry
from cambist.usecases.past import keep_reading
from cambist.usecases.past_state import Reading, worth

ALL = Wanted()


@pytest.fixture
def dealer(tmp_path: Path) -> Iterator[Dealer]:
    found = Dealer(sqlite_url(tmp_path / "cambist.db"))
    yield found
    found.journal.close()


def test_a_sale_by_hand_wins_what_it_brings_over_the_average_cost(dealer: Dealer):
    dealer.order(Side.BUY, "1")
    dealer.look()  # at 100
    dealer.look(BTC="120")
    dealer.order(Side.BUY, "1")
    dealer.look()
    dealer.look(BTC="150")
    name = dealer.order(Side.SELL, "0.5")
    dealer.look()
    (trade,) = dealer.history().read_on().trades(ALL, None)
    assert (trade.source, trade.reason, trade.bot, trade.side) == ("manual", "manual", "hand:BTC/USDT", "long")
    assert (trade.entry_price, trade.exit_price, trade.quantity) == (Decimal(110), Decimal(150), Decimal("0.5"))
    fees = Decimal("0.22") / 4 + Decimal("0.075")  # a quarter of what was paid on 100 and 120, and of its own 75
    assert trade.fees == fees
    assert trade.pnl == Decimal("0.5") * 40 - fees
    order = dealer.history().read_on().order(dealer.spec.id, name)
    assert (order.source, order.role, order.status, order.average) == ("manual", "signal", "filled", Decimal(150))


def test_an_amendment_that_was_refused_is_no_order(dealer: Dealer):
    name = dealer.order(Side.BUY, "1", limit="90")
    dealer.look()
    dealer.amend(name, "1000000", "90")
    (order,) = dealer.history().read_on().orders(ALL, 10)
    assert (order.client_id, order.quantity, order.status) == (name, Decimal(1), "open")


def test_what_is_sold_beyond_what_was_bought_has_no_known_cost(tmp_path: Path):
    dealer = Dealer(sqlite_url(tmp_path / "cambist.db"), held={"USDT": "1000", "BTC": "3"})
    dealer.order(Side.BUY, "1")
    dealer.look()
    dealer.look(BTC="200")
    dealer.order(Side.SELL, "4")
    dealer.look()
    (trade,) = dealer.history().read_on().trades(ALL, None)
    assert trade.quantity == 1
    assert trade.pnl == 100 - Decimal("0.1") - Decimal("0.2")  # of the sale's fee of 0.8, the quarter that is its own


def test_one_order_by_hand_is_one_trade_however_many_fills(tmp_path: Path):
    costs = Costs(slippage_bps=0, volume_share=0.5)
    dealer = Dealer(sqlite_url(tmp_path / "cambist.db"), costs=costs)
    dealer.order(Side.BUY, "2")
    dealer.look()
    name = dealer.order(Side.SELL, "2", limit="110")
    history = dealer.history()
    for part in range(1, 5):  # each trade of the market leaves a part to us
        dealer.ts += 1_000
        dealer.exchange.trade(BTC, dealer.ts, 110.0 + part, 1.0)
        dealer._answer()
        history.read_on()
    kept = history.read_on()
    fills = kept.fills(ALL, 10, client_id=name)
    assert len(fills) == 4
    (trade,) = kept.trades(ALL, None)
    assert (trade.quantity, trade.exit_ts) == (Decimal(2), fills[0].ts)
    proceeds = sum((one.quantity * one.price for one in fills), Decimal(0))
    fees = sum((one.fee for one in fills), Decimal(0))
    assert trade.exit_price == proceeds / 2
    assert trade.pnl == proceeds - 200 - fees - Decimal("0.2")
    assert trade.seq == fills[-1].seq


def test_what_was_won_by_hand_is_its_seat_s_curve(dealer: Dealer):
    dealer.order(Side.BUY, "1")
    dealer.look()
    dealer.look(BTC="130")
    kept = dealer.history().read_on()
    (curve, whole) = kept.curves([(dealer.spec.id, WHOLE), (dealer.spec.id, "hand:BTC/USDT")])[::-1]
    assert curve.bot == "hand:BTC/USDT"
    assert curve.equity[-1] == 30 - Decimal("0.1")
    assert whole.equity[-1] == 10_000 + 30 - Decimal("0.1")


def test_worth_counts_what_is_free_at_prices_that_are_known(tmp_path: Path):
    dealer = Dealer(sqlite_url(tmp_path / "cambist.db"), held={"USDT": "1000", "BTC": "2", "XYZ": "5"})
    dealer.add_bot("trend", budget="400")
    dealer.look(BTC="90")
    assert worth(dealer.account) == 1000 + 2 * 90
    (curve,) = dealer.history().read_on().curves([(dealer.spec.id, WHOLE)])
    assert curve.equity[-1] == 1180


def test_who_decides_is_the_source(dealer: Dealer):
    dealer.add_bot("trend")
    dealer.add_bot("hooked", "webhook", ETH, webhook="h-7")
    dealer.round_trip("trend", "100", "110")
    dealer.take(Wished(dealer.ts, 77, "hooked", 10.0, (Enter(side=Side.BUY, size=Quantity(Decimal(5))),)))
    dealer.look()
    dealer.order(Side.BUY, "1")
    dealer.look()
    kept = dealer.history().read_on()
    sources = {one.bot: one.source for one in kept.orders(ALL, 50)}
    assert sources == {"trend": "strategy", "hooked": "webhook:h-7", "hand:BTC/USDT": "manual"}
    for source, bots in (("webhook", {"hooked"}), ("webhook:h-7", {"hooked"}), ("manual", {"hand:BTC/USDT"})):
        assert {one.bot for one in kept.fills(Wanted(source=source), 50)} == bots
    assert [one.pnl > 0 for one in kept.trades(Wanted(bot="trend"), 50)] == [True]
    assert kept.trades(Wanted(bot="hooked"), 50) == []


def test_every_attempt_is_kept(dealer: Dealer):
    dealer.add_bot("trend")
    dealer.wish("trend", Enter(side=Side.SELL, size=Fraction(0.5)))  # nobody is short on a spot market
    dealer.wish("trend", Enter(side=Side.BUY, size=Quantity(Decimal("0.01")), limit=99.5))  # worth too little
    dealer.take(BotChanged(dealer.ts, "trend", BotStatus.SUSPENDED))
    dealer.wish("trend", Enter(side=Side.BUY, size=Fraction(0.5)))
    dealer.order(Side.SELL, "3", limit="120")  # there is nothing to sell
    dealer.order(Side.BUY, "0.01")
    refused = dealer.history().read_on().orders(Wanted(statuses=("refused",)), 50)
    told = [(one.reason, one.source, one.side, one.type, one.quantity, one.price) for one in reversed(refused)]
    assert told == [
        ("short_on_spot", "strategy", "sell", "market", Decimal(0), None),
        ("below_min_notional", "strategy", "buy", "limit", Decimal("0.01"), Decimal("99.5")),
        ("not_running", "strategy", "buy", "market", Decimal(0), None),
        ("no_holding", "manual", "sell", "limit", Decimal(3), Decimal(120)),
        ("below_min_notional", "manual", "buy", "market", Decimal("0.01"), None),
    ]


def test_orders_by_hand_are_followed_to_their_ends(dealer: Dealer):
    first = dealer.order(Side.BUY, "1", limit="90")
    second = dealer.order(Side.BUY, "1", limit="80")
    dealer.look()
    dealer.amend(second, "2", "85")
    dealer.cancel(first)
    kept = dealer.history().read_on()
    assert kept.order(dealer.spec.id, first).status == "cancelled"
    assert kept.order(dealer.spec.id, second).status == "cancelled"
    (working,) = kept.orders(Wanted(statuses=("open",)), 50)
    assert (working.quantity, working.price, working.source) == (Decimal(2), Decimal(85), "manual")


def test_what_is_read_is_where_the_engine_would_start(dealer: Dealer):
    dealer.add_bot("trend")
    dealer.round_trip("trend", "100", "110")
    dealer.order(Side.BUY, "1")
    dealer.look()
    found = dealer.history().now(dealer.spec)[0].account
    started = recover(Account(dealer.spec, TRAITS), dealer.journal).account
    assert found.ledger == started.ledger
    assert found.orders == started.orders
    assert found.prices == started.prices


def test_an_account_that_nothing_happened_to_is_empty(tmp_path: Path):
    dealer = Dealer(sqlite_url(tmp_path / "cambist.db"))
    history = dealer.history()
    other = Dealer(dealer.url, "other", user_id=2)
    assert history.read_on().trades(ALL, None) == []
    assert SqlRegister(dealer.url, 1).accounts() == [dealer.spec]
    assert history.now(other.spec)[0].account.ledger.balances == {}  # another's journal is not read for user 1


def test_what_is_made_of_an_account_is_kept_until_its_journal_goes_on(dealer: Dealer):
    history, looked = dealer.history(), []

    def look(reading: Reading, seq: int) -> int:
        looked.append(seq)
        assert reading.account.now_ms == dealer.ts
        return seq

    assert history.seen([dealer.spec], look) == history.seen([dealer.spec], look) == [dealer.seq]
    dealer.look()
    assert not history.is_read()
    assert history.seen([dealer.spec], look) == [dealer.seq]
    dealer.look()
    dealer.history().read_on()  # by somebody else: the state is not known here yet
    assert not history.is_read()
    assert history.seen([dealer.spec], look) == [dealer.seq]
    assert history.is_read()
    assert looked == [dealer.seq - 2, dealer.seq - 1, dealer.seq]


def test_a_journal_of_an_earlier_version_is_read(tmp_path: Path):
    """Written when there were no orders by hand: one bot, six trades, and what its ledger said then."""
    dealer = Dealer(sqlite_url(tmp_path / "cambist.db"))
    spec = an_account(venue="simulated")
    SqlRegister(dealer.url).add_account(spec)
    lines = (Path(__file__).parent / "journal_before_hand.jsonl").read_text(encoding="utf-8").splitlines()
    dealer.journal.append([JournalEntry(account=spec.id, **json.loads(line)) for line in lines])
    wanted = Wanted(account=spec.id)
    kept = dealer.history().read_on(spec.id)
    trades = kept.trades(wanted, None)
    assert [trade.pnl for trade in trades[::-1]][::5] == [Decimal("-394221.6632063678"), Decimal("-317475.3108634358")]
    assert len(trades) == 6
    assert sum(fill.fee for fill in kept.fills(wanted, 500)) == Decimal("1198564.2382951771")
    (curve,) = kept.curves([(spec.id, WHOLE)])
    assert curve.equity[-1] == Decimal("997759295.5962317229")
    assert {order.source for order in kept.orders(wanted, 500)} == {"strategy"}


def test_an_entry_that_cannot_be_read_is_named_and_holds_up_no_other_account(dealer: Dealer):
    other = Dealer(dealer.url, "other")
    entry = JournalEntry(account=dealer.spec.id, seq=dealer.seq + 1, ts=dealer.ts, kind="X", body='{"event":{"_":"X"}}')
    dealer.journal.append([entry])
    with pytest.raises(StorageFailed, match=f"{entry.seq}.*{dealer.spec.id}"):
        dealer.history().read_on()
    (mark,) = other.history().read_on("other").marks("other")
    assert (mark.seq, mark.behind) == (other.seq, False)


def test_somebody_reads_on_in_the_background(dealer: Dealer):
    dealer.add_bot("trend")
    dealer.round_trip("trend", "100", "110")
    store, clock = SqlPast(dealer.url), Pausing()

    async def read() -> None:
        await keep_reading(book_of(dealer.url), clock)

    with pytest.raises(Pausing.Slept):
        asyncio.run(read())
    assert [mark.behind for mark in store.marks()] == [False]
    assert len(store.trades(ALL, None)) == 1


class Pausing:
    """A clock that ends whoever sleeps by it."""

    class Slept(Exception):
        pass

    def now_ms(self) -> int:
        return 0

    async def sleep(self, seconds: float) -> None:
        raise self.Slept
