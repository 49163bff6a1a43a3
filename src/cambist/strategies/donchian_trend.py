"""The turtles' way: buy new highs, trail a stop by the market's own range."""

from cambist.strategies._base import Strategy
from cambist.strategies._param import param


class DonchianTrend(Strategy):
    """Break of the highest high of some candles, with a trailing stop of some average true ranges."""

    entry = param(55, low=5, high=400)
    leave = param(20, low=3, high=200)
    range_period = param(20, low=2, high=200)
    ranges = param(3.0, low=0.5, high=10.0)
    risk = param(0.01, low=0.001, high=0.1)

    def init(self) -> None:
        self.breakout = self.donchian(self.entry)
        self.floor = self.donchian(self.leave)
        self.range = self.atr(self.range_period)

    def next(self) -> None:
        close = self.candles.close[-1]
        # the channel of the candle before: today's high is part of today's channel
        if not self.position and close > self.breakout.upper[-2]:
            distance = min(0.5, self.ranges * self.range[-1] / close)
            self.buy(risk=self.risk, stop_loss=distance, trailing_stop=distance)
        elif self.position and close < self.floor.lower[-2]:
            self.close()
