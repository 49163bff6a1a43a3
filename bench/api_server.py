"""The API in a process of its own, with people who have traded signed in to it; told what to do by lines on its
standard input.

``python -m bench.api_server HOME USERS`` prints one line of JSON: the port and the people's tokens. Then each line
``broadcast COUNT EVERY_S`` publishes that many ticks on the bus of the process and prints when each was (the machine's
monotonic clock, in seconds), and ``memory`` prints what the process holds (MB).
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from bench.busy import BOT, SPEC, BusyAccount
from cambist.apps.api.serve import Api, new_loop
from cambist.apps.api.services import Services, open_services
from cambist.apps.settings import load
from cambist.domain.account import owned_id
from cambist.domain.person import Role
from cambist.ports.bus import TICKS
from cambist.usecases.office import Visit
from cambist.usecases.signing_in import begin_session

EVENTS = 400
"""In the journal of each person's account, minute by minute until now: some fifty trades."""
_BEGUN_BEFORE_MS = 200 * 60_000


def tokens(services: Services, count: int) -> list[str]:
    """Add people who have traded, and return an access token of each."""
    people, now_ms = services.office.people, services.now_ms()
    traded = list(BusyAccount(begin_ms=now_ms - _BEGUN_BEFORE_MS).events(EVENTS))
    found = []
    for number in range(count):
        person = people.add(f"user{number}", "no password", Role.TRADE, now_ms)
        account, stores = owned_id(SPEC.id, person.id), services.stores(person.id)
        # of a venue at which no engine of this machine trades
        stores.register.add_account(replace(SPEC, id=account, user_id=person.id, venue="binance"))
        stores.register.add_bot(replace(BOT, id=owned_id(BOT.id, person.id), user_id=person.id, account=account))
        entries = [replace(one.entry, account=account) for one in traded]
        services.journal.append(entries, [(account, booked) for one in traded for booked in one.booked])
        visit = Visit(now_ms=now_ms, actor=person.name)
        found.append(begin_session(services.office, person, visit, "login").access_token)
    return found


async def serve(home: str, users: int) -> None:
    services = open_services(load({**os.environ, "CAMBIST_HOME": home}))
    async with Api(services) as api:
        people = await asyncio.to_thread(tokens, services, users)
        print(json.dumps({"port": urlsplit(api.url).port, "tokens": people}), flush=True)
        while line := (await asyncio.to_thread(sys.stdin.readline)).split():
            if line[0] == "memory":
                print(json.dumps(_memory_mb()), flush=True)
            else:
                print(json.dumps(await _broadcast(services, int(line[1]), float(line[2]))), flush=True)


async def _broadcast(services: Services, count: int, every_s: float) -> list[float]:
    at = []
    for number in range(count):
        at.append(time.monotonic())
        tick = {"id": f"tick:{at[-1]}", "venue": "bench", "symbol": "BTC/USDT", "price": f"{number}.5", "ts": number}
        await services.bus.publish(TICKS, tick)
        await asyncio.sleep(every_s)
    return at


def _memory_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=new_loop()) as runner:
        runner.run(serve(sys.argv[1], int(sys.argv[2])))
