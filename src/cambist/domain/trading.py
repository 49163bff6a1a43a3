"""Whether an account may trade: what a person allows, and what the equity breaker leaves of it."""

from enum import IntEnum, StrEnum


class TradingState(StrEnum):
    """What a person (or the kill switch) allows an account to do. Texts: ``trading.<state>``."""

    ACTIVE = "active"
    REDUCE_ONLY = "reduce_only"
    """No entries; positions are protected and closed as usual."""
    HALTED = "halted"
    """Nothing leaves, but what reduces a position if whoever halted allowed that."""


class BreakerStage(IntEnum):
    """How far the equity breaker has come. Ordered: a later stage keeps all that an earlier one forbids.

    Texts: ``breaker.<name in lower case>``.
    """

    CLEAR = 0
    HALVE = 1
    """New entries have half their size."""
    NO_ENTRIES = 2
    """No entry may leave; those that wait at the venue may still fill."""
    REDUCE_ONLY = 3
    """Waiting entries are taken back too: no position grows any more."""
    FLATTEN = 4
    """Every position is closed."""
