"""A person's account with bots, webhooks and orders by hand, as the desk deals with it against the exchange in memory.

All of it is journaled in a database: what is read off that has happened.
"""

from collections import deque
from collections.abc import Mapping
from decimal import Decimal

from cambist.adapters.storage.journal import SqlJournal
from cambist.adapters.storage.past import SqlPast
from cambist.adapters.storage.register import SqlRegister
from cambist.domain.account import AccountSpec, BotSpec, BotStatus, Mode
from cambist.domain.command import Place, PlacePair, TakeBackOrder, VenueCommand
from cambist.domain.errors import NotFound, VenueRefused
from cambist.domain.event import (
    AccountEvent,
    BotAdded,
    BotChanged,
    Decided,
    FillReported,
    HandAmended,
    HandCancelled,
    HandOrdered,
    Opened,
    OrderAbsent,
    OrderReported,
    Seen,
)
from cambist.domain.instrument import Instrument
from cambist.domain.order import OrderType, Side
from cambist.domain.report import BalancesReported, FillReport, OrderReport, Status
from cambist.domain.request import Traits
from cambist.domain.timeframe import MINUTE_MS, Timeframe
from cambist.domain.wish import Enter, Exit, Fraction, Wish
from cambist.engine.account import Account
from cambist.engine.desk import step
from cambist.engine.recovery import body_of
from cambist.market.exchange import Exchange
from cambist.market.matching import Costs
from cambist.ports.book import JournalEntry
from cambist.usecases.past import History

BTC, ETH = "BTC/USDT", "ETH/USDT"
START_MS = 1_700_006_400_000
"""A midnight (UTC)."""
TRAITS = Traits(stops=True, oco=True, cuts_to_cash=True)


def rules(symbol: str) -> Instrument:
    return Instrument(
        venue="simulated",
        symbol=symbol,
        tick_size=Decimal("0.01"),
        lot_step=Decimal("0.0001"),
        min_notional=Decimal(5),
        min_quantity=Decimal("0.0001"),
    )


def book_of(url: str, user_id: int | None = None) -> History:
    """Return the history of one user, or of all."""
    return History(SqlPast(url, user_id), SqlJournal(url), lambda _: TRAITS)


class Dealer:
    """One account, and all that happens to it."""

    def __init__(
        self,
        url: str,
        name: str = "main",
        *,
        user_id: int = 1,
        quote: str = "USDT",
        held: Mapping[str, str] | None = None,
        costs: Costs | None = None,
        ts: int = START_MS,
    ) -> None:
        self.spec = AccountSpec(id=name, user_id=user_id, venue="simulated", mode=Mode.PAPER, quote=quote)
        SqlRegister(url).add_account(self.spec)
        self.url, self.ts, self.seq, self.asked = url, ts, 0, 0
        self.journal = SqlJournal(url)
        self.symbols = [f"BTC/{quote}", f"ETH/{quote}"]
        self.prices = dict(zip(self.symbols, (Decimal(100), Decimal(10)), strict=True))
        self._inbox: deque[AccountEvent] = deque()
        self.exchange = Exchange(
            [rules(symbol) for symbol in self.symbols], costs or Costs(slippage_bps=0, volume_share=None), self._hear
        )
        balances = {asset: Decimal(amount) for asset, amount in (held or {quote: "10000"}).items()}
        self.exchange.add_account(name, balances)
        self.account = Account(self.spec, TRAITS)
        self.take(Opened(BalancesReported(self.ts, tuple(self.exchange.balances(name).values()))))
        self.look()

    def history(self) -> History:
        return book_of(self.url, self.spec.user_id)

    def add_bot(
        self, name: str, strategy: str = "ema_cross", symbol: str = "", budget: str = "1000", **params: str
    ) -> str:
        spec = BotSpec(
            id=name,
            user_id=self.spec.user_id,
            account=self.spec.id,
            strategy=strategy,
            params=params,
            symbol=symbol or self.symbols[0],
            timeframe=Timeframe.M1,
            budget=Decimal(budget),
        )
        SqlRegister(self.url).add_bot(spec)
        self.take(BotAdded(self.ts, spec, rules(spec.symbol)))
        self.take(BotChanged(self.ts, name, BotStatus.RUNNING))
        return name

    def look(self, **prices: str) -> None:
        """Let a minute pass, at whose start prices are these (by base currency), and the venue answers."""
        self.ts += MINUTE_MS
        self.prices |= {f"{base}/{self.spec.quote}": Decimal(price) for base, price in prices.items()}
        for symbol, last in self.prices.items():
            self.exchange.at_open(symbol, self.ts, float(last), 1e9)
        self.take(Seen(self.ts, tuple(self.prices.items()), venue_ready=True))
        self._answer()

    def wish(self, bot: str, *wishes: Wish) -> None:
        spec = self.account.seats[bot].spec
        self.take(Decided(bot, self.ts, float(self.prices[spec.symbol]), wishes))
        self._answer()

    def round_trip(self, bot: str, enter: str, leave: str, *, fraction: float = 0.5) -> None:
        """Let a bot buy at one price and sell at another."""
        base = self.account.seats[bot].bot.instrument.base
        self.look(**{base: enter})
        self.wish(bot, Enter(side=Side.BUY, size=Fraction(fraction)))
        self.look()
        self.look(**{base: leave})
        self.wish(bot, Exit())
        self.look()

    def order(self, side: Side, quantity: str, *, symbol: str = "", limit: str | None = None) -> str:
        """Order by hand; return the client id of what left, or nothing."""
        self.asked += 1
        placed = self.take(
            HandOrdered(
                ts=self.ts,
                request=self.asked,
                instrument=rules(symbol or self.symbols[0]),
                side=side,
                type=OrderType.LIMIT if limit else OrderType.MARKET,
                quantity=Decimal(quantity),
                price=Decimal(limit) if limit else None,
            )
        )
        self._answer()
        return next((one.request.client_id for one in placed if isinstance(one, Place)), "")

    def cancel(self, client_id: str) -> None:
        self.asked += 1
        self.take(HandCancelled(self.ts, self.asked, client_id))
        self._answer()

    def amend(self, client_id: str, quantity: str, limit: str) -> None:
        self.asked += 1
        self.take(HandAmended(self.ts, self.asked, client_id, Decimal(quantity), Decimal(limit)))
        self._answer()

    def take(self, event: AccountEvent) -> list[VenueCommand]:
        outcome = step(self.account, event)
        self.seq += 1
        entry = JournalEntry(
            account=self.spec.id,
            seq=self.seq,
            ts=self.ts,
            kind=type(event).__name__,
            body=body_of(event, outcome.commands),
        )
        self.journal.append([entry], [(self.spec.id, one) for one in outcome.entries])
        for command in outcome.commands:
            self._carry_out(command)
        return outcome.commands

    def _hear(self, account: str, report: object) -> None:
        if isinstance(report, OrderReport):
            self._inbox.append(OrderReported(report))
        elif isinstance(report, FillReport):
            self._inbox.append(FillReported(report))

    def _answer(self) -> None:
        while self._inbox:
            self.take(self._inbox.popleft())

    def _carry_out(self, command: VenueCommand) -> None:
        name, exchange = self.spec.id, self.exchange
        match command:
            case Place(request):
                try:
                    self._inbox.append(OrderReported(exchange.submit(name, request)))
                except VenueRefused as error:
                    self._inbox.append(OrderReported(self._refusal(request.client_id, request.symbol, str(error))))
            case PlacePair(list_id, stop, target):
                self._inbox.extend(map(OrderReported, exchange.submit_oco(name, list_id, stop, target)))
            case TakeBackOrder(symbol, client_id):
                try:
                    self._inbox.append(OrderReported(exchange.cancel(name, symbol, client_id)))
                except NotFound:
                    self._inbox.append(OrderAbsent(client_id, self.ts))

    def _refusal(self, client_id: str, symbol: str, why: str) -> OrderReport:
        return OrderReport(
            client_id=client_id, symbol=symbol, status=Status.REFUSED, filled=Decimal(0), ts=self.ts, reason=why
        )
