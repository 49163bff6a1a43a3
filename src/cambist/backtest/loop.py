"""The historical loop: candles in, events to the engine, orders to the books, in the order of time.

At one moment come first the candles that close then (what waits within them acts, in all books), then the decisions
on them, then funding, then the opens at which market orders act. So no bot decides on what it could not know, and the
result does not depend on the order in which candles or strategies were given.
"""

import gc
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from math import inf

import numpy as np
import numpy.typing as npt

from cambist.domain.candles import Candles
from cambist.domain.command import AmendOrder, CancelOrder, SubmitOrder
from cambist.domain.errors import Stopped
from cambist.domain.event import CandleClosed, Decided, Event, FundingPaid, OrderFilled
from cambist.domain.wish import Wish
from cambist.engine.core import process
from cambist.engine.runners import Runner
from cambist.engine.state import Bot, State
from cambist.market.matching import Book

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

Progress = Callable[[float], None]
"""Called with the share of the work that is done, from 0 to 1."""


@dataclass(slots=True)
class Feed:
    """One bot's candles, and all that turns them into events."""

    bot: Bot
    book: Book
    runner: Runner
    candles: Candles
    closes_at: Sequence[int]
    """Close time of each candle (ms)."""
    detail: Candles | None = None
    funding_ts: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    funding_rate: Floats = field(default_factory=lambda: np.empty(0))
    held: list[tuple[int, float]] = field(default_factory=list)
    """(ms, quantity held from then on), at each change."""
    decided: list[int] = field(default_factory=list)
    """Candles at which something was wished."""
    ts: Sequence[int] = field(init=False)
    open: Sequence[float] = field(init=False)
    high: Sequence[float] = field(init=False)
    low: Sequence[float] = field(init=False)
    close: Sequence[float] = field(init=False)
    volume: Sequence[float] = field(init=False)

    def __post_init__(self) -> None:
        # what is read at every candle as lists, which are quickest; the rest as views, which cost nothing to make
        self.ts = np.ascontiguousarray(self.candles.ts).data
        self.open = np.ascontiguousarray(self.candles.open).data
        self.high = self.candles.high.tolist()
        self.low = self.candles.low.tolist()
        self.close = np.ascontiguousarray(self.candles.close).data
        self.volume = np.ascontiguousarray(self.candles.volume).data


class Loop:
    """One account and its feeds."""

    def __init__(self, state: State, feeds: list[Feed]) -> None:
        self.state = state
        self.feeds = feeds
        self.cash: list[tuple[int, float]] = [(0, float(state.cash))]
        """(ms, cash), at each change."""
        self.traded = Decimal(0)
        """Notional of all fills."""

    def run(self, progress: Progress | None = None) -> None:
        """Run through all candles; on Ctrl-C raise `Stopped` saying how far it came."""
        steps = _Steps(progress)
        collecting = gc.isenabled()
        gc.disable()  # nothing here makes cycles, and looking for them takes a sixth of the time
        try:
            if len(self.feeds) == 1:
                self._run_one(self.feeds[0], steps)
            else:
                self._run_all(steps)
        except KeyboardInterrupt:
            raise Stopped("backtest.stopped", percent=f"{100 * steps.share:.0f}") from None
        finally:
            if collecting:
                gc.enable()

    # -- the two schedules --------------------------------------------------------------------------------------------

    def _run_one(self, feed: Feed, steps: "_Steps") -> None:
        """One feed: its candles are the schedule. Quiet candles cost a few comparisons and the decision."""
        book, bot, decide = feed.book, feed.bot, feed.runner.decide
        lows, highs, count = feed.low, feed.high, len(feed.ts)
        fine = feed.detail is not None
        funding = _Funding(feed) if feed.funding_ts.size else None
        for chunk in steps.chunks(feed.runner.first, count):
            for i in chunk:
                if funding is not None and funding.next_ts <= feed.ts[i]:
                    self._fund(feed, funding, feed.ts[i])
                if book.at_open:
                    self._at_open(feed, i)
                if funding is not None and funding.next_ts < feed.closes_at[i]:
                    self._fund(feed, funding, feed.closes_at[i] - 1)
                if lows[i] <= book.wake_below or highs[i] >= book.wake_above or (fine and book.at_open):
                    self._in_range(feed, i)
                wishes = decide(i)
                if wishes or bot.trails:
                    self._decided(feed, i, wishes)

    def _run_all(self, steps: "_Steps") -> None:
        """Several feeds: the moments of all of them, in order."""
        actions = (self._close_range, self._close_decide, self._fund_one, self._at_open)
        moments = _moments(self.feeds)
        for chunk in steps.chunks(0, len(moments)):
            for phase, number, i in moments[chunk.start : chunk.stop]:
                actions[phase](self.feeds[number], i)

    def _close_range(self, feed: Feed, i: int) -> None:
        carried = feed.detail is not None and feed.book.at_open
        if feed.low[i] <= feed.book.wake_below or feed.high[i] >= feed.book.wake_above or carried:
            self._in_range(feed, i)
        feed.bot.mark = feed.close[i]

    def _close_decide(self, feed: Feed, i: int) -> None:
        if i >= feed.runner.first:
            wishes = feed.runner.decide(i)
            if wishes or feed.bot.trails:
                self._decided(feed, i, wishes)

    def _fund_one(self, feed: Feed, k: int) -> None:
        self._pay(feed, int(feed.funding_ts[k]), float(feed.funding_rate[k]))

    # -- one moment ---------------------------------------------------------------------------------------------------

    def _at_open(self, feed: Feed, i: int) -> None:
        price, volume = feed.open[i], feed.volume[i]
        if feed.detail is not None:
            (price, *_), volume = next(iter(self._bars(feed, i)))
        self._open_at(feed, i, price, volume, feed.ts[i] + 1)  # after the close at the same moment

    def _open_at(self, feed: Feed, i: int, price: float, volume: float, when: int) -> None:
        for order in feed.book.take_at_open():
            event = feed.book.fill_at_open(order, feed.ts[i], price, volume, self.state.free_cash)
            if event is not None:
                self._apply(feed, event, when)

    def _in_range(self, feed: Feed, i: int) -> None:
        for number, (bar, volume) in enumerate(self._bars(feed, i)):
            if number and feed.book.at_open:  # what the candle before could not fill goes on at the finer open
                self._open_at(feed, i, bar[0], volume, feed.closes_at[i])
            feed.book.begin_candle()
            while (event := feed.book.next_in_range(feed.ts[i], bar, volume, self.state.free_cash)) is not None:
                self._apply(feed, event, feed.closes_at[i])
            feed.book.end_candle()

    def _bars(self, feed: Feed, i: int) -> Iterable[tuple[tuple[float, float, float, float], float]]:
        """Yield the candle, or the finer candles that it is made of where there are any."""
        fine = feed.detail.between(feed.ts[i], feed.closes_at[i]) if feed.detail is not None else ()
        for bar in fine:
            yield (bar.open, bar.high, bar.low, bar.close), bar.volume
        if not len(fine):
            yield (feed.open[i], feed.high[i], feed.low[i], feed.close[i]), feed.volume[i]

    def _decided(self, feed: Feed, i: int, wishes: tuple[Wish, ...]) -> None:
        if feed.bot.trails:
            closed = CandleClosed(feed.bot.id, feed.ts[i], feed.high[i], feed.low[i], feed.close[i])
            self._apply(feed, closed, feed.closes_at[i])
        if wishes:
            feed.decided.append(i)
            self._apply(feed, Decided(feed.bot.id, feed.ts[i], feed.close[i], wishes), feed.closes_at[i])

    def _fund(self, feed: Feed, funding: "_Funding", until: int) -> None:
        for ts, rate in funding.due(until):
            self._pay(feed, ts, rate)

    def _pay(self, feed: Feed, ts: int, rate: float) -> None:
        """Exchange funding on what is held: at the open of the candle under way, in a gap at the close before it."""
        held = feed.bot.position.quantity
        if held:
            i = int(feed.candles.ts.searchsorted(ts, side="right")) - 1
            price = feed.open[i] if ts < feed.closes_at[i] else feed.close[i]
            amount = held * Decimal(repr(price)) * Decimal(repr(rate))
            self._apply(feed, FundingPaid(feed.bot.id, ts, amount), ts + 1)

    def _apply(self, feed: Feed, event: Event, when: int) -> None:
        """Let the engine decide on ``event`` and obey it; what changes counts from ``when`` (ms)."""
        book = feed.book
        for command in process(self.state, event):
            if type(command) is SubmitOrder:
                book.submit(command.order)
            elif type(command) is CancelOrder:
                book.cancel(command.order)
            elif type(command) is AmendOrder:
                book.amend(command.order, command.trigger)
        if type(event) is OrderFilled:
            self.traded += event.fill.price * event.fill.quantity
            position = feed.bot.position
            quantity = float(position.quantity)
            feed.runner.tell(quantity, float(position.entry_price))
            feed.held.append((when, quantity))
            self.cash.append((when, float(self.state.cash)))
        elif type(event) is FundingPaid:
            self.cash.append((when, float(self.state.cash)))


class _Funding:
    """Funding payments in order of time, handed out once."""

    def __init__(self, feed: Feed) -> None:
        self._ts = feed.funding_ts.tolist()
        self._rates = feed.funding_rate.tolist()
        self._next = 0
        self.next_ts: float = self._ts[0] if self._ts else inf

    def due(self, until: int) -> list[tuple[int, float]]:
        """Return the payments due up to ``until`` (ms)."""
        start = self._next
        while self._next < len(self._ts) and self._ts[self._next] <= until:
            self._next += 1
        self.next_ts = self._ts[self._next] if self._next < len(self._ts) else inf
        return list(zip(self._ts[start : self._next], self._rates[start : self._next], strict=True))


class _Steps:
    """Counts how far a run has come, and says so a hundred times at most."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self.share = 0.0

    def chunks(self, first: int, count: int) -> Iterable[range]:
        size = max(1, (count - first) // 100 + 1)
        for start in range(first, count, size):
            yield range(start, min(start + size, count))
            self.share = min(1.0, (start + size - first) / max(1, count - first))
            if self._progress:
                self._progress(self.share)


def _moments(feeds: list[Feed]) -> list[tuple[int, int, int]]:
    """Return (phase, feed, candle or funding) of all that happens, in order of time, phase and feed."""
    parts = []
    for number, feed in enumerate(feeds):
        closes_at = np.array(feed.closes_at)
        candles = np.arange(len(feed.ts))
        payments = np.flatnonzero((feed.funding_ts >= feed.ts[0]) & (feed.funding_ts < closes_at[-1]))
        for phase, times, positions in (
            (0, closes_at, candles),
            (1, closes_at, candles),
            (2, feed.funding_ts[payments], payments),
            (3, feed.candles.ts, candles),
        ):
            parts.append(np.stack([times, np.full_like(times, phase), np.full_like(times, number), positions]))
    table = np.concatenate(parts, axis=1)
    order = np.lexsort((table[2], table[1], table[0]))
    return [(phase, number, i) for _, phase, number, i in table[:, order].T.tolist()]
