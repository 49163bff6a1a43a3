"""One account's journal, event by event: what each has made of its orders, its trades and its worth."""

from dataclasses import replace
from decimal import Decimal

from cambist.domain.account import AccountSpec, BotStatus
from cambist.domain.command import Place, PlacePair, TakeBackOrder, VenueCommand
from cambist.domain.event import (
    AccountEvent,
    CancelStood,
    Decided,
    FillReported,
    FundingPaid,
    HandAmended,
    HandOrdered,
    OrderAbsent,
    OrderLost,
    OrderReported,
    Restarted,
    TriggerMoved,
    Wished,
)
from cambist.domain.order import OrderType, Role
from cambist.domain.past import MANUAL, WHOLE, EquityPoint, PastFill, PastOrder, PastTrade
from cambist.domain.position import ZERO
from cambist.domain.record import record
from cambist.domain.report import FillReport
from cambist.domain.timeframe import DAY_MS, MINUTE_MS
from cambist.domain.wire import to_text
from cambist.domain.wish import Enter, Quantity
from cambist.engine.account import Account, Outcome, Seat
from cambist.engine.recovery import Journaled, replayed
from cambist.engine.state import ClosedTrade
from cambist.execution.orders import Life, Working
from cambist.portfolio.average_cost import Lot, Reduced
from cambist.ports.book import JournalEntry
from cambist.ports.past import Piece, Thinning
from cambist.usecases.past_state import Reading, Sale, source_of, worth, worth_of

HOUR_MS = 60 * MINUTE_MS
MINUTES_FOR_MS, HOURS_FOR_MS = DAY_MS, 90 * DAY_MS
"""For how long worth is kept by the minute, and by the hour; then by the day."""
NOT_RUNNING = "not_running"
"""Why an entry came to nothing that was wished of a bot that was not running."""


class Reader:
    """Reads on from where ``reading`` has come; ``spec`` is the account as it is registered now."""

    def __init__(self, reading: Reading, spec: AccountSpec) -> None:
        self.reading = reading
        self._account = reading.account = replace(reading.account, spec=spec)
        self._seq = 0
        self._orders: dict[str, PastOrder] = {}
        self._fills: list[PastFill] = []
        self._trades: dict[tuple[int, int], PastTrade] = {}
        self._worth: dict[tuple[str, int], Decimal] = {}

    def take(self, journaled: Journaled, entry: JournalEntry) -> None:
        """Take in one entry of the journal."""
        account, event = self._account, journaled.event
        self._begin_minute(entry.ts)
        waiting = [(one, _stands(one)) for one in _concerned(account, event)]
        known = account.orders.get(event.fill.client_id) if isinstance(event, FillReported) else None
        stopped = _not_running(account, event)
        outcome = replayed(account, journaled)
        if isinstance(event, FillReported) and known is not None and outcome.entries:
            self._filled(event.fill, known, entry)
        elif isinstance(event, FundingPaid):
            self._funded(event)
        changed = [one for one, before in waiting if _stands(one) != before]
        changed += [account.orders[name] for command in outcome.commands for name in _named(account, command)]
        for one in changed:
            self._order(one, entry.ts)
        self._refused(event, outcome, entry, stopped=stopped)
        for number, trade in enumerate(outcome.closed):
            self._trades[entry.seq, number] = self._closed(trade, entry.seq, number)
        self._seq = entry.seq

    def piece(self, after_seq: int) -> Piece:
        """Return what has changed since the mark at ``after_seq``, and begin the next."""
        reading, account = self.reading, self._account
        self._note_worth()
        for seat in account.seats.values():  # the desk only ever looks at what it has added itself
            seat.state.trades.clear()
            seat.state.refused.clear()
        for known in (reading.spent, reading.sales):
            for name in [name for name in known if name not in account.orders]:
                del known[name]
        thinning = self._thin()
        piece = Piece(
            account=account.spec.id,
            user_id=account.spec.user_id,
            after_seq=after_seq,
            seq=self._seq,
            state=to_text(Reading, reading),
            orders=list(self._orders.values()),
            fills=self._fills,
            trades=list(self._trades.values()),
            equity=self._points(),
            thinning=thinning,
        )
        self._orders, self._fills, self._trades, self._worth = {}, [], {}, {}
        return piece

    # -- orders -------------------------------------------------------------------------------------------------------

    def _order(self, one: Working, ts: int) -> None:
        request, spec = one.request, self._account.seats[one.order.bot].spec
        spent = self.reading.spent.get(request.client_id)
        self._orders[request.client_id] = PastOrder(
            account=self._account.spec.id,
            client_id=request.client_id,
            user_id=self._account.spec.user_id,
            bot=spec.id,
            source=source_of(spec),
            strategy=spec.strategy,
            symbol=request.symbol,
            side=request.side.value,
            type=request.type.value,
            role=one.order.role.value,
            status=one.life.value,
            reason=one.reason,
            quantity=request.quantity,
            filled=one.filled,
            price=request.price,
            trigger=request.trigger,
            average=spent / one.filled if spent is not None and one.filled else None,
            sent_ms=one.sent_ms,
            changed_ms=ts,
        )

    def _refused(self, event: AccountEvent, outcome: Outcome, entry: JournalEntry, *, stopped: bool) -> None:
        """Keep what was wished or ordered by hand, and came to nothing before it left."""
        if isinstance(event, HandAmended):
            return  # the order that it was about stands as it was
        reasons = [(one.bot, one.reason.value) for one in outcome.refused]
        wishes: list[Enter] = []
        if isinstance(event, Decided | Wished):
            wishes = [wish for wish in event.wishes if isinstance(wish, Enter)]
            if stopped:
                reasons = [(event.bot, NOT_RUNNING)] * len(wishes)
        for number, (bot, reason) in enumerate(reasons):
            if isinstance(event, HandOrdered):
                asked = _Asked(event.side.value, event.type.value, event.quantity, event.price, event.trigger)
            elif wishes and (len(reasons) == len(wishes) or len(set(wishes)) == 1):
                asked = _asked(wishes[number])
            else:  # which of several wishes it was is not told
                asked = _Asked()
            self._keep_refused(f"refused-{entry.seq:012}-{number}", bot, asked, reason, entry.ts)

    def _keep_refused(self, name: str, bot: str, asked: "_Asked", reason: str, ts: int) -> None:
        spec = self._account.seats[bot].spec
        self._orders[name] = PastOrder(
            account=self._account.spec.id,
            client_id=name,
            user_id=self._account.spec.user_id,
            bot=spec.id,
            source=source_of(spec),
            strategy=spec.strategy,
            symbol=spec.symbol,
            side=asked.side,
            type=asked.type,
            role=Role.ENTRY.value,
            status=Life.REFUSED.value,
            reason=reason,
            quantity=asked.quantity,
            filled=ZERO,
            price=asked.price,
            trigger=asked.trigger,
            average=None,
            sent_ms=ts,
            changed_ms=ts,
        )

    # -- fills and trades ---------------------------------------------------------------------------------------------

    def _filled(self, fill: FillReport, one: Working, entry: JournalEntry) -> None:
        reading, seat = self.reading, self._account.seats[one.order.bot]
        name = fill.client_id
        reading.spent[name] = reading.spent.get(name, ZERO) + fill.quantity * fill.price
        self._fills.append(
            PastFill(
                account=self._account.spec.id,
                seq=entry.seq,
                user_id=self._account.spec.user_id,
                bot=seat.spec.id,
                source=source_of(seat.spec),
                client_id=name,
                trade_id=fill.trade_id,
                ts=fill.ts,
                symbol=fill.symbol,
                side=fill.side.value,
                quantity=fill.quantity,
                price=fill.price,
                fee=fill.fee,
                fee_asset=fill.fee_asset or seat.bot.instrument.quote,
                liquidity=fill.liquidity.value,
            )
        )
        if seat.by_hand:
            reduced = reading.lots.setdefault(fill.symbol, Lot()).take(fill, seat.bot.instrument)
            if reduced is not None:
                self._sold(reduced, fill, seat, entry.seq)

    def _funded(self, paid: FundingPaid) -> None:
        seat = self._account.seats[paid.bot]
        if seat.by_hand and seat.spec.symbol in self.reading.lots:
            self.reading.lots[seat.spec.symbol].realised -= paid.amount

    def _sold(self, reduced: Reduced, fill: FillReport, seat: Seat, seq: int) -> None:
        """Count what a fill by hand has made smaller to the trade of its order: one order, one trade."""
        sale = self.reading.sales.setdefault(fill.client_id, Sale(seq, reduced.entry_ts))
        sale.quantity += reduced.quantity
        sale.cost += reduced.cost
        sale.proceeds += reduced.proceeds
        sale.fees += reduced.fees
        self._trades[sale.seq, 0] = PastTrade(
            account=self._account.spec.id,
            seq=sale.seq,
            number=0,
            user_id=self._account.spec.user_id,
            bot=seat.spec.id,
            source=MANUAL,
            strategy=seat.spec.strategy,
            symbol=fill.symbol,
            quote=seat.bot.instrument.quote,
            side="long" if reduced.sign > 0 else "short",
            entry_ts=sale.entry_ts,
            entry_price=sale.cost / sale.quantity,
            exit_ts=fill.ts,
            exit_price=sale.proceeds / sale.quantity,
            quantity=sale.quantity,
            pnl=reduced.sign * (sale.proceeds - sale.cost) - sale.fees,
            fees=sale.fees,
            slippage=ZERO,
            reason=MANUAL,
        )

    def _closed(self, trade: ClosedTrade, seq: int, number: int) -> PastTrade:
        seat = self._account.seats[trade.bot]
        return PastTrade(
            account=self._account.spec.id,
            seq=seq,
            number=number,
            user_id=self._account.spec.user_id,
            bot=trade.bot,
            source=source_of(seat.spec),
            strategy=seat.spec.strategy,
            symbol=seat.spec.symbol,
            quote=seat.bot.instrument.quote,
            side="long" if trade.sign > 0 else "short",
            entry_ts=trade.entry_ts,
            entry_price=trade.entry_price,
            exit_ts=trade.exit_ts,
            exit_price=trade.exit_price,
            quantity=trade.quantity,
            pnl=trade.pnl,
            fees=trade.fees,
            slippage=trade.slippage,
            reason=trade.reason.value,
        )

    # -- worth --------------------------------------------------------------------------------------------------------

    def _begin_minute(self, ts: int) -> None:
        """Note what all was worth when the minute before ended, if ``ts`` begins another."""
        minute = _end(ts, MINUTE_MS)
        if minute > self.reading.minute:
            self._note_worth()
            self.reading.minute = minute

    def _note_worth(self) -> None:
        reading, account = self.reading, self._account
        if not account.opened and not account.seats:
            return
        for bot, seat in account.seats.items():
            self._worth[bot, reading.minute] = worth_of(reading, seat)
        self._worth[WHOLE, reading.minute] = worth(account)

    def _points(self) -> list[EquityPoint]:
        """Return what is worth keeping of what was noted: the last of each minute, hour or day."""
        reading, spec = self.reading, self._account.spec
        last: dict[tuple[str, int, int], int] = {}
        for bot, ts in self._worth:  # in the order of time
            bucket = DAY_MS if ts <= reading.by_day_to else HOUR_MS if ts <= reading.by_hour_to else MINUTE_MS
            last[bot, bucket, _end(ts, bucket)] = ts
        return [
            EquityPoint(
                account=spec.id, bot=bot, ts=ts, user_id=spec.user_id, quote=spec.quote, equity=self._worth[bot, ts]
            )
            for (bot, _, _), ts in last.items()
        ]

    def _thin(self) -> list[Thinning]:
        """Return what of the points kept before has become old enough to be thinned, by the account's own time.

        Both limits end hours and days, so it is the same points that stay, however often this is done.
        """
        reading = self.reading
        hours = (reading.minute - MINUTES_FOR_MS) // HOUR_MS * HOUR_MS
        days = (reading.minute - HOURS_FOR_MS) // DAY_MS * DAY_MS
        found = []
        if hours > reading.by_hour_to:
            found.append(Thinning(after=reading.by_hour_to, upto=hours, bucket=HOUR_MS))
            reading.by_hour_to = hours
        if days > reading.by_day_to:
            found.append(Thinning(after=reading.by_day_to, upto=days, bucket=DAY_MS))
            reading.by_day_to = days
        return found


# -- pieces -----------------------------------------------------------------------------------------------------------


def _concerned(account: Account, event: AccountEvent) -> list[Working]:
    """Return the orders that ``event`` may change by itself."""
    if isinstance(event, Restarted):
        return [one for one in account.orders.values() if one.life is Life.SUBMITTING]
    name = None
    if isinstance(event, OrderReported):
        name = event.report.client_id
    elif isinstance(event, FillReported):
        name = event.fill.client_id
    elif isinstance(event, OrderLost | OrderAbsent | CancelStood | TriggerMoved):
        name = event.client_id
    one = account.orders.get(name) if name else None
    return [] if one is None else [one]


def _stands(one: Working) -> tuple[object, ...]:
    return one.life, one.filled, one.request.trigger, one.request.price, one.request.quantity, one.reason


def _named(account: Account, command: VenueCommand) -> list[str]:
    """Return the client ids of the orders that ``command`` has changed, of those that are still known."""
    match command:
        case Place(request):
            names = [request.client_id]
        case PlacePair(_, stop, target):
            names = [stop.client_id, target.client_id]
        case TakeBackOrder(_, client_id) if client_id in account.orders:
            names = [leg.request.client_id for leg in account.legs(account.orders[client_id])]
        case _:
            names = []
    return [name for name in names if name in account.orders]


def _not_running(account: Account, event: AccountEvent) -> bool:
    return isinstance(event, Decided | Wished) and account.seats[event.bot].status is not BotStatus.RUNNING


@record
class _Asked:
    """What is known of an order that never was."""

    side: str = ""
    type: str = ""
    quantity: Decimal = ZERO
    price: Decimal | None = None
    trigger: Decimal | None = None


def _asked(wish: Enter) -> _Asked:
    kind = OrderType.LIMIT if wish.limit else OrderType.STOP if wish.stop else OrderType.MARKET
    quantity = wish.size.amount if isinstance(wish.size, Quantity) else ZERO
    return _Asked(wish.side.value, kind.value, quantity, _level(wish.limit), _level(wish.stop))


def _level(price: float | None) -> Decimal | None:
    return Decimal(repr(price)) if price else None


def _end(ts: int, bucket: int) -> int:
    """Return when the bucket (ms) that ``ts`` is in ends; one that ends at ``ts`` holds it."""
    return -(-ts // bucket) * bucket
