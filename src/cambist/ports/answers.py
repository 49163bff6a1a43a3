"""What was answered to requests that carry a key of their own, so that a repetition is answered alike."""

from collections.abc import Mapping
from typing import Protocol

from cambist.domain.record import record


@record(kw_only=True)
class Kept:
    """A request that came before under the same key."""

    request: str
    """Keyed digest of what was asked: what was asked may hold a password."""
    ts: int
    status: int | None
    """HTTP status of the answer; None: it is still being dealt with, or whoever did it died."""
    headers: Mapping[str, str] | None = None
    """Of the answer; None: it held a secret, and nothing of it is kept."""
    body: str = ""


class Answers(Protocol):
    """One user's answered requests, by key."""

    def claim(self, key: str, request: str, ts: int) -> Kept | None:
        """Claim ``key`` for a request asked at ``ts`` (ms); return what is kept under it if it is taken.

        A claim of more than a minute ago that has no answer is taken over by the same request.
        """
        ...

    def keep(self, key: str, status: int, headers: Mapping[str, str] | None = None, body: str = "") -> None:
        """Keep the answer under ``key``; without ``headers``, only that there was one."""
        ...

    def drop(self, key: str) -> None:
        """Give ``key`` back: nothing came of the request."""
        ...
