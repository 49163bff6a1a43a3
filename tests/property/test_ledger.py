"""Whatever happens, the ledger is balanced, exact, the same in any order, and agrees with the engine's cash."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import count
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.backtest.made import rules

from cambist.domain.event import FundingPaid, OrderFilled
from cambist.domain.instrument import Kind
from cambist.domain.ledger import LedgerEntry
from cambist.domain.order import Fill, Liquidity, Order, OrderType, Role, Side
from cambist.domain.report import Balance, BalancesReported, FillReport
from cambist.domain.wish import Enter, Quantity
from cambist.engine.core import process
from cambist.engine.state import Bot, State
from cambist.portfolio.ledger import COUNTERPARTIES, Ledger, correction, fill, funding, held_asset, opening, transfer

D = Decimal
INSTRUMENTS = (
    rules(Kind.SPOT),
    rules(Kind.SPOT, symbol="BNB/USDT"),
    rules(Kind.PERPETUAL, symbol="BTC/USDT:USDT"),
)
# thirty digits: more than Python's own context keeps
amounts = st.decimals(D("-1e12"), D("1e12"), places=18)
positive = st.decimals(D("1e-18"), D("1e12"), places=18)
bots = st.sampled_from(["b1", "b2", "b3"])
assets = st.sampled_from(["USDT", "BTC", "BNB"])
ids = st.integers(0, 10**9).map(str)
times = st.integers(0, 10**13)


@st.composite
def fills(draw: st.DrawFn) -> tuple[str, FillReport, Any]:
    instrument = draw(st.sampled_from(INSTRUMENTS))
    report = FillReport(
        trade_id=draw(ids),
        client_id="o",
        symbol=instrument.symbol,
        side=draw(st.sampled_from(Side)),
        ts=draw(times),
        price=draw(positive),
        quantity=draw(positive),
        fee=draw(amounts),
        fee_asset=draw(st.sampled_from(["", "USDT", "BTC", "BNB"])),
        liquidity=Liquidity.MAKER,
    )
    return draw(bots), report, instrument


balances = st.builds(Balance, assets, positive, positive)
entries = st.one_of(
    fills().map(lambda case: fill(*case)),
    st.builds(opening, ids, st.builds(BalancesReported, times, st.lists(balances).map(tuple))),
    st.builds(funding, st.builds(FundingPaid, bots, times, amounts), st.just(INSTRUMENTS[2])),
    st.builds(transfer, ids, bots, assets, amounts, times),
    st.builds(correction, ids, bots | st.just("free"), assets, amounts, times),
)


def booked(facts: list[LedgerEntry]) -> Ledger:
    ledger = Ledger()
    for entry in facts:
        ledger.book(entry)
    return ledger


def sums(lines: Any) -> dict[Any, Fraction]:
    """Add up (key, amount) exactly, by other means than the ledger's."""
    added: dict[Any, Fraction] = {}
    for key, amount in lines:
        added[key] = added.get(key, Fraction(0)) + Fraction(amount)
    return {key: amount for key, amount in added.items() if amount}


@given(entries)
def test_each_entry_is_balanced(entry):
    assert sums((line.asset, line.amount) for line in entry.lines) == {}


@settings(deadline=None)
@given(st.lists(entries, max_size=20), st.randoms(use_true_random=False))
def test_balances_are_exact_sums_in_any_order_and_of_all_places_zero(facts, dice):
    ledger = booked(facts)
    everything = [((line.place, line.asset), line.amount) for entry in facts for line in entry.lines]
    assert {key: Fraction(amount) for key, amount in ledger.balances.items()} == sums(everything)
    for asset in {asset for _, asset in ledger.balances}:
        assert sum(map(Fraction, ledger.totals(asset).values())) == 0
    ours = sums((asset, amount) for (place, asset), amount in everything if place not in COUNTERPARTIES)
    assert {asset: Fraction(amount) for asset, amount in ledger.holdings().items()} == ours
    assert all(type(amount) is Decimal for amount in ledger.balances.values())
    shuffled = list(facts)
    dice.shuffle(shuffled)
    assert booked(shuffled) == ledger


@given(fills())
def test_a_fill_conserves_base_quote_and_fee_to_the_last_digit(case):
    bot, report, instrument = case
    moved = sums(((line.place, line.asset), line.amount) for line in fill(*case).lines)
    signed, quote = report.side.sign * Fraction(report.quantity), instrument.quote
    worth, fee = signed * Fraction(report.price), report.fee_asset or quote
    assert moved == sums(
        [
            ((bot, held_asset(instrument)), signed),
            (("market", held_asset(instrument)), -signed),
            ((bot, quote), -worth),
            (("market", quote), worth),
            ((bot, fee), -Fraction(report.fee)),
            (("fees", fee), Fraction(report.fee)),
        ]
    )


steps = st.lists(
    st.tuples(
        st.sampled_from(["enter", "exit", "funding"]),
        st.integers(1, 10**6).map(lambda cents: D(cents) / 100),
        st.integers(1, 10**5),
        st.decimals(D(-5), D(5), places=8),
    ),
    max_size=30,
)


@settings(deadline=None)
@given(steps, st.sampled_from(Side))
def test_the_quote_balance_of_a_bot_is_the_engines_cash(done, way):
    instrument = INSTRUMENTS[2] if way is Side.SELL else INSTRUMENTS[0]
    bot = Bot("b", instrument)
    state, numbers = State(D(10_000), {"b": bot}), count(1)
    ledger = booked([transfer("budget", "b", "USDT", D(10_000), 0)])
    for what, price, thousandths, fee in done:
        ts, held = next(numbers), abs(bot.position.quantity)
        if what == "funding":
            paid = FundingPaid("b", ts, fee)
            process(state, paid)
            ledger.book(funding(paid, instrument))
            continue
        quantity = D(thousandths) / 1000
        if what == "exit":
            quantity = min(quantity, held)
        if not quantity:
            continue
        order = Order(id=f"o{ts}", bot="b", side=way, type=OrderType.MARKET, quantity=quantity, role=Role.ENTRY)
        if what == "exit":
            order = replace(order, side=way.opposite, role=Role.EXIT)
        else:
            bot.entries[order.id] = (order, Enter(side=way, size=Quantity(quantity)))
        one = {"ts": ts, "price": price, "quantity": quantity, "fee": fee, "liquidity": Liquidity.TAKER}
        process(state, OrderFilled(order, Fill(slippage=D(0), **one), done=True))
        report = FillReport(
            trade_id=str(ts), client_id=order.id, symbol=instrument.symbol, side=order.side, fee_asset="USDT", **one
        )
        ledger.book(fill("b", report, instrument))
    assert ledger.balance("b", "USDT") == state.cash
    assert ledger.balance("b", held_asset(instrument)) == bot.position.quantity
