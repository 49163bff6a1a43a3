"""Words as JSON: what the text looks like, and that nothing else is taken for it."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cambist.domain.command import Place
from cambist.domain.event import AccountEvent, CandleClosed, Decided, FillReported, Restarted, Seen
from cambist.domain.order import Liquidity, OrderType, Role, Side
from cambist.domain.record import record
from cambist.domain.report import FillReport
from cambist.domain.request import OrderRequest, Traits
from cambist.domain.wire import codec, from_text, to_text
from cambist.domain.wish import Enter, Exit, Fraction

FILL = FillReport(
    trade_id="1",
    client_id="é",
    symbol="BTC/USDT",
    side=Side.SELL,
    ts=1,
    price=Decimal("0.10"),
    quantity=Decimal("1E-8"),
    fee=Decimal(0),
    fee_asset="BNB",
    liquidity=Liquidity.MAKER,
)


@dataclass(slots=True)
class Kept:
    """All that a field may be."""

    names: set[str]
    roles: frozenset[Role]
    pair: tuple[str, Decimal]
    pairs: tuple[tuple[str, Decimal], ...]
    by_name: dict[str, Traits]
    by_key: dict[tuple[str, str], Decimal]
    last: Decimal | None = None
    event: CandleClosed | Restarted | None = None
    params: dict[str, Any] = field(default_factory=dict)
    trades: list[Fraction] = field(default_factory=list)
    doubled: int = field(init=False, compare=False)

    def __post_init__(self) -> None:
        self.doubled = 2 * len(self.names)


money = st.decimals(allow_nan=False, allow_infinity=False, places=8)
names = st.text(max_size=5)
KEPT = st.builds(
    Kept,
    names=st.sets(names),
    roles=st.frozensets(st.sampled_from(Role)),
    pair=st.tuples(names, money),
    pairs=st.lists(st.tuples(names, money), max_size=3).map(tuple),
    by_name=st.dictionaries(names, st.builds(Traits, stops=st.booleans(), oco=st.booleans()), max_size=3),
    by_key=st.dictionaries(st.tuples(names, names), money, max_size=3),
    last=st.none() | money,
    event=st.none() | st.builds(Restarted, st.integers()) | st.builds(CandleClosed, names, *[st.integers()] * 4),
    params=st.dictionaries(names, st.integers() | names),
    trades=st.lists(st.builds(Fraction, st.floats(allow_nan=False, allow_infinity=False)), max_size=3),
)


@given(KEPT)
def test_what_is_written_comes_back_equal(kept: Kept):
    text = to_text(Kept, kept)
    again = from_text(Kept, text)
    assert again == kept
    assert again.doubled == kept.doubled
    assert to_text(Kept, again) == text


def test_fields_at_their_default_are_left_out_and_classes_named_where_several_may_stand():
    assert to_text(AccountEvent, FillReported(FILL)) == (
        '{"_":"FillReported","fill":{"trade_id":"1","client_id":"é","symbol":"BTC/USDT","side":"sell","ts":1,'
        '"price":"0.10","quantity":"1E-8","fee":"0","fee_asset":"BNB","liquidity":"maker"}}'
    )
    enter = Enter(side=Side.BUY, size=Fraction(0.1), stop_loss=0.02)
    assert to_text(Decided, Decided("b", 5, 1.5, (enter, Exit()))) == (
        '{"bot":"b","ts":5,"close":1.5,"wishes":[{"_":"Enter","side":"buy","size":{"_":"Fraction","of_equity":0.1},'
        '"stop_loss":0.02},{"_":"Exit"}]}'
    )
    assert to_text(Seen, Seen(7, (("X/Y", Decimal("1.50")),), venue_ready=True)) == (
        '{"ts":7,"prices":[["X/Y","1.50"]],"venue_ready":true}'
    )


def test_what_comes_back_is_as_frozen_as_what_was_written():
    request = OrderRequest(client_id="a", symbol="X/Y", side=Side.BUY, type=OrderType.MARKET, quantity=Decimal(1))
    again = from_text(Place, to_text(Place, Place(request))).request
    with pytest.raises(AttributeError):
        again.symbol = "other"
    assert type(again) is OrderRequest
    assert hash(again) == hash(request)
    assert again.time_in_force is request.time_in_force


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"_":"Nobody"}',
        '{"ts":1}',
        '{"_":"Restarted"}',
        '{"_":"Restarted","ts":1,"more":2}',
        '{"_":"Restarted","ts":1} {}',
        '{"_":"FillReported","fill":{"trade_id":"1"}}',
        '{"_":"TradingChanged","ts":1,"state":"never"}',
        '{"_":"Seen","ts":1,"prices":[["X/Y","much"]],"venue_ready":true}',
    ],
)
def test_other_text_is_not_taken(text: str):
    with pytest.raises((ValueError, KeyError, TypeError, AttributeError, ArithmeticError)):
        from_text(AccountEvent, text)


def test_a_class_that_may_stand_for_another_keeps_its_name():
    @record
    class Other:
        ts: int

    for event in (Restarted(1), CandleClosed("b", 1, 2.0, 1.0, 1.5)):
        assert type(from_text(AccountEvent, to_text(AccountEvent, event))) is type(event)
    with pytest.raises(KeyError):
        to_text(AccountEvent, Other(1))


def test_what_has_no_way_to_be_written_is_refused_at_once():
    with pytest.raises(TypeError, match="bytes"):
        codec(list[bytes])
