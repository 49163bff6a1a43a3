"""Tickets: how a page opens a stream without its token in an address."""

import time
from collections.abc import Callable
from secrets import token_urlsafe

LASTS_S = 30
_MOST = 10_000


class Tickets:
    """Keeps tokens for half a minute, each under a name that is good once. For one event loop."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._kept: dict[str, tuple[str, float]] = {}
        """Ticket to (token, until when), the oldest first."""

    def issue(self, token: str) -> str:
        """Return a ticket that stands for ``token``."""
        self._drop_old()
        ticket = token_urlsafe(32)
        self._kept[ticket] = token, self._now_s() + LASTS_S
        return ticket

    def redeem(self, ticket: str) -> str | None:
        """Return the token that ``ticket`` stands for, once; None if it is none, or its time is over."""
        self._drop_old()
        kept = self._kept.pop(ticket, None)
        return None if kept is None else kept[0]

    def _drop_old(self) -> None:
        now_s = self._now_s()
        while self._kept:
            oldest = next(iter(self._kept))
            if self._kept[oldest][1] > now_s and len(self._kept) < _MOST:
                return
            del self._kept[oldest]
