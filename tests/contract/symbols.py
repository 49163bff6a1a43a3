"""What every store of `Symbols` keeps to: an adapter's test inherits `SymbolsContract` and gives ``symbols``."""

from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cambist.domain.instrument import Kind
from cambist.domain.market import ListedExchange, Listing
from cambist.ports.symbols import SymbolQuery, Symbols

_numbers = count(1)


def listing(exchange: str, symbol: str, **other: Any) -> Listing:
    """Return a listing that is usual but for ``other``."""
    base, quote = symbol.split(":", 1)[0].split("/")
    usual: dict[str, Any] = {
        "exchange": exchange,
        "testnet": False,
        "symbol": symbol,
        "base": base,
        "quote": quote,
        "kind": Kind.PERPETUAL if ":" in symbol else Kind.SPOT,
        "active": True,
        "tick_size": Decimal("0.010"),
        "lot_step": Decimal("1E-8"),
        "min_quantity": Decimal(0),
        "min_notional": Decimal("5"),
    }
    return Listing(**usual | other)


NAMES = (
    "BTC/USDT", "BTC/USDC", "BTC/USDT:USDT", "ETH/USDT", "ETH/BTC", "WBTC/USDT", "WBTC/BTC", "BTCDOM/USDT",
    "1000CHEEMS/USDT", "A_B/USDT", "AXB/USDT", "50%/USDT", "DOGE/EUR",
)  # fmt: skip


class SymbolsContract:
    @pytest.fixture
    def exchange(self) -> str:
        """Return an exchange of which nothing is known."""
        return f"exchange{next(_numbers)}"

    @pytest.fixture
    def filled(self, symbols: Symbols, exchange: str) -> Symbols:
        symbols.replace(exchange, False, [listing(exchange, name) for name in NAMES], 1_000)
        return symbols

    def names(self, symbols: Symbols, query: SymbolQuery, limit: int = 100) -> list[str]:
        return [one.listing.symbol for one in symbols.search(query, limit)]

    def test_no_digit_of_a_listing_is_lost(self, symbols, exchange):
        one = listing(exchange, "BTC/USDT", tick_size=Decimal("0.000000000100"), active=False)
        symbols.replace(exchange, False, [one], 5)
        (found,) = symbols.search(SymbolQuery(exchange=exchange, active=None), 10)
        assert repr(found.listing) == repr(one)

    def test_without_a_text_all_active_ones_come_by_symbol(self, symbols, exchange):
        rows = [listing(exchange, name, active=name != "ETH/BTC") for name in NAMES]
        symbols.replace(exchange, False, rows, 5)
        assert self.names(symbols, SymbolQuery(exchange=exchange)) == sorted(set(NAMES) - {"ETH/BTC"})
        assert self.names(symbols, SymbolQuery(exchange=exchange, active=False)) == ["ETH/BTC"]
        assert self.names(symbols, SymbolQuery(exchange=exchange, active=None)) == sorted(NAMES)

    def test_the_best_fit_comes_first(self, filled, exchange):
        assert self.names(filled, SymbolQuery(exchange=exchange, text="btc")) == [
            "BTC/USDC", "BTC/USDT", "BTC/USDT:USDT",  # the base itself
            "BTCDOM/USDT",  # begins so
            "ETH/BTC", "WBTC/BTC", "WBTC/USDT",  # contains it
        ]  # fmt: skip
        for text in ("btcusdt", "BTC/USDT", "btc-usdt", " Btc Usdt "):
            assert self.names(filled, SymbolQuery(exchange=exchange, text=text))[:2] == ["BTC/USDT", "BTC/USDT:USDT"]
        assert self.names(filled, SymbolQuery(exchange=exchange, text="nothing")) == []

    def test_signs_that_mean_something_to_a_database_mean_nothing(self, filled, exchange):
        assert self.names(filled, SymbolQuery(exchange=exchange, text="50%")) == ["50%/USDT"]
        assert self.names(filled, SymbolQuery(exchange=exchange, text="%")) == ["50%/USDT"]
        assert self.names(filled, SymbolQuery(exchange=exchange, text="' or 1=1 --")) == []

    def test_quote_and_kind_narrow_the_search(self, filled, exchange):
        assert self.names(filled, SymbolQuery(exchange=exchange, text="btc", quote="USDC")) == ["BTC/USDC"]
        assert self.names(filled, SymbolQuery(exchange=exchange, kind=Kind.PERPETUAL)) == ["BTC/USDT:USDT"]
        assert filled.quotes(exchange) == {"USDT": 9, "BTC": 2, "EUR": 1, "USDC": 1}
        assert list(filled.quotes(exchange)) == ["USDT", "BTC", "EUR", "USDC"]

    @settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(text=st.sampled_from(["", "b", "btc", "usdt", "e", "zzz"]), size=st.integers(1, 5))
    def test_pages_put_together_are_the_whole_each_once(self, filled, exchange, text, size):
        query = SymbolQuery(exchange=exchange, text=text)
        whole = filled.search(query, 100)
        pages, after = [], None
        while page := filled.search(query, size, after):
            assert len(page) <= size
            pages += page
            after = (page[-1].rank, page[-1].listing.symbol)
        assert pages == whole

    def test_what_is_refreshed_replaces_what_was_and_nothing_else(self, symbols, exchange):
        other = f"{exchange}x"
        for name, testnet in ((exchange, False), (exchange, True), (other, False)):
            symbols.replace(name, testnet, [listing(name, "OLD/USDT", testnet=testnet)], 1)
        symbols.replace(exchange, False, [listing(exchange, "NEW/USDT"), listing(exchange, "NEWER/USDT")], 2)
        assert self.names(symbols, SymbolQuery(exchange=exchange)) == ["NEW/USDT", "NEWER/USDT"]
        assert self.names(symbols, SymbolQuery(exchange=exchange, testnet=True)) == ["OLD/USDT"]
        assert self.names(symbols, SymbolQuery(exchange=other)) == ["OLD/USDT"]
        assert [one for one in symbols.listed() if one.exchange in (exchange, other)] == [
            ListedExchange(exchange=exchange, testnet=False, refreshed_ms=2, count=2),
            ListedExchange(exchange=exchange, testnet=True, refreshed_ms=1, count=1),
            ListedExchange(exchange=other, testnet=False, refreshed_ms=1, count=1),
        ]
        symbols.replace(exchange, False, [], 3)
        assert self.names(symbols, SymbolQuery(exchange=exchange)) == []

    def test_a_refresh_that_fails_leaves_what_was(self, symbols, exchange):
        symbols.replace(exchange, False, [listing(exchange, "OLD/USDT")], 1)
        broken = [listing(exchange, "NEW/USDT"), listing(exchange, "NEW/USDT")]  # one symbol twice
        with pytest.raises(Exception, match=r"."):
            symbols.replace(exchange, False, broken, 2)
        assert self.names(symbols, SymbolQuery(exchange=exchange)) == ["OLD/USDT"]
        assert [one.refreshed_ms for one in symbols.listed() if one.exchange == exchange] == [1]
