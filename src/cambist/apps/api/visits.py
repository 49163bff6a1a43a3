"""From where and by whom a request comes, for what keeps account of it."""

from typing import Annotated

from fastapi import Depends, Request, Response

from cambist.apps.api.caller import Viewer
from cambist.apps.api.idempotency import SHOWN_ONCE
from cambist.apps.api.services import Server
from cambist.domain.errors import NotAllowed
from cambist.domain.person import Identity
from cambist.usecases.office import Visit


async def _visit(request: Request, server: Server) -> Visit:
    state = request.scope["state"]
    caller = state.get("caller")
    return Visit(
        now_ms=server.now_ms(),
        actor=_name(caller) if isinstance(caller, Identity) else "",
        address=state["address"],
        agent=request.headers.get("user-agent", ""),
        request_id=state["request_id"],
    )


def _name(caller: Identity) -> str:
    return caller.name if caller.token is None else f"{caller.name} by token {caller.token}"


async def _oneself(caller: Viewer) -> Identity:
    """Return who asks, if that is a person who has signed in: an API token must not change how one comes in."""
    if caller.token is not None:
        raise NotAllowed("people.session_only")
    return caller


async def _secret_answer(response: Response) -> None:
    """Mark an answer that holds a secret, so that it is kept nowhere."""
    response.headers[SHOWN_ONCE] = "1"


Visited = Annotated[Visit, Depends(_visit)]
"""When, from where and by whom this is asked."""
Oneself = Annotated[Identity, Depends(_oneself)]
"""Somebody who has signed in, of any role."""
shown_once = Depends(_secret_answer)
"""For the ``dependencies`` of routes whose answer holds a secret."""
