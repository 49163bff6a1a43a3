"""The stream: a ticket for pages, and the WebSocket itself (docs/stream.md)."""

from typing import Annotated

from fastapi import Request, WebSocket
from pydantic import ConfigDict, Field

from cambist.apps.api.area import Area
from cambist.apps.api.caller import Viewer
from cambist.apps.api.stream.door import Door
from cambist.apps.api.stream.tickets import LASTS_S
from cambist.apps.api.visits import shown_once
from cambist.apps.api.words import Answer

router = Area("/stream", tags=["stream"])


class Ticket(Answer):
    """Opens the stream once."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"ticket": "pW3cLk0l9m1rT2nXh4o5eA", "expires_in_s": LASTS_S}]}
    )

    ticket: Annotated[str, Field(description="Connect to `/api/v1/stream?ticket=...` with it.")]
    expires_in_s: Annotated[int, Field(description="Seconds until it opens nothing any more.")]


@router.post("/ticket", status_code=201, summary="Get a ticket for the stream", dependencies=[shown_once])
async def ticket(caller: Viewer, request: Request) -> Ticket:
    """Return a ticket that opens the WebSocket `/api/v1/stream` once, within 30 seconds.

    For pages, which cannot send headers with a WebSocket; the connection is the caller's, as if it had brought their
    token, and lives as long.
    """
    del caller  # in the loop, where tickets are redeemed too: there is no lock over them
    token = request.headers.get("authorization", "").partition(" ")[2].strip()  # none with the debug login
    door: Door = request.app.state.door
    return Ticket(ticket=door.tickets.issue(token), expires_in_s=LASTS_S)


@router.websocket("")
async def stream(socket: WebSocket) -> None:
    """Tell a client what happens, as it happens."""
    door: Door = socket.app.state.door
    await door.serve(socket)
