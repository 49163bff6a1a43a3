"""People, for admins: added, changed, shut out, given passwords."""

from typing import Annotated, Any

from fastapi import Path, Response
from pydantic import ConfigDict, Field

from cambist.apps import bootstrap
from cambist.apps.api.area import PREFIX, Area, quick
from cambist.apps.api.caller import Admin
from cambist.apps.api.paging import Cursor, Limit, Page, number, page
from cambist.apps.api.routes.auth import Name, Password
from cambist.apps.api.services import Server
from cambist.apps.api.visits import Visited, shown_once
from cambist.apps.api.words import Answer, Body, Exact, Ms
from cambist.domain.person import Person, Role
from cambist.usecases import people
from cambist.usecases.accounts import take_up_caps
from cambist.usecases.leaving import delete_person
from cambist.usecases.signing_in import new_password

router = Area("/users", tags=["users"])

UserId = Annotated[int, Path(ge=1, le=2_147_483_647)]


class User(Answer):
    """Somebody who may come in."""

    id: int
    name: str = Field(examples=["ann"])
    role: Role
    active: bool
    """False: shut out."""
    second_factor: bool
    limits: dict[str, int | str] = Field(examples=[{"max_bots": 5, "max_notional": "50000"}])
    created_ms: Ms
    seen_ms: Ms | None


class NewUser(Body):
    """Somebody to be added."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "ann", "role": "trade"}]})

    name: Name
    role: Role = Role.TRADE
    password: Password | None = None
    """Null: one is made up."""


class UserMade(User):
    """Somebody who was just added."""

    password: str | None = Field(examples=["0f9ef5-b3e346-1389b8-586dbf-9106bf"])
    """The one that was made up, shown this once; null if it was given."""


class LimitChanges(Body):
    """Limits; null takes one away, and what is left out stays."""

    max_bots: Annotated[int, Field(ge=0, le=1_000_000_000)] | None = None
    requests_per_minute: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None
    backtest_minutes_per_day: Annotated[int, Field(ge=0, le=1_000_000_000)] | None = None
    max_notional: Exact | None = None
    max_daily_loss: Exact | None = None


class UserChanges(Body):
    """What shall be otherwise; what is left out stays."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"role": "view", "limits": {"max_bots": 5, "max_notional": "50000", "max_daily_loss": None}}]
        }
    )

    role: Role | None = None
    active: bool | None = None
    limits: LimitChanges | None = None


class UserLeaving(Answer):
    """Somebody is there until a running engine has let their accounts go: then delete them again."""

    requests: list[int] = Field(examples=[[17]])


class GivenPassword(Body):
    """A password for somebody else."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"without_second_factor": True}]})

    password: Password | None = None
    """Null: one is made up."""
    without_second_factor: bool = False
    """Take away the second factor too: for who has lost it."""


class PasswordMade(Answer):
    """A password that was made up."""

    password: str | None = Field(examples=["0f9ef5-b3e346-1389b8-586dbf-9106bf"])
    """Shown this once; null if it was given."""


@router.get("", summary="Who is here?")
@quick
def users(caller: Admin, server: Server, after: Cursor = None, limit: Limit = 100) -> Page[User]:
    """Return the people, by id."""
    found = server.office.people.everybody(number(after) or 0, limit + 1)
    return page(found, limit, lambda person: person.id, lambda person: User(**_row(person)))


@router.post("", summary="Add somebody", status_code=201, dependencies=[shown_once])
def add(body: NewUser, caller: Admin, server: Server, visit: Visited, response: Response) -> UserMade:
    """Add somebody, with a password that is given or made up."""
    password = body.password or new_password(server.office)
    person = people.add_person(server.office, body.name, password, body.role, visit)
    response.headers["Location"] = f"{PREFIX}/users/{person.id}"
    return UserMade(password=None if body.password else password, **_row(person))


@router.get("/{user_id}", summary="Who is this?")
@quick
def user(user_id: UserId, caller: Admin, server: Server) -> User:
    """Return one of the people."""
    return User(**_row(server.office.people.person(user_id)))


@router.patch("/{user_id}", summary="Change role, access or limits")
def change(user_id: UserId, body: UserChanges, caller: Admin, server: Server, visit: Visited) -> User:
    """Change somebody. A new role, or being shut out, ends their sessions; the last admin stays admin."""
    server.office.people.person(user_id)
    if body.limits is not None:
        people.set_limits(server.office, user_id, body.limits.model_dump(exclude_unset=True), visit)
        for number in take_up_caps(server.stores(user_id).register, server.now_ms()):
            server.tell_engine(number)
    if body.role is not None:
        people.set_role(server.office, user_id, body.role, visit)
    if body.active is not None:
        people.set_active(server.office, user_id, visit, active=body.active)
    return User(**_row(server.office.people.person(user_id)))


@router.delete(
    "/{user_id}",
    status_code=204,
    summary="Delete somebody",
    response_class=Response,
    responses={202: {"model": UserLeaving, "description": "A running engine was asked to let their accounts go."}},
)
def remove(user_id: UserId, caller: Admin, server: Server, visit: Visited) -> Response:
    """Delete somebody who was shut out, with all that is theirs; the audit log stays.

    Refused while an account of theirs holds something, a bot runs or a job has not ended.
    """
    asked = delete_person(server.office, user_id, bootstrap.belongings(server.settings, user_id), visit)
    if not asked:
        return Response(status_code=204)
    for request in asked:
        server.tell_engine(request)
    return Response(UserLeaving(requests=asked).model_dump_json(), 202, media_type="application/json")


@router.post("/{user_id}/password", summary="Give a password", dependencies=[shown_once])
def give_password(user_id: UserId, body: GivenPassword, caller: Admin, server: Server, visit: Visited) -> PasswordMade:
    """Give somebody a new password, and end all their sessions."""
    password = body.password or new_password(server.office)
    people.give_password(server.office, user_id, password, visit, without_second_factor=body.without_second_factor)
    return PasswordMade(password=None if body.password else password)


def _row(person: Person) -> dict[str, Any]:
    return {
        "id": person.id,
        "name": person.name,
        "role": person.role,
        "active": person.active,
        "second_factor": person.totp_on,
        "limits": person.limits,
        "created_ms": person.created_ms,
        "seen_ms": person.seen_ms,
    }
