"""Strategies whose `init` looks at values (own arrays and lines, numbers taken from candles), live.

`init` runs anew at each candle, on a new instance; what `next` has set is carried over to it.
"""

import pickle
from collections import deque
from collections.abc import Callable, Sized
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from io import BytesIO
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

import numpy as np

from cambist.domain.candles import Candle, Candles
from cambist.domain.errors import StrategyFailed
from cambist.domain.wish import Wish
from cambist.strategies._base import Account, Held, Strategy
from cambist.strategies._line import Clock, Line
from cambist.strategies._view import View
from cambist.strategies._window import Window


class _AsAtStart:
    """The account as the first `init` found it: what init takes from it is taken once, as in a backtest."""

    def __init__(self, account: Account, price: float) -> None:
        self._equity, self._cash = account.equity(price), account.cash()

    def equity(self, price: float) -> float:
        del price
        return self._equity

    def cash(self) -> float:
        return self._cash


class Recomputed:
    """A new instance for each candle: `init` over the last candles that the strategy needs, then what `next` has set.

    What survives from one candle to the next: everything that `next` sets where `init` had set nothing, or a plain
    value (numbers, text, None, Decimal, date; lists, tuples, sets, dicts and deques of these). What does not: anything
    else that `init` makes (arrays, lines, frames, models, objects), for it is made anew. If `next` changes such a
    thing, which of the two was meant cannot be known, and the strategy is stopped with `StrategyFailed` that names it.
    What happens in functions, classes and modules outside of the instance is not looked at: it survives.
    """

    def __init__(self, make: Callable[[], Strategy], history: Candles, account: Account | None) -> None:
        self._make = make
        self._account = account
        self._at_start = None if account is None else _AsAtStart(account, float(history.close[-1]))
        first = make()
        first._bind(history, account)
        self._needs = first._needs()
        self._window = Window(history, self._needs)
        self._begun = False
        self._carried: dict[str, Any] = {}
        self._held = Held()

    def see(self, candle: Candle) -> None:
        """Take in a closed candle."""
        self._window.append(candle)

    def tell(self, held: Held) -> None:
        """Take note of the position."""
        self._held = held

    def decide(self) -> tuple[Wish, ...]:
        """Return what is wished at the close of the last candle seen."""
        candles = self._window.latest(self._needs)
        now = len(candles) - 1
        strategy = self._make()
        strategy._attach(candles, Clock(now), self._at_start)
        lines = strategy._lines().values()
        self._begun = self._begun or (now > 0 and not any(np.isnan(line.whole).all() for line in lines))
        if not self._begun:
            return ()
        made = {name: _Print(value, now + 1) for name, value in _own(strategy).items()}
        vars(strategy).update(self._carried)
        strategy.position, strategy._account = self._held, self._account
        clock = strategy._clock
        clock.live, clock.dropped = True, self._window.dropped + self._window.count - len(candles)
        wishes = strategy._decider()(now)
        self._carry(strategy, made, now + 1)
        return wishes

    def _carry(self, strategy: Strategy, made: "dict[str, _Print]", count: int) -> None:
        left = _own(strategy)
        for name, value in left.items():
            if name in self._carried or name not in made:
                self._carried[name] = value
                if _Print(value, count).holds_lines:
                    raise StrategyFailed("strategy.live_state", strategy=type(strategy).__name__, name=name)
            elif _Print(value, count).print != made[name].print:
                if not made[name].plain:
                    raise StrategyFailed("strategy.live_state", strategy=type(strategy).__name__, name=name)
                self._carried[name] = value
        for name in made.keys() - left.keys():
            raise StrategyFailed("strategy.live_state", strategy=type(strategy).__name__, name=name)


_NOT_OWN = {*vars(Strategy()), "position"}


def _own(strategy: Strategy) -> dict[str, Any]:
    """Return what the strategy's own code keeps."""
    return {name: value for name, value in vars(strategy).items() if name not in _NOT_OWN}


_PLAIN = (Decimal, Enum, date, timedelta, deque, np.generic, np.dtype)
_FIXED = (type, FunctionType, BuiltinFunctionType, ModuleType, Strategy, View)


class _Print(pickle.Pickler):
    """The print of a value: two are equal if nothing in it has changed in between."""

    def __init__(self, value: Any, count: int) -> None:
        file = BytesIO()
        super().__init__(file, 5)
        self.plain = not (isinstance(value, Sized) and len(value) == count)
        self.holds_lines = False
        try:
            self.dump(value)
            self.print = file.getvalue()
        except Exception as error:  # any that an object's own pickling raises
            raise StrategyFailed("strategy.live_object", type=type(value).__name__) from error

    def persistent_id(self, value: Any) -> Any:
        """Return the name of what cannot change or is made anew, the numbers of frames, None for all else."""
        if isinstance(value, _FIXED):
            return getattr(value, "__qualname__", type(value).__name__)
        if isinstance(value, Line):
            self.plain, self.holds_lines = False, True
            return value.name
        if hasattr(value, "to_numpy"):  # pandas rearranges its blocks when it is read
            self.plain = False
            return value.to_numpy().tobytes()
        return None

    def reducer_override(self, value: Any) -> Any:
        """Note whether there is anything but plain values; pickle it as it wants to be."""
        self.plain = self.plain and isinstance(value, _PLAIN)
        return NotImplemented
