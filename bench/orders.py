"""From the closing message on the wire to the order on the wire, through everything that stands between: feed,
heartbeat, bus, strategies, desk, journal on SQLite, gateway. ``python -m bench.orders`` prints it.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import tempfile
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

from bench.beats import percentile
from bench.box import ACCOUNTS, HISTORY, SECRET, SYMBOL, Setup
from bench.work import FIRST_TS, MINUTE_MS, ROOT
from cambist.adapters.bus import open_bus
from cambist.adapters.clock import AcceleratedClock, SystemClock
from cambist.adapters.notify.log import LogAlerts
from cambist.adapters.storage.candles import ParquetLake
from cambist.adapters.storage.heartbeat_log import SqlHeartbeatLog
from cambist.adapters.storage.journal import SqlJournal
from cambist.adapters.storage.lease import open_lease
from cambist.adapters.storage.register import SqlRegister
from cambist.adapters.venues.binance.feed import BinanceFeed
from cambist.adapters.venues.binance.recent import BinanceRecent
from cambist.adapters.venues.ccxt.gateway import Gateway
from cambist.domain.account import AccountSpec, BotSpec, Mode
from cambist.domain.credentials import Credentials
from cambist.domain.timeframe import Timeframe
from cambist.engine.floor import Book, Floor
from cambist.engine.heartbeat import Heartbeat
from cambist.engine.seating import Surroundings
from cambist.ports.book import Request
from cambist.ports.metrics import Unmeasured
from cambist.ports.venue import Venue

STRATEGY = ROOT / "bench" / "every_minute.py"


@contextmanager
def opened(setup: Setup) -> Iterator[tuple[str, IO[str], IO[str]]]:
    """Open a box; give its address, what ends it, and where it tells its times."""
    with subprocess.Popen(
        setup.command(), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip(), process.stdin, process.stdout
        finally:
            process.terminate()


async def traded(setup: Setup, bots: int) -> dict[str, list[float]]:
    """Let ``bots`` trade at each close for as long as ``setup`` says; return what the box saw, and when."""
    with opened(setup) as (url, end, told), tempfile.TemporaryDirectory() as folder:
        floor = BoxedFloor(url, setup, Path(folder))
        running = asyncio.create_task(floor.run(bots))
        await asyncio.wait((running,), timeout=setup.minute_s * setup.minutes)
        if running.done():
            running.result()
        running.cancel()
        await asyncio.wait((running,))
        end.close()
        times: dict[str, list[float]] = json.loads(await asyncio.to_thread(told.readline))
        return times


class BoxedFloor:
    """A trading floor as `cambist run` builds it, on a box."""

    def __init__(self, url: str, setup: Setup, home: Path) -> None:
        database, socket = f"sqlite:///{home / 'book.db'}", url.replace("http", "ws", 1)
        self._pace = setup.speed
        self._clock = AcceleratedClock(self._pace, FIRST_TS + HISTORY * MINUTE_MS)
        self.register, self.bus = SqlRegister(database), open_bus()
        self._gateway = Gateway(base_url=url)
        self._recent = BinanceRecent(url)
        self._heartbeat = Heartbeat(
            BinanceFeed(socket),
            self._recent,
            self.bus,
            SqlHeartbeatLog(database),
            self._clock,
            (SYMBOL,),
            grace_s=3.0 * self._pace,
        )
        around = Surroundings(
            register=self.register,
            bus=self.bus,
            clock=self._clock,
            wall=SystemClock(),
            alerts=LogAlerts(),
            recent=self._recent,
            market="binance",
            prices=None,
            lake=ParquetLake(home / "lake"),
            open_venue=self._open,
            late_ms=None,
            pace=self._pace,
        )
        self._floor = Floor(
            Book(journal=lambda: SqlJournal(database), lease=open_lease(database)), around, Unmeasured()
        )

    async def run(self, bots: int) -> None:
        accounts = [f"rich{number}" for number in range(min(bots, ACCOUNTS))]
        for account in accounts:
            self.register.add_account(AccountSpec(id=account, user_id=1, venue="binance", mode=Mode.LIVE, quote="USDT"))
        for number in range(bots):
            bot = _bot(number, accounts[number % len(accounts)])
            self.register.add_bot(bot)
            self.register.ask(Request(user_id=1, account=bot.account, bot=bot.id, action="start"))
        await self.serve()

    async def serve(self) -> None:
        """Trade what is set up in the register, until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._floor.run())
                tasks.create_task(self._heartbeat.run())
        finally:
            await self._recent.close()
            await self._gateway.close()

    async def _open(self, spec: AccountSpec) -> Venue:
        return self._gateway.venue(spec.id, spec.venue, Credentials(api_key=spec.id, secret=SECRET))


def _bot(number: int, account: str) -> BotSpec:
    return BotSpec(
        id=f"bot{number}",
        user_id=1,
        account=account,
        strategy=str(STRATEGY),
        params={},
        symbol=SYMBOL,
        timeframe=Timeframe.M1,
        budget=Decimal(10_000),
    )


def waits(times: dict[str, list[float]]) -> list[list[float]]:
    """Return, for each close that was answered, the seconds until each of its orders arrived."""
    closed = times["closed"]
    found: dict[int, list[float]] = {}
    for at in times["arrived"]:
        close = bisect_right(closed, at) - 1
        if close >= 0:
            found.setdefault(close, []).append(at - closed[close])
    return [found[close] for close in sorted(found)]


def rows(closes: int = 100, crowd: int = 100) -> list[dict[str, Any]]:
    """Return one row for one bot over ``closes`` closes, one for ``crowd`` bots on one close."""
    alone = waits(asyncio.run(traded(Setup(minute_s=0.5, minutes=closes + 20), 1)))[5:]
    singles = [one for wait in alone for one in wait]
    p50, p99 = (1e3 * percentile(singles, share) for share in (0.50, 0.99))
    every = waits(asyncio.run(traded(Setup(minute_s=11.0, minutes=6), crowd)))
    last = [1e3 * max(wait) for wait in every[1:] if len(wait) == crowd]  # the first finds no connection open
    return [
        {
            "what": f"one bot, one order, {len(singles)} closes",
            "came": f"p50 {p50:.1f} ms, p99 {p99:.1f} ms, fastest {1e3 * min(singles):.1f} ms",
            "target": "p50 under 2 ms, p99 under 10 ms",
            "met": p50 < 2 and p99 < 10,
        },
        {
            "what": f"{crowd} bots in {ACCOUNTS} accounts, the last of {crowd} orders, {len(last)} closes",
            "came": f"median {statistics.median(last):.0f} ms ({min(last):.0f} to {max(last):.0f} ms)",
            "target": "under 250 ms",
            "met": statistics.median(last) < 250,
        },
    ]


if __name__ == "__main__":
    for row in rows():
        print(f"{row['what']:70} {row['came']}")
