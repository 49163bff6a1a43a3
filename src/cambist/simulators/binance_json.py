"""The shape of Binance's answers (spot REST, version 3)."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np

from cambist.domain.candles import Candle, Candles
from cambist.domain.instrument import Instrument
from cambist.domain.timeframe import Timeframe
from cambist.market.resample import resample
from cambist.market.series import build

INTERVALS = tuple(timeframe.value for timeframe in Timeframe if timeframe is not Timeframe.M10)

_MESSAGES = {
    418: (-1003, "Way too much request weight used; IP banned until 1999999999999."),
    429: (-1003, "Too much request weight used; current limit is 6000 request weight per 1 MINUTE."),
    451: (0, "Service unavailable from a restricted location according to 'b. Eligibility'."),
}


def market_id(symbol: str) -> str:
    """Return the exchange's name of ``symbol``: ``BTC/USDT`` is ``BTCUSDT``."""
    return symbol.replace("/", "")


def refusal(code: int, message: str) -> tuple[int, dict[str, Any]]:
    """Return the status and body with which the exchange refuses a request."""
    return 400, {"code": code, "msg": message}


def error_body(status: int) -> dict[str, Any]:
    """Return the body that comes with an error ``status``."""
    code, message = _MESSAGES.get(status, (-1001, "Internal error; unable to process your request."))
    return {"code": code, "msg": message}


def number(value: float) -> str:
    """Return ``value`` as the exchange writes it: plain digits, eight decimals or as many more as it truly has."""
    text = format(Decimal(repr(value)), "f")
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals:0<8}"


def klines(candles: Candles, now_ms: int) -> list[list[Any]]:
    """Return candles as rows of twelve fields; one that is not closed at ``now_ms`` is cut off in its middle."""
    return [_kline(candle, candles.timeframe, now_ms) for candle in candles]


def _kline(candle: Candle, timeframe: Timeframe, now_ms: int) -> list[Any]:
    close_ms = timeframe.close_of(candle.ts)
    if close_ms > now_ms:
        candle = replace(candle, close=candle.open, volume=candle.volume / 2)
    quote_volume = candle.volume * (candle.high + candle.low) / 2
    return [
        candle.ts,
        number(candle.open),
        number(candle.high),
        number(candle.low),
        number(candle.close),
        number(candle.volume),
        close_ms - 1,
        f"{quote_volume:.8f}",
        max(1, round(candle.volume)),
        f"{candle.volume / 2:.8f}",
        f"{quote_volume / 2:.8f}",
        "0",
    ]


def in_interval(candles: Candles, timeframe: Timeframe) -> Candles:
    """Return ``candles`` in another interval, the last candle being one even where it is not whole yet."""
    if timeframe is candles.timeframe or not len(candles):
        return candles
    if not timeframe.holds(candles.timeframe):
        return candles[:0]
    close_ms = timeframe.close_of(timeframe.floor(int(candles.ts[-1])))
    names = ("open", "high", "low", "close", "volume")
    columns = (np.append(getattr(candles, name), getattr(candles, name)[-1]) for name in names)
    later = build(candles.venue, candles.symbol, candles.timeframe, np.append(candles.ts, close_ms), *columns)
    return resample(later, timeframe, keep_first=True).between(until=close_ms)


def exchange_info(instruments: Sequence[Instrument], now_ms: int) -> dict[str, Any]:
    """Return the description of the exchange and of each market on it."""
    return {
        "timezone": "UTC",
        "serverTime": now_ms,
        "rateLimits": [
            {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000},
        ],
        "exchangeFilters": [],
        "symbols": [_market(instrument) for instrument in instruments],
    }


def _market(instrument: Instrument) -> dict[str, Any]:
    tick, step = format(instrument.tick_size, "f"), format(instrument.lot_step, "f")
    least = format(max(instrument.min_quantity, instrument.lot_step), "f")
    return {
        "symbol": market_id(instrument.symbol),
        "status": "TRADING",
        "baseAsset": instrument.base,
        "baseAssetPrecision": 8,
        "quoteAsset": instrument.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"],
        "icebergAllowed": True,
        "ocoAllowed": True,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000.00000000", "tickSize": tick},
            {"filterType": "LOT_SIZE", "minQty": least, "maxQty": "9000000.00000000", "stepSize": step},
            {
                "filterType": "NOTIONAL",
                "minNotional": format(instrument.min_notional, "f"),
                "applyMinToMarket": True,
                "maxNotional": "9000000.00000000",
                "applyMaxToMarket": False,
                "avgPriceMins": 5,
            },
        ],
        "permissions": [],
        "permissionSets": [["SPOT"]],
    }
