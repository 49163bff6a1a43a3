"""Accounts and bots: whose money trades where, and by which strategy."""

from decimal import Decimal
from enum import StrEnum
from typing import Any

from cambist.domain.record import record
from cambist.domain.timeframe import Timeframe


class Mode(StrEnum):
    """Where an account's orders go."""

    PAPER = "paper"
    """The simulated venue."""
    TESTNET = "testnet"
    LIVE = "live"


class BotStatus(StrEnum):
    """What a bot is doing."""

    CREATED = "created"
    RUNNING = "running"
    SUSPENDED = "suspended"
    """By a person: no new entries; what it holds stays protected."""
    PAUSED = "paused"
    """By the engine, after its strategy failed; an alert says why."""
    STOPPED = "stopped"
    DELETED = "deleted"
    """It gave its money back, and only what has become of its orders is known of it."""


LOCAL_USER = 1
"""Who uses the command line: the first, and on most machines the only one."""


def owned_id(name: str, user_id: int) -> str:
    """Return the id under which an account or a bot that ``user_id`` calls ``name`` is kept.

    Ids of different people never clash, so that nobody learns from a clash what others have.
    """
    return name if user_id == LOCAL_USER else f"{name}.{user_id}"


HAND = "hand"
"""The strategy of orders that people place themselves."""
WEBHOOK = "webhook"
"""The strategy of bots that decide nothing by themselves: their wishes come from outside."""


@record(kw_only=True)
class AccountSpec:
    """One person's account at one venue."""

    id: str
    user_id: int
    venue: str
    mode: Mode
    quote: str
    """The currency in which its bots count."""
    settings: dict[str, Any] | None = None
    """What a person has set, as JSON: limits, breaker, what a paper account began with. None: nothing."""


@record(kw_only=True)
class BotSpec:
    """One strategy on one instrument, with a budget of its own out of its account's cash."""

    id: str
    user_id: int
    account: str
    strategy: str
    """As `cambist.strategies` loads it: a sample's name, or a file."""
    params: dict[str, Any]
    symbol: str
    timeframe: Timeframe
    budget: Decimal
    since_ms: int | None = None
    until_ms: int | None = None
    pyramiding: int = 1
