"""Running a `TemplateStrategy`: in truth it is built anew at each candle, over the candles known by then.

That is slow (some hundred candles a second). But when its ``__init__`` only adds columns, one instance built over all
history and shown only what was known by then decides the same, hundreds of times quicker. `TemplateRun` does so where
it holds, and builds anew where it does not.
"""

from contextlib import suppress
from copy import copy
from typing import Any
from warnings import catch_warnings

import numpy as np
import pandas as pd

from cambist.domain.candles import Candles
from cambist.domain.order import Side
from cambist.domain.wish import Enter, Exit, Notional, Wish
from cambist.strategies._base import Account, Held, distance
from cambist.strategies._failed import failed
from cambist.strategies._frame import FrameView, SeriesView
from cambist.strategies._line import Clock
from cambist.strategies._template import TemplateStrategy


def frame_of(candles: Candles) -> pd.DataFrame:
    """Return candles as a DataFrame: columns ``timestamp open high low close volume``, indexed by open time (UTC)."""
    return pd.DataFrame(
        {
            "timestamp": candles.ts,
            "open": candles.open,
            "high": candles.high,
            "low": candles.low,
            "close": candles.close,
            "volume": candles.volume,
        },
        index=pd.DatetimeIndex(pd.to_datetime(candles.ts, unit="ms", utc=True), name="time"),
    )


def columns_of(instance: TemplateStrategy, count: int) -> dict[str, np.ndarray[Any, Any]]:
    """Return what an instance computed: its frames' numeric columns and its series, those of ``count`` values."""
    found: dict[str, np.ndarray[Any, Any]] = {}
    for name, value in vars(instance).items():
        if isinstance(value, pd.DataFrame) and len(value) == count:
            for column in value.select_dtypes(["number", "bool"]):
                label = str(column) if name == "candles" else f"{name}.{column}"
                found[label] = value[column].to_numpy(dtype=np.float64)
        elif isinstance(value, pd.Series | np.ndarray) and value.shape == (count,) and value.dtype.kind in "fiub":
            found[name] = np.asarray(value, dtype=np.float64)
    return found


class _Asked:
    """A template's instances, told of the account and asked in the contract's order."""

    def __init__(
        self, strategy: type[TemplateStrategy], *, cash: float, may_short: bool, account: Account | None
    ) -> None:
        self.strategy = strategy
        self._cash = cash
        self._may_short = may_short
        self._account = account
        self._held = Held()

    def ask(self, instance: TemplateStrategy) -> tuple[Wish, ...]:
        """Return what ``instance`` wishes."""
        held = self._held.quantity
        if held <= 0 and instance.should_long():
            return (self._entry(instance, Side.BUY),)
        if held >= 0 and (held or self._may_short) and instance.should_short():
            return (self._entry(instance, Side.SELL),) if self._may_short else (Exit(),)
        return ()

    def over(self, frame: pd.DataFrame) -> TemplateStrategy:
        """Return an instance built over ``frame``, which it may change."""
        instance = self.strategy(frame, self._cash, None)
        self._address(instance)
        return instance

    def _entry(self, instance: TemplateStrategy, side: Side) -> Enter:
        self._address(instance)
        return Enter(
            side=side,
            size=Notional(float(instance.calculate_position_size())),
            stop_loss=distance(instance.calculate_stop_loss()),
            take_profit=distance(instance.calculate_take_profit()),
        )

    def _address(self, instance: TemplateStrategy) -> None:
        if self._account is not None:
            instance.balance = self._account.cash()
        instance.position = self._held or None

    def _excused(self, error: Exception, count: int) -> bool:
        """Tell whether it looks further back than ``count`` candles, or an indicator has no value to give yet."""
        return count <= self.strategy.warmup and isinstance(error, IndexError | TypeError | AttributeError)


class TemplateLive(_Asked):
    """A template that is built anew at each candle, over the last ``warmup`` ones."""

    def tell(self, held: Held) -> None:
        """Take note of the position."""
        self._held = held

    def decide(self, candles: Candles, seen: int) -> tuple[Wish, ...]:
        """Return what the strategy wishes at the close of the last of ``candles``; there were ``seen`` in all."""
        try:
            return self.ask(self.over(frame_of(candles)))
        except Exception as error:
            if self._excused(error, seen):
                return ()
            raise failed(self.strategy, error, int(candles.ts[-1])) from error


class TemplateRun(_Asked):
    """A template bound to its candles, deciding candle by candle."""

    def __init__(
        self,
        strategy: type[TemplateStrategy],
        candles: Candles,
        *,
        cash: float,
        may_short: bool,
        account: Account | None,
    ) -> None:
        super().__init__(strategy, cash=cash, may_short=may_short, account=account)
        self.frame = frame_of(candles)
        self.columns: dict[str, np.ndarray[Any, Any]] = {}
        self._clock = Clock(len(candles) - 1)
        self._fresh: list[tuple[str, Any]] = []
        try:
            self._instance = self._whole()
        except Exception as error:
            raise failed(strategy, error, self._ts(-1)) from error

    @property
    def rebuilds(self) -> bool:
        """Whether an instance is built anew at each candle, because one over all history would not decide the same."""
        return self._instance is None

    def tell(self, quantity: float, entry_price: float) -> None:
        """Take note of the position."""
        self._held = Held(quantity, entry_price)
        if self._instance is not None:
            self._address(self._instance)

    def decide(self, i: int) -> tuple[Wish, ...]:
        """Return what the strategy wishes at the close of candle ``i``."""
        self._clock.now = i
        if self._instance is not None:
            for name, value in self._fresh:  # one built anew knows nothing of what it kept at other candles
                setattr(self._instance, name, copy(value) if isinstance(value, list | dict | set) else value)
            with suppress(Exception):  # something that views cannot imitate, or an error: the slow way tells which
                return self.ask(self._instance)
        try:
            return self.ask(self.built(i, self.strategy.warmup))
        except Exception as error:
            if self._excused(error, i + 1):
                return ()
            raise failed(self.strategy, error, self._ts(i)) from error

    def built(self, i: int, window: int) -> TemplateStrategy:
        """Return an instance built as live builds it: over the last ``window`` candles up to ``i``."""
        return self.over(self.frame.iloc[max(0, i + 1 - window) : i + 1].copy())

    def _ts(self, i: int) -> int:
        return int(self.frame["timestamp"].iloc[i])

    def _whole(self) -> TemplateStrategy | None:
        """Return one instance over all history that sees only what the clock allows, or None if that is not sound."""
        if _asks_pandas_ta(self.strategy):
            return None
        count = len(self.frame)
        instance = self.strategy(self.frame.copy(), self._cash, None)
        size = max(2, count // 4)
        parts = [self.strategy(part.copy(), self._cash, None) for part in (self.frame[:size], self.frame[-size:])]
        columns = columns_of(instance, count)
        for name, value in list(vars(instance).items()):
            if isinstance(value, pd.DataFrame) and len(value) == count:
                setattr(instance, name, FrameView(value, self._clock))
            elif isinstance(value, pd.Series) and len(value) == count:
                setattr(instance, name, SeriesView(value, self._clock))
            elif isinstance(value, np.ndarray) and value.shape == (count,):
                setattr(instance, name, SeriesView(pd.Series(value, index=self.frame.index), self._clock))
            elif not all(_same(value, vars(part).get(name)) for part in parts):
                return None  # something that depends on how much history there is
        views = (FrameView, SeriesView)
        own = {name: value for name, value in vars(instance).items() if name not in ("balance", "position")}
        self._fresh = [(name, copy(value)) for name, value in own.items() if not isinstance(value, views)]
        if not self._agrees(instance):
            return None
        self.columns = columns
        return instance

    def _agrees(self, instance: TemplateStrategy) -> bool:
        """Tell whether the views carry the strategy's methods: what they cannot imitate raises."""
        for i in {len(self.frame) - 1, len(self.frame) // 2}:
            self._clock.now = i
            try:
                with catch_warnings(action="error", category=FutureWarning):  # pandas-ta's, given what is no Series
                    instance.should_long()
                    instance.should_short()
            except Exception:  # noqa: BLE001 - whatever it is, the slow way will show whether it is the strategy's own
                return False
        return True


def _same(one: Any, other: Any) -> bool:
    try:
        return bool(one is other or one == other or (one != one and other != other))
    except (ValueError, TypeError):
        return False


_CONTRACT = ("should_long", "should_short", "calculate_position_size", "calculate_stop_loss", "calculate_take_profit")


def _asks_pandas_ta(strategy: type[TemplateStrategy]) -> bool:
    """Tell whether the decisions themselves call pandas-ta, which answers None to what is not truly a Series."""
    waiting, seen = list(_CONTRACT), set()
    while waiting:
        name = waiting.pop()
        function: Any = getattr(strategy, name, None)
        if name in seen or not hasattr(function, "__code__"):
            continue
        seen.add(name)
        names = function.__code__.co_names
        found = [function.__globals__.get(name) for name in names]
        homes = [getattr(value, "__module__", None) or getattr(value, "__name__", "") for value in found]
        if any(str(home).startswith("pandas_ta") for home in (*names, *homes)):
            return True
        waiting += names
    return False
