"""Strategies that people keep on the server: their text, its versions, and how they are named where they run."""

import re
from typing import Any

from cambist.domain.record import record
from cambist.domain.text import Language

LARGEST_BYTES = 100_000
"""How long the code of a strategy may be, in UTF-8."""

_NAME = re.compile(r"stored:([1-9][0-9]{0,17})@([1-9][0-9]{0,8})")


@record(kw_only=True)
class StoredStrategy:
    """A strategy that somebody keeps, without its code. ``id`` is given by the shelf."""

    user_id: int
    name: str
    """Of its owner's strategies no other is called so."""
    description: str = ""
    timeframe: str = ""
    """What it is meant for, such as ``1h``; empty: any."""
    version: int = 1
    """The newest; versions count from 1."""
    created_ms: int = 0
    changed_ms: int = 0
    id: int = 0


@record(kw_only=True)
class StrategyVersion:
    """What the code of a strategy was from one saving to the next: it never changes."""

    strategy: int
    version: int
    user_id: int
    code: str
    created_ms: int
    verdict: dict[str, Any]
    """What the validation said of it; empty until it was asked."""


def stored_name(strategy: int, version: int) -> str:
    """Return what bots and backtests call one version of a stored strategy."""
    return f"stored:{strategy}@{version}"


def parse_stored_name(name: str) -> tuple[int, int] | None:
    """Return (strategy, version) if ``name`` names a stored strategy; None for samples and files."""
    found = _NAME.fullmatch(name)
    return (int(found[1]), int(found[2])) if found else None


TEMPLATES: dict[Language, str] = {
    "fr": """\
# Template de base pour une nouvelle stratégie
class MaNouvelleStrategie(Strategy):
    def __init__(self, candles, balance, position=None):
        self.candles = candles
        self.balance = balance
        self.position = position

    def should_long(self) -> bool:
        # Décide si on doit acheter
        return False

    def should_short(self) -> bool:
        # Pour le futures trading uniquement
        return False

    def calculate_position_size(self) -> float:
        # Calcule la taille de la position
        return 0.0

    def calculate_stop_loss(self) -> float:
        # Calcule le stop loss
        return 0.0

    def calculate_take_profit(self) -> float:
        # Calcule le take profit
        return 0.0
""",
    "en": """\
# The template that a new strategy begins with
class MyNewStrategy(Strategy):
    def __init__(self, candles, balance, position=None):
        self.candles = candles
        self.balance = balance
        self.position = position

    def should_long(self) -> bool:
        # Decides whether to buy
        return False

    def should_short(self) -> bool:
        # For futures trading only
        return False

    def calculate_position_size(self) -> float:
        # Works out the size of the position
        return 0.0

    def calculate_stop_loss(self) -> float:
        # Works out the stop-loss
        return 0.0

    def calculate_take_profit(self) -> float:
        # Works out the take-profit
        return 0.0
""",
}
"""What a new strategy begins with: a template in the classic shape that never trades."""
