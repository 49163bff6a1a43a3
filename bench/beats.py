"""The heartbeat on a live stream: from the closing message on the wire to the signal on the bus, and a long soak."""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Any

from bench.announcer import Plan, command
from bench.work import FIRST_TS, MINUTE_MS, ROOT
from cambist.adapters.bus import open_bus
from cambist.adapters.storage.heartbeat_log import SqlHeartbeatLog
from cambist.adapters.venues.binance.feed import BinanceFeed
from cambist.domain.candles import Candles
from cambist.domain.errors import NotFound
from cambist.domain.tick import TradeTick
from cambist.domain.timeframe import Timeframe
from cambist.engine.heartbeat import Heartbeat
from cambist.ports.bus import CANDLES, HEARTBEAT, RAW


class NothingMissed:
    """A venue's history that nobody should ask: the stream is whole."""

    async def candles(self, symbol: str, timeframe: Timeframe, since: int, until: int) -> Candles:
        raise NotFound("candles.none", venue="announcer", symbol=symbol)

    async def trades(self, symbol: str, first_id: int, last_id: int) -> list[TradeTick]:
        raise NotFound("candles.none", venue="announcer", symbol=symbol)


class StandingClock:
    """A clock that stands at the beginning of the plan: nothing is ever overdue."""

    def now_ms(self) -> int:
        return FIRST_TS

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@asynccontextmanager
async def beating(plan: Plan, bus: Any, came: dict[str, float]) -> AsyncIterator[tuple[Heartbeat, IO[str]]]:
    """Run a heartbeat on ``plan``; give it, and where the announcer tells its times when it is through.

    ``came`` is told when the 1m signal of each close has left.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(command(plan), cwd=ROOT, stdout=subprocess.PIPE, text=True) as announcer,
    ):
        assert announcer.stdout is not None
        heartbeat = Heartbeat(
            BinanceFeed(announcer.stdout.readline().strip()),
            NothingMissed(),
            _Stamped(bus, came),
            SqlHeartbeatLog(f"sqlite:///{Path(folder) / 'book.db'}"),
            StandingClock(),
            plan.names(),
        )
        running = asyncio.create_task(heartbeat.run())
        try:
            yield heartbeat, announcer.stdout
        finally:
            running.cancel()
            await asyncio.wait((running,))
            await bus.close()


async def listened(plan: Plan, bus_url: str | None) -> list[float]:
    """Play ``plan`` to a heartbeat and return, for each close, the seconds from its message to its 1m signal."""
    came: dict[str, float] = {}
    async with beating(plan, open_bus(bus_url), came) as (_, told):
        sent = json.loads(await asyncio.to_thread(told.readline))
        await asyncio.sleep(0.2)
    return [came[name] - ts for name, ts in sent.items()]


async def soaked(seconds: float) -> dict[str, float]:
    """Listen to 1,000 messages a second; return how many were heard, and how the memory (MB) went.

    The first fifth is warm-up: until then the bus has not kept as many messages as it keeps.
    """
    plan = Plan(symbols=20, minutes=round(seconds / 10), minute_s=10.0, trades=499)
    bus, came, held = open_bus(), dict[str, float](), list[float]()
    async with beating(plan, bus, came) as (heartbeat, told):
        reading = asyncio.create_task(_read(bus))
        over = asyncio.create_task(asyncio.to_thread(told.readline))
        began = time.perf_counter()
        while not over.done():
            await asyncio.wait((over,), timeout=1.0)
            held.append(_memory_mb())
        took, state = time.perf_counter() - began, heartbeat.status()
        reading.cancel()
    warm = held[len(held) // 5 : len(held) // 5 + 5]
    return {
        "seconds": took,
        "messages": plan.minutes * plan.symbols * (plan.trades + 1),
        "signals": state.signals,
        "dropped": state.raw_dropped,
        "warm_mb": statistics.median(warm),
        "end_mb": statistics.median(held[-5:]),
    }


async def _read(bus: Any) -> None:
    async for delivery in bus.subscribe(HEARTBEAT, CANDLES, RAW, group="soak", consumer="one"):
        await bus.ack("soak", delivery)


def _memory_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


class _Stamped:
    """The bus, noting when each 1m signal has left."""

    def __init__(self, bus: Any, came: dict[str, float]) -> None:
        self._bus, self._came = bus, came
        self.subscribe, self.ack, self.close = bus.subscribe, bus.ack, bus.close

    async def publish(self, topic: str, message: dict[str, Any]) -> None:
        await self._bus.publish(topic, message)
        if topic == HEARTBEAT and message["timeframe"] == "1m":
            ts = message["close_ms"] - MINUTE_MS
            self._came[f"{message['symbol'].replace('/', '')}_{ts}"] = time.perf_counter()


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that ``share`` of ``values`` do not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def rows(soak_s: float = 20.0) -> list[dict[str, Any]]:
    """Return one row for a burst of closes, one for a soak of ``soak_s`` seconds."""
    gaps = asyncio.run(listened(Plan(symbols=20, minutes=40, minute_s=0.5, trades=5), None))
    soak = asyncio.run(soaked(soak_s))
    growth = soak["end_mb"] / soak["warm_mb"] - 1
    return [
        {
            "what": "20 symbols close together: closing message to signal on the bus",
            "came": f"p50 {1e3 * percentile(gaps, 0.5):.1f} ms, p99 {1e3 * percentile(gaps, 0.99):.1f} ms",
            "target": "p99 under 5 ms",
            "met": percentile(gaps, 0.99) < 0.005,
        },
        {
            "what": f"{soak['messages'] / soak['seconds']:,.0f} messages/s for {soak['seconds']:.0f} s",
            "came": f"{soak['warm_mb']:.0f} MB warm, {soak['end_mb']:.0f} MB at the end ({growth:+.1%}), "
            f"{soak['signals']:,.0f} signals, {soak['dropped']:,.0f} raw messages dropped",
            "target": "growth under 5 % after warm-up",
            "met": growth < 0.05,
        },
    ]


if __name__ == "__main__":
    for row in rows(float(sys.argv[1]) if len(sys.argv) > 1 else 20.0):
        print(f"{row['what']:70} {row['came']}")
