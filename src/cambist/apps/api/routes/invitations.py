"""Invitations, and who may register, for admins."""

from typing import Annotated

from fastapi import Path
from pydantic import ConfigDict, Field

from cambist.apps.api.area import Area, quick
from cambist.apps.api.caller import Admin
from cambist.apps.api.services import Server
from cambist.apps.api.visits import Visited, shown_once
from cambist.apps.api.words import Answer, Body, Ms
from cambist.domain.person import Role
from cambist.usecases import people
from cambist.usecases.people import Registration

router = Area(tags=["invitations"])

InvitationId = Annotated[str, Path(pattern="^[0-9a-f]{32}$", examples=["5e4599bbcb51c46f013f8ed3d33486c0"])]
_DAY_MS = 86_400_000


class NewInvitation(Body):
    """An invitation to be made."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"role": "trade", "days": 7}]})

    role: Role = Role.TRADE
    days: Annotated[int, Field(ge=1, le=365)] = 7


class InvitationRow(Answer):
    """An invitation that can still be used, without its secret."""

    id: str = Field(examples=["5e4599bbcb51c46f013f8ed3d33486c0"])
    role: Role
    created_ms: Ms
    expires_ms: Ms


class InvitationMade(InvitationRow):
    """An invitation that was just made."""

    invitation: str = Field(examples=["4f813e....f351841..."])
    """Shown this once; lets one person register."""


class RegistrationMode(Body):
    """Who may register."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"mode": "invitation"}]})

    mode: Registration


@router.get("/invitations", summary="Which invitations are open?")
@quick
def invitations(caller: Admin, server: Server) -> list[InvitationRow]:
    """Return the invitations that can still be used."""
    return [InvitationRow.model_validate(one) for one in server.office.people.invitations(server.now_ms())]


@router.post("/invitations", summary="Invite somebody", status_code=201, dependencies=[shown_once])
def invite(body: NewInvitation, caller: Admin, server: Server, visit: Visited) -> InvitationMade:
    """Return a new invitation, for one person; its text is shown this once."""
    made, text = people.invite(server.office, caller.user_id, body.role, visit, body.days * _DAY_MS)
    row = InvitationRow.model_validate(made)
    return InvitationMade(invitation=text, **row.model_dump())


@router.delete("/invitations/{invitation}", summary="Take an invitation back", status_code=204)
def uninvite(invitation: InvitationId, caller: Admin, server: Server, visit: Visited) -> None:
    """Take back an invitation that nobody has used."""
    people.uninvite(server.office, invitation, visit)


@router.put("/registration", summary="Say who may register")
def set_registration(body: RegistrationMode, caller: Admin, server: Server, visit: Visited) -> RegistrationMode:
    """Open registration, leave it to invitations, or close it."""
    people.set_registration(server.office, body.mode, visit)
    return RegistrationMode(mode=people.registration(server.office))
