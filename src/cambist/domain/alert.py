"""Alerts: what a person should know now."""

from enum import StrEnum
from typing import Any

from cambist.domain.record import record
from cambist.domain.text import say


class Level(StrEnum):
    """How much it matters."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"
    """Money is at risk until somebody looks."""


@record(kw_only=True)
class Alert:
    """One thing worth telling; ``key`` names a sentence of `cambist.domain.text`, ``params`` (JSON) fill it in."""

    ts: int
    level: Level
    key: str
    params: dict[str, Any]
    user_id: int = 1
    account: str = ""
    bot: str = ""

    def __str__(self) -> str:
        return say(self.key, **self.params)
