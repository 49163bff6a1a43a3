"""The heartbeat on a live stream: from the closing message on the wire to the signal on the bus, and a long soak."""

from __future__ import annotations

import asyncio
import json
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

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
from cambist.ports.bus import HEARTBEAT


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


async def listened(plan: Plan, bus_url: str | None) -> list[float]:
    """Play ``plan`` to a heartbeat and return, for each close, the seconds from its message to its 1m signal."""
    with tempfile.TemporaryDirectory() as folder:
        with subprocess.Popen(command(plan), cwd=ROOT, stdout=subprocess.PIPE, text=True) as announcer:
            assert announcer.stdout is not None
            address = announcer.stdout.readline().strip()
            bus = open_bus(bus_url)
            came: dict[str, float] = {}
            heartbeat = Heartbeat(
                BinanceFeed(address),
                NothingMissed(),
                _Stamped(bus, came),
                SqlHeartbeatLog(f"sqlite:///{Path(folder) / 'book.db'}"),
                StandingClock(),
                plan.names(),
            )
            beating = asyncio.create_task(heartbeat.run())
            try:
                sent = json.loads(await asyncio.to_thread(announcer.stdout.readline))
                await asyncio.sleep(0.2)
            finally:
                beating.cancel()
                await asyncio.wait((beating,))
                await bus.close()
    return [came[name] - ts for name, ts in sent.items()]


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
