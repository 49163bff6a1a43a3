"""Buy what has fallen too far while the long trend still holds, and sell when it has recovered."""

from cambist.strategies._base import Strategy
from cambist.strategies._param import param


class RsiReversion(Strategy):
    """RSI below a threshold above the long average; risk per trade sets the size."""

    period = param(14, low=2, high=100)
    oversold = param(30.0, low=5.0, high=50.0)
    recovered = param(55.0, low=40.0, high=95.0)
    trend = param(200, low=20, high=1000)
    risk = param(0.01, low=0.001, high=0.1)
    stop_loss = param(0.03, low=0.002, high=0.5)

    def init(self) -> None:
        self.strength = self.rsi(self.period)
        self.average = self.sma(self.trend)

    def next(self) -> None:
        if not self.position and self.strength < self.oversold and self.candles.close > self.average:
            self.buy(risk=self.risk, stop_loss=self.stop_loss)
        elif self.position and self.strength > self.recovered:
            self.close()
