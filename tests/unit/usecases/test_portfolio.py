"""What is held, where it is, and what it is worth: nothing is hidden for want of a price."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from tests.databases import sqlite_url
from tests.unit.usecases.dealing import BTC, Dealer

from cambist.adapters.storage.candles import ParquetLake
from cambist.adapters.storage.heartbeat_log import SqlHeartbeatLog
from cambist.adapters.storage.register import SqlRegister
from cambist.domain.broker import KeyRights, KeyTest
from cambist.domain.order import Side
from cambist.domain.report import Balance
from cambist.domain.timeframe import Timeframe
from cambist.domain.wish import Enter, Fraction
from cambist.market.synthetic import synthetic_market
from cambist.ports.heartbeat_log import SignalRow
from cambist.usecases.portfolio import Portfolio, portfolio
from cambist.usecases.positions import open_positions
from cambist.usecases.prices import Prices

HELD = {"USDT": "10000", "BTC": "2", "XYZ": "7"}


@pytest.fixture
def dealer(tmp_path: Path) -> Iterator[Dealer]:
    found = Dealer(sqlite_url(tmp_path / "cambist.db"), held=HELD)
    yield found
    found.journal.close()


def held(dealer: Dealer, *, currency: str | None = None, live: dict[str, KeyTest] | None = None) -> Portfolio:
    history = dealer.history()
    register = SqlRegister(dealer.url, dealer.spec.user_id)
    return portfolio(register, history, Prices(history), currency=currency, live=live or {})


def test_what_is_held_is_free_or_in_orders_or_in_bots(dealer: Dealer):
    dealer.add_bot("trend")
    dealer.wish("trend", Enter(side=Side.BUY, size=Fraction(0.5)))
    dealer.order(Side.BUY, "3", limit="90")
    dealer.order(Side.SELL, "0.5", limit="150")
    dealer.look(BTC="100")
    found = {one.asset: one for one in held(dealer).assets}
    bought = dealer.account.seats["trend"].bot.position.quantity
    assert found["BTC"].total == 2 + bought
    assert (found["BTC"].in_bots, found["BTC"].in_orders, found["BTC"].free) == (bought, Decimal("0.5"), Decimal("1.5"))
    usdt = found["USDT"]
    assert usdt.in_bots == dealer.account.ledger.balance("trend", "USDT")
    assert usdt.in_orders == 3 * 90 * Decimal("1.001")
    assert usdt.free + usdt.in_orders == 9_000
    assert {asset: one.total for asset, one in found.items()} == dealer.account.ledger.holdings()


def test_what_has_no_price_is_listed_and_in_no_sum(dealer: Dealer):
    found = held(dealer)
    (account,) = found.accounts
    assert found.unpriced == account.unpriced == ("XYZ",)
    assert [one.asset for one in account.holdings] == ["USDT", "BTC", "XYZ"]
    assert account.holdings[-1].worth is None
    assert found.worth == account.value == 10_000 + 2 * 100
    price = account.holdings[1].price
    assert price is not None
    assert (price.price, price.source, price.ts) == (Decimal(100), "journal", dealer.ts)


def test_prices_come_from_whoever_saw_them_last(dealer: Dealer, tmp_path: Path):
    log, lake = SqlHeartbeatLog(dealer.url), ParquetLake(tmp_path / "lake")
    history = dealer.history()
    rates = Prices(history, log, lake)
    assert rates(("BTC",), "USDT")["BTC"].source == "journal"
    log.record([_signal("BTC/USDT", "111", dealer.ts + 60_000), _signal("USDT/EUR", "0.8", dealer.ts)])
    found = rates(("BTC", "XYZ"), "EUR")
    assert (found["BTC"].price, found["BTC"].source) == (Decimal("88.8"), "heartbeat")
    assert "XYZ" not in found
    candles = synthetic_market(("XYZ/USDT",), start_ms=dealer.ts, count=50, timeframe="1h", seed=3)["XYZ/USDT"]
    lake.append(candles)
    priced = rates(("XYZ",), "USDT")["XYZ"]
    assert (priced.price, priced.source) == (Decimal(repr(float(candles.close[-1]))), "candles")
    assert priced.ts == candles.timeframe.close_of(int(candles.ts[-1]))
    assert rates(("USDC",), "USD")["USDC"].source == "par"
    asked = []

    def tickers(symbols):
        asked.extend(symbols)
        return {"ABC/USDT": (Decimal(7), 5)}

    assert Prices(history, log, lake, tickers)(("ABC",), "USDT")["ABC"].price == 7
    assert "ABC/USDT" in asked


def _signal(symbol: str, close: str, close_ms: int) -> SignalRow:
    price = Decimal(close)
    return SignalRow(
        received_ms=close_ms,
        candle_ms=close_ms - 60_000,
        close_ms=close_ms,
        timeframe=Timeframe.M1,
        symbol=symbol,
        venue="binance",
        source="primary",
        repaired=False,
        signal_id=f"1m_{close_ms}",
        open=price,
        high=price,
        low=price,
        close=price,
        volume=price,
    )


def test_what_the_venue_says_is_shown_where_it_differs(dealer: Dealer):
    balances = {
        "USDT": Balance("USDT", Decimal(10_000), Decimal(0)),
        "BTC": Balance("BTC", Decimal("1.5"), Decimal(0)),
        "XYZ": Balance("XYZ", Decimal(7), Decimal(0)),
        "NEW": Balance("NEW", Decimal(1), Decimal(0)),
    }
    live = KeyTest(
        rights=KeyRights(),
        balances=balances,
        quote="USDT",
        values={"XYZ": Decimal(14)},
        latency_ms=1,
        clock_ahead_ms=0,
    )
    (account,) = held(dealer, live={"main": live}).accounts
    assert account.differences is not None
    assert [(one.asset, one.expected, one.found) for one in account.differences] == [
        ("BTC", Decimal(2), Decimal("1.5")),
        ("NEW", Decimal(0), Decimal(1)),
    ]
    assert account.unpriced == ()
    xyz = next(one for one in account.holdings if one.asset == "XYZ")
    assert xyz.price is not None
    assert (xyz.worth, xyz.price.source) == (Decimal(14), "venue")
    assert held(dealer).accounts[0].differences is None


def test_all_accounts_together_in_one_currency(dealer: Dealer):
    other = Dealer(dealer.url, "euros", quote="EUR", held={"EUR": "500", "BTC": "1"})
    dealer.look(BTC="100")
    other.look(BTC="80")
    found = held(dealer, currency="EUR")
    assert [one.account for one in found.accounts] == ["euros", "main"]
    assert found.accounts[0].worth == 580
    assert found.accounts[1].value == 10_200
    assert found.worth == 580 + 10_000 * Decimal("0.8") + 160
    assert next(one for one in found.assets if one.asset == "BTC").total == 3


def test_open_positions_are_those_of_bots_and_what_was_bought_by_hand(dealer: Dealer):
    dealer.add_bot("trend")
    dealer.wish("trend", Enter(side=Side.BUY, size=Fraction(0.5), stop_loss=0.1))
    dealer.look()
    dealer.order(Side.BUY, "1")
    dealer.look()
    dealer.look(BTC="104")
    register = SqlRegister(dealer.url, 1)
    trend, hand = open_positions(register, dealer.history())
    assert (trend.bot, trend.source, trend.side, trend.protection) == ("trend", "strategy", "long", "native")
    assert trend.stop_loss == Decimal("90")
    assert trend.unrealised == 4 * trend.quantity
    assert (hand.bot, hand.source, hand.protection) == ("hand:BTC/USDT", "manual", "none_wanted")
    assert (hand.quantity, hand.entry_price, hand.unrealised) == (Decimal(1), Decimal(100), Decimal(4))
    assert open_positions(register, dealer.history(), bot="trend") == [trend]
    assert open_positions(register, dealer.history(), symbol="ETH/USDT") == []
    assert open_positions(SqlRegister(dealer.url, 2), dealer.history()) == []
    assert hand.symbol == BTC
