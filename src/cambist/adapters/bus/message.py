"""How a message is written: JSON, by the standard library, the same on every bus."""

import json
from typing import Any

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def encode(message: dict[str, Any]) -> str:
    """Return ``message`` as JSON text; raise `TypeError` or `ValueError` for what is not JSON (a Decimal, NaN)."""
    return _encode(message)


def decode(text: str) -> dict[str, Any]:
    """Return the message that ``text`` holds; raise `ValueError` if it holds none."""
    message = json.loads(text)
    if not isinstance(message, dict):
        raise ValueError(text[:80])
    return message
