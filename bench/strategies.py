"""The benchmark's strategy, candle by candle and all at once; a file as a user would write it for ``cambist backtest``.

The numbers are those of work.py, which a file run from the command line cannot import.
"""

from __future__ import annotations

import cambist as cb
from cambist import Signals, SignalStrategy, Strategy, crossed_above, crossed_below, param
from cambist.domain.candles import Candles


class EmaCross(Strategy):
    """Decides candle by candle."""

    fast = param(10, low=5, high=50)
    slow = param(20, low=10, high=200)

    def init(self) -> None:
        self.quick, self.calm = self.ema(self.fast), self.ema(self.slow)

    def next(self) -> None:
        if crossed_above(self.quick, self.calm):
            self.buy(fraction=0.10, stop_loss=0.005, take_profit=0.01)
        elif crossed_below(self.quick, self.calm):
            self.close()


class EmaCrossSignals(SignalStrategy):
    """Decides for all candles at once."""

    def signals(self, candles: Candles) -> Signals:
        quick, calm = cb.indicators.ema(candles.close, 10), cb.indicators.ema(candles.close, 20)
        return Signals(
            enter_long=crossed_above(quick, calm),
            exit_long=crossed_below(quick, calm),
            stop_loss=0.005,
            take_profit=0.01,
            size=0.10,
        )
