"""A strategy with an order at each close: in, and out again."""

from cambist import Strategy


class EveryMinute(Strategy):
    def init(self):
        self.calm = self.ema(20)

    def next(self):
        if self.position:
            self.close()
        else:
            self.buy(fraction=0.5)
