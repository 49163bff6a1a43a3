"""How a message is written: JSON, by the standard library, the same on every bus."""

import json
from typing import Any


def encode(message: dict[str, Any]) -> str:
    """Return ``message`` as JSON text; raise `TypeError` or `ValueError` for what is not JSON (a Decimal, NaN)."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def decode(text: str) -> dict[str, Any]:
    """Return the message that ``text`` holds."""
    message: dict[str, Any] = json.loads(text)
    return message
