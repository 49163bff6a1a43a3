"""What others say that we repeat to people: sentences by key, checked before they are said."""

from collections.abc import Mapping

from cambist.domain.text import all_texts, say

LONGEST = 500
"""Characters of one parameter."""


def plain(value: object) -> str:
    """Return ``value`` if it is text, cut to `LONGEST`; of anything else only what it is."""
    return value[:LONGEST] if isinstance(value, str) else type(value).__name__


def plain_params(said: object) -> dict[str, str]:
    """Return the parameters of a sentence as text; none if ``said`` is no mapping."""
    return {str(name)[:40]: plain(value) for name, value in said.items()} if isinstance(said, Mapping) else {}


def sayable(key: object, params: Mapping[str, str]) -> bool:
    """Tell whether there is a sentence ``key`` that takes ``params``."""
    try:
        return key in all_texts() and bool(say(str(key), **params))
    except (KeyError, ValueError, IndexError, AttributeError, TypeError):
        return False
