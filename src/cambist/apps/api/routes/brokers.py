"""Brokers: a person's accounts at exchanges and on paper, with their keys: tried here, never shown again."""

import asyncio
from decimal import Decimal
from typing import Annotated

from fastapi import Path, Query, Response
from pydantic import ConfigDict, Field

from cambist.apps import bootstrap
from cambist.apps.api.area import PREFIX, Area, quick
from cambist.apps.api.caller import Keeper, Viewer
from cambist.apps.api.paging import Cursor, Limit, Page, page, position
from cambist.apps.api.routes.symbols import RefreshShown, refresh_shown
from cambist.apps.api.services import Own, Server, Services, Stores
from cambist.apps.api.visits import Visited
from cambist.apps.api.words import Answer, Body, Exact, Ms
from cambist.domain.account import AccountSpec, Mode
from cambist.domain.broker import KeyTest, Right
from cambist.domain.credentials import Credentials
from cambist.engine.account import Account
from cambist.engine.floor import LEASE
from cambist.engine.recovery import recover
from cambist.usecases.brokers import Broker, Brokers, EngineLease, NewBroker
from cambist.usecases.oneself import set_profile

router = Area("/brokers", tags=["brokers"])

Id = Annotated[str, Path(max_length=80, pattern=r"^[^\x00]*$", examples=["main"])]
ExchangeId = Annotated[str, Field(max_length=40, pattern=r"^[A-Za-z0-9_]+$", examples=["binance"])]
Quote = Annotated[str, Field(max_length=20, pattern=r"^[A-Za-z0-9]+$", examples=["USDT"])]
Secret = Annotated[str, Field(max_length=4_000, pattern=r"^[^\x00]*$")]


class CredentialsBody(Body):
    """What the exchange gave with a key. Sealed in the vault; no answer ever holds any of it."""

    api_key: Secret = ""
    secret: Secret = ""
    password: Secret = ""
    """The passphrase of the key, where there is one (Bitget, OKX)."""
    uid: Secret = ""

    def given(self) -> Credentials:
        """Return them without the blanks around them that come with copying."""
        return Credentials(
            api_key=self.api_key.strip(),
            secret=self.secret.strip(),
            password=self.password.strip(),
            uid=self.uid.strip(),
        )


class KeyToTry(Body):
    """A key to try without keeping it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"exchange": "binance", "mode": "live", "credentials": {"api_key": "…", "secret": "…"}}]
        },
    )

    exchange: ExchangeId
    mode: Mode = Mode.LIVE
    quote: Quote = "USDT"
    """In what the balances are estimated."""
    credentials: CredentialsBody


class BrokerBody(Body):
    """A broker to add: its key is tried first, and nothing is kept if it fails."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"name": "main", "exchange": "binance", "mode": "paper", "deposit": "10000"},
                {"name": "real", "exchange": "kraken", "mode": "live", "quote": "USD",
                 "credentials": {"api_key": "…", "secret": "…"}},
            ]
        },
    )  # fmt: skip

    name: str = Field(max_length=40, pattern=r"^[^\x00]*$", examples=["main"])
    """Small letters, digits, ``-`` and ``_``; the id is made of it."""
    exchange: ExchangeId
    """For paper: ``simulated`` or ``binance``."""
    mode: Mode
    quote: Quote = "USDT"
    """The currency in which its bots count."""
    credentials: CredentialsBody | None = None
    deposit: Exact = Decimal(10_000)
    """What a paper account begins with."""
    force: bool = False
    """Take a key although it may withdraw."""
    default: bool = False
    """Make it the account that is chosen unless another is."""


class BrokerChange(Body):
    """What to change; what is left out stays."""

    credentials: CredentialsBody | None = None
    """Another key: tried first, and the old one stays if it fails."""
    force: bool = False
    default: bool | None = None


class RightsShown(Answer):
    """What a key may do, as far as its exchange tells."""

    read: Right
    trade: Right
    withdraw: Right
    address_bound: Right
    """Whether it obeys only from certain network addresses."""
    expires_ms: Ms | None


class BrokerShown(Answer):
    """One broker. Its key is never shown."""

    id: str = Field(examples=["main"])
    exchange: str = Field(examples=["binance"])
    mode: Mode
    quote: str = Field(examples=["USDT"])
    default: bool
    has_key: bool
    """Whether the vault keeps a key for it."""
    rights: RightsShown | None
    """As the last test has shown them."""
    tested_ms: Ms | None


class BalanceShown(Answer):
    """What an account holds of one asset."""

    asset: str = Field(examples=["BTC"])
    free: Exact
    locked: Exact
    """Bound by orders."""
    total: Exact
    value: Exact | None
    """About what it is worth in the quote currency; null without a price at hand."""


class KeyTestShown(Answer):
    """What a key opens."""

    rights: RightsShown
    balances: list[BalanceShown]
    quote: str = Field(examples=["USDT"])
    worth: Exact
    """About what all that has a price at hand is worth together."""
    unpriced: list[str] = Field(examples=[["BNB"]])
    """Assets that are not in ``worth``."""
    latency_ms: int
    clock_ahead_ms: int
    """How far the exchange's clock is ahead of ours."""


class AddedShown(Answer):
    """A broker that was added, and what its key opens; a paper account has none."""

    broker: BrokerShown
    test: KeyTestShown | None


class ChangedShown(AddedShown):
    """A broker that was changed."""

    request: int | None
    """The request by which a running engine takes up another key."""


class LeavingShown(Answer):
    """A running engine has been asked to let the account go."""

    request: int


@router.get("")
@quick
def find(caller: Viewer, own: Own, server: Server, after: Cursor = None, limit: Limit = 100) -> Page[BrokerShown]:
    """Your brokers, by id."""
    beyond, default = position(after), _default(server, own)
    rows = [one for one in _brokers(own, server).all() if beyond is None or one.spec.id > beyond]
    return page(rows, limit, lambda row: row.spec.id, lambda row: _shown(row, default))


@router.post("", status_code=201)
async def add(
    caller: Keeper, own: Own, server: Server, visit: Visited, body: BrokerBody, response: Response
) -> AddedShown:
    """Add a broker; its key is tried first, and a key that may withdraw is refused unless forced."""
    wish = NewBroker(
        name=body.name,
        exchange=body.exchange.lower(),
        mode=body.mode,
        quote=body.quote.upper(),
        credentials=None if body.credentials is None else body.credentials.given(),
        deposit=f"{body.deposit:f}",
        force=body.force,
    )
    broker, test = await _brokers(own, server).add(wish)

    def noted() -> BrokerShown:
        told = {"exchange": wish.exchange, "mode": wish.mode.value} | _rights_told(test, forced=wish.force)
        server.office.note("broker.added", visit, server.office.people.person(own.user_id), broker.spec.id, **told)
        if body.default:
            _choose(server, own, broker.spec.id)
        return _shown(broker, _default(server, own))

    shown = await asyncio.to_thread(noted)
    await _list_if_new(server, broker.spec)
    response.headers["Location"] = f"{PREFIX}/brokers/{broker.spec.id}"
    return AddedShown(broker=shown, test=None if test is None else key_test_shown(test))


@router.post("/test")
async def try_key(caller: Keeper, own: Own, server: Server, body: KeyToTry) -> KeyTestShown:
    """Try a key: what it opens, and what it may do as far as its exchange tells. Nothing is kept."""
    test = await _brokers(own, server).try_key(body.exchange, body.mode, body.credentials.given(), body.quote)
    return key_test_shown(test)


@router.get("/{broker}")
@quick
def one(caller: Viewer, own: Own, server: Server, broker: Id) -> BrokerShown:
    """One broker."""
    return _shown(_brokers(own, server).one(broker), _default(server, own))


@router.patch("/{broker}")
async def change(
    caller: Keeper, own: Own, server: Server, visit: Visited, broker: Id, body: BrokerChange
) -> ChangedShown:
    """Give a broker another key, or make it the default."""
    brokers, test, request = _brokers(own, server), None, None
    await asyncio.to_thread(brokers.one, broker)
    if body.credentials is not None:
        test, request = await brokers.change_key(broker, body.credentials.given(), force=body.force)
        server.tell_engine(request)

    def noted() -> BrokerShown:
        if test is not None:
            told = _rights_told(test, forced=body.force)
            server.office.note("broker.key", visit, server.office.people.person(own.user_id), broker, **told)
        if body.default is not None:
            _choose(server, own, broker if body.default else None)
        return _shown(brokers.one(broker), _default(server, own))

    shown = await asyncio.to_thread(noted)
    return ChangedShown(broker=shown, test=None if test is None else key_test_shown(test), request=request)


@router.delete(
    "/{broker}",
    status_code=204,
    response_class=Response,
    responses={202: {"model": LeavingShown, "description": "A running engine was asked to let it go."}},
)
def remove(
    caller: Keeper,
    own: Own,
    server: Server,
    visit: Visited,
    broker: Id,
    force: Annotated[bool, Query(description="Even if it holds positions: they stay at the exchange.")] = False,
) -> Response:
    """Remove a broker with its key, its bots and all that is kept of it."""
    lease = EngineLease(lease=bootstrap.lease(server.settings), name=LEASE)
    request = _brokers(own, server).remove(broker, lease, lambda spec: _idle(server, spec), force=force)
    if request is None and _default(server, own) == broker:
        _choose(server, own, None)
    person = server.office.people.person(own.user_id)
    server.office.note("broker.removed", visit, person, broker, forced=force)
    if request is None:
        return Response(status_code=204)
    server.tell_engine(request)
    return Response(LeavingShown(request=request).model_dump_json(), 202, media_type="application/json")


@router.post("/{broker}/test")
async def try_again(caller: Keeper, own: Own, server: Server, broker: Id) -> KeyTestShown:
    """Try the key that is kept: what it opens now, and what it may do by now."""
    return key_test_shown(await _brokers(own, server).try_again(broker))


@router.get("/{broker}/balances")
async def balances(caller: Viewer, own: Own, server: Server, broker: Id) -> KeyTestShown:
    """What an account holds at its exchange now; asked for anew every few seconds at most."""
    brokers = _brokers(own, server)
    return key_test_shown(await server.looks.get((own.user_id, broker), lambda: brokers.try_again(broker)))


@router.post("/{broker}/symbols", status_code=202)
async def refresh(caller: Keeper, own: Own, server: Server, broker: Id) -> RefreshShown:
    """Fetch the symbols of the broker's exchange anew; `GET /symbols/lists` says how far it is."""
    spec = (await asyncio.to_thread(_brokers(own, server).one, broker)).spec
    return refresh_shown(server.listings.refresh(spec.venue, testnet=spec.mode is Mode.TESTNET))


def _brokers(own: Stores, server: Services) -> Brokers:
    return Brokers(
        user_id=own.user_id,
        register=own.register,
        keys=own.account_keys,
        vault=server.office.vault,
        exchanges=server.exchanges,
        now_ms=server.now_ms,
    )


def _idle(server: Services, spec: AccountSpec) -> bool:
    return recover(Account(spec, bootstrap.traits_of(spec)), server.journal).account.idle


async def _list_if_new(server: Services, spec: AccountSpec) -> None:
    """Fetch the symbols of an exchange that has its first broker."""
    testnet = spec.mode is Mode.TESTNET
    listed = await asyncio.to_thread(server.symbols.listed)
    if server.exchanges.knows(spec.venue) and (spec.venue, testnet) not in {
        (one.exchange, one.testnet) for one in listed
    }:
        server.listings.refresh(spec.venue, testnet=testnet)


def _default(server: Services, own: Stores) -> str | None:
    found: str | None = server.office.people.person(own.user_id).profile.get("default_account")
    return found


def _choose(server: Services, own: Stores, account: str | None) -> None:
    known = [spec.id for spec in own.register.accounts()]
    set_profile(server.office, own.user_id, {"default_account": account}, known)


def _rights_told(test: KeyTest | None, *, forced: bool) -> dict[str, str | bool]:
    return {} if test is None else {"withdraw": test.rights.withdraw.value, "forced": forced}


def _shown(broker: Broker, default: str | None) -> BrokerShown:
    spec, key = broker.spec, broker.key
    return BrokerShown(
        id=spec.id,
        exchange=spec.venue,
        mode=spec.mode,
        quote=spec.quote,
        default=spec.id == default,
        has_key=broker.has_key,
        rights=None if key is None else RightsShown.model_validate(key.rights),
        tested_ms=None if key is None else key.tested_ms,
    )


def key_test_shown(test: KeyTest) -> KeyTestShown:
    """Return what came of a test as it is shown."""
    return KeyTestShown(
        rights=RightsShown.model_validate(test.rights),
        balances=[
            BalanceShown(asset=asset, free=one.free, locked=one.locked, total=one.total, value=test.values.get(asset))
            for asset, one in sorted(test.balances.items())
        ],
        quote=test.quote,
        worth=test.worth,
        unpriced=list(test.unpriced),
        latency_ms=test.latency_ms,
        clock_ahead_ms=test.clock_ahead_ms,
    )
