"""The shape of Binance's answers and messages about the market (spot, version 3)."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from cambist.domain.instrument import Instrument
from cambist.domain.order import Side
from cambist.domain.tick import TradeTick
from cambist.domain.timeframe import Timeframe
from cambist.simulators.binance.filters import filters
from cambist.simulators.binance.weights import Limits
from cambist.simulators.depth import Book, Level
from cambist.simulators.tape import Bar

INTERVALS = tuple(timeframe.value for timeframe in Timeframe if timeframe is not Timeframe.M10)
ORDER_TYPES = (
    "LIMIT",
    "LIMIT_MAKER",
    "MARKET",
    "STOP_LOSS",
    "STOP_LOSS_LIMIT",
    "TAKE_PROFIT",
    "TAKE_PROFIT_LIMIT",
)


def market_id(symbol: str) -> str:
    """Return the exchange's name of ``symbol``: ``BTC/USDT`` is ``BTCUSDT``."""
    return symbol.replace("/", "")


def number(value: Decimal) -> str:
    """Return ``value`` as the exchange writes it: plain digits, eight decimals or as many more as it truly has."""
    text = format(value.normalize(), "f")
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals:0<8}"


def kline(bar: Bar) -> list[Any]:
    """Return a bar as a row of twelve fields."""
    prices = [number(value) for value in (bar.open, bar.high, bar.low, bar.close, bar.volume)]
    taken = [number(bar.taker_volume), number(bar.taker_quote), "0"]
    return [bar.ts, *prices, bar.close_ms - 1, number(bar.quote), bar.count, *taken]


def kline_event(symbol: str, timeframe: Timeframe, bar: Bar, now: int, *, closed: bool) -> dict[str, Any]:
    """Return the stream's message about a bar."""
    name = market_id(symbol)
    row = kline(bar)
    values = dict(zip("tohlcvTqnVQB", row, strict=True))
    ids = {"s": name, "i": timeframe.value, "f": bar.first_id, "L": bar.last_id, "x": closed}
    return {"e": "kline", "E": now, "s": name, "k": values | ids}


def trade(one: TradeTick) -> dict[str, Any]:
    """Return a public trade as ``/trades`` tells it."""
    return {
        "id": one.id,
        "price": number(one.price),
        "qty": number(one.quantity),
        "quoteQty": number(one.price * one.quantity),
        "time": one.ts,
        "isBuyerMaker": one.taker is Side.SELL,
        "isBestMatch": True,
    }


def trade_event(one: TradeTick, now: int) -> dict[str, Any]:
    """Return the stream's message about a trade."""
    values: dict[str, Any] = {"t": one.id, "p": number(one.price), "q": number(one.quantity), "T": one.ts}
    return {"e": "trade", "E": now, "s": market_id(one.symbol), **values, "m": one.taker is Side.SELL, "M": True}


def agg_trade(one: TradeTick) -> dict[str, Any]:
    """Return a trade as an aggregate of one."""
    values: dict[str, Any] = {
        "a": one.id,
        "p": number(one.price),
        "q": number(one.quantity),
        "f": one.id,
        "l": one.id,
        "T": one.ts,
    }
    return {**values, "m": one.taker is Side.SELL, "M": True}


def agg_trade_event(one: TradeTick, now: int) -> dict[str, Any]:
    """Return the stream's message about an aggregate trade."""
    return {"e": "aggTrade", "E": now, "s": market_id(one.symbol), **agg_trade(one)}


def levels(side: Iterable[Level], count: int | None = None) -> list[list[str]]:
    """Return levels of a book as pairs of text."""
    return [[number(price), number(quantity)] for price, quantity in list(side)[:count]]


def depth(book: Book, count: int) -> dict[str, Any]:
    """Return a snapshot of the book."""
    return {"lastUpdateId": book.update, "bids": levels(book.bids, count), "asks": levels(book.asks, count)}


def depth_event(symbol: str, first: int, last: int, sides: tuple[list[Level], list[Level]], now: int) -> dict[str, Any]:
    """Return the stream's message about changes of the book from update ``first`` to ``last``."""
    ids = {"e": "depthUpdate", "E": now, "s": market_id(symbol), "U": first, "u": last}
    return {**ids, "b": levels(sides[0]), "a": levels(sides[1])}


def _best(side: Sequence[Level]) -> list[str]:
    return levels(side[:1] or [(Decimal(0), Decimal(0))])[0]


def book_ticker(symbol: str, book: Book) -> dict[str, Any]:
    """Return the best bid and ask as REST tells them."""
    bid, ask = _best(book.bids), _best(book.asks)
    best = {"bidPrice": bid[0], "bidQty": bid[1], "askPrice": ask[0], "askQty": ask[1]}
    return {"symbol": market_id(symbol), **best}


def book_ticker_event(symbol: str, book: Book) -> dict[str, Any]:
    """Return the stream's message about the best bid and ask."""
    bid, ask = _best(book.bids), _best(book.asks)
    return {"u": book.update, "s": market_id(symbol), "b": bid[0], "B": bid[1], "a": ask[0], "A": ask[1]}


def day(symbol: str, bar: Bar, book: Book) -> dict[str, Any]:
    """Return the statistics of the last 24 hours as REST tells them."""
    change, percent, mean = _change(bar)
    return {
        "symbol": market_id(symbol),
        "priceChange": number(change),
        "priceChangePercent": f"{percent:.3f}",
        "weightedAvgPrice": number(mean),
        "prevClosePrice": number(bar.open),
        "lastPrice": number(bar.close),
        "lastQty": number(bar.last_quantity),
        **{name: value for name, value in book_ticker(symbol, book).items() if name != "symbol"},
        "openPrice": number(bar.open),
        "highPrice": number(bar.high),
        "lowPrice": number(bar.low),
        "volume": number(bar.volume),
        "quoteVolume": number(bar.quote),
        "openTime": bar.ts,
        "closeTime": bar.close_ms,
        "firstId": bar.first_id,
        "lastId": bar.last_id,
        "count": bar.count,
    }


def day_event(symbol: str, bar: Bar, book: Book, now: int) -> dict[str, Any]:
    """Return the stream's message about the last 24 hours."""
    change, percent, mean = _change(bar)
    best = book_ticker_event(symbol, book)
    return {
        **mini_day_event(symbol, bar, now),
        "e": "24hrTicker",
        "p": number(change),
        "P": f"{percent:.3f}",
        "w": number(mean),
        "x": number(bar.open),
        "Q": number(bar.last_quantity),
        **{name: best[name] for name in "bBaA"},
        "O": bar.ts,
        "C": bar.close_ms,
        "F": bar.first_id,
        "L": bar.last_id,
        "n": bar.count,
    }


def mini_day_event(symbol: str, bar: Bar, now: int) -> dict[str, Any]:
    """Return the stream's short message about the last 24 hours."""
    names = {"c": bar.close, "o": bar.open, "h": bar.high, "l": bar.low, "v": bar.volume, "q": bar.quote}
    values = {name: number(value) for name, value in names.items()}
    return {"e": "24hrMiniTicker", "E": now, "s": market_id(symbol), **values}


def _change(bar: Bar) -> tuple[Decimal, Decimal, Decimal]:
    """Return how far price moved, the same in percent, and the mean price."""
    change = bar.close - bar.open
    mean = (bar.quote / bar.volume).quantize(Decimal("1e-8")) if bar.volume else bar.close
    return change, change / bar.open * 100, mean


def exchange_info(instruments: Sequence[Instrument], limits: Limits, now_ms: int) -> dict[str, Any]:
    """Return the description of the exchange and of each market on it."""
    rates = (
        ("REQUEST_WEIGHT", "MINUTE", 1, limits.weight),
        ("ORDERS", "SECOND", 10, limits.orders),
        ("ORDERS", "DAY", 1, limits.orders_a_day),
        ("RAW_REQUESTS", "MINUTE", 5, 61_000),
    )
    names = ("rateLimitType", "interval", "intervalNum", "limit")
    return {
        "timezone": "UTC",
        "serverTime": now_ms,
        "rateLimits": [dict(zip(names, rate, strict=True)) for rate in rates],
        "exchangeFilters": [],
        "symbols": [_market(instrument) for instrument in instruments],
    }


def _market(instrument: Instrument) -> dict[str, Any]:
    return {
        "symbol": market_id(instrument.symbol),
        "status": "TRADING",
        "baseAsset": instrument.base,
        "baseAssetPrecision": 8,
        "quoteAsset": instrument.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": list(ORDER_TYPES),
        "icebergAllowed": False,
        "ocoAllowed": True,
        "otoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": True,
        "amendAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": filters(instrument),
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "NONE",
        "allowedSelfTradePreventionModes": ["NONE"],
    }
