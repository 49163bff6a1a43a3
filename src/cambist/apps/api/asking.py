"""What people ask of the engine: written down, the engine woken, and its answer waited for a while."""

import asyncio
import re
from typing import Annotated

from fastapi import Query, Response
from pydantic import Field, computed_field

from cambist.apps.api.services import Services, Stores
from cambist.apps.api.words import Answer, Ms
from cambist.domain.errors import CambistError
from cambist.execution.ids import LENGTH
from cambist.ports.book import Request

_FIRST_LOOK_S, _LONGEST_LOOK_S = 0.004, 0.1

Wait = Annotated[
    float, Query(alias="wait_s", ge=0, le=30, description="How long to wait for the engine's answer (s); 202 after it.")
]
PATIENCE: float = 5.0
_CLIENT_ID = re.compile(rf"\bc[a-z2-7]{{{LENGTH - 1}}}\b")


def orders_in(answer: str) -> list[str]:
    """Return the client ids of the orders that the engine's answer names, in its order."""
    return list(dict.fromkeys(_CLIENT_ID.findall(answer)))


class Asked(Answer):
    """What was asked of the engine, and what came of it."""

    id: int = Field(examples=[17])
    account: str = Field(examples=["main"])
    bot: str = Field(examples=["trend"])
    action: str = Field(examples=["stop"])
    asked_ms: Ms
    done_ms: Ms | None
    """Null while no engine has done it: it waits for one, and is not lost."""
    answer: str = Field(examples=["trend is stopped."])

    @computed_field(examples=[["cfx3n5u2h7kq4mzt6a"]])
    def orders(self) -> list[str]:
        """Client ids of the orders that the answer names: what was sent, or is being taken back."""
        return orders_in(self.answer)


async def answered(server: Services, own: Stores, number: int, wait_s: float) -> Request:
    """Return request ``number`` once the engine has answered it, or as it is after ``wait_s``.

    Raises `CambistError` with the engine's words if it refused.
    """
    server.tell_engine(number)
    loop, look_s = asyncio.get_running_loop(), _FIRST_LOOK_S
    until = loop.time() + wait_s
    while True:
        request = await asyncio.to_thread(own.register.request, number)
        if request.done_ms is not None or loop.time() >= until:
            break
        await asyncio.sleep(min(look_s, max(0.0, until - loop.time())))
        look_s = min(_LONGEST_LOOK_S, 2 * look_s)
    if request.refused:
        raise CambistError("request.engine_refused", why=request.answer)
    return request


async def asked(server: Services, own: Stores, number: int, wait_s: float, response: Response) -> Asked:
    """Return request ``number`` as it is told: 200 with the engine's answer, or 202 while it has none."""
    request = await answered(server, own, number, wait_s)
    if request.done_ms is None:
        response.status_code = 202
    return Asked.model_validate(request)
