"""Coming in and going out: sign in, renew, sign out, register, second factor, and the debug login of developers."""

from typing import Annotated, Literal

from fastapi import Cookie, Request, Response
from pydantic import ConfigDict, Field

from cambist.apps.api.area import Area, quick
from cambist.apps.api.services import Server
from cambist.apps.api.visits import Oneself, Visited, shown_once
from cambist.apps.api.words import Answer, Body, Ms
from cambist.domain.errors import NotSignedIn
from cambist.domain.person import SCOPES, Role, Scope
from cambist.usecases import oneself, people, signing_in
from cambist.usecases.people import Registration
from cambist.usecases.signing_in import SignedIn

router = Area("/auth", tags=["auth"])

COOKIE = "cambist_refresh"
_PATH = "/api/v1/auth"

Name = Annotated[str, Field(max_length=100, examples=["ann"])]
Password = Annotated[
    str, Field(max_length=1_000, examples=["correct-horse-battery"], json_schema_extra={"format": "password"})
]
Code = Annotated[str, Field(max_length=40, examples=["492039"])]


class SignIn(Body):
    """Who signs in."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "ann", "password": "correct-horse-battery", "code": "492039"}]}
    )

    name: Name
    password: Password
    code: Code | None = None
    """The second factor, or a recovery code: where one was set up."""
    cookie: bool = False
    """Send the refresh token as a cookie that no script can read, for browsers."""


class Renewal(Body):
    """What renews a session; empty if the cookie does."""

    refresh_token: Annotated[str, Field(max_length=200, examples=["cr_5f2c9a..."])] | None = None


class Registering(Body):
    """Somebody who registers."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "ann", "password": "correct-horse-battery", "invitation": "4f813e....f351841..."}]
        }
    )

    name: Name
    password: Password
    invitation: Annotated[str, Field(max_length=200)] | None = None
    """Needed where registration is by invitation."""
    cookie: bool = False


class SessionAnswer(Answer):
    """A session that was begun or renewed."""

    access_token: str = Field(examples=["eyJhbGciOiJIUzI1NiJ9..."])
    """Goes with each request as ``Authorization: Bearer ...``."""
    token_type: Literal["bearer"] = "bearer"
    expires_ms: Ms
    """When the access token expires: a quarter of an hour from now."""
    refresh_token: str | None = Field(examples=["5e4599bb....7b06ce28..."])
    """Renews the session, once; null if it went into the cookie."""
    refresh_expires_ms: Ms
    session: str = Field(examples=["5e4599bbcb51c46f013f8ed3d33486c0"])
    user_id: int
    name: str = Field(examples=["ann"])
    role: Role
    scopes: list[Scope]


class Options(Answer):
    """What a page for signing in must know."""

    registration: Registration
    debug_allowed: bool
    """Whether the debug login can be turned on."""
    debug_login: bool
    """Whether it is on: whoever comes is ``dev``."""


class DebugSwitch(Body):
    """On or off."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"on": True}]})

    on: bool


class SecondFactor(Answer):
    """A second factor that waits for its first code; shown once."""

    secret: str = Field(examples=["7UKBTHO72FYZ2OK6AWPCHYXSP3..."])
    address: str = Field(examples=["otpauth://totp/Cambist:ann?secret=...&issuer=Cambist"])
    """What the square picture for the authenticator app says."""


class FirstCode(Body):
    """A code of the authenticator app."""

    code: Code


class RecoveryCodes(Answer):
    """Codes for the day on which the app is lost, each good once; shown once."""

    recovery_codes: list[str] = Field(examples=[["nz72-he7q-gc5o-naa2", "..."]])


class TurnOff(Body):
    """What takes the second factor away."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"password": "correct-horse-battery", "code": "492039"}]})

    password: Password
    code: Code


@router.get("/options", summary="What must a page for signing in know?")
@quick
def options(server: Server) -> Options:
    """Tell who may register, and whether the debug login is on."""
    return Options(
        registration=people.registration(server.office),
        debug_allowed=server.office.debug_allowed,
        debug_login=server.debug_login(),
    )


@router.post("/login", summary="Sign in", dependencies=[shown_once])
def login(body: SignIn, server: Server, visit: Visited, request: Request, response: Response) -> SessionAnswer:
    """Begin a session.

    401 with the key `people.code_needed` asks for the second factor. After some failures, tries of that name and from
    that address must wait longer and longer (429).
    """
    signed = signing_in.sign_in(server.office, body.name, body.password, body.code, visit)
    return _answer(signed, request, response, cookie=body.cookie)


@router.post("/refresh", summary="Renew the session", dependencies=[shown_once])
def refresh(
    body: Renewal,
    server: Server,
    visit: Visited,
    request: Request,
    response: Response,
    cambist_refresh: Annotated[str | None, Cookie(include_in_schema=False)] = None,
) -> SessionAnswer:
    """Return new tokens for a refresh token, which holds no more after this.

    A refresh token that is used a second time ends its session: it was stolen, or two windows renewed at once.
    """
    token = body.refresh_token or cambist_refresh
    if token is None:
        raise NotSignedIn("people.session_over")
    by_cookie = body.refresh_token is None
    return _answer(signing_in.renew(server.office, token, visit), request, response, cookie=by_cookie)


@router.post("/logout", summary="Sign out", status_code=204)
def logout(caller: Oneself, server: Server, visit: Visited, response: Response) -> None:
    """End this session; its tokens hold no more."""
    if caller.session is not None:
        signing_in.sign_out(server.office, caller.user_id, caller.session, visit)
    response.delete_cookie(COOKIE, path=_PATH, httponly=True, samesite="strict")


@router.post("/register", summary="Register", status_code=201, dependencies=[shown_once])
def register(body: Registering, server: Server, visit: Visited, request: Request, response: Response) -> SessionAnswer:
    """Become a user of this server, where it lets people in, and begin a session."""
    person = people.register(server.office, body.name, body.password, body.invitation, visit)
    signed = signing_in.begin_session(server.office, person, visit, "login")
    return _answer(signed, request, response, cookie=body.cookie)


@router.put("/debug", summary="Turn the debug login on or off")
def debug(body: DebugSwitch, server: Server, visit: Visited) -> Options:
    """Let whoever comes in as `dev`: only on a server that was started with `CAMBIST_DEBUG_LOGIN=true`."""
    signing_in.set_debug_login(server.office, on=body.on, visit=visit)
    return options(server)


@router.post("/debug", summary="Sign in as dev", dependencies=[shown_once])
def debug_session(server: Server, visit: Visited, request: Request, response: Response) -> SessionAnswer:
    """Begin a session of `dev`, while the debug login is on."""
    return _answer(signing_in.debug_session(server.office, visit), request, response, cookie=False)


@router.post("/totp", summary="Set up a second factor", dependencies=[shown_once])
def enrol(caller: Oneself, server: Server) -> SecondFactor:
    """Return a secret for an authenticator app; it counts once a first code has come back."""
    return SecondFactor.model_validate(oneself.enrol(server.office, caller.user_id))


@router.post("/totp/confirm", summary="Turn the second factor on", dependencies=[shown_once])
def confirm(body: FirstCode, caller: Oneself, server: Server, visit: Visited) -> RecoveryCodes:
    """Ask for a code at each login from here on."""
    return RecoveryCodes(recovery_codes=oneself.confirm(server.office, caller.user_id, body.code, visit))


@router.post("/totp/off", summary="Turn the second factor off", status_code=204)
def turn_off(body: TurnOff, caller: Oneself, server: Server, visit: Visited) -> None:
    """Ask for the password alone from here on."""
    oneself.turn_off(server.office, caller.user_id, body.password, body.code, visit)


def _answer(signed: SignedIn, request: Request, response: Response, *, cookie: bool) -> SessionAnswer:
    if cookie:
        response.set_cookie(
            COOKIE,
            signed.refresh_token,
            max_age=(signed.refresh_expires_ms - signed.access_expires_ms) // 1_000,
            path=_PATH,
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
    return SessionAnswer(
        access_token=signed.access_token,
        expires_ms=signed.access_expires_ms,
        refresh_token=None if cookie else signed.refresh_token,
        refresh_expires_ms=signed.refresh_expires_ms,
        session=signed.session,
        user_id=signed.person.id,
        name=signed.person.name,
        role=signed.person.role,
        scopes=sorted(SCOPES[signed.person.role]),
    )
