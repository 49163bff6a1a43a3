"""What a bot did, read out of its account's journal: its trades, its decisions, and why some came to nothing.

Every event is taken through the desk again, as at a start; beside it stands what the account's state forgets.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from cambist.domain.account import BotSpec, BotStatus
from cambist.domain.event import (
    AccountEvent,
    BotAdded,
    BotChanged,
    Decided,
    FillReported,
    GuardTouched,
    OrderLost,
    OrderReported,
    Restarted,
    Seen,
    TradingChanged,
)
from cambist.domain.instrument import Instrument
from cambist.domain.order import Order, Role
from cambist.domain.record import record
from cambist.domain.refusal import Reason
from cambist.domain.report import FillReport
from cambist.domain.text import say
from cambist.domain.timeframe import Timeframe
from cambist.domain.trading import BreakerStage
from cambist.domain.wire import from_text
from cambist.domain.wish import Enter, Wish
from cambist.engine.account import Account, Outcome, Seat
from cambist.engine.recovery import Journaled, replayed
from cambist.engine.state import Bot, ClosedTrade
from cambist.execution.breaker import size_factor
from cambist.execution.orders import Life, Working
from cambist.portfolio.ledger import Ledger
from cambist.ports.book import Journal, JournalEntry

_LEG = re.compile(r"\|(?=entry|exit)")


@record
class Why:
    """Why something came out as it did: the key of a text, and what is filled in."""

    key: str
    params: tuple[tuple[str, str], ...] = ()
    texts: tuple[tuple[str, str], ...] = ()
    """What is filled in that is itself the key of a text."""

    @property
    def said(self) -> str:
        """Return it in the language in use."""
        return say(self.key, **dict(self.params), **{name: say(key) for name, key in self.texts})


def why(key: str, *, texts: Mapping[str, str] | None = None, **params: object) -> Why:
    """Return a `Why`; ``params`` are written as text, ``texts`` are keys of texts."""
    return Why(key, tuple((name, str(value)) for name, value in params.items()), tuple((texts or {}).items()))


@dataclass(slots=True)
class Course:
    """What happened to a trade under way."""

    decided_ts: int = 0
    """Open time (ms) of the candle on which its first entry was decided."""
    fills_in: int = 0
    fills_out: int = 0
    fee_assets: set[str] = field(default_factory=set)
    entries: dict[str, Working] = field(default_factory=dict)
    """Entry orders that have filled, by client id."""
    in_ms: int | None = None
    """From the close on which it was decided to the first fill of the entry; of the exit: ``out_ms``."""
    out_ms: int | None = None
    """None: no strategy decided on the exit."""
    lost: bool = False
    """Whether the answer to one of its orders was lost."""
    ended_by: Why | None = None
    """Who or what closed it, if it was not its strategy or a guard at the venue."""

    @property
    def cut(self) -> Why | None:
        """Tell of an entry that ended before it had filled whole."""
        for one in self.entries.values():
            if one.ended and one.life is not Life.FILLED:
                return why("parity.why.partial", filled=f"{one.filled:f}", asked=f"{one.request.quantity:f}")
        return None


@record
class Deal:
    """One position, and what happened to it on its way."""

    trade: ClosedTrade
    course: Course


@dataclass(slots=True)
class Chronicle:
    """All that the journal tells of one bot. Decisions are named by the open time of their candle (ms)."""

    spec: BotSpec | None = None
    """None: the journal knows of no such bot."""
    instrument: Instrument | None = None
    deals: list[Deal] = field(default_factory=list)
    """Trades that have ended, in that order."""
    bot: Bot | None = None
    """As it stands where the journal ends."""
    wishes: dict[int, tuple[Wish, ...]] = field(default_factory=dict)
    nothing: dict[int, Why] = field(default_factory=dict)
    """Per decision, why an entry came to nothing."""
    sized: dict[int, Why] = field(default_factory=dict)
    """Per decision, why an entry was made smaller."""
    by_hand: set[int] = field(default_factory=set)
    """What a person decided, by its time."""
    statuses: list[tuple[int, BotStatus]] = field(default_factory=list)
    """(ms, from then on)."""
    restarts: list[int] = field(default_factory=list)
    fills: list[tuple[int, int]] = field(default_factory=list)
    """(ms, number of the journal's entry) of each execution."""
    differs: int = 0
    """The first entry whose commands come out otherwise now than they were journaled; 0: none."""
    course: Course = field(default_factory=Course)
    """Of the trade under way."""

    def status(self, ts: int) -> BotStatus:
        """Return what the bot was doing just before ``ts`` (ms)."""
        known = BotStatus.CREATED
        for since, status in self.statuses:
            if since >= ts:
                break
            known = status
        return known


def read(account: Account, bot: str, journal: Journal, *, before: int | None = None) -> Chronicle:
    """Return what ``bot`` did, up to the entry numbered ``before``; ``account`` is new, as for `recover`."""
    reader = _Reader(replace(account, seats={}, orders={}, prices={}, ledger=Ledger(), frozen={}), bot)
    for entry in journal.read(account.spec.id):
        if entry.seq == before:
            break
        reader.take(entry)
    return reader.found


class _Reader:
    def __init__(self, account: Account, bot: str) -> None:
        self._account = account
        self._name = bot
        self.found = Chronicle()

    def take(self, entry: JournalEntry) -> None:
        """Take in one entry of the journal."""
        journaled: Journaled = from_text(Journaled, entry.body)
        event = journaled.event
        seat = self._account.seats.get(self._name)
        if seat is None:
            self._apply(entry, journaled)
            seat = self._account.seats.get(self._name)
            if seat is not None and isinstance(event, BotAdded):
                self.found.spec, self.found.instrument, self.found.bot = event.spec, event.instrument, seat.bot
            return
        waiting, exiting = set(seat.bot.entries), seat.bot.exiting is not None
        if isinstance(event, Decided) and event.bot == self._name:
            self._decided(seat, event, entry.ts)
        if isinstance(event, FillReported):
            self._filled(event.fill, entry.seq)
        outcome = self._apply(entry, journaled)
        self._heard(seat, event)
        if not exiting and seat.bot.exiting is not None:
            self.found.course.ended_by = self._who_exits(seat.bot.exiting, event)
        for order in waiting - seat.bot.entries.keys():
            if isinstance(event, BotChanged | TradingChanged | Seen):
                self.found.nothing[decision_of(order)] = why("parity.why.taken_back")
        for refused in outcome.refused:
            if refused.bot == self._name and refused.reason is not Reason.EXPIRED:
                reason = why("parity.why.refused", texts={"about": f"refused.{refused.reason}"})
                self.found.nothing.setdefault(refused.ts, reason)
        for trade in outcome.closed:
            if trade.bot == self._name:
                self.found.deals.append(Deal(trade, self.found.course))
                self.found.course = Course()

    def _apply(self, entry: JournalEntry, journaled: Journaled) -> Outcome:
        outcome = replayed(self._account, journaled)
        if not self.found.differs and tuple(outcome.commands) != journaled.commands:
            self.found.differs = entry.seq
        return outcome

    def _decided(self, seat: Seat, event: Decided, at_ms: int) -> None:
        if _by_hand(event.ts, at_ms, seat.spec.timeframe):
            self.found.by_hand.add(event.ts)
            return
        self.found.wishes[event.ts] = event.wishes
        if any(isinstance(wish, Enter) for wish in event.wishes):
            if seat.status is not BotStatus.RUNNING:
                self.found.nothing[event.ts] = why("parity.why.status", texts={"about": f"parity.status.{seat.status}"})
            breaker = self._account.breaker
            if breaker is not None and size_factor(breaker.stage) != 1:
                self.found.sized[event.ts] = why("parity.why.halved")

    def _filled(self, fill: FillReport, seq: int) -> None:
        one = self._account.orders.get(fill.client_id)
        if one is None or one.order.bot != self._name or fill.trade_id in one.trades:
            return
        self.found.fills.append((fill.ts, seq))
        course, decided = self.found.course, decision_of(one.order.id)
        close_of = self._account.seats[self._name].spec.timeframe.close_of
        if fill.fee:
            course.fee_assets.add(fill.fee_asset)
        if one.order.role is Role.ENTRY:
            if not course.fills_in:
                course.decided_ts = decided
                course.in_ms = fill.ts - close_of(decided)
            course.fills_in += 1
            course.entries[fill.client_id] = one
        else:
            if one.order.role is Role.EXIT and course.out_ms is None:
                course.out_ms = fill.ts - close_of(decided)
            course.fills_out += 1

    def _heard(self, seat: Seat, event: AccountEvent) -> None:
        """Note what has been heard of the bot, and of its orders."""
        found = self.found
        if isinstance(event, BotChanged) and event.bot == self._name:
            found.statuses.append((event.ts, event.status))
        elif isinstance(event, Restarted):
            found.restarts.append(event.ts)
        elif isinstance(event, OrderLost | OrderReported):
            name = event.client_id if isinstance(event, OrderLost) else event.report.client_id
            one = self._account.orders.get(name)
            if one is None or one.order.bot != self._name:
                return
            found.course.lost |= isinstance(event, OrderLost)
            if one.order.role is Role.ENTRY and not one.filled:
                self._entry_failed(one)

    def _entry_failed(self, one: Working) -> None:
        reasons = {
            Life.REFUSED: why("parity.why.venue_refused", reason=one.reason),
            Life.EXPIRED: why("parity.why.expired"),
            Life.UNKNOWN: why("parity.why.unknown"),
        }
        if one.life in reasons:
            self.found.nothing[decision_of(one.order.id)] = reasons[one.life]

    def _who_exits(self, order: Order, event: AccountEvent) -> Why | None:
        """Tell who or what has begun to close the position by ``order``; None for strategy and guards."""
        if isinstance(event, Decided):
            return why("parity.why.by_hand") if event.ts in self.found.by_hand else None
        if isinstance(event, GuardTouched):
            return why("parity.why.watched")
        if order.role is not Role.EXIT:
            return None  # what is left of a guard that has filled in part
        if self._account.flatten:
            return why("parity.why.flattened")
        breaker = self._account.breaker
        flat = breaker is not None and breaker.stage >= BreakerStage.FLATTEN
        return why("parity.why.breaker") if flat else why("parity.why.unprotected")


def _by_hand(ts: int, at_ms: int, timeframe: Timeframe) -> bool:
    """Tell whether a person decided: a strategy's decision is dated by its candle's open, and comes at its close."""
    return at_ms - ts < timeframe.ms // 2


def decision_of(order: str) -> int:
    """Return the time (ms) of the decision from which an entry's, an exit's or a guard's id was made."""
    return int(_LEG.split(order)[0].rsplit("|", 1)[1])
