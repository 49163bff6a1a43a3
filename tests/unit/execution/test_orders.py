"""The table of an order's life: complete, and no path through it loses quantity or counts it twice."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cambist.domain.order import Liquidity, Order, OrderType, Role, Side
from cambist.domain.report import FillReport, OrderReport, Status
from cambist.domain.request import OrderRequest
from cambist.execution.ids import LENGTH, client_id
from cambist.execution.orders import ENDED, TABLE, Life, Word, Working

TOTAL = 5


def working() -> Working:
    order = Order(
        id="b|1|entry0", bot="b", side=Side.BUY, type=OrderType.MARKET, quantity=Decimal(TOTAL), role=Role.ENTRY
    )
    request = OrderRequest(
        client_id="c1", symbol="BTC/USDT", side=Side.BUY, type=OrderType.MARKET, quantity=Decimal(TOTAL)
    )
    return Working(order, request)


def fill(number: int) -> FillReport:
    return FillReport(
        trade_id=str(number),
        client_id="c1",
        symbol="BTC/USDT",
        side=Side.BUY,
        ts=number,
        price=Decimal(10),
        quantity=Decimal(1),
        fee=Decimal(0),
        fee_asset="USDT",
        liquidity=Liquidity.TAKER,
    )


def report(status: Status, filled: int) -> OrderReport:
    return OrderReport(client_id="c1", symbol="BTC/USDT", status=status, filled=Decimal(filled), ts=1)


def test_every_state_has_an_answer_to_every_word():
    assert set(TABLE) == set(Life)
    assert all(set(row) == set(Word) for row in TABLE.values())


def test_only_the_venue_ends_an_unknown_order():
    ours = {Word.SENT, Word.LOST, Word.TAKE_BACK}
    assert {TABLE[Life.UNKNOWN][word] for word in ours} == {Life.UNKNOWN}
    assert TABLE[Life.SUBMITTING][Word.LOST] is Life.UNKNOWN


def test_a_lost_answer_never_ends_an_order():
    assert all(TABLE[life][Word.LOST] not in ENDED for life in Life if life not in ENDED)


@pytest.mark.parametrize("life", sorted(ENDED - {Life.REFUSED}))
def test_what_has_ended_stays_ended(life):
    assert set(TABLE[life].values()) <= ENDED


def test_evidence_wins_over_a_refusal():
    one = working()
    one.hear(Word.SENT, 1)
    one.hear(Word.LOST, 2)
    one.hear(Word.ABSENT, 3)
    assert one.life is Life.REFUSED
    one.fill(fill(1))
    assert (one.life, one.filled) == (Life.PARTLY_FILLED, Decimal(1))


def test_fills_after_a_cancel_count_and_it_is_not_settled_before_them():
    one = working()
    one.hear(Word.SENT, 1)
    one.report(report(Status.OPEN, 0))
    one.hear(Word.TAKE_BACK, 2)
    one.report(report(Status.CANCELLED, 2))
    assert (one.ended, one.settled) == (True, False)
    one.fill(fill(1))
    one.fill(fill(2))
    assert one.settled
    assert (one.life, one.filled) == (Life.CANCELLED, Decimal(2))


events = st.lists(
    st.one_of(
        st.sampled_from([Word.SENT, Word.LOST, Word.TAKE_BACK, Word.STANDS, Word.ABSENT]),
        st.integers(1, TOTAL).map(fill),
        st.tuples(st.sampled_from(Status), st.integers(0, TOTAL)).map(lambda pair: report(*pair)),
    ),
    max_size=40,
)


@given(events)
def test_no_path_loses_quantity_or_counts_it_twice(path):
    one = working()
    seen: set[str] = set()
    reported = Decimal(0)
    for event in path:
        if isinstance(event, Word):
            one.hear(event, 1)
        elif isinstance(event, FillReport):
            assert one.fill(event) == (event.trade_id not in seen)
            seen.add(event.trade_id)
        else:
            one.report(event)
            whole = Decimal(TOTAL) if event.status is Status.FILLED else event.filled
            reported = max(reported, whole)
        assert one.filled == len(seen)
        assert one.left == TOTAL - len(seen)
        assert one.settled == (one.ended and one.filled >= reported)
        if len(seen) == TOTAL:
            assert one.life is Life.FILLED
        if one.life is Life.FILLED:
            assert len(seen) == TOTAL


@given(st.text(max_size=80), st.text(max_size=20), st.integers(1, 10**6))
def test_client_ids_fit_every_venue(order, symbol, attempt):
    made = client_id(order, symbol, attempt)
    assert made == client_id(order, symbol, attempt)
    assert len(made) == LENGTH
    assert made.isascii()
    assert made.isalnum()
    assert made[0].isalpha()
    assert made == made.lower()


def test_client_ids_differ_by_all_that_they_name():
    made = {client_id(o, s, a) for o in ("b|1|entry0", "b|1|exit") for s in ("A/B", "C/B") for a in (1, 2)}
    assert len(made) == 8


def test_a_client_id_is_the_same_on_any_day_and_machine():
    assert client_id("bot|1700000000000|entry0", "BTC/USDT") == client_id("bot|1700000000000|entry0", "BTC/USDT", 1)
    assert client_id("bot|1700000000000|entry0", "BTC/USDT") == "czz3y3cnye7to3pmab"
