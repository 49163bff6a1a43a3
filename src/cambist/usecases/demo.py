"""The demonstration: sample strategies side by side on a market that never was."""

from collections.abc import Callable
from datetime import UTC, datetime

from cambist.backtest.run import Finished, backtest
from cambist.domain.candles import Candles
from cambist.domain.timeframe import Timeframe
from cambist.market.synthetic import synthetic_market
from cambist.ports.history import CandleLake
from cambist.strategies._load import samples

SYMBOLS = ("BTC/USDT", "ETH/USDT", "SOL/USDT")
START_MS = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp()) * 1000
CANDLES = 366 * 24
CASH = 10_000.0


def demo(lake: CandleLake, seed: int, step: Callable[[str, int, int], None]) -> list[Finished]:
    """Build the market of ``seed``, put it into ``lake`` and run each sample strategy over it.

    ``step`` is told the strategy at hand, its number, and how many there are.
    """
    market = list(
        synthetic_market(SYMBOLS, start_ms=START_MS, count=CANDLES, timeframe=Timeframe.H1, seed=seed).values()
    )
    for candles in market:
        lake.append(candles)
    strategies = samples()
    results = []
    for number, (name, strategy) in enumerate(strategies.items()):
        step(name, number, len(strategies))
        results.append(_run(strategy, market))
    step("", len(strategies), len(strategies))
    return results


def _run(strategy: type, market: list[Candles]) -> Finished:
    return backtest(strategy, market, cash=CASH)
