"""An exchange whose name leads nowhere: reads say that it is away, and an order has surely not left."""

import asyncio
from decimal import Decimal

import pytest

from cambist.adapters.venues.ccxt.gateway import Gateway
from cambist.domain.credentials import Credentials
from cambist.domain.errors import OutcomeUnknown, RateLimited, VenueUnavailable
from cambist.domain.order import OrderType, Side
from cambist.domain.request import OrderRequest


def test_a_name_that_cannot_be_resolved():
    async def work() -> None:
        gateway = Gateway(base_url="http://no-such-host.invalid:1")
        venue = gateway.venue("me", "binance", Credentials(api_key="k", secret="s"))
        order = OrderRequest(
            client_id="abc", symbol="BTC/USDT", side=Side.BUY, type=OrderType.MARKET, quantity=Decimal("0.01")
        )
        try:
            for question in (venue.balances(), venue.price("BTC/USDT"), venue.clock_ms(), venue.open_orders()):
                with pytest.raises(VenueUnavailable):
                    await question
            with pytest.raises(RateLimited) as told:  # the one word for "nothing was sent, try later"
                await venue.submit(order)
            assert not isinstance(told.value, OutcomeUnknown)
            assert "Nothing was sent" in str(told.value)
        finally:
            await gateway.close()

    asyncio.run(work())
