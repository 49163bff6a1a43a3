"""The bus: topics of JSON messages between the parts of Cambist, in one process or in many.

At least once: a message is handed to one consumer of each group until it is acknowledged, so every consumer is
idempotent by the message's ``id``.
"""

from collections.abc import AsyncIterator
from typing import Any, Protocol

from cambist.domain.record import record

HEARTBEAT, CANDLES, RAW = "heartbeat", "candles", "stream.raw"
SIGNALS, ORDERS, FILLS = "signals", "orders", "fills"
ALERTS, AUDIT = "alerts", "audit"
REQUESTS = "requests"
"""A person has asked the engine for something: it looks at once, and would have looked soon anyway."""
TICKS, JOBS, EXCHANGES = "ticks", "jobs", "exchanges"
ANSWERS = "answers"
"""What has become of a person's request."""
CCXT_REQUESTS, CCXT_RESPONSES = "ccxt_requests", "ccxt_responses"


@record
class Delivery:
    """One message as a consumer receives it."""

    topic: str
    key: str
    """What the bus calls it; give it to `Bus.ack`."""
    message: dict[str, Any]


class Bus(Protocol):
    """Publish and subscribe. Messages are JSON objects; money in them is text."""

    async def publish(self, topic: str, message: dict[str, Any]) -> None:
        """Send ``message`` to every group of ``topic``; raise `BusFailed` if it could not be handed over."""
        ...

    def subscribe(self, *topics: str, group: str, consumer: str, from_start: bool = False) -> AsyncIterator[Delivery]:
        """Yield what comes on ``topics`` for ``group`` (created when first named), until the iterator is closed.

        A group receives what is published after it first subscribed, or what the bus still keeps if ``from_start``.
        What another consumer of the group took and never acknowledged is handed on after a while.
        """
        ...

    async def ack(self, group: str, delivery: Delivery) -> None:
        """Say that ``delivery`` has been dealt with by ``group``."""
        ...

    async def close(self) -> None:
        """Close the connection, if there is one."""
        ...
