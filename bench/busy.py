"""A busy account's journal, made by the desk itself against the exchange in memory: what is replayed here is honest.

One bot on one instrument: each minute a look at the market, decisions on two of three candles, entries with a stop and
a target that rest as a pair, exits by signal. Every report of the exchange comes back as an event, as it does live.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from bench.work import FIRST_TS, MINUTE_MS
from cambist.domain.account import AccountSpec, BotSpec, BotStatus, Mode
from cambist.domain.command import Place, PlacePair, TakeBackOrder, VenueCommand
from cambist.domain.errors import NotFound, VenueRefused
from cambist.domain.event import (
    AccountEvent,
    BotAdded,
    BotChanged,
    Decided,
    FillReported,
    Opened,
    OrderAbsent,
    OrderReported,
    Seen,
)
from cambist.domain.instrument import Instrument
from cambist.domain.ledger import LedgerEntry
from cambist.domain.order import Side
from cambist.domain.report import BalancesReported, FillReport, OrderReport, Status
from cambist.domain.request import OrderRequest, Traits
from cambist.domain.timeframe import Timeframe
from cambist.domain.wish import Enter, Exit, Fraction, Wish
from cambist.engine.account import Account
from cambist.engine.desk import step
from cambist.engine.recovery import body_of
from cambist.market.exchange import Exchange
from cambist.market.matching import Costs
from cambist.ports.book import JournalEntry

SYMBOL = "BTC/USDT"
INSTRUMENT = Instrument(
    venue="simulated",
    symbol=SYMBOL,
    tick_size=Decimal("0.01"),
    lot_step=Decimal("0.00001"),
    min_notional=Decimal(5),
    min_quantity=Decimal("0.00001"),
)
SPEC = AccountSpec(id="busy", user_id=1, venue="simulated", mode=Mode.PAPER, quote="USDT")
BOT = BotSpec(
    id="bot",
    user_id=1,
    account=SPEC.id,
    strategy="ema_cross",
    params={},
    symbol=SYMBOL,
    timeframe=Timeframe.M1,
    budget=Decimal(1_000_000_000),
)
TRAITS = Traits(stops=True, oco=True, amend=True, cuts_to_cash=True)


@dataclass(frozen=True, slots=True)
class Taken:
    """One event as it was journaled, and what it booked."""

    entry: JournalEntry
    event: AccountEvent
    booked: list[LedgerEntry]


def new_account() -> Account:
    """Return the account as it is before its journal begins."""
    return Account(SPEC, TRAITS)


class BusyAccount:
    """Trades for as long as it is asked to."""

    def __init__(self, seed: int = 7, begin_ms: int = FIRST_TS) -> None:
        self._random = Random(seed)
        self._ts, self._price, self._seq = begin_ms, 30_000.0, 0
        self._inbox: deque[AccountEvent] = deque()
        self._exchange = Exchange([INSTRUMENT], Costs(volume_share=None), self._hear)
        self._exchange.add_account(SPEC.id, {"USDT": BOT.budget})
        self._exchange.at_open(SYMBOL, self._ts, self._price, 1e6)
        self.account = new_account()

    def events(self, count: int) -> Iterator[Taken]:
        """Yield the next ``count`` events or a few more."""
        end = self._seq + count
        if not self._seq:
            balances = tuple(self._exchange.balances(SPEC.id).values())
            yield from self._take(Opened(BalancesReported(self._ts, balances)))
            yield from self._take(BotAdded(self._ts, BOT, INSTRUMENT))
            yield from self._take(BotChanged(self._ts, BOT.id, BotStatus.RUNNING))
        while self._seq < end:
            yield from self._minute()

    def _hear(self, account: str, report: object) -> None:
        if isinstance(report, OrderReport):
            self._inbox.append(OrderReported(report))
        elif isinstance(report, FillReport):
            self._inbox.append(FillReported(report))

    def _minute(self) -> Iterator[Taken]:
        random, open_ = self._random, round(self._price, 2)
        self._ts += MINUTE_MS
        close = round(open_ * (1 + random.gauss(0, 0.003)), 2)
        high = round(max(open_, close) * (1 + abs(random.gauss(0, 0.001))), 2)
        low = round(min(open_, close) * (1 - abs(random.gauss(0, 0.001))), 2)
        self._exchange.at_open(SYMBOL, self._ts, open_, 1e6)
        yield from self._answer()
        for _ in self._exchange.in_range(SYMBOL, self._ts, (open_, high, low, close), 1e6):
            yield from self._answer()
        # prices stay about where they began, or the account would be rich or broke after a million events
        self._price = close + (30_000.0 - close) * 0.001
        yield from self._take(Seen(self._ts, ((SYMBOL, Decimal(repr(close))),), venue_ready=True))
        if random.random() < 2 / 3:
            yield from self._take(Decided(BOT.id, self._ts, close, (self._wish(),)))
        yield from self._answer()

    def _wish(self) -> Wish:
        if self.account.seats[BOT.id].bot.position:
            return Exit()
        return Enter(side=Side.BUY, size=Fraction(0.1), stop_loss=0.005, take_profit=0.01)

    def _answer(self) -> Iterator[Taken]:
        while self._inbox:
            yield from self._take(self._inbox.popleft())

    def _take(self, event: AccountEvent) -> Iterator[Taken]:
        outcome = step(self.account, event)
        self._seq += 1
        body, kind = body_of(event, outcome.commands), type(event).__name__
        entry = JournalEntry(account=SPEC.id, seq=self._seq, ts=self._ts, kind=kind, body=body)
        yield Taken(entry, event, outcome.entries)
        for command in outcome.commands:
            self._carry_out(command)

    def _carry_out(self, command: VenueCommand) -> None:
        match command:
            case Place(request):
                self._submit((request,), lambda: (self._exchange.submit(SPEC.id, request),))
            case PlacePair(list_id, stop, target):
                self._submit((stop, target), lambda: self._exchange.submit_oco(SPEC.id, list_id, stop, target))
            case TakeBackOrder(symbol, client_id):
                try:
                    self._inbox.append(OrderReported(self._exchange.cancel(SPEC.id, symbol, client_id)))
                except NotFound:
                    self._inbox.append(OrderAbsent(client_id, self._ts))

    def _submit(self, requests: tuple[OrderRequest, ...], send: Callable[[], tuple[OrderReport, ...]]) -> None:
        try:
            self._inbox.extend(map(OrderReported, send()))
        except VenueRefused as error:
            self._inbox.extend(OrderReported(self._refusal(one.client_id, str(error))) for one in requests)

    def _refusal(self, client_id: str, why: str) -> OrderReport:
        return OrderReport(
            client_id=client_id, symbol=SYMBOL, status=Status.REFUSED, filled=Decimal(0), ts=self._ts, reason=why
        )
