"""Other people's code: a jailed process made ready, and a live decision through the jail.

``python -m bench.jail`` prints it as JSON. The strategy is an EMA cross on one-minute candles; the clock runs from the
closed candle handed over to the wishes taken back, as the engine waits for them.
"""

from __future__ import annotations

import asyncio
import gc
import json
import time
from statistics import median

from bench.beats import percentile
from cambist.adapters.sandbox.processes import ProcessSandbox
from cambist.domain.candles import Candle, Candles
from cambist.domain.errors import StrategyFailed
from cambist.domain.instrument import Instrument
from cambist.engine.jailed import Stored
from cambist.market.synthetic import synthetic_market

DECISIONS = 3_000
BIRTHS = 40
WARM = 500
CODE = """
class Cross(Strategy):
    def init(self):
        self.quick, self.calm = self.ema(10), self.ema(20)

    def next(self):
        if crossed_above(self.quick, self.calm):
            self.buy(fraction=0.1, stop_loss=0.02, take_profit=0.04)
        elif crossed_below(self.quick, self.calm):
            self.close()
"""


class Purse:
    def equity(self, price: float) -> float:
        del price
        return 10_000.0

    def cash(self) -> float:
        return 10_000.0


def rows() -> list[dict[str, object]]:
    """Return what was measured."""
    sandbox = ProcessSandbox("cambist.usecases.inside")
    try:
        return _measured(sandbox)
    finally:
        sandbox.close()


def _measured(sandbox: ProcessSandbox) -> list[dict[str, object]]:
    held = sandbox.holds()
    if not held.ok:
        return [{"what": "the jail", "came": held.why, "target": "it holds", "met": False}]
    market = synthetic_market(("BTC/USDT",), start_ms=1_704_067_200_000, count=WARM + DECISIONS, timeframe="1m", seed=1)
    decisions = asyncio.run(_decisions(sandbox, market["BTC/USDT"]))
    born = sorted(_born(sandbox) for _ in range(BIRTHS))
    middle, late = median(decisions), percentile(decisions, 0.99)
    return [
        {"what": "decision, median", "came": f"{1e3 * middle:.2f} ms", "target": "under 1 ms", "met": middle < 1e-3},
        {"what": "decision, p99", "came": f"{1e3 * late:.2f} ms", "target": "under 5 ms", "met": late < 5e-3},
        {"what": "jailed process ready, median", "came": f"{1e3 * median(born):.1f} ms", "target": "", "met": None},
    ]


async def _decisions(sandbox: ProcessSandbox, candles: Candles) -> list[float]:
    """Return how long each decision took (s)."""
    rules = Instrument.assume(candles.venue, candles.symbol, float(candles.high.max()))
    stored = Stored(sandbox, CODE, "stored:1@1", {})
    runner = stored.begin(candles[:WARM], rules, Purse())
    following: list[Candle] = list(candles[WARM:])
    took = []
    gc.collect()
    for candle in following:
        runner.tell(0.5, candle.open)
        start = time.perf_counter()
        await runner.decide_soon(candle, 5.0)
        took.append(time.perf_counter() - start)
    runner.close()
    return took


def _born(sandbox: ProcessSandbox) -> float:
    """Return how long it takes until a new jailed process answers (s)."""
    start = time.perf_counter()
    process = sandbox.start()
    try:
        process.ask("nothing", {}, timeout_s=10.0)
    except StrategyFailed:  # it answers that there is no such verb
        return time.perf_counter() - start
    finally:
        process.close()
    raise AssertionError("there is no such verb")


if __name__ == "__main__":
    print(json.dumps(rows()))
