"""An exchange in a box, in a process of its own: ``python -m bench.box SETUP`` prints its address, then, when its
standard input ends, when each minute's closing message went out and when each order arrived.

Times are of the clock that all processes of one machine share. ``SETUP`` is JSON: see `Setup`.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from aiohttp import web

from bench.work import FIRST_TS, MINUTE_MS
from cambist.market.synthetic import synthetic_market
from cambist.simulators.binance import Customer, ExchangeServer
from cambist.simulators.binance.weights import Limits
from cambist.simulators.clock import Clock
from cambist.simulators.faults import Fault
from cambist.simulators.serving import Answer

SYMBOL, SECRET = "BTC/USDT", "s"
ACCOUNTS = 2
"""Of two customers: Binance lets one place 100 orders in ten seconds, of which ten are kept for stops."""
HISTORY = 300
"""Minutes of market before the box is opened."""


@dataclass(frozen=True)
class Setup:
    """How fast the box's time passes: a minute takes ``minute_s`` of ours."""

    minute_s: float
    minutes: int

    @property
    def speed(self) -> float:
        return 60.0 / self.minute_s

    def command(self) -> tuple[str, ...]:
        """Return the command that opens the box."""
        return (sys.executable, "-m", "bench.box", json.dumps(asdict(self)))


class Stamped(ExchangeServer):
    """The exchange in a box, with a watch beside its door."""

    def __init__(self, *candles: Any, **more: Any) -> None:
        super().__init__(*candles, **more)
        self.closed: list[float] = []
        self.arrived: list[float] = []
        send = self.streams._send

        def sending(stream: str, message: Any) -> None:
            if stream.endswith("@kline_1m") and message["k"]["x"]:
                self.closed.append(time.perf_counter())
            send(stream, message)

        self.streams._send = sending  # type: ignore[method-assign]

    def _answer(
        self, request: web.Request, name: str, params: dict[str, str], payload: str, fault: Fault | None
    ) -> Answer:
        if name == "POST /api/v3/order":
            self.arrived.append(time.perf_counter())
        return super()._answer(request, name, params, payload, fault)


async def serve(setup: Setup) -> None:
    count = HISTORY + setup.minutes + 1_000
    series = synthetic_market((SYMBOL,), start_ms=FIRST_TS, count=count, timeframe="1m", seed=5)[SYMBOL]
    held = {"USDT": Decimal(100_000_000)}
    box = Stamped(
        (series,),
        customers=[Customer(key=f"rich{number}", secret=SECRET, balances=held) for number in range(ACCOUNTS)],
        clock=Clock(FIRST_TS + HISTORY * MINUTE_MS, setup.speed),
        limits=Limits(weight=10**9, orders=10**9),  # what the venue lets through is its own figure
    )
    print(await box.start(), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    print(json.dumps({"closed": box.closed, "arrived": box.arrived}), flush=True)
    await box.stop()


if __name__ == "__main__":
    asyncio.run(serve(Setup(**json.loads(sys.argv[1]))))
