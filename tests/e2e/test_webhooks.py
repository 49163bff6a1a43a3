"""An alert's whole way: a real HTTP request, the journal of calls, the engine, an order at the exchange."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import uvicorn
from tests.api.sites import settings_in

from cambist.apps import bootstrap
from cambist.apps.api.app import create
from cambist.apps.api.services import Services, open_services
from cambist.apps.house import House
from cambist.apps.settings import Settings
from cambist.domain.account import Mode
from cambist.domain.errors import CambistError
from cambist.domain.person import Role
from cambist.usecases.accounts import add_account, standings
from cambist.usecases.office import Visit
from cambist.usecases.receiving import signature
from cambist.usecases.signing_in import begin_session

PATIENCE_S = 300
MARKETS = [{"symbol": "BTC/USDT", "budget": "1000"}]


@asynccontextmanager
async def floor(folder: Path) -> AsyncIterator[tuple[Settings, httpx2.AsyncClient]]:
    """Run a floor and the API in one process; give its settings and a client of a person who is signed in."""
    settings = settings_in(folder)
    add_account(bootstrap.register(settings), "paper", venue="simulated", mode=Mode.PAPER)
    house = House(settings, "simulated", speed=60)
    services = open_services(settings, bus=house.bus)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(create(services), log_config=None, access_log=False))
        running = asyncio.create_task(house.run(server.serve([listening])))
        await until(_up(house, server), running)
        headers = {"Authorization": f"Bearer {_token(services)}"}
        async with httpx2.AsyncClient(base_url=address, headers=headers, timeout=PATIENCE_S) as client:
            try:
                yield settings, client
            finally:
                server.should_exit = True
                await asyncio.wait((running,))
    running.result()


def _up(house: House, server: uvicorn.Server) -> Callable[[], Awaitable[bool]]:
    async def up() -> bool:
        try:
            house.market.exchange.price("BTC/USDT")
        except CambistError:  # nothing has traded yet
            return False
        return house.floor.up.is_set() and server.started

    return up


def _token(services: Services) -> str:
    now_ms = services.now_ms()
    person = services.office.people.add_first("ann", "none", now_ms) or services.office.people.add(
        "ann", "none", Role.TRADE, now_ms
    )
    return begin_session(services.office, person, Visit(now_ms=now_ms, actor="ann"), "login").access_token


async def until(true: Callable[[], Awaitable[Any]], running: "asyncio.Task[None] | None" = None) -> Any:
    """Wait for something that happens by and by."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        assert running is None or not running.done(), running
        found = await true()
        if found:
            return found
        await asyncio.sleep(0.02)
    raise AssertionError("it did not happen")


async def made(client: httpx2.AsyncClient, **given: Any) -> dict[str, Any]:
    plain = {"name": "tv", "account": "paper", "markets": MARKETS, "addresses": []}
    response = await client.post("/api/v1/webhooks", json=plain | given)
    assert response.status_code == 201, response.text
    found: dict[str, Any] = response.json()
    return found


async def done(client: httpx2.AsyncClient, call: int) -> dict[str, Any]:
    """Return a call once the engine has answered."""

    async def answered() -> dict[str, Any] | None:
        found: dict[str, Any] = (await client.get(f"/api/v1/webhooks/calls/{call}")).json()
        return found if found["done_ms"] is not None else None

    found: dict[str, Any] = await until(answered)
    return found


def test_an_alert_becomes_an_order_at_the_exchange_and_the_next_one_ends_it(tmp_path):
    async def play() -> None:
        async with floor(tmp_path) as (settings, client):
            webhook = await made(client, defaults={"unit": "notional", "size": "500", "stop_loss": "0.05"})

            def quantity() -> Any:
                register, journal = bootstrap.register(settings), bootstrap.journal(settings)
                (account,) = standings(register, journal, bootstrap.traits_of)
                return next((bot.quantity for bot in account.bots if bot.id == "tv-btc-usdt"), 0)

            async def held() -> bool:
                return bool(await asyncio.to_thread(quantity))

            async def flat() -> bool:
                return not await held()

            alert = {"secret": webhook["secret"], "action": "buy", "symbol": "BINANCE:BTCUSDT", "id": "1"}
            came = [await client.post(webhook["path"], json=alert) for _ in range(3)]
            assert [one.json()["outcome"] for one in came] == ["accepted", "repeated", "repeated"]
            first = came[0].json()["call"]
            await done(client, first)
            await until(held)
            bought = await done(client, first)
            alert |= {"action": "sell", "id": "2"}
            second = (await client.post(webhook["path"], json=alert)).json()["call"]
            assert (await done(client, second))["outcome"] == "accepted"
            await until(flat)
            path = f"/api/v1/orders?source=webhook:{webhook['id']}&status=filled"
            sold = (await client.get(path)).json()["items"]
            wished = [one for one in bootstrap.journal(settings).read("paper") if one.kind == "Wished"]
            assert len(wished) == 2
            entry, *_ = bought["orders"]
            closing = sold[0]
            assert (entry["side"], entry["role"], entry["status"]) == ("buy", "entry", "filled")
            assert (closing["side"], closing["role"], closing["status"]) == ("sell", "signal", "filled")
            assert {entry["source"], closing["source"]} == {f"webhook:{webhook['id']}"}

    asyncio.run(play())


def test_a_signed_call_that_risk_refuses_says_why(tmp_path):
    async def play() -> None:
        async with floor(tmp_path) as (_, client):
            webhook = await made(client, kind="generic")
            body, now = b'{"action": "buy", "symbol": "BTC/USDT", "usdt": "0.5"}', str(time.time_ns() // 10**9)
            headers = {
                "X-Cambist-Timestamp": now,
                "X-Cambist-Nonce": "n-12345678",
                "X-Cambist-Signature": signature(webhook["secret"], now, "n-12345678", body),
            }
            came = await client.post(webhook["path"], content=body, headers=headers)
            assert came.status_code == 202, came.text
            call = await done(client, came.json()["call"])
            assert (call["outcome"], call["refused"], call["orders"]) == ("accepted", True, [])
            assert "below the smallest order value" in call["answer"], call

    asyncio.run(play())
