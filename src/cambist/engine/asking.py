"""Strategies live: each is shown one closed candle at a time, and is asked outside of the event loop.

`LiveRunner` gives, candle for candle, the wishes that `bind` gives over the whole history, if it is begun with the
candles that `warm_up_needed` asks for. Values agree to 1e-9, as indicators promise; a decision that hangs on less than
that (two averages that are equal in a market without a single move) may fall either way.

What a strategy keeps in ``self`` lives as long as its runner. A restart begins anew: nothing of it is on disk.
"""

import asyncio
import ctypes
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Protocol
from weakref import WeakSet

from cambist.domain.candles import Candle, Candles
from cambist.domain.errors import CambistError, StrategyFailed
from cambist.domain.instrument import Instrument, Kind
from cambist.domain.timeframe import Timeframe
from cambist.domain.wish import Wish
from cambist.engine.runners import Given, instance_of
from cambist.market.synthetic import synthetic_market
from cambist.strategies._base import Account, Held, Strategy
from cambist.strategies._declared import Declared, only_declares
from cambist.strategies._failed import failed
from cambist.strategies._recomputed import Recomputed
from cambist.strategies._signals import SignalStrategy, wishes_of
from cambist.strategies._template import TemplateStrategy
from cambist.strategies._window import Window

_TRIALS = (1_000, 20_000)
"""Candles of a made-up market on which a strategy is asked what it needs."""
_START = 1_704_067_200_000  # 2024-01-01, a Monday


def warm_up_needed(strategy: Given, timeframe: Timeframe | str) -> int:
    """Return how many closed candles of ``timeframe`` to load before ``strategy`` can decide as in a backtest.

    Raise `StrategyFailed` if its `init` raises on a market without peculiarities.
    """
    ready = instance_of(strategy)
    if not isinstance(ready, Strategy):
        return max(2, ready.warmup)
    for trial in _TRIALS:
        try:
            market = synthetic_market(("BTC/USDT",), start_ms=_START, count=trial, timeframe=timeframe, seed=1)
            ready._bind(market["BTC/USDT"])
            break
        except StrategyFailed:  # perhaps it wants more history than that
            if trial == _TRIALS[-1]:
                raise
    return ready._needs()


class Apart(Protocol):
    """A strategy that decides in a process of its own."""

    name: str
    last_ts: int
    """Open time of the last candle seen (ms)."""

    def see(self, candle: Candle) -> bool:
        """Take in a closed candle without deciding on it; tell whether it was new (later than all seen)."""
        ...

    def tell(self, quantity: float, entry_price: float) -> None:
        """Take note of the position: base currency, negative for a short, and its average entry price."""
        ...

    async def decide_soon(self, candle: Candle, limit_s: float) -> tuple[Wish, ...]:
        """Return what is wished at the close of ``candle``; raise `StrategyFailed`, also after ``limit_s``."""
        ...

    def close(self) -> None:
        """End its process."""
        ...


class LiveRunner:
    """One bot's strategy, live.

    ``history`` are closed candles, at least one, the more the better; ``account`` is read while the strategy decides.
    A `Strategy` that only names indicators in `init` keeps one instance for life. One whose `init` looks at values is
    made anew at each candle and keeps what `next` sets (`Recomputed` says what exactly). A `SignalStrategy` computes
    its signals over its last ``warmup`` candles and the last row counts; a `TemplateStrategy` is built over those.
    """

    def __init__(self, strategy: Given, history: Candles, instrument: Instrument, *, account: Account) -> None:
        self.strategy = strategy if isinstance(strategy, type) else type(strategy)
        self.last_ts = int(history.ts[-1])
        """Open time of the last candle seen (ms)."""
        self._runner = _live(strategy, history, instrument, account)

    def see(self, candle: Candle) -> bool:
        """Take in a closed candle without deciding on it; tell whether it was new (later than all seen)."""
        if candle.ts <= self.last_ts:
            return False
        self.last_ts = candle.ts
        self._runner.see(candle)
        return True

    def on_candle(self, candle: Candle) -> tuple[Wish, ...]:
        """Return what is wished at the close of ``candle``, nothing for one seen already.

        Raise `StrategyFailed` if the strategy's own code raises.
        """
        return self._runner.decide() if self.see(candle) else ()

    def tell(self, quantity: float, entry_price: float) -> None:
        """Take note of the position: base currency, negative for a short, and its average entry price."""
        self._runner.tell(Held(quantity, entry_price))

    def close(self) -> None:
        """Do nothing: it has nothing but memory."""


def _live(
    strategy: Given, history: Candles, instrument: Instrument, account: Account
) -> "Declared | Recomputed | _Signals | _Template":
    ready = instance_of(strategy)
    if isinstance(ready, SignalStrategy):
        return _Signals(ready, history)
    if not isinstance(ready, Strategy):
        return _Template(ready, history, instrument, account)

    def make() -> Strategy:
        return type(ready)(**ready.values())

    if only_declares(make(), history, account):
        return Declared(ready, history, account)
    return Recomputed(make, history, account)


class _Signals:
    """Signals over the last candles: their last row."""

    def __init__(self, strategy: SignalStrategy, history: Candles) -> None:
        self._strategy = strategy
        self._warmup = max(2, strategy.warmup)
        self._window = Window(history, self._warmup)
        self._held = Held()
        self.decide()  # what has to be imported or compiled is so before the first candle comes

    def see(self, candle: Candle) -> None:
        self._window.append(candle)

    def decide(self) -> tuple[Wish, ...]:
        return wishes_of(self._strategy._columns(self._window.latest(self._warmup)), -1, self._held.quantity)

    def tell(self, held: Held) -> None:
        self._held = held


class _Template:
    """A template built over the last candles."""

    def __init__(
        self, strategy: type[TemplateStrategy], history: Candles, instrument: Instrument, account: Account
    ) -> None:
        from cambist.strategies._template_run import TemplateLive

        may_short = instrument.kind is Kind.PERPETUAL
        self._live = TemplateLive(strategy, cash=account.cash(), may_short=may_short, account=account)
        self._warmup = max(2, strategy.warmup)
        self._window = Window(history, self._warmup)
        self.tell = self._live.tell
        self.decide()  # as above

    def see(self, candle: Candle) -> None:
        self._window.append(candle)

    def decide(self) -> tuple[Wish, ...]:
        window = self._window
        return self._live.decide(window.latest(self._warmup), window.dropped + window.count)


# -- asking several of them -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answer:
    """What one bot's strategy said to one candle."""

    bot: str
    wishes: tuple[Wish, ...] = ()
    error: CambistError | None = None
    """Why there are no wishes: it raised, or it took too long."""


Asked = tuple[str, LiveRunner | Apart, Candle]
"""Bot, its runner, the candle that closed."""


class Asker:
    """Asks strategies one after the other in a thread of its own; one that takes too long does not hold up the rest.

    Such a one is given up, the others go on in a fresh thread. Its thread is told to end, which it does as soon as it
    is back in Python code; its runner is not asked again. The thread never keeps the process from ending.
    Strategies in processes of their own are asked meanwhile, all at once.
    """

    def __init__(self, *, limit_s: float = 5.0) -> None:
        self._limit_s = limit_s
        self._stuck: WeakSet[LiveRunner] = WeakSet()
        self._worker: _Worker | None = None

    async def ask(self, asked: Sequence[Asked]) -> list[Answer]:
        """Return the answers, in the order of ``asked``. Not to be called again before it has returned."""
        there = [
            asyncio.ensure_future(self._apart(bot, runner, candle))
            for bot, runner, candle in asked
            if not isinstance(runner, LiveRunner)
        ]
        here = [await self._one(bot, runner, candle) for bot, runner, candle in asked if isinstance(runner, LiveRunner)]
        if not there:
            return here
        by_bot = {answer.bot: answer for answer in (*here, *(await asyncio.gather(*there)))}
        return [by_bot[bot] for bot, _, _ in asked]

    def close(self) -> None:
        """End the thread once it has nothing to do."""
        if self._worker is not None:
            self._worker.put(None)
            self._worker = None

    async def _apart(self, bot: str, runner: Apart, candle: Candle) -> Answer:
        try:
            return Answer(bot, await runner.decide_soon(candle, self._limit_s))
        except Exception as error:  # noqa: BLE001 - whatever it was, it ends this bot alone
            return Answer(bot, error=failed(type(runner), error, candle.ts))

    async def _one(self, bot: str, runner: LiveRunner, candle: Candle) -> Answer:
        if runner in self._stuck:
            return Answer(bot, error=StrategyFailed("strategy.stuck", strategy=runner.strategy.__name__))
        if self._worker is None:
            self._worker = _Worker()
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[Answer] = loop.create_future()

        def work() -> None:
            answer = _answer(bot, runner, candle)
            with suppress(RuntimeError):  # the loop has ended, and nobody waits
                loop.call_soon_threadsafe(lambda: None if answered.done() else answered.set_result(answer))

        self._worker.put(work)
        done, _ = await asyncio.wait((answered,), timeout=self._limit_s)
        if done:
            return answered.result()
        answered.cancel()
        self._stuck.add(runner)
        self._worker.give_up()
        self._worker = None
        error = StrategyFailed("strategy.too_long", strategy=runner.strategy.__name__, limit_s=f"{self._limit_s:g}")
        return Answer(bot, error=error)


def _answer(bot: str, runner: LiveRunner, candle: Candle) -> Answer:
    try:
        return Answer(bot, runner.on_candle(candle))
    except _GivenUp:
        raise
    except BaseException as error:  # noqa: BLE001 - it is other people's code: even exit() must end this bot alone
        return Answer(bot, error=failed(runner.strategy, error, candle.ts))


class _GivenUp(BaseException):
    """Raised inside a strategy that has taken too long."""


class _Worker:
    """A thread that does what is put to it, in turn."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self.put = self._queue.put
        self.thread = threading.Thread(target=self._run, name="strategies", daemon=True)
        self.thread.start()

    def give_up(self) -> None:
        """Tell the thread to end, wherever it is."""
        ident = ctypes.c_ulong(self.thread.ident or 0)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(_GivenUp))
        self.put(None)

    def _run(self) -> None:
        try:
            while (work := self._queue.get()) is not None:
                work()
        except _GivenUp:
            return
