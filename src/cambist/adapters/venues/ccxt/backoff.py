"""How patiently a venue is asked by what can wait for it: again and again, at the pace of `cambist.market.backoff`."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from cambist.domain.errors import RateLimited, VenueUnavailable
from cambist.domain.text import say
from cambist.market.backoff import wait_s

Answer = TypeVar("Answer")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """How patiently a venue is asked.

    A question is asked ``tries`` times at most, with waits between as `cambist.market.backoff.wait_s` has them: bots
    with different seeds do not return all at once. A venue's own ``Retry-After`` is honoured to the second, unless it
    is beyond ``patience_s``: then we give up.
    """

    tries: int = 7
    first_s: float = 0.5
    longest_s: float = 30.0
    patience_s: float = 300.0
    seed: int = 0

    def wait_s(self, attempt: int, retry_after_s: float | None = None) -> float:
        """Return the wait in seconds after the failed try ``attempt`` (1, 2, ...)."""
        wait = wait_s(attempt, first_s=self.first_s, longest_s=self.longest_s, seed=str(self.seed))
        return max(wait, retry_after_s or 0.0)

    def ask(self, question: Callable[[], Answer], venue: str, sleep: Callable[[float], None] = time.sleep) -> Answer:
        """Return the answer to ``question``, asking again while it raises `VenueUnavailable`.

        Raises `VenueUnavailable` (or `RateLimited`, if the last answer was that) once the tries are used up, and at
        once whatever else ``question`` raises.
        """
        for attempt in range(1, self.tries):
            try:
                return question()
            except VenueUnavailable as error:
                asked = error.retry_after_s if isinstance(error, RateLimited) else None
                if asked is not None and asked > self.patience_s:
                    raise RateLimited("venue.banned", asked, venue=venue, minutes=round(asked / 60)) from error
                wait = self.wait_s(attempt, asked)
                _log.warning("%s", say("venue.waiting", why=error, seconds=f"{wait:.1f}", left=self.tries - attempt))
                sleep(wait)
        try:
            return question()
        except RateLimited as error:
            raise RateLimited(
                "venue.given_up", error.retry_after_s, venue=venue, tries=self.tries, why=error
            ) from error
        except VenueUnavailable as error:
            raise VenueUnavailable("venue.given_up", venue=venue, tries=self.tries, why=error) from error
