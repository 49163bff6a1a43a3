"""What has become of orders: the orders themselves, their fills, the trades that came of them, and what is held."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import Depends, Path, Query
from pydantic import ConfigDict

from cambist.apps.api.area import Area, quick, quick_if
from cambist.apps.api.caller import Viewer
from cambist.apps.api.paging import Cursor, Limit, Page, page, position
from cambist.apps.api.services import Own, Server, read_on
from cambist.apps.api.words import Amount, Answer, Ms
from cambist.domain.errors import BadInput
from cambist.domain.past import PastFill, PastOrder, PastTrade, Wanted
from cambist.domain.timeframe import DAY_MS
from cambist.execution.orders import ENDED, Life
from cambist.ports.past import At
from cambist.usecases.past import why
from cambist.usecases.positions import Position, open_positions

router = Area(tags=["orders"])

HISTORY_DAYS = 30
_FILTERS = ("account", "bot", "source", "strategy", "symbol", "status")
_NO_CONTROL = r"^[^\x00-\x1f]*$"
_MOST_SEQ = 2**63 - 1
_UNASKABLE = re.compile(r"[\0\ud800-\udfff]")
"""What JSON can spell and no database takes: a zero, and half of a surrogate pair."""

Account = Annotated[
    str | None, Query(max_length=80, pattern=_NO_CONTROL, description="Of this account alone.", examples=["main"])
]
Bot = Annotated[
    str | None, Query(max_length=80, pattern=_NO_CONTROL, description="Of this bot alone.", examples=["trend"])
]
Source = Annotated[
    str | None,
    Query(
        max_length=120,
        pattern=_NO_CONTROL,
        description="Who decided: `strategy`, `manual`, `webhook` (all of them) or `webhook:ID`.",
        examples=["manual"],
    ),
]
Symbol = Annotated[str | None, Query(max_length=80, pattern=_NO_CONTROL, examples=["BTC/USDT"])]
Strategy = Annotated[str | None, Query(max_length=300, pattern=_NO_CONTROL, examples=["ema_cross"])]
Since = Annotated[Ms | None, Query(description="From this moment on (ms).")]
Until = Annotated[Ms | None, Query(description="Before this moment (ms).")]


async def _part(
    account: Account = None,
    bot: Bot = None,
    source: Source = None,
    strategy: Strategy = None,
    symbol: Symbol = None,
    since: Since = None,
    until: Until = None,
) -> Wanted:
    """Return which part of the past is asked for."""
    return Wanted(account=account, bot=bot, source=source, strategy=strategy, symbol=symbol, since=since, until=until)


Part = Annotated[Wanted, Depends(_part)]
"""Which part of the past: of an account, a bot, a source, a strategy, a symbol; from and until."""

Status = Literal[
    "working",
    "over",
    "new",
    "submitting",
    "unknown",
    "open",
    "partly_filled",
    "filled",
    "cancelling",
    "cancelled",
    "refused",
    "expired",
]


_ORDER: dict[str, Any] = {
    "account": "main",
    "client_id": "cfx3n5u2h7kq4mzt6a",
    "bot": "trend",
    "source": "strategy",
    "strategy": "ema_cross",
    "symbol": "BTC/USDT",
    "side": "buy",
    "type": "market",
    "role": "entry",
    "status": "filled",
    "reason": "",
    "why": None,
    "quantity": "0.015",
    "filled": "0.015",
    "price": None,
    "trigger": None,
    "average": "64210.5",
    "sent_ms": 1_795_000_000_000,
    "changed_ms": 1_795_000_000_420,
}
_FILL: dict[str, Any] = {
    "account": "main",
    "seq": 4211,
    "bot": "trend",
    "source": "strategy",
    "client_id": "cfx3n5u2h7kq4mzt6a",
    "trade_id": "88231",
    "ts": 1_795_000_000_400,
    "symbol": "BTC/USDT",
    "side": "buy",
    "quantity": "0.015",
    "price": "64210.5",
    "fee": "0.963157",
    "fee_asset": "USDT",
    "liquidity": "taker",
}


class OrderAnswer(Answer):
    """One order, or one wish that was refused before an order came of it."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ORDER]})

    account: str
    client_id: str
    bot: str
    """``hand:SYMBOL`` for orders by hand."""
    source: str
    """``strategy``, ``manual`` or ``webhook:ID``."""
    strategy: str
    symbol: str
    side: Literal["buy", "sell", ""]
    """Empty where a refused wish does not tell."""
    type: Literal["market", "limit", "stop", "take_profit", ""]
    role: str
    status: Life
    reason: str
    """A key, or the venue's own words."""
    why: str | None
    """The reason in the caller's language; null if there is none."""
    quantity: Amount
    """0 for a refused wish whose size was not known."""
    filled: Amount
    price: Amount | None
    """The limit; null for market orders."""
    trigger: Amount | None
    average: Amount | None
    """The average price at which it filled."""
    sent_ms: Ms
    changed_ms: Ms


_OF_ORDER = tuple(name for name in OrderAnswer.model_fields if name != "why")


class FillAnswer(Answer):
    """One execution of an order."""

    model_config = ConfigDict(json_schema_extra={"examples": [_FILL]})

    account: str
    seq: int
    bot: str
    source: str
    client_id: str
    trade_id: str
    """The venue's number."""
    ts: Ms
    symbol: str
    side: Literal["buy", "sell"]
    quantity: Amount
    price: Amount
    fee: Amount
    fee_asset: str
    liquidity: Literal["maker", "taker"]


class OrderWithFills(OrderAnswer):
    """One order and its executions, oldest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ORDER | {"fills": [_FILL]}]})

    fills: list[FillAnswer]


class TradeAnswer(Answer):
    """One position from its first fill to its last; by hand: what one order has sold of what was bought by hand."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "main:4230:0",
                    "account": "main",
                    "bot": "trend",
                    "source": "strategy",
                    "strategy": "ema_cross",
                    "symbol": "BTC/USDT",
                    "quote": "USDT",
                    "side": "long",
                    "entry_ts": 1_795_000_000_400,
                    "entry_price": "64210.5",
                    "exit_ts": 1_795_003_600_400,
                    "exit_price": "64900",
                    "quantity": "0.015",
                    "pnl": "8.405843",
                    "fees": "1.936657",
                    "slippage": "0.4815",
                    "reason": "signal",
                }
            ]
        }
    )

    id: str
    """Its own, the same whenever it is asked for."""
    account: str
    bot: str
    source: str
    strategy: str
    symbol: str
    quote: str
    """The currency of all its money."""
    side: Literal["long", "short"]
    entry_ts: Ms
    entry_price: Amount
    """Averages over the fills."""
    exit_ts: Ms
    exit_price: Amount
    quantity: Amount
    pnl: Amount
    """After fees and funding."""
    fees: Amount
    slippage: Amount
    reason: str
    """``signal``, ``stop_loss``, ``take_profit``, ``trailing_stop`` or ``manual``."""


_OF_TRADE = tuple(name for name in TradeAnswer.model_fields if name != "id")


class PositionAnswer(Answer):
    """One open position."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "account": "main",
                    "bot": "trend",
                    "source": "strategy",
                    "symbol": "BTC/USDT",
                    "quote": "USDT",
                    "side": "long",
                    "quantity": "0.015",
                    "entry_price": "64210.5",
                    "entry_ts": 1_795_000_000_400,
                    "price": "64550",
                    "unrealised": "5.0925",
                    "protection": "native",
                    "stop_loss": "62926.29",
                    "take_profit": "66778.92",
                    "closing": False,
                }
            ]
        }
    )

    account: str
    bot: str
    source: str
    symbol: str
    quote: str
    side: Literal["long", "short"]
    quantity: Amount
    entry_price: Amount
    """By hand: the average cost."""
    entry_ts: Ms
    price: Amount | None
    """The last that is known."""
    unrealised: Amount | None
    """What it has gained at that price, before fees."""
    protection: str
    """Who guards it: ``native`` (stops rest at the venue), ``emulated`` (Cambist watches), ``none_wanted`` (nobody)."""
    stop_loss: Amount | None
    take_profit: Amount | None
    closing: bool


def _unfiltered(given: Mapping[str, Any]) -> bool:
    """Tell whether the rows of a list are the first that are looked at: those of a time stand together."""
    part = given.get("part")
    return not any(given.get(name) or getattr(part, name, None) for name in _FILTERS)


@router.get("/orders", dependencies=[read_on])
@quick_if(_unfiltered)
def orders(
    caller: Viewer,
    own: Own,
    server: Server,
    part: Part,
    status: Annotated[
        list[Status] | None,
        Query(description="Of these states alone; `working` is all that are not over, `over` all that are."),
    ] = None,
    after: Cursor = None,
    limit: Limit = 100,
) -> Page[OrderAnswer]:
    """List orders, those changed last first: every attempt, what was refused included. 30 days unless asked.

    ``since`` and ``until`` are of the last change.
    """
    since = server.market_clock.now_ms() - HISTORY_DAYS * DAY_MS if part.since is None else part.since
    wanted = replace(part, since=since, statuses=_states(status or ()))
    found = own.past.read_on(part.account).orders(wanted, limit + 1, _at(after, (int, str, str)))
    return page(found, limit, lambda one: _place(one.changed_ms, one.account, one.client_id), order_answer)


@router.get("/orders/{account}/{client_id}", dependencies=[read_on])
@quick
def order(
    caller: Viewer,
    own: Own,
    account: Annotated[str, Path(max_length=80, pattern=_NO_CONTROL, examples=["main"])],
    client_id: Annotated[str, Path(max_length=80, pattern=_NO_CONTROL, examples=["cfx3n5u2h7kq4mzt6a"])],
) -> OrderWithFills:
    """Return one order with its fills."""
    kept = own.past.read_on(account)
    found = kept.order(account, client_id)
    fills = kept.fills(Wanted(account=account), 10_000, client_id=client_id)
    shown = order_answer(found).model_dump()
    return OrderWithFills(**shown, fills=[fill_answer(one) for one in reversed(fills)])


@router.get("/fills", dependencies=[read_on])
@quick_if(_unfiltered)
def fills(
    caller: Viewer,
    own: Own,
    account: Account = None,
    bot: Bot = None,
    source: Source = None,
    symbol: Symbol = None,
    since: Since = None,
    until: Until = None,
    after: Cursor = None,
    limit: Limit = 100,
) -> Page[FillAnswer]:
    """List executions, newest first."""
    wanted = Wanted(account=account, bot=bot, source=source, symbol=symbol, since=since, until=until)
    found = own.past.read_on(account).fills(wanted, limit + 1, _at(after, (int, str, int)))
    return page(found, limit, lambda one: _place(one.ts, one.account, one.seq), fill_answer)


@router.get("/trades", dependencies=[read_on])
@quick_if(_unfiltered)
def trades(
    caller: Viewer,
    own: Own,
    part: Part,
    after: Cursor = None,
    limit: Limit = 10,
) -> Page[TradeAnswer]:
    """List trades that have ended, the last first: the last ten unless asked for more."""
    found = own.past.read_on(part.account).trades(part, limit + 1, _at(after, (int, str, int, int)))
    return page(found, limit, lambda one: _place(one.exit_ts, one.account, one.seq, one.number), trade_answer)


@router.get("/positions", dependencies=[read_on])
@quick
def positions(
    caller: Viewer, own: Own, account: Account = None, bot: Bot = None, symbol: Symbol = None
) -> list[PositionAnswer]:
    """List open positions, of bots and by hand, with who guards them and what they have gained."""
    return [position_answer(one) for one in open_positions(own.register, own.past, account, bot=bot, symbol=symbol)]


def order_answer(one: PastOrder) -> OrderAnswer:
    """Return ``one`` as it is answered, its reason in the language in use."""
    return OrderAnswer(**{name: getattr(one, name) for name in _OF_ORDER}, why=why(one.reason))


def fill_answer(one: PastFill) -> FillAnswer:
    """Return ``one`` as it is answered."""
    return FillAnswer.model_validate(one)


def trade_answer(one: PastTrade) -> TradeAnswer:
    """Return ``one`` as it is answered."""
    shown = {name: getattr(one, name) for name in _OF_TRADE}
    return TradeAnswer(id=f"{one.account}:{one.seq}:{one.number}", **shown)


def position_answer(one: Position) -> PositionAnswer:
    """Return ``one`` as it is answered."""
    return PositionAnswer.model_validate(one)


def _states(asked: Sequence[Status]) -> tuple[str, ...]:
    states: set[str] = set()
    for one in asked:
        if one == "working":
            states |= {life.value for life in Life if life not in ENDED}
        elif one == "over":
            states |= {life.value for life in ENDED}
        else:
            states.add(one)
    return tuple(sorted(states))


def _place(*at: str | int) -> str:
    return json.dumps(at, ensure_ascii=False)


def _at(after: str | None, kinds: tuple[type, ...]) -> At | None:
    """Return the place in a list that a cursor names; raise `BadInput` if it names none."""
    text = position(after)
    if text is None:
        return None
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if (
        not isinstance(found, list)
        or [type(one) for one in found] != list(kinds)
        or any(isinstance(one, int) and abs(one) > _MOST_SEQ for one in found)
        or any(isinstance(one, str) and _UNASKABLE.search(one) for one in found)
    ):
        raise BadInput("after", after, "api.cursor")
    return tuple(found)
