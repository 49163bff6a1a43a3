"""The door of the stream, over real sockets: who comes in, for how long, and what a slow client meets."""

import asyncio
import json
import socket as sockets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Literal

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from cambist.adapters.bus.inprocess import InProcessBus
from cambist.apps.api.stream.client import Client
from cambist.apps.api.stream.door import Door, Limits
from cambist.apps.api.stream.frames import Framing
from cambist.apps.api.stream.hub import Hub
from cambist.domain.errors import NotSignedIn, StorageFailed
from cambist.domain.person import SCOPES, Identity, Role
from cambist.ports import bus

SOON_S = 60.0


class People:
    """Who may come in, by token."""

    def __init__(self) -> None:
        self.away = False
        self.known = {
            "ann": _person(1),
            "ann-2": _person(1, language="fr"),
            "bob": _person(2, role=Role.ADMIN),
            "blind": _person(3, scopes=frozenset()),
        }

    def identify(self, token: str | None) -> Identity:
        if self.away:
            raise StorageFailed("bus.failed", where="there", why="away")
        if token is None or token not in self.known:
            raise NotSignedIn("api.sign_in")
        return self.known[token]


def _person(
    user_id: int, role: Role = Role.TRADE, language: Literal["en", "fr"] = "en", scopes: Any = None
) -> Identity:
    return Identity(
        user_id=user_id,
        name=f"person-{user_id}",
        role=role,
        scopes=SCOPES[role] if scopes is None else scopes,
        session="s",
        token=None,
        language=language,
        time_zone="UTC",
        limits={},
    )


class Place:
    """A server with a door, and what it stands on."""

    def __init__(self, limits: Limits) -> None:
        self.bus = InProcessBus()
        self.people = People()
        self.door = Door(Hub(self.bus, lambda user_id, heard: []), self.people.identify, ["https://ours.test"], limits)
        self.port = 0

    def connect(self, query: str = "", **more: Any) -> connect:
        return connect(f"ws://127.0.0.1:{self.port}/stream{query}", **more)

    @asynccontextmanager
    async def known(self, token: str = "ann", *topics: str, **more: Any) -> AsyncIterator[ClientConnection]:
        async with self.connect(**more) as connection:
            await say(connection, type="hello", token=token)
            await hear(connection, "welcome")
            if topics:
                await say(connection, type="subscribe", topics=topics)
                await hear(connection, "subscribed")
            yield connection


PLAIN = "websockets-sansio"
"""A server that hands everything over as ASGI has it."""


@asynccontextmanager
async def place(ws: Any = Framing, **limits: Any) -> AsyncIterator[Place]:
    one = Place(Limits(**limits))
    app = Starlette(routes=[WebSocketRoute("/stream", one.door.serve)])
    with sockets.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        one.port = listening.getsockname()[1]
        config = uvicorn.Config(
            app,
            ws=ws,
            ws_per_message_deflate=False,
            lifespan="off",
            log_level="error",
            log_config=None,
        )
        server = uvicorn.Server(config)
        tasks = [asyncio.create_task(server.serve([listening])), asyncio.create_task(one.door.run())]
        try:
            async with asyncio.timeout(SOON_S):
                yield one
        finally:
            server.should_exit = True
            tasks[1].cancel()
            await asyncio.wait(tasks)


async def say(connection: ClientConnection, **message: Any) -> None:
    await connection.send(json.dumps(message))


async def hear(connection: ClientConnection, kind: str) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(await connection.recv())
    assert message["type"] == kind, message
    return message


async def closed(connection: ClientConnection) -> tuple[int | None, str]:
    """Return the code and the sentence with which the server closes."""
    detail = ""
    with suppress(ConnectionClosed):
        async for text in connection:
            message = json.loads(text)
            detail = message.get("detail", "")
    return connection.close_code, detail


def run(scenario: Callable[[Place], Awaitable[None]], **limits: Any) -> None:
    async def go() -> None:
        async with place(**limits) as one:
            await scenario(one)

    asyncio.run(go())


# -- who comes in -----------------------------------------------------------------------------------------------------


def test_a_token_opens_the_stream_by_message_header_or_ticket():
    async def scenario(one: Place) -> None:
        async with one.connect() as by_message:
            await say(by_message, type="hello", token="ann")
            welcome = await hear(by_message, "welcome")
            assert (welcome["stream"], welcome["user_id"], welcome["resumed"]) == (one.door.hub.stream, 1, False)
            assert welcome["seq"]["orders"] == 0
        async with one.connect(additional_headers={"Authorization": "Bearer bob"}) as by_header:
            assert (await hear(by_header, "welcome"))["user_id"] == 2
        ticket = one.door.tickets.issue("ann")
        async with one.connect(f"?ticket={ticket}") as by_ticket:
            assert (await hear(by_ticket, "welcome"))["user_id"] == 1
        async with one.connect(f"?ticket={ticket}") as again:
            assert (await closed(again))[0] == 4401

    run(scenario)


@pytest.mark.parametrize(
    ("first", "code"),
    [
        ({"type": "hello", "token": "nobody"}, 4401),
        ({"type": "hello"}, 4401),
        ({"type": "subscribe", "topics": ["ticks"]}, 4401),
        ({"type": "hello", "token": "blind"}, 4403),
        ({"type": "dance"}, 4400),
        ("not JSON", 4400),
        (b"bytes", 4400),
    ],
)
def test_who_is_not_known_is_turned_away_with_the_reason(first, code):
    async def scenario(one: Place) -> None:
        async with one.connect() as connection:
            await connection.send(json.dumps(first) if isinstance(first, dict) else first)
            got, detail = await closed(connection)
            assert got == code
            assert len(detail) > 10
        assert one.door.hub.clients == 0

    run(scenario)


def test_who_says_nothing_is_turned_away():
    async def scenario(one: Place) -> None:
        async with one.connect() as connection:
            assert (await closed(connection))[0] == 4408

    run(scenario, hello_s=0.05)


@pytest.mark.parametrize(
    "origin", ["https://evil.test", "http://ours.test", "null", "https://ours.test.evil.test", "http://["]
)
def test_pages_of_other_origins_are_refused_before_anything(origin):
    async def scenario(one: Place) -> None:
        with pytest.raises(InvalidStatus) as refused:
            await one.connect(origin=origin, additional_headers={"Authorization": "Bearer ann"})
        assert refused.value.response.status_code == 403

    run(scenario)


def test_pages_of_our_own_and_of_listed_origins_come_in():
    async def scenario(one: Place) -> None:
        for origin in ("https://ours.test", f"http://127.0.0.1:{one.port}"):
            async with one.known(origin=origin):
                pass

    run(scenario)


def test_one_person_and_one_address_open_so_many_connections():
    async def scenario(one: Place) -> None:
        async with one.known(), one.known(), one.known("bob"), one.connect() as third:
            await say(third, type="hello", token="ann-2")
            code, detail = await closed(third)
            assert code == 4429
            assert "fermez-en une" in detail  # the person's own language
        async with one.connect(), one.connect():
            with pytest.raises(InvalidStatus):
                await one.connect()

    run(scenario, per_user=2, strangers=2)


# -- how long ---------------------------------------------------------------------------------------------------------


def test_a_session_that_ends_takes_its_connections_with_it():
    async def scenario(one: Place) -> None:
        async with one.known("ann", "orders") as hers, one.known("bob", "orders") as his:
            del one.people.known["ann"]
            assert (await closed(hers))[0] == 4401
            await one.bus.publish(bus.ORDERS, {"id": "o1", "user_id": 2})
            assert (await hear(his, "event"))["id"] == "o1"

    run(scenario, look_s=0.05, round_s=0.01)


def test_a_new_token_keeps_the_connection_and_another_persons_does_not():
    async def scenario(one: Place) -> None:
        async with one.known("ann", "orders") as hers, one.known("bob") as his:
            await say(hers, type="hello", token="ann-2")
            assert (await hear(hers, "welcome"))["user_id"] == 1
            del one.people.known["ann"]
            await say(his, type="hello", token="ann-2")
            assert (await closed(his))[0] == 4401
            for number in range(3):  # looked at several times meanwhile
                await asyncio.sleep(0.05)
                await one.bus.publish(bus.ORDERS, {"id": f"o{number}", "user_id": 1})
                assert (await hear(hers, "event"))["id"] == f"o{number}"

    run(scenario, look_s=0.03, round_s=0.01)


def test_a_database_that_is_away_ends_no_session_and_lets_nobody_new_in():
    async def scenario(one: Place) -> None:
        async with one.known("ann", "orders") as hers:
            one.people.away = True
            async with one.connect() as stranger:
                await say(stranger, type="hello", token="bob")
                assert (await closed(stranger))[0] == 1013
            await one.bus.publish(bus.ORDERS, {"id": "o1", "user_id": 1})
            assert (await hear(hers, "event"))["id"] == "o1"

    run(scenario, look_s=0.03, round_s=0.01)


# -- what is said -----------------------------------------------------------------------------------------------------


def test_what_is_wrong_is_said_and_the_connection_stays():
    async def scenario(one: Place) -> None:
        async with one.known() as connection:
            for wrong, field in [
                ('{"type": "subscribe", "topics": ["order"]}', "topics.0"),
                ('{"type": "subscribe", "topics": []}', "topics"),
                ('{"type": "subscribe", "topics": ["raw"], "symbol": "BTC/USDT"}', "symbol"),
                ('{"type": "hello", "resume": {"stream": "x", "seq": {"orders": -1}}}', "resume.seq.orders"),
                ('{"type": "dance"}', "type"),
                ("[1, 2]", "body"),
                ("{", "body"),
            ]:
                await connection.send(wrong)
                error = await hear(connection, "error")
                assert (error["code"], error["field"]) == ("unreadable", field)
                assert error["remedy"] in error["detail"]
                assert len(error["remedy"]) > 5
            await say(connection, type="hello", token=5)
            error = await hear(connection, "error")
            assert (error["field"], error["value"]) == ("token", None)
            await say(connection, type="ping")
            await hear(connection, "pong")
            await say(connection, type="subscribe", topics=["ticks", "jobs"])
            assert (await hear(connection, "subscribed"))["topics"] == ["jobs", "ticks"]
            await say(connection, type="unsubscribe", topics=["ticks"])
            assert (await hear(connection, "unsubscribed"))["topics"] == ["jobs"]

    run(scenario)


def test_who_talks_too_much_is_cut_off():
    async def scenario(one: Place) -> None:
        async with one.known() as connection:
            for _ in range(150):
                await say(connection, type="ping")
            assert (await closed(connection))[0] == 4429

    run(scenario)


@pytest.mark.parametrize("ws", [Framing, PLAIN])
def test_who_was_away_is_told_what_was_missed(ws):
    async def scenario(one: Place) -> None:
        async with one.known("ann", "orders", "fills") as connection:
            await one.bus.publish(bus.ORDERS, {"id": "o1", "user_id": 1})
            assert (await hear(connection, "event"))["seq"] == 1
        while one.door.hub.clients:
            await asyncio.sleep(0)
        for number in (2, 3):
            await one.bus.publish(bus.ORDERS, {"id": f"o{number}", "user_id": 1})
            await one.bus.publish(bus.FILLS, {"id": f"f{number}", "user_id": 2})
        while one.door.hub.seqs(1)["orders"] < 3:  # type: ignore[index]
            await asyncio.sleep(0)
        async with one.connect() as connection:
            resume = {"stream": one.door.hub.stream, "seq": {"orders": 1, "fills": 0}}
            await say(connection, type="hello", token="ann", resume=resume)
            welcome = await hear(connection, "welcome")
            assert (welcome["resumed"], welcome["seq"]["orders"], welcome["seq"]["fills"]) == (True, 3, 0)
            await say(connection, type="subscribe", topics=["orders", "fills"])
            assert [(await hear(connection, "event"))["id"] for _ in range(2)] == ["o2", "o3"]
            await hear(connection, "subscribed")

    run(scenario, ws=ws)


@pytest.mark.parametrize(("ws", "past_the_queue"), [(Framing, True), (PLAIN, False)])
def test_where_the_server_takes_frames_events_go_past_the_queue(monkeypatch, ws, past_the_queue):
    taken: list[str | None] = []
    take = Client.take

    def noted(client: Client) -> str | None:
        taken.append(take(client))
        return taken[-1]

    async def scenario(one: Place) -> None:
        async with one.known("ann", "orders") as connection:
            taken.clear()
            for number in range(3):
                await one.bus.publish(bus.ORDERS, {"id": f"o{number}", "user_id": 1, "text": "é"})
                told = await hear(connection, "event")
                assert (told["id"], told["data"]["text"]) == (f"o{number}", "é")
        assert (not any(taken)) is past_the_queue

    monkeypatch.setattr(Client, "take", noted)
    run(scenario, ws=ws)


@pytest.mark.parametrize("ws", [Framing, PLAIN])
def test_a_client_that_reads_by_fits_and_starts_is_told_all_in_order(ws):
    async def scenario(one: Place) -> None:
        big, number = "x" * 20_000, 0
        async with one.known("ann", "orders") as connection:
            (client,) = one.door.hub.of_user(1)
            for _ in range(3):
                connection.transport.pause_reading()
                begun = number
                while number < begun + 500:  # more than sockets and buffers hold
                    number += 1
                    await one.bus.publish(bus.ORDERS, {"id": f"o{number}", "user_id": 1, "big": big})
                connection.transport.resume_reading()
                for expected in range(begun + 1, number + 1):
                    number += 1
                    await one.bus.publish(bus.ORDERS, {"id": f"o{number}", "user_id": 1})
                    assert (await hear(connection, "event"))["seq"] == expected
                for expected in range(begun + 501, number + 1):
                    assert (await hear(connection, "event"))["seq"] == expected
            assert client.ending is None

    run(scenario, ws=ws)


@pytest.mark.parametrize("ws", [Framing, PLAIN])
def test_a_client_that_reads_nothing_holds_up_nobody_and_is_cut_off(ws):
    async def scenario(one: Place) -> None:
        big = "x" * 20_000
        async with one.known("ann", "orders") as stuck, one.known("ann", "orders") as quick:
            stuck.transport.pause_reading()
            number = 0
            while one.door.hub.clients == 2:
                number += 1
                await one.bus.publish(bus.ORDERS, {"id": f"o{number}", "user_id": 1, "big": big})
                assert (await hear(quick, "event"))["id"] == f"o{number}"
            assert number > 20
            stuck.transport.resume_reading()
            with suppress(ConnectionClosed):  # in the midst of what it did not read
                async for _ in stuck:
                    pass

    run(scenario, ws=ws, waiting=20)
