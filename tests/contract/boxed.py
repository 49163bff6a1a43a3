"""A place before an exchange in a box, for the adapter of all exchanges."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal

import numpy as np
from tests.contract.venue import Place
from tests.unit.backtest.made import rules

from cambist.adapters.venues.ccxt.gateway import Gateway
from cambist.domain.candles import Candles
from cambist.domain.credentials import Credentials
from cambist.domain.instrument import Kind
from cambist.domain.timeframe import Timeframe
from cambist.market.series import build
from cambist.simulators.binance import ExchangeServer
from cambist.simulators.clock import Clock
from cambist.simulators.kraken import KrakenServer
from cambist.simulators.market import Customer, Line
from cambist.simulators.tape import Tape

D = Decimal
SYMBOL, MINUTE, START = "BTC/USDT", 60_000, 1_704_067_200_000


@asynccontextmanager
async def boxed(
    exchange: str, own_name: str, server_of: Callable[..., ExchangeServer | KrakenServer], *, secret: str
) -> AsyncIterator[Place]:
    """Give a place before what ``server_of`` makes, which calls `SYMBOL` ``own_name``; ``secret`` as it wants them."""
    instrument = rules(Kind.SPOT, tick="0.01", lot="0.001", min_notional=D(5))
    prices = [D(1_000)]

    def minutes() -> Candles:  # each stood at one price, with volume enough for everybody
        level = np.array([float(price) for price in prices])
        ts = [START + number * MINUTE for number in range(len(prices))]
        return build(exchange, SYMBOL, Timeframe.M1, ts, level, level, level, level, np.full(len(ts), 1e9))

    clock = Clock(START, speed=0)
    customer = Customer(key="key", secret=secret, balances={"USDT": D(1_000_000), "BTC": D(1_000)}, name="me")
    server = server_of([minutes()], instruments=[instrument], customers=[customer], clock=clock, same_clock=True)
    gateway = Gateway(base_url=await server.start(), now_ms=clock.now_ms)
    venue = gateway.venue("me", exchange, Credentials(api_key="key", secret=secret))

    async def move(price: Decimal) -> None:
        prices.append(price)  # the tape knows another minute, and that minute comes
        server.market.lines[own_name] = Line(instrument, Tape(minutes(), instrument.tick_size, 0))
        await server.advance(MINUTE)

    async def truth() -> dict[str, Decimal]:
        return {asset: balance.total for asset, balance in server.exchange.balances("me").items()}

    try:
        yield Place(venue=venue, symbol=SYMBOL, price=D(1_000), quantity=D("1.25"), move=move, truth=truth)
    finally:
        await gateway.close()
        await server.stop()
