"""Order books kept by price level: built from a snapshot and the changes that follow it.

`OrderBook` holds the levels; `BookKeeper` decides which changes belong in it, by the rules that Binance documents
(https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams, "How to manage a local order book"):

1. changes are buffered until a snapshot is there;
2. a snapshot older than the first buffered change is of no use: another is needed;
3. changes that the snapshot already holds are dropped;
4. each further change must begin at or before the book's last update + 1, or something was missed: the book is
   discarded and a new snapshot is needed.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Sequence
from decimal import Decimal
from enum import StrEnum
from zlib import crc32

from cambist.domain.order import Side
from cambist.domain.record import record
from cambist.domain.tick import DepthTick

Level = tuple[Decimal, Decimal]
"""(price, quantity)."""

_MOST_BUFFERED = 10_000
_ZERO = Decimal(0)


@record(kw_only=True)
class BookSnapshot:
    """A whole book, or its best levels, as the venue showed it after the update ``last_update``."""

    symbol: str
    last_update: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


@record(kw_only=True)
class Taken:
    """What a market order would take from one side."""

    quantity: Decimal
    notional: Decimal
    worst: Decimal
    """The price of the last level touched."""
    complete: bool
    """Whether the side holds all that was asked."""

    @property
    def average(self) -> Decimal:
        """Return the average price."""
        return self.notional / self.quantity


class _Ladder:
    """One side: quantities by price, prices in rising order."""

    __slots__ = ("prices", "quantities")

    def __init__(self, levels: Iterable[Level] = ()) -> None:
        self.quantities = {price: quantity for price, quantity in levels if quantity}
        self.prices = sorted(self.quantities)

    def put(self, price: Decimal, quantity: Decimal) -> None:
        if price in self.quantities:
            if quantity:
                self.quantities[price] = quantity
            else:
                self._drop(price)
        elif quantity:
            self.quantities[price] = quantity
            self.prices.insert(bisect_left(self.prices, price), price)

    def _drop(self, price: Decimal) -> None:
        del self.quantities[price]
        del self.prices[bisect_left(self.prices, price)]

    def cut(self, keep: slice) -> None:
        for price in self.prices[keep]:
            del self.quantities[price]
        del self.prices[keep]


class OrderBook:
    """The price levels of one symbol, best first. ``depth`` keeps only that many on each side."""

    def __init__(self, symbol: str, depth: int | None = None) -> None:
        self.symbol = symbol
        self.depth = depth
        self.last_update = -1
        self._bids, self._asks = _Ladder(), _Ladder()

    def load(self, bids: Iterable[Level], asks: Iterable[Level], last_update: int = -1) -> None:
        """Replace all levels."""
        self._bids, self._asks = _Ladder(bids), _Ladder(asks)
        self.last_update = last_update
        self._trim()

    def change(self, bids: Iterable[Level], asks: Iterable[Level], last_update: int = -1) -> None:
        """Set these levels; quantity 0 removes one, also one that is not there."""
        for price, quantity in bids:
            self._bids.put(price, quantity)
        for price, quantity in asks:
            self._asks.put(price, quantity)
        self.last_update = last_update
        self._trim()

    def bids(self, count: int | None = None) -> list[Level]:
        """Return the best bids, highest first."""
        prices = self._bids.prices
        best = prices[::-1] if count is None else prices[: -count - 1 : -1]
        return [(price, self._bids.quantities[price]) for price in best]

    def asks(self, count: int | None = None) -> list[Level]:
        """Return the best asks, lowest first."""
        return [(price, self._asks.quantities[price]) for price in self._asks.prices[:count]]

    @property
    def best_bid(self) -> Level | None:
        """The highest bid, None if there is none."""
        return next(iter(self.bids(1)), None)

    @property
    def best_ask(self) -> Level | None:
        """The lowest ask, None if there is none."""
        return next(iter(self.asks(1)), None)

    @property
    def crossed(self) -> bool:
        """Whether a bid is at or above an ask: no market shows that for long, the book is wrong."""
        bid, ask = self.best_bid, self.best_ask
        return bid is not None and ask is not None and bid[0] >= ask[0]

    def take(self, side: Side, notional: Decimal) -> Taken | None:
        """Return what a market order of ``side`` worth ``notional`` (quote) takes; None if nobody is there to deal."""
        left, quantity, worst = notional, _ZERO, _ZERO
        for price, offered in self.asks() if side is Side.BUY else self.bids():
            worst = price
            if price * offered >= left:
                return Taken(quantity=quantity + left / price, notional=notional, worst=worst, complete=True)
            quantity, left = quantity + offered, left - price * offered
        if not quantity:
            return None
        return Taken(quantity=quantity, notional=notional - left, worst=worst, complete=False)

    def _trim(self) -> None:
        if self.depth is not None:
            self._asks.cut(slice(self.depth, None))
            self._bids.cut(slice(0, max(0, len(self._bids.prices) - self.depth)))


class Step(StrEnum):
    """What became of one change."""

    WAITING = "waiting"
    """Buffered: there is no snapshot yet."""
    APPLIED = "applied"
    STALE = "stale"
    """The book holds it already."""
    GAP = "gap"
    """Something was missed: the book is discarded, `BookKeeper.lost` says what, a snapshot is needed."""


@record(kw_only=True)
class Lost:
    """Updates that never came, both ends included."""

    first: int
    last: int


class BookKeeper:
    """Keeps one book in step with its stream of changes. ``book`` is None while it cannot be trusted."""

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.book: OrderBook | None = None
        self.lost: Lost | None = None
        """What the last gap was."""
        self._buffer: deque[DepthTick] = deque(maxlen=_MOST_BUFFERED)

    def change(self, tick: DepthTick) -> Step:
        """Take in one change from the stream."""
        if self.book is None:
            self._buffer.append(tick)
            return Step.WAITING
        held = self.book.last_update
        if tick.last_update <= held:
            return Step.STALE
        if tick.first_update > held + 1:
            self.lost = Lost(first=held + 1, last=tick.first_update - 1)
            self.forget()
            self._buffer.append(tick)
            return Step.GAP
        self.book.change(tick.bids, tick.asks, tick.last_update)
        return Step.APPLIED

    def snapshot(self, snapshot: BookSnapshot) -> bool:
        """Take in a snapshot; False if another is needed: it is too old for the changes at hand, or they have a gap."""
        if self._buffer and snapshot.last_update < self._buffer[0].first_update - 1:
            return False
        book = OrderBook(self.symbol)
        book.load(snapshot.bids, snapshot.asks, snapshot.last_update)
        waiting, self._buffer = self._buffer, deque(maxlen=_MOST_BUFFERED)
        self.book = book
        for tick in waiting:
            self.change(tick)
        return self.book is not None

    def forget(self) -> None:
        """Discard the book and the buffer: the stream was interrupted."""
        self.book = None
        self._buffer.clear()


def kraken_checksum(bids: Sequence[Level], asks: Sequence[Level]) -> int:
    """Return the CRC32 that Kraken sends with a book: ten best asks, then ten best bids, digits only.

    Prices and quantities must keep the decimals of the venue's text.
    https://docs.kraken.com/api/docs/guides/spot-ws-book-v1
    """

    def digits(number: Decimal) -> str:
        return format(number, "f").replace(".", "").lstrip("0")

    levels = (*asks[:10], *bids[:10])
    return crc32("".join(digits(price) + digits(quantity) for price, quantity in levels).encode())


def okx_checksum(bids: Sequence[Level], asks: Sequence[Level]) -> int:
    """Return the signed CRC32 that OKX sends with a book: 25 best levels, bid and ask in turn, joined by colons.

    Prices and quantities must keep the decimals of the venue's text. https://www.okx.com/docs-v5/en/, "Checksum"
    """
    words: list[str] = []
    for at in range(25):
        for side in (bids, asks):
            words.extend(format(number, "f") for level in side[at : at + 1] for number in level)
    unsigned = crc32(":".join(words).encode())
    return unsigned - 2**32 if unsigned >= 2**31 else unsigned
