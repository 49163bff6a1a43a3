"""What every `Bus` keeps to: an adapter's test inherits `BusContract` and gives ``open_bus``."""

import asyncio
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from itertools import count
from typing import Any

import pytest

from cambist.domain.errors import BusFailed
from cambist.ports.bus import Bus, Delivery

OpenBus = Callable[..., Bus]
"""Opens a bus; takes ``keep`` and ``redeliver_after_s``."""

_topics = count(1)
SOON_S = 60.0
"""Far more than anything here takes: a test that fails does not hang."""


def numbered(*numbers: int) -> list[dict[str, Any]]:
    return [{"id": number} for number in numbers]


async def take(deliveries: AsyncIterator[Delivery], number: int) -> list[Delivery]:
    async with asyncio.timeout(SOON_S):
        return [await anext(deliveries) for _ in range(number)]


async def end(*iterators: AsyncIterator[Delivery]) -> None:
    for iterator in iterators:
        await iterator.aclose()  # type: ignore[attr-defined]


def messages(taken: list[Delivery]) -> list[dict[str, Any]]:
    return [delivery.message for delivery in taken]


class BusContract:
    @pytest.fixture
    def topic(self) -> str:
        return f"topic-{next(_topics)}"

    def runs(self, open_bus: OpenBus, scenario: Any, **options: Any) -> None:
        """Run ``scenario(bus)``, and close the bus."""

        async def run() -> None:
            bus = open_bus(**options)
            try:
                await scenario(bus)
            finally:
                await bus.close()

        asyncio.run(run())

    def test_messages_come_whole_and_in_order(self, open_bus, topic):
        sent = [{"id": "é ☃", "price": "0.10", "n": None, "deep": {"list": [1, 2.5, True]}}, *numbered(*range(100))]

        async def scenario(bus: Bus) -> None:
            reading = bus.subscribe(topic, group="g", consumer="c")
            for message in sent:
                await bus.publish(topic, message)
            taken = await take(reading, len(sent))
            assert messages(taken) == sent
            assert {delivery.topic for delivery in taken} == {topic}
            assert len({delivery.key for delivery in taken}) == len(sent)
            await end(reading)

        self.runs(open_bus, scenario)

    def test_what_is_no_json_is_refused_and_not_sent(self, open_bus, topic):
        async def scenario(bus: Bus) -> None:
            reading = bus.subscribe(topic, group="g", consumer="c")
            for wrong in (Decimal("0.1"), float("nan"), object()):
                with pytest.raises((TypeError, ValueError)):
                    await bus.publish(topic, {"price": wrong})
            await bus.publish(topic, {"id": 1})
            assert messages(await take(reading, 1)) == numbered(1)
            await end(reading)

        self.runs(open_bus, scenario)

    def test_a_group_gets_what_comes_after_it_or_all_that_is_kept(self, open_bus, topic):
        async def scenario(bus: Bus) -> None:
            for message in numbered(1, 2):
                await bus.publish(topic, message)
            late = bus.subscribe(topic, group="late", consumer="c")
            early = bus.subscribe(topic, group="early", consumer="c", from_start=True)
            await bus.publish(topic, {"id": 3})
            assert messages(await take(late, 1)) == numbered(3)
            assert messages(await take(early, 3)) == numbered(1, 2, 3)
            await end(late, early)

        self.runs(open_bus, scenario)

    def test_each_group_gets_everything(self, open_bus, topic):
        async def scenario(bus: Bus) -> None:
            readings = [bus.subscribe(topic, group=group, consumer="c") for group in "ab"]
            for message in numbered(*range(20)):
                await bus.publish(topic, message)
            for reading in readings:
                assert messages(await take(reading, 20)) == numbered(*range(20))
            await end(*readings)

        self.runs(open_bus, scenario)

    def test_the_consumers_of_a_group_share(self, open_bus, topic):
        async def scenario(bus: Bus) -> None:
            readings = [bus.subscribe(topic, group="g", consumer=name) for name in ("one", "two")]
            for message in numbered(*range(200)):
                await bus.publish(topic, message)
            got = [await take(reading, 1) for reading in readings]  # neither has taken all, however much in advance
            complete = asyncio.Event()

            async def consume(reading: AsyncIterator[Delivery], mine: list[Delivery]) -> None:
                async for delivery in reading:
                    mine.append(delivery)
                    if sum(map(len, got)) == 200:
                        complete.set()

            tasks = [asyncio.create_task(consume(*pair)) for pair in zip(readings, got, strict=True)]
            async with asyncio.timeout(SOON_S):
                await complete.wait()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            ids = [[delivery.message["id"] for delivery in mine] for mine in got]
            assert sorted(ids[0] + ids[1]) == list(range(200))
            assert [sorted(mine) for mine in ids] == ids

        self.runs(open_bus, scenario)

    def test_one_subscription_hears_several_topics(self, open_bus, topic):
        async def scenario(bus: Bus) -> None:
            topics = [f"{topic}-{name}" for name in "ab"]
            reading = bus.subscribe(*topics, group="g", consumer="c")
            for number in range(30):
                await bus.publish(topics[number % 2], {"id": number})
            taken = await take(reading, 30)
            for parity, name in enumerate(topics):
                of_it = [delivery.message["id"] for delivery in taken if delivery.topic == name]
                assert of_it == list(range(parity, 30, 2))
            await end(reading)

        self.runs(open_bus, scenario)

    def test_what_a_dead_consumer_took_goes_to_another_and_what_it_finished_does_not(self, open_bus, topic):
        async def scenario(bus: Bus) -> None:
            dead = bus.subscribe(topic, group="g", consumer="dead")
            for message in numbered(1, 2, 3):
                await bus.publish(topic, message)
            taken = await take(dead, 3)
            await bus.ack("g", taken[1])
            await end(dead)
            living = bus.subscribe(topic, group="g", consumer="living")
            again = await take(living, 2)
            assert messages(again) == numbered(1, 3)
            for delivery in again:
                await bus.ack("g", delivery)
            await bus.publish(topic, {"id": 4})
            assert messages(await take(living, 1)) == numbered(4)
            await end(living)

        self.runs(open_bus, scenario, redeliver_after_s=0.2)

    def test_a_consumer_that_waits_is_given_what_another_left(self, open_bus, topic):
        async def scenario(bus: Bus) -> None:
            dead, living = (bus.subscribe(topic, group="g", consumer=name) for name in ("dead", "living"))
            await bus.publish(topic, {"id": 1})
            (taken,) = await take(dead, 1)
            (again,) = await take(living, 1)
            assert (again.key, again.message) == (taken.key, taken.message)
            await end(dead, living)

        self.runs(open_bus, scenario, redeliver_after_s=0.2)

    def test_a_consumer_that_comes_back_gets_first_what_it_had_taken(self, open_bus, topic):
        async def scenario(bus: Bus) -> None:
            first = bus.subscribe(topic, group="g", consumer="c")
            for message in numbered(*range(40)):
                await bus.publish(topic, message)
            taken = await take(first, 30)
            for delivery in taken[:10]:
                await bus.ack("g", delivery)
            await end(first)
            second = bus.subscribe(topic, group="g", consumer="c")
            assert messages(await take(second, 30)) == numbered(*range(10, 40))
            await end(second)

        self.runs(open_bus, scenario, redeliver_after_s=3600)

    def test_acknowledging_twice_or_what_is_unknown_does_nothing(self, open_bus, topic):
        async def scenario(bus: Bus) -> None:
            reading = bus.subscribe(topic, group="g", consumer="c")
            await bus.publish(topic, {"id": 1})
            (taken,) = await take(reading, 1)
            await bus.ack("g", taken)
            await bus.ack("g", taken)
            await bus.ack("nobody", taken)
            await bus.publish(topic, {"id": 2})
            assert messages(await take(reading, 1)) == numbered(2)
            await end(reading)

        self.runs(open_bus, scenario)

    def test_a_reader_that_waits_is_cancelled_cleanly(self, open_bus, topic):
        async def scenario(bus: Bus) -> None:
            reading = bus.subscribe(topic, group="g", consumer="c")
            waiting = asyncio.ensure_future(anext(reading))
            await bus.publish(topic, {"id": 1})
            await waiting
            waiting = asyncio.ensure_future(anext(reading))
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            with pytest.raises(StopAsyncIteration):
                await anext(reading)
            await bus.publish(topic, {"id": 2})
            anew = bus.subscribe(topic, group="g", consumer="c")
            assert messages(await take(anew, 2)) == numbered(1, 2)
            await end(anew)

        self.runs(open_bus, scenario)

    def test_a_slow_group_holds_up_nobody_and_loses_the_oldest(self, open_bus, topic, caplog):
        """What is beyond ``keep`` goes: the rest comes in order; Redis trims by whole nodes of 100 and more."""

        async def scenario(bus: Bus) -> None:
            slow = bus.subscribe(topic, group="slow", consumer="c")
            quick = bus.subscribe(topic, group="quick", consumer="c")
            for message in numbered(*range(1_000)):
                await bus.publish(topic, message)
                (delivery,) = await take(quick, 1)
                assert delivery.message == message
                await bus.ack("quick", delivery)
            (first,) = await take(slow, 1)
            skipped = first.message["id"]
            assert 700 <= skipped <= 900
            assert messages(await take(slow, 999 - skipped)) == numbered(*range(skipped + 1, 1_000))
            await end(slow, quick)

        self.runs(open_bus, scenario, keep=100)

    def test_closing_ends_what_is_read_and_nothing_can_be_published(self, open_bus, topic):
        async def scenario(bus: Bus) -> None:
            reading = bus.subscribe(topic, group="g", consumer="c")
            await bus.publish(topic, {"id": 1})
            await take(reading, 1)
            waiting = asyncio.ensure_future(anext(reading))
            await asyncio.sleep(0)
            await bus.close()
            async with asyncio.timeout(SOON_S):
                with pytest.raises(StopAsyncIteration):
                    await waiting
            with pytest.raises(BusFailed, match="closed"):
                await bus.publish(topic, {"id": 2})

        self.runs(open_bus, scenario)
