"""What accounts may do: limits, the equity breaker, the kill switch; what is frozen or foreign; alerts; requests."""

from asyncio import to_thread
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Annotated, Any

from fastapi import Depends, Path, Query, Response
from pydantic import ConfigDict, Field

from cambist.apps.api.area import Area, quick
from cambist.apps.api.asking import PATIENCE, Asked, Wait, asked
from cambist.apps.api.caller import Trader, Viewer
from cambist.apps.api.services import Own, Server, read_on
from cambist.apps.api.visits import Visited
from cambist.apps.api.words import PLAIN, Amount, Answer, Body, Ms
from cambist.domain.account import Mode
from cambist.domain.alert import Level
from cambist.domain.standing import AccountStanding
from cambist.domain.trading import TradingState
from cambist.usecases.accounts import account_of, ask, set_settings

router = Area(tags=["risk"])

Account = Annotated[str, Path(max_length=80, pattern=PLAIN, examples=["main"])]
Symbol = Annotated[str, Field(max_length=40, pattern=PLAIN, examples=["BTC/USDT"])]
Name = Annotated[str, Field(max_length=80, pattern=PLAIN)]


class Frozen(Answer):
    """An instrument on which book and venue differ."""

    symbol: str = Field(examples=["BTC/USDT"])
    why: str = Field(examples=["the book says 0.1 BTC, the venue 0.2"])


class AccountShown(Answer):
    """How an account stands by its journal."""

    id: str = Field(examples=["main"])
    venue: str = Field(examples=["binance"])
    mode: Mode
    quote: str = Field(examples=["USDT"])
    trading: TradingState
    breaker: str = Field(examples=["clear"])
    """``clear``, ``halve``, ``no_entries``, ``reduce_only`` or ``flatten``."""
    equity: Amount
    """Of its bots together."""
    free: Amount
    """Cash that no bot has and no order by hand waits for."""
    won: Amount
    """What bots that were deleted have won, less what they have lost."""
    ts: Ms
    frozen: list[Frozen]
    unknown: list[str] = Field(examples=[["cfx3n5u2h7kq4mzt6a"]])
    """Orders of which only the venue knows what has become."""
    limits: dict[str, str | int] = Field(examples=[{"max_daily_loss": "100"}])
    breaker_rules: dict[str, dict[str, str]] = Field(examples=[{"from_peak": {"flatten": "0.2"}}])


class Switch(StrEnum):
    """What an account may be set to."""

    HALT = "halt"
    """Nothing leaves but what reduces."""
    REDUCE_ONLY = "reduce_only"
    ACTIVATE = "activate"
    REARM = "rearm"
    """Arm the equity breaker again."""


class SwitchBody(Body):
    """How to halt."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"flatten": False, "may_reduce": True}]})

    flatten: bool = False
    """Close every position too."""
    may_reduce: bool = True
    """With ``halt``: let stops and exits through."""


class LimitsBody(Body):
    """Limits and breaker falls to set; an empty text unsets."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"changes": {"max_daily_loss": "100", "from_peak.flatten": "0.2"}}]},
    )

    changes: dict[Name, Annotated[str, Field(max_length=40)]] = Field(min_length=1, max_length=40)


class SymbolBody(Body):
    """An instrument."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"symbol": "BTC/USDT"}]})

    symbol: Symbol


class ForeignBody(Body):
    """An order at the venue that is not Cambist's."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"symbol": "BTC/USDT", "order": "web_1234"}]}
    )

    symbol: Symbol
    order: str = Field(max_length=80, pattern=PLAIN)


class AlertShown(Answer):
    """Something worth knowing."""

    ts: Ms
    level: Level
    key: str = Field(examples=["trading.unprotected"])
    text: str = Field(
        examples=["trend: no stop could be placed at the venue for 30 s: the position is closed at market."]
    )
    account: str = Field(examples=["main"])
    bot: str = Field(examples=["trend"])


@router.get("/accounts", summary="List accounts with how they stand", dependencies=[read_on])
@quick
def accounts(caller: Viewer, own: Own) -> list[AccountShown]:
    """Return the accounts by id, with limits, breaker and what is frozen."""
    specs = own.register.accounts()
    settings = {spec.id: spec.settings or {} for spec in specs}
    return [_shown(one, settings[one.id]) for one in own.standings(specs)]


@router.get("/accounts/{account}", summary="Show an account", dependencies=[read_on])
@quick
def account(caller: Viewer, own: Own, account: Account) -> AccountShown:
    """Return one account."""
    spec = account_of(own.register, account)
    return _shown(own.standings([spec])[0], spec.settings or {})


@router.put("/accounts/{account}/limits", summary="Set limits", responses={202: {"model": Asked}})
async def limits(
    caller: Trader, own: Own, server: Server, visit: Visited, account: Account, body: LimitsBody
) -> AccountShown:
    """Set limits (``max_daily_loss``) and the breaker's falls (``from_peak.flatten``); engines take them up at once."""
    spec = await to_thread(set_settings, own.register, account, body.changes, server.now_ms())
    await to_thread(server.note, "account.limits", visit, caller, account, **body.changes)
    return _shown((await to_thread(own.standings, [spec]))[0], spec.settings or {})


async def _telling(
    caller: Trader,
    own: Own,
    server: Server,
    visit: Visited,
    account: Account,
    response: Response,
    wait_s: Wait = PATIENCE,
) -> Callable[..., Awaitable[Asked]]:
    async def tell(action: str, **params: Any) -> Asked:
        def put() -> int:
            spec = account_of(own.register, account)
            number = ask(own.register, spec.user_id, spec.id, action, server.now_ms(), **params)
            server.note(f"account.{action}", visit, caller, account, **params)
            return number

        return await asked(server, own, await to_thread(put), wait_s, response)

    return tell


Tell = Annotated[Callable[..., Awaitable[Asked]], Depends(_telling)]
"""Tells the engine what to do with the account of the address, and waits for its answer; a trader's right."""


@router.post("/accounts/{account}/adopt", summary="Adopt a difference", responses={202: {"model": Asked}})
async def adopt(tell: Tell, body: SymbolBody) -> Asked:
    """Book what the venue holds otherwise of a symbol's assets, and let it trade again."""
    return await tell("adopt", symbol=body.symbol)


@router.post("/accounts/{account}/thaw", summary="Let an instrument trade again", responses={202: {"model": Asked}})
async def thaw(tell: Tell, body: SymbolBody) -> Asked:
    """Let a frozen instrument trade again without booking anything."""
    return await tell("thaw", symbol=body.symbol)


@router.post("/accounts/{account}/foreign", summary="Cancel a foreign order", responses={202: {"model": Asked}})
async def cancel_foreign(tell: Tell, body: ForeignBody) -> Asked:
    """Cancel an order at the venue that is not Cambist's."""
    return await tell("cancel_foreign", symbol=body.symbol, order=body.order)


@router.post(
    "/accounts/{account}/{switch}", summary="Halt, reduce, activate, re-arm", responses={202: {"model": Asked}}
)
async def switch(tell: Tell, switch: Switch, body: SwitchBody | None = None) -> Asked:
    """Turn the kill switch of one account, or arm its breaker again."""
    return await tell(switch.value, **(body or SwitchBody()).model_dump())


@router.post("/kill", summary="Kill switch: halt every account", status_code=202)
async def kill(caller: Trader, own: Own, server: Server, visit: Visited, body: SwitchBody | None = None) -> list[Asked]:
    """Halt all accounts of the caller at once, closing every position if asked; orders on their way are cancelled."""
    how = (body or SwitchBody()).model_dump()

    def all_of_them() -> list[Asked]:
        now_ms = server.now_ms()
        specs = own.register.accounts()
        numbers = [ask(own.register, spec.user_id, spec.id, "halt", now_ms, **how) for spec in specs]
        for number in numbers:
            server.tell_engine(number)
        server.note("kill", visit, caller, "*", **how)
        return [Asked.model_validate(own.register.request(number)) for number in numbers]

    return await to_thread(all_of_them)


@router.get("/alerts", summary="List alerts")
@quick
def alerts(
    caller: Viewer, own: Own, limit: Annotated[int, Query(ge=1, le=500, description="How many at most.")] = 50
) -> list[AlertShown]:
    """Return the newest alerts first, in the caller's language."""
    return [
        AlertShown(ts=one.ts, level=one.level, key=one.key, text=str(one), account=one.account, bot=one.bot)
        for one in own.register.alerts(limit)
    ]


@router.get("/requests/{number}", summary="Show what came of a request")
@quick
def request(caller: Viewer, own: Own, number: Annotated[int, Path(ge=1, le=2**31 - 1, examples=[17])]) -> Asked:
    """Return a request to the engine; ``done_ms`` is null while it waits for one."""
    return Asked.model_validate(own.register.request(number))


def _shown(standing: AccountStanding, settings: dict[str, Any]) -> AccountShown:
    return AccountShown(
        id=standing.id,
        venue=standing.venue,
        mode=standing.mode,
        quote=standing.quote,
        trading=standing.trading,
        breaker=standing.breaker.name.lower(),
        equity=standing.equity,
        free=standing.free,
        won=standing.won,
        ts=standing.ts,
        frozen=[Frozen(symbol=symbol, why=why) for symbol, why in standing.frozen],
        unknown=list(standing.unknown),
        limits=settings.get("limits") or {},
        breaker_rules=settings.get("breaker") or {},
    )
