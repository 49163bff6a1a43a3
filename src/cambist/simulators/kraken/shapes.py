"""The shape of Kraken's answers about the market, and how it writes numbers and times."""

import json
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from cambist.domain.instrument import Instrument
from cambist.domain.order import Side
from cambist.domain.tick import TradeTick
from cambist.domain.timeframe import Timeframe
from cambist.market.matching import Costs
from cambist.simulators.depth import Level
from cambist.simulators.kraken.names import asset_id, asset_name, pair_name, socket_name
from cambist.simulators.tape import Bar

INTERVALS = {
    1: Timeframe.M1,
    5: Timeframe.M5,
    15: Timeframe.M15,
    30: Timeframe.M30,
    60: Timeframe.H1,
    240: Timeframe.H4,
    1440: Timeframe.D1,
}
"""By minutes. Weeks and half months, which Kraken has too, are not served."""
_NUMBER = re.compile(r'"\\u0000([^"\\]*)"')


def padded(value: Decimal, digits: int) -> str:
    """Return ``value`` with so many decimals, or as many more as it truly has: nothing is rounded."""
    text = format(value.normalize(), "f")
    whole, _, decimals = text.partition(".")
    decimals = decimals.ljust(digits, "0")
    return f"{whole}.{decimals}" if decimals else whole


def digits_of(step: Decimal) -> int:
    """Return how many decimals a step has."""
    exponent = step.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def seconds(ms: int) -> float:
    """Return a time as REST tells it."""
    return ms / 1000


def moment(ms: int) -> str:
    """Return a time as the sockets tell it."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def plain(value: Any) -> str:
    """Return what a JSON message says, a Decimal included, as a form would have it."""
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def to_text(message: Any) -> str:
    """Return ``message`` as JSON in which a Decimal is a number, written to its last digit."""
    return _NUMBER.sub(r"\1", json.dumps(message, default=lambda value: f"\x00{value:f}"))


def assets(instruments: Iterable[Instrument]) -> dict[str, Any]:
    """Return the currencies."""
    digits: dict[str, int] = {}
    for one in instruments:
        for code in (one.base, one.quote):
            digits[code] = max(digits.get(code, 8), digits_of(one.lot_step) if code == one.base else 0)
    return {
        asset_id(code): {
            "aclass": "currency",
            "altname": asset_name(code),
            "decimals": count,
            "display_decimals": 5,
            "status": "enabled",
        }
        for code, count in digits.items()
    }


def pair(one: Instrument, costs: Costs) -> dict[str, Any]:
    """Return the rules of a pair."""
    return {
        "altname": pair_name(one.symbol),
        "wsname": socket_name(one.symbol),
        "aclass_base": "currency",
        "base": asset_id(one.base),
        "aclass_quote": "currency",
        "quote": asset_id(one.quote),
        "lot": "unit",
        "cost_decimals": digits_of(one.tick_size),
        "pair_decimals": digits_of(one.tick_size),
        "lot_decimals": digits_of(one.lot_step),
        "lot_multiplier": 1,
        "leverage_buy": [],
        "leverage_sell": [],
        "fees": [[0, costs.taker_fee_bps / 100]],
        "fees_maker": [[0, costs.maker_fee_bps / 100]],
        "fee_volume_currency": "ZUSD",
        "margin_call": 80,
        "margin_stop": 40,
        "ordermin": f"{max(one.min_quantity, one.lot_step):f}",
        "costmin": f"{one.min_notional:f}",
        "tick_size": f"{one.tick_size:f}",
        "status": "online",
    }


def ticker(one: Instrument, today: Bar, day: Bar, best: tuple[Level, Level]) -> dict[str, Any]:
    """Return the statistics of today (since midnight UTC) and of the last 24 hours."""
    price, lot = digits_of(one.tick_size), digits_of(one.lot_step)

    def level(at: Level) -> list[str]:
        return [padded(at[0], price), f"{int(at[1])}", padded(at[1], 3)]

    bid, ask = best
    both = (today, day)
    return {
        "a": level(ask),
        "b": level(bid),
        "c": [padded(day.close, price), padded(day.last_quantity, lot)],
        "v": [padded(bar.volume, lot) for bar in both],
        "p": [padded(mean(bar, one), price) for bar in both],
        "t": [bar.count for bar in both],
        "l": [padded(bar.low, price) for bar in both],
        "h": [padded(bar.high, price) for bar in both],
        "o": padded(today.open, price),
    }


def mean(bar: Bar, one: Instrument) -> Decimal:
    """Return the mean price of a bar, weighted by volume."""
    return (bar.quote / bar.volume).quantize(one.tick_size) if bar.volume else bar.close


def candle(bar: Bar, one: Instrument) -> list[Any]:
    """Return a bar as a row of eight fields."""
    price = digits_of(one.tick_size)
    values = [padded(value, price) for value in (bar.open, bar.high, bar.low, bar.close, mean(bar, one))]
    return [bar.ts // 1000, *values, padded(bar.volume, digits_of(one.lot_step)), bar.count]


def trade(trade: TradeTick, one: Instrument) -> list[Any]:
    """Return a public trade as a row of seven fields."""
    texts = [padded(trade.price, digits_of(one.tick_size)), padded(trade.quantity, digits_of(one.lot_step))]
    return [*texts, seconds(trade.ts), "b" if trade.taker is Side.BUY else "s", "m", "", trade.id]


def levels(side: Sequence[Level], one: Instrument, now: int) -> list[list[Any]]:
    """Return levels of a book as rows of price, quantity and time."""
    price, lot = digits_of(one.tick_size), digits_of(one.lot_step)
    return [[padded(at, price), padded(quantity, lot), now // 1000] for at, quantity in side]
