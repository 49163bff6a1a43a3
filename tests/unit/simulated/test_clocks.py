"""The three clocks."""

import asyncio
import time

from cambist.adapters.clock import AcceleratedClock, SteppedClock, SystemClock


def test_the_system_s_clock_shows_this_machine_s_time():
    clock = SystemClock()
    before = time.time_ns() // 1_000_000
    asyncio.run(clock.sleep(0.01))
    assert clock.now_ms() >= before + 9


def test_an_accelerated_clock_starts_where_it_is_told_and_sleeps_in_its_own_time():
    async def body() -> tuple[int, int]:
        clock = AcceleratedClock(1_000.0, 5_000_000)
        before = clock.now_ms()
        await clock.sleep(20.0)
        return before, clock.now_ms()

    begun = time.monotonic()
    before, after = asyncio.run(body())
    took = time.monotonic() - begun
    assert before >= 5_000_000
    assert 19_000 <= after - before <= took * 1_000_000


def test_a_stepped_clock_moves_only_when_it_is_told_and_wakes_sleepers_at_their_times():
    async def body() -> list[tuple[str, int]]:
        clock = SteppedClock(1_000)
        woken: list[tuple[str, int]] = []

        async def every(name: str, seconds: float) -> None:
            while True:
                await clock.sleep(seconds)
                woken.append((name, clock.now_ms()))

        tasks = [asyncio.create_task(every("slow", 2.0)), asyncio.create_task(every("quick", 1.5))]
        await asyncio.sleep(0)
        assert clock.now_ms() == 1_000
        await clock.move_to(2_499)
        assert woken == []
        await clock.move_to(6_000)
        assert clock.now_ms() == 6_000
        await clock.move_to(3_000)
        assert clock.now_ms() == 6_000  # never back
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return woken

    assert asyncio.run(body()) == [
        ("quick", 2_500),
        ("slow", 3_000),
        ("quick", 4_000),
        ("slow", 5_000),
        ("quick", 5_500),
    ]


def test_a_sleep_of_nothing_on_a_stepped_clock_is_over_at_once():
    asyncio.run(asyncio.wait_for(SteppedClock(0).sleep(0.0), 5))
