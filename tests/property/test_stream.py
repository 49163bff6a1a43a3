"""Laws of the stream: order in each topic, nothing of one's own lost or told twice, nothing of anybody else's told."""

import asyncio
import json
from collections import defaultdict
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cambist.apps.api.stream.client import Client
from cambist.apps.api.stream.hub import Hub
from cambist.apps.api.stream.topics import KEPT, Topic, Wanted
from cambist.ports import bus
from cambist.ports.bus import Delivery

USERS = (1, 2)
OWN = {bus.ORDERS: Topic.ORDERS, bus.FILLS: Topic.FILLS, bus.ALERTS: Topic.ALERTS, bus.JOBS: Topic.JOBS}
MARKET = {bus.CANDLES: Topic.CANDLES, bus.HEARTBEAT: Topic.HEARTBEAT, bus.RAW: Topic.RAW}


class Listener:
    """A person's program that comes and goes, and remembers what it has dealt with."""

    def __init__(self, hub: Hub, user_id: int, **bounds: Any) -> None:
        self.hub, self.user_id, self.bounds = hub, user_id, bounds
        self.client: Client | None = None
        self.stream: str | None = None
        self.seen: dict[Topic, int] = {}
        self.got: dict[Topic, list[dict[str, Any]]] = defaultdict(list)
        self.gaps: dict[Topic, list[tuple[int, int]]] = defaultdict(list)

    async def connect(self, topics: list[Topic]) -> None:
        self.client = Client(self.user_id, **self.bounds)
        self.hub.join(self.client)
        if self.stream is None:
            self.stream, seqs = self.hub.stream, self.hub.seqs(self.user_id)
            self.seen = {topic: seqs[topic] for topic in KEPT}
        else:
            self.hub.resume(self.client, self.stream, self.seen)
        await self.hub.subscribe(self.client, topics, Wanted())

    def disconnect(self) -> None:
        if self.client is not None:
            self.hub.leave(self.client)  # what waited for it is gone
            self.client = None

    def read(self, count: int | None = None) -> None:
        while self.client is not None and count != 0 and (text := self.client.take()) is not None:
            count = None if count is None else count - 1
            message = json.loads(text)
            if message["type"] == "event":
                topic = Topic(message["topic"])
                self.got[topic].append(message)
                self.seen[topic] = message["seq"]
            elif message["type"] == "gap":
                self.gaps[Topic(message["topic"])].append((message["from"], message["to"]))

    def ids(self, topic: Topic) -> list[str]:
        return [message["id"] for message in self.got[topic]]


def hub() -> Hub:
    return Hub(None, lambda user_id, heard: [])  # type: ignore[arg-type]  # what it hears is put to it by hand


def tell(one: Hub, published: list[Delivery], number: int, what: str, whom: int, topic: str) -> None:
    if what == "own":
        published.append(Delivery(topic, str(number), {"id": f"{whom}:{number}", "user_id": whom}))
        one.hear(published[-1])
    elif published:  # the bus hands over at least once
        earlier = published[-min(whom, len(published))]
        one.hear(Delivery(earlier.topic, f"again-{number}", dict(earlier.message)))


own = st.tuples(st.just("own"), st.sampled_from(USERS), st.sampled_from(list(OWN)))
again = st.tuples(st.just("again"), st.integers(1, 5), st.none())
public = st.tuples(st.just("public"), st.sampled_from(list(MARKET)), st.sampled_from(("BTC/USDT", "ETH/USDT")))
read = st.tuples(st.just("read"), st.sampled_from(USERS), st.integers(1, 20))
away = st.tuples(st.just("away"), st.sampled_from(USERS), st.none())
back = st.tuples(st.just("back"), st.sampled_from(USERS), st.none())
script = st.lists(st.one_of(own, own, own, again, public, read, away, back), max_size=120)


@settings(max_examples=150, deadline=None)
@given(script)
def test_whoever_comes_back_is_told_all_of_their_own_once_and_in_order(steps):
    async def run() -> None:
        one = hub()
        listeners = {user: Listener(one, user) for user in USERS}
        for listener in listeners.values():
            await listener.connect(list(Topic))
        published: list[Delivery] = []
        for number, (what, whom, more) in enumerate(steps):
            if what in ("own", "again"):
                tell(one, published, number, what, whom, more)
            elif what == "public":
                one.hear(Delivery(whom, str(number), {"id": str(number), "symbol": more, "timeframe": "1m"}))
            elif what == "read":
                listeners[whom].read(more)
            elif what == "away":
                listeners[whom].disconnect()
            elif what == "back" and listeners[whom].client is None:
                await listeners[whom].connect(list(Topic))
        for user, listener in listeners.items():
            if listener.client is None:
                await listener.connect(list(Topic))
            listener.read()
            for name, topic in OWN.items():
                theirs = [
                    one.message["id"] for one in published if one.topic == name and one.message["user_id"] == user
                ]
                assert listener.ids(topic) == theirs
                assert [message["seq"] for message in listener.got[topic]] == list(range(1, len(theirs) + 1))
                assert not listener.gaps[topic]
            assert not listener.got[Topic.REQUESTS]

    asyncio.run(run())


@settings(max_examples=100, deadline=None)
@given(script, st.integers(1, 5))
def test_a_slow_client_is_told_of_each_event_of_a_market_or_of_the_gap(steps, most_lossy):
    async def run() -> None:
        one = hub()
        listener = Listener(one, 1, most_lossy=most_lossy)
        await listener.connect(list(Topic))
        sent: dict[Topic, int] = defaultdict(int)
        for number, (what, which, more) in enumerate(steps):
            if what == "public":
                sent[MARKET[which]] += 1
                one.hear(Delivery(which, str(number), {"id": str(number), "symbol": more, "timeframe": "1m"}))
            elif what == "read":
                listener.read(more)
        listener.read()
        for topic, count in sent.items():
            seqs = [message["seq"] for message in listener.got[topic]]
            assert seqs == sorted(set(seqs))
            told_lost = {seq for first, last in listener.gaps[topic] for seq in range(first, last + 1)}
            assert set(seqs) | told_lost >= set(range(1, count + 1))
            if count:
                assert seqs[-1] == count  # the newest always comes
        assert listener.client is not None
        assert listener.client.left_out == sum(sent.values()) - sum(len(listener.got[topic]) for topic in sent)

    asyncio.run(run())
