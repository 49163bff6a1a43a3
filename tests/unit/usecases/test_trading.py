"""What a person is told before ordering: what is free, and whether it is enough."""

from decimal import Decimal

import pytest
from tests.unit.engine.rooms import BTC, PERP, instrument

from cambist.domain.order import OrderType, Side
from cambist.engine.requests import Offer
from cambist.usecases.trading import Wanted, summary

D = Decimal


@pytest.mark.parametrize(
    ("symbol", "held", "side", "quantity", "free", "enough"),
    [
        (BTC, "2", Side.BUY, "9", "1000 USDT", True),
        (BTC, "2", Side.BUY, "11", "1000 USDT", False),
        (BTC, "2", Side.SELL, "2", "2 BTC", True),
        (BTC, "2", Side.SELL, "3", "2 BTC", False),
        (PERP, "0", Side.SELL, "9", "1000 USDT", True),
        (PERP, "0", Side.SELL, "11", "1000 USDT", False),
        (PERP, "20", Side.SELL, "20", "20 BTC", True),
        (PERP, "-20", Side.BUY, "20", "20 BTC", True),
        (PERP, "-20", Side.SELL, "11", "1000 USDT", False),
    ],
)
def test_what_is_free_for_an_order(symbol: str, held: str, side: Side, quantity: str, free: str, enough: bool):
    wanted = Wanted(account="a", symbol=symbol, side=side, type=OrderType.MARKET, quantity=D(quantity))
    offer = Offer(instrument=instrument(symbol), last=D(100), free_quote=D(1_000), free_base=D(held))
    found = summary(wanted, offer)
    assert (f"{found.free} {found.asset}", found.enough) == (free, enough)
