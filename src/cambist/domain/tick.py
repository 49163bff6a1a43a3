"""What a market's stream says: trades, candles under way, books."""

from decimal import Decimal

from cambist.domain.order import Side
from cambist.domain.record import record
from cambist.domain.timeframe import Timeframe


@record(kw_only=True)
class TradeTick:
    """One public trade. ``id`` rises by one from trade to trade where the venue numbers them so."""

    symbol: str
    id: int
    ts: int
    price: Decimal
    quantity: Decimal
    taker: Side


@record(kw_only=True)
class CandleTick:
    """A candle as the stream shows it, closed or under way; values as the venue's text gave them."""

    symbol: str
    timeframe: Timeframe
    ts: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    closed: bool
    first_trade: int = -1
    last_trade: int = -1
    """Ids of the trades that it is made of; -1 where the venue does not say or there was none."""
    received_ms: int = 0


@record(kw_only=True)
class DepthTick:
    """Changes of an order book between two update ids: (price, quantity) per side, quantity 0 removes the level."""

    symbol: str
    first_update: int
    last_update: int
    bids: tuple[tuple[Decimal, Decimal], ...]
    asks: tuple[tuple[Decimal, Decimal], ...]
    ts: int = 0


@record(kw_only=True)
class FeedStatus:
    """The stream was opened (``up``) or lost; ``why`` in the venue's or the network's words."""

    up: bool
    ts: int
    why: str = ""


Tick = TradeTick | CandleTick | DepthTick | FeedStatus
