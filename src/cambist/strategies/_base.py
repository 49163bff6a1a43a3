"""`Strategy`: `init` declares, `next` decides, candle by candle."""

from collections.abc import Callable, Sized
from decimal import Decimal
from math import inf
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from cambist.domain.candles import Candles
from cambist.domain.errors import BadStrategy
from cambist.domain.order import Side, TimeInForce
from cambist.domain.record import record
from cambist.domain.wish import CancelEntries, Enter, Exit, Fraction, Notional, Quantity, Risk, Size, Wish
from cambist.strategies._failed import failed
from cambist.strategies._line import Clock, Line
from cambist.strategies._param import Parametrised
from cambist.strategies._view import View, larger

DEFAULT_WARMUP = 500
"""Candles of history given to strategies whose own computations say nothing of how much they need."""
FAR = 1e15
"""Times a price: a protection further away than that is beyond all prices, and none."""


@record
class Held:
    """The position as a strategy sees it. False when flat."""

    quantity: float = 0.0
    """Base currency, negative for a short."""
    entry_price: float = 0.0
    """Average over the entries."""

    def __bool__(self) -> bool:
        return self.quantity != 0.0

    @property
    def is_long(self) -> bool:
        """Whether it gains when price rises."""
        return self.quantity > 0

    @property
    def is_short(self) -> bool:
        """Whether it gains when price falls."""
        return self.quantity < 0


class Account(Protocol):
    """What a strategy may know of the account that it trades from."""

    def equity(self, price: float) -> float:
        """Return cash plus the value of all positions, this strategy's own at ``price``, in quote currency."""
        ...

    def cash(self) -> float:
        """Return what may be spent, in quote currency."""
        ...


class Strategy(Parametrised):
    """A strategy that decides candle by candle.

    Write `init` to declare indicators, and `next` to decide; `next` is called at each closed candle once all
    indicators have values. Any indicator is a method (``self.ema(20)``, ``self.macd().signal``,
    ``self.on("4h").rsi(14)``), any column an attribute of ``self.candles``. What is wished acts at the next open.
    """

    warmup: ClassVar[int] = 0
    """Candles of history that own computations need (indicators know theirs)."""

    def __init__(self, **params: Any) -> None:
        self._take(params)
        self._view: View | None = None
        self._views: dict[str, View] = {}
        self._wishes: list[Wish] = []
        self._clock = Clock(0)
        self._account: Account | None = None
        self.position = Held()

    def init(self) -> None:
        """Declare indicators: over all history in research, over the warm-up window live."""

    def next(self) -> None:
        """Decide, at each closed candle."""

    # -- wishes -------------------------------------------------------------------------------------------------------

    def buy(self, fraction: float | None = None, **how: Any) -> None:
        """Wish to go long: ``buy(fraction=0.1, stop_loss=0.02, take_profit=0.04)``.

        The size is one of ``fraction`` (of equity; all of it by default), ``notional`` (quote currency), ``risk``
        (fraction of equity that the stop may cost), ``quantity`` (base currency). ``limit`` or ``stop`` (prices) make
        the order wait; ``stop_loss``, ``take_profit``, ``trailing_stop`` are fractions of the entry price;
        ``time_in_force`` is ``"gtc"`` or ``"ioc"``. Closes a short first.
        """
        self._wishes.append(_enter(Side.BUY, fraction, **how))

    def sell(self, fraction: float | None = None, **how: Any) -> None:
        """Wish to go short, with the parameters of `buy`; refused on spot. Closes a long first."""
        self._wishes.append(_enter(Side.SELL, fraction, **how))

    def close(self) -> None:
        """Wish to close the position at market; entry orders that still wait are cancelled."""
        self._wishes.append(Exit())

    def cancel(self) -> None:
        """Wish to cancel entry orders that still wait."""
        self._wishes.append(CancelEntries())

    # -- what it sees -------------------------------------------------------------------------------------------------

    @property
    def candles(self) -> View:
        """Return the candles: ``self.candles.close[-1]`` is the last close; in `init`, ``np.asarray`` gives all."""
        if self._view is None:
            raise BadStrategy("candles", type(self).__name__, "strategy.too_early")
        return self._view

    @property
    def ts(self) -> int:
        """Return the open time (ms) of the last closed candle."""
        return int(self.candles.candles.ts[self._clock.now])

    @property
    def equity(self) -> float:
        """Return cash plus the value of all positions, in quote currency."""
        if self._account is None:
            return 0.0
        clock = self._clock
        read = clock.read
        equity = self._account.equity(self.candles.close[-1])
        clock.read = read  # it is the account that was read
        return equity

    def on(self, timeframe: str) -> View:
        """Return this symbol on a larger ``timeframe``, of which only closed candles are seen."""
        if timeframe not in self._views:
            own = self.candles
            self._views[timeframe] = View(larger(own._candles, timeframe), self._clock, shown_on=own)
        return self._views[timeframe]

    def line(self, name: str, values: npt.ArrayLike) -> Line:
        """Return own ``values`` (one per candle) as a line that is revealed candle by candle and drawn in reports."""
        return self.candles.line(name, values, warmup=self.warmup or DEFAULT_WARMUP)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or self._view is None:
            raise AttributeError(f"{type(self).__name__} has no {name!r}")
        return getattr(self._view, name)

    # -- what the loops use -------------------------------------------------------------------------------------------

    def _bind(self, candles: Candles, account: Account | None = None) -> int:
        """Attach to ``candles``, call `init`, and return the position of the first candle on which to decide."""
        self._attach(candles, Clock(len(candles) - 1), account)
        first = 1
        for line in self._lines().values():
            valid = np.flatnonzero(~np.isnan(line.whole))
            first = max(first, int(valid[0]) if valid.size else len(candles))
        return first

    def _attach(self, candles: Candles, clock: Clock, account: Account | None) -> None:
        """Attach to ``candles`` and call `init`."""
        self._clock = clock
        self._view = View(candles, self._clock)
        self._views = {}
        self._wishes = []
        self._account = account
        self.position = Held()
        try:
            self.init()
        except Exception as error:
            raise failed(type(self), error, int(candles.ts[-1])) from error

    def _lines(self) -> dict[str, Line]:
        lines = dict(self.candles.lines)
        for view in self._views.values():
            lines.update(view.lines)
        return lines

    def _needs(self) -> int:
        """Return how many candles of history it needs."""
        lines = self._lines().values()
        count = len(self.candles.candles)
        kept = [value for name, value in vars(self).items() if not name.startswith("_") and not isinstance(value, Line)]
        plain = any(isinstance(value, Sized) and len(value) == count for value in kept)  # arrays, series, lists
        own = self.warmup or (DEFAULT_WARMUP if plain else 0)
        return max(2, own, *(line.warmup + 1 for line in lines)) if lines else max(2, own)

    def _decider(self) -> Callable[[int], tuple[Wish, ...]]:
        """Return what the loop calls at each candle; everything that it touches is at hand in a closure."""
        clock, decide, wishes = self._clock, self.next, self._wishes

        def decide_at(i: int) -> tuple[Wish, ...]:
            clock.now = i
            try:
                decide()
            except Exception as error:
                wishes.clear()  # they were of this candle
                raise failed(type(self), error, self.ts) from error
            if not wishes:
                return ()
            wished = tuple(wishes)
            wishes.clear()
            return wished

        return decide_at


def _enter(
    side: Side,
    fraction: float | None,
    *,
    notional: float | None = None,
    risk: float | None = None,
    quantity: float | str | Decimal | None = None,
    limit: float | None = None,
    stop: float | None = None,
    stop_loss: float | None = None,
    take_profit: float | None = None,
    trailing_stop: float | None = None,
    time_in_force: str = "gtc",
) -> Enter:
    size: Size = Fraction(1.0 if fraction is None else float(fraction))
    if notional is not None:
        size = Notional(float(notional))
    elif risk is not None:
        size = Risk(float(risk))
    elif quantity is not None:
        size = Quantity(Decimal(str(quantity)))
    given = (fraction, notional, risk, quantity)
    if given.count(None) < len(given) - 1:
        raise BadStrategy("size", given, "strategy.one_size")
    for name, price in (("limit", limit), ("stop", stop)):
        if price is not None and not 0.0 < float(price) < inf:
            raise BadStrategy(name, price, "strategy.price")
    if limit is not None and stop is not None:
        raise BadStrategy("limit", limit, "strategy.limit_or_stop")
    return Enter(
        side=side,
        size=size,
        limit=_number(limit),
        stop=_number(stop),
        stop_loss=distance(stop_loss),
        take_profit=distance(take_profit),
        trailing_stop=distance(trailing_stop),
        time_in_force=TimeInForce(time_in_force),
    )


def distance(value: float | Line | None) -> float | None:
    """Return how far away a protection is, as a fraction of the price; None for none."""
    away = _number(value)
    return None if away is None or away > FAR else away


def _number(value: float | Line | None) -> float | None:
    return None if value is None else float(value)
