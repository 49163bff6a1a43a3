"""What happens in a box: public trades out of candles, and the matching engine that they drive."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from heapq import merge
from itertools import count

from cambist.domain.candles import Candles
from cambist.domain.instrument import Instrument
from cambist.domain.order import Side
from cambist.domain.report import Report
from cambist.domain.tick import TradeTick
from cambist.market.costs import slipped_steps, step_parts
from cambist.market.exchange import Exchange
from cambist.market.matching import Costs
from cambist.simulators import depth
from cambist.simulators.tape import Tape

_NUMBERS = 10**6
"""How many orders and trades an exchange may number before it loses its memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """Someone with an account: the key and the secret that sign for it, what it holds at first, and its name.

    ``withdraws`` is what the exchange says of the key when it is asked; there is nothing to withdraw to.
    """

    key: str
    secret: str
    balances: Mapping[str, Decimal] = field(default_factory=dict)
    name: str = ""
    withdraws: bool = False

    @property
    def account(self) -> str:
        """Return the account's name at the matching engine: the customer's, else the key."""
        return self.name or self.key


@dataclass(frozen=True, slots=True)
class Line:
    """One symbol that is traded here."""

    instrument: Instrument
    tape: Tape


class Market:
    """The symbols of ``candles`` with their trades, and the `Exchange` whose orders these fill.

    ``venue`` is the exchange's name, ``name_of`` says how it calls a symbol, ``fee_in_base`` whether the fee of a buy
    is taken from what was bought. ``instruments`` are the rules, assumed ones where they are not given; ``listen`` is
    told of all reports. The market stands at ``now`` (ms) and moves with `step`.
    """

    def __init__(
        self,
        candles: Iterable[Candles],
        *,
        venue: str,
        name_of: Callable[[str], str],
        fee_in_base: bool,
        costs: Costs,
        instruments: Iterable[Instrument] = (),
        customers: Iterable[Customer] = (),
        seed: int = 0,
        now: int,
        listen: Callable[[str, Report], None] | None = None,
    ) -> None:
        rules = {one.symbol: one for one in instruments}
        self.lines: dict[str, Line] = {}
        """By the exchange's name of the symbol."""
        for series in candles:
            instrument = rules.get(series.symbol) or Instrument.assume(venue, series.symbol, _highest(series))
            self.lines[name_of(series.symbol)] = Line(instrument, Tape(series, instrument.tick_size, seed))
        self.costs = costs
        self.seed = seed
        self.now = now
        self._fee_in_base = fee_in_base
        self._customers = tuple(customers)
        self._listen = listen
        self._openings = count()
        self.exchange = self._opened()
        self._thin: float | None = None
        self.skew_ms = 0
        """How far the clock that is told is off."""
        self.stale_ms = 0
        """How old the books are that are told."""
        self.lie = Decimal(1)
        """What balances are multiplied by when they are told."""

    @property
    def told_now(self) -> int:
        """The time as the exchange tells it, and judges by."""
        return self.now + self.skew_ms

    def told_book(self, line: Line) -> depth.Book:
        """Return the order book as the exchange shows it."""
        return self.book(line, at=self.now - self.stale_ms)

    def customer(self, account: str) -> Customer:
        """Return whose account it is."""
        return next(one for one in self._customers if one.account == account)

    def first_balances(self, account: str) -> Mapping[str, Decimal]:
        """Return what an account held at first."""
        return self.customer(account).balances

    def forget(self) -> None:
        """Begin anew with the accounts as they were at first, where the market stands; no number is given twice."""
        self.exchange = self._opened()

    def step(self, until: int, tell: Callable[[Line, TradeTick], None]) -> None:
        """Let the trades up to ``until`` (ms) happen, in order; ``tell`` is told of each after it has filled orders."""
        tapes = [_dated(name, line.tape.trades(self.now, until)) for name, line in self.lines.items()]
        happened = merge(*tapes, key=lambda one: one[:2])
        for ts, name, trade in happened:
            line = self.lines[name]
            self.now = ts
            price = float(trade.price)
            self.exchange.trade(line.instrument.symbol, ts, price, float(trade.quantity))
            self.exchange.at_open(line.instrument.symbol, ts, price, self.liquidity(trade, line))
            tell(line, trade)
        self.now = max(self.now, until)
        self.exchange.now_ms = max(self.exchange.now_ms, self.now)

    def last(self, line: Line) -> TradeTick | None:
        """Return the last trade of a symbol."""
        return line.tape.last(self.now)

    def book(self, line: Line, *, at: int | None = None) -> depth.Book:
        """Return the order book after the last trade (at ``at``, in ms)."""
        trade = line.tape.last(self.now if at is None else at)
        if trade is None:
            return depth.Book(0, (), ())
        return self.book_after(line, trade)

    def book_after(self, line: Line, trade: TradeTick) -> depth.Book:
        """Return the order book after ``trade``."""
        return depth.book(trade, line.instrument.tick_size, line.instrument.lot_step, self.seed)

    def liquidity(self, trade: TradeTick, line: Line) -> float:
        """Return how much (base) a market order finds."""
        return depth.liquidity(trade, line.instrument.lot_step)

    def offer(self, line: Line, volume: float | None = None) -> None:
        """Let the book offer ``volume`` (base) at the last price; None restores what it offers by itself."""
        self._thin = volume
        trade = self.last(line)
        if trade is not None:
            self.exchange.at_open(line.instrument.symbol, self.now, float(trade.price), self.offered(line))

    def offered(self, line: Line) -> float:
        """Return how much (base) a market order finds now."""
        trade = self.last(line)
        if trade is None or self._thin is not None:
            return self._thin or 0.0
        return self.liquidity(trade, line)

    def bought_for(self, line: Line, side: Side, worth: Decimal, price: Decimal) -> Decimal:
        """Return how much (base, whole lots) a market order at ``price`` trades for ``worth`` of quote currency."""
        rules = line.instrument
        steps = slipped_steps(float(price), side.sign, self.costs.adverse, *step_parts(rules.tick_size))
        return worth // (rules.tick_size * steps * rules.lot_step) * rules.lot_step

    def touch(self, line: Line, price: Decimal, volume: float) -> None:
        """Let ``volume`` (base) be traded through ``price`` for a moment: a dip or a peak beside the public trades."""
        last = self.last(line)
        if last is None:
            return
        around = (math.nextafter(float(price), 0), math.nextafter(float(price), math.inf))
        here = float(last.price)
        bar = (here, max(here, around[1]), min(here, around[0]), here)
        for _ in self.exchange.in_range(line.instrument.symbol, self.now, bar, volume):
            pass
        self.offer(line)

    def _opened(self) -> Exchange:
        instruments = [line.instrument for line in self.lines.values()]
        first_id = 1 + next(self._openings) * _NUMBERS
        exchange = Exchange(instruments, self.costs, self._listen, fee_in_base=self._fee_in_base, first_id=first_id)
        exchange.now_ms = self.now
        for customer in self._customers:
            exchange.add_account(customer.account, customer.balances)
        for line in self.lines.values():
            trade = line.tape.last(self.now)
            if trade is not None:
                exchange.at_open(line.instrument.symbol, self.now, float(trade.price), self.liquidity(trade, line))
        return exchange


def _dated(name: str, trades: Iterable[TradeTick]) -> Iterator[tuple[int, str, TradeTick]]:
    return ((trade.ts, name, trade) for trade in trades)


def _highest(series: Candles) -> float:
    return float(series.high.max()) if len(series) else 1.0
