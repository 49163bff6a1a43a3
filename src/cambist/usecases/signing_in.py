"""Coming in: with a password, a refresh token, an access token, an API token, or (in development) with nothing."""

import hashlib
from dataclasses import dataclass, field

from cambist.accounts import passwords, second_factor, tokens
from cambist.domain.errors import NotAllowed, NotFound, NotSignedIn
from cambist.domain.person import NAME, SCOPES, Identity, Person, Role
from cambist.ports.people import ApiToken, People, Session
from cambist.usecases.office import RECOVERY, TOTP, Office, Visit

DEV = "dev"
"""Who the debug login is; nobody else may be called so."""
FIRST = "admin"
_TRUSTED_MS = 3_000
"""How long a session, a token or the debug switch is believed to be as it was last seen in the database."""
_NOTED_MS = 60_000
"""How exactly the last use of an API token is known."""
_DEBUG = "debug_login"
_LONGEST_AGENT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A session that was begun or renewed, with what opens it."""

    person: Person
    session: str
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    access_expires_ms: int
    refresh_expires_ms: int


# -- who is asking ----------------------------------------------------------------------------------------------------


def identify(office: Office, bearer: str | None, now_ms: int) -> Identity:
    """Return whose access token or API token ``bearer`` is; without one, ``dev`` while the debug login is on.

    Raises `NotSignedIn`. That a session has ended elsewhere is known within three seconds.
    """
    if bearer is None:
        if not debug_login_is_on(office, now_ms):
            raise NotSignedIn("people.sign_in")
        return _identity(_dev(office, now_ms))
    found = remembered(office, bearer, now_ms)
    if found is not None:
        return found
    generation = office.generation
    found = _of_token(office, bearer, now_ms)
    office.remember(_name(bearer), found, now_ms, generation)
    return found


def _of_token(office: Office, bearer: str, now_ms: int) -> Identity:
    if tokens.is_api_token(bearer):
        return _of_api_token(office, tokens.api_token(bearer), now_ms)
    claims = office.access_tokens.read(bearer, now_ms)
    session = office.people.session(claims.session)
    if session is None or not _is_open(session, now_ms) or session.user_id != claims.user_id:
        raise NotSignedIn("people.session_over")
    return _identity(_active(office, claims.user_id), session=session.id, until_ms=claims.until_ms)


def remembered(office: Office, bearer: str, now_ms: int) -> Identity | None:
    """Return what `identify` found for ``bearer`` a moment ago, without looking anything up; None if it did not."""
    found: Identity | None = office.remembered(_name(bearer), now_ms, _TRUSTED_MS)
    over = found is not None and found.until_ms is not None and found.until_ms <= now_ms
    return None if over else found


def _name(bearer: str) -> str:
    """Return under which name a token is remembered: not the token itself."""
    return f"identity:{hashlib.blake2b(bearer.encode(), digest_size=16).hexdigest()}"


def _of_api_token(office: Office, shown: tokens.Shown, now_ms: int) -> Identity:
    token = office.people.token(shown.id)
    if token is None or not shown.fits(token.secret):
        raise NotSignedIn("people.bad_token")
    if token.ended_ms is not None or (token.expires_ms is not None and token.expires_ms <= now_ms):
        raise NotSignedIn("people.token_over")
    if (token.used_ms or 0) + _NOTED_MS <= now_ms:
        office.people.token_used(token.id, now_ms)
    return _identity(_active(office, token.user_id), token=token, until_ms=token.expires_ms)


def _identity(
    person: Person, *, session: str | None = None, token: ApiToken | None = None, until_ms: int | None = None
) -> Identity:
    scopes = SCOPES[person.role]
    return Identity(
        user_id=person.id,
        name=person.name,
        role=person.role,
        scopes=scopes if token is None else scopes & token.scopes,
        session=session,
        token=None if token is None else token.id,
        language="fr" if person.profile.get("language") == "fr" else "en",
        time_zone=person.profile.get("time_zone", "UTC"),
        limits=person.limits,
        until_ms=until_ms,
    )


def _active(office: Office, user_id: int) -> Person:
    try:
        person = office.people.person(user_id)
    except NotFound:
        raise NotSignedIn("people.bad_token") from None
    if not person.active:
        raise NotSignedIn("people.disabled")
    return person


def _is_open(session: Session, now_ms: int) -> bool:
    return session.ended_ms is None and session.expires_ms > now_ms


# -- sessions ---------------------------------------------------------------------------------------------------------


def sign_in(office: Office, name: str, password: str, code: str | None, visit: Visit) -> SignedIn:
    """Begin a session. ``code`` is the second factor, or a recovery code; it is needed where one was set up.

    Raises `NotSignedIn` (``people.code_needed`` if all is right but the code is missing) and `TooMany`. Names that do
    not exist, wrong passwords and people who are disabled are answered alike, and as slowly.
    """
    name = name.strip().casefold()
    office.throttle.enter(name, visit.address, visit.now_ms)
    found = office.people.named(name) if NAME.fullmatch(name) else None
    person, kept = found or (None, None)
    if not passwords.fits(password, kept) or person is None or not person.active:
        office.note("login.failed", visit, person, why="password")
        raise NotSignedIn("people.wrong_password")
    if person.totp_on:
        if not code:  # this try counts: a free one between wrong codes would give endless codes to try
            raise NotSignedIn("people.code_needed")
        if not uses_code(office, person, code, visit.now_ms):
            office.note("login.failed", visit, person, why="code")
            raise NotSignedIn("people.wrong_code")
    office.throttle.succeeded(name, visit.address)
    return begin_session(office, person, visit, "login")


def begin_session(office: Office, person: Person, visit: Visit, action: str) -> SignedIn:
    """Begin a session of ``person``, who has proved who they are."""
    shown = tokens.made(office.randomness(tokens.ID_BYTES + tokens.SECRET_BYTES))
    expires_ms = visit.now_ms + tokens.REFRESH_MS
    session = Session(
        id=shown.id,
        user_id=person.id,
        secret=shown.kept,
        created_ms=visit.now_ms,
        used_ms=visit.now_ms,
        expires_ms=expires_ms,
        address=visit.address,
        agent="".join(filter(str.isprintable, visit.agent[:_LONGEST_AGENT])),
    )
    office.people.start_session(session)
    person = office.people.change(person.id, seen_ms=visit.now_ms)
    office.note(action, visit, person, session=session.id)
    return _signed_in(office, person, shown, expires_ms, visit.now_ms)


def renew(office: Office, refresh_token: str, visit: Visit) -> SignedIn:
    """Return new tokens for a refresh token, which holds no more after this.

    Raises `NotSignedIn`. A refresh token that was used before ends its session: one of the two who know it is a thief.
    """
    shown = tokens.pair(refresh_token)
    session = office.people.session(shown.id)
    if session is None or not _is_open(session, visit.now_ms):
        raise NotSignedIn("people.session_over")
    person = _active(office, session.user_id)
    new = tokens.made(office.randomness(tokens.ID_BYTES + tokens.SECRET_BYTES), shown.id)
    expires_ms = visit.now_ms + tokens.REFRESH_MS
    if not office.people.renew_session(shown.id, shown.kept, new.kept, visit.now_ms, expires_ms):
        if office.people.end_sessions(person.id, visit.now_ms, "reuse", only=shown.id):
            office.note("session.reused", visit, person, session=shown.id)
        raise NotSignedIn("people.session_over")
    person = office.people.change(person.id, seen_ms=visit.now_ms)
    return _signed_in(office, person, new, expires_ms, visit.now_ms)


def sign_out(office: Office, user_id: int, session: str, visit: Visit) -> None:
    """End one session."""
    person = office.people.person(user_id)
    if office.people.end_sessions(user_id, visit.now_ms, "logout", only=session):
        office.note("logout", visit, person, session=session)


def _signed_in(office: Office, person: Person, shown: tokens.Shown, expires_ms: int, now_ms: int) -> SignedIn:
    access = office.access_tokens.issue(person.id, shown.id, person.role, SCOPES[person.role], now_ms)
    return SignedIn(
        person=person,
        session=shown.id,
        access_token=access,
        refresh_token=shown.pair,
        access_expires_ms=now_ms + tokens.ACCESS_S * 1000,
        refresh_expires_ms=expires_ms,
    )


def uses_code(office: Office, person: Person, code: str, now_ms: int) -> bool:
    """Tell whether ``code`` is right for the second factor of ``person``, and use it up: each is taken once."""
    step = second_factor.step_of(office.vault.open(person.id, *TOTP), code, now_ms)
    if step is not None:
        return office.people.use_step(person.id, step)
    return office.vault.forget(person.id, RECOVERY, second_factor.kept(code)) == 1


# -- the first start, and the debug login -----------------------------------------------------------------------------


def first_admin(office: Office, now_ms: int) -> str | None:
    """Make user 1, the admin, if there is nobody yet; return the password, which is to be shown once, else None."""
    if office.people.everybody(limit=1):
        return None
    password = new_password(office)
    kept = passwords.hashed(password, office.randomness(passwords.SALT))
    person = office.people.add_first(FIRST, kept, now_ms)
    if person is None:
        return None  # another process was quicker
    office.note("user.added", Visit(now_ms=now_ms, actor="first start"), person, role=person.role)
    return password


def new_password(office: Office) -> str:
    """Return a password that nobody guesses: 120 random bits."""
    text = office.randomness(15).hex()
    return "-".join(text[at : at + 6] for at in range(0, len(text), 6))


def settle_debug_login(office: Office, now_ms: int) -> None:
    """At each start: turn the debug login off if the environment does not allow it any more."""
    if not office.debug_allowed and office.people.setting(_DEBUG):
        set_debug_login(office, on=False, visit=Visit(now_ms=now_ms, actor="start"))


def debug_login_is_on(office: Office, now_ms: int) -> bool:
    """Tell whether whoever comes without a token is taken for ``dev``."""
    if not office.debug_allowed:
        return False
    on: bool | None = office.remembered(_DEBUG, now_ms, _TRUSTED_MS)
    if on is None:
        generation = office.generation
        on = bool(office.people.setting(_DEBUG))
        office.remember(_DEBUG, on, now_ms, generation)
    return on


def set_debug_login(office: Office, *, on: bool, visit: Visit) -> None:
    """Turn the debug login on or off; raise `NotAllowed` if the environment does not allow it.

    When it goes off, whatever ``dev`` came in with ends.
    """
    if on and not office.debug_allowed:
        raise NotAllowed("people.no_debug_login")
    person = _dev_or_none(office.people)
    if on:
        if person is None:
            person = office.people.add(DEV, passwords.NONE, Role.TRADE, visit.now_ms)
        person = office.people.change(person.id, active=True)
    elif person is not None:
        person = office.people.change(person.id, active=False)
        office.people.end_sessions(person.id, visit.now_ms, "disabled")
        office.people.end_tokens(person.id, visit.now_ms)
    office.people.set_setting(_DEBUG, on)
    office.note("debug_login.on" if on else "debug_login.off", visit, person)


def debug_session(office: Office, visit: Visit) -> SignedIn:
    """Begin a session of ``dev``; raise `NotAllowed` unless the debug login is on."""
    if not debug_login_is_on(office, visit.now_ms):
        raise NotAllowed("people.no_debug_login")
    return begin_session(office, _dev(office, visit.now_ms), visit, "login.debug")


def _dev(office: Office, now_ms: int) -> Person:
    person: Person | None = office.remembered("dev", now_ms, _TRUSTED_MS)
    if person is None:
        generation = office.generation
        person = _dev_or_none(office.people)
        if person is None or not person.active:
            raise NotSignedIn("people.sign_in")
        office.remember("dev", person, now_ms, generation)
    return person


def _dev_or_none(people: People) -> Person | None:
    found = people.named(DEV)
    return None if found is None else found[0]
