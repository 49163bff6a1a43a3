"""How an alert of the bus reads, in a terminal."""

import textwrap
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from typing import Any

from rich.text import Text

from cambist.apps.cli import standings, tables
from cambist.domain.alert import Level
from cambist.domain.metrics import number
from cambist.domain.text import all_texts, say

_LEVELS = {Level.CRITICAL: (standings.BAD, "!!"), Level.WARNING: (standings.WARN, "!"), Level.INFO: ("", "·")}

_SPOKEN = {"side": "side", "why": "role", "stage": "breaker"}
_AMOUNTS: dict[str, Callable[[Decimal], str]] = {
    "price": standings.price_text,
    "quantity": standings.amount_text,
    "risk": standings.money,
    "gain": standings.money,
    "ratio": lambda ratio: number(float(ratio), 2),
    "pnl": lambda pnl: standings.signed(pnl, standings.money(pnl)),
}


def alert_lines(message: dict[str, Any], width: int) -> list[Text]:
    """Return an alert in at most two lines: when, how much it matters, what."""
    level = Level(message["level"]) if message.get("level") in list(Level) else Level.INFO
    style, mark = _LEVELS[level]
    start = f"{standings.clock_text(_moment_ms(message))} {mark:<2} "
    first, *rest = textwrap.wrap(alert_text(message), max(20, width - len(start))) or [""]
    lines = [Text.assemble((start, tables.FAINT), (first, style))]
    if rest:
        more = rest[0] if len(rest) == 1 else f"{rest[0][: width - len(start) - 1]}…"
        lines.append(Text(" " * len(start) + more, style=style))
    return lines


def alert_text(message: dict[str, Any]) -> str:
    """Return what an alert of the bus says, in the language in use; its type, if this Cambist has no words for it."""
    with suppress(KeyError, IndexError, ValueError, TypeError):
        return say(message["key"], **{name: _spoken(name, value) for name, value in message["params"].items()})
    return str(message.get("type", ""))


def _spoken(name: str, value: Any) -> Any:
    """Return what is filled into a sentence as people read it: words in their language, amounts as they write them."""
    words, amounts = _SPOKEN.get(name), _AMOUNTS.get(name)
    if words is not None and f"{words}.{value}" in all_texts():
        return say(f"{words}.{value}")
    return amounts(Decimal(value)) if amounts is not None else value


def _moment_ms(message: dict[str, Any]) -> int:
    """Return when a message says it happened (ms); 0 if it does not say."""
    try:
        return round(datetime.fromisoformat(message["timestamp"]).timestamp() * 1_000)
    except (KeyError, TypeError, ValueError):
        return 0
