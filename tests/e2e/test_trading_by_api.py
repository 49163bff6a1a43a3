"""A whole floor and its API in one process, as `cambist up` runs them: people trade by REST alone."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from httpx2 import AsyncClient
from tests.api.sites import NO_PASSWORD, settings_in

from cambist.apps.api.serve import Api
from cambist.apps.api.services import open_services
from cambist.apps.house import House
from cambist.domain.person import Role
from cambist.domain.timeframe import MINUTE_MS
from cambist.usecases.office import Visit
from cambist.usecases.signing_in import begin_session

PAPER = {"name": "main", "exchange": "simulated", "mode": "paper", "deposit": "10000"}
BOT = {
    "name": "b",
    "account": "main",
    "strategy": "ema_cross",
    "symbol": "BTC/USDT",
    "timeframe": "1m",
    "budget": "100",
}


class Floor:
    """A floor that runs, and clients of people who are signed in."""

    def __init__(self, services: Any, url: str) -> None:
        self.services = services
        self._url = url

    def person(self, name: str, role: Role = Role.TRADE) -> AsyncClient:
        office, now = self.services.office, self.services.now_ms()
        person = office.people.add_first(name, NO_PASSWORD, now) or office.people.add(name, NO_PASSWORD, role, now)
        token = begin_session(office, person, Visit(now_ms=now, actor=name), "login").access_token
        headers = {"Authorization": f"Bearer {token}"}
        return AsyncClient(base_url=f"{self._url}/api/v1", headers=headers, timeout=60)


def on_a_floor(folder: Path, work: Callable[[Floor], Awaitable[None]]) -> None:
    async def all_of_it() -> None:
        settings = settings_in(folder)
        house = House(settings, "simulated", speed=60.0)
        services = open_services(settings, bus=house.bus, market_clock=house.market.clock, metrics=house.metrics)

        async def people() -> None:
            async with Api(services) as api:
                await house.floor.up.wait()
                await work(Floor(services, api.url))

        await house.run(people())

    asyncio.run(asyncio.wait_for(all_of_it(), 240))


async def ok(response: Awaitable[Any], status: int = 200) -> Any:
    answer = await response
    assert answer.status_code == status, answer.text
    return answer.json()


async def until(look: Callable[[], Awaitable[Any]], what: str) -> Any:
    async with asyncio.timeout(60):
        while not (found := await look()):
            await asyncio.sleep(0.05)
    return found


def test_somebody_trades_by_hand(tmp_path: Path):
    async def work(floor: Floor) -> None:
        floor.person("first")
        async with floor.person("ann") as ann, floor.person("bob") as bob:
            main = (await ok(ann.post("/brokers", json=PAPER), 201))["broker"]["id"]
            order = {"account": main, "symbol": "btc/usdt", "side": "buy", "type": "market", "amount": "500"}
            figures = await until(lambda: quoted(ann, order), "the market has opened")
            assert float(figures["quantity"]) * float(figures["last"]) == pytest.approx(500, rel=1e-3)
            validated = await ok(ann.post("/trading/validate", json=order))
            token = {"token": validated["token"]}
            assert (await bob.post("/trading/execute", json=token)).status_code == 403
            first = await ok(ann.post("/trading/execute", json=token))
            again = await ok(ann.post("/trading/execute", json=token))
            assert first["id"] == again["id"]  # one order, however often its token comes
            assert 0 <= first["done_ms"] - first["asked_ms"] < MINUTE_MS  # by people's clock: the market's runs ahead
            listed = (await ok(ann.get("/symbols", params={"exchange": "simulated", "q": "btc"})))["items"]
            assert [one["symbol"] for one in listed] == ["BTC/USDT"]
            assert Decimal(figures["quantity"]) % Decimal(listed[0]["lot_step"]) == 0

            async def bought() -> Any:
                return (await ok(ann.get("/orders", params={"source": "manual", "status": "filled"})))["items"]

            (filled,) = await until(bought, "the order fills")
            assert filled["filled"] == validated["quantity"]
            rest = order | {"type": "limit", "amount": None, "quantity": "0.01", "price": "10000"}
            ticket = await ok(ann.post("/trading/validate", json=rest))
            await ok(ann.post("/trading/execute", json={"token": ticket["token"]}))
            (resting,) = await until(lambda: ok(ann.get("/trading/orders")), "it rests")
            path = f"/trading/orders/{main}/{resting['client_id']}"
            assert (await bob.delete(path)).status_code == 404
            await ok(ann.patch(path, json={"price": "11000.004"}), 409)  # no multiple of the tick: it is refused whole
            await ok(ann.patch(path, json={"price": "11000"}))

            async def amended() -> Any:
                return [one for one in await ok(ann.get("/trading/orders")) if one["price"] == "11000"]

            (changed,) = await until(amended, "it is amended")
            await ok(ann.delete(f"/trading/orders/{main}/{changed['client_id']}"))
            await until(lambda: nothing(ann), "it is cancelled")
            assert (await ann.delete(f"/trading/orders/{main}/{changed['client_id']}")).status_code == 409
            sell = order | {"side": "sell", "amount": None, "quantity": "9"}
            validated = await ok(ann.post("/trading/validate", json=sell))
            assert not validated["enough"]
            refused = await ann.post("/trading/execute", json={"token": validated["token"]})
            assert (refused.status_code, "does not hold" in refused.text) == (409, True)
            assert (await ok(ann.get("/requests/" + str(first["id"]))))["answer"] == first["answer"]
            assert (await bob.get("/requests/" + str(first["id"]))).status_code == 404
            audit = (await ok(ann.get("/audit")))["items"]
            assert {"order.manual", "order.amend", "order.cancel"} <= {row["action"] for row in audit}

    async def quoted(client: AsyncClient, order: dict[str, str]) -> Any:
        answer = await client.post("/trading/quote", json=order)
        return answer.json() if answer.status_code == 200 else None

    async def nothing(client: AsyncClient) -> bool:
        return not await ok(client.get("/trading/orders"))

    on_a_floor(tmp_path, work)


def test_somebody_runs_a_bot_and_an_admin_s_cap_binds_at_once(tmp_path: Path):
    async def work(floor: Floor) -> None:
        async with floor.person("admin", Role.ADMIN) as admin, floor.person("ann") as ann:
            main = (await ok(ann.post("/brokers", json=PAPER), 201))["broker"]["id"]
            made = await ok(ann.post("/bots", json=BOT | {"account": main, "start": True}), 201)
            name = made["bot"]["id"]
            assert (made["bot"]["status"], made["started"]["done_ms"] is not None) == ("running", True)
            for act, status in (("suspend", "suspended"), ("resume", "running"), ("stop", "stopped")):
                await ok(ann.post(f"/bots/{name}/{act}"))
                assert (await ok(ann.get(f"/bots/{name}")))["status"] == status
            me = await ok(ann.get("/me"))
            await ok(admin.patch(f"/users/{me['id']}", json={"limits": {"max_notional": "100"}}))
            order = {"account": main, "symbol": "BTC/USDT", "side": "buy", "type": "market", "amount": "500"}

            async def refused() -> bool:
                validated = await ann.post("/trading/validate", json=order)
                if validated.status_code != 200:  # the market has not opened yet
                    return False
                answer = await ann.post("/trading/execute", json={"token": validated.json()["token"]})
                return bool(answer.status_code == 409 and "may" in answer.text)

            await until(refused, "the cap is taken up")
            await ok(ann.post("/kill", json={"flatten": True}), 202)
            shown = await until(lambda: halted(ann), "halted")
            assert shown["trading"] == "halted"
            await ok(ann.post(f"/accounts/{main}/activate"))
            assert (await ann.delete(f"/bots/{name}")).status_code == 204
            assert (await ann.get(f"/bots/{name}")).status_code == 404
            (held,) = (await ok(ann.get("/portfolio")))["accounts"][0]["holdings"]
            assert (held["in_bots"], held["free"]) == ("0", held["total"])  # its budget is the account's again
            taken = await ann.post("/bots", json=BOT | {"account": main})
            assert (taken.status_code, taken.json()["key"]) == (422, "book.bot_taken")
            gone = await ann.delete(f"/brokers/{main}")
            assert gone.status_code in (200, 202, 204), gone.text
            await until(lambda: no_accounts(ann), "the account is gone")

    async def halted(client: AsyncClient) -> Any:
        (one,) = await ok(client.get("/accounts"))
        return one if one["trading"] == "halted" else None

    async def no_accounts(client: AsyncClient) -> bool:
        return not await ok(client.get("/accounts"))

    on_a_floor(tmp_path, work)
