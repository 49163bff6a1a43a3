"""Buy when a quick average rises above a calm one, leave when it falls below."""

from cambist.strategies._base import Strategy
from cambist.strategies._line import crossed_above, crossed_below
from cambist.strategies._param import param


class EmaCross(Strategy):
    """The cross of two exponential averages, with a stop and a target."""

    fast = param(10, low=2, high=100)
    slow = param(20, low=5, high=400)
    fraction = param(0.5, low=0.01, high=1.0)
    stop_loss = param(0.02, low=0.0, high=0.5)
    take_profit = param(0.04, low=0.0, high=1.0)

    def init(self) -> None:
        self.quick, self.calm = self.ema(self.fast), self.ema(self.slow)

    def next(self) -> None:
        if crossed_above(self.quick, self.calm):
            self.buy(fraction=self.fraction, stop_loss=self.stop_loss, take_profit=self.take_profit)
        elif crossed_below(self.quick, self.calm):
            self.close()
