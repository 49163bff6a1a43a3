"""Take small pullbacks only in the direction of the larger timeframe."""

from cambist.strategies._base import Strategy
from cambist.strategies._line import crossed_above
from cambist.strategies._param import param


class MultiTimeframeTrend(Strategy):
    """The larger timeframe's averages say which way, this timeframe's RSI says when."""

    larger = param("4h", choices=("15m", "1h", "4h", "1d"))
    quick = param(20, low=2, high=200)
    calm = param(50, low=5, high=400)
    dip = param(40.0, low=10.0, high=50.0)
    stop_loss = param(0.02, low=0.002, high=0.5)
    take_profit = param(0.05, low=0.002, high=1.0)

    def init(self) -> None:
        big = self.on(self.larger)
        self.big_quick, self.big_calm = big.ema(self.quick), big.ema(self.calm)
        self.strength = self.rsi(14)

    def next(self) -> None:
        rising = self.big_quick > self.big_calm
        if rising and not self.position and crossed_above(self.strength, self.dip):
            self.buy(fraction=0.5, stop_loss=self.stop_loss, take_profit=self.take_profit)
        elif self.position and not rising:
            self.close()
