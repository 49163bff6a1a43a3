"""Strategies of the three shapes bound to their candles, so that the loop sees but one kind."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cambist.domain.candles import Candles
from cambist.domain.errors import BadStrategy
from cambist.domain.instrument import Instrument, Kind
from cambist.domain.wish import Wish
from cambist.strategies._base import Account, Held, Strategy
from cambist.strategies._load import AnyStrategy, load
from cambist.strategies._signals import SignalStrategy, wishes_of
from cambist.strategies._template import TemplateStrategy

Given = Strategy | SignalStrategy | type[Strategy] | type[SignalStrategy] | type[TemplateStrategy]
"""A strategy to run: an instance, or a class whose parameters keep their defaults."""


@dataclass(slots=True)
class Runner:
    """One strategy bound to its candles."""

    first: int
    """Position of the first candle on which it decides."""
    decide: Callable[[int], tuple[Wish, ...]]
    """Takes a candle's position, gives what is wished at its close."""
    tell: Callable[[float, float], None]
    """Takes the quantity held and its entry price, at each change."""
    columns: dict[str, npt.NDArray[Any]]
    """Everything that it computed over all history, by name: what the proof compares."""
    units: dict[str, str]
    """Units of those columns that are indicators."""
    warmup: int
    """Candles of history that it needs."""


def name_of(strategy: Given) -> str:
    """Return a strategy's name."""
    return strategy.__name__ if isinstance(strategy, type) else type(strategy).__name__


def params_of(strategy: Given) -> dict[str, Any]:
    """Return a strategy's parameters and their values."""
    if isinstance(strategy, type):
        return {name: getattr(value, "default", value) for name, value in _declared(strategy).items()}
    return strategy.values()


def _declared(strategy: type) -> dict[str, Any]:
    return {name: getattr(strategy, name) for name in strategy.params}  # type: ignore[attr-defined]


def configured(name: str, params: Mapping[str, Any]) -> Given:
    """Return the strategy called ``name`` (a sample, or ``path/to/file.py[:Class]``) with ``params``, as text or typed.

    Raise `BadStrategy` if there is none, `BadInput` for parameters that it does not have or take.
    """
    return given(load(name), params)


def given(strategy: AnyStrategy, params: Mapping[str, Any]) -> Given:
    """Return ``strategy`` with ``params``, as text or typed; raise `BadInput` for those that it does not take."""
    return strategy.configured(**params) if issubclass(strategy, TemplateStrategy) else strategy(**params)


def instance_of(strategy: Given) -> Strategy | SignalStrategy | type[TemplateStrategy]:
    """Return an instance to run; templates stay classes, for they are built over candles."""
    if isinstance(strategy, Strategy | SignalStrategy):
        return type(strategy)(**strategy.values())  # its own, so that no run leaves traces in what was given
    if isinstance(strategy, type):
        if issubclass(strategy, TemplateStrategy):
            return strategy if "_origin" in vars(strategy) or not strategy.params else strategy.configured()
        if issubclass(strategy, Strategy | SignalStrategy):
            return strategy()
    raise BadStrategy("strategy", repr(strategy), "strategy.no_class")


def bind(
    strategy: Given, candles: Candles, instrument: Instrument, *, cash: float, account: Account | None = None
) -> Runner:
    """Return ``strategy`` bound to ``candles``; raise `StrategyFailed` if its own code raises."""
    ready = instance_of(strategy)
    if isinstance(ready, Strategy):
        return _bind_strategy(ready, candles, account)
    if isinstance(ready, SignalStrategy):
        return _bind_signals(ready, candles)
    return _bind_template(ready, candles, instrument, cash, account)


def _bind_strategy(strategy: Strategy, candles: Candles, account: Account | None) -> Runner:
    first = strategy._bind(candles, account)
    lines = strategy._lines()
    columns: dict[str, npt.NDArray[Any]] = {name: line.whole for name, line in lines.items()}
    columns |= plain_columns(strategy, len(candles))

    def tell(quantity: float, entry_price: float) -> None:
        strategy.position = Held(quantity, entry_price)

    units = {name: line.unit for name, line in lines.items()}
    return Runner(first, strategy._decider(), tell, columns, units, strategy._needs())


def plain_columns(strategy: Strategy, count: int) -> dict[str, npt.NDArray[Any]]:
    """Return what `init` kept besides lines: arrays of one value per candle, and numbers (as arrays of one)."""
    found: dict[str, npt.NDArray[Any]] = {}
    for name, value in vars(strategy).items():
        if name.startswith("_") or name in strategy.params:
            continue
        if isinstance(value, bool | int | float | np.number):
            found[name] = np.array([float(value)])
        elif (isinstance(value, list | tuple) and len(value) == count) or hasattr(value, "shape"):
            array = np.asarray(value)
            if array.shape == (count,) and array.dtype.kind in "fiub":
                found[name] = array.astype(np.float64)
    return found


def _bind_signals(strategy: SignalStrategy, candles: Candles) -> Runner:
    columns = strategy._columns(candles)
    any_wish: list[bool] = []  # made when the event loop first asks: the compiled simulator never does
    held = 0.0

    def decide(i: int) -> tuple[Wish, ...]:
        if not any_wish:
            flags = [
                columns[name].astype(np.bool_) for name in ("enter_long", "exit_long", "enter_short", "exit_short")
            ]
            any_wish.extend(np.broadcast_to(np.logical_or.reduce(np.broadcast_arrays(*flags)), len(candles)).tolist())
        return wishes_of(columns, i, held) if any_wish[i] else ()

    def tell(quantity: float, entry_price: float) -> None:
        nonlocal held
        held = quantity

    return Runner(0, decide, tell, dict(columns), {}, strategy.warmup)


def _bind_template(
    strategy: type[TemplateStrategy], candles: Candles, instrument: Instrument, cash: float, account: Account | None
) -> Runner:
    from cambist.strategies._template_run import TemplateRun

    run = TemplateRun(strategy, candles, cash=cash, may_short=instrument.kind is Kind.PERPETUAL, account=account)
    return Runner(1, run.decide, run.tell, dict(run.columns), {}, strategy.warmup)
