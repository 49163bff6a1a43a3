"""The word on a search's best: whether to believe it, and why."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from cambist.domain.text import say


class Light(StrEnum):
    """What the word comes to."""

    GREEN = "green"
    """An edge that stands up to every test made."""
    AMBER = "amber"
    """Something may be there, and what was seen does not show it yet."""
    RED = "red"
    """No edge: what was found is what searching finds in noise, or what costs take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One reason, for or against, as a text's key and what it is about."""

    key: str
    params: dict[str, Any] = field(default_factory=dict)
    good: bool = False
    weight: float = 0.0
    """How much it counts: the three largest are shown."""

    @property
    def text(self) -> str:
        """Return it as a sentence in the language in use."""
        return say(self.key, **self.params)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One sentence, three reasons, and the figures behind them."""

    light: Light
    key: str
    params: dict[str, Any] = field(default_factory=dict)
    reasons: tuple[Reason, ...] = ()
    """The three that weighed most, the weightiest first."""
    figures: dict[str, float] = field(default_factory=dict)
    """By name; what could not be computed is NaN."""

    @property
    def text(self) -> str:
        """Return the sentence in the language in use."""
        return say(self.key, **self.params)
