"""`SignalStrategy`: whole arrays of signals at once; backtests run it in the compiled simulator."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from cambist.domain.candles import Candles
from cambist.domain.errors import BadStrategy
from cambist.domain.order import Side
from cambist.domain.wish import Enter, Exit, Fraction, Wish
from cambist.strategies._base import DEFAULT_WARMUP, FAR
from cambist.strategies._failed import failed
from cambist.strategies._param import Parametrised

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """Signals for every candle: arrays of booleans, and fractions as arrays or single numbers.

    ``stop_loss`` and ``take_profit`` are fractions of the entry price (0, NaN or infinity: none), ``size`` is one of
    equity (all of it by default). An exit ends a position of its side; where both sides enter at once, neither does.
    """

    enter_long: npt.ArrayLike | None = None
    exit_long: npt.ArrayLike | None = None
    enter_short: npt.ArrayLike | None = None
    exit_short: npt.ArrayLike | None = None
    stop_loss: npt.ArrayLike | None = None
    take_profit: npt.ArrayLike | None = None
    size: npt.ArrayLike | None = None

    def columns(self, count: int) -> dict[str, Bools | Floats]:
        """Return the columns as arrays of ``count`` values, or of one where a single number holds throughout."""
        return {
            **{name: _flags(name, getattr(self, name), count) for name in FLAGS},
            **{name: _fractions(name, getattr(self, name), count) for name in FRACTIONS},
        }


FLAGS = ("enter_long", "exit_long", "enter_short", "exit_short")
FRACTIONS = {"stop_loss": 0.0, "take_profit": 0.0, "size": 1.0}


class SignalStrategy(Parametrised):
    """A strategy that gives all its signals at once; live, its last row is the signal."""

    warmup: ClassVar[int] = DEFAULT_WARMUP
    """Candles of history that the last row needs to be what it would be over all history."""

    def __init__(self, **params: Any) -> None:
        self._take(params)

    def signals(self, candles: Candles) -> Signals:
        """Return the signals on ``candles``; row i may depend on candles 0 to i alone."""
        raise NotImplementedError

    def _columns(self, candles: Candles) -> dict[str, Bools | Floats]:
        try:
            signals = self.signals(candles)
        except Exception as error:
            raise failed(type(self), error, int(candles.ts[-1])) from error
        if not isinstance(signals, Signals):
            raise BadStrategy("signals", type(signals).__name__, "strategy.signals_type")
        return signals.columns(len(candles))


def wishes_of(columns: dict[str, Bools | Floats], i: int, held: float) -> tuple[Wish, ...]:
    """Return the wishes of row ``i``, for a strategy that holds ``held`` (base currency, negative for a short)."""
    wishes: list[Wish] = []
    if (held > 0 and _at(columns["exit_long"], i)) or (held < 0 and _at(columns["exit_short"], i)):
        wishes.append(Exit())
    for name, side in (("enter_long", Side.BUY), ("enter_short", Side.SELL)):
        if _at(columns[name], i):
            wishes.append(
                Enter(
                    side=side,
                    size=Fraction(float(_at(columns["size"], i))),
                    stop_loss=float(_at(columns["stop_loss"], i)),
                    take_profit=float(_at(columns["take_profit"], i)),
                )
            )
    return tuple(wishes)


def _at(column: Bools | Floats, i: int) -> Any:
    return column[i] if column.size > 1 else column[0]


def _flags(name: str, values: npt.ArrayLike | None, count: int) -> Bools:
    if values is None:
        return np.zeros(1, dtype=np.bool_)
    array = np.asarray(values)
    if array.shape != (count,):
        raise BadStrategy(name, array.shape, "line.shape", count=count)
    if array.dtype != np.bool_:
        # pandas gives objects or floats where NaN crept in; what is not plainly true is not a signal
        array = np.asarray(np.nan_to_num(array.astype(np.float64)) != 0.0)
    return np.ascontiguousarray(array)


def _fractions(name: str, values: npt.ArrayLike | None, count: int) -> Floats:
    array = np.atleast_1d(np.asarray(FRACTIONS[name] if values is None else values, dtype=np.float64))
    if array.shape not in ((count,), (1,)):
        raise BadStrategy(name, array.shape, "line.shape", count=count)
    if name != "size" and (far := array > FAR).any():
        array = np.where(far, 0.0, array)
    return np.ascontiguousarray(array)
