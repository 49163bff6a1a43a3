"""One client of the stream: what goes straight out, and what waits its turn."""

import asyncio

from cambist.apps.api.stream.client import Client
from cambist.apps.api.stream.topics import Event, Topic, Wanted


class Wire:
    """A connection that takes frames, or does not."""

    def __init__(self) -> None:
        self.open = True
        self.sent: list[bytes] = []

    def write(self, frame: bytes) -> bool:
        if self.open:
            self.sent.append(frame)
        return self.open


def an_event(seq: int) -> Event:
    return Event(Topic.ORDERS, seq, {"id": f"o{seq}"}, at_s=0.0)


def test_nothing_overtakes_what_waits_or_is_being_sent():
    async def scenario() -> None:
        wire = Wire()
        client = Client(1, write=wire.write)
        client.wanted[Topic.ORDERS] = Wanted()
        one, two, three, four = map(an_event, (1, 2, 3, 4))
        client.tell(one)
        assert wire.sent == [one.frame]
        wire.open = False
        client.tell(two)
        wire.open = True
        assert client.take() == two.text
        client.tell(three)  # the second may not have gone out yet
        assert wire.sent == [one.frame]
        assert [client.take(), client.take()] == [three.text, None]
        client.tell(four)
        assert wire.sent == [one.frame, four.frame]

    asyncio.run(scenario())


def test_what_the_server_says_is_not_overtaken_by_events():
    async def scenario() -> None:
        wire = Wire()
        client = Client(1, write=wire.write)
        client.wanted[Topic.ORDERS] = Wanted()
        client.say(type="welcome")
        client.tell(an_event(1))
        assert wire.sent == []
        assert [client.take(), client.take()] == ['{"type":"welcome"}', an_event(1).text]

    asyncio.run(scenario())
