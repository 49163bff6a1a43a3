"""Amounts as people give them, and what an error says of one that was left empty."""

from decimal import Decimal

import pytest

from cambist.domain.errors import BadInput
from cambist.domain.exact import TOO_LARGE, amount


@pytest.mark.parametrize(("given", "found"), [("0.10", "0.10"), (" 5 ", "5"), (7, "7"), ("1e3", "1000")])
def test_an_amount_is_what_was_written_to_the_digit(given, found):
    assert amount("budget", given) == Decimal(found)


@pytest.mark.parametrize("given", ["", "x", "0", "-1", "NaN", "inf", 0, -1, 1.5, True, None, [1], "1e16", TOO_LARGE])
def test_all_else_is_refused_by_name(given):
    with pytest.raises(BadInput) as refused:
        amount("budget", given)
    assert (refused.value.field, refused.value.value) == ("budget", given)


def test_what_was_left_empty_is_not_told_back():
    assert "''" not in str(BadInput("--venue", "", "running.amount"))
    assert str(BadInput("--cash", 0, "running.amount")).startswith("--cash: 0 will not do. ")
