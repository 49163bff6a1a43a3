"""What can go wrong between a client and an exchange, to be brought about on purpose."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What the server does instead of, or beside, answering."""

    STATUS = "status"
    """Answer with ``status`` and the venue's own error body (429, 418, 5xx, 451)."""
    HTML = "html"
    """Answer with ``status`` and a web page, as proxies in front of exchanges do."""
    STALL = "stall"
    """Take the request and say nothing for ``seconds``."""
    LATENCY = "latency"
    """Answer rightly, ``seconds`` late."""
    RESET = "reset"
    """Break the connection in the middle of the body."""
    TRUNCATED = "truncated"
    """End the body too early, as if that were all: valid HTTP, half a JSON text."""
    DUPLICATES = "duplicates"
    """Send some rows twice, and out of order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault: it lets ``skip`` requests to ``path`` pass, then spoils the next ``times``."""

    kind: Kind
    path: str = "/api/v3/klines"
    skip: int = 0
    times: int = 1
    status: int = 503
    retry_after: str | None = None
    """The ``Retry-After`` header: seconds, or an HTTP date."""
    seconds: float = 0.0

    def strikes(self, request: int) -> bool:
        """Tell whether the ``request``-th request to ``path`` (from 0) is spoilt."""
        return self.skip <= request < self.skip + self.times
