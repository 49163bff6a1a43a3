"""Strategies kept on the server: their code version by version, what may be said of it, and where to begin."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import Body as RawBody
from fastapi import Path, Query, Response
from fastapi.responses import PlainTextResponse
from pydantic import ConfigDict, Field

from cambist.apps.api.area import Area, quick
from cambist.apps.api.caller import Trader, Viewer
from cambist.apps.api.paging import Cursor, Limit, Page, number, page
from cambist.apps.api.services import Own, Server, Services, Stores
from cambist.apps.api.words import Answer, Body, Ms
from cambist.domain.account import BotSpec, BotStatus
from cambist.domain.errors import BadInput, CambistError
from cambist.domain.strategy_text import LARGEST_BYTES, TEMPLATES, StoredStrategy, StrategyVersion, stored_name
from cambist.domain.text import Language, language
from cambist.usecases import strategies as shelf
from cambist.usecases.accounts import account_of

router = Area("/strategies", tags=["strategies"])

_CODE = "class Mine(Strategy):\n    def next(self):\n        self.buy(fraction=0.1, stop_loss=0.02)\n"

Id = Annotated[int, Path(ge=1, le=2**31 - 1, examples=[3])]
VersionNumber = Annotated[int, Field(ge=1, le=2**31 - 1, examples=[2])]
Name = Annotated[str, Field(min_length=1, max_length=shelf.LONGEST_NAME, examples=["EMA 10/20"])]
Description = Annotated[str, Field(max_length=shelf.LONGEST_DESCRIPTION, examples=["Averages that cross."])]
Code = Annotated[str, Field(max_length=LARGEST_BYTES, examples=[_CODE])]
Frame = Annotated[str, Field(max_length=4, examples=["1h"], description="What it is meant for; empty: any.")]


class FindingShown(Answer):
    """One thing that the validation has found."""

    severity: Literal["error", "warning"]
    line: int | None
    column: int | None
    text: str = Field(examples=["Line 3: the module os may not be imported."])


class VerdictShown(Answer):
    """What the validation says of a strategy's code."""

    passed: bool
    """Whether it may trade."""
    findings: list[FindingShown]
    strategy: str = Field(default="", examples=["Mine"])
    """The class's name."""
    shape: str = Field(default="", examples=["strategy", "signals", "template"])
    params: list[dict[str, Any]] = Field(default_factory=list, examples=[[{"name": "fast", "default": 10, "low": 5}]])
    """What can be set: name, type, default, low, high, choices."""
    trades: int | None = None
    """How many trades it made over sample candles."""
    proof: dict[str, str] | None = Field(default=None, examples=[{"look_ahead": "pass", "warm_up": "pass"}])
    decision_ms: float | None = None
    """How long one decision takes."""
    took_ms: float = 0.0


class StrategyShown(Answer):
    """A strategy, without its code."""

    id: int
    name: str = Field(examples=["Cross"])
    description: str = Field(examples=["Buys when the quick average crosses the calm one."])
    timeframe: str = Field(examples=["1h"])
    version: int
    """The newest."""
    created_ms: Ms
    changed_ms: Ms


class VersionShown(Answer):
    """One version of a strategy, without its code."""

    version: int
    created_ms: Ms
    run_as: str = Field(examples=["stored:3@2"])
    """What bots and backtests call it."""
    runnable: bool
    """Whether it was validated and has passed; what has not is a draft, and trades nowhere."""
    verdict: VerdictShown | None
    """Null until it was validated."""


class VersionWithCode(VersionShown):
    """One version of a strategy."""

    code: str = Field(examples=[_CODE])


class StrategyWithCode(StrategyShown):
    """A strategy with the code of its newest version."""

    newest: VersionWithCode


class NewStrategy(Body):
    """A strategy to keep: of one's own code, a copy of a sample, or (neither is given) the template."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "EMA 10/20", "timeframe": "1h", "sample": "ema_cross"}]}
    )

    name: Name
    code: Code | None = None
    sample: Annotated[str | None, Field(max_length=80, examples=["ema_cross"])] = None
    description: Description = ""
    timeframe: Frame = ""
    check: bool = True
    """Whether the code is validated at once."""


class StrategyChange(Body):
    """What to change; what is left out stays."""

    name: Name | None = None
    description: Description | None = None
    timeframe: Frame | None = None


class NewCode(Body):
    """Code to save as a new version."""

    code: Code
    expected_version: VersionNumber
    """The version that was edited: if another has been saved since, this one is refused (409)."""
    check: bool = True
    """Whether the code is validated at once."""


class Restored(Body):
    """An old version to make the newest again."""

    version: VersionNumber
    expected_version: VersionNumber


class Copied(Body):
    """How a copy is called, and of which version it is; left out: the same name with a number, the newest."""

    name: Name | None = None
    version: VersionNumber | None = None


class CodeToCheck(Body):
    """Code that is not kept."""

    code: Code
    timeframe: Frame = ""


class Template(Answer):
    """What a new strategy begins with."""

    language: Literal["en", "fr"]
    code: str = Field(examples=[_CODE])


class SampleShown(Answer):
    """A strategy that comes with Cambist."""

    name: str = Field(examples=["ema_cross"])
    """What bots and backtests call it."""
    description: str = Field(examples=["Buys when the quick average crosses the calm one."])
    code: str = Field(examples=[_CODE])


class Difference(Answer):
    """What has changed between two versions."""

    diff: str = Field(examples=["--- version 1\n+++ version 2\n@@ -1 +1 @@\n-fast = 10\n+fast = 12\n"])
    """A unified diff; empty if nothing has."""


@router.get("", summary="My strategies")
@quick
def listed(caller: Viewer, own: Own, after: Cursor = None, limit: Limit = 50) -> Page[StrategyShown]:
    """List the strategies that you keep here, oldest first, without their code."""
    last = number(after) or 0
    rows = [one for one in own.strategies.strategies() if one.id > last]
    return page(rows[: limit + 1], limit, lambda one: one.id, StrategyShown.model_validate)


@router.post("", status_code=201, summary="Keep a strategy")
def create(caller: Trader, own: Own, server: Server, body: NewStrategy, response: Response) -> StrategyWithCode:
    """Keep a strategy. Code that does not pass its validation is kept as a draft."""
    if body.code is not None and body.sample is not None:
        raise BadInput("sample", body.sample, "shelf.code_or_sample")
    if body.sample is not None:
        code = shelf.built_in_sample(body.sample).code
    else:
        code = TEMPLATES[language()] if body.code is None else body.code
    made = shelf.create(
        own.strategies,
        caller.user_id,
        body.name,
        code,
        server.now_ms(),
        description=body.description,
        timeframe=body.timeframe,
    )
    return _created(own, server, made, response, check=body.check)


@router.get("/template", summary="What a new strategy begins with")
@quick
def template(caller: Viewer, lang: Annotated[Language | None, Query(description="en, fr")] = None) -> Template:
    """Return the template in the classic shape, with comments in your language or in ``lang``."""
    chosen = lang or language()
    return Template(language=chosen, code=TEMPLATES[chosen])


@router.get("/samples", summary="Strategies that come with Cambist")
@quick
def samples(caller: Viewer) -> list[SampleShown]:
    """List the samples. They can be run as they are, or copied with ``POST /strategies``."""
    return [SampleShown.model_validate(one) for one in shelf.built_in()]


@router.post("/validate", summary="Validate code without keeping it")
def validate(caller: Trader, server: Server, body: CodeToCheck) -> VerdictShown:
    """Check syntax, imports and shape, run it over sample candles in the jail, prove that it does not look ahead."""
    code, timeframe = shelf.checked_code(body.code), shelf.checked_timeframe(body.timeframe)
    return VerdictShown(**shelf.in_words(_judging(server, caller.user_id)(code, timeframe)))


@router.post("/import", status_code=201, summary="Keep a .py file")
def import_file(
    caller: Trader,
    own: Own,
    server: Server,
    response: Response,
    name: Annotated[str, Query(min_length=1, max_length=shelf.LONGEST_NAME, examples=["EMA 10/20"])],
    content: Annotated[bytes, RawBody(media_type="text/x-python", examples=[_CODE])],
) -> StrategyWithCode:
    """Keep the file in the body, UTF-8, as a new strategy."""
    code = shelf.decoded(content)
    made = shelf.create(own.strategies, caller.user_id, name, code, server.now_ms())
    return _created(own, server, made, response, check=True)


@router.get("/{strategy_id}", summary="One strategy with its code")
@quick
def get(caller: Viewer, own: Own, strategy_id: Id) -> StrategyWithCode:
    """Return a strategy with the code of its newest version."""
    return _with_code(own, own.strategies.get(strategy_id))


@router.patch("/{strategy_id}", summary="Rename or describe a strategy")
def change(caller: Trader, own: Own, server: Server, strategy_id: Id, body: StrategyChange) -> StrategyShown:
    """Change what is said of a strategy; its code stays."""
    changes = body.model_dump(exclude_unset=True)
    return StrategyShown.model_validate(shelf.change(own.strategies, strategy_id, server.now_ms(), **changes))


@router.put("/{strategy_id}/code", summary="Save code")
def save(caller: Trader, own: Own, server: Server, strategy_id: Id, body: NewCode) -> StrategyWithCode:
    """Save code as a new version, unless it is what the newest holds already. Bots keep the version that they run."""
    expected = body.expected_version
    saved = shelf.save(own.strategies, strategy_id, body.code, server.now_ms(), expected_version=expected)
    if body.check:
        _judge(own, server, saved)
    return _with_code(own, saved)


@router.delete("/{strategy_id}", status_code=204, summary="Delete a strategy")
def delete(caller: Trader, own: Own, strategy_id: Id) -> None:
    """Delete a strategy with all its versions; refused while a bot runs it."""
    shelf.delete(own.strategies, strategy_id, own.register.bots(), _status(own))


@router.post("/{strategy_id}/duplicate", status_code=201, summary="Copy a strategy")
def duplicate(
    caller: Trader, own: Own, server: Server, strategy_id: Id, body: Copied, response: Response
) -> StrategyWithCode:
    """Keep a copy of one version as a strategy of its own."""
    made = shelf.duplicate(own.strategies, strategy_id, server.now_ms(), name=body.name, version=body.version)
    return _created(own, server, made, response, check=True)


@router.post("/{strategy_id}/restore", summary="Go back to an old version")
def restore(caller: Trader, own: Own, server: Server, strategy_id: Id, body: Restored) -> StrategyWithCode:
    """Save an old version's code as the newest version."""
    expected = body.expected_version
    saved = shelf.restore(own.strategies, strategy_id, body.version, server.now_ms(), expected_version=expected)
    _judge(own, server, saved)
    return _with_code(own, saved)


@router.get("/{strategy_id}/diff", summary="Compare two versions")
def diff(
    caller: Viewer,
    own: Own,
    strategy_id: Id,
    older: Annotated[VersionNumber, Query()],
    newer: Annotated[VersionNumber, Query()],
) -> Difference:
    """Return what has changed from one version to another."""
    return Difference(diff=shelf.difference(own.strategies, strategy_id, older, newer))


@router.get(
    "/{strategy_id}/export",
    summary="The code as a .py file",
    response_class=PlainTextResponse,
    responses={200: {"content": {"text/x-python": {"schema": {"type": "string"}}}, "description": "The file"}},
)
def export(caller: Viewer, own: Own, strategy_id: Id, version: VersionNumber | None = None) -> Response:
    """Return one version's code (left out: the newest's) as a file."""
    known = own.strategies.get(strategy_id)
    code = own.strategies.code(strategy_id, known.version if version is None else version)
    headers = {"Content-Disposition": f'attachment; filename="{shelf.file_name(known)}"'}
    return Response(code.encode(), media_type="text/x-python; charset=utf-8", headers=headers)


@router.get("/{strategy_id}/versions", summary="All versions")
@quick
def versions(caller: Viewer, own: Own, strategy_id: Id, after: Cursor = None, limit: Limit = 50) -> Page[VersionShown]:
    """List the versions, oldest first, without their code."""
    last = number(after) or 0
    rows = [one for one in own.strategies.versions(strategy_id) if one.version > last]
    return page(rows[: limit + 1], limit, lambda one: one.version, lambda one: VersionShown(**_version(one)))


@router.get("/{strategy_id}/versions/{version}", summary="One version with its code")
@quick
def version(caller: Viewer, own: Own, strategy_id: Id, version: Annotated[VersionNumber, Path()]) -> VersionWithCode:
    """Return one version."""
    return _version_with_code(own.strategies.version(strategy_id, version))


@router.post("/{strategy_id}/versions/{version}/validate", summary="Validate a version")
def validate_version(
    caller: Trader, own: Own, server: Server, strategy_id: Id, version: Annotated[VersionNumber, Path()]
) -> VersionWithCode:
    """Validate a version and keep what is said of it: one that passes may trade."""
    return _version_with_code(shelf.judge(own.strategies, strategy_id, version, _judging(server, caller.user_id)))


def _created(
    own: Stores, server: Services, made: StoredStrategy, response: Response, *, check: bool
) -> StrategyWithCode:
    response.headers["Location"] = f"/api/v1/strategies/{made.id}"
    if check:
        _judge(own, server, made)
    return _with_code(own, made)


def _judge(own: Stores, server: Services, saved: StoredStrategy) -> None:
    """Have the newest version validated if it was not; where that cannot be done now, it stays a draft."""
    if not own.strategies.version(saved.id, saved.version).verdict:
        try:
            shelf.judge(own.strategies, saved.id, saved.version, _judging(server, own.user_id))
        except CambistError:
            return  # what is saved is saved; to validate it alone tells why


def _judging(server: Services, user_id: int) -> shelf.Validate:
    """Return what validates code of one person, not too much of it at once."""

    def judged(code: str, timeframe: str) -> dict[str, Any]:
        with server.validations.taken(user_id, server.now_ms()):
            return server.validate(code, timeframe)

    return judged


def _with_code(own: Stores, known: StoredStrategy) -> StrategyWithCode:
    newest = _version_with_code(own.strategies.version(known.id, known.version))
    return StrategyWithCode(**StrategyShown.model_validate(known).model_dump(), newest=newest)


def _version_with_code(known: StrategyVersion) -> VersionWithCode:
    return VersionWithCode(**_version(known), code=known.code)


def _version(known: StrategyVersion) -> dict[str, Any]:
    return {
        "version": known.version,
        "created_ms": known.created_ms,
        "run_as": stored_name(known.strategy, known.version),
        "runnable": shelf.runnable(known),
        "verdict": VerdictShown(**shelf.in_words(known.verdict)) if known.verdict else None,
    }


def _status(own: Stores) -> Callable[[BotSpec], BotStatus]:
    """Return what tells what a bot of the caller is doing, by its account's journal."""

    def status_of(bot: BotSpec) -> BotStatus:
        standings = own.standings([account_of(own.register, bot.account)])
        known = {one.id: one.status for standing in standings for one in standing.bots}
        return known.get(bot.id, BotStatus.CREATED)

    return status_of
