"""Markets as anybody may see them: candles, last prices, order books."""

from typing import Annotated

from fastapi import Query
from pydantic import Field

from cambist.apps.api.area import Area
from cambist.apps.api.caller import Viewer
from cambist.apps.api.services import Server
from cambist.apps.api.words import Answer, Exact, Ms
from cambist.domain.timeframe import Timeframe
from cambist.usecases.markets import MOST_CANDLES, MOST_LEVELS, MOST_TICKERS

router = Area("/markets", tags=["markets"])

Exchange = Annotated[
    str, Query(max_length=40, pattern=r"^[a-z0-9_]+$", examples=["binance"], description="As `GET /exchanges` has it.")
]
Symbol = Annotated[str, Query(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f]+$", examples=["BTC/USDT"])]
Testnet = Annotated[bool, Query(description="Of its test exchange.")]


class CandlesShown(Answer):
    """Closed candles, column by column, the oldest first.

    They are estimates of a market, not money, and so plain numbers: `float64`, as strategies see them.
    """

    exchange: str = Field(examples=["binance"])
    symbol: str = Field(examples=["BTC/USDT"])
    timeframe: Timeframe
    ts: list[Ms]
    """Open times."""
    open: list[float]
    high: list[float]
    low: list[float]
    close: list[float]
    volume: list[float]
    """In base currency."""


class TickerShown(Answer):
    """The last prices of one symbol; what the exchange does not tell is null."""

    symbol: str = Field(examples=["BTC/USDT"])
    ts: Ms
    last: Exact | None
    bid: Exact | None
    ask: Exact | None
    open: Exact | None
    """24 hours ago, like those that follow."""
    high: Exact | None
    low: Exact | None
    volume: Exact | None
    quote_volume: Exact | None
    change_percent: Exact | None


class BookShown(Answer):
    """An order book: prices with quantities, the best first."""

    symbol: str = Field(examples=["BTC/USDT"])
    ts: Ms
    bids: list[tuple[Exact, Exact]]
    asks: list[tuple[Exact, Exact]]


@router.get("/candles")
async def candles(
    caller: Viewer,
    server: Server,
    exchange: Exchange,
    symbol: Symbol,
    timeframe: Timeframe,
    since: Annotated[Ms | None, Query(description="From when on; left out: the last ones before `until`.")] = None,
    until: Annotated[Ms | None, Query(description="Left out: now.")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_CANDLES)] = 500,
) -> CandlesShown:
    """Closed candles: from this server if it has them, else fetched from the exchange and kept."""
    found = await server.markets.candles(exchange, symbol, timeframe, limit=limit, since=since, until=until)
    return CandlesShown(
        exchange=exchange,
        symbol=found.symbol,
        timeframe=found.timeframe,
        **{name: getattr(found, name).tolist() for name in ("ts", "open", "high", "low", "close", "volume")},
    )


@router.get("/tickers")
async def tickers(
    caller: Viewer,
    server: Server,
    exchange: Exchange,
    symbol: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f]+$")]],
        Query(min_length=1, max_length=MOST_TICKERS, description="Once for each symbol.", examples=[["BTC/USDT"]]),
    ],
    testnet: Testnet = False,
) -> list[TickerShown]:
    """The last prices of some symbols, not older than two seconds."""
    found = await server.markets.tickers(exchange, symbol, testnet=testnet)
    return [TickerShown.model_validate(one) for one in found.values()]


@router.get("/book")
async def book(
    caller: Viewer,
    server: Server,
    exchange: Exchange,
    symbol: Symbol,
    levels: Annotated[int, Query(ge=1, le=MOST_LEVELS)] = 20,
    testnet: Testnet = False,
) -> BookShown:
    """The order book of a symbol, not older than two seconds."""
    return BookShown.model_validate(await server.markets.book(exchange, symbol, levels, testnet=testnet))
