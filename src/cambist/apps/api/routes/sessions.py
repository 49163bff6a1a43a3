"""One's own sessions: where one is signed in."""

from typing import Annotated

from fastapi import Path
from pydantic import Field

from cambist.apps.api.area import Area, quick
from cambist.apps.api.services import Server
from cambist.apps.api.visits import Oneself, Visited
from cambist.apps.api.words import Answer, Ms
from cambist.usecases import oneself

router = Area("/sessions", tags=["sessions"])


SessionId = Annotated[str, Path(pattern="^[0-9a-f]{32}$", examples=["5e4599bbcb51c46f013f8ed3d33486c0"])]


class SessionRow(Answer):
    """A browser or device that is signed in."""

    id: str = Field(examples=["5e4599bbcb51c46f013f8ed3d33486c0"])
    current: bool
    """Whether it is the one that asks."""
    created_ms: Ms
    used_ms: Ms
    expires_ms: Ms
    address: str = Field(examples=["203.0.113.7"])
    agent: str = Field(examples=["Mozilla/5.0"])


class Ended(Answer):
    """How many were ended."""

    ended: int


@router.get("", summary="Where am I signed in?")
@quick
def sessions(caller: Oneself, server: Server) -> list[SessionRow]:
    """Return the open sessions, the last used first."""
    return [
        SessionRow(
            id=one.id,
            current=one.id == caller.session,
            created_ms=one.created_ms,
            used_ms=one.used_ms,
            expires_ms=one.expires_ms,
            address=one.address,
            agent=one.agent,
        )
        for one in oneself.sessions(server.office, caller.user_id, server.now_ms())
    ]


@router.delete("", summary="Sign out everywhere else")
def end_others(caller: Oneself, server: Server, visit: Visited) -> Ended:
    """End all sessions but this one."""
    return Ended(ended=oneself.end_other_sessions(server.office, caller.user_id, caller.session, visit))


@router.delete("/{session}", summary="End a session", status_code=204)
def end(session: SessionId, caller: Oneself, server: Server, visit: Visited) -> None:
    """End one session; its tokens hold no more."""
    oneself.end_session(server.office, caller.user_id, session, visit)
