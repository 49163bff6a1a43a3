"""The request budget at work: real requests against a server on loopback."""

import asyncio
import time
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web
from tests.unit.ccxt.box import CLIENT_ID, KEYS, Asked, at, binance_order, box, furnish, gateway_to

from cambist.adapters.venues.ccxt.pace import Pacer, errand
from cambist.adapters.venues.ccxt.quirks import QUIRKS
from cambist.domain.credentials import Credentials
from cambist.domain.errors import NotFound, RateLimited, StorageFailed
from cambist.domain.order import OrderType, Side
from cambist.market.budget import Urgency
from cambist.ports.venue import OrderRequest

BUY = OrderRequest(
    client_id=CLIENT_ID,
    symbol="BTC/USDT",
    side=Side.BUY,
    type=OrderType.LIMIT,
    quantity=Decimal("0.1"),
    price=Decimal(10_000),
)


class Remembered:
    """A `BudgetMemory` in a dict."""

    def __init__(self, **bans: int) -> None:
        self.kept = dict(bans)

    def bans(self) -> dict[str, int]:
        return dict(self.kept)

    def ban(self, key: str, until_ms: int) -> None:
        self.kept[key] = until_ms

    def lift(self, key: str) -> None:
        self.kept.pop(key, None)


def test_a_cancel_does_not_wait_for_500_reads_that_queue_before_it():
    async def inside() -> None:
        held = asyncio.Event()

        async def read(_: web.Request) -> web.StreamResponse:
            await held.wait()
            return at(400, {"code": -2013, "msg": "Order does not exist."})

        answers = {
            "GET /api.binance.com/api/v3/order": lambda _: read,
            "DELETE /api.binance.com/api/v3/order": binance_order(status="CANCELED"),
        }
        async with box(answers) as served, gateway_to(served) as gateway:
            furnish(gateway.place("binance"))
            venue = gateway.venue("one", "binance", KEYS)
            reads = [asyncio.create_task(venue.order("BTC/USDT", f"r{number}")) for number in range(500)]
            while not served.of("/order", "GET"):
                await asyncio.sleep(0.001)
            await venue.cancel("BTC/USDT", CLIENT_ID)  # comes back while no read has
            assert len(served.of("/order", "GET")) < 500
            held.set()
            answers_read = await asyncio.gather(*reads, return_exceptions=True)
            assert all(isinstance(one, NotFound) for one in answers_read)
            await venue.close()

    asyncio.run(inside())


def test_too_many_requests_stop_all_users_and_are_remembered_over_a_restart():
    memory = Remembered()

    def limited(_: Asked) -> web.Response:
        return at(429, {"code": -1003, "msg": "Too many requests."}, {"Retry-After": "90"})

    async def one_life(first: bool) -> None:
        async with box({"/api/v3/order": limited}) as served, gateway_to(served, memory=memory) as gateway:
            furnish(gateway.place("binance"))
            mine = gateway.venue("one", "binance", KEYS)
            other = gateway.venue("two", "binance", Credentials(api_key="other", secret="s"))
            if first:
                with pytest.raises(RateLimited) as refused:
                    await mine.submit(BUY)
                assert refused.value.retry_after_s == 90
            sent = len(served.asked)
            for venue in (mine, other):
                with pytest.raises(RateLimited, match="Nothing was sent") as waiting:
                    await venue.cancel("BTC/USDT", CLIENT_ID)
                assert 80 < (waiting.value.retry_after_s or 0) <= 90
                with pytest.raises(RateLimited):
                    await venue.balances()
            assert len(served.asked) == sent

    asyncio.run(one_life(first=True))
    assert list(memory.kept) == ["binance|ban"]
    asyncio.run(one_life(first=False))


def test_a_short_ban_is_waited_for_and_lifted_in_memory():
    memory = Remembered()
    answers = iter([at(429, {}, {"Retry-After": "0.3"}), at(200, binance_order()), at(200, binance_order())])

    async def inside() -> None:
        async with (
            box({"/api/v3/order": lambda _: next(answers)}) as served,
            gateway_to(served, memory=memory) as gateway,
        ):
            furnish(gateway.place("binance"))
            venue = gateway.venue("one", "binance", KEYS)
            with pytest.raises(RateLimited):
                await venue.order("BTC/USDT", CLIENT_ID)
            assert memory.kept
            await asyncio.gather(venue.order("BTC/USDT", CLIENT_ID), venue.order("BTC/USDT", CLIENT_ID))
            first, *others = served.of("/order")
            assert all(one.at - first.at >= 0.29 for one in others)
            assert memory.kept == {}

    asyncio.run(inside())


def test_two_exchanges_do_not_hold_each_other_up():
    async def inside() -> None:
        answers = {
            "/spot/trade/orderInfo": lambda _: at(429, {}, {"Retry-After": "60"}),
            "GET /api.binance.com/api/v3/order": binance_order(),
        }
        async with box(answers) as served, gateway_to(served) as gateway:
            for name in ("binance", "bitget"):
                furnish(gateway.place(name))
            with pytest.raises(RateLimited):
                await gateway.venue("one", "bitget", KEYS).order("BTC/USDT", CLIENT_ID)
            assert (await gateway.venue("one", "binance", KEYS).order("BTC/USDT", CLIENT_ID)).venue_id == "28"

    asyncio.run(inside())


def test_the_venues_headers_are_believed():
    """Another program on the same address has used up the minute: ours waits, but for the reserve."""

    async def over() -> int:
        pacer = Pacer(QUIRKS["binance"], "binance")
        pacer.answered(200, {"x-mbx-used-weight-1m": "5399"}, "another")
        left = 0
        with errand(Urgency.MARKET):
            async with pacer.turn(0.2, "me"):
                left += 1
            late = asyncio.create_task(take(pacer))
            await asyncio.sleep(0.02)
            assert not late.done()
            late.cancel()
        with errand(Urgency.CANCEL):
            async with pacer.turn(0.2, "me"):
                left += 1
        await asyncio.gather(late, return_exceptions=True)
        return left

    assert asyncio.run(over()) == 2


async def take(pacer: Pacer) -> None:
    async with pacer.turn(0.2, "me"):
        pass


def test_who_goes_away_gives_his_place_to_the_next():
    async def inside() -> None:
        pacer = Pacer(QUIRKS["kraken"], "kraken")  # one request at a time
        async with pacer.turn(0, "me"):
            waiting = [asyncio.create_task(take(pacer)) for _ in range(3)]
            await asyncio.sleep(0.01)
            waiting[0].cancel()
            await asyncio.sleep(0)
            assert not waiting[1].done()
        waiting[1].cancel()  # in the very moment in which its turn has come
        await asyncio.wait_for(waiting[2], 60)
        await asyncio.wait_for(take(pacer), 60)

    asyncio.run(inside())


def test_a_memory_that_fails_does_not_cost_the_answer():
    class Broken(Remembered):
        def ban(self, key: str, until_ms: int) -> None:
            raise StorageFailed("venue.clock", venue=key, ms=until_ms)

    async def inside() -> None:
        pacer = Pacer(QUIRKS["binance"], "binance", Broken())
        pacer.answered(418, {}, "me")
        with pytest.raises(RateLimited):
            await take(pacer)

    asyncio.run(inside())


def test_bans_of_other_places_are_not_ours():
    until: dict[str, Any] = {"kraken|ban|me": round(time.time() * 1000) + 600_000}

    async def inside() -> None:
        await asyncio.wait_for(take(Pacer(QUIRKS["binance"], "binance", Remembered(**until))), 60)
        with pytest.raises(RateLimited):
            await take(Pacer(QUIRKS["kraken"], "kraken", Remembered(**until)))

    asyncio.run(inside())
