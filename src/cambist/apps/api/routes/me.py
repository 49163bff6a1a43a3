"""Oneself: who one is, what one has chosen, the password, and the AI provider."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from cambist.apps.api.area import Area, quick
from cambist.apps.api.caller import Keeper, Viewer
from cambist.apps.api.routes.auth import Password
from cambist.apps.api.services import Own, Server, Services
from cambist.apps.api.visits import Oneself, Visited
from cambist.apps.api.words import Answer, Body, Ms
from cambist.domain.person import Identity, Role, Scope
from cambist.usecases import oneself

router = Area("/me", tags=["me"])

Provider = Literal["off", "openrouter", "ollama", "openai"]
Short = Annotated[str, Field(max_length=200)]


class Ai(Answer):
    """Who helps to write strategies."""

    provider: Provider = "off"
    url: str | None = Field(None, examples=["http://localhost:11434"])
    model: str | None = Field(None, examples=["llama3.1"])
    key_is_set: bool
    """Whether a key is kept; it is never shown."""


class Me(Answer):
    """Who is asking."""

    id: int
    name: str = Field(examples=["ann"])
    role: Role
    scopes: list[Scope]
    """What this session or token may do."""
    session: str | None = Field(examples=["5e4599bbcb51c46f013f8ed3d33486c0"])
    token: str | None = Field(examples=[None])
    """Id of the API token, if it is one that asks."""
    language: Literal["en", "fr"] | None
    theme: Literal["dark", "light"] | None
    time_zone: str | None = Field(examples=["Europe/Paris"])
    currency: str | None = Field(examples=["EUR"])
    default_account: str | None = Field(examples=["main"])
    ai: Ai
    limits: dict[str, int | str] = Field(examples=[{"max_bots": 5, "max_notional": "50000"}])
    second_factor: bool
    created_ms: Ms
    seen_ms: Ms | None


class Choices(Body):
    """What one chooses; null takes a choice back, and what is left out stays."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "language": "fr",
                    "theme": "dark",
                    "time_zone": "Europe/Paris",
                    "currency": "EUR",
                    "default_account": "main",
                }
            ]
        }
    )

    language: Literal["en", "fr"] | None = None
    theme: Literal["dark", "light"] | None = None
    time_zone: Short | None = Field(None, examples=["Europe/Paris"])
    """``UTC``, ``local`` (the reader's own clock), or a zone."""
    currency: Short | None = Field(None, examples=["EUR"])
    default_account: Short | None = Field(None, examples=["main"])


class NewPassword(Body):
    """A change of the password."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"password": "correct-horse-battery", "new_password": "six-words-are-better-than-one"}]
        }
    )

    password: Password
    """The one until now."""
    new_password: Password


class ChosenAi(Body):
    """Who shall help to write strategies."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"provider": "openrouter", "model": "meta-llama/llama-3.1-70b-instruct", "key": "sk-or-..."}]
        }
    )

    provider: Provider
    url: Short | None = Field(None, examples=["http://localhost:11434"])
    """Where it answers; null for the provider's own address."""
    model: Short | None = Field(None, examples=["llama3.1"])
    key: Annotated[str, Field(min_length=1, max_length=1_000)] | None = None
    """Sealed in the vault, and never shown. Null keeps the one that is there, unless provider or url change."""


@router.get("", summary="Who am I?")
@quick
def me(caller: Viewer, server: Server) -> Me:
    """Return the caller with all choices."""
    return _shown(caller, server)


@router.patch("", summary="Change my choices")
def choose(body: Choices, caller: Oneself, own: Own, server: Server) -> Me:
    """Set language, theme, time zone, currency or default account."""
    changes = body.model_dump(exclude_unset=True)
    accounts = [spec.id for spec in own.register.accounts()] if "default_account" in changes else []
    oneself.set_profile(server.office, caller.user_id, changes, accounts)
    return _shown(caller, server)


@router.post("/password", summary="Change my password", status_code=204)
def change_password(body: NewPassword, caller: Oneself, server: Server, visit: Visited) -> None:
    """Change the password, and end all other sessions."""
    oneself.change_password(
        server.office, caller.user_id, body.password, body.new_password, visit, session=caller.session
    )


@router.put("/ai", summary="Choose who helps to write strategies")
def choose_ai(body: ChosenAi, caller: Keeper, server: Server, visit: Visited) -> Ai:
    """Set provider, address, model and key; `off` switches the help off."""
    oneself.set_ai(
        server.office, caller.user_id, provider=body.provider, url=body.url, model=body.model, key=body.key, visit=visit
    )
    return _ai(server, caller.user_id, server.office.people.person(caller.user_id).profile)


def _shown(caller: Identity, server: Services) -> Me:
    person = server.office.people.person(caller.user_id)
    chosen = {name: person.profile.get(name) for name in Choices.model_fields}
    return Me(
        id=person.id,
        name=person.name,
        role=person.role,
        scopes=sorted(caller.scopes),
        session=caller.session,
        token=caller.token,
        ai=_ai(server, person.id, person.profile),
        limits=person.limits,
        second_factor=person.totp_on,
        created_ms=person.created_ms,
        seen_ms=person.seen_ms,
        **chosen,
    )


def _ai(server: Services, user_id: int, profile: dict[str, Any]) -> Ai:
    return Ai(**profile.get("ai", {}), key_is_set=oneself.has_ai_key(server.office, user_id))
