"""The simulated venue keeps the contract, as strict as an exchange and by the fill law, fees in quote or in base."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest
from tests.contract.venue import Place, VenueContract
from tests.unit.backtest.made import rules

from cambist.adapters.clock import SystemClock
from cambist.adapters.venues.simulated.venue import SimulatedVenue
from cambist.domain.instrument import Kind
from cambist.market.exchange import Exchange
from cambist.market.matching import Costs

D = Decimal
SYMBOL = "BTC/USDT"


class TestSimulatedVenue(VenueContract):
    @pytest.fixture(autouse=True, params=[(False, False), (True, False), (False, True)])
    def _how(self, request):
        self.by_law, self.fee_in_base = request.param

    @asynccontextmanager
    async def place(self) -> AsyncIterator[Place]:
        instrument = rules(Kind.SPOT, tick="0.01", lot="0.001", min_notional=D(5))
        clock = SystemClock()
        exchange = Exchange([instrument], Costs(), by_law=self.by_law, fee_in_base=self.fee_in_base)
        exchange.add_account("me", {"USDT": D(1_000_000), "BTC": D(1_000)})
        exchange.trade(SYMBOL, clock.now_ms(), 1_000.0, 1e9)

        async def move(price: Decimal) -> None:
            exchange.trade(SYMBOL, clock.now_ms(), float(price), 1e9)

        async def truth() -> dict[str, Decimal]:
            return {asset: balance.total for asset, balance in exchange.balances("me").items()}

        yield Place(
            venue=SimulatedVenue(exchange, "me", clock),
            symbol=SYMBOL,
            price=D(1_000),
            quantity=D("1.25"),
            move=move,
            truth=truth,
        )
