"""Those who may come in: added, invited, registered, given roles and limits, and shut out."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from cambist.accounts import passwords, tokens
from cambist.domain.errors import BadInput, NotAllowed, NotFound, NotSignedIn
from cambist.domain.person import NAME, Person, Role
from cambist.ports.people import Invitation
from cambist.usecases.office import RECOVERY, TOTP, Office, Visit
from cambist.usecases.signing_in import DEV

COUNTS = {"max_bots": 0, "requests_per_minute": 1, "backtest_minutes_per_day": 0}
"""Limits that are whole numbers, with the lowest that makes sense."""
AMOUNTS = ("max_notional", "max_daily_loss")
INVITED_MS = 7 * 86_400_000
_MOST = 1_000_000_000
_REGISTRATION = "registration"


class Registration(StrEnum):
    """Who may register."""

    OPEN = "open"
    INVITATION = "invitation"
    CLOSED = "closed"


def person_called(office: Office, name: str) -> Person:
    """Return who has this name; raise `NotFound` naming who there is."""
    folded = name.strip().casefold()
    found = office.people.named(folded) if NAME.fullmatch(folded) else None
    if found is None:
        known = [person.name for person in office.people.everybody(limit=20)]
        raise NotFound("people.nobody", name=name, known=", ".join(known) or "-")
    return found[0]


def add_person(office: Office, name: str, password: str, role: Role, visit: Visit) -> Person:
    """Add somebody; raise `BadInput` if name or password will not do, `Taken` if the name is."""
    name = checked_name(name)
    passwords.check_new(name, password)
    person = office.people.add(name, hashed(office, password), role, visit.now_ms)
    office.note("user.added", visit, person, role=role)
    return person


def register(office: Office, name: str, password: str, invitation: str | None, visit: Visit) -> Person:
    """Let somebody add themselves, as the server's setting has it.

    Raises `NotAllowed`, `BadInput`, `Taken`, and `TooMany`: those of one address may not try without end.
    """
    mode = registration(office)
    if mode is Registration.CLOSED:
        raise NotAllowed("people.closed")
    if mode is Registration.INVITATION and not invitation:
        raise NotAllowed("people.invitation_needed")
    whence = f"registration from {visit.address}"
    office.throttle.enter(whence, visit.address, visit.now_ms)
    role, used = (Role.TRADE, None) if not invitation else _invited(office, invitation, visit.now_ms)
    name = checked_name(name)
    passwords.check_new(name, password)
    try:
        person = office.people.add(name, hashed(office, password), role, visit.now_ms, invitation=used)
    except NotFound:
        raise NotAllowed("people.bad_invitation") from None
    if used:
        office.throttle.succeeded(whence, visit.address)
    else:  # nobody asked them here: without a count, one address could add people without end
        office.throttle.spared(visit.address)
    office.note("user.registered", visit, person, role=role, invitation=used or "")
    return person


def _invited(office: Office, text: str, now_ms: int) -> tuple[Role, str]:
    try:
        shown = tokens.pair(text.strip())
    except NotSignedIn:
        raise NotAllowed("people.bad_invitation") from None
    found = office.people.invitation(shown.id)
    if found is None or not shown.fits(found.secret) or found.used_by is not None or found.expires_ms <= now_ms:
        raise NotAllowed("people.bad_invitation")
    return found.role, found.id


def registration(office: Office) -> Registration:
    """Return who may register; nobody, unless that was set otherwise."""
    return Registration(office.people.setting(_REGISTRATION) or Registration.CLOSED)


def set_registration(office: Office, mode: Registration, visit: Visit) -> None:
    """Say who may register."""
    office.people.set_setting(_REGISTRATION, mode.value)
    office.note("registration.changed", visit, None, target=_REGISTRATION, mode=mode)


def invite(office: Office, host: int, role: Role, visit: Visit, valid_ms: int = INVITED_MS) -> tuple[Invitation, str]:
    """Return a new invitation, and the text that is shown once; raise `NotAllowed` while registration is closed."""
    if registration(office) is Registration.CLOSED:
        raise NotAllowed("people.invite_closed")
    shown = tokens.made(office.randomness(tokens.ID_BYTES + tokens.SECRET_BYTES))
    invitation = Invitation(
        id=shown.id,
        user_id=host,
        secret=shown.kept,
        role=role,
        created_ms=visit.now_ms,
        expires_ms=visit.now_ms + valid_ms,
    )
    office.people.invite(invitation)
    office.note("user.invited", visit, office.people.person(host), target=shown.id, role=role)
    return invitation, shown.pair


def uninvite(office: Office, invitation_id: str, visit: Visit) -> None:
    """Take an invitation back; raise `NotFound`."""
    if not office.people.uninvite(invitation_id):
        raise NotFound("people.no_invitation", id=invitation_id)
    office.note("user.uninvited", visit, None, target=invitation_id)


def give_password(
    office: Office, user_id: int, password: str, visit: Visit, *, without_second_factor: bool = False
) -> None:
    """Give somebody a new password, and end all their sessions; at wish, also take away a second factor that is lost.

    Raises `BadInput`, `NotFound`, and `NotAllowed` for ``dev``, who has none.
    """
    person = office.people.person(user_id)
    if person.name == DEV:
        raise NotAllowed("people.dev_has_none")
    passwords.check_new(person.name, password)
    changes: dict[str, Any] = {"password": hashed(office, password)}
    if without_second_factor:
        changes["totp_on"] = False
        office.vault.forget(user_id, *TOTP)
        office.vault.forget(user_id, RECOVERY)
    office.people.change(user_id, **changes)
    ended = office.people.end_sessions(user_id, visit.now_ms, "password")
    office.note("password.given", visit, person, sessions=ended, without_second_factor=without_second_factor)


def set_role(office: Office, user_id: int, role: Role, visit: Visit) -> Person:
    """Give somebody another role, and end their sessions; raise `NotAllowed` if no admin would be left."""
    before = office.people.person(user_id)
    if before.role is role:
        return before
    person = office.people.change(user_id, role=role)
    office.people.end_sessions(user_id, visit.now_ms, "role")
    office.note("role.changed", visit, person, before=before.role, after=role)
    return person


def set_active(office: Office, user_id: int, visit: Visit, *, active: bool) -> Person:
    """Shut somebody out, and end their sessions, or let them in again; raise `NotAllowed` if no admin would be left."""
    if office.people.person(user_id).name == DEV:
        raise NotAllowed("people.dev_is_switched")
    person = office.people.change(user_id, active=active)
    if not active:
        office.people.end_sessions(user_id, visit.now_ms, "disabled")
    office.note("user.enabled" if active else "user.disabled", visit, person)
    return person


def set_limits(office: Office, user_id: int, changes: Mapping[str, Any], visit: Visit) -> Person:
    """Set limits of somebody: whole numbers, amounts as text; None takes one away. Raises `BadInput`, `NotFound`."""
    office.people.person(user_id)
    checked = {name: _limit(name, value) for name, value in changes.items()}
    person = office.people.rewrite(user_id, "limits", lambda before: merged(before, checked))
    office.note("limits.changed", visit, person, changes=checked)
    return person


def merged(before: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``before`` with ``changes``, where None takes one away."""
    return {name: value for name, value in {**before, **changes}.items() if value is not None}


def _limit(name: str, value: Any) -> int | str | None:
    if name not in (*COUNTS, *AMOUNTS):
        raise BadInput("limit", name, "people.limit_unknown", known=", ".join((*COUNTS, *AMOUNTS)))
    if value is None:
        return None
    text = str(value).strip()
    if name in COUNTS:
        if text.isascii() and text.isdigit() and COUNTS[name] <= int(text[:20]) <= _MOST:
            return int(text)
        raise BadInput(name, value, "number.between", low=COUNTS[name], high=_MOST)
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal(0)
    if not amount.is_finite() or amount <= 0:
        raise BadInput(name, value, "running.amount")
    return f"{amount:f}"


def checked_name(name: str) -> str:
    """Return ``name`` if somebody can be called so; raise `BadInput`."""
    folded = name.strip().casefold()
    if not NAME.fullmatch(folded) or folded == DEV:
        raise BadInput("name", name, "people.bad_name", dev=DEV)
    return folded


def hashed(office: Office, password: str) -> str:
    """Return what to keep of a password."""
    return passwords.hashed(password, office.randomness(passwords.SALT))
