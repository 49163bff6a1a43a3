"""The assistant: plain words become a strategy, told as it is written (server-sent events)."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import ExitStack, aclosing, suppress
from typing import Annotated, Any

from fastapi import Request
from fastapi.responses import JSONResponse
from pydantic import Field
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from cambist.apps.api.area import Area
from cambist.apps.api.caller import Trader
from cambist.apps.api.idempotency import SHOWN_ONCE
from cambist.apps.api.problems import id_of, internal, problem_of
from cambist.apps.api.services import Server, Services
from cambist.apps.api.words import Answer, Body
from cambist.domain.errors import CambistError, NotFound
from cambist.domain.strategy_text import LARGEST_BYTES
from cambist.ports.assistant import Access
from cambist.usecases.assistant import LONGEST_REQUEST, Task, Told, access_of, converse
from cambist.usecases.oneself import AI_KEY
from cambist.usecases.strategies import checked_code

router = Area("/assistant", tags=["assistant"])

_STILL_HERE = b": still here\n\n"
_STILL_HERE_S = 15.0
"""Silence after which a comment is sent, so that nothing on the way thinks that the answer is over."""

_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": (
            "Server-sent events, their data JSON. `token`: {attempt, text}, a piece of the answer. `report`: {attempt, "
            "passed, findings}, what the validation says. `code`: {attempt, code, usable}. `done`: {attempts, usable}. "
            "`error`: a problem; nothing comes after it."
        ),
        "content": {
            "text/event-stream": {
                "schema": {"type": "string"},
                "example": 'event: token\ndata: {"attempt": 1, "text": "class "}\n\n',
            }
        },
    }
}

Wish = Annotated[
    str,
    Field(min_length=1, max_length=LONGEST_REQUEST, examples=["Buy when EMA 10 crosses above EMA 20, stop at 2 %."]),
]
Code = Annotated[str, Field(min_length=1, max_length=LARGEST_BYTES, examples=["class Mine(Strategy):\n    ...\n"])]


class ToWrite(Body):
    """What the strategy is to do, in plain words, English or French."""

    request: Wish


class ToImprove(Body):
    """A strategy, and what is to be different."""

    code: Code
    request: Wish


class ToExplain(Body):
    """A strategy, and what one would like to know of it above all."""

    code: Code
    request: Annotated[str, Field(max_length=LONGEST_REQUEST, examples=["When does it lose?"])] = ""


class Models(Answer):
    """What can be chosen in the profile."""

    models: list[str] = Field(examples=[["llama3.1:8b"]])


class EventStream(Response):
    """Sends what an iterator tells, and closes it as soon as whoever asked goes away; ``place`` is then given back."""

    media_type = "text/event-stream"

    def __init__(self, told: AsyncGenerator[bytes, None], place: ExitStack) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no", SHOWN_ONCE: "true"})
        del self.headers["content-length"]
        self._told = told
        self._place = place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream to its end, or until nobody listens."""
        with self._place:
            sending = asyncio.create_task(self._send(send))
            listening = asyncio.create_task(_until_gone(receive))
            try:
                await asyncio.wait((sending, listening), return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (sending, listening):
                    task.cancel()
                await asyncio.wait((sending, listening))
            with suppress(asyncio.CancelledError, OSError):  # nobody listens any more
                sending.result()

    async def _send(self, send: Send) -> None:
        async with aclosing(self._told) as told:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            following = asyncio.ensure_future(anext(told, None))
            try:
                while True:
                    await asyncio.wait((following,), timeout=_STILL_HERE_S)
                    part = following.result() if following.done() else _STILL_HERE
                    if part is None:
                        break
                    if part is not _STILL_HERE:
                        following = asyncio.ensure_future(anext(told, None))
                    await send({"type": "http.response.body", "body": part, "more_body": True})
            finally:
                following.cancel()
                await asyncio.wait((following,))
            await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


@router.get("/models", summary="Models to choose from")
async def models(caller: Trader, server: Server) -> Models:
    """Ask the provider chosen in the profile which models it has."""
    access = await asyncio.to_thread(_access, server, caller.user_id, choosing=True)
    with ExitStack() as place:
        await asyncio.to_thread(place.enter_context, server.conversations.taken(caller.user_id, server.now_ms()))
        return Models(models=await server.assistant.models(access))


@router.post("/write", summary="Write a strategy", status_code=200, response_class=EventStream, responses=_EVENTS)
def write(caller: Trader, server: Server, request: Request, body: ToWrite) -> EventStream:
    """Write a strategy from plain words. It is validated, and repaired once if it does not pass."""
    return _told(server, caller.user_id, request, Task.WRITE, wish=body.request)


@router.post("/improve", summary="Change a strategy", status_code=200, response_class=EventStream, responses=_EVENTS)
def improve(caller: Trader, server: Server, request: Request, body: ToImprove) -> EventStream:
    """Change a strategy as it is asked for. It is validated, and repaired once if it does not pass."""
    return _told(server, caller.user_id, request, Task.IMPROVE, wish=body.request, code=checked_code(body.code))


@router.post("/explain", summary="Explain a strategy", status_code=200, response_class=EventStream, responses=_EVENTS)
def explain(caller: Trader, server: Server, request: Request, body: ToExplain) -> EventStream:
    """Explain a strategy in plain words."""
    return _told(server, caller.user_id, request, Task.EXPLAIN, wish=body.request, code=checked_code(body.code))


def _access(server: Services, user_id: int, *, choosing: bool = False) -> Access:
    office = server.office
    try:
        key = office.vault.open(user_id, *AI_KEY)
    except NotFound:
        key = ""
    profile = office.people.person(user_id).profile.get("ai")
    return access_of(profile, key, local_allowed=server.settings.ai_local, choosing=choosing)


def _told(server: Services, user_id: int, request: Request, task: Task, *, wish: str, code: str = "") -> EventStream:
    access = _access(server, user_id)
    place = ExitStack()
    place.enter_context(server.conversations.taken(user_id, server.now_ms()))
    told = converse(server.assistant, access, task, server.validate, request=wish, code=code)
    return EventStream(_events(told, id_of(request)), place)


async def _events(told: AsyncGenerator[Told, None], request_id: str) -> AsyncGenerator[bytes, None]:
    """Yield what is told as server-sent events; what goes wrong is the last of them."""
    async with aclosing(told):
        try:
            async for one in told:
                yield _event(one.event, one.data)
        except CambistError as error:
            yield _event("error", _body(problem_of(error, request_id)))
        except Exception:  # noqa: BLE001 - the answer has begun: it can only be told in it
            yield _event("error", _body(internal(request_id)))


def _event(name: str, data: Any) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data, default=str)}\n\n".encode()


def _body(answer: JSONResponse) -> Any:
    return json.loads(bytes(answer.body))
