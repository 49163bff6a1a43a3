"""Trading by hand: figures, validation with a token that holds for a moment, the order, and what is open."""

from asyncio import to_thread
from typing import Annotated, Any

from fastapi import Path, Query, Response
from pydantic import ConfigDict, Field

from cambist.apps.api.area import Area, quick
from cambist.apps.api.asking import PATIENCE, Asked, Wait, answered, asked
from cambist.apps.api.caller import Trader, Viewer
from cambist.apps.api.services import Own, Server, Services, Stores, read_on
from cambist.apps.api.visits import Visited
from cambist.apps.api.words import PLAIN, Amount, Answer, Body, Exact, Ms
from cambist.domain.account import HAND
from cambist.domain.errors import BadInput, VenueUnavailable
from cambist.domain.order import OrderType, Side, TimeInForce
from cambist.usecases.accounts import account_of, ask
from cambist.usecases.trading import HOLDS_MS, Summary, Wanted, execute, offer_in, order_params, summary

router = Area("/trading", tags=["trading"])

Account = Annotated[str, Path(max_length=80, pattern=PLAIN, examples=["main"])]
ClientId = Annotated[str, Path(max_length=40, pattern=r"^[0-9a-z]+$", examples=["cfx3n5u2h7kq4mzt6a"])]
_OFFER_S = 10.0


class OrderBody(Body):
    """An order as a person writes it: a quantity (base currency) or an amount (quote currency), never both."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"account": "main", "symbol": "BTC/USDT", "side": "buy", "type": "market", "amount": "250"},
                {
                    "account": "main",
                    "symbol": "BTC/USDT",
                    "side": "sell",
                    "type": "limit",
                    "quantity": "0.01",
                    "price": "90000",
                },
            ]
        },
    )

    account: str = Field(max_length=80, pattern=PLAIN)
    symbol: str = Field(max_length=40, pattern=PLAIN)
    side: Side
    type: OrderType
    """``market``, ``limit``, or ``stop`` (becomes a market order when price reaches it)."""
    quantity: Exact | None = None
    amount: Exact | None = None
    price: Exact | None = None
    """The limit, or the price at which a stop acts; none for market orders."""
    time_in_force: TimeInForce = TimeInForce.GTC
    reduce_only: bool = False
    """Of perpetuals: only make a position smaller."""

    def wanted(self) -> Wanted:
        """Return what is wanted; raise `BadInput`."""
        if self.type is OrderType.TAKE_PROFIT:
            raise BadInput("type", self.type.value, "request.type")
        return Wanted(**self.model_dump() | {"symbol": self.symbol.upper()})


class Figures(Answer):
    """What an order would be: whole lots, whole ticks, and about what it costs."""

    symbol: str = Field(examples=["BTC/USDT"])
    side: Side
    type: OrderType
    quantity: Amount
    price: Amount
    """What it is valued at."""
    amount: Amount
    fee: Amount
    total: Amount
    """What a buyer pays or a seller receives, fee included."""
    last: Amount
    """The last traded price."""
    free: Amount
    """What the account may spend, in ``asset``; bots' budgets are not part of it."""
    asset: str = Field(examples=["USDT"])
    enough: bool


class Validated(Figures):
    """Figures with the token that orders just this."""

    token: str = Field(examples=["eyJ…"])
    expires_ms: Ms


class Execute(Body):
    """A validated order to place."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"token": "eyJ…"}]})

    token: str = Field(max_length=4_000)


class AmendBody(Body):
    """What an open order is to become; what is left out stays."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"price": "89500"}]})

    quantity: Exact | None = None
    """What has filled already included."""
    price: Exact | None = None
    trigger: Exact | None = None


class OpenOrder(Answer):
    """An order by hand that is under way."""

    account: str = Field(examples=["main"])
    client_id: str = Field(examples=["cfx3n5u2h7kq4mzt6a"])
    symbol: str = Field(examples=["BTC/USDT"])
    side: Side
    type: OrderType
    life: str = Field(examples=["open"])
    quantity: Amount
    filled: Amount
    price: Amount | None
    trigger: Amount | None
    since_ms: Ms


@router.post("/quote", summary="Compute an order's figures")
async def quote(caller: Viewer, own: Own, server: Server, body: OrderBody) -> Figures:
    """Compute quantity from amount, or amount from quantity, by the instrument's rules and the price of now."""
    return Figures(**_figures(await _summarised(server, own, body.wanted())))


@router.post("/validate", summary="Validate an order")
async def validate(caller: Trader, own: Own, server: Server, body: OrderBody) -> Validated:
    """Return the order's summary, and a token that places exactly this order, once, within half a minute."""
    wanted = body.wanted()
    made = await _summarised(server, own, wanted)
    now_ms, nonce = server.now_ms(), server.office.randomness(16).hex()
    tickets = await to_thread(server.tickets)
    token = tickets.issue(caller.user_id, order_params(wanted, made.ticket), wanted.account, nonce, now_ms)
    return Validated(**_figures(made), token=token, expires_ms=now_ms + HOLDS_MS)


@router.post("/execute", summary="Place a validated order", responses={202: {"model": Asked}})
async def place(
    caller: Trader,
    own: Own,
    server: Server,
    visit: Visited,
    body: Execute,
    response: Response,
    wait_s: Wait = PATIENCE,
) -> Asked:
    """Place the order of a token. Sent again, the same token gives the same order, not a second one."""
    tickets = await to_thread(server.tickets)
    said = tickets.read(body.token, caller.user_id, server.now_ms())
    number = await to_thread(execute, said, own.register, own.answers, server.now_ms())
    await to_thread(server.note, "order.manual", visit, caller, said["account"], request=number, **said["order"])
    return await asked(server, own, number, wait_s, response)


@router.get("/orders", summary="List open orders by hand", dependencies=[read_on])
@quick
def open_orders(
    caller: Viewer,
    own: Own,
    account: Annotated[str | None, Query(max_length=80, pattern=PLAIN, description="Of this account alone.")] = None,
) -> list[OpenOrder]:
    """Return the orders by hand that are under way; `/orders?source=manual` has those that are over too."""
    accounts = own.register.accounts() if account is None else [account_of(own.register, account)]
    return [
        OpenOrder.model_validate({"account": standing.id, **{name: getattr(order, name) for name in _SHOWN}})
        for standing in own.standings(accounts)
        for bot in standing.bots
        if bot.strategy == HAND
        for order in bot.orders
    ]


@router.delete("/orders/{account}/{client_id}", summary="Cancel an open order", responses={202: {"model": Asked}})
async def cancel(
    caller: Trader,
    own: Own,
    server: Server,
    visit: Visited,
    account: Account,
    client_id: ClientId,
    response: Response,
    wait_s: Wait = PATIENCE,
) -> Asked:
    """Take an order by hand back; what has filled stays."""
    number = await to_thread(_ask, own, server, account, "cancel", order=client_id)
    await to_thread(server.note, "order.cancel", visit, caller, account, order=client_id)
    return await asked(server, own, number, wait_s, response)


@router.patch("/orders/{account}/{client_id}", summary="Change an open order", responses={202: {"model": Asked}})
async def amend(
    caller: Trader,
    own: Own,
    server: Server,
    visit: Visited,
    account: Account,
    client_id: ClientId,
    body: AmendBody,
    response: Response,
    wait_s: Wait = PATIENCE,
) -> Asked:
    """Change an order by hand: it is taken back, and what is then left of the new quantity is ordered anew."""
    changes = {name: f"{value:f}" for name, value in body.model_dump().items() if value is not None}
    if not changes:
        raise BadInput("price", None, "trading.no_change")
    number = await to_thread(_ask, own, server, account, "amend", order=client_id, **changes)
    await to_thread(server.note, "order.amend", visit, caller, account, order=client_id, **changes)
    return await asked(server, own, number, wait_s, response)


_SHOWN = ("client_id", "symbol", "side", "type", "life", "quantity", "filled", "price", "trigger", "since_ms")


def _ask(own: Stores, server: Services, account: str, action: str, **params: str) -> int:
    spec = account_of(own.register, account)
    return ask(own.register, spec.user_id, spec.id, action, server.now_ms(), **params)


async def _summarised(server: Services, own: Stores, wanted: Wanted) -> Summary:
    """Return the figures of what is wanted, on what the engine says of the market and the account."""
    number = await to_thread(_ask, own, server, wanted.account, "offer", symbol=wanted.symbol)
    request = await answered(server, own, number, _OFFER_S)
    if request.done_ms is None:
        raise VenueUnavailable("request.no_engine", seconds=f"{_OFFER_S:g}", request=number)
    return summary(wanted, offer_in(request.answer))


def _figures(made: Summary) -> dict[str, Any]:
    ticket = {name: getattr(made.ticket, name) for name in _OF_TICKET}
    return ticket | {name: getattr(made, name) for name in ("last", "free", "asset", "enough")}


_OF_TICKET = ("symbol", "side", "type", "quantity", "price", "amount", "fee", "total")
