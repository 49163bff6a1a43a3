"""Long lists, a page at a time: each page says where the next begins."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, Field

from cambist.domain.errors import BadInput

T = TypeVar("T")

Cursor = Annotated[
    str | None,
    Query(max_length=200, description="`next` of the page before; leave out for the first page.", examples=["MTIz"]),
]
Limit = Annotated[int, Query(ge=1, le=500, description="How many items at most.")]


class Page(BaseModel, Generic[T]):
    """A page of a list."""

    items: list[T]
    next: str | None = Field(None, examples=["MTIz"])
    """What to give as ``after`` for the next page; null on the last."""


def position(after: str | None) -> str | None:
    """Return the position that the cursor ``after`` names; raise `BadInput` if it is none of ours."""
    if after is None:
        return None
    try:
        return base64.urlsafe_b64decode(after.encode("ascii") + b"==").decode("utf-8")
    except (binascii.Error, ValueError):
        raise BadInput("after", after, "api.cursor") from None


def number(after: str | None) -> int | None:
    """Return the number that the cursor ``after`` names; raise `BadInput` if it is none of ours."""
    text = position(after)
    if text is None:
        return None
    if not text.isdecimal() or len(text) > 18:
        raise BadInput("after", after, "api.cursor")
    return int(text)


def page(rows: Sequence[Any], limit: int, at: Callable[[Any], object], shown: Callable[[Any], T]) -> Page[T]:
    """Return the first ``limit`` of ``rows`` (one more than that was asked for, to know whether there are more).

    ``at`` gives a row's position in the list, as `position` will return it.
    """
    cut = rows[:limit]
    more = base64.urlsafe_b64encode(str(at(cut[-1])).encode()).decode().rstrip("=") if len(rows) > limit else None
    return Page(items=[shown(row) for row in cut], next=more)
