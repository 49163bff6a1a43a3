"""What can be listened to: the topics, whose they are, and what of them may be left out for a client that is slow."""

import json
from enum import StrEnum
from typing import Any

from cambist.apps.api.stream.frames import framed
from cambist.domain.record import record
from cambist.ports import bus

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Topic(StrEnum):
    """What a client may subscribe to."""

    CANDLES = "candles"
    TICKS = "ticks"
    HEARTBEAT = "heartbeat"
    RAW = "raw"
    EXCHANGES = "exchanges"
    ORDERS = "orders"
    FILLS = "fills"
    POSITIONS = "positions"
    BOTS = "bots"
    JOBS = "jobs"
    ALERTS = "alerts"
    REQUESTS = "requests"


KEPT = frozenset((Topic.ORDERS, Topic.FILLS, Topic.JOBS, Topic.ALERTS, Topic.REQUESTS))
"""One's own, told one by one: none is ever left out, and what was missed is told again after a reconnect."""
STATES = frozenset((Topic.POSITIONS, Topic.BOTS))
"""One's own: how things stand. A subscription begins with all of it."""
PRIVATE = KEPT | STATES
OF_BUS = {
    bus.CANDLES: Topic.CANDLES,
    bus.TICKS: Topic.TICKS,
    bus.HEARTBEAT: Topic.HEARTBEAT,
    bus.RAW: Topic.RAW,
    bus.EXCHANGES: Topic.EXCHANGES,
    bus.ORDERS: Topic.ORDERS,
    bus.FILLS: Topic.FILLS,
    bus.JOBS: Topic.JOBS,
    bus.ALERTS: Topic.ALERTS,
    bus.ANSWERS: Topic.REQUESTS,
}
"""Where each topic comes from; positions and bots are read off the audit stream."""
_OF_A_MARKET = frozenset((Topic.CANDLES, Topic.TICKS, Topic.HEARTBEAT))
_UNTOLD = frozenset((Topic.TICKS, Topic.BOTS))
"""Topics of which the newest says all there is to know: that older ones were left out is not told."""


class Event:
    """One thing that happened, written out once, however many are told."""

    __slots__ = ("_frame", "_text", "at_s", "data", "key", "seq", "symbol", "timeframe", "topic")

    def __init__(self, topic: Topic, seq: int | None, data: dict[str, Any], at_s: float) -> None:
        """``seq`` counts within the topic: of everybody's events, or of one person's; None for one person's events of
        a topic that is everybody's. ``at_s`` is when it came."""
        self.topic = topic
        self.seq = seq
        self.data = data
        self.at_s = at_s
        self.symbol: str | None = data.get("symbol")
        self.timeframe: str | None = data.get("timeframe")
        self.key = self._newest_of()
        self._text = ""
        self._frame = b""

    def _newest_of(self) -> tuple[object, ...] | None:
        """Return of what this is the newest word, if a newer one may take its place in a queue; None if none may."""
        if self.topic is Topic.BOTS:
            return self.topic, self.data.get("account")
        if self.topic in _OF_A_MARKET:
            return self.topic, self.data.get("venue"), self.symbol, self.timeframe
        return None

    @property
    def told_if_lost(self) -> bool:
        """Return whether a client is told that this was left out."""
        return self.topic not in _UNTOLD

    @property
    def text(self) -> str:
        """Return it as it is sent."""
        if not self._text:
            message = {"type": "event", "topic": self.topic, "seq": self.seq, "id": self.data.get("id")}
            self._text = _encode(message | {"data": self.data})
        return self._text

    @property
    def frame(self) -> bytes:
        """Return it as it goes over the wire."""
        if not self._frame:
            self._frame = framed(self.text)
        return self._frame


@record
class Wanted:
    """Of which symbols and timeframes a client is told; None for all. What has neither is always told."""

    symbols: frozenset[str] | None = None
    timeframes: frozenset[str] | None = None

    def admits(self, event: Event) -> bool:
        """Tell whether ``event`` is wanted."""
        if self.symbols is not None and event.symbol is not None and event.symbol not in self.symbols:
            return False
        return self.timeframes is None or event.timeframe is None or event.timeframe in self.timeframes


def written(message: dict[str, Any]) -> str:
    """Return a message of the server as it is sent."""
    return _encode(message)
