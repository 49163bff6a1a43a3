"""The symbols that exchanges list: searched here, refreshed in the background."""

from typing import Annotated, Literal

from fastapi import Query
from pydantic import ConfigDict, Field

from cambist.apps.api.area import Area, quick
from cambist.apps.api.caller import Trader, Viewer
from cambist.apps.api.paging import Cursor, Limit, Page, page, position
from cambist.apps.api.services import Server
from cambist.apps.api.words import Answer, Body, Exact, Ms
from cambist.domain.errors import BadInput
from cambist.domain.instrument import Kind
from cambist.domain.text import say
from cambist.ports.symbols import Found, SymbolQuery
from cambist.usecases.listings import Refresh

router = Area("/symbols", tags=["symbols"])

Exchange = Annotated[str, Query(max_length=40, pattern=r"^[a-z0-9_]+$", examples=["binance"])]
Testnet = Annotated[bool, Query(description="Those of its test exchange.")]


class SymbolShown(Answer):
    """One symbol with the rules of its orders."""

    exchange: str = Field(examples=["binance"])
    testnet: bool
    symbol: str = Field(examples=["BTC/USDT"])
    base: str = Field(examples=["BTC"])
    quote: str = Field(examples=["USDT"])
    kind: Kind
    active: bool
    tick_size: Exact
    """Prices are multiples of it."""
    lot_step: Exact
    """Quantities are multiples of it."""
    min_quantity: Exact
    min_notional: Exact
    """What an order must be worth, in quote currency."""


class QuoteShown(Answer):
    """A quote currency."""

    quote: str = Field(examples=["USDT"])
    count: int
    """How many active symbols have it."""


class ListShown(Answer):
    """The symbols of one exchange: how many are known, since when, and how far a refresh is."""

    exchange: str = Field(examples=["binance"])
    testnet: bool
    count: int
    refreshed_ms: Ms | None
    """Null: never yet."""
    status: Literal["known", "running", "done", "failed"]
    """Of the last refresh by this server; ``known``: there was none since it began."""
    percent: int
    error: str = ""


class RefreshShown(Answer):
    """How far a refresh is."""

    exchange: str = Field(examples=["binance"])
    testnet: bool
    status: Literal["running", "done", "failed"]
    percent: int
    count: int
    error: str = ""
    asked_ms: Ms
    ended_ms: Ms | None


class RefreshBody(Body):
    """Whose symbols to fetch anew."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"exchange": "binance"}]})

    exchange: str = Field(max_length=40, pattern=r"^[a-z0-9_]+$")
    testnet: bool = False


@router.get("")
def find(
    caller: Viewer,
    server: Server,
    exchange: Exchange,
    q: Annotated[
        str, Query(max_length=60, pattern=r"^[^\x00]*$", description="Part of a symbol.", examples=["btc"])
    ] = "",
    quote: Annotated[
        str, Query(max_length=20, pattern=r"^[^\x00]*$", description="`USDT`, `USDC`, another one, or `all`.")
    ] = "all",
    kind: Kind | None = None,
    active: Annotated[Literal["yes", "no", "all"], Query(description="Whether they are traded now.")] = "yes",
    testnet: Testnet = False,
    after: Cursor = None,
    limit: Limit = 100,
) -> Page[SymbolShown]:
    """Symbols that fit: the symbol itself first, then those of that base, that begin so, that contain it."""
    query = SymbolQuery(
        exchange=exchange,
        testnet=testnet,
        text=q,
        quote=None if quote.lower() == "all" else quote.upper(),
        kind=kind,
        active={"yes": True, "no": False, "all": None}[active],
    )
    rows = server.symbols.search(query, limit + 1, _place(after))
    return page(rows, limit, lambda row: f"{row.rank} {row.listing.symbol}", _shown)


@router.get("/quotes")
def quotes(caller: Viewer, server: Server, exchange: Exchange, testnet: Testnet = False) -> list[QuoteShown]:
    """The quote currencies of an exchange, the most used first."""
    return [QuoteShown(quote=quote, count=count) for quote, count in server.symbols.quotes(exchange, testnet).items()]


@router.get("/lists")
@quick
def lists(caller: Viewer, server: Server) -> list[ListShown]:
    """Of which exchanges the symbols are known, and how far refreshes are."""
    known = {(one.exchange, one.testnet): one for one in server.symbols.listed()}
    going = {(one.exchange, one.testnet): one for one in server.listings.refreshes()}
    found = []
    for name in sorted(known | going):
        listed, refresh = known.get(name), going.get(name)
        found.append(
            ListShown(
                exchange=name[0],
                testnet=name[1],
                count=0 if listed is None else listed.count,
                refreshed_ms=None if listed is None else listed.refreshed_ms,
                status="known" if refresh is None else refresh_shown(refresh).status,
                percent=100 if refresh is None else refresh.percent,
                error="" if refresh is None else _why(refresh),
            )
        )
    return found


@router.post("/refresh", status_code=202)
async def refresh(caller: Trader, server: Server, body: RefreshBody) -> RefreshShown:
    """Fetch an exchange's symbols anew, in the background; the old ones stay until all new ones have come."""
    return refresh_shown(server.listings.refresh(body.exchange, testnet=body.testnet))


def refresh_shown(refresh: Refresh) -> RefreshShown:
    """Return how far a refresh is as it is shown."""
    return RefreshShown.model_validate(
        {name: getattr(refresh, name) for name in RefreshShown.model_fields if name != "error"}
        | {"error": _why(refresh)}
    )


def _why(refresh: Refresh) -> str:
    return "" if refresh.error is None else say(refresh.error.key, **refresh.error.params)


def _place(after: str | None) -> tuple[int, str] | None:
    text = position(after)
    if text is None:
        return None
    rank, _, symbol = text.partition(" ")
    if rank not in ("0", "1", "2", "3") or not symbol or "\x00" in symbol:
        raise BadInput("after", after, "api.cursor")
    return int(rank), symbol


def _shown(found: Found) -> SymbolShown:
    return SymbolShown.model_validate(found.listing)
