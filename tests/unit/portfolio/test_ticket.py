"""A person's order in figures: whole lots, whole ticks, never more than was written."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cambist.domain.errors import BadInput
from cambist.domain.instrument import Instrument
from cambist.domain.order import OrderType, Side
from cambist.portfolio.ticket import ticket

D = Decimal
BTC = Instrument(
    venue="x",
    symbol="BTC/USDT",
    tick_size=D("0.01"),
    lot_step=D("0.00001"),
    min_notional=D(5),
    min_quantity=D("0.0001"),
    maker_fee_bps=D(2),
    taker_fee_bps=D(4),
)
amounts = st.decimals("10", "1e6", places=4)
prices = st.decimals("1", "1e5", places=4)


@given(amount=amounts, last=prices, side=st.sampled_from(Side))
def test_an_amount_is_never_exceeded_and_missed_by_less_than_a_lot(amount: Decimal, last: Decimal, side: Side):
    made = ticket(BTC, side, OrderType.MARKET, last=last, amount=amount)
    assert made.amount <= amount < made.amount + BTC.lot_step * last
    assert made.quantity % BTC.lot_step == 0
    assert made.total == made.amount + side.sign * made.fee
    assert made.amount * 4 / 10_000 <= made.fee <= made.amount * 4 / 10_000 + D("1e-8")


@given(quantity=st.decimals("0.01", "10", places=8), price=prices.filter(lambda price: price >= 600))
def test_a_limit_is_rounded_so_that_nobody_pays_more_or_receives_less(quantity: Decimal, price: Decimal):
    bought = ticket(BTC, Side.BUY, OrderType.LIMIT, last=price, quantity=quantity, price=price)
    sold = ticket(BTC, Side.SELL, OrderType.LIMIT, last=price, quantity=quantity, price=price)
    assert bought.limit is not None
    assert sold.limit is not None
    assert bought.limit <= price <= sold.limit
    assert sold.limit - bought.limit <= BTC.tick_size
    assert bought.limit % BTC.tick_size == sold.limit % BTC.tick_size == 0
    assert quantity - BTC.lot_step < bought.quantity <= quantity


def test_a_stop_acts_no_later_than_was_written():
    sold = ticket(BTC, Side.SELL, OrderType.STOP, last=D(100), quantity=D(1), price=D("90.005"))
    bought = ticket(BTC, Side.BUY, OrderType.STOP, last=D(100), quantity=D(1), price=D("110.005"))
    assert (sold.trigger, bought.trigger) == (D("90.01"), D("110.00"))
    assert (sold.limit, bought.limit) == (None, None)


@pytest.mark.parametrize(("side", "price", "said"), [("buy", "100", "above"), ("sell", "100.01", "below")])
def test_a_stop_that_would_act_at_once_is_refused_with_the_last_price(side: str, price: str, said: str):
    with pytest.raises(BadInput, match=f"waits {said} the last price, 100") as caught:
        ticket(BTC, Side(side), OrderType.STOP, last=D(100), quantity=D(1), price=D(price))
    assert (caught.value.field, caught.value.value) == ("price", f"{D(price):f}" if side == "buy" else "100.01")


@pytest.mark.parametrize(
    ("given_", "field", "said"),
    [
        ({}, "quantity", "not both"),
        ({"quantity": D(1), "amount": D(1)}, "quantity", "not both"),
        ({"quantity": D("-1")}, "quantity", "above 0"),
        ({"quantity": D("0.00005")}, "quantity", "at least 0.0001 BTC"),
        ({"amount": D("4")}, "amount", "at least 5 USDT, which is 0.05 BTC"),
        ({"amount": D("40"), "price": D(1)}, "price", "has no price"),
    ],
)
def test_what_would_not_do_is_told_with_what_would(given_: dict[str, Decimal], field: str, said: str):
    with pytest.raises(BadInput) as refused:
        ticket(BTC, Side.BUY, OrderType.MARKET, last=D(100), **given_)
    assert refused.value.field == field
    assert said in str(refused.value)


def test_a_limit_needs_a_price_that_is_a_tick_at_least():
    for price in (None, D(0), D("0.001")):
        with pytest.raises(BadInput, match="price"):
            ticket(BTC, Side.BUY, OrderType.LIMIT, last=D(100), quantity=D(1), price=price)


@pytest.mark.parametrize(
    ("last", "field", "figures"),
    [
        ("100", "quantity", {"quantity": "1e25"}),
        ("100", "amount", {"amount": "1e400"}),
        ("1e-12", "amount", {"amount": "1e15"}),
        ("100", "price", {"quantity": "1", "price": "1e30"}),
    ],
)
def test_figures_that_cannot_be_exact_are_refused_by_name(last: str, field: str, figures: dict[str, str]):
    given = {name: D(text) for name, text in figures.items()}
    kind = OrderType.LIMIT if "price" in given else OrderType.MARKET
    with pytest.raises(BadInput) as caught:
        ticket(BTC, Side.BUY, kind, last=D(last), **given)
    assert (caught.value.field, caught.value.key) == (field, "running.too_large")
