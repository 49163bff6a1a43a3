"""What people do about themselves: their choices, their password, second factor, sessions and API tokens."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cambist.accounts import passwords, second_factor, tokens
from cambist.domain.errors import BadInput, NotAllowed, NotFound, Taken
from cambist.domain.person import SCOPES, Person, Scope
from cambist.ports.people import ApiToken, Session
from cambist.usecases.office import RECOVERY, TOTP, Office, Visit
from cambist.usecases.people import hashed, merged
from cambist.usecases.signing_in import uses_code

CHOICES = {"language": ("en", "fr"), "theme": ("dark", "light")}
PROVIDERS = ("off", "openrouter", "ollama", "openai")
LOCAL = "local"
"""In place of a time zone: the one of the reader's own clock."""
AI_KEY = ("@ai", "key")
"""Record and purpose of the AI provider's key in the vault."""
_CURRENCY = re.compile(r"[A-Z0-9]{2,10}")
_ADDRESS = re.compile(r"https?://[^\s/@?#]+(/[^\s?#]*)?")
_LONGEST = 200
_MOST_TOKENS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """A second factor that waits for its first code."""

    secret: str = field(repr=False)
    address: str = field(repr=False)
    """``otpauth://...``: what the square picture for the app says."""


# -- choices ----------------------------------------------------------------------------------------------------------


def set_profile(office: Office, user_id: int, changes: Mapping[str, Any], accounts: Collection[str]) -> Person:
    """Set choices as in `Person.profile`, ``ai`` excepted; None takes one back. ``accounts`` are the person's own.

    Raises `BadInput` naming the field, the value and what would be right.
    """
    chosen = {name: None if value is None else _choice(name, str(value), accounts) for name, value in changes.items()}
    person = office.people.rewrite(user_id, "profile", lambda before: merged(before, chosen))
    office.forget()
    return person


def _choice(name: str, value: str, accounts: Collection[str]) -> str:
    if name in CHOICES:
        if value in CHOICES[name]:
            return value
        raise BadInput(name, value, "people.choose", known=", ".join(CHOICES[name]))
    if name == "time_zone":
        if value in ("UTC", LOCAL) or _is_zone(value):
            return value
        raise BadInput(name, value, "people.time_zone")
    if name == "currency":
        if _CURRENCY.fullmatch(value):
            return value
        raise BadInput(name, value, "people.currency")
    if name == "default_account":
        if value in accounts:
            return value
        raise BadInput(name, value, "people.choose", known=", ".join(sorted(accounts)) or "-")
    raise BadInput("profile", name, "people.choose", known=", ".join((*CHOICES, "time_zone", "currency")))


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def set_ai(
    office: Office,
    user_id: int,
    *,
    provider: str,
    url: str | None,
    model: str | None,
    key: str | None,
    visit: Visit,
) -> Person:
    """Choose who helps to write strategies. ``key`` is sealed in the vault, and None keeps the one that is there.

    A key goes only where it was meant to: another provider or address forgets it. Raises `BadInput`.
    """
    if provider not in PROVIDERS:
        raise BadInput("provider", provider, "people.choose", known=", ".join(PROVIDERS))
    if url is not None and (len(url) > _LONGEST or not url.isprintable() or not _ADDRESS.fullmatch(url)):
        raise BadInput("url", url, "people.url")
    if model is not None and not (0 < len(model) <= _LONGEST and model.isprintable()):
        raise BadInput("model", model, "people.model")
    if key is not None and not (key and key.isascii() and key.isprintable()):
        raise BadInput("key", "***", "people.ai_key")
    chosen = {"provider": provider, "url": url, "model": model}
    person = None
    while person is None:  # what was chosen meanwhile may have come with a key, which is not for this provider
        known = office.people.person(user_id).profile.get("ai", {})
        if any(known.get(name) != chosen[name] for name in ("provider", "url")):
            office.vault.forget(user_id, *AI_KEY)
        if key is not None:
            office.vault.seal(user_id, *AI_KEY, key)
        person = _put_ai(office, user_id, known, chosen)
    office.note("ai.changed", visit, person, provider=provider, key=has_ai_key(office, user_id))
    return person


def _put_ai(office: Office, user_id: int, known: Mapping[str, Any], chosen: Mapping[str, Any]) -> Person | None:
    """Keep what was chosen; None, and nothing changes, if it is not ``known`` any more that was chosen before."""
    put: list[bool] = []

    def changed(profile: dict[str, Any]) -> dict[str, Any]:
        put.append(profile.get("ai", {}) == known)
        return {**profile, "ai": chosen} if put[-1] else profile

    person = office.people.rewrite(user_id, "profile", changed)
    return person if put[-1] else None


def has_ai_key(office: Office, user_id: int) -> bool:
    """Tell whether a key of the AI provider is kept."""
    return office.vault.holds(user_id, *AI_KEY)


# -- password and second factor ---------------------------------------------------------------------------------------


def change_password(
    office: Office, user_id: int, old: str, new: str, visit: Visit, *, session: str | None = None
) -> None:
    """Change one's password, and end all other sessions; raise `BadInput` if the old one is wrong, `TooMany`."""
    person = _proved(office, user_id, old, visit)
    passwords.check_new(person.name, new)
    office.people.change(user_id, password=hashed(office, new))
    ended = office.people.end_sessions(user_id, visit.now_ms, "password", but=session)
    office.note("password.changed", visit, person, sessions=ended)


def _proved(office: Office, user_id: int, password: str, visit: Visit) -> Person:
    """Return who has given their password once more; raise `BadInput` if it is wrong, `TooMany`."""
    person = office.people.person(user_id)
    office.throttle.enter(person.name, visit.address, visit.now_ms)
    found = office.people.named(person.name)
    if found is None or not passwords.fits(password, found[1]):
        office.note("password.wrong", visit, person)
        raise BadInput("password", "***", "people.password_again")
    office.throttle.succeeded(person.name, visit.address)
    return person


def enrol(office: Office, user_id: int) -> Enrolment:
    """Begin to set up a second factor; it counts once `confirm` has seen a code. Raises `Taken` if there is one."""
    person = office.people.person(user_id)
    if person.totp_on:
        raise Taken("people.totp_is_on")
    secret = second_factor.new_secret(office.randomness(second_factor.SECRET_BYTES))
    office.vault.seal(user_id, *TOTP, secret)
    return Enrolment(secret=secret, address=second_factor.address(secret, person.name))


def confirm(office: Office, user_id: int, code: str, visit: Visit) -> list[str]:
    """Turn the second factor on, and return the recovery codes, which are shown once.

    Raises `BadInput` if ``code`` is wrong, `NotFound` if nothing was begun, `Taken` if it is on, and `TooMany`.
    """
    person = office.people.person(user_id)
    if person.totp_on:
        raise Taken("people.totp_is_on")
    if not office.vault.holds(user_id, *TOTP):
        raise NotFound("people.totp_not_begun")
    _need_code(office, person, code, visit)
    codes = second_factor.recovery_codes(office.randomness(second_factor.CODES * second_factor.CODE_BYTES))
    office.vault.forget(user_id, RECOVERY)
    for one in codes:
        office.vault.seal(user_id, RECOVERY, second_factor.kept(one), "unused")
    person = office.people.change(user_id, totp_on=True)
    office.note("second_factor.on", visit, person)
    return codes


def turn_off(office: Office, user_id: int, password: str, code: str, visit: Visit) -> None:
    """Turn the second factor off, for who has both; raise `BadInput`, `NotFound` if it is off, and `TooMany`."""
    person = _proved(office, user_id, password, visit)
    if not person.totp_on:
        raise NotFound("people.totp_not_begun")
    _need_code(office, person, code, visit)
    person = office.people.change(user_id, totp_on=False)
    office.vault.forget(user_id, *TOTP)
    office.vault.forget(user_id, RECOVERY)
    office.note("second_factor.off", visit, person)


def _need_code(office: Office, person: Person, code: str, visit: Visit) -> None:
    office.throttle.enter(f"code of {person.name}", visit.address, visit.now_ms)
    if not uses_code(office, person, code, visit.now_ms):
        office.note("second_factor.wrong", visit, person)
        raise BadInput("code", "***", "people.code_again")
    office.throttle.succeeded(f"code of {person.name}", visit.address)


# -- sessions and API tokens ------------------------------------------------------------------------------------------


def sessions(office: Office, user_id: int, now_ms: int) -> list[Session]:
    """Return one's open sessions, the last used first."""
    return office.people.sessions(user_id, now_ms)


def end_session(office: Office, user_id: int, session: str, visit: Visit) -> None:
    """End one of one's sessions; raise `NotFound`."""
    if not office.people.end_sessions(user_id, visit.now_ms, "revoked", only=session):
        raise NotFound("people.no_session")
    office.note("session.revoked", visit, office.people.person(user_id), session=session)


def end_other_sessions(office: Office, user_id: int, session: str | None, visit: Visit) -> int:
    """End all of one's sessions but ``session``; return how many."""
    ended = office.people.end_sessions(user_id, visit.now_ms, "revoked", but=session)
    office.note("session.revoked", visit, office.people.person(user_id), sessions=ended)
    return ended


def new_token(
    office: Office, user_id: int, name: str, scopes: Collection[Scope], expires_ms: int | None, visit: Visit
) -> tuple[ApiToken, str]:
    """Return a new API token, and the text that is shown once.

    Raises `BadInput`, `Taken` if there are too many, and `NotAllowed` for a scope that its owner has not.
    """
    person = office.people.person(user_id)
    label = name.strip()
    if not 0 < len(label) <= _LONGEST or not label.isprintable():
        raise BadInput("name", name, "people.token_name", longest=_LONGEST)
    if not scopes:
        raise BadInput("scopes", "", "people.choose", known=", ".join(sorted(SCOPES[person.role])))
    if expires_ms is not None and expires_ms <= visit.now_ms:
        raise BadInput("expires_ms", expires_ms, "people.in_future")
    for scope in scopes:
        if scope not in SCOPES[person.role]:
            raise NotAllowed("people.scope_too_wide", scope=scope, role=person.role)
    shown = tokens.made(office.randomness(tokens.ID_BYTES + tokens.SECRET_BYTES))
    token = ApiToken(
        id=shown.id,
        user_id=user_id,
        name=label,
        secret=shown.kept,
        scopes=frozenset(scopes),
        created_ms=visit.now_ms,
        expires_ms=expires_ms,
    )
    office.people.add_token(token, _MOST_TOKENS)
    office.note("token.added", visit, person, target=shown.id, name=label, scopes=sorted(scopes))
    return token, shown.api_token


def end_token(office: Office, user_id: int, token: str, visit: Visit) -> None:
    """End one of one's API tokens; raise `NotFound`."""
    if not office.people.end_tokens(user_id, visit.now_ms, only=token):
        raise NotFound("people.no_token")
    office.note("token.ended", visit, office.people.person(user_id), target=token)
