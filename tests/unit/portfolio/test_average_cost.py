"""What was bought by hand: nothing is lost over any number of fills, and parts cost what the whole did."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cambist.domain.instrument import Instrument, Kind
from cambist.domain.order import Liquidity, Side
from cambist.domain.report import FillReport
from cambist.portfolio.average_cost import Lot

SPOT = Instrument(venue="simulated", symbol="BTC/USDT", tick_size=Decimal("0.01"), lot_step=Decimal("0.001"))
PERPETUAL = replace(SPOT, symbol="BTC/USDT:USDT", kind=Kind.PERPETUAL)
AMOUNTS = st.integers(1, 50_000).map(lambda units: Decimal(units) / 1_000)
FILLS = st.lists(st.tuples(st.sampled_from(list(Side)), AMOUNTS, AMOUNTS, AMOUNTS), min_size=1, max_size=30)


def fill(
    side: Side,
    quantity: str | Decimal,
    price: str | Decimal,
    fee: str | Decimal = "0",
    asset: str = "USDT",
    ts: int = 0,
):
    return FillReport(
        trade_id=str(ts),
        client_id="c",
        symbol="BTC/USDT",
        side=side,
        ts=ts,
        price=Decimal(price),
        quantity=Decimal(quantity),
        fee=Decimal(fee),
        fee_asset=asset,
        liquidity=Liquidity.TAKER,
    )


@given(FILLS, AMOUNTS)
def test_on_a_perpetual_what_was_won_is_what_the_cash_says(fills, price):
    lot, cash, held, won = Lot(), Decimal(0), Decimal(0), Decimal(0)
    for side, quantity, at, fee in fills:
        reduced = lot.take(fill(side, quantity, at, fee), PERPETUAL)
        cash -= side.sign * quantity * at + fee
        held += side.sign * quantity
        if reduced is not None:
            won += reduced.sign * (reduced.proceeds - reduced.cost) - reduced.fees
    assert lot.held == held
    assert abs(lot.worth(price) - (cash + held * price)) < Decimal("1e-15")
    assert abs(lot.realised - won) < Decimal("1e-15")
    if not held:
        assert lot.cost == lot.fees == 0


@given(FILLS)
def test_on_a_spot_market_nobody_is_short(fills):
    lot, bought = Lot(), Decimal(0)
    for side, quantity, at, _ in fills:
        reduced = lot.take(fill(side, quantity, at), SPOT)
        bought = max(Decimal(0), bought + side.sign * quantity)
        assert lot.held == bought
        assert reduced is None or 0 < reduced.quantity <= quantity


@pytest.mark.parametrize(
    ("asset", "held", "won"),
    [("USDT", "1", "-0.5"), ("BTC", "0.5", "-50"), ("BNB", "1", "0")],
)
def test_a_fee_counts_by_what_it_was_paid_in(asset: str, held: str, won: str):
    lot = Lot()
    lot.take(fill(Side.BUY, "1", "100", "0.5", asset), SPOT)
    assert lot.held == Decimal(held)
    assert lot.worth(Decimal(100)) == Decimal(won)


def test_a_fee_in_the_base_currency_is_sold_too():
    lot = Lot()
    lot.take(fill(Side.BUY, "2", "100"), SPOT)
    reduced = lot.take(fill(Side.SELL, "1", "110", "0.1", "BTC"), SPOT)
    assert reduced is not None
    assert (reduced.quantity, reduced.fees) == (Decimal("1.1"), Decimal(11))
    assert lot.realised == 110 - 110  # brought 110; 1.1 had cost 110


def test_it_begins_anew_when_all_was_sold():
    lot = Lot()
    lot.take(fill(Side.BUY, "1", "100", ts=5), SPOT)
    first = lot.take(fill(Side.SELL, "1", "110", ts=6), SPOT)
    lot.take(fill(Side.BUY, "1", "120", ts=7), SPOT)
    second = lot.take(fill(Side.SELL, "1", "130", ts=8), SPOT)
    assert first is not None
    assert second is not None
    assert (first.entry_ts, second.entry_ts) == (5, 7)
    assert lot.realised == 20
