"""Statistics add up, and are measured as backtests are."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from tests.databases import sqlite_url
from tests.unit.usecases.dealing import ETH, START_MS, Dealer

from cambist.adapters.storage.register import SqlRegister
from cambist.domain.errors import NotFound
from cambist.domain.event import BotDeleted, Corrected
from cambist.domain.order import Side
from cambist.domain.past import Wanted
from cambist.domain.statistics import Performance
from cambist.domain.timeframe import DAY_MS, MINUTE_MS
from cambist.domain.wish import Enter, Fraction
from cambist.usecases.prices import Prices
from cambist.usecases.statistics import Statistics, thinned

ALL = Wanted()


@pytest.fixture
def dealer(tmp_path: Path) -> Iterator[Dealer]:
    found = Dealer(sqlite_url(tmp_path / "cambist.db"))
    yield found
    found.journal.close()


def statistics(dealer: Dealer) -> Statistics:
    history = dealer.history()
    return Statistics(SqlRegister(dealer.url, dealer.spec.user_id), history, Prices(history))


def whole(dealer: Dealer, wanted: Wanted = ALL, currency: str | None = None) -> Performance:
    (found,) = statistics(dealer).summary(wanted, currency).groups
    return found


def busy(dealer: Dealer) -> None:
    """Let two bots, a webhook's bot and a person trade, over three days."""
    dealer.add_bot("trend")
    dealer.add_bot("range", "rsi_reversion", ETH)
    dealer.add_bot("hooked", "webhook", webhook="h-1")
    for enter, leave in (("100", "110"), ("110", "99"), ("100", "104")):
        dealer.round_trip("trend", enter, leave)
        dealer.round_trip("hooked", enter, leave, fraction=0.2)
        dealer.round_trip("range", "10", "9.5")
        dealer.ts += DAY_MS
    dealer.order(Side.BUY, "2")
    dealer.look()
    dealer.look(BTC="120")
    dealer.order(Side.SELL, "1")
    dealer.look()


def test_the_whole_is_the_sum_of_its_parts(dealer: Dealer):
    busy(dealer)
    total = whole(dealer)
    for group in ("bot", "strategy", "source", "broker", "symbol"):
        parts = statistics(dealer).by(group, ALL).groups
        for figure in ("pnl", "realised", "fees", "trades", "open_positions"):
            assert sum(getattr(part, figure) for part in parts) == getattr(total, figure), (group, figure)
    names = {group: [one.name for one in statistics(dealer).by(group, ALL).groups] for group in ("source", "strategy")}
    assert names["source"] == ["manual", "strategy", "webhook:h-1"]
    assert names["strategy"] == ["ema_cross", "hand", "rsi_reversion", "webhook"]


def test_what_was_won_is_what_the_account_has_more(dealer: Dealer):
    busy(dealer)
    total = whole(dealer)
    balances = statistics(dealer).balance()
    assert total.capital == 10_000
    assert total.pnl == balances.total.balance[-1] - 10_000
    assert total.pnl == dealer.account.equity() - 3000 + dealer.account.ledger.balance("free", "USDT") - 7000 + 120
    days = statistics(dealer).daily(ALL).days
    assert sum(day.pnl for day in days) == total.pnl
    assert sum(day.realised for day in days) == total.realised
    assert sum(day.trades for day in days) == total.trades == 10
    assert days[0].day == datetime.fromtimestamp(START_MS / 1_000, UTC).date().isoformat()
    assert len(days) == 4


def test_what_a_bot_did_stays_told_after_it_is_deleted(dealer: Dealer):
    busy(dealer)
    dealer.look()
    before, parts = whole(dealer), statistics(dealer).by("bot", ALL).groups
    equity, worth = dealer.account.equity(), statistics(dealer).balance().total.balance[-1]
    dealer.take(BotDeleted(dealer.ts, "trend"))
    dealer.look()
    assert dealer.account.ledger.of("trend") == {}
    assert dealer.account.equity() == equity - dealer.account.seats["trend"].state.cash
    assert statistics(dealer).balance().total.balance[-1] == worth
    after = whole(dealer)
    assert (after.pnl, after.realised, after.fees, after.trades) == (
        before.pnl,
        before.realised,
        before.fees,
        before.trades,
    )
    shown = {one.name: (one.pnl, one.realised, one.capital) for one in statistics(dealer).by("bot", ALL).groups}
    assert shown == {one.name: (one.pnl, one.realised, one.capital) for one in parts}


def test_a_bot_s_figures_are_of_its_budget(dealer: Dealer):
    dealer.add_bot("trend", budget="1000")
    dealer.round_trip("trend", "100", "110", fraction=1.0)
    dealer.round_trip("trend", "110", "99", fraction=1.0)
    found = whole(dealer, Wanted(bot="trend"))
    figures = dict(found.figures)
    equity = dealer.account.seats["trend"].state.equity()
    assert found.capital == 1000
    assert found.pnl == found.realised == equity - 1000
    assert figures["total_return"] == pytest.approx(float(equity / 1000 - 1))
    assert figures["win_rate"] == 0.5
    assert figures["best_trade"] == pytest.approx(float(max(_pnls(dealer))))
    assert figures["worst_trade"] == pytest.approx(float(min(_pnls(dealer))))
    assert figures["expectancy"] == pytest.approx(float(found.realised / 2))
    peak = max(statistics_curve(dealer))
    assert figures["max_drawdown"] == pytest.approx(float(min(statistics_curve(dealer)[-3:]) / peak - 1))
    assert not {"buy_and_hold_return", "pnl", "fees"} & figures.keys()
    trades = dealer.history().read_on().trades(ALL, None)
    held = sum(one.exit_ts - one.entry_ts for one in trades)
    assert found.since is not None
    assert found.until is not None
    assert figures["exposure"] == pytest.approx(held / (found.until - found.since))


def _pnls(dealer: Dealer) -> list[Decimal]:
    return [one.pnl for one in dealer.history().read_on().trades(ALL, None)]


def statistics_curve(dealer: Dealer) -> tuple[Decimal, ...]:
    (curve,) = dealer.history().read_on().curves([(dealer.spec.id, "trend")])
    return curve.equity


def test_money_that_comes_in_is_no_gain(dealer: Dealer):
    dealer.add_bot("trend")
    dealer.round_trip("trend", "100", "110")
    before = whole(dealer)
    dealer.take(Corrected(dealer.ts, "USDT", Decimal(5_000), "a deposit"))
    dealer.add_bot("late", budget="3000")
    dealer.look()
    after = whole(dealer)
    assert (after.pnl, after.capital) == (before.pnl, before.capital)
    assert dict(after.figures)["total_return"] == pytest.approx(dict(before.figures)["total_return"])
    assert statistics(dealer).balance().total.balance[-1] == 15_000 + after.pnl


def test_by_hand_alone_there_is_no_return(dealer: Dealer):
    dealer.order(Side.BUY, "1")
    dealer.look()
    dealer.look(BTC="120")
    dealer.order(Side.SELL, "1")
    dealer.look()
    found = whole(dealer, Wanted(source="manual"))
    figures = dict(found.figures)
    assert found.capital is None
    assert found.pnl == found.realised == 20 - Decimal("0.22")
    assert (figures["win_rate"], figures["total_return"], figures["sharpe"]) == (1.0, None, None)
    assert whole(dealer).capital == 10_000


def test_a_time_begins_with_what_was_won_before_it(dealer: Dealer):
    dealer.add_bot("trend")
    dealer.round_trip("trend", "100", "110")
    middle = dealer.ts + MINUTE_MS // 2
    first = whole(dealer, Wanted(until=middle))
    dealer.round_trip("trend", "110", "121")
    second, both = whole(dealer, Wanted(since=middle)), whole(dealer)
    assert first.pnl + second.pnl == both.pnl
    assert (first.trades, second.trades) == (1, 1)
    assert second.capital == 10_000 + first.pnl


def test_a_position_that_is_held_counts_at_its_last_price(dealer: Dealer):
    dealer.add_bot("trend")
    dealer.wish("trend", Enter(side=Side.BUY, size=Fraction(0.5)))
    dealer.look()
    dealer.look(BTC="150")
    found = whole(dealer)
    assert found.trades == 0
    assert found.open_positions == 1
    assert found.pnl > 240
    assert found.realised == 0


def test_accounts_in_other_currencies_are_turned_at_known_rates(dealer: Dealer):
    dealer.add_bot("trend")
    dealer.round_trip("trend", "100", "110")
    other = Dealer(dealer.url, "euros", quote="EUR")
    other.add_bot("francs", symbol="BTC/EUR")
    other.round_trip("francs", "100", "90")
    dealer.look(BTC="100")
    other.look(BTC="80")  # so one EUR is 1.25 USDT, by way of BTC
    apart = {one.name: one for one in statistics(dealer).by("broker", ALL, "USDT").groups}
    francs = whole(dealer, Wanted(account="euros"))
    assert apart["euros"].pnl == francs.pnl * Decimal("1.25")
    found = statistics(dealer).summary(ALL, "USDT")
    assert found.groups[0].pnl == apart["main"].pnl + apart["euros"].pnl
    assert [(one.asset, one.price, one.source) for one in found.rates] == [("EUR", Decimal("1.25"), "journal")]
    dollars = statistics(dealer).summary(ALL, "USD")
    assert [(one.asset, one.source) for one in dollars.rates] == [("EUR", "journal+par"), ("USDT", "par")]
    nothing = statistics(dealer).summary(ALL, "XYZ")
    assert nothing.unconverted == ("EUR", "USDT")
    assert nothing.groups[0].pnl == 0
    balance = statistics(dealer).balance(currency="USDT")
    each = {one.account: one.balance[-1] for one in balance.accounts}
    assert balance.total.balance[-1] == each["main"] + each["euros"] * Decimal("1.25")


def test_where_nothing_has_happened_there_is_nothing(dealer: Dealer):
    found = whole(dealer)
    assert (found.trades, found.pnl, found.figures, found.capital) == (0, 0, (), 10_000)
    assert statistics(dealer).by("bot", ALL).groups == ()
    assert statistics(dealer).daily(ALL).days == ()
    with pytest.raises(NotFound, match="elsewhere"):
        statistics(dealer).summary(Wanted(account="elsewhere"))


def test_a_user_counts_only_their_own(dealer: Dealer):
    busy(dealer)
    other = Dealer(dealer.url, "theirs", user_id=2)
    other.add_bot("bot.2")
    other.round_trip("bot.2", "100", "120")
    assert whole(other).trades == 1
    assert [one.name for one in statistics(other).by("bot", ALL).groups] == ["bot.2"]
    assert whole(dealer).trades == 10
    with pytest.raises(NotFound):
        statistics(dealer).balance("theirs")


def test_a_thinned_curve_keeps_its_ends_and_its_extremes(dealer: Dealer):
    dealer.add_bot("trend")
    dealer.wish("trend", Enter(side=Side.BUY, size=Fraction(1.0)))
    for price in range(200):
        dealer.look(BTC=str(100 + (price * 37) % 101))
    full = statistics(dealer).balance().total
    cut = statistics(dealer).balance(points=20).total
    assert len(full.ts) > 190
    assert 10 <= len(cut.ts) <= 20
    assert (cut.ts[0], cut.ts[-1]) == (full.ts[0], full.ts[-1])
    assert {max(full.balance), min(full.balance)} <= set(cut.balance)
    assert set(zip(cut.ts, cut.balance, strict=True)) <= set(zip(full.ts, full.balance, strict=True))
    assert thinned(full, 1_000) == full
