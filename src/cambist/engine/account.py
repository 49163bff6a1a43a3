"""One account, live: all that is known of it, and what can be asked of that without changing it.

`engine/desk.py` moves it, event by event. The same events give the same account, so it is rebuilt from its journal.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from cambist.domain.account import AccountSpec, BotSpec, BotStatus
from cambist.domain.alert import Alert
from cambist.domain.command import VenueCommand
from cambist.domain.event import GuardTouched
from cambist.domain.ledger import LedgerEntry
from cambist.domain.position import ZERO
from cambist.domain.request import Traits
from cambist.domain.trading import TradingState
from cambist.engine.state import Bot, State
from cambist.execution import protection
from cambist.execution.breaker import Breaker, BreakerRules
from cambist.execution.limits import Limits, OrderRate
from cambist.execution.orders import Life, Working
from cambist.execution.protection import Protection
from cambist.portfolio.ledger import Ledger

KEPT = 200
"""How many ended orders, closed trades and refusals an account keeps at hand; the journal has them all."""
RETRY_MS = 1_000
LONGEST_RETRY_MS = 60_000


@dataclass(slots=True)
class Seat:
    """One bot of the account: its budget's state, and how its position stands at the venue."""

    spec: BotSpec
    state: State
    status: BotStatus = BotStatus.CREATED
    attempts: dict[str, int] = field(default_factory=dict)
    """Per order of the present trade, how often it was sent."""
    retry_ms: int = 0
    """Not before this is a refused exit or guard tried again."""
    refusals: int = 0
    emulate: bool = False
    """The venue would not take this trade's guards: Cambist watches them."""
    too_small: bool = False
    """What is left of the position is less than the venue takes."""

    @property
    def bot(self) -> Bot:
        """Return the bot as the core knows it."""
        return self.state.bots[self.spec.id]


@dataclass(slots=True)
class Outcome:
    """What an event makes us do."""

    commands: list[VenueCommand] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    entries: list[LedgerEntry] = field(default_factory=list)


@dataclass(slots=True)
class Account:
    """The whole state of one account. ``limits`` and ``rules`` are settings, not state."""

    spec: AccountSpec
    traits: Traits
    limits: Limits = field(default_factory=Limits)
    rules: BreakerRules = field(default_factory=BreakerRules)
    seats: dict[str, Seat] = field(default_factory=dict)
    orders: dict[str, Working] = field(default_factory=dict)
    """By client id: those under way, and the last that ended."""
    prices: dict[str, tuple[Decimal, int]] = field(default_factory=dict)
    """Per symbol the last price, and when (ms)."""
    ledger: Ledger = field(default_factory=Ledger)
    breaker: Breaker | None = None
    trading: TradingState = TradingState.ACTIVE
    may_reduce: bool = True
    venue_ready: bool = False
    clock_skew_ms: int = 0
    rate: OrderRate = field(default_factory=OrderRate)
    frozen: dict[str, str] = field(default_factory=dict)
    """Per symbol, why."""
    opened: bool = False
    now_ms: int = 0
    """The latest time that any event told of."""

    def equity(self) -> Decimal:
        """Return the bots' budgets at the last prices: cash and positions, unrealised gains included."""
        return sum((seat.state.equity() for seat in self.seats.values()), ZERO)

    def working(self, bot: str) -> list[Working]:
        """Return the bot's orders that are not settled."""
        return [one for one in self.orders.values() if one.order.bot == bot and not one.settled]

    def protection(self, bot: str) -> Protection:
        """Tell who guards the bot's position."""
        guards = list(self.seats[bot].bot.protections.values())
        return protection.standing(guards, self.working(bot))

    def unknown(self) -> list[Working]:
        """Return the orders of which it is not known whether the venue has them."""
        return [one for one in self.orders.values() if one.life is Life.UNKNOWN]

    def touched(self, symbol: str, price: Decimal, ts: int) -> list[GuardTouched]:
        """Return which guards ``price`` has reached that do not rest at the venue."""
        found = []
        for seat in self.seats.values():
            bot = seat.bot
            if seat.spec.symbol != symbol or not bot.protections or bot.exiting is not None:
                continue
            resting = {one.order.id for one in self.working(bot.id) if one.life in protection.RESTING}
            for guard in bot.protections.values():
                reached = price <= guard.level if guard.falling else price >= guard.level
                if reached and guard.id not in resting:
                    found.append(GuardTouched(bot.id, ts, guard.id, price))
                    break
        return found

    def due(self, now_ms: int) -> bool:
        """Tell whether time alone would make `step` do something: worth a `TimePassed`."""
        for seat in self.seats.values():
            if (seat.retry_ms and now_ms >= seat.retry_ms) or self.stalled(seat, now_ms):
                return True
        return False

    def stalled(self, seat: Seat, now_ms: int) -> bool:
        """Tell whether a guard that was reached has been filling for too long."""
        exiting = seat.bot.exiting
        return exiting is not None and any(
            one.order.id == exiting.id
            and one.life in protection.RESTING
            and now_ms - one.since_ms >= protection.STALLED_MS
            for one in self.working(seat.spec.id)
        )
