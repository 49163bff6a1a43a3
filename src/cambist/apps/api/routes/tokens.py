"""API tokens: keys for one's own programs."""

from typing import Annotated, Any

from fastapi import Path
from pydantic import ConfigDict, Field

from cambist.apps.api.area import Area, quick
from cambist.apps.api.caller import Keeper
from cambist.apps.api.services import Server
from cambist.apps.api.visits import Oneself, Visited, shown_once
from cambist.apps.api.words import Answer, Body, Ms
from cambist.domain.person import Scope
from cambist.ports.people import ApiToken
from cambist.usecases import oneself

router = Area("/tokens", tags=["tokens"])


TokenId = Annotated[str, Path(pattern="^[0-9a-f]{32}$", examples=["5e4599bbcb51c46f013f8ed3d33486c0"])]


class NewToken(Body):
    """An API token to be made."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "my notebook", "scopes": ["read", "trade"], "expires_ms": 1_830_000_000_000}]
        }
    )

    name: Annotated[str, Field(min_length=1, max_length=200, examples=["my notebook"])]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=4, examples=[["read"]])]
    """Never more than its owner may do."""
    expires_ms: Ms | None = None
    """Null: it holds until it is ended."""


class TokenRow(Answer):
    """An API token, without its secret."""

    id: str = Field(examples=["5e4599bbcb51c46f013f8ed3d33486c0"])
    name: str = Field(examples=["my notebook"])
    scopes: list[Scope]
    created_ms: Ms
    expires_ms: Ms | None
    used_ms: Ms | None
    """When it was last used, to the minute."""


class TokenMade(TokenRow):
    """An API token that was just made."""

    token: str = Field(examples=["cambist_5e4599bb..._7b06ce28..."])
    """Shown this once. Goes with each request as ``Authorization: Bearer ...``."""


@router.get("", summary="Which API tokens have I?")
@quick
def tokens(caller: Keeper, server: Server) -> list[TokenRow]:
    """Return the tokens that hold, the oldest first."""
    return [TokenRow(**_row(one)) for one in server.office.people.tokens(caller.user_id)]


@router.post("", summary="Make an API token", status_code=201, dependencies=[shown_once])
def make(body: NewToken, caller: Keeper, _: Oneself, server: Server, visit: Visited) -> TokenMade:
    """Return a new token; its text is shown this once."""
    made, text = oneself.new_token(server.office, caller.user_id, body.name, body.scopes, body.expires_ms, visit)
    return TokenMade(token=text, **_row(made))


@router.delete("/{token}", summary="End an API token", status_code=204)
def end(token: TokenId, caller: Keeper, server: Server, visit: Visited) -> None:
    """End a token."""
    oneself.end_token(server.office, caller.user_id, token, visit)


def _row(token: ApiToken) -> dict[str, Any]:
    return {name: getattr(token, name) for name in TokenRow.model_fields} | {"scopes": sorted(token.scopes)}
