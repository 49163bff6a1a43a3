"""What many are told is framed once, and goes straight to each connection that can take it.

Uvicorn frames each message for each connection, and by ASGI a task of each has to be woken to hand it over: for 200
clients of one message that was most of the work.
"""

from typing import cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State

EXTENSION = "cambist.frames"
"""Under this name a connection's scope has `Framing.write`."""


def framed(text: str) -> bytes:
    """Return a text message as it goes over the wire from a server (RFC 6455)."""
    return Frame(Opcode.TEXT, text.encode()).serialize(mask=False)


class Framing(WebSocketsSansIOProtocol):
    """Uvicorn's own protocol, which also takes a whole frame at once. Without compression."""

    def handle_connect(self, event: Request) -> None:
        """Answer a request for a connection."""
        super().handle_connect(event)
        if not self.close_sent:
            extensions = cast("dict[str, object]", self.scope.setdefault("extensions", {}))
            extensions[EXTENSION] = self.write

    def write(self, frame: bytes) -> bool:
        """Send ``frame``; False, and nothing is sent, if what was sent before still waits, or nothing can be sent."""
        if not self.writable.is_set() or self.conn.state is not State.OPEN or self.transport.is_closing():
            return False
        self.transport.write(frame)
        return True
