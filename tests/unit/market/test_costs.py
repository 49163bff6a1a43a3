"""Steps, slippage, levels and what cash pays for: floats against exact decimals."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cambist.market.costs import affordable, level_steps, slipped_steps, step_parts, steps_down, steps_up

D = Decimal
STEPS = ("1", "10", "0.5", "0.25", "0.1", "0.05", "0.01", "0.001", "0.00001", "0.00000001", "0.000025")
TOLERANCE = D("2e-15")  # relative, of the last bits of a product of doubles; and 1e-9 of a step
steps = st.sampled_from(STEPS).map(D)
prices = st.tuples(st.integers(1, 10**11), st.integers(0, 9)).map(lambda made: float(D(made[0]).scaleb(-made[1])))
fractions = st.one_of(
    st.sampled_from([0.0, 0.01, 0.02, 0.05, 0.1, 0.5]), st.floats(0, 0.9, allow_nan=False, allow_subnormal=False)
)
signs = st.sampled_from([1, -1])


MANY = 10**13
"""More ticks or lots than any market has; from some 10**14 on the tolerance would be worth a whole one."""


def exact(value: Decimal, step: Decimal, rounding: str) -> int:
    with localcontext(prec=80):
        return int((value / step).to_integral_value(rounding))


def slack(value: Decimal, step: Decimal) -> Decimal:
    """How far from a whole step two honest answers may lie on either side of it."""
    return abs(value / step) * TOLERANCE * 2 + D("2e-9")


def agrees(found: int, value: Decimal, step: Decimal, rounding: str) -> bool:
    with localcontext(prec=80):
        around = slack(value, step) * step
        return found in {exact(value + shift, step, rounding) for shift in (-around, 0, around)}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("1", (1, 1)),
        ("10", (10, 1)),
        ("0.01", (1, 100)),
        ("0.010", (1, 100)),
        ("0.25", (25, 100)),
        ("2.5", (25, 10)),
        ("1E-8", (1, 10**8)),
        ("1E+2", (100, 1)),
    ],
)
def test_a_step_is_an_integer_over_a_power_of_ten(text, parts):
    assert step_parts(D(text)) == parts


@pytest.mark.parametrize("text", ["0", "-0.1", "NaN", "Infinity"])
def test_what_is_no_positive_number_is_no_step(text):
    with pytest.raises(ValueError, match="a step must be a positive number"):
        step_parts(D(text))


@given(count=st.integers(0, 10**9), step=steps)
def test_whole_steps_stay_what_they_are_both_ways(count, step):
    mul, scale = step_parts(step)
    for value in (float(step * count), count * mul / scale):  # parsed from text, or computed
        assert steps_down(value, mul, scale) == count
        assert steps_up(value, mul, scale) == count


@given(count=st.integers(0, 10**9), step=steps, inside=st.integers(1, 999))
def test_between_two_steps_down_is_the_lower_and_up_the_higher(count, step, inside):
    mul, scale = step_parts(step)
    value = float(step * (count + D(inside) / 1000))
    assert steps_down(value, mul, scale) == count
    assert steps_up(value, mul, scale) == count + 1


@given(value=prices, step=steps)
def test_steps_are_those_of_exact_arithmetic(value, step):
    assume(value / float(step) < MANY)
    mul, scale = step_parts(step)
    assert agrees(steps_down(value, mul, scale), D(repr(value)), step, ROUND_FLOOR)
    assert agrees(steps_up(value, mul, scale), D(repr(value)), step, ROUND_CEILING)


@given(price=prices, sign=signs, bps=st.sampled_from([0.0, 1.0, 5.0, 6.5, 50.0, 1000.0]), step=steps)
def test_slippage_is_exact_and_against_the_order(price, sign, bps, step):
    assume(price / float(step) < MANY)
    mul, scale = step_parts(step)
    found = slipped_steps(price, sign, bps * 1e-4, mul, scale)
    worse = D(repr(price)) * (1 + sign * D(str(bps)) / 10_000)
    assert agrees(found, worse, step, ROUND_CEILING if sign > 0 else ROUND_FLOOR)
    with localcontext(prec=80):  # never better than the price that it acts at
        assert (step * found - D(repr(price))) * sign >= -slack(D(repr(price)), step) * step


@given(price=prices, sign=signs, fraction=fractions, away=signs, step=steps)
def test_levels_are_exact_and_on_the_dearer_side_of_the_position(price, sign, fraction, away, step):
    assume(price / float(step) < MANY)
    mul, scale = step_parts(step)
    found = level_steps(price, sign, away * fraction, mul, scale)
    with localcontext(prec=80):
        wanted = D(repr(price)) * (1 + sign * away * D(repr(fraction)))
    assert agrees(found, wanted, step, ROUND_CEILING if sign > 0 else ROUND_FLOOR)


def test_levels_by_hand():
    mul, scale = step_parts(D("0.1"))
    assert level_steps(100.03, 1, -0.02, mul, scale) == 981  # 98.0294: a long's stop comes no later
    assert level_steps(100.03, 1, 0.02, mul, scale) == 1021  # 102.0306: a long's target no sooner
    assert level_steps(100.03, -1, -0.02, mul, scale) == 1020  # 102.0306: a short's stop no later
    assert level_steps(100.03, -1, 0.02, mul, scale) == 980  # 98.0294: a short's target no sooner
    assert level_steps(100.0, 1, -0.02, mul, scale) == 980  # on the tick already


@given(
    cash=st.integers(0, 10**13).map(lambda cents: cents / 100),
    price=prices,
    fee=st.sampled_from([0.0, 0.0001, 0.00075, 0.001, 0.01, -0.0001]),
    step=steps,
)
def test_cash_pays_for_that_many_lots_and_not_for_one_more(cash, price, fee, step):
    mul, scale = step_parts(step)
    lots = affordable(cash, price, fee, mul, scale)
    with localcontext(prec=80):
        each = step * D(repr(price)) * (1 + D(repr(fee)))
        most = D(repr(cash)) / each
        around = slack(most, D(1))
        assert lots <= most + around
        assert lots + 1 > most - around


@given(cash=st.floats(-1e9, 0), price=prices, step=steps)
def test_no_cash_pays_for_nothing(cash, price, step):
    assert affordable(cash, price, 0.001, *step_parts(step)) == 0


@pytest.mark.parametrize("cash", [1e12, 1e18, 1e25])
def test_counts_beyond_the_digits_of_a_double_end(cash):
    lots = affordable(cash, 1e-9, 0.001, *step_parts(D("0.00000001")))
    assert lots == pytest.approx(cash / 1e-9 / 1.001 * 1e8, rel=1e-14)
