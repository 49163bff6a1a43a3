"""How accounts stand, as clients are told: every field there, money as text."""

from dataclasses import fields, is_dataclass
from decimal import Decimal
from enum import Enum
from typing import Any

from cambist.domain.standing import AccountStanding

_OF_POSITION = (
    "symbol",
    "quantity",
    "entry_price",
    "price",
    "unrealised",
    "protection",
    "stop_loss",
    "take_profit",
    "closing",
)


def standing_data(standing: AccountStanding) -> dict[str, Any]:
    """Return how an account and its bots stand."""
    whole = _plain(standing)
    return {"account": whole.pop("id"), "left": False, **whole}


def gone() -> dict[str, Any]:
    """Return what is told of an account that no engine runs any more."""
    return {"left": True}


def positions(standing: AccountStanding) -> dict[str, Any]:
    """Return what the bots of an account hold: ``held`` is empty if they hold nothing."""
    held = [
        {"bot": bot.id, **{name: _plain(getattr(bot, name)) for name in _OF_POSITION}}
        for bot in standing.bots
        if bot.quantity
    ]
    return {
        "account": standing.id,
        "ts": standing.ts,
        "seq": standing.seq,
        "quote": standing.quote,
        "held": held,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Enum):
        return _plain(value.value)
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return value
