"""`CcxtVenue` keeps the contract, against Kraken in a box."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from tests.contract.venue import BUY, LIMIT, Place, VenueContract
from tests.unit.backtest.made import rules

from cambist.adapters.venues.ccxt.gateway import Gateway
from cambist.adapters.venues.ccxt.quirks import QUIRKS
from cambist.domain.candles import Candles
from cambist.domain.credentials import Credentials
from cambist.domain.instrument import Kind
from cambist.domain.order import TimeInForce
from cambist.domain.report import Status
from cambist.domain.timeframe import Timeframe
from cambist.market.series import build
from cambist.simulators.clock import Clock
from cambist.simulators.kraken import Customer, KrakenServer, Limits
from cambist.simulators.market import Line
from cambist.simulators.tape import Tape

D = Decimal
SYMBOL, MINUTE, START = "BTC/USDT", 60_000, 1_704_067_200_000
SECRET = "c2VjcmV0"


def minutes(prices: list[Decimal]) -> Candles:
    """Return minutes that each stood at one price, with volume enough for everybody."""
    level = np.array([float(price) for price in prices])
    ts = [START + number * MINUTE for number in range(len(prices))]
    return build("kraken", SYMBOL, Timeframe.M1, ts, level, level, level, level, np.full(len(ts), 1e9))


class TestKrakenVenue(VenueContract):
    @pytest.fixture(autouse=True)
    def unhurried(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Give the account the limits of a large customer: the suite asks more than a small one may."""
        row = QUIRKS["kraken"]
        paces = tuple(pace for pace in row.paces if pace.name != "counter")
        monkeypatch.setitem(QUIRKS, "kraken", replace(row, paces=paces))

    @asynccontextmanager
    async def place(self) -> AsyncIterator[Place]:
        instrument = rules(Kind.SPOT, tick="0.01", lot="0.001", min_notional=D(5))
        prices = [D(1_000)]
        clock = Clock(START, speed=0)
        customer = Customer(key="key", secret=SECRET, balances={"USDT": D(1_000_000), "BTC": D(1_000)}, name="me")
        server = KrakenServer(
            [minutes(prices)],
            instruments=[instrument],
            customers=[customer],
            clock=clock,
            same_clock=True,
            limits=Limits(calls=1e9, trading=1e9),
        )
        gateway = Gateway(base_url=await server.start(), now_ms=clock.now_ms)
        venue = gateway.venue("me", "kraken", Credentials(api_key="key", secret=SECRET))

        async def move(price: Decimal) -> None:
            prices.append(price)  # the tape knows another minute, and that minute comes
            server.market.lines["XBTUSDT"] = Line(instrument, Tape(minutes(prices), instrument.tick_size, 0))
            await server.advance(MINUTE)

        async def truth() -> dict[str, Decimal]:
            return {asset: balance.total for asset, balance in server.exchange.balances("me").items()}

        try:
            yield Place(venue=venue, symbol=SYMBOL, price=D(1_000), quantity=D("1.25"), move=move, truth=truth)
        finally:
            await gateway.close()
            await server.stop()

    def test_a_limit_that_must_fill_at_once_or_go_goes(self):
        async def body(place: Place) -> None:
            request = place.ask(BUY, LIMIT, "-0.02", time_in_force=TimeInForce.IOC)
            await place.venue.submit(request)
            report = await place.becomes(request, Status.CANCELLED)  # Kraken's word for it
            assert report.filled == 0
            assert await place.venue.open_orders() == []

        self.hold(body)
