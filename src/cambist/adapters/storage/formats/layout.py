"""Which column is what: by the header where there is one, by number and content of the columns where there is none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cambist.adapters.storage.formats.rows import Rows, floats

if TYPE_CHECKING:
    from cambist.domain.candles import Floats

_TIME = (
    *("timestamp", "unixtimestamp", "unix", "unixtime", "opentime", "ts", "t", "time", "timems", "starttime"),
    *("startat", "epoch", "datetime", "date", "gmttime", "dateutc", "timeutc", "datetimeutc", "localtime"),
    *("opentimeutc", "candlebegintime", "begin", "start", "", "index", "indexlevel0", "unnamed0"),
)
_ALSO_TIME = ("date", "datetime", "human", "gmttime")
_OPEN = ("open", "o", "openprice", "priceopen", "openingprice")
_HIGH = ("high", "h", "highprice", "pricehigh", "max")
_LOW = ("low", "l", "lowprice", "pricelow", "min")
_CLOSE = ("close", "c", "closeprice", "priceclose", "last", "closingprice")
_VOLUME = ("volumefrom", "basevolume", "volumebase", "baseassetvolume", "volume", "vol", "v", "amount", "tickvolume")
_PRICE = ("price", "p", "px", "tradeprice")
_AMOUNT = ("amount", "volume", "vol", "size", "qty", "quantity", "q", "v", "basevolume")
_SYMBOL = ("symbol", "pair", "market", "ticker", "instrument", "product", "productid")
_FUNDING = ("fundingrate", "lastfundingrate", "funding")


@dataclass(frozen=True, slots=True, kw_only=True)
class CandleLayout:
    """Positions of the columns of candles."""

    time: int
    open: int
    high: int
    low: int
    close: int
    volume: int | None
    """None where the file has no volume."""
    date: int | None = None
    """A second column of times, if there is one."""
    symbol: int | None = None
    note: str | None = None
    """Text key of what the reader should know about how the columns were recognised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeLayout:
    """Positions of the columns of trades."""

    time: int
    price: int
    amount: int
    symbol: int | None = None


@dataclass(frozen=True, slots=True)
class NoCandles:
    """The file holds something else: the text key of its name."""

    what: str
    columns: str = ""


def layout_of(rows: Rows, base: str | None) -> CandleLayout | TradeLayout | NoCandles:
    """Return where what stands; ``base`` (currency, if known) tells ``volume_btc`` from the quote volume beside it."""
    if not len(rows):
        return NoCandles("candles.kind.empty")
    return _by_content(rows) if rows.names is None else _by_header(rows.names, base)


def _by_header(names: tuple[str, ...], base: str | None) -> CandleLayout | TradeLayout | NoCandles:
    place: dict[str, int] = {}
    for at, name in enumerate(names):
        place.setdefault(re.sub("[^a-z0-9]", "", name.lower()), at)
    unknown = NoCandles("candles.kind.unknown", ", ".join(names))
    if _first(place, _FUNDING) is not None:
        return NoCandles("candles.kind.funding")
    time, symbol = _first(place, _TIME), _first(place, _SYMBOL)
    if time is None:
        return unknown
    prices = [_first(place, known) for known in (_OPEN, _HIGH, _LOW, _CLOSE)]
    if all(at is not None for at in prices):
        open_, high, low, close = (at for at in prices if at is not None)
        of_base = (f"volume{base.lower()}",) if base else ()
        volume = _first(place, of_base + _VOLUME)
        date = _first({name: at for name, at in place.items() if at != time}, _ALSO_TIME)
        return CandleLayout(
            time=time, open=open_, high=high, low=low, close=close, volume=volume, date=date, symbol=symbol
        )
    price, amount = _first(place, _PRICE), _first(place, _AMOUNT)
    if price is not None and amount is not None:
        return TradeLayout(time=time, price=price, amount=amount, symbol=symbol)
    return unknown


def _by_content(rows: Rows) -> CandleLayout | TradeLayout | NoCandles:
    """Recognise what archives write without a header, by the number of columns."""
    match len(rows.columns):
        case 3:  # Kraken's trades: time, price, volume
            return TradeLayout(time=0, price=1, amount=2)
        case 6 | 7 | 12:  # plain; with Kraken's trade count; Binance's klines
            return _first_four(rows)
        case 8:  # Kraken's answers: time, open, high, low, close, vwap, volume, count
            return CandleLayout(time=0, open=1, high=2, low=3, close=4, volume=6)
    return NoCandles("candles.kind.width", str(len(rows.columns)))


def _first_four(rows: Rows) -> CandleLayout:
    """Tell open-high-low-close from Bitfinex's open-close-high-low: only the true order keeps highs high."""
    open_, second, third, fourth = (floats(rows.columns[at]) for at in (1, 2, 3, 4))
    usual = _contradictions(open_, high=second, low=third, close=fourth)
    bitfinex = _contradictions(open_, high=third, low=fourth, close=second)
    # a few dirty rows must not hide the order: it is Bitfinex's if nearly all rows say so and many deny the usual one
    if usual > 0.1 and bitfinex < 0.01:
        return CandleLayout(time=0, open=1, close=2, high=3, low=4, volume=5, note="candles.note.ochl")
    return CandleLayout(time=0, open=1, high=2, low=3, close=4, volume=5)


def _contradictions(open_: Floats, high: Floats, low: Floats, close: Floats) -> float:
    with np.errstate(invalid="ignore"):
        return float(np.mean((high < np.maximum(open_, close)) | (low > np.minimum(open_, close))))


def _first(place: Mapping[str, int], names: tuple[str, ...]) -> int | None:
    return next((place[name] for name in names if name in place), None)
