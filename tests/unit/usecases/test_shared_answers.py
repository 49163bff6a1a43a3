"""Answers that many want at once are asked for once."""

import asyncio

import pytest

from cambist.domain.errors import VenueUnavailable
from cambist.usecases.shared_answers import SharedAnswers


class Exchange:
    """Answers when it is let, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.may = asyncio.Event()
        self.error: Exception | None = None

    async def answer(self) -> int:
        self.asked += 1
        number = self.asked
        await self.may.wait()
        if self.error is not None:
            raise self.error
        return number


def test_many_at_once_are_one_request_and_so_are_those_who_come_soon_after():
    async def run() -> None:
        now = [1_000]
        shared, exchange = SharedAnswers(lambda: now[0], 500), Exchange()
        many = [asyncio.create_task(shared.get("book", exchange.answer)) for _ in range(50)]
        await asyncio.sleep(0)
        exchange.may.set()
        assert await asyncio.gather(*many) == [1] * 50
        now[0] += 499
        assert await shared.get("book", exchange.answer) == 1
        assert await shared.get("another", exchange.answer) == 2
        now[0] += 1
        assert await shared.get("book", exchange.answer) == 3
        assert exchange.asked == 3

    asyncio.run(run())


def test_an_error_is_told_to_all_who_wait_and_is_not_kept():
    async def run() -> None:
        shared, exchange = SharedAnswers(lambda: 0, 500), Exchange()
        exchange.error = VenueUnavailable("venue.unavailable", venue="x", detail="y")
        exchange.may.set()
        told = await asyncio.gather(*(shared.get(1, exchange.answer) for _ in range(3)), return_exceptions=True)
        assert told == [exchange.error] * 3
        exchange.error = None
        assert await shared.get(1, exchange.answer) == 2

    asyncio.run(run())


def test_one_who_goes_away_does_not_stop_it_for_the_others():
    async def run() -> None:
        shared, exchange = SharedAnswers(lambda: 0, 500), Exchange()
        one, other = (asyncio.create_task(shared.get(1, exchange.answer)) for _ in range(2))
        await asyncio.sleep(0)
        one.cancel()
        with pytest.raises(asyncio.CancelledError):
            await one
        exchange.may.set()
        assert await other == 1

    asyncio.run(run())


def test_what_is_old_is_forgotten_when_there_is_much():
    async def run() -> None:
        now = [0]
        shared, exchange = SharedAnswers(lambda: now[0], 10), Exchange()
        exchange.may.set()
        for number in range(5_000):
            now[0] = number
            await shared.get(number, exchange.answer)
        assert len(shared._asked) <= 2_001

    asyncio.run(run())


def test_a_clock_set_back_makes_nothing_last():
    async def run() -> None:
        now = [1_000]
        shared, exchange = SharedAnswers(lambda: now[0], 500), Exchange()
        exchange.may.set()
        await shared.get(1, exchange.answer)
        now[0] = 0
        assert await shared.get(1, exchange.answer) == 2

    asyncio.run(run())
