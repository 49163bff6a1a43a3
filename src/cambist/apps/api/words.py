"""Types that bodies and answers are made of: exact numbers as text, and what every model shares."""

from decimal import Context, Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator, WithJsonSchema

_MOST_DIGITS = 40
_PLACES, _WIDE = -18, Context(prec=100)
_FINEST, _ZERO = Decimal(1).scaleb(_PLACES), Decimal(0)


def _exact(value: Any) -> Decimal:
    """Return the number in ``value``: text, an integer, or a `Decimal`; a float has lost digits already."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ValueError("not_exact")
    if isinstance(value, str) and len(value) > _MOST_DIGITS:
        raise ValueError("not_exact")
    try:
        number = value if isinstance(value, Decimal) else Decimal(value)
    except InvalidOperation:
        raise ValueError("not_exact") from None
    if not number.is_finite() or abs(number.adjusted()) > _MOST_DIGITS:
        raise ValueError("not_exact")
    return number


def _at_most_18_places(value: Any) -> Decimal:
    """Return an amount as it is shown: averages and what was turned into another currency are divisions, and have as
    many digits as one lets them. No asset is divided more finely than this."""
    if isinstance(value, Decimal) and value.is_finite():
        exponent = value.as_tuple().exponent
        if isinstance(exponent, int) and exponent < _PLACES:
            value = value.quantize(_FINEST, context=_WIDE)
        value = value or _ZERO
    return _exact(value)


_AS_TEXT = (
    PlainSerializer(lambda number: f"{number:f}", return_type=str, when_used="json"),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^[+-]?(\d+(\.\d*)?|\.\d+)$",
            "maxLength": _MOST_DIGITS,
            "examples": ["0.015"],
            "description": "An exact decimal number, as text.",
        }
    ),
)

Exact = Annotated[Decimal, PlainValidator(_exact), *_AS_TEXT]
"""A `Decimal` that travels as text."""

Amount = Annotated[Decimal, PlainValidator(_at_most_18_places), *_AS_TEXT]
"""A `Decimal` as it is answered: averages and sums may have more digits than anybody's money has."""

NO_NUL = r"^[^\x00]*$"
"""What a database takes as text."""
PLAIN = r"^[^\x00-\x1f]*$"
"""Text of one line."""

Ms = Annotated[int, Field(ge=0, le=253_402_300_799_999, description="Milliseconds since 1970-01-01 UTC.")]
"""A moment."""


ParamName = Annotated[str, Field(max_length=60, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
"""What a strategy's parameter may be called."""


class Body(BaseModel):
    """What a request brings; a field that is not known is an error, for it would do nothing."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False)


class Answer(BaseModel):
    """What is answered; made of domain records, field by field of the same name."""

    model_config = ConfigDict(from_attributes=True)
