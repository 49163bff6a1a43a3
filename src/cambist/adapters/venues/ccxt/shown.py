"""What an exchange shows to everybody, through the budget that all share: listings, tickers, order books."""

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

from cambist.adapters.venues.ccxt.parse import number
from cambist.adapters.venues.ccxt.place import Place
from cambist.adapters.venues.ccxt.rules import instrument_of
from cambist.domain.errors import NotFound, VenueRefused
from cambist.domain.market import Depth, Listing, Ticker

_KINDS = ("BTC/USDT", "BTC/USDT:USDT", "BTC/USD:BTC")
"""A symbol of each kind that is listed: whether there is such a one does not matter."""
_ONE_BY_ONE = 20
"""So many tickers are asked for one at a time where an exchange cannot be asked for several."""


async def listings(place: Place, *, testnet: bool) -> list[Listing]:
    """Return all that ``place`` lists now and Cambist could trade, asked anew."""
    await place.reload(_KINDS)
    exchange, found = place.exchange, []
    for market in exchange.markets.values():
        try:
            rules = instrument_of(place.name, market, exchange.precisionMode)
        except (VenueRefused, ArithmeticError, LookupError, TypeError):
            continue  # a future with an end, an option, or one that ccxt describes in a way of its own
        found.append(Listing.of(rules, testnet=testnet, active=market.get("active") is not False))
    return found


async def tickers(place: Place, symbols: Iterable[str]) -> dict[str, Ticker]:
    """Return the last prices by symbol; raise `NotFound`, `VenueRefused` if they are too many to ask for."""
    wanted = tuple(dict.fromkeys(symbols))
    await _need(place, wanted)
    exchange = place.exchange
    if len(wanted) > 1 and exchange.has.get("fetchTickers"):
        answer = await place.ask(lambda: exchange.fetch_tickers(list(wanted)))
        return {symbol: _ticker(place, answer[symbol]) for symbol in wanted if symbol in answer}
    if len(wanted) > _ONE_BY_ONE:
        raise VenueRefused("markets.one_by_one", venue=place.name, most=_ONE_BY_ONE)
    return {symbol: _ticker(place, await place.ask(partial(exchange.fetch_ticker, symbol))) for symbol in wanted}


async def last_prices(place: Place, symbols: Iterable[str]) -> dict[str, Decimal]:
    """Return the last price of each of ``symbols`` that has one; of the first few where one must be asked at a time."""
    wanted = list(dict.fromkeys(symbols))
    if not place.exchange.has.get("fetchTickers"):
        wanted = wanted[:_ONE_BY_ONE]
    if not wanted:
        return {}
    found = await tickers(place, wanted)
    return {symbol: one.last for symbol, one in found.items() if one.last is not None}


async def book(place: Place, symbol: str, levels: int) -> Depth:
    """Return the order book of ``symbol``, at most ``levels`` deep; raise `NotFound`."""
    await _need(place, (symbol,))
    answer = await place.ask(lambda: place.exchange.fetch_order_book(symbol, levels))

    def side(name: str, *, falling: bool) -> tuple[tuple[Decimal, Decimal], ...]:
        rows = ((_figure(row[0]), _figure(row[1])) for row in answer[name])
        return tuple(sorted(((price, size) for price, size in rows if price and size), reverse=falling)[:levels])

    return Depth(
        symbol=symbol,
        ts=int(answer.get("timestamp") or place.now_ms()),
        bids=side("bids", falling=True),
        asks=side("asks", falling=False),
    )


async def _need(place: Place, symbols: tuple[str, ...]) -> None:
    await place.ready(symbols)
    for symbol in symbols:
        if symbol not in place.exchange.markets:
            raise NotFound("venue.symbol_unknown", venue=place.name, symbol=symbol)


def _ticker(place: Place, said: Mapping[str, Any]) -> Ticker:
    figures = {name: _figure(said.get(key)) for name, key in _FIGURES.items()}
    return Ticker(symbol=said["symbol"], ts=int(said.get("timestamp") or place.now_ms()), **figures)


_FIGURES = {
    "last": "last",
    "bid": "bid",
    "ask": "ask",
    "high": "high",
    "low": "low",
    "open": "open",
    "volume": "baseVolume",
    "quote_volume": "quoteVolume",
    "change_percent": "percentage",
}


def _figure(said: Any) -> Decimal | None:
    """Return the number in ``said``; None where there is none, whatever stands in its place."""
    try:
        figure = number(str(said))
    except InvalidOperation:
        return None
    return figure if figure is not None and figure.is_finite() else None
