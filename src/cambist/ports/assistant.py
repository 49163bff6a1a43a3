"""What writes strategies from plain words: a language model that somebody else runs."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Which model answers, where, and for whom."""

    url: str
    """Of the interface, without a slash at its end: ``https://openrouter.ai/api/v1``."""
    model: str
    key: str = field(default="", repr=False)
    """Empty: none is needed."""
    inside: bool = False
    """Whether it may be on this machine or in its private network; if not, such addresses are refused."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of the conversation."""

    role: Literal["system", "user", "assistant"]
    text: str


class Assistant(Protocol):
    """Reaches models over the network.

    Raises `AssistantRefused` if the service says no, `AssistantFailed` if it cannot be reached, takes too long, says
    too much or breaks off, `BadInput` for an address that may not be called. No error holds the key.
    """

    def write(self, access: Access, turns: Sequence[Turn]) -> AsyncGenerator[str, None]:
        """Yield the answer to ``turns`` as it comes, piece by piece; closing the iterator hangs up."""
        ...

    async def models(self, access: Access) -> list[str]:
        """Return the names of the models that there are, sorted."""
        ...
