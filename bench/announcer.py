"""A market's stream on loopback, in a process of its own: ``python -m bench.announcer PLAN`` prints its address.

It speaks as Binance's combined streams do, and notes when each closing message went out, by the clock that all
processes of one machine share. ``PLAN`` is JSON: how many symbols and minutes, how many trades before each close, how
long a minute takes.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass

from aiohttp import WSMsgType, web

from bench.work import FIRST_TS, MINUTE_MS


@dataclass(frozen=True)
class Plan:
    """What is announced: in each minute every symbol's trades, spread over it, then all closes at once."""

    symbols: int
    minutes: int
    minute_s: float
    trades: int
    """Per symbol and minute."""

    def names(self) -> list[str]:
        """Return our names of the symbols."""
        return [f"C{number:02}/USDT" for number in range(self.symbols)]


async def announce(plan: Plan) -> None:
    """Serve one client: wait for its subscriptions, play the plan, then hand it the times (seconds) of the closes."""
    over = asyncio.Event()

    async def handle(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        asked = json.loads((await socket.receive()).data)
        await socket.send_str(json.dumps({"result": None, "id": asked["id"]}))
        playing = asyncio.create_task(_play(plan, socket))
        while (await socket.receive()).type is WSMsgType.TEXT:
            pass
        playing.cancel()
        over.set()
        return socket

    app = web.Application()
    app.router.add_get("/stream", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"ws://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await over.wait()
    await runner.cleanup()


async def _play(plan: Plan, socket: web.WebSocketResponse) -> None:
    sent: dict[str, float] = {}
    names = [name.replace("/", "") for name in plan.names()]
    number = 0
    due = time.perf_counter()
    for minute in range(plan.minutes):
        ts = FIRST_TS + minute * MINUTE_MS
        for trade in range(plan.trades):
            for name in names:
                number += 1
                await socket.send_str(_trade(name, minute * plan.trades + trade + 1, ts + trade))
            due += plan.minute_s / (plan.trades + 1)
            await asyncio.sleep(due - time.perf_counter())
        due += plan.minute_s / (plan.trades + 1)
        first, last = minute * plan.trades + 1, (minute + 1) * plan.trades
        closes = [(name, _close(name, ts, first, last)) for name in names]
        for name, text in closes:
            sent[f"{name}_{ts}"] = time.perf_counter()
            await socket.send_str(text)
        await asyncio.sleep(due - time.perf_counter())
    print(json.dumps(sent), flush=True)


def _trade(name: str, number: int, ts: int) -> str:
    data = {"e": "trade", "E": ts, "s": name, "t": number, "p": "100.25", "q": "0.01500", "T": ts, "m": True, "M": True}
    return json.dumps({"stream": f"{name.lower()}@trade", "data": data})


def _close(name: str, ts: int, first: int, last: int) -> str:
    kline = {
        "t": ts,
        "T": ts + MINUTE_MS - 1,
        "s": name,
        "i": "1m",
        "f": first,
        "L": last,
        "x": True,
        "B": "0",
        "o": "100.25",
        "c": "100.25",
        "h": "100.25",
        "l": "100.25",
        "n": last - first + 1,
        "v": f"{0.015 * (last - first + 1):.5f}",
        "q": "1.0",
        "V": "0",
        "Q": "0",
    }
    data = {"e": "kline", "E": ts + MINUTE_MS, "s": name, "k": kline}
    return json.dumps({"stream": f"{name.lower()}@kline_1m", "data": data})


def command(plan: Plan) -> tuple[str, ...]:
    """Return the command that announces ``plan``."""
    return (sys.executable, "-m", "bench.announcer", json.dumps(asdict(plan)))


if __name__ == "__main__":
    asyncio.run(announce(Plan(**json.loads(sys.argv[1]))))
