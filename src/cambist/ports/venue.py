"""One account at one venue: orders out, the venue's word back.

Every method may raise the `VenueError` tree. What it means for an order is fixed: `VenueRefused` and `RateLimited` say
that nothing happened; `VenueUnavailable` from `submit`, `cancel` or `amend` never comes (an adapter that cannot tell
raises `OutcomeUnknown`); `OutcomeUnknown` says that it may have.
"""

from collections.abc import AsyncIterator, Iterable
from decimal import Decimal
from typing import Protocol

from cambist.domain.instrument import Instrument
from cambist.domain.report import Balance, FillReport, OrderReport, Report
from cambist.domain.request import OrderRequest, Traits

__all__ = ["OrderRequest", "Traits", "Venue"]


class Venue(Protocol):
    """One account at one venue. Client order ids are at most 18 characters of ``[0-9a-z]``, the first a letter."""

    name: str
    traits: Traits

    async def instruments(self, symbols: Iterable[str]) -> dict[str, Instrument]:
        """Return the rules of ``symbols``; raise `NotFound` for one that the venue does not have."""
        ...

    async def submit(self, request: OrderRequest) -> OrderReport:
        """Place one order and return the venue's word on it."""
        ...

    async def submit_oco(
        self, list_id: str, stop: OrderRequest, target: OrderRequest
    ) -> tuple[OrderReport, OrderReport]:
        """Place a stop and a take-profit of which one fills: both or none. Only where ``traits.oco``."""
        ...

    async def cancel(self, symbol: str, client_id: str) -> OrderReport:
        """Take an order back and return the venue's word on it, final or not; raise `NotFound` if it knows none.

        One leg of an OCO takes the other with it.
        """
        ...

    async def amend(self, symbol: str, client_id: str, trigger: Decimal) -> OrderReport:
        """Move the trigger of a resting stop. Only where ``traits.amend``."""
        ...

    async def order(self, symbol: str, client_id: str) -> OrderReport:
        """Return the venue's word on one order, final ones included; raise `NotFound` if it knows none."""
        ...

    async def open_orders(self, symbols: Iterable[str] = ()) -> list[OrderReport]:
        """Return all orders that are not over, those that are not ours included.

        Where ``symbols`` are named it may leave out others: at some venues that costs a fraction of the budget.
        """
        ...

    async def fills(self, symbol: str, since_ms: int) -> list[FillReport]:
        """Return this account's fills on ``symbol`` from ``since_ms`` on, oldest first, complete."""
        ...

    async def balances(self) -> dict[str, Balance]:
        """Return what the account holds, by asset; assets of which it holds nothing may be absent."""
        ...

    async def price(self, symbol: str) -> Decimal:
        """Return the last traded price."""
        ...

    async def clock_ms(self) -> int:
        """Return the venue's time."""
        ...

    def reports(self) -> AsyncIterator[Report]:
        """Yield what the venue pushes, at least once each, in no promised order; reconnects by itself.

        A `Connection` opens the stream, and stands wherever something may have been missed.
        """
        ...

    async def close(self) -> None:
        """Give back what was opened; orders stay at the venue."""
        ...
