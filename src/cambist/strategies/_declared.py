"""Strategies whose `init` only names indicators, live: one instance, whose lines grow by a value per candle.

The indicators named are recipes. A new candle gives each line one more value, computed over the last candles that the
indicator needs, twice as many where there are; `init` is not called again, so whatever the strategy keeps is kept.
Whether `init` looks at any value, which no recipe can repeat, is found out by watching what a first one reads.
"""

from typing import Any

import numpy as np

from cambist.domain.candles import Candle, Candles
from cambist.domain.errors import StrategyFailed
from cambist.domain.wish import Wish
from cambist.strategies._base import DEFAULT_WARMUP, Account, Held, Strategy
from cambist.strategies._line import Clock, Floats, Line
from cambist.strategies._view import COLUMNS, Recipe, View
from cambist.strategies._window import Gathering, Window

DEEP = 20_000
"""Candles that lines reach back at most, if their indicators need no more."""


class Watched(Clock):
    """A clock that takes note when somebody looks at it: whoever reads a value of a line does."""

    __slots__ = ("_now",)

    @property
    def now(self) -> int:
        self.read = True
        return self._now

    @now.setter
    def now(self, now: int) -> None:
        self._now = now


def only_declares(strategy: Strategy, candles: Candles, account: Account | None) -> bool:
    """Tell whether `init` names indicators without looking at any value; ``strategy`` is used up."""
    clock = Watched(len(candles) - 1)
    strategy._attach(candles, clock, account)
    return not clock.read


class _Growing:
    """One timeframe of a `Declared` strategy."""

    def __init__(self, view: View, window: Window, gathering: Gathering | None) -> None:
        self.view = view
        self.window = window
        self.gathering = gathering
        self.fresh = True
        """Whether a candle of this timeframe has closed with the last one of the strategy's own."""

    def add(self, candle: Candle) -> None:
        done = self.gathering.add(candle) if self.gathering else [candle]
        for whole in done:
            self.window.append(whole)
        self.fresh = bool(done)
        if self.fresh:
            self.view._candles = self.window.candles()


class _Cooked:
    """A recipe and what its lines grow in."""

    def __init__(self, recipe: Recipe, growing: _Growing, base: Window) -> None:
        self.recipe = recipe
        self.rows = rows_of(recipe)
        self._growing = growing
        self._window = growing.window
        self._buffers: list[tuple[Floats, bool]] = [(_grown(line, base), line.relative) for line in recipe.lines]
        self._columns = [self._window.column(name) for name in recipe.inputs]

    def step(self, now: int) -> None:
        """Give each line its value at ``now``."""
        if not self._growing.fresh:  # nothing closed on the larger timeframe
            for buffer, _ in self._buffers:
                buffer[now] = buffer[now - 1]
            return
        recipe, end = self.recipe, self._window.count
        if recipe.of is not None:
            columns = [recipe.of.last(self.rows)]
        else:
            start = max(0, end - self.rows)
            columns = [column[start:end] for column in self._columns]
        out = recipe.function(*columns, *recipe.settings)
        outputs = out if isinstance(out, tuple) else (out,)
        for (buffer, relative), values in zip(self._buffers, outputs, strict=True):
            value, before = values[-1], buffer[now - 1]
            if relative and values.size > 1 and before == before:
                value = before + (values[-1] - values[-2])  # its level goes on where it was
            buffer[now] = value


def rows_of(recipe: Recipe) -> int:
    """Return over how many candles a last value is computed: twice what its indicator promises to need."""
    return 2 * recipe.needs + 2


def _grown(line: Line, base: Window) -> Any:
    buffer = base.add(line._array)
    line.grows_in(buffer)
    return buffer


class Declared:
    """One instance for the life of the bot; each candle gives each line one more value."""

    def __init__(self, strategy: Strategy, history: Candles, account: Account | None) -> None:
        self._strategy = strategy
        strategy._bind(history, account)
        view = strategy.candles
        rows = [rows_of(recipe) for recipe in view._recipes if recipe.view is view]
        own = max(strategy.warmup, DEFAULT_WARMUP)
        self._window = Window(history, max(own, min(strategy._needs(), DEEP), *rows, 0))
        self._base = _Growing(view, self._window, None)
        view._candles = self._window.candles()
        clock = strategy._clock
        clock.live, clock.now, clock.dropped = True, self._window.count - 1, self._window.dropped
        self._larger: dict[str, _Growing] = {}
        self._cooked: list[_Cooked] = []
        self._shown: dict[int, tuple[Any, Any, _Growing]] = {}
        self._take_up(history, late=False)
        self._unborn = [line for line in strategy._lines().values() if np.isnan(line.last(clock.now + 1)).all()]
        self._decide = strategy._decider()

    def see(self, candle: Candle) -> None:
        """Take in a closed candle."""
        self._base.add(candle)
        for growing in self._larger.values():
            growing.add(candle)
        clock, window = self._strategy._clock, self._window
        now = clock.now = window.count - 1
        clock.dropped = window.dropped
        for buffer, source, growing in self._shown.values():
            buffer[now] = source[growing.window.count - 1] if growing.window.count else np.nan
        for cooked in self._cooked:
            cooked.step(now)
        if self._unborn:
            self._unborn = [line for line in self._unborn if float(line) != float(line)]

    def decide(self) -> tuple[Wish, ...]:
        """Return what is wished at the close of the last candle seen."""
        clock = self._strategy._clock
        if self._unborn or clock.dropped + clock.now < 1:
            return ()
        wishes = self._decide(clock.now)
        self._take_up(self._window.candles(), late=True)
        return wishes

    def tell(self, held: Held) -> None:
        """Take note of the position."""
        self._strategy.position = held

    def _take_up(self, history: Candles, *, late: bool) -> None:
        """Let what the strategy has named since the last time grow from here on."""
        strategy = self._strategy
        views = strategy._views
        recipes = strategy.candles._recipes
        for name in views.keys() - self._larger.keys():
            self._larger[name] = self._growing(views[name], history)
        for recipe in recipes[len(self._cooked) :]:
            growing = self._growing_of(recipe.view)
            if late:
                self._check(recipe, growing.window)
            self._cooked.append(_Cooked(recipe, growing, self._window))
        for growing in (self._base, *self._larger.values()):
            for name in COLUMNS:
                line = vars(growing.view).get(name)
                if line is not None and id(line) not in self._shown:
                    self._shown[id(line)] = (_grown(line, self._window), growing.window.column(name), growing)

    def _check(self, recipe: Recipe, window: Window) -> None:
        """Refuse an indicator named in `next` for which candles were not kept, or will not be."""
        kept = min(window.depth, window.count) if self._window.dropped else window.depth
        if recipe.needs > kept:
            raise StrategyFailed("strategy.late_indicator", line=recipe.lines[0].name, needs=recipe.needs, kept=kept)

    def _growing(self, view: View, history: Candles) -> _Growing:
        needs = [rows_of(recipe) for recipe in view._recipes if recipe.view is view]
        window = Window(view._candles, max([DEFAULT_WARMUP, *needs]))
        view._candles = window.candles()
        return _Growing(view, window, Gathering(window.candles().timeframe, history))

    def _growing_of(self, view: View) -> _Growing:
        return next(growing for growing in (self._base, *self._larger.values()) if growing.view is view)
