import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cambist.domain import expression
from cambist.domain.errors import BadInput
from cambist.domain.text import speak

KNOWN = ("fast", "slow", "sharpe", "trades", "min")


def value(text, **numbers):
    return expression.read(text, KNOWN, field="where")(numbers)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", 7.0),
        ("-fast ** 2", -100.0),
        ("slow % fast", 5.0),
        ("fast < slow", 1.0),
        ("fast < slow < 3", 0.0),
        ("fast < slow and not slow > 100", 1.0),
        ("fast > slow or slow == 25", 1.0),
        ("fast if fast > slow else slow", 25.0),
        ("max(fast, slow, 30) - min(fast, slow)", 20.0),
        ("sqrt(slow) + abs(-fast) + log(exp(2))", 17.0),
        ("round(slow / 3)", 8.0),
        ("round(slow / 3, 2)", 8.33),
    ],
)
def test_arithmetic_conditions_and_functions(text, expected):
    assert value(text, fast=10, slow=25) == pytest.approx(expected)


def test_a_number_may_have_the_name_of_a_function():
    assert value("min(min, fast)", min=3, fast=7) == 3.0


@pytest.mark.parametrize(
    "text", ["1 / (fast - fast)", "fast % 0", "sqrt(-1)", "log(0)", "(-8) ** 0.5", "9 ** 9 ** 9", "exp(1e6)", "0 ** -1"]
)
def test_what_has_no_value_is_nan(text):
    assert math.isnan(value(text, fast=10))


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('x')",
        "fast.__class__",
        "(lambda: 1)()",
        "[1, 2]",
        "{fast}",
        "'a' * 9",
        "fast[0]",
        "open",
        "eval(1)",
        "f'{fast}'",
        "fast := 3",
        "1j",
        "None",
        "...",
        "fast << 9",
        "fast // 2",
        "~fast",
        "fast in slow",
        "fast is slow",
        "max(*fast)",
        "round(fast, ndigits=2)",
        "(yield)",
        "5(3)",
        "[x for x in fast]",
        "fast; slow",
        "fast =",
        "1 +",
        "",
        "fast\x00",
        "(" * 300,
        "-" * 400 + "1",
        "1+" * 400 + "1",
        "(" * 90 + "1" + ")" * 90 + "+" + "-" * 60 + "1",
    ],
)
def test_nothing_else_is_read(text):
    with pytest.raises(BadInput) as caught:
        value(text, fast=1)
    assert caught.value.field == "where"


def test_an_error_names_the_place_and_what_was_perhaps_meant():
    with pytest.raises(BadInput) as caught:
        expression.read("fast < slaw", KNOWN, field="where")
    assert caught.value.value == "fast < slaw"
    assert caught.value.params["column"] == 8
    assert "slow" in str(caught.value)
    assert "'slaw'" in str(caught.value)
    try:
        speak("fr")
        assert "À la colonne 8" in str(caught.value)
    finally:
        speak("en")


def test_a_function_says_how_many_numbers_it_takes():
    with pytest.raises(BadInput, match="min takes from 2 to 20"):
        expression.read("min(fast)", KNOWN, field="where")


def test_it_names_what_it_asks_for():
    read = expression.read(" sharpe * sqrt(trades) ", KNOWN, field="objective")
    assert read.names == {"sharpe", "trades"}
    assert read.text == "sharpe * sqrt(trades)"
    with pytest.raises(KeyError):
        read({"sharpe": 1.0})


NUMBERS = st.floats(-1e6, 1e6)


@given(NUMBERS, NUMBERS, NUMBERS)
def test_it_is_pythons_own_arithmetic(a, b, c):
    text = f"({a!r} + fast) * {b!r} - slow / 7 if fast <= slow else -{abs(c)!r}"
    expected = (a + b) * b - c / 7 if b <= c else -abs(c)
    assert value(text, fast=b, slow=c) == expected


@given(st.text("fastlow0123456789.+-*/%<>=!() andort", max_size=60))
def test_any_text_is_read_or_refused(text):
    try:
        found = value(text, fast=3, slow=5)
    except BadInput:
        return
    assert isinstance(found, float)
