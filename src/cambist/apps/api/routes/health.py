"""Whether the server is alive, whether it can work, and what people should know about how it runs."""

from importlib.metadata import version
from typing import Annotated, Literal

from fastapi import Response
from pydantic import Field

from cambist.apps.api.area import Area, quick
from cambist.apps.api.services import Server
from cambist.apps.api.words import Answer, Ms

router = Area(tags=["health"])

_VERSION = version("cambist")  # read off the disk


class Alive(Answer):
    """The server answers."""

    status: Literal["ok"] = "ok"
    version: str = Field(examples=["0.1.0"])
    now_ms: Ms


class Ready(Answer):
    """Whether what the server needs is there."""

    ready: bool
    reasons: list[str] = Field(examples=[["no signal of the heartbeat for 95 s"]])
    """What is not well, one sentence each."""
    data_age_s: Annotated[float | None, Field(description="Seconds since the last candle closed and was told of.")]
    debug_login: bool
    trust_code: Annotated[bool, Field(description="Stored strategies run without a jail (`CAMBIST_TRUST_CODE`).")]


@router.get("/health", summary="Is the server alive?")
async def health(server: Server) -> Alive:
    """Answer at once, whatever the database does."""
    return Alive(version=_VERSION, now_ms=server.now_ms())


@router.get("/ready", summary="Can the server work?", responses={503: {"model": Ready, "description": "Not ready"}})
@quick
def ready(server: Server, response: Response) -> Ready:
    """Ask the database, the engine and the heartbeat; 503 with the reasons if one is not well."""
    reasons, age_s = server.readiness()
    if reasons:
        response.status_code = 503
    return Ready(
        ready=not reasons,
        reasons=reasons,
        data_age_s=age_s,
        debug_login=server.debug_login(),
        trust_code=server.settings.trust_code,
    )
