import asyncio
import logging
from pathlib import Path

import pytest
from tests.contract.bus import BusContract, OpenBus, end, messages, numbered, take
from tests.databases import RedisServer, redis_program

from cambist.adapters.bus import open_bus as choose
from cambist.adapters.bus.inprocess import InProcessBus
from cambist.adapters.bus.redis import RedisBus
from cambist.domain.errors import BadInput, BusFailed


class TestInProcessBus(BusContract):
    @pytest.fixture
    def open_bus(self) -> OpenBus:
        return InProcessBus

    def test_a_group_that_lost_something_is_named(self, open_bus, topic, caplog):
        async def scenario(bus):
            reading = bus.subscribe(topic, group="slow", consumer="c")
            for message in numbered(*range(15)):
                await bus.publish(topic, message)
            with caplog.at_level(logging.WARNING):
                assert messages(await take(reading, 10)) == numbered(*range(5, 15))
            assert [record.message for record in caplog.records] == [
                f"slow is too slow on {topic}: 5 messages went before it took them."
            ]
            await end(reading)

        self.runs(open_bus, scenario, keep=10)

    def test_memory_is_bounded_also_by_what_is_never_acknowledged(self, topic):
        async def scenario() -> None:
            bus = InProcessBus(keep=50)
            reading = bus.subscribe(topic, group="g", consumer="c")
            for message in numbered(*range(500)):
                await bus.publish(topic, message)
                await take(reading, 1)
            kept = bus._topics[topic]
            assert len(kept.texts) == len(kept.groups["g"].taken) == 50
            await end(reading)

        asyncio.run(scenario())

    def test_a_consumer_gets_a_message_of_its_own(self, open_bus, topic):
        async def scenario(bus):
            readings = [bus.subscribe(topic, group=group, consumer="c") for group in "ab"]
            await bus.publish(topic, {"id": [1]})
            for reading in readings:
                (delivery,) = await take(reading, 1)
                assert delivery.message == {"id": [1]}
                delivery.message["id"].append("changed")
            await end(*readings)

        self.runs(open_bus, scenario)


class TestRedisBus(BusContract):
    @pytest.fixture
    def open_bus(self, redis_server: RedisServer) -> OpenBus:
        return lambda **options: RedisBus(redis_server.url, **options)

    def test_processes_speak_over_it(self, open_bus, topic):
        async def scenario(bus):
            other = open_bus()
            reading = bus.subscribe(topic, group="g", consumer="c")
            await bus.publish(topic, {"id": 1})
            await other.publish(topic, {"id": 2})
            assert messages(await take(reading, 2)) == numbered(1, 2)
            await other.close()
            await end(reading)

        self.runs(open_bus, scenario)

    def test_connections_that_are_cut_lose_nothing(self, open_bus, topic):
        async def scenario(bus):
            killer = open_bus()
            reading = bus.subscribe(topic, group="g", consumer="c")
            seen = set()
            for number in range(20):
                await bus.publish(topic, {"id": number})
                if number % 5 == 0:
                    await killer._redis.client_kill_filter(_type="normal", skipme=True)
                if number % 2 == 0:
                    (delivery,) = await take(reading, 1)
                    await bus.ack("g", delivery)
                    seen.add(delivery.message["id"])
            while len(seen) < 20:  # what was on its way when a connection was cut comes again
                (delivery,) = await take(reading, 1)
                seen.add(delivery.message["id"])
            assert seen == set(range(20))
            await killer.close()
            await end(reading)

        self.runs(open_bus, scenario)

    def test_a_redis_that_forgot_everything_is_read_on(self, open_bus, topic):
        async def scenario(bus):
            reading = bus.subscribe(topic, group="g", consumer="c")
            await bus.publish(topic, {"id": 1})
            await take(reading, 1)
            await bus._redis.delete(topic)
            await bus.publish(topic, {"id": 2})  # before the group is there again
            assert messages(await take(reading, 1)) == numbered(2)
            await end(reading)

        self.runs(open_bus, scenario)

    @pytest.mark.parametrize("strange", [{"other": "x"}, {"message": "no JSON"}, {"message": "[1]"}])
    def test_what_somebody_else_wrote_stops_nobody(self, open_bus, topic, caplog, strange):
        async def scenario(bus):
            reading = bus.subscribe(topic, group="g", consumer="c")
            await bus.publish(topic, {"id": 1})
            await bus._redis.xadd(topic, strange)
            await bus.publish(topic, {"id": 2})
            assert messages(await take(reading, 2)) == numbered(1, 2)
            assert [record.levelname for record in caplog.records] == ["ERROR"]
            assert (await bus._redis.xpending(topic, "g"))["pending"] == 2
            await end(reading)

        self.runs(open_bus, scenario)

    def test_what_redis_refuses_is_said_to_who_reads_and_who_publishes(self, open_bus, topic):
        async def scenario(bus):
            await bus._redis.set(topic, "not a stream")
            with pytest.raises(BusFailed, match="WRONGTYPE"):
                await bus.publish(topic, {"id": 1})
            reading = bus.subscribe(topic, group="g", consumer="c")
            with pytest.raises(BusFailed, match="WRONGTYPE"):
                await take(reading, 1)

        self.runs(open_bus, scenario)


def test_a_redis_that_is_started_again_goes_on_where_it_was(tmp_path: Path):
    server = RedisServer(redis_program(), tmp_path)
    kept = ("--appendonly", "yes", "--appendfsync", "always")
    server.start(*kept)

    async def scenario() -> None:
        bus = RedisBus(server.url)
        reading = bus.subscribe("orders", group="g", consumer="c")
        for message in numbered(1, 2, 3):
            await bus.publish("orders", message)
        one, *_ = await take(reading, 2)
        await bus.ack("g", one)
        waiting = asyncio.ensure_future(anext(reading))
        (await waiting)
        waiting = asyncio.ensure_future(anext(reading))  # waits while the server goes
        server.stop()
        with pytest.raises(BusFailed, match=r"127\.0\.0\.1"):
            await bus.publish("orders", {"id": "nobody takes it"})
        server.start(*kept)
        await bus.publish("orders", {"id": 4})
        again = [await waiting, *await take(reading, 2)]
        assert messages(again) == numbered(2, 3, 4)  # 2 and 3 were never acknowledged
        await end(reading)
        await bus.close()

    try:
        asyncio.run(scenario())
    finally:
        server.stop()


def test_a_redis_that_is_a_replica_for_a_while_is_waited_for(tmp_path: Path):
    server = RedisServer(redis_program(), tmp_path)
    server.start()

    async def scenario() -> None:
        bus = RedisBus(server.url)
        reading = bus.subscribe("t", group="g", consumer="c")
        await bus.publish("t", {"id": 1})
        await take(reading, 1)
        await bus._redis.replicaof("127.0.0.1", "1")
        with pytest.raises(BusFailed, match="read only"):
            await bus.publish("t", {"id": 2})
        waiting = asyncio.ensure_future(anext(reading))
        _, pending = await asyncio.wait({waiting}, timeout=0.2)
        assert pending
        await bus._redis.replicaof("NO", "ONE")
        await bus.publish("t", {"id": 3})
        async with asyncio.timeout(60):
            assert (await waiting).message in numbered(1, 3)  # 1 was never acknowledged
        await end(reading)
        await bus.close()

    try:
        asyncio.run(scenario())
    finally:
        server.stop()


def test_who_subscribes_before_redis_is_there_waits(tmp_path: Path):
    server = RedisServer(redis_program(), tmp_path)
    server.start()
    server.stop()

    async def scenario() -> None:
        bus = RedisBus(server.url)
        reading = asyncio.ensure_future(anext(bus.subscribe("t", group="g", consumer="c", from_start=True)))
        await asyncio.sleep(0)
        server.start()
        await bus.publish("t", {"id": 1})
        async with asyncio.timeout(60):
            assert (await reading).message == {"id": 1}
        await bus.close()

    try:
        asyncio.run(scenario())
    finally:
        server.stop()


def test_the_url_says_which_it_is():
    async def scenario() -> None:
        for nothing in (None, ""):
            assert isinstance(choose(nothing), InProcessBus)
        bus = choose("redis://127.0.0.1:1/0")
        assert isinstance(bus, RedisBus)
        await bus.close()
        with pytest.raises(BadInput, match=r"BUS_URL.*'amqp'.*redis://") as refused:
            choose("amqp://me:secret@host")
        assert "secret" not in str(refused.value)

    asyncio.run(scenario())
