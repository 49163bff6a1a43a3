from decimal import Decimal

import pytest

from cambist.adapters.venues.ccxt.rules import instrument_of
from cambist.domain.errors import VenueRefused
from cambist.domain.instrument import Kind

DECIMAL_PLACES, SIGNIFICANT_DIGITS, TICK_SIZE = 2, 3, 4


def market(**changes) -> dict:
    return {
        "symbol": "BTC/USDT",
        "type": "spot",
        "spot": True,
        "swap": False,
        "precision": {"price": "0.01", "amount": "0.00001"},
        "limits": {"cost": {"min": "5"}, "amount": {"min": "0.00010"}},
        "maker": 0.001,
        "taker": "0.00075",
    } | changes


PERPETUAL = {"symbol": "BTC/USDT:USDT", "type": "swap", "spot": False, "swap": True, "contractSize": "0.01"}


def test_the_rules_of_a_spot_pair():
    rules = instrument_of("binance", market(), TICK_SIZE)
    assert (rules.kind, rules.tick_size, rules.lot_step) == (Kind.SPOT, Decimal("0.01"), Decimal("0.00001"))
    assert (rules.min_notional, rules.min_quantity) == (Decimal(5), Decimal("0.0001"))
    assert (rules.maker_fee_bps, rules.taker_fee_bps) == (Decimal(10), Decimal("7.5"))
    assert not rules.assumed


def test_precision_in_decimal_places():
    rules = instrument_of("x", market(precision={"price": 2, "amount": "0"}), DECIMAL_PLACES)
    assert (rules.tick_size, rules.lot_step) == (Decimal("0.01"), Decimal(1))


def test_significant_digits_are_no_tick_size():
    rules = instrument_of("bitfinex", market(precision={"price": 5, "amount": 8}), SIGNIFICANT_DIGITS)
    assert rules.assumed
    assert rules.tick_size == Decimal("1e-8")


def test_contracts_become_base_currency():
    rules = instrument_of("okx", market(**PERPETUAL, precision={"price": "0.1", "amount": "1"}), TICK_SIZE)
    assert (rules.kind, rules.lot_step) == (Kind.PERPETUAL, Decimal("0.01"))
    assert rules.min_quantity == Decimal("0.000001")
    assert rules.quote == "USDT"


def test_contracts_in_quote_currency_have_no_fixed_step():
    rules = instrument_of("okx", market(**PERPETUAL, inverse=True), TICK_SIZE)
    assert rules.assumed
    assert rules.min_quantity == 0


def test_what_is_not_stated_does_not_bind():
    bare = market(limits={"cost": {}, "amount": {"min": None}}, maker=None, taker=None)
    rules = instrument_of("x", bare, TICK_SIZE)
    assert rules.min_notional == rules.min_quantity == 0
    assert rules.maker_fee_bps is None


def test_options_and_dated_futures_are_refused():
    with pytest.raises(VenueRefused, match="future"):
        instrument_of("x", market(spot=False, type="future"), TICK_SIZE)
