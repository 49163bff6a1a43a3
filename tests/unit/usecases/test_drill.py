"""The judge of the drill: each thing that must not happen is found, and what is right is not blamed."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from cambist.domain.command import Place, PlacePair
from cambist.domain.event import Decided, Frozen, OrderReported, TimePassed
from cambist.domain.instrument import Instrument
from cambist.domain.order import Liquidity, OrderType, Side
from cambist.domain.report import Balance, BalancesReported, FillReport, OrderReport, Status
from cambist.domain.request import OrderRequest
from cambist.domain.wish import Enter, Fraction
from cambist.engine.recovery import body_of
from cambist.portfolio import ledger as book
from cambist.ports.book import JournalEntry
from cambist.usecases.drill import PROTECTED_WITHIN_MS, Run, TrueOrder, Truth, Verdict, judge, sum_up

D = Decimal
RULES = Instrument(
    venue="binance",
    symbol="BTC/USDT",
    tick_size=D("0.01"),
    lot_step=D("0.001"),
    min_notional=D(5),
    min_quantity=D("0.001"),
)


def request(client_id: str, kind: OrderType = OrderType.MARKET, side: Side = Side.BUY) -> OrderRequest:
    return OrderRequest(
        client_id=client_id,
        symbol=RULES.symbol,
        side=side,
        type=kind,
        quantity=D(1),
        reduce_only=side is Side.SELL,
        trigger=None if kind is OrderType.MARKET else D(90),
    )


def fill(client_id: str, trade: str, ts: int, side: Side = Side.BUY) -> FillReport:
    return FillReport(
        trade_id=trade,
        client_id=client_id,
        symbol=RULES.symbol,
        side=side,
        ts=ts,
        price=D(100),
        quantity=D(1),
        fee=D("0.1"),
        fee_asset="USDT",
        liquidity=Liquidity.TAKER,
    )


def order(
    client_id: str, side: Side, kind: OrderType, created: int, ended: int | None, *fills: FillReport
) -> TrueOrder:
    return TrueOrder(
        client_id=client_id,
        side=side,
        type=kind,
        quantity=D(1),
        created_ms=created,
        ended_ms=ended,
        fills=fills,
    )


ENTER = Enter(side=Side.BUY, size=Fraction(0.5), stop_loss=0.1)
BOUGHT = fill("e1", "1", 1_000)
ENTRY = order("e1", Side.BUY, OrderType.MARKET, 1_000, 1_000, BOUGHT)
GUARD = order("s1", Side.SELL, OrderType.STOP, 2_000, None)
TRUTH = Truth(instrument=RULES, orders=(ENTRY, GUARD), balances={"USDT": D("899.9"), "BTC": D(1)}, now_ms=1_000_000)
DECIDED = (Decided("bot", 0, 100.0, (ENTER,)), Place(request("e1")))
GUARDED = (
    TimePassed(1),
    PlacePair("p", request("s1", OrderType.STOP, Side.SELL), request("t1", OrderType.TAKE_PROFIT, Side.SELL)),
)
OPENING = book.opening("a", BalancesReported(0, (Balance("USDT", D(1000), D(0)),)))
LEDGER = [OPENING, book.fill("bot", BOUGHT, RULES)]


def journal(*events: tuple[Any, ...]) -> list[JournalEntry]:
    return [
        JournalEntry(account="a", seq=seq, ts=0, kind=type(event).__name__, body=body_of(event, list(commands)))
        for seq, (event, *commands) in enumerate(events, 1)
    ]


JOURNAL = journal(DECIDED, GUARDED)


def test_what_is_right_is_not_blamed():
    verdict = judge(TRUTH, JOURNAL, LEDGER)
    assert verdict == Verdict(orders=2, fills=1, longest_bare_ms=1_000)
    assert verdict.good


def test_an_order_that_the_journal_never_meant_is_an_orphan():
    verdict = judge(TRUTH, journal(DECIDED), LEDGER)
    assert verdict.orphans == ("s1",)
    assert not verdict.good


def test_an_open_order_that_the_journal_takes_for_ended_is_an_orphan():
    gone = OrderReport(client_id="s1", symbol=RULES.symbol, status=Status.CANCELLED, filled=D(0), ts=3)
    assert judge(TRUTH, journal(DECIDED, GUARDED, (OrderReported(gone),)), LEDGER).orphans == ("s1",)
    back = replace(gone, status=Status.OPEN)
    events = (DECIDED, GUARDED, (OrderReported(gone),), (OrderReported(back),))
    assert judge(TRUTH, journal(*events), LEDGER).good


def test_one_id_at_two_orders_is_a_duplicate():
    again = replace(ENTRY, fills=())
    assert judge(replace(TRUTH, orders=(ENTRY, GUARD, again)), JOURNAL, LEDGER).duplicates == ("e1",)


def test_an_entry_that_no_decision_asked_for_is_a_duplicate():
    again = order("e2", Side.BUY, OrderType.MARKET, 5_000, 5_000)
    told = journal(DECIDED, GUARDED, (TimePassed(2), Place(request("e2"))))
    assert judge(replace(TRUTH, orders=(ENTRY, GUARD, again)), told, LEDGER).duplicates == ("e2",)


@pytest.mark.parametrize(
    "ledger",
    [
        [OPENING],
        [*LEDGER, book.fill("bot", fill("e1", "2", 1_000), RULES)],
        [OPENING, book.fill("bot", replace(BOUGHT, price=D("100.00000001")), RULES)],
    ],
    ids=["left out", "invented", "a hundred-millionth off"],
)
def test_a_ledger_that_is_not_the_exchanges_is_found(ledger):
    verdict = judge(TRUTH, JOURNAL, ledger)
    assert verdict.missing
    assert "USDT" in dict(verdict.differing)
    assert not verdict.good


def test_money_that_no_fill_explains_is_found():
    verdict = judge(replace(TRUTH, balances={"USDT": D("899.8"), "BTC": D(1)}), JOURNAL, LEDGER)
    assert verdict.differing == (("USDT", D("0.1")),)
    assert not verdict.missing


# -- positions without a stop -----------------------------------------------------------------------------------------


def bare(*orders: TrueOrder, excused: tuple[tuple[int, int], ...] = (), journaled=JOURNAL) -> Verdict:
    return judge(replace(TRUTH, orders=orders, excused=excused), journaled, LEDGER)


def test_time_without_a_stop_counts_beyond_what_is_allowed():
    late = replace(GUARD, created_ms=1_000 + PROTECTED_WITHIN_MS + 5_000)
    assert bare(ENTRY, late).unprotected_ms == 5_000
    assert bare(ENTRY, replace(late, created_ms=1_000 + PROTECTED_WITHIN_MS)).unprotected_ms == 0
    assert bare(ENTRY).longest_bare_ms == TRUTH.now_ms - 1_000, "to this very day"


def test_a_stop_that_goes_leaves_the_position_bare():
    gone = replace(GUARD, ended_ms=100_000)
    assert bare(ENTRY, gone).longest_bare_ms == TRUTH.now_ms - 100_000
    back = order("s2", Side.SELL, OrderType.STOP, 107_000, None)
    assert bare(ENTRY, gone, back).longest_bare_ms == 7_000


def test_a_stop_for_half_of_it_is_none():
    assert bare(ENTRY, replace(GUARD, quantity=D("0.5"))).longest_bare_ms == TRUTH.now_ms - 1_000


def test_dust_needs_no_stop():
    assert bare(ENTRY, replace(GUARD, quantity=D("0.96"))).longest_bare_ms == 1_000, "4 USDT is less than an order"


def test_a_target_is_no_stop():
    assert bare(ENTRY, replace(GUARD, type=OrderType.TAKE_PROFIT)).longest_bare_ms > PROTECTED_WITHIN_MS


def test_what_was_never_to_be_guarded_is_not_counted():
    plain = (Decided("bot", 0, 100.0, (replace(ENTER, stop_loss=None),)), Place(request("e1")))
    assert bare(ENTRY, journaled=journal(plain)).longest_bare_ms == 0


def test_a_position_that_is_sold_is_bare_no_more():
    sold = fill("x1", "9", 6_000, Side.SELL)
    assert bare(ENTRY, order("x1", Side.SELL, OrderType.MARKET, 6_000, 6_000, sold)).longest_bare_ms == 5_000


def test_what_nobody_could_have_guarded_is_excused():
    late = replace(GUARD, created_ms=101_000)
    assert bare(ENTRY, late, excused=((50_000, 101_000), (0, 31_000), (40_000, 60_000))).longest_bare_ms == 9_000


def test_time_without_a_stop_begins_anew_when_the_next_engine_lives():
    late = replace(GUARD, created_ms=60_000 + PROTECTED_WITHIN_MS + 1_000)
    twice = bare(ENTRY, late, excused=((26_000, 60_000),))
    assert (twice.longest_bare_ms, twice.unprotected_ms) == (PROTECTED_WITHIN_MS + 1_000, 1_000)


# -- an exchange without memory, and many runs ------------------------------------------------------------------------


def test_an_exchange_without_memory_must_be_noticed():
    forgot = replace(TRUTH, orders=(), balances={"USDT": D(1000)}, forgot=True)
    assert judge(forgot, JOURNAL, LEDGER).unnoticed
    noticed = judge(forgot, journal(DECIDED, GUARDED, (Frozen(5, RULES.symbol, "BTC"),)), LEDGER)
    assert noticed.good


def test_the_sheet_adds_up_and_names_what_failed():
    bad = Run(seed=7, verdict=Verdict(orders=2, fills=1, differing=(("BTC", D("-0.1")),), longest_bare_ms=5))
    worse = Run(seed=3, verdict=Verdict(orphans=("a", "b"), differing=(("BTC", D("0.3")),)), broke=1, why="x\nE: y\n")
    fine = Run(
        seed=5, verdict=Verdict(orders=4, fills=4, longest_bare_ms=9), deaths=("after Decided",), struck=("lost",)
    )
    sheet = sum_up([bad, fine, worse])
    assert (sheet.runs, sheet.failed, sheet.orders, sheet.fills) == (3, (3, 7), 6, 5)
    assert (sheet.orphans, sheet.differing, sheet.longest_bare_ms) == (2, (("BTC", D("0.4")),), 9)
    assert (sheet.kills, sheet.struck, sheet.why) == ({"after Decided": 1}, {"lost": 1}, ("E: y",))
    assert not sheet.good
    assert sum_up([fine]).good
    assert not sum_up([Run(seed=1)]).good, "who sent no order has proved nothing"
