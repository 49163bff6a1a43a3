"""Engine, bots, heartbeat and the venue adapter that trades in earnest, before an exchange that fails in every way.

What the exchange has truly done is held against the ledger here, sum by sum, and not by the judge of the drill alone.
"""

import random
from collections import Counter, defaultdict
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from cambist.apps.drill.box import CASH, SPEED, book, play
from cambist.apps.drill.engine import ACCOUNT
from cambist.apps.drill.plan import SCENARIOS, Plan
from cambist.domain.ledger import Cause
from cambist.domain.order import OrderType, Side
from cambist.portfolio.ledger import Ledger
from cambist.simulators.faults import Fault, Kind
from cambist.usecases.drill import judge

BUSY = str(Path(__file__).parent / "strategies" / "busy.py")
HISTORY = 10
FAULTS = [make(random.Random(number), SPEED) for number, make in enumerate(SCENARIOS)]
FORGETS = next(fault for fault in FAULTS if fault.kind is Kind.AMNESIA)
TOGETHER = 5
GROUPS = [[fault for fault in FAULTS if fault is not FORGETS][at::TOGETHER] for at in range(TOGETHER)]


def soon(fault: Fault) -> Fault:
    """Return ``fault`` striking early, in a run of a few minutes; what may strike anything lets the engine come up."""
    skip = 40 if fault.path.startswith("*") else min(fault.skip, 1)
    return replace(fault, skip=skip)


def test_every_kind_of_fault_is_brought_about():
    assert {fault.kind for fault in FAULTS} == set(Kind)


@pytest.mark.parametrize("number", range(TOGETHER))
def test_whatever_fails_the_books_agree_to_the_last_digit(number, tmp_path):
    faults = tuple(soon(fault) for fault in GROUPS[number])
    played = play(Plan(seed=number, minutes=12, faults=faults, kills=()), BUSY, HISTORY, tmp_path)
    truth, journal = played.truth, book(tmp_path)
    entries = list(journal.ledger(ACCOUNT))
    assert (played.broke, played.restless, played.why) == (0, False, "")
    assert set(played.struck) >= {str(fault.kind) for fault in faults if fault.path.startswith(("POST", "ws:user"))}

    # the exchange's own fills, added up, are what it says that the account holds, and what the ledger says
    held: defaultdict[str, Decimal] = defaultdict(Decimal, USDT=CASH)
    for order in truth.orders:
        for fill in order.fills:
            held["BTC"] += order.side.sign * fill.quantity
            held["USDT"] -= order.side.sign * fill.quantity * fill.price
            held[fill.fee_asset] -= fill.fee
    ledger = Ledger()
    for entry in entries:
        ledger.book(entry)
    assert {asset: amount for asset, amount in held.items() if amount} == dict(truth.balances) == ledger.holdings()
    fills = [fill for order in truth.orders for fill in order.fills]
    assert len(fills) == sum(entry.cause is Cause.TRADE for entry in entries) >= 1
    assert len({entry.id for entry in entries}) == len(entries)

    # no order twice, none that was not meant, and what is held is guarded
    ids = [order.client_id for order in truth.orders]
    assert len(set(ids)) == len(ids)
    verdict = judge(truth, journal.read(ACCOUNT), entries)
    assert verdict.good, verdict
    stops = [order for order in truth.orders if order.type is OrderType.STOP and order.ended_ms is None]
    guarded = sum((order.quantity for order in stops if order.side is Side.SELL), Decimal(0))
    assert abs(held["BTC"] - guarded) * 40_000 < 10, "more than dust is unguarded, or a stop guards nothing"


def test_an_exchange_that_has_lost_its_memory_is_not_traded_on(tmp_path):
    forgets = replace(FORGETS, path="DELETE /api/v3/order", skip=0)  # when it has traded, and is about to leave
    played = play(Plan(seed=1, minutes=8, faults=(forgets,), kills=()), BUSY, HISTORY, tmp_path)
    journal = book(tmp_path)
    assert played.truth.forgot
    assert (played.broke, played.restless, played.why) == (0, False, "")
    verdict = judge(played.truth, journal.read(ACCOUNT), list(journal.ledger(ACCOUNT)))
    assert verdict.good, verdict
    kinds = Counter(entry.kind for entry in journal.read(ACCOUNT))
    assert kinds["Frozen"], "book and exchange cannot agree, and nobody was told"
