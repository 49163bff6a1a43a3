"""Who is asking, and what that person may do: routes name the right that they need by the type of a parameter."""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from cambist.domain.errors import CambistError, NotAllowed, NotSignedIn
from cambist.domain.person import Identity, Scope

Caller = Identity
"""Who is asking."""


def caller_of(request: Request) -> Caller:
    """Return who is asking; raise `NotSignedIn`, or what was wrong with the proof that came."""
    found: Caller | CambistError | None = request.scope["state"].get("caller")
    if isinstance(found, CambistError):
        raise found
    if found is None:
        raise NotSignedIn("api.sign_in")
    return found


class _Needs(HTTPBearer):
    """Looks at what `Identified` has found out; a bearer only so that the schema says what to bring."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scheme_name="HTTPBearer", description="An access token (15 minutes) or an API token.")
        self._scope = scope

    async def __call__(self, request: Request) -> Caller:  # type: ignore[override]
        caller = caller_of(request)
        if self._scope not in caller.scopes:
            raise NotAllowed("api.needs_scope", scope=self._scope.value, who=caller.token or caller.name)
        return caller


Viewer = Annotated[Caller, Depends(_Needs(Scope.READ))]
Trader = Annotated[Caller, Depends(_Needs(Scope.TRADE))]
Keeper = Annotated[Caller, Depends(_Needs(Scope.ACCOUNT))]
"""May change what is secret: keys, passwords, tokens."""
Admin = Annotated[Caller, Depends(_Needs(Scope.ADMIN))]
