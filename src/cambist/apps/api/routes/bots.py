"""Bots: made, watched, started, stopped, suspended, resumed, sold and released."""

from asyncio import to_thread
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

from fastapi import Path, Query, Response
from pydantic import ConfigDict, Field

from cambist.apps.api.area import Area, quick
from cambist.apps.api.asking import PATIENCE, Asked, Wait, answered, asked
from cambist.apps.api.caller import Trader, Viewer
from cambist.apps.api.services import Own, Server, Stores, read_on
from cambist.apps.api.visits import Visited
from cambist.apps.api.words import PLAIN, Amount, Answer, Body, Exact, Ms, ParamName
from cambist.domain.account import BotSpec, BotStatus
from cambist.domain.errors import BadInput, NotFound, Taken
from cambist.domain.order import OrderType, Side
from cambist.domain.past import Wanted
from cambist.domain.standing import BotStanding
from cambist.domain.strategy_text import parse_stored_name
from cambist.domain.timeframe import Timeframe
from cambist.execution.protection import Protection
from cambist.strategies._load import samples
from cambist.usecases.accounts import account_of
from cambist.usecases.bots import add_bot, bot_of, tell_bot
from cambist.usecases.strategies import need_runnable

router = Area("/bots", tags=["bots"])

_LAST_TRADES = 10
Id = Annotated[str, Path(max_length=80, pattern=PLAIN, examples=["trend"])]
Account = Annotated[str | None, Query(max_length=80, pattern=PLAIN, description="Of this account alone.")]


class BotBody(Body):
    """A bot to make: a strategy on one market, with a budget out of its account's free cash."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "name": "trend",
                    "account": "main",
                    "strategy": "ema_cross",
                    "symbol": "BTC/USDT",
                    "timeframe": "15m",
                    "budget": "1000",
                    "params": {"fast": 10, "slow": 20},
                }
            ]
        },
    )

    name: str = Field(max_length=32)
    account: str = Field(max_length=80, pattern=PLAIN)
    strategy: str = Field(max_length=120)
    """A built-in one by name, or ``stored:<id>@<version>``."""
    symbol: str = Field(max_length=40, pattern=PLAIN)
    timeframe: str = Field(max_length=4)
    budget: Exact
    """In the account's quote currency."""
    params: dict[ParamName, int | float | str | bool] = Field(default_factory=dict, max_length=50)
    since_ms: Ms | None = None
    """It decides on candles that close from here on."""
    until_ms: Ms | None = None
    pyramiding: int = Field(default=1, ge=1, le=100)
    """How many entries may add up to one position."""
    start: bool = False
    """Start it at once."""


class OrderShown(Answer):
    """An order under way."""

    client_id: str = Field(examples=["cfx3n5u2h7kq4mzt6a"])
    side: Side
    type: OrderType
    role: str = Field(examples=["entry"])
    life: str = Field(examples=["open"])
    quantity: Amount
    filled: Amount
    price: Amount | None
    trigger: Amount | None
    since_ms: Ms


class BotShown(Answer):
    """A bot, and how it stands by its account's journal."""

    id: str = Field(examples=["trend"])
    account: str = Field(examples=["main"])
    strategy: str = Field(examples=["ema_cross"])
    params: dict[str, Any]
    symbol: str = Field(examples=["BTC/USDT"])
    timeframe: Timeframe
    budget: Amount
    since_ms: Ms | None
    until_ms: Ms | None
    pyramiding: int
    status: BotStatus
    """``created`` until an engine has taken it up."""
    equity: Amount
    realised: Amount
    """Gains and losses of what was closed, and of the fees of what is held."""
    unrealised: Amount
    quantity: Amount
    """Held, in base currency; negative for a short."""
    entry_price: Amount
    price: Amount | None
    protection: Protection
    """Who guards the position: ``native`` (the venue), ``emulated`` (Cambist) or ``none_wanted`` (nobody)."""
    stop_loss: Amount | None
    take_profit: Amount | None
    closing: bool
    trades: int
    orders: list[OrderShown]


class TradeShown(Answer):
    """A trade that was closed."""

    side: str = Field(examples=["long"])
    entry_ts: Ms
    entry_price: Amount
    exit_ts: Ms
    exit_price: Amount
    quantity: Amount
    pnl: Amount
    fees: Amount
    reason: str = Field(examples=["stop_loss"])


class BotWhole(BotShown):
    """A bot with its last ten trades."""

    last_trades: list[TradeShown]


class BotMade(Answer):
    """A bot that was made, and the request to start it, if one was put."""

    bot: BotShown
    started: Asked | None


class Act(StrEnum):
    """What a bot can be told."""

    START = "start"
    STOP = "stop"
    SUSPEND = "suspend"
    RESUME = "resume"
    SELL = "sell"
    RELEASE = "release"


class ActBody(Body):
    """How to do it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"sell": False, "confirm": True}]})

    sell: bool = False
    """With ``stop``: sell what it holds too."""
    confirm: bool = False
    """``stop`` while a position is open, and ``release``, need this: the position is then nobody's to look after but
    its stops'."""


@router.get("", summary="List bots", dependencies=[read_on])
@quick
def list_bots(caller: Viewer, own: Own, account: Account = None) -> list[BotShown]:
    """Return the bots with how they stand, by id."""
    return _all(own, account)


@router.post("", summary="Make a bot", status_code=201)
async def make_bot(
    caller: Trader, own: Own, server: Server, visit: Visited, body: BotBody, response: Response
) -> BotMade:
    """Make a bot; it does nothing until it is started."""
    spec = await to_thread(_add, caller.limits.get("max_bots"), own, body)
    await to_thread(server.note, "bot.add", visit, caller, spec.id, strategy=spec.strategy)
    started = None
    if body.start:
        number = await to_thread(tell_bot, own.register, spec.id, "start", server.now_ms())
        started = await asked(server, own, number, PATIENCE, response)
    response.status_code = 201
    response.headers["Location"] = f"/api/v1/bots/{spec.id}"
    return BotMade(bot=await to_thread(_one, own, spec.id), started=started)


@router.get("/{bot}", summary="Show a bot", dependencies=[read_on])
def show_bot(caller: Viewer, own: Own, bot: Id) -> BotWhole:
    """Return a bot with its last ten trades."""
    shown = _one(own, bot)
    last = own.past.read_on(shown.account).trades(Wanted(bot=bot), _LAST_TRADES)
    return BotWhole(**shown.model_dump(), last_trades=[TradeShown.model_validate(one) for one in last])


@router.delete(
    "/{bot}",
    summary="Delete a bot",
    status_code=204,
    response_class=Response,
    responses={202: {"model": Asked, "description": "The engine has not done it yet."}},
)
async def delete_bot(
    caller: Trader, own: Own, server: Server, visit: Visited, bot: Id, wait_s: Wait = PATIENCE
) -> Response:
    """Delete a bot that holds nothing and has no order under way: its money is the account's again. Its trades stay in
    the history, and its id stays taken."""

    def begin() -> int | None:
        spec = bot_of(own.register, bot)
        (standing,) = own.standings([account_of(own.register, spec.account)])
        server.note("bot.delete", visit, caller, bot)
        if any(one.id == bot for one in standing.bots):
            return tell_bot(own.register, bot, "delete", server.now_ms())
        own.register.forget_bot(bot)
        return None

    number = await to_thread(begin)
    if number is not None:
        request = await answered(server, own, number, wait_s)
        if request.done_ms is None:
            return Response(Asked.model_validate(request).model_dump_json(), 202, media_type="application/json")
    return Response(status_code=204)


@router.post("/{bot}/{act}", summary="Tell a bot what to do", responses={202: {"model": Asked}})
async def tell(
    caller: Trader,
    own: Own,
    server: Server,
    visit: Visited,
    bot: Id,
    act: Act,
    response: Response,
    body: ActBody | None = None,
    wait_s: Wait = PATIENCE,
) -> Asked:
    """Start, stop, suspend, resume, sell now, or release (the position becomes the account's, unsold).

    The engine's answer is waited for; 202 says that it has not come yet, and that the request is not lost.
    """
    how = body or ActBody()
    spec = await to_thread(bot_of, own.register, bot)
    if act in (Act.STOP, Act.RELEASE) and not how.confirm and not how.sell:
        shown = await to_thread(_one, own, bot)
        if shown.quantity:
            raise Taken("bots.confirm", bot=bot, quantity=f"{shown.quantity:f}", symbol=spec.symbol)
    if act in (Act.START, Act.RESUME) and parse_stored_name(spec.strategy) is not None:
        await to_thread(need_runnable, own.strategies, spec.strategy)
    number = await to_thread(tell_bot, own.register, bot, act.value, server.now_ms(), sell=how.sell)
    await to_thread(server.note, f"bot.{act.value}", visit, caller, bot, sell=how.sell)
    return await asked(server, own, number, wait_s, response)


def _add(most: int | None, own: Stores, body: BotBody) -> BotSpec:
    if parse_stored_name(body.strategy) is not None:
        need_runnable(own.strategies, body.strategy)
    elif body.strategy not in samples():  # files of the server are nobody's to run
        raise BadInput("strategy", body.strategy, "bots.strategy", known=", ".join(samples()))
    return add_bot(
        own.register,
        body.name,
        account=body.account,
        strategy=body.strategy,
        symbol=body.symbol,
        timeframe=Timeframe.parse(body.timeframe),
        budget=f"{body.budget:f}",
        params={name: str(value) for name, value in body.params.items()},
        since_ms=body.since_ms,
        until_ms=body.until_ms,
        pyramiding=body.pyramiding,
        most=most,
    )


def _one(own: Stores, bot: str) -> BotShown:
    spec = bot_of(own.register, bot)
    for shown in _all(own, spec.account):
        if shown.id == bot:
            return shown
    raise NotFound("running.unknown_bot", bot=bot, known="-")


def _all(own: Stores, account: str | None) -> list[BotShown]:
    """Return the bots as they stand by the journals of their accounts."""
    found: dict[str, BotStanding] = {}
    accounts = own.register.accounts() if account is None else [account_of(own.register, account)]
    for standing in own.standings(accounts):
        found |= {bot.id: bot for bot in standing.bots}
    return [_shown(spec, found.get(spec.id)) for spec in own.register.bots(account)]


def _shown(spec: BotSpec, standing: BotStanding | None) -> BotShown:
    given = {name: getattr(spec, name) for name in _OF_SPEC}
    if standing is not None:
        return BotShown(
            **given,
            **{name: getattr(standing, name) for name in _OF_STANDING},
            orders=[OrderShown.model_validate(one) for one in standing.orders],
        )
    nothing = Decimal(0)
    return BotShown(
        **given,
        status=BotStatus.CREATED,
        equity=spec.budget,
        realised=nothing,
        unrealised=nothing,
        quantity=nothing,
        entry_price=nothing,
        price=None,
        protection=Protection.NONE_WANTED,
        stop_loss=None,
        take_profit=None,
        closing=False,
        trades=0,
        orders=[],
    )


_OF_SPEC = (
    "id",
    "account",
    "strategy",
    "params",
    "symbol",
    "timeframe",
    "budget",
    "since_ms",
    "until_ms",
    "pyramiding",
)
_OF_STANDING = (
    "status",
    "equity",
    "realised",
    "unrealised",
    "quantity",
    "entry_price",
    "price",
    "protection",
    "stop_loss",
    "take_profit",
    "closing",
    "trades",
)
