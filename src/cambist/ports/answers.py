"""What was answered to requests that carry a key of their own, so that a repetition is answered alike."""

from typing import Protocol

from cambist.domain.record import record


@record(kw_only=True)
class Kept:
    """A request that came before under the same key."""

    request: str
    """Digest of what was asked."""
    ts: int
    status: int | None
    """HTTP status of the answer; None: it is still being dealt with, or whoever did it died."""
    body: str


class Answers(Protocol):
    """One user's answered requests, by key."""

    def claim(self, key: str, request: str, ts: int) -> Kept | None:
        """Claim ``key`` for a request asked at ``ts`` (ms); return what is kept under it if it is taken.

        A claim of more than a minute ago that has no answer is taken over by the same request.
        """
        ...

    def keep(self, key: str, status: int, body: str) -> None:
        """Keep the answer under ``key``."""
        ...

    def drop(self, key: str) -> None:
        """Give ``key`` back: nothing came of the request."""
        ...
