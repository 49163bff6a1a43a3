"""Webhooks: sources of alerts, their secrets, what to paste elsewhere, and the journal of their calls."""

from contextlib import suppress
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import Path, Query, Response
from pydantic import ConfigDict, Field

from cambist.apps.api.area import PREFIX, Area, quick
from cambist.apps.api.asking import orders_in
from cambist.apps.api.caller import Caller, Trader, Viewer
from cambist.apps.api.paging import Cursor, Limit, Page, number, page
from cambist.apps.api.routes.orders import OrderAnswer, order_answer
from cambist.apps.api.services import Own, Server, Services, Stores, read_on
from cambist.apps.api.visits import Visited, shown_once
from cambist.apps.api.words import Answer, Body, Exact, Ms
from cambist.domain.errors import NotFound
from cambist.domain.webhook import Defaults
from cambist.ports.book import Request
from cambist.ports.webhooks import Came, Sender, Webhook, WebhookCall
from cambist.usecases import webhooks as shop
from cambist.usecases.receiving import why_told

router = Area("/webhooks", tags=["webhooks"])

Id = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[\w-]+$", examples=["kq3xW0n1Qb2yTtHk3nJr8A"])]
Window = Annotated[int, Field(ge=1, le=shop.LONGEST_WINDOW_S, examples=[30])]
Symbol = Annotated[str, Field(min_length=3, max_length=64, examples=["BTC/USDT"])]
Addresses = Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=64)]

_TEMPLATES = {"alert": '{"action": "buy", "symbol": "{{exchange}}:{{ticker}}", "secret": "<secret>"}'}


class Market(Body):
    """A market that a webhook may trade."""

    symbol: Symbol
    budget: Exact
    """What its bot may spend of the account's cash."""


class Size(Body):
    """The size of an entry that names none, and the protections of one that has none."""

    unit: Literal["fraction", "notional", "quantity"] = "fraction"
    """Of the bot's equity (0.1 is 10 %), of the quote currency, or of the base currency."""
    size: Exact = Decimal("0.95")
    stop_loss: Exact | None = None
    """A fraction of the entry price: 0.02 is 2 %."""
    take_profit: Exact | None = None


class NewWebhook(Body):
    """A webhook to be made."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "tv", "account": "paper", "markets": [{"symbol": "BTC/USDT", "budget": "1000"}]}]
        }
    )

    name: Annotated[str, Field(min_length=1, max_length=16, examples=["tv"])]
    kind: Sender = Sender.TRADINGVIEW
    account: Annotated[str, Field(max_length=64, examples=["paper"])]
    markets: Annotated[list[Market], Field(min_length=1, max_length=50)]
    defaults: Size = Size()
    addresses: Addresses | None = None
    """Who may call, addresses and networks. Null: TradingView's own if it calls, else anybody; empty: anybody."""
    window_s: Window = shop.WINDOW_S
    pyramiding: Annotated[int, Field(ge=1, le=shop.MOST_PYRAMIDING)] = 1
    """How many entries one position may have."""
    active: bool = True
    preview: bool = False
    """Whether calls are only written down, with what they would have done."""


class WebhookChange(Body):
    """What to change; what is left out stays."""

    defaults: Size | None = None
    addresses: Addresses | None = None
    window_s: Window | None = None
    active: bool | None = None
    preview: bool | None = None


class NewMarket(Market):
    """One more market for a webhook."""

    pyramiding: Annotated[int, Field(ge=1, le=shop.MOST_PYRAMIDING)] = 1


class DefaultsShown(Answer):
    """The size of an entry that names none, and the protections of one that has none."""

    unit: Literal["fraction", "notional", "quantity"]
    size: Exact
    stop_loss: Exact | None
    take_profit: Exact | None


class WebhookShown(Answer):
    """A webhook, without its secret."""

    id: str = Field(examples=["kq3xW0n1Qb2yTtHk3nJr8A"])
    name: str = Field(examples=["tv"])
    kind: Sender
    account: str = Field(examples=["paper"])
    bots: dict[str, str] = Field(examples=[{"BTC/USDT": "tv-btc-usdt"}])
    """The bot of each market."""
    defaults: DefaultsShown
    addresses: list[str] = Field(examples=[["52.89.214.238"]])
    window_s: int
    active: bool
    preview: bool
    created_ms: Ms
    secret_ms: Ms
    """When its secret was made."""
    path: str = Field(examples=["/api/v1/hooks/kq3xW0n1Qb2yTtHk3nJr8A"])
    """Where its calls go, on this server."""


class WebhookMade(WebhookShown):
    """A webhook that was just made."""

    secret: str = Field(examples=["GSw8xBWuUSZq..."])
    """Shown this once."""
    templates: dict[str, str] = Field(examples=[_TEMPLATES])
    """What to paste, with the secret in it."""


class SecretMade(Answer):
    """A new secret; the old one does not do from now on."""

    secret: str = Field(examples=["GSw8xBWuUSZq..."])
    """Shown this once."""
    templates: dict[str, str] = Field(examples=[_TEMPLATES])


class Templates(Answer):
    """What to paste into an alert, by kind of alert; ``<secret>`` stands where the secret goes."""

    templates: dict[str, str] = Field(examples=[_TEMPLATES])


class Tried(Body):
    """A body to try out."""

    body: Annotated[str, Field(max_length=16_384, examples=["BUY BTCUSDT 10%"])]
    content_type: Annotated[str, Field(max_length=100)] = "text/plain"


class Outcome(Answer):
    """What a body would do."""

    bot: str = Field(examples=["tv-btc-usdt"])
    symbol: str = Field(examples=["BTC/USDT"])
    wishes: list[dict[str, str | None]] = Field(examples=[[{"kind": "exit"}]])
    ignored: list[str] = Field(examples=[["note"]])
    """Fields that mean nothing here."""


class CallShown(Answer):
    """One call as it is kept."""

    id: int
    webhook: str = Field(examples=["kq3xW0n1Qb2yTtHk3nJr8A"])
    received_ms: Ms
    address: str = Field(examples=["52.89.214.238"])
    body: str = Field(examples=['{"action": "sell", "secret": "***"}'])
    """Without secrets."""
    outcome: Came
    why: str = Field(examples=[""])
    """What was wrong with it; empty if nothing was."""
    why_key: str = Field(examples=[""])
    """The sentence's name, the same in every language."""
    wish: dict[str, Any] = Field(examples=[{"bot": "tv-btc-usdt", "symbol": "BTC/USDT", "wishes": [{"kind": "exit"}]}])
    took_us: int
    """Microseconds from its arrival until it was written down."""
    request: int | None
    """Number of the request to the engine."""


class CallWithOrder(CallShown):
    """One call, with what the engine answered."""

    done_ms: Ms | None
    """When the engine had done what was asked; null before."""
    answer: str = Field(examples=["Sent: cfx3n5u2h7kq4mzt6a."])
    """Its own words: which orders it sent, or why none."""
    refused: bool
    """Whether it did nothing, for the reason that it answered."""
    orders: list[OrderAnswer]
    """These orders, with what has become of them."""


@router.get("", summary="My webhooks")
@quick
def listed(caller: Viewer, own: Own) -> list[WebhookShown]:
    """Return the webhooks, by name."""
    return [_shown(one) for one in own.webhooks.webhooks()]


@router.post("", status_code=201, summary="Make a webhook", dependencies=[shown_once])
def make(caller: Trader, own: Own, server: Server, body: NewWebhook, visit: Visited, response: Response) -> WebhookMade:
    """Return a new webhook with its secret, which is shown this once; its bots start by themselves."""
    wanted = shop.Wanted(
        name=body.name,
        kind=body.kind,
        account=body.account,
        budgets=[(one.symbol, one.budget) for one in body.markets],
        defaults=_defaults(body.defaults),
        addresses=None if body.addresses is None else tuple(body.addresses),
        window_s=body.window_s,
        pyramiding=body.pyramiding,
        active=body.active,
        preview=body.preview,
    )
    made, secret = shop.add_webhook(_shop(own, server, caller), wanted, server.now_ms())
    server.note("webhook.added", visit, caller, made.name, account=made.account)
    response.headers["Location"] = f"{PREFIX}/webhooks/{made.id}"
    return WebhookMade(secret=secret, templates=shop.templates(made, secret), **_row(made))


@router.get("/calls", summary="The calls of all my webhooks")
def all_calls(
    caller: Viewer, own: Own, after: Cursor = None, limit: Limit = 50, outcome: Came | None = None
) -> Page[CallShown]:
    """Return the calls, newest first."""
    return _calls(own, None, after, limit, outcome)


@router.get("/calls/{call}", summary="One call with the order it led to", dependencies=[read_on])
@quick
def one_call(caller: Viewer, own: Own, call: Annotated[int, Path(ge=1, le=2**53)]) -> CallWithOrder:
    """Return a call, and what the engine answered to what it asked for."""
    found = own.webhooks.call(call)
    came: dict[str, Any] = {"done_ms": None, "answer": "", "refused": False, "orders": []}
    with suppress(NotFound):  # a request goes with its bot
        if found.request is not None:
            request = own.register.request(found.request)
            came = {name: getattr(request, name) for name in ("done_ms", "answer", "refused")}
            came["orders"] = _orders(own, request)
    return CallWithOrder(**came, **_call_row(found))


@router.get("/{webhook}", summary="One webhook")
@quick
def get(caller: Viewer, own: Own, webhook: Id) -> WebhookShown:
    """Return a webhook."""
    return _shown(shop.webhook_of(own.webhooks, webhook))


@router.patch("/{webhook}", summary="Change a webhook")
def change(caller: Trader, own: Own, server: Server, webhook: Id, body: WebhookChange, visit: Visited) -> WebhookShown:
    """Switch it on or off, to preview or to earnest; set sizes, protections, addresses and window."""
    changes: dict[str, Any] = {
        name: getattr(body, name) for name in ("window_s", "active", "preview") if getattr(body, name) is not None
    }
    if body.addresses is not None:
        changes["addresses"] = tuple(body.addresses)
    if body.defaults is not None:
        changes["defaults"] = _defaults(body.defaults)
    changed = shop.change_webhook(own.webhooks, webhook, changes)
    server.note("webhook.changed", visit, caller, changed.name, changed=sorted(changes))
    return _shown(changed)


@router.delete("/{webhook}", status_code=204, summary="Delete a webhook")
def delete(caller: Trader, own: Own, server: Server, webhook: Id, visit: Visited) -> None:
    """Delete it with its journal; its bots are stopped, and what they hold stays protected."""
    gone = shop.webhook_of(own.webhooks, webhook)
    shop.remove_webhook(_shop(own, server, caller), gone, server.now_ms())
    server.note("webhook.removed", visit, caller, gone.name)


@router.post("/{webhook}/markets", status_code=201, summary="Let a webhook trade one more market")
def add_market(caller: Trader, own: Own, server: Server, webhook: Id, body: NewMarket, visit: Visited) -> WebhookShown:
    """Add a market with a bot of its own, which starts by itself."""
    found = shop.webhook_of(own.webhooks, webhook)
    changed = shop.add_market(
        _shop(own, server, caller), found, body.symbol, body.budget, server.now_ms(), pyramiding=body.pyramiding
    )
    server.note("webhook.changed", visit, caller, changed.name, symbol=body.symbol)
    return _shown(changed)


@router.post("/{webhook}/secret", status_code=201, summary="Make a new secret", dependencies=[shown_once])
def renew(caller: Trader, own: Own, server: Server, webhook: Id, visit: Visited) -> SecretMade:
    """Return a new secret, shown this once; calls with the old one are refused from now on."""
    found = shop.webhook_of(own.webhooks, webhook)
    secret = shop.renew_secret(_shop(own, server, caller), found, server.now_ms())
    server.note("webhook.secret", visit, caller, found.name)
    return SecretMade(secret=secret, templates=shop.templates(found, secret))


@router.get("/{webhook}/templates", summary="What to paste into an alert")
@quick
def templates(caller: Viewer, own: Own, webhook: Id) -> Templates:
    """Return messages for this webhook, to paste elsewhere."""
    return Templates(templates=shop.templates(shop.webhook_of(own.webhooks, webhook)))


@router.post("/{webhook}/try", summary="What would a body do?")
def try_out(caller: Viewer, own: Own, webhook: Id, body: Tried) -> Outcome:
    """Return what a body would ask of the engine; nothing is done, and nothing written down."""
    found = shop.webhook_of(own.webhooks, webhook)
    told = shop.tried(found, body.body, body.content_type)
    wishes = [dict(one) for one in told.wishes]
    return Outcome(bot=found.bots[told.symbol], symbol=told.symbol, wishes=wishes, ignored=list(told.aside))


@router.get("/{webhook}/calls", summary="The calls of a webhook")
def calls(
    caller: Viewer,
    own: Own,
    webhook: Id,
    after: Cursor = None,
    limit: Limit = 50,
    outcome: Annotated[Came | None, Query(description="Only those that ended so.")] = None,
) -> Page[CallShown]:
    """Return the calls, newest first."""
    return _calls(own, shop.webhook_of(own.webhooks, webhook).id, after, limit, outcome)


def _calls(own: Stores, webhook: str | None, after: str | None, limit: int, outcome: Came | None) -> Page[CallShown]:
    rows = own.webhooks.calls(webhook, before=number(after), limit=limit + 1, outcome=outcome)
    return page(rows, limit, at=lambda one: one.id, shown=lambda one: CallShown(**_call_row(one)))


def _orders(own: Stores, request: Request) -> list[OrderAnswer]:
    """Return the orders that the engine's answer names, the oldest first."""
    kept, found = own.past.read_on(request.account), []
    for client_id in orders_in(request.answer):
        with suppress(NotFound):
            found.append(order_answer(kept.order(request.account, client_id)))
    return found


def _shop(own: Stores, server: Services, caller: Caller) -> shop.Shop:
    office, most = server.office, caller.limits.get("max_bots")
    return shop.Shop(
        user_id=own.user_id,
        webhooks=own.webhooks,
        register=own.register,
        vault=office.vault,
        randomness=office.randomness,
        most_bots=None if most is None else int(most),
    )


def _defaults(body: Size) -> Defaults:
    return Defaults(unit=body.unit, size=body.size, stop_loss=body.stop_loss, take_profit=body.take_profit)


def _shown(webhook: Webhook) -> WebhookShown:
    return WebhookShown(**_row(webhook))


def _row(webhook: Webhook) -> dict[str, Any]:
    row = {name: getattr(webhook, name) for name in WebhookShown.model_fields if hasattr(webhook, name)}
    return row | {
        "bots": dict(webhook.bots),
        "defaults": DefaultsShown.model_validate(webhook.defaults),
        "path": f"{PREFIX}/hooks/{webhook.id}",
    }


def _call_row(call: WebhookCall) -> dict[str, Any]:
    row = {name: getattr(call, name) for name in CallShown.model_fields if hasattr(call, name)}
    return row | {"why": why_told(call.why), "why_key": call.why.get("key", ""), "wish": dict(call.wish)}
