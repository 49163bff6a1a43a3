"""Errors as people and programs read them: RFC 9457 problem details, in English or French.

A value that is wrong is named with its field, what was given, and what would be right; never a secret.
"""

import logging
import math
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from cambist.domain.errors import (
    AssistantFailed,
    BadInput,
    BusFailed,
    CambistError,
    NotAllowed,
    NotFound,
    NotSignedIn,
    ParseError,
    RateLimited,
    StorageFailed,
    Taken,
    TooMany,
    VenueUnavailable,
)
from cambist.domain.text import say

_log = logging.getLogger(__name__)

MEDIA = "application/problem+json"
_SECRET = ("password", "secret", "token", "key", "code", "passphrase", "credentials")
_LONGEST = 200

KINDS: tuple[tuple[type[CambistError], int, str], ...] = (
    (BadInput, 422, "bad_input"),
    (ParseError, 422, "bad_input"),
    (NotFound, 404, "not_found"),
    (NotSignedIn, 401, "not_signed_in"),
    (NotAllowed, 403, "not_allowed"),
    (Taken, 409, "taken"),
    (TooMany, 429, "too_many"),
    (RateLimited, 503, "unavailable"),
    (VenueUnavailable, 503, "unavailable"),
    (StorageFailed, 503, "unavailable"),
    (BusFailed, 503, "unavailable"),
    (AssistantFailed, 503, "unavailable"),
    (CambistError, 409, "refused"),
)
"""What an error of ours is over HTTP; the first that fits. All that is refused for a reason of its own is a 409."""


class FieldProblem(BaseModel):
    """One field that is wrong."""

    field: str = Field(examples=["budget"])
    value: str | None = Field(default=None, examples=["-5"])
    """What was given; null for secrets and for what was left out."""
    remedy: str = Field(examples=["give more than 0"])


class Problem(BaseModel):
    """What went wrong, and what to do about it."""

    type: str = Field(examples=["urn:cambist:problem:bad_input"])
    title: str = Field(examples=["A value is wrong"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["budget '-5' is wrong: give more than 0"])
    request_id: str = Field(examples=["5f0c2a"])
    key: str = Field(default="", examples=["running.amount"])
    """The sentence's name, the same in every language."""
    field: str | None = None
    value: str | None = None
    remedy: str | None = None
    errors: list[FieldProblem] = []
    """Every field that is wrong, if more than one may be."""


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return how ``statuses`` stand in the schema."""
    words = {
        401: "not_signed_in",
        403: "not_allowed",
        404: "not_found",
        405: "no_method",
        409: "refused",
        413: "too_large",
        422: "bad_input",
        429: "too_many",
        500: "internal",
        503: "unavailable",
    }
    content = {MEDIA: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": say(f"api.title.{words[status]}"), "content": content} for status in statuses}


ALWAYS = (401, 403, 404, 409, 413, 422, 429, 500, 503)
"""What any route may answer besides its own success."""


def problem(
    status: int,
    kind: str,
    detail: str,
    request_id: str,
    *,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> JSONResponse:
    """Return a problem as a response."""
    body = Problem(
        type=f"urn:cambist:problem:{kind}",
        title=say(f"api.title.{kind}"),
        status=status,
        detail=detail,
        request_id=request_id,
        **more,
    )
    return JSONResponse(body.model_dump(), status, headers=dict(headers or {}), media_type=MEDIA)


def problem_of(error: CambistError, request_id: str) -> JSONResponse:
    """Return ``error`` as a response, in the language in use."""
    status, kind = next((status, kind) for known, status, kind in KINDS if isinstance(error, known))
    more: dict[str, Any] = {"key": error.key}
    if isinstance(error, BadInput):
        remedy = say(error.key, **error.params)
        value = shown(error.field, error.value)
        more |= {"field": error.field, "value": value, "remedy": remedy}
        more["errors"] = [FieldProblem(field=error.field, value=value, remedy=remedy)]
        detail = str(error) if value is not None else say("error.bad_field", field=error.field, remedy=remedy)
    else:
        detail = str(error)
    headers = {}
    retry_after_s = getattr(error, "retry_after_s", None)
    if retry_after_s is not None:
        headers["Retry-After"] = str(max(1, math.ceil(retry_after_s)))
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return problem(status, kind, detail, request_id, headers=headers, **more)


def shown(field: str, value: object) -> str | None:
    """Return ``value`` as it may be told back: nothing of what may be secret, and not more than a line."""
    if value is None or any(word in field.lower() for word in _SECRET):
        return None
    text = value if isinstance(value, str) else repr(value)
    text = text.encode("utf-8", "replace").decode("utf-8")  # half of a surrogate pair cannot be sent
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def handle(app: FastAPI) -> None:
    """Let ``app`` answer every error as a problem."""

    @app.exception_handler(CambistError)
    async def expected(request: Request, error: CambistError) -> JSONResponse:
        return problem_of(error, id_of(request))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        found = [field_problem(one) for one in error.errors()]
        first = found[0]
        return problem(422, "bad_input", sentence(first), id_of(request), errors=found, **first.model_dump())

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        if error.status_code == 405:
            detail = say("api.no_method", method=request.method)
            return problem(405, "no_method", detail, id_of(request), headers=error.headers)
        if error.status_code == 404:
            return problem(404, "not_found", say("api.no_route"), id_of(request))
        return problem(422, "bad_input", say("api.body.json"), id_of(request))


def internal(request_id: str) -> JSONResponse:
    """Return what is answered when something broke that should not; what it was is in the log alone."""
    _log.exception("request %s failed", request_id)
    return problem(500, "internal", say("api.internal", request_id=request_id), request_id)


def id_of(request: Request) -> str:
    """Return the request's id."""
    return str(request.scope.get("state", {}).get("request_id", "-"))


_REMEDIES: dict[str, tuple[str, str | None]] = {
    "missing": ("missing", None),
    "extra_forbidden": ("unknown", None),
    "int_parsing": ("integer", None),
    "int_type": ("integer", None),
    "int_from_float": ("integer", None),
    "float_parsing": ("number", None),
    "float_type": ("number", None),
    "string_type": ("text", None),
    "bool_parsing": ("boolean", None),
    "bool_type": ("boolean", None),
    "list_type": ("list", None),
    "dict_type": ("object", None),
    "model_type": ("object", None),
    "model_attributes_type": ("object", None),
    "greater_than_equal": ("at_least", "ge"),
    "less_than_equal": ("at_most", "le"),
    "greater_than": ("above", "gt"),
    "less_than": ("below", "lt"),
    "string_too_short": ("longer", "min_length"),
    "string_too_long": ("shorter", "max_length"),
    "too_short": ("longer", "min_length"),
    "too_long": ("shorter", "max_length"),
}
"""Per kind of error as pydantic names it: our sentence, and which of its parameters is the bound."""


def sentence(wrong: FieldProblem) -> str:
    """Return in one sentence what is wrong with a field, in the language in use."""
    if wrong.value is None:
        return say("error.bad_field", field=wrong.field, remedy=wrong.remedy)
    return say("error.bad_input", field=wrong.field, value=wrong.value, remedy=wrong.remedy)


def field_problem(error: Mapping[str, Any]) -> FieldProblem:
    """Return what is wrong with one field, from what pydantic says of it."""
    kind, context = error["type"], error.get("ctx") or {}
    if kind == "json_invalid":
        return FieldProblem(field="body", remedy=say("api.body.json"))
    if isinstance(error.get("input"), bytes):
        return FieldProblem(field="body", remedy=say("api.body.type"))
    where = [str(one) for one in error["loc"] if one not in ("body", "query", "path", "header")]
    field = ".".join(where) or "body"
    untold = kind in ("missing", "extra_forbidden") or not where  # a whole body may hold a password
    value = None if untold else shown(field, error.get("input"))
    if kind in ("enum", "literal_error"):
        known = str(context.get("expected", "")).replace(" or ", ", ").replace("'", "")
        return FieldProblem(field=field, value=value, remedy=say("api.body.choice", known=known))
    if kind == "string_pattern_mismatch":
        return FieldProblem(field=field, value=value, remedy=say("api.body.pattern", pattern=context.get("pattern")))
    if kind == "value_error" and str(context.get("error")) == "not_exact":
        return FieldProblem(field=field, value=value, remedy=say("api.body.exact"))
    if kind not in _REMEDIES:
        return FieldProblem(field=field, value=value, remedy=say("api.body.other", why=error["msg"]))
    key, bound = _REMEDIES[kind]
    params = {"bound": context.get(bound)} if bound else {}
    return FieldProblem(field=field, value=value, remedy=say(f"api.body.{key}", **params))
