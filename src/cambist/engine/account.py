"""One account, live: all that is known of it, and what can be asked of that without changing it.

`engine/desk.py` moves it, event by event. The same events give the same account, so it is rebuilt from its journal.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from cambist.domain.account import HAND, AccountSpec, BotSpec, BotStatus
from cambist.domain.alert import Alert
from cambist.domain.command import Place, PlacePair, VenueCommand
from cambist.domain.event import Configured, GuardTouched
from cambist.domain.instrument import Kind
from cambist.domain.ledger import LedgerEntry
from cambist.domain.order import Order, OrderType, Side
from cambist.domain.position import ZERO, Position
from cambist.domain.refusal import Refused
from cambist.domain.report import OrderReport
from cambist.domain.request import OrderRequest, Traits
from cambist.domain.trading import TradingState
from cambist.domain.wire import to_text
from cambist.engine.state import Bot, ClosedTrade, State
from cambist.execution import protection
from cambist.execution.breaker import Breaker, BreakerRules, watch
from cambist.execution.limits import Limits, OrderRate
from cambist.execution.orders import Life, Working
from cambist.execution.protection import Protection
from cambist.execution.reconcile import Contract
from cambist.portfolio.ledger import FREE, Ledger

KEPT = 200
"""How many ended orders, closed trades and refusals an account keeps at hand; the journal has them all."""
ASKED = 1_000
"""How many requests of people an account remembers: far more than can wait for an answer at once."""
RETRY_MS = 1_000
LONGEST_RETRY_MS = 60_000


@dataclass(slots=True)
class Amendment:
    """What an order by hand is to become."""

    request: int
    quantity: Decimal
    """What has filled by then included."""
    price: Decimal | None
    trigger: Decimal | None


@dataclass(slots=True)
class Seat:
    """One bot of the account: its budget's state, and how its position stands at the venue."""

    spec: BotSpec
    state: State
    status: BotStatus = BotStatus.CREATED
    attempts: dict[str, int] = field(default_factory=dict)
    """Per order of the present trade, how often it was sent."""
    retry_ms: int = 0
    """Not before this is a refused exit tried again."""
    refusals: int = 0
    guards_retry_ms: int = 0
    """Not before this are refused guards tried again; until they stand, Cambist watches them."""
    guards_refused: int = 0
    guards_refused_ms: int = 0
    """How often in a row, and when last."""
    bare_ms: int = 0
    """Since when the position has wanted a stop that does not rest at its venue; 0: it rests, or none is wanted."""
    guarded: Decimal = ZERO
    """For how much of the position a stop has rested since it was last guarded whole."""
    too_small: bool = False
    """What is left of the position is less than the venue takes."""
    closed: int = 0
    """How many trades have closed; of those, ``state.trades`` keeps the last."""
    leaving: list[str] = field(default_factory=list)
    """By client id, orders by hand that are to be taken back: a cancel that is lost is sent again."""
    again_ms: int = 0
    """Not before this."""
    returns: int = 0
    """How often it has given something back since it was deleted: what comes late is given back too."""
    bought: Decimal = ZERO
    """Of a spot pair, base currency that orders by hand have brought and not sold again; 0 on perpetuals."""
    amended: dict[str, Amendment] = field(default_factory=dict)
    """By client id, orders by hand that are being taken back to be ordered anew."""

    @property
    def by_hand(self) -> bool:
        """Whether people order here themselves: nothing is held, nothing decided."""
        return self.spec.strategy == HAND

    @property
    def deleted(self) -> bool:
        """Whether its money is the account's again."""
        return self.status is BotStatus.DELETED

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
    refused: list[Refused] = field(default_factory=list)
    closed: list[ClosedTrade] = field(default_factory=list)
    seq: int = 0
    """The journal entry of the event; 0 as long as it has none."""

    def requests(self) -> list[OrderRequest]:
        """Return the orders that leave."""
        found: list[OrderRequest] = []
        for command in self.commands:
            if isinstance(command, Place):
                found.append(command.request)
            elif isinstance(command, PlacePair):
                found += (command.stop, command.target)
        return found


Touched = tuple[int, Iterable[Seat]]
"""When something happened (ms), and the bots that it concerns."""


@dataclass(slots=True)
class Account:
    """The whole state of one account. What it is judged by is part of it: the journal tells of every change."""

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
    contracts: dict[str, Position] = field(default_factory=dict)
    """By symbol, what is open of perpetuals over all bots, as a venue nets it."""
    breaker: Breaker | None = None
    trading: TradingState = TradingState.ACTIVE
    may_reduce: bool = True
    flatten: bool = False
    """Whether a person wants every position closed, those too that are only found later."""
    venue_ready: bool = False
    clock_skew_ms: int = 0
    """Our clock less the venue's."""
    elsewhere: Decimal = ZERO
    """What the same user's other accounts hold and have ordered, in quote currency."""
    rate: OrderRate = field(default_factory=OrderRate)
    frozen: dict[str, str] = field(default_factory=dict)
    """Per symbol, why."""
    opened: bool = False
    corrections: int = 0
    """How many differences people have adopted."""
    asked: list[int] = field(default_factory=list)
    """The last requests of people that were acted on. One that was written earlier may be seen later."""
    wished_ms: int = 0
    """The time of the last cause that a person was."""
    now_ms: int = 0
    """The latest time that any event told of."""
    already_sent: frozenset[str] = field(init=False, repr=False, compare=False)
    """While the journal is read: orders, by client id, that the event at hand made leave. They are judged no more."""
    _under_way: dict[str, dict[str, Working]] = field(init=False, repr=False, compare=False)
    """Of ``orders``, by bot and client id, those that are not over for good: what every event looks through."""

    def __post_init__(self) -> None:
        self._under_way, self.already_sent = {}, frozenset()
        for one in self.orders.values():
            self.follow(one)

    def first(self, request: int) -> bool:
        """Tell whether ``request`` has not been acted on, and take it for acted on from here on."""
        if request in self.asked:
            return False
        self.asked.append(request)
        del self.asked[:-ASKED]
        return True

    def follow(self, one: Working) -> None:
        """Take ``one`` for under way: it was sent, or its venue has spoken of it."""
        self._under_way.setdefault(one.order.bot, {})[one.request.client_id] = one

    def under_way(self, bot: str) -> list[Working]:
        """Return the bot's orders that are followed: all that are not settled, and those that have just become so."""
        return list(self._under_way.get(bot, {}).values())

    def leave(self, one: Working) -> None:
        """Follow ``one`` no more: it is settled, and the decision knows."""
        self._under_way[one.order.bot].pop(one.request.client_id, None)

    def configured(self, ts: int) -> Configured:
        """Return the event that tells of this account's settings."""
        return Configured(ts, self.traits, to_text(Limits, self.limits), to_text(BreakerRules, self.rules))

    def equity(self, prices: Mapping[str, Decimal] | None = None) -> Decimal:
        """Return the bots' budgets, cash and positions, unrealised gains included.

        Positions are valued at ``prices`` (by symbol), else at the last that were journaled.
        """
        total = ZERO
        for seat in self.seats.values():
            if seat.deleted:
                continue
            bot = seat.bot
            price = prices.get(seat.spec.symbol) if prices is not None else None
            if price is None or not bot.position:
                total += seat.state.equity()
            else:
                total += seat.state.cash + bot.position.quantity * marked(price)
        return total

    def held(self, seat: Seat) -> Decimal:
        """Return what a bot holds of its instrument, or what orders by hand have brought of it; negative if short."""
        instrument = seat.bot.instrument
        if not seat.by_hand:
            return seat.bot.position.quantity
        if instrument.kind is Kind.PERPETUAL:
            return self.ledger.balance(FREE, instrument.symbol)
        return max(ZERO, min(seat.bought, self.ledger.balance(FREE, instrument.base)))  # it may have left otherwise

    def wanted(self, seat: Seat, side: Side) -> Decimal:
        """Return what a bot's entries, or orders by hand, may still bring on ``side``, also those being taken back.

        By hand what was to reduce counts: it may find less to reduce than there was.
        """
        working = [one for one in self.working(seat.spec.id) if seat.by_hand or not one.order.reduces]
        sent = {one.order.id for one in working}
        left = [(one.order, one.left) for one in working]
        left += [(order, order.quantity) for order, _ in seat.bot.entries.values() if order.id not in sent]
        return sum((quantity for order, quantity in left if order.side is side), ZERO)

    def opposes(self, seat: Seat, side: Side) -> bool:
        """Tell whether others hold, or would come to hold, the opposite of ``side`` on the same perpetual.

        A venue nets all that an account holds of one: each would then be closed by the other's entry.
        """
        if seat.bot.instrument.kind is not Kind.PERPETUAL:
            return False
        others = (one for one in self.seats.values() if one is not seat and one.spec.symbol == seat.spec.symbol)
        held = ((self.held(one) * side.sign, self.wanted(one, side.opposite)) for one in others)
        return any(here < 0 or there > max(ZERO, here) for here, there in held)

    def notional(self, seat: Seat, without: str = "") -> Decimal:
        """Return what a bot or somebody by hand holds and has ordered, in quote currency, the entry of this id left
        out. What by hand is less than the venue would take back counts for nothing."""
        bot = seat.bot
        if seat.by_hand:
            waiting = (one for one in self.working(bot.id) if not one.order.reduces and one.order.id != without)
            ordered = sum((one.left * self.valued_at(seat, one.order) for one in waiting), ZERO)
            held = abs(self.held(seat)) * self.price_of(seat)
            return ordered + (held if held >= bot.instrument.min_notional else ZERO)
        entries = sum((order.quantity for order, _ in bot.entries.values() if order.id != without), ZERO)
        return (abs(bot.position.quantity) + entries) * Decimal(repr(bot.mark))

    def open_contracts(self) -> dict[str, Contract]:
        """Return the perpetuals that are open, by symbol."""
        quotes = {seat.spec.symbol: seat.bot.instrument.quote for seat in self.seats.values()}
        nets = {symbol: net for symbol, net in self.contracts.items() if net}
        return {symbol: Contract(quotes[symbol], net.quantity * net.entry_price) for symbol, net in nets.items()}

    def moves_breaker(self, prices: Mapping[str, Decimal], ts: int) -> bool:
        """Tell whether the equity breaker would come further if it saw ``prices`` (by symbol) now (ms)."""
        breaker, rules = self.breaker, self.rules
        if breaker is None or (rules.from_peak is None and rules.from_opening is None):
            return False
        return watch(breaker, rules, self.equity(prices), ts).stage is not breaker.stage

    def working(self, bot: str) -> list[Working]:
        """Return the bot's orders that are not settled."""
        return [one for one in self._under_way.get(bot, {}).values() if not one.settled]

    def legs(self, one: Working) -> list[Working]:
        """Return ``one`` and, if it belongs to a pair, the other leg."""
        if not one.list_id:
            return [one]
        return [leg for leg in self.orders.values() if leg.list_id == one.list_id]

    def guarded(self, seat: Seat) -> bool:
        """Tell whether stops for the whole of the bot's position rest at the venue."""
        bot = seat.bot
        return self.covered(seat) >= protection.sellable(bot.instrument, bot.position.quantity)

    def covered(self, seat: Seat) -> Decimal:
        """Return for how much of the bot's position stops rest at the venue."""
        return protection.covered(self.working(seat.spec.id))

    def bare(self, seat: Seat) -> bool:
        """Tell whether the bot's position wants a stop at the venue that does not rest there, and is not closing."""
        bot = seat.bot
        if not bot.protections or not bot.position or bot.exiting is not None or not self.traits.stops or self.locked:
            return False
        quantity = protection.sellable(bot.instrument, bot.position.quantity)
        if self.covered(seat) >= quantity or not any(one.type is OrderType.STOP for one in bot.protections.values()):
            return False
        return protection.sellable_at(bot.instrument, quantity, self.price_of(seat))

    def overdue(self, seat: Seat, now_ms: int) -> bool:
        """Tell whether the position has been bare for longer than is allowed."""
        limit = self.limits.max_unprotected_ms
        return bool(seat.bare_ms) and limit is not None and now_ms - seat.bare_ms > limit and self.bare(seat)

    @property
    def locked(self) -> bool:
        """Whether nothing at all may leave."""
        return self.trading is TradingState.HALTED and not self.may_reduce

    @property
    def idle(self) -> bool:
        """Whether nothing is held or under way."""
        held = any(seat.bot.position for seat in self.seats.values()) or any(self.contracts.values())
        return not held and not any(self._under_way.values())

    def ours(self, venue_ms: int) -> int:
        """Return a time (ms) of the venue's clock on ours; never before what has been."""
        return max(self.now_ms, venue_ms + self.clock_skew_ms)

    def price_of(self, seat: Seat) -> Decimal:
        """Return about where the bot's market is."""
        known = self.prices.get(seat.spec.symbol)
        return known[0] if known is not None else Decimal(repr(seat.bot.mark))

    def valued_at(self, seat: Seat, order: Order) -> Decimal:
        """Return the price that an order by hand counts at: its own, or the market's where that goes first."""
        last = self.price_of(seat)
        if order.trigger is not None:  # a purchase that is triggered already is one at the market
            return max(order.trigger, last) if order.side is Side.BUY else order.trigger
        if order.price is not None and order.side is Side.SELL and seat.bot.instrument.kind is Kind.PERPETUAL:
            return max(order.price, last)  # below the market it opens a short at the market
        return order.price or last

    def protection(self, bot: str) -> Protection:
        """Tell who guards the bot's position."""
        guards = list(self.seats[bot].bot.protections.values())
        return protection.standing(guards, self.working(bot))

    def unknown(self) -> list[Working]:
        """Return the orders of which it is not known whether the venue has them."""
        return [one for own in self._under_way.values() for one in own.values() if one.life is Life.UNKNOWN]

    def behind(self, report: OrderReport) -> bool:
        """Tell whether ``report`` shows fills of an order of ours that we do not hold."""
        one = self.orders.get(report.client_id)
        return one is not None and report.filled > one.filled

    def touched(self, symbol: str, price: Decimal, ts: int) -> list[GuardTouched]:
        """Return which guards ``price`` has reached that do not rest at the venue, or rest there at another level."""
        found = []
        for seat in self.seats.values():
            bot = seat.bot
            if seat.spec.symbol != symbol or not bot.protections or bot.exiting is not None:
                continue
            # a trailing stop that could not be moved in time rests where it was: price is beyond where it should be
            resting = {
                (one.order.id, one.request.trigger) for one in self.working(bot.id) if one.life in protection.RESTING
            }
            for guard in bot.protections.values():
                reached = price <= guard.level if guard.falling else price >= guard.level
                if reached and (guard.id, guard.level) not in resting:
                    found.append(GuardTouched(bot.id, ts, guard.id, price))
                    break
        return found

    def due(self, now_ms: int) -> bool:
        """Tell whether time alone would make `step` do something: worth a `TimePassed`."""
        return any(self.waits_for(seat, now_ms) for seat in self.seats.values())

    def waits_for(self, seat: Seat, now_ms: int) -> bool:
        """Tell whether a deadline of the bot's has come."""
        return (
            0 < seat.retry_ms <= now_ms
            or 0 < seat.guards_retry_ms <= now_ms
            or 0 < seat.again_ms <= now_ms
            or self.overdue(seat, now_ms)
            or self.stalled(seat, now_ms)
        )

    def stalled(self, seat: Seat, now_ms: int) -> bool:
        """Tell whether a guard that was reached has been filling for too long."""
        exiting = seat.bot.exiting
        return exiting is not None and any(
            one.order.id == exiting.id
            and one.life in protection.RESTING
            and now_ms - one.since_ms >= protection.STALLED_MS
            for one in self.working(seat.spec.id)
        )


def marked(price: Decimal) -> Decimal:
    """Return ``price`` as a bot marks it: through a float, as every decision sees prices."""
    return Decimal(repr(float(price)))
