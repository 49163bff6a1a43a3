"""`CcxtVenue` keeps the contract, against Kraken in a box."""

from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from functools import partial

import pytest
from tests.contract.boxed import boxed
from tests.contract.venue import BUY, LIMIT, Place, VenueContract

from cambist.adapters.venues.ccxt.quirks import QUIRKS
from cambist.domain.order import TimeInForce
from cambist.domain.report import Status
from cambist.simulators.kraken import KrakenServer, Limits


class TestKrakenVenue(VenueContract):
    @pytest.fixture(autouse=True)
    def unhurried(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Give the account the limits of a large customer: the suite asks more than a small one may."""
        row = QUIRKS["kraken"]
        paces = tuple(pace for pace in row.paces if pace.name != "counter")
        monkeypatch.setitem(QUIRKS, "kraken", replace(row, paces=paces))

    def place(self) -> AbstractAsyncContextManager[Place]:
        server = partial(KrakenServer, limits=Limits(calls=1e9, trading=1e9))
        return boxed("kraken", "XBTUSDT", server, secret="c2VjcmV0")

    def test_a_limit_that_must_fill_at_once_or_go_goes(self):
        async def body(place: Place) -> None:
            request = place.ask(BUY, LIMIT, "-0.02", time_in_force=TimeInForce.IOC)
            await place.venue.submit(request)
            report = await place.becomes(request, Status.CANCELLED)  # Kraken's word for it
            assert report.filled == 0
            assert await place.venue.open_orders() == []

        self.hold(body)
