"""How one account speaks with its exchange, and what it means when that fails."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from cambist.adapters.venues.ccxt.errors import translate
from cambist.adapters.venues.ccxt.lazy import error_classes
from cambist.adapters.venues.ccxt.pace import errand
from cambist.adapters.venues.ccxt.place import Place
from cambist.domain.credentials import Credentials
from cambist.domain.errors import CambistError, NotFound, RateLimited, VenueError, VenueRefused
from cambist.market.budget import Urgency

T = TypeVar("T")


class Line:
    """An account's own view of ccxt's exchange, and three ways to use it."""

    def __init__(self, place: Place, credentials: Credentials) -> None:
        self.place = place
        self.view: Any = place.view(credentials)

    async def before(self, preparation: Callable[[], Awaitable[T]]) -> T:
        """Return what ``preparation`` gives. Nothing has changed at the venue if it fails, and the error says so:
        `VenueRefused`, `NotFound` or `RateLimited`.
        """
        try:
            return await preparation()
        except (RateLimited, VenueRefused, NotFound):
            raise
        except VenueError as error:
            raise RateLimited("venue.not_ready", None, venue=self.place.name, why=error) from error

    async def act(self, action: Callable[[], Awaitable[T]], urgency: Urgency, orders: int = 0) -> T:
        """Return the answer to what may change something there and places so many ``orders``; it is sent once.

        Nothing has changed if it raises anything but `OutcomeUnknown`.
        """
        return await self._call(action, urgency, orders, ordering=True)

    async def ask(self, question: Callable[[], Awaitable[T]], urgency: Urgency) -> T:
        """Return the answer to what changes nothing; raises the `VenueError` tree."""
        await self.place.ready()
        return await self._call(question, urgency, 0, ordering=False)

    async def _call(self, call: Callable[[], Awaitable[T]], urgency: Urgency, orders: int, *, ordering: bool) -> T:
        self.place.refresh(self.view)
        try:
            with errand(urgency, orders):
                try:
                    return await call()
                except error_classes().InvalidNonce:
                    # refused for its time stamp alone, so nothing happened: once more, with the venue's own time
                    await self.before(self.place.measure_clock)
                    return await call()
        except (CambistError, asyncio.CancelledError):
            raise
        except Exception as error:
            raise translate(error, self.place.name, ordering=ordering) from error
