"""The order book around the last trade, by seed: the same trade always finds the same book.

An update id is the id of the trade that moved the book, so each trade is one update and updates follow one another
without a hole. What lies at a price stays there while price moves around it, apart from a few levels that change.
"""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from cambist.domain.order import Side
from cambist.domain.tick import TradeTick

LEVELS = 50
"""Per side."""
_CHANGES_EVERY = 16  # trades between changes of one level's quantity
_WORTH = 20_000  # of a level in quote currency, on average
_MASK = (1 << 64) - 1

Level = tuple[Decimal, Decimal]


@dataclass(frozen=True, slots=True)
class Book:
    """(price, quantity) per side, best first; ``update`` is the id of the last change."""

    update: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


def book(trade: TradeTick, tick: Decimal, lot: Decimal, seed: int) -> Book:
    """Return the book after ``trade``: the price traded is the best bid if a seller took it, else the best ask."""
    gap = _gap(trade, tick)
    unit = _unit(trade, lot)
    at = trade.price / gap
    buys = trade.taker is Side.BUY
    below = int(at.to_integral_value(ROUND_CEILING)) - 1
    above = int(at.to_integral_value(ROUND_FLOOR)) + 1

    def level(number: int, price: Decimal) -> Level:
        epoch = (trade.id + number) // _CHANGES_EVERY
        dice = _mixed(number * 0x9E3779B97F4A7C15 + seed * 0xBF58476D1CE4E5B9 + epoch)
        return price, unit * (1 + dice % 255)

    bids = [level(number, gap * number) for number in range(below, max(0, below - LEVELS), -1)]
    asks = [level(number, gap * number) for number in range(above, above + LEVELS)]
    touched = level(below if buys else above, trade.price)
    return Book(trade.id, tuple(bids if buys else [touched, *bids]), tuple([touched, *asks] if buys else asks))


def liquidity(trade: TradeTick, lot: Decimal) -> float:
    """Return about how much (base) one side of the book holds."""
    return float(_unit(trade, lot) * 128 * LEVELS)


def changes(before: Book, after: Book) -> tuple[list[Level], list[Level]]:
    """Return what changed per side, (bids, asks), from ``before`` to ``after``; quantity 0 removes a level."""
    return _side(before.bids, after.bids), _side(before.asks, after.asks)


def _gap(trade: TradeTick, tick: Decimal) -> Decimal:
    """Return how far levels lie apart: a tick, or about a fifty-thousandth of the price on very fine grids."""
    coarse = Decimal(1).scaleb((trade.price / 50_000).adjusted())
    return max(tick, (coarse / tick).to_integral_value() * tick)


def _unit(trade: TradeTick, lot: Decimal) -> Decimal:
    return max(lot, (Decimal(_WORTH) / trade.price / 128 / lot).to_integral_value() * lot)


def _mixed(value: int) -> int:
    value &= _MASK
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & _MASK
    value = (value ^ value >> 27) * 0x94D049BB133111EB & _MASK
    return value ^ value >> 31


def _side(before: tuple[Level, ...], after: tuple[Level, ...]) -> list[Level]:
    there, now = dict(before), dict(after)
    gone = [(price, Decimal(0)) for price in there if price not in now]
    return gone + [(price, quantity) for price, quantity in after if there.get(price) != quantity]
