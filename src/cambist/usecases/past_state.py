"""How far an account's journal has been read, and what can be said of it there."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import ClassVar

from cambist.domain.account import HAND, WEBHOOK, BotSpec
from cambist.domain.past import MANUAL, STRATEGY, PastSeat
from cambist.domain.position import ZERO
from cambist.domain.record import record
from cambist.engine.account import Account, Seat
from cambist.portfolio.average_cost import Lot
from cambist.portfolio.ledger import FREE


@dataclass(slots=True)
class Sale:
    """What one order by hand has sold so far of what was bought by hand."""

    seq: int
    """The entry that tells of its first fill: the trade's number."""
    entry_ts: int
    quantity: Decimal = ZERO
    cost: Decimal = ZERO
    proceeds: Decimal = ZERO
    fees: Decimal = ZERO


@dataclass(slots=True)
class Reading:
    """How far an account has been read, and what is known beside its own state."""

    VERSION: ClassVar[int] = 1

    account: Account
    version: int = VERSION
    spent: dict[str, Decimal] = field(default_factory=dict)
    """Per order, by client id: the value of its fills (quantity times price)."""
    lots: dict[str, Lot] = field(default_factory=dict)
    """By symbol: what is held by hand."""
    sales: dict[str, Sale] = field(default_factory=dict)
    """By client id: what orders by hand have sold."""
    minute: int = 0
    """The end of the minute in which the last event was journaled (ms)."""
    by_hour_to: int = 0
    """Until when worth is kept by the hour already (ms)."""
    by_day_to: int = 0


def source_of(spec: BotSpec) -> str:
    """Return who decides for a bot: its strategy, a webhook, or a person."""
    if spec.strategy == WEBHOOK:
        return f"{WEBHOOK}:{spec.params.get(WEBHOOK, '')}"
    return MANUAL if spec.strategy == HAND else STRATEGY


@record(kw_only=True)
class Known:
    """What an account's journal knows where it ends."""

    seq: int
    ts: int
    """The latest time that the account knows of (ms)."""
    seats: tuple[PastSeat, ...]
    prices: tuple[tuple[str, Decimal, int], ...]
    """(symbol, last price, ms)."""


def known_of(reading: Reading, seq: int) -> Known:
    """Return what is known after entry ``seq``."""
    account = reading.account
    seats = tuple(_seat(reading, seat) for seat in account.seats.values())
    prices = tuple((symbol, price, ts) for symbol, (price, ts) in account.prices.items())
    return Known(seq=seq, ts=account.now_ms, seats=seats, prices=prices)


def _seat(reading: Reading, seat: Seat) -> PastSeat:
    spec, bot = seat.spec, seat.bot
    lot = reading.lots.get(spec.symbol) if seat.by_hand else None
    since = (lot.since_ms if lot.held else 0) if lot is not None else bot.entry_ts if bot.position else 0
    return PastSeat(
        account=reading.account.spec.id,
        bot=spec.id,
        source=source_of(spec),
        strategy=spec.strategy,
        symbol=spec.symbol,
        quote=bot.instrument.quote,
        budget=spec.budget,
        open_since_ms=since,
    )


def worth_of(reading: Reading, seat: Seat) -> Decimal:
    """Return what a bot is worth; by hand: what was won and lost so far."""
    if not seat.by_hand:
        return seat.state.equity()
    lot = reading.lots.get(seat.spec.symbol)
    known = reading.account.prices.get(seat.spec.symbol)
    return ZERO if lot is None else lot.worth(None if known is None else known[0])


def worth(account: Account) -> Decimal:
    """Return what an account is worth in its currency: its bots, its free cash, and what else is free and has a price
    that its journal knows."""
    total = account.equity()
    for (place, asset), amount in account.ledger.balances.items():
        if place == FREE:
            price = price_of(account, asset)
            total += ZERO if price is None else amount * price
    return total


def price_of(account: Account, asset: str) -> Decimal | None:
    """Return the last price of ``asset`` in the account's currency that its journal knows."""
    if asset == account.spec.quote:
        return Decimal(1)
    known = account.prices.get(f"{asset}/{account.spec.quote}") or account.prices.get(asset)
    return None if known is None else known[0]
