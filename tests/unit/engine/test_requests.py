"""What people ask, as JSON: wishes that are whole, or an error that names the field."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cambist.domain.errors import BadInput
from cambist.domain.order import Side
from cambist.domain.wish import CancelEntries, Enter, Exit, Fraction, Notional, Quantity
from cambist.engine.requests import wishes_of


def test_wishes_of_every_kind():
    asked: list[dict[str, Any]] = [
        {"kind": "enter", "side": "buy", "quantity": "0.1", "stop_loss": 0.02, "take_profit": "1.5"},
        {"kind": "enter", "side": "sell", "notional": "100", "limit": "90.5"},
        {"kind": "enter", "side": "buy", "fraction": "0.25", "trailing_stop": "0.1", "limit": None},
        {"kind": "exit"},
        {"kind": "cancel"},
    ]
    assert wishes_of({"wishes": asked}) == (
        Enter(side=Side.BUY, size=Quantity(Decimal("0.1")), stop_loss=0.02, take_profit=1.5),
        Enter(side=Side.SELL, size=Notional(100.0), limit=90.5),
        Enter(side=Side.BUY, size=Fraction(0.25), trailing_stop=0.1),
        Exit(),
        CancelEntries(),
    )


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"kind": "enter", "side": "buy"}, "quantity"),
        ({"kind": "enter", "side": "buy", "quantity": "1", "notional": "1"}, "quantity"),
        ({"kind": "enter", "side": "hold", "quantity": "1"}, "side"),
        ({"kind": "enter", "side": "buy", "quantity": 0.1}, "quantity"),
        ({"kind": "enter", "side": "buy", "quantity": "-1"}, "quantity"),
        ({"kind": "enter", "side": "buy", "fraction": "2"}, "fraction"),
        ({"kind": "enter", "side": "buy", "quantity": "1", "stop_loss": 1.5}, "stop_loss"),
        ({"kind": "enter", "side": "buy", "quantity": "1", "limit": "NaN"}, "limit"),
        ({"kind": "leave"}, "kind"),
        ("exit", "kind"),
    ],
)
def test_what_is_wrong_is_named(wish: Any, field: str):
    with pytest.raises(BadInput) as refused:
        wishes_of({"wishes": [wish]})
    assert refused.value.field == field


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_nothing_else_is_ever_raised(anything: Any):
    for params in ({"wishes": anything}, {"wishes": [anything]}, {"wishes": [{"kind": "enter", "side": anything}]}):
        with pytest.raises(BadInput):
            wishes_of(params)
