"""From a webhook's HTTP request to its order on the wire at the exchange, through everything that stands between: HTTP,
the journal of calls, the engine, its journal on SQLite, the gateway. ``python -m bench.hooks`` prints it.

API and engine are one process, as `cambist up` runs them; exchange and sender are processes of their own.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import tempfile
import time
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

import aiohttp
import uvicorn

from bench.beats import percentile
from bench.box import SYMBOL, Setup
from bench.orders import BoxedFloor, opened
from bench.work import ROOT
from cambist.apps.api.app import create
from cambist.apps.api.area import PREFIX
from cambist.apps.api.routes import hooks
from cambist.apps.api.services import Services, open_services
from cambist.apps.settings import load
from cambist.domain.account import AccountSpec, Mode
from cambist.domain.person import Role
from cambist.ports.webhooks import Sender
from cambist.usecases.webhooks import Shop, Wanted, add_webhook

CALLS = 200
EVERY_S = 0.25
"""Binance lets an account place ten orders a second at most."""
_STARTED_S = 60


def rows(calls: int = CALLS) -> list[dict[str, Any]]:
    """Return one row for the order, one for the answer."""
    hooks.FOR_WEBHOOK = 10 * calls  # how often a person's alerts may come is not what is measured
    sent, answered, arrived = asyncio.run(_called(calls))
    waits = [1e3 * one for one in _waits(sent, arrived)]
    answers = [1e3 * (then - at) for at, then in zip(sent, answered, strict=True)]
    return [
        _row(f"one alert, one order at the exchange, {len(waits)} alerts of {calls}", waits, 50, len(waits) == calls),
        _row(f"... its answer, {calls} alerts", answers, 100, True),
    ]


def _row(what: str, took_ms: Sequence[float], most_ms: float, whole: bool) -> dict[str, Any]:
    p50, p95, p99 = (percentile(took_ms, share) for share in (0.50, 0.95, 0.99))
    came = f"p50 {p50:.1f} ms, p95 {p95:.1f} ms, p99 {p99:.1f} ms"
    return {"what": what, "came": came, "target": f"p95 under {most_ms:g} ms", "met": whole and p95 < most_ms}


def _waits(sent: Sequence[float], arrived: Sequence[float]) -> list[float]:
    """Return, for each call that was followed by an order before the next one was sent, how long that took (s)."""
    found = []
    for at, following in pairwise([*sent, float("inf")]):
        orders = [one for one in arrived if at <= one < following]
        if len(orders) == 1:
            found.append(orders[0] - at)
    return found


async def _called(calls: int) -> tuple[list[float], list[float], list[float]]:
    setup = Setup(minute_s=60.0, minutes=10)
    with opened(setup) as (url, end, told), tempfile.TemporaryDirectory() as folder:
        floor = BoxedFloor(url, setup, Path(folder))
        services = open_services(
            load({"CAMBIST_HOME": folder, "DATABASE_URL": f"sqlite:///{folder}/book.db"}), bus=floor.bus
        )
        path, secret = await asyncio.to_thread(_set_up, services, floor)
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            server = uvicorn.Server(uvicorn.Config(create(services), log_config=None, access_log=False))
            serving = [asyncio.create_task(floor.serve()), asyncio.create_task(server.serve([listening]))]
            await _started(floor, serving)
            address = f"http://127.0.0.1:{listening.getsockname()[1]}{path}"
            sent, answered = await _sender(address, secret, calls)
            server.should_exit = True
            await serving[1]
            serving[0].cancel()
            await asyncio.wait(serving)
        end.close()
        times: dict[str, list[float]] = json.loads(await asyncio.to_thread(_line, told))
    return sent, answered, times["arrived"]


def _line(told: IO[str]) -> str:
    return told.readline()


def _set_up(services: Services, floor: BoxedFloor) -> tuple[str, str]:
    """Make somebody with an account and a webhook; return its path and its secret."""
    now_ms = services.now_ms()
    people = services.office.people
    person = people.add_first("ann", "none", now_ms) or people.add("ann", "none", Role.TRADE, now_ms)
    floor.register.add_account(
        AccountSpec(id="rich0", user_id=person.id, venue="binance", mode=Mode.LIVE, quote="USDT")
    )
    own, office = services.stores(person.id), services.office
    shop = Shop(
        user_id=person.id,
        webhooks=own.webhooks,
        register=own.register,
        vault=office.vault,
        randomness=office.randomness,
    )
    wanted = Wanted(
        name="tv",
        kind=Sender.TRADINGVIEW,
        account="rich0",
        budgets=[(SYMBOL, Decimal(100_000))],
        addresses=(),
    )
    webhook, secret = add_webhook(shop, wanted, now_ms)
    return f"{PREFIX}{hooks.router.prefix}/{webhook.id}", secret


async def _started(floor: BoxedFloor, serving: Sequence[asyncio.Task[None]]) -> None:
    deadline = time.monotonic() + _STARTED_S
    while await asyncio.to_thread(floor.register.waiting):
        for task in serving:
            if task.done():
                task.result()
        if time.monotonic() > deadline:
            raise TimeoutError("the bot did not start")
        await asyncio.sleep(0.05)


# -- the sender -------------------------------------------------------------------------------------------------------


async def _sender(address: str, secret: str, calls: int) -> tuple[list[float], list[float]]:
    """Send the calls from another process; return when each was sent, and when it was answered."""
    command = (sys.executable, "-m", "bench.hooks", address, secret, str(calls))
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    sent, answered = json.loads(said)
    return sent, answered


async def send(address: str, secret: str, calls: int) -> tuple[list[float], list[float]]:
    """Buy and sell in turn."""
    sent, answered = [], []
    async with aiohttp.ClientSession() as session:
        for number in range(calls):
            alert = {"secret": secret, "action": ("buy", "sell")[number % 2], "ticker": "BTCUSDT", "id": number}
            alert["usdt"] = 100
            sent.append(time.perf_counter())
            async with session.post(address, json=alert) as response:
                said = await response.json()
            answered.append(time.perf_counter())
            if said.get("outcome") != "accepted":
                raise RuntimeError(f"{response.status} {said}")
            await asyncio.sleep(EVERY_S)
    return sent, answered


if __name__ == "__main__":
    if len(sys.argv) == 4:
        print(json.dumps(asyncio.run(send(sys.argv[1], sys.argv[2], int(sys.argv[3])))))
    else:
        for row in rows():
            print(f"{row['what']:70} {row['came']}")
