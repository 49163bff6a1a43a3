"""What our adapter of all exchanges shows: the catalogue, listings, tickers, books, and what a key opens."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.unit.ccxt.box import Box, box, furnish, gateway_to
from tests.unit.ccxt.exchange_boxes import GOOD, LOOSE, SYMBOLS, binance, exchanges_at, kraken
from tests.unit.simulators.krakens import SECRET as KRAKEN_SECRET

from cambist.adapters.venues.ccxt import catalogue, keys
from cambist.adapters.venues.ccxt.exchanges import CcxtExchanges
from cambist.adapters.venues.ccxt.gateway import Gateway
from cambist.adapters.venues.ccxt.lazy import exchange_class, venues
from cambist.adapters.venues.ccxt.quirks import QUIRKS, TryOut
from cambist.domain.broker import KeyTest, Right
from cambist.domain.credentials import Credentials
from cambist.domain.errors import BadInput, CambistError, NotFound, StorageFailed, VenueRefused, VenueUnavailable
from cambist.domain.instrument import Kind
from cambist.simulators.binance import ExchangeServer
from cambist.simulators.faults import Fault
from cambist.simulators.faults import Kind as FaultKind

D = Decimal
YES, NO, UNKNOWN = Right.YES, Right.NO, Right.UNKNOWN


def before_binance(
    body: Callable[[ExchangeServer, CcxtExchanges], Awaitable[None]], folder: Path, **settings: Any
) -> None:
    async def run() -> None:
        async with (
            binance(**settings) as server,
            exchanges_at(server.url, folder, now_ms=server.clock.now_ms) as exchanges,
        ):
            await body(server, exchanges)

    asyncio.run(run())


# -- the catalogue ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


def test_every_exchange_of_ccxt_has_a_card(folder):
    cards = {card.id: card for card in catalogue.cards(folder)}
    assert set(cards) == venues()
    assert {card.id for card in cards.values() if card.tradable} == set(QUIRKS)
    assert {card.id for card in cards.values() if card.testnet} == {
        row.id for row in QUIRKS.values() if row.testnet is not TryOut.NONE
    }
    assert cards["okx"].needs == ("api_key", "secret", "password")
    assert cards["kraken"].testnet is False
    assert all(card.sandbox for card in cards.values() if card.testnet)
    assert set(cards["hyperliquid"].needs) == {"walletAddress", "privateKey"}
    described = exchange_class("bybit", "ccxt.pro")()
    assert (cards["bybit"].name, dict(cards["bybit"].has)) == (described.name, described.has)
    assert cards["binance"].timeframes[0] == "1s"


def test_the_catalogue_is_found_out_once_and_read_from_its_file_afterwards(folder, monkeypatch):
    first = catalogue.cards(folder)
    monkeypatch.setattr(sys, "executable", "/there/is/no/such/program")
    assert catalogue.cards(folder) == first
    for file in folder.iterdir():
        file.write_text('[{"id": "bin', encoding="utf-8")
    with pytest.raises(StorageFailed, match="no/such/program"):
        catalogue.cards(folder)


# -- keys -------------------------------------------------------------------------------------------------------------


def test_a_good_key_shows_balances_rights_worth_and_time(folder):
    async def body(server: ExchangeServer, exchanges: CcxtExchanges) -> None:
        test = await exchanges.test_key("binance", GOOD, testnet=False, quote="USDT")
        assert {asset: one.total for asset, one in test.balances.items()} == {
            "USDT": D("1000.5"), "BTC": D("0.25"), "PEPE": D(7),
        }  # fmt: skip
        price = server.market.last(server.market.lines["BTCUSDT"])
        assert price is not None
        assert test.values == {"USDT": D("1000.5"), "BTC": D("0.25") * price.price}
        assert test.worth == D("1000.5") + D("0.25") * price.price
        assert test.unpriced == ("PEPE",)
        assert (test.rights.read, test.rights.trade, test.rights.withdraw) == (YES, YES, NO)
        assert test.rights.address_bound is NO
        assert test.clock_ahead_ms == 0
        assert test.latency_ms >= 0

    before_binance(body, folder)


def test_a_key_that_may_withdraw_is_known_for_it(folder):
    async def body(server: ExchangeServer, exchanges: CcxtExchanges) -> None:
        given = Credentials(api_key=LOOSE.key, secret=LOOSE.secret)
        test = await exchanges.test_key("binance", given, testnet=False, quote="USDT")
        assert test.rights.withdraw is YES

    before_binance(body, folder)


def test_a_kraken_key_tells_its_rights(folder):
    async def run() -> None:
        async with kraken() as server, exchanges_at(server.url, folder, now_ms=server.clock.now_ms) as exchanges:
            for key, withdraws in (("goodkey", NO), ("loosekey", YES)):
                given = Credentials(api_key=key, secret=KRAKEN_SECRET)
                test = await exchanges.test_key("kraken", given, testnet=False, quote="USD")
                assert (test.rights.trade, test.rights.withdraw, test.rights.expires_ms) == (YES, withdraws, None)
                assert test.balances["BTC"].total == 2
                assert test.values.keys() == {"USD", "BTC"}
            with pytest.raises(BadInput) as wrong:
                await exchanges.test_key(
                    "kraken", Credentials(api_key="nokey", secret=KRAKEN_SECRET), testnet=False, quote="USD"
                )
            assert (wrong.value.field, wrong.value.key) == ("api_key", "brokers.wrong_key")
            with pytest.raises(BadInput) as wrong:
                await exchanges.test_key(
                    "kraken", Credentials(api_key="goodkey", secret="b3RoZXI="), testnet=False, quote="USD"
                )
            assert (wrong.value.field, wrong.value.key) == ("secret", "brokers.wrong_secret")

    asyncio.run(run())


@pytest.mark.parametrize(
    ("given", "field", "key"),
    [
        (Credentials(api_key="nobodyskey", secret="goodsecret"), "api_key", "brokers.key_or_address"),
        (Credentials(api_key="not a key", secret="goodsecret"), "api_key", "brokers.wrong_key"),
        (Credentials(api_key="goodkey", secret="anothersecret"), "secret", "brokers.wrong_secret"),
    ],
)
def test_a_wrong_key_is_told_with_what_to_do_and_without_any_part_of_it(folder, given, field, key):
    async def body(server: ExchangeServer, exchanges: CcxtExchanges) -> None:
        with pytest.raises(BadInput) as wrong:
            await exchanges.test_key("binance", given, testnet=False, quote="USDT")
        assert (wrong.value.field, wrong.value.key) == (field, key)
        told = f"{wrong.value!s} {wrong.value!r} {wrong.value.params}"
        assert given.api_key not in told
        assert given.secret not in told

    before_binance(body, folder)


def test_a_wrong_clock_is_not_the_fault_of_the_key(folder):
    async def body(server: ExchangeServer, exchanges: CcxtExchanges) -> None:
        server.faults = [Fault(kind=FaultKind.SKEW, path="*/account", times=0, seconds=90)]
        with pytest.raises(VenueRefused) as wrong:
            await exchanges.test_key("binance", GOOD, testnet=False, quote="USDT")
        assert wrong.value.key == "brokers.clock"

    before_binance(body, folder)


def test_whether_a_key_may_withdraw_does_not_stay_open_for_a_lost_answer(folder):
    async def body(server: ExchangeServer, exchanges: CcxtExchanges) -> None:
        server.faults = [Fault(kind=FaultKind.STATUS, path="*apiRestrictions", status=503)]
        with pytest.raises(VenueUnavailable):
            await exchanges.test_key("binance", GOOD, testnet=False, quote="USDT")

    before_binance(body, folder)


def test_an_exchange_that_knows_no_such_question_leaves_it_open(folder):
    async def body(server: ExchangeServer, exchanges: CcxtExchanges) -> None:
        server.faults = [Fault(kind=FaultKind.STATUS, path="*apiRestrictions", status=403)]
        test = await exchanges.test_key("binance", GOOD, testnet=False, quote="USDT")
        assert (test.rights.read, test.rights.withdraw) == (YES, UNKNOWN)

    before_binance(body, folder)


SAID: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    # by exchange: path of the balance and of the rights, with what they answer
    "bybit": (
        {"v5/account/wallet-balance": {"retCode": 0, "result": {"list": [{
            "accountType": "UNIFIED", "coin": [
            {"coin": "USDT", "walletBalance": "12.5", "locked": "2.5"}]}]}}},
        {"v5/user/query-api": {"retCode": 0, "result": {
            "readOnly": 0, "ips": ["*"], "expiredAt": "2026-12-01T00:00:00Z",
            "permissions": {"Spot": ["SpotTrade"], "Wallet": ["AccountTransfer"]}}}},
    ),
    "okx": (
        {"account/balance": {"code": "0", "data": [{"details": [
            {"ccy": "USDT", "eq": "12.5", "availBal": "10", "frozenBal": "2.5"}]}]}},
        {"account/config": {"code": "0", "data": [{"perm": "read_only,trade", "ip": ""}]}},
    ),
    "bitget": (
        {"v2/spot/account/assets": {"code": "00000", "data": [
            {"coin": "USDT", "available": "10", "frozen": "2.5", "locked": "0"}]}},
        {"v2/spot/account/info": {"code": "00000", "data": {"authorities": ["stor", "stow"], "ips": ""}}},
    ),
    "coinbase": (
        {"brokerage/accounts": {"accounts": [{"currency": "USDT", "uuid": "1", "type": "ACCOUNT_TYPE_CRYPTO",
            "available_balance": {"value": "10", "currency": "USDT"}, "hold": {"value": "2.5", "currency": "USDT"}}]}},
        {"brokerage/key_permissions": {"can_view": True, "can_trade": True, "can_transfer": False}},
    ),
}  # fmt: skip
MAY_WITHDRAW: dict[str, dict[str, Any]] = {
    "bybit": {"v5/user/query-api": {"retCode": 0, "result": {
        "readOnly": 0, "ips": ["1.2.3.4"], "permissions": {"Spot": [], "Wallet": ["Withdraw"]}}}},
    "okx": {"account/config": {"code": "0", "data": [{"perm": "read_only,withdraw", "ip": "1.2.3.4"}]}},
    "bitget": {"v2/spot/account/info": {"code": "00000", "data": {"authorities": ["stor", "wwow"], "ips": "1.2.3.4"}}},
    "coinbase": {"brokerage/key_permissions": {"can_view": True, "can_trade": False, "can_transfer": True}},
}  # fmt: skip


async def tried(served: Box, exchange: str, given: Credentials) -> KeyTest:
    gateway = Gateway(base_url=served.url)
    try:
        place = furnish(gateway.place(exchange))
        place.exchange.has["fetchTime"] = False
        if exchange == "coinbase":  # it wants a private key of a kind that is long to make: the box does not look
            place.exchange.create_auth_token = lambda *_, **__: "token"
        return await keys.test_key(place, given, testnet=False, quote="USDT")
    finally:
        await gateway.close()


@pytest.mark.parametrize("exchange", SAID)
@pytest.mark.parametrize("withdraws", [False, True])
def test_each_exchange_is_asked_for_the_rights_of_a_key(exchange, withdraws):
    balance, rights = SAID[exchange]

    async def run() -> None:
        said = balance | (MAY_WITHDRAW[exchange] if withdraws else rights)
        given = Credentials(api_key="key", secret="c2VjcmV0c2VjcmV0", password="phrase")
        async with box(said) as served:
            test = await tried(served, exchange, given)
            assert served.of(next(iter(rights)))
        assert test.balances["USDT"].total == D("12.5")
        assert test.balances["USDT"].locked == D("2.5")
        assert test.rights.withdraw is (YES if withdraws else NO)
        assert test.rights.trade is (NO if withdraws else YES)
        if exchange != "coinbase":
            assert test.rights.address_bound is (YES if withdraws else NO)
        if exchange == "bybit":
            assert test.rights.expires_ms == (None if withdraws else 1_796_083_200_000)

    asyncio.run(run())


def test_every_exchange_where_one_can_trade_is_asked_for_rights():
    assert set(keys._ASKED) == set(QUIRKS)
    for exchange, (method, _) in keys._ASKED.items():
        assert callable(getattr(exchange_class(exchange, "ccxt.pro")(), method))


WRONG: list[tuple[str, dict[str, Any], str, str]] = [
    ("okx", {"code": "50111", "msg": "Invalid OK-ACCESS-KEY"}, "api_key", "brokers.wrong_key"),
    ("okx", {"code": "50113", "msg": "Invalid Sign"}, "secret", "brokers.wrong_secret"),
    ("okx", {"code": "50105", "msg": "OK-ACCESS-PASSPHRASE incorrect"}, "password", "brokers.wrong_password"),
    ("okx", {"code": "50101", "msg": "APIKey does not match current environment."}, "api_key", "brokers.other_world"),
    ("okx", {"code": "50110", "msg": "Your IP 1.2.3.4 is not included in your API key's IP whitelist."},
     "api_key", "brokers.wrong_address"),
    ("bitget", {"code": "40037", "msg": "Apikey does not exist"}, "api_key", "brokers.wrong_key"),
    ("bitget", {"code": "40012", "msg": "apikey/password is incorrect"}, "password", "brokers.wrong_password"),
    ("bitget", {"code": "40018", "msg": "Invalid IP"}, "api_key", "brokers.wrong_address"),
    ("bybit", {"retCode": 10003, "retMsg": "API key is invalid."}, "api_key", "brokers.wrong_key"),
    ("bybit", {"retCode": 10004, "retMsg": "error sign! origin_string[...]"}, "secret", "brokers.wrong_secret"),
    ("bybit", {"retCode": 10010, "retMsg": "Unmatched IP"}, "api_key", "brokers.wrong_address"),
    ("bybit", {"retCode": 33004, "retMsg": "Your api key has expired."}, "api_key", "brokers.key_expired"),
]  # fmt: skip


@pytest.mark.parametrize(("exchange", "said", "field", "key"), WRONG)
def test_what_exchanges_say_of_a_wrong_key_becomes_advice(exchange, said, field, key):
    async def run() -> None:
        async with box({next(iter(SAID[exchange][0])): said}) as served:
            given = Credentials(api_key="thekey", secret="c2VjcmV0c2VjcmV0", password="phrase")
            with pytest.raises(BadInput) as wrong:
                await tried(served, exchange, given)
        assert (wrong.value.field, wrong.value.key) == (field, key)

    asyncio.run(run())


def test_an_exchange_that_repeats_the_key_is_not_repeated():
    async def run() -> None:
        said = {"code": "50111", "msg": "Invalid OK-ACCESS-KEY canary-key-5711"}
        async with box({"account/balance": said}) as served:
            given = Credentials(api_key="canary-key-5711", secret="s", password="p")
            with pytest.raises(CambistError) as wrong:
                await tried(served, "okx", given)
        assert "canary" not in f"{wrong.value} {wrong.value.params}"

    asyncio.run(run())


# -- what everybody may see -------------------------------------------------------------------------------------------


def test_listings_state_the_rules_of_all_that_is_traded(folder):
    async def body(server: ExchangeServer, exchanges: CcxtExchanges) -> None:
        found = {one.symbol: one for one in await exchanges.listings("binance")}
        assert set(found) == set(SYMBOLS)
        one = found["ETH/BTC"]
        assert (one.base, one.quote, one.kind, one.active, one.testnet) == ("ETH", "BTC", Kind.SPOT, True, False)
        assert (one.tick_size, one.lot_step, one.min_notional) == (D("0.00001"), D("0.0001"), D(5))
        del server.market.lines["ETHBTC"]
        assert {one.symbol for one in await exchanges.listings("binance")} == set(SYMBOLS) - {"ETH/BTC"}

    before_binance(body, folder)


def test_tickers_and_books_are_exact_and_in_order(folder):
    async def body(server: ExchangeServer, exchanges: CcxtExchanges) -> None:
        line = server.market.lines["BTCUSDT"]
        last = server.market.last(line)
        assert last is not None
        both = await exchanges.tickers("binance", ["BTC/USDT", "ETH/BTC"])
        assert set(both) == {"BTC/USDT", "ETH/BTC"}
        assert both["BTC/USDT"].last == last.price
        (alone,) = (await exchanges.tickers("binance", ["BTC/USDT"])).values()
        assert alone.last == last.price
        book = await exchanges.book("binance", "BTC/USDT", 5)
        truth = server.market.book(line)
        assert len(book.bids) == len(book.asks) == 5
        assert book.bids == tuple((price, quantity) for price, quantity in truth.bids[:5])
        assert book.asks == tuple((price, quantity) for price, quantity in truth.asks[:5])
        for ask in (exchanges.tickers("binance", ["NO/SUCH"]), exchanges.book("binance", "NO/SUCH", 5)):
            with pytest.raises(NotFound):
                await ask

    before_binance(body, folder)


def test_a_book_whose_prices_differ_in_length_is_in_order():
    async def run() -> None:
        rows = {"bids": [["9.9", "1"], ["10.1", "2"], ["10.05", "0"]], "asks": [["100.5", "3"], ["99.75", "4"]]}
        async with box({"api/v3/depth": {"lastUpdateId": 1, **rows}}) as served:
            gateway = Gateway(base_url=served.url)
            place = furnish(gateway.place("binance"))
            found = await CcxtExchanges(gateway, Path()).book("binance", "BTC/USDT", 10)
            await gateway.close()
        assert place.name == "binance"
        assert found.bids == ((D("10.1"), D(2)), (D("9.9"), D(1)))
        assert found.asks == ((D("99.75"), D(4)), (D("100.5"), D(3)))

    asyncio.run(run())


def test_which_exchanges_there_are_is_known_without_asking(folder):
    exchanges = CcxtExchanges(Gateway(base_url="http://127.0.0.1:9"), folder)
    assert exchanges.knows("kraken")
    assert not exchanges.knows("../../etc")


PEM = "-----BEGIN EC PRIVATE KEY-----\nnot one\n-----END EC PRIVATE KEY-----"


@pytest.mark.parametrize(("exchange", "secret"), [("kraken", "not base64!"), ("coinbase", PEM)])
def test_a_secret_that_cannot_even_sign_is_told_as_such(exchange, secret):
    async def run() -> None:
        async with box({}) as served, gateway_to(served) as gateway:
            place = furnish(gateway.place(exchange))
            place.exchange.has["fetchTime"] = False
            given = Credentials(api_key="organizations/a/apiKeys/b", secret=secret)
            with pytest.raises(BadInput) as wrong:
                await keys.test_key(place, given, testnet=False, quote="USDT")
            assert served.asked == []
        assert (wrong.value.field, wrong.value.key) == ("secret", "brokers.wrong_secret")

    asyncio.run(run())


def test_what_makes_no_sense_in_a_ticker_or_a_book_is_left_out():
    async def run() -> None:
        rows = {"bids": [["x", "1"], ["10.1", None], ["10.05", "1"]], "asks": []}
        ticker = {"symbol": "BTCUSDT", "lastPrice": "NaN", "bidPrice": "oops", "askPrice": "7"}
        async with box({"api/v3/depth": rows, "ticker/24hr": ticker}) as served:
            gateway = Gateway(base_url=served.url)
            furnish(gateway.place("binance"))
            exchanges = CcxtExchanges(gateway, Path())
            book = await exchanges.book("binance", "BTC/USDT", 10)
            (shown,) = (await exchanges.tickers("binance", ["BTC/USDT"])).values()
            await gateway.close()
        assert (book.bids, book.asks) == (((D("10.05"), D(1)),), ())
        assert (shown.last, shown.bid, shown.ask) == (None, None, D(7))

    asyncio.run(run())
