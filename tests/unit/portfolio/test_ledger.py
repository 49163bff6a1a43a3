"""Entries and balances made by hand."""

from dataclasses import replace
from decimal import Decimal, Inexact
from fractions import Fraction

import pytest
from tests.unit.backtest.made import rules

from cambist.domain.event import FundingPaid
from cambist.domain.instrument import Kind
from cambist.domain.ledger import Cause, LedgerEntry, Line
from cambist.domain.order import Liquidity, Side
from cambist.domain.report import Balance, BalancesReported, FillReport
from cambist.portfolio.ledger import Ledger, correction, fill, funding, held_asset, opening, transfer

D = Decimal
SPOT = rules(Kind.SPOT)
PERPETUAL = rules(Kind.PERPETUAL, symbol="BTC/USDT:USDT")
BOUGHT = FillReport(
    trade_id="7",
    client_id="o",
    symbol="BTC/USDT",
    side=Side.BUY,
    ts=5,
    price=D("50000.10"),
    quantity=D("0.02"),
    fee=D("0.00002"),
    fee_asset="BTC",
    liquidity=Liquidity.TAKER,
)


def booked(*entries: LedgerEntry) -> Ledger:
    ledger = Ledger()
    for entry in entries:
        ledger.book(entry)
    return ledger


def test_an_account_is_opened_given_to_a_bot_and_traded():
    balances = (Balance("USDT", D(4_000), D(1_000)), Balance("BNB", D(0), D("0.5")), Balance("ETH", D(0), D(0)))
    ledger = booked(
        opening("main", BalancesReported(1, balances)),
        transfer("request 1", "b", "USDT", D(2_000), 2),
        fill("b", BOUGHT, SPOT),
    )
    assert ledger.balances == {
        ("free", "USDT"): D(3_000),
        ("free", "BNB"): D("0.5"),
        ("b", "USDT"): D("999.998"),
        ("b", "BTC"): D("0.01998"),
        ("market", "USDT"): D("1000.002"),
        ("market", "BTC"): D("-0.02"),
        ("fees", "BTC"): D("0.00002"),
        ("outside", "USDT"): D(-5_000),
        ("outside", "BNB"): D("-0.5"),
    }
    assert ledger.balance("b", "BTC") == D("0.01998")
    assert ledger.balance("b", "BNB") == 0
    assert ledger.holdings() == {"USDT": D("3999.998"), "BNB": D("0.5"), "BTC": D("0.01998")}
    assert ledger.totals("BTC") == {"b": D("0.01998"), "market": D("-0.02"), "fees": D("0.00002")}


def test_a_sale_with_a_rebate_brings_quote():
    sold = replace(BOUGHT, side=Side.SELL, fee=D("-0.1"), fee_asset="")
    ledger = booked(fill("b", sold, SPOT))
    assert (ledger.balance("b", "USDT"), ledger.balance("b", "BTC")) == (D("1000.102"), D("-0.02"))
    assert ledger.balance("fees", "USDT") == D("-0.1")


@pytest.mark.parametrize("side", Side)
def test_numbers_longer_than_pythons_context_are_not_rounded(side):
    quantity, price = D("123456789012345678.123456789012345678"), D("98765.432109876543210987654321")
    report = replace(BOUGHT, side=side, quantity=quantity, price=price, fee=D(0))
    ledger = booked(fill("b", report, SPOT))
    assert Fraction(ledger.balance("b", "BTC")) == side.sign * Fraction(quantity)
    assert Fraction(ledger.balance("b", "USDT")) == -side.sign * Fraction(quantity) * Fraction(price)


def test_contracts_are_an_asset_of_their_own():
    assert (held_asset(SPOT), held_asset(PERPETUAL)) == ("BTC", "BTC/USDT:USDT")
    short = replace(BOUGHT, symbol=PERPETUAL.symbol, side=Side.SELL, fee=D(1), fee_asset="USDT")
    ledger = booked(fill("b", short, PERPETUAL), funding(FundingPaid("b", 9, D("-0.25")), PERPETUAL))
    assert ledger.holdings() == {"USDT": D("999.252"), "BTC/USDT:USDT": D("-0.02")}


def test_what_comes_back_to_zero_is_forgotten():
    entry = correction("c", "free", "USDT", D("1.10"), 1)
    ledger = booked(entry, correction("d", "free", "USDT", D("-1.1"), 2))
    assert ledger == Ledger()
    assert ledger.holdings() == {}


def test_entries_say_why_when_and_what_caused_them():
    assert fill("b", BOUGHT, SPOT).id == "trade|test|BTC/USDT|7|buy|o"
    entries = [
        opening("main", BalancesReported(1, ())),
        fill("b", BOUGHT, SPOT),
        funding(FundingPaid("b", 9, D(1)), PERPETUAL),
        transfer("r", "b", "USDT", D(-3), 11),
        correction("d", "b", "USDT", D(3), 12),
    ]
    assert [(entry.cause, entry.ts) for entry in entries] == [
        (Cause.OPENING, 1),
        (Cause.TRADE, 5),
        (Cause.FUNDING, 9),
        (Cause.TRANSFER, 11),
        (Cause.CORRECTION, 12),
    ]
    assert [entry.id for entry in entries[2:]] == ["funding|test|BTC/USDT:USDT|9|b", "transfer|r", "correction|d"]
    assert entries[0].lines == ()
    assert booked(*entries[3:]).balances == {("free", "USDT"): D(3), ("outside", "USDT"): D(-3)}


def test_both_sides_of_a_trade_with_oneself_are_two_entries():
    sold = replace(BOUGHT, side=Side.SELL)
    assert fill("b", BOUGHT, SPOT).id != fill("c", sold, SPOT).id


@pytest.mark.parametrize("place", ["market", "fees", "outside"])
def test_nothing_fills_for_a_counterparty(place):
    with pytest.raises(ValueError, match="is a place of the ledger"):
        fill(place, BOUGHT, SPOT)


def test_an_order_by_hand_fills_for_the_free_cash():
    lines = [(line.place, line.asset, line.amount) for line in fill("free", BOUGHT, SPOT).lines]
    assert lines == [
        ("free" if place == "b" else place, asset, amount)
        for place, asset, amount in [(one.place, one.asset, one.amount) for one in fill("b", BOUGHT, SPOT).lines]
    ]


@pytest.mark.parametrize("place", ["free", "market", "fees", "outside"])
def test_no_bot_can_have_the_name_of_a_place(place):
    for make in (
        lambda: funding(FundingPaid(place, 1, D(1)), PERPETUAL),
        lambda: transfer("r", place, "USDT", D(1), 1),
    ):
        with pytest.raises(ValueError, match="is a place of the ledger"):
            make()


@pytest.mark.parametrize("place", ["market", "fees", "outside"])
def test_only_what_is_ours_is_corrected(place):
    with pytest.raises(ValueError, match="is a place of the ledger"):
        correction("c", place, "USDT", D(1), 1)


def test_a_fill_of_another_instrument_is_refused():
    with pytest.raises(ValueError, match="a fill of BTC/USDT is none of BTC/USDT:USDT"):
        fill("b", BOUGHT, PERPETUAL)


def lines(*amounts: tuple[str, str, str]) -> LedgerEntry:
    made = tuple(Line(place=place, asset=asset, amount=D(amount)) for place, asset, amount in amounts)
    return LedgerEntry(id="e", ts=1, cause=Cause.CORRECTION, lines=made)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (lines(("free", "USDT", "1")), "not balanced"),
        (lines(("free", "USDT", "1"), ("outside", "BTC", "-1")), "not balanced"),
        (lines(("free", "USDT", "1"), ("outside", "USDT", "-1.00000000000000000000000000000000001")), "not balanced"),
        (lines(("free", "USDT", "1"), ("outside", "USDT", "-1"), ("b", "USDT", "NaN")), "NaN of USDT to b"),
        (lines(("free", "USDT", "Infinity"), ("outside", "USDT", "-Infinity")), "Infinity of USDT to free"),
    ],
)
def test_what_is_not_balanced_is_refused_whole(entry, said):
    ledger = booked(correction("c", "free", "USDT", D(5), 1))
    before = dict(ledger.balances)
    with pytest.raises(ValueError, match=said):
        ledger.book(entry)
    assert ledger.balances == before


def test_what_cannot_be_exact_is_refused_whole():
    ledger = booked(correction("c", "free", "USDT", D("1E+150"), 1))
    before = dict(ledger.balances)
    with pytest.raises(Inexact):
        ledger.book(correction("d", "free", "USDT", D("1E-150"), 1))
    assert ledger.balances == before


def test_one_place_may_stand_on_several_lines():
    ledger = booked(lines(("b", "USDT", "2"), ("b", "USDT", "3"), ("market", "USDT", "-5")))
    assert ledger.balances == {("b", "USDT"): D(5), ("market", "USDT"): D(-5)}
