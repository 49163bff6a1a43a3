"""Exchanges in a box, and what our adapter of all exchanges sees of them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.unit.simulators.krakens import CANDLES as KRAKEN_CANDLES
from tests.unit.simulators.krakens import RULES as KRAKEN_RULES
from tests.unit.simulators.krakens import SECRET as KRAKEN_SECRET

from cambist.adapters.venues.ccxt.exchanges import CcxtExchanges
from cambist.adapters.venues.ccxt.gateway import Gateway
from cambist.domain.credentials import Credentials
from cambist.domain.instrument import Instrument
from cambist.domain.timeframe import MINUTE_MS
from cambist.market.synthetic import synthetic_market
from cambist.simulators.binance import Customer, ExchangeServer
from cambist.simulators.clock import Clock
from cambist.simulators.kraken import KrakenServer

D = Decimal
START = 1_704_067_200_000
NOW = START + 300 * MINUTE_MS
SYMBOLS = ("BTC/USDT", "ETH/USDT", "ETH/BTC", "BTC/USDC")
CANDLES = synthetic_market(SYMBOLS, start_ms=START, count=600, timeframe="1m", seed=5)
RULES = [
    Instrument(
        venue="binance",
        symbol=symbol,
        tick_size=D("0.00001"),
        lot_step=D("0.0001"),
        min_notional=D(5),
        min_quantity=D("0.0001"),
    )
    for symbol in SYMBOLS
]
GOOD = Credentials(api_key="goodkey", secret="goodsecret")
RICH = Customer(key="goodkey", secret="goodsecret", balances={"USDT": D("1000.5"), "BTC": D("0.25"), "PEPE": D(7)})
LOOSE = Customer(key="loosekey", secret="loosesecret", balances={"USDT": D(5)}, withdraws=True)
KRAKENS = tuple(
    Customer(key=one.key, secret=KRAKEN_SECRET, balances={"USD": D(100), "BTC": D(2)}, withdraws=one.withdraws)
    for one in (RICH, LOOSE)
)


@asynccontextmanager
async def binance(**settings: Any) -> AsyncIterator[ExchangeServer]:
    server = ExchangeServer(
        CANDLES.values(),
        instruments=RULES,
        customers=[RICH, LOOSE],
        clock=Clock(NOW, speed=0),
        same_clock=True,
        **settings,
    )
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@asynccontextmanager
async def kraken() -> AsyncIterator[KrakenServer]:
    server = KrakenServer(
        KRAKEN_CANDLES.values(),
        instruments=KRAKEN_RULES,
        customers=KRAKENS,
        clock=Clock(NOW, speed=0),
        same_clock=True,
    )
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@asynccontextmanager
async def exchanges_at(url: str, folder: Path, **settings: Any) -> AsyncIterator[CcxtExchanges]:
    gateway = Gateway(base_url=url, **settings)
    found = CcxtExchanges(gateway, folder, url)
    try:
        yield found
    finally:
        await found.close()
