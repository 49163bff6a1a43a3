"""What an `exchange.Exchange` keeps of its accounts, markets and orders."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count

from cambist.domain.instrument import Instrument
from cambist.domain.order import Order
from cambist.domain.position import ZERO
from cambist.domain.report import FillReport, OrderReport, Report, Status
from cambist.market.holdings import Holdings
from cambist.market.matching import Book
from cambist.market.wake import WakeLevels
from cambist.ports.venue import OrderRequest


@dataclass(slots=True)
class Lock:
    """What one order, or the two legs of an OCO together, keep locked."""

    asset: str
    amount: Decimal


@dataclass(slots=True)
class Account:
    """One account, with its orders: those that wait, and the newest of those that are over."""

    name: str
    holdings: Holdings
    orders: dict[str, "Placed"] = field(default_factory=dict)
    open: dict[str, "Placed"] = field(default_factory=dict)
    seats: dict[str, "Seat"] = field(default_factory=dict)
    fills: dict[str, list[FillReport]] = field(default_factory=dict)
    told: tuple[Callable[[Report], None], ...] = ()


@dataclass(slots=True)
class Market:
    """One instrument: its last price, and who has ever traded it."""

    instrument: Instrument
    price: float | None = None
    volume: float = 0.0
    under_way: bool = False
    ts: int = 0
    trade_ids: Iterator[int] = field(default_factory=lambda: count(1))
    seats: list["Seat"] = field(default_factory=list)
    sleepers: WakeLevels = field(default_factory=WakeLevels)
    at_open: set[int] = field(default_factory=set)
    """Numbers of the seats that have orders for the next open."""


@dataclass(slots=True)
class Seat:
    """One account's place in one market."""

    number: int
    account: Account
    market: Market
    book: Book


@dataclass(slots=True)
class Placed:
    """One order, over or not."""

    request: OrderRequest
    venue_id: str
    seat: Seat
    order: Order
    lock: Lock
    ts: int
    trigger: Decimal | None
    status: Status = Status.OPEN
    filled: Decimal = ZERO
    spent: Decimal = ZERO
    """Quote currency, fees included where they are in quote."""
    sibling: "Placed | None" = None

    def report(self) -> OrderReport:
        """Return the order as the exchange shows it."""
        request = self.request
        return OrderReport(
            client_id=request.client_id,
            symbol=request.symbol,
            status=self.status,
            filled=self.filled,
            ts=self.ts,
            venue_id=self.venue_id,
            side=request.side,
            type=request.type,
            quantity=request.quantity,
            price=request.price,
            trigger=self.trigger,
        )
