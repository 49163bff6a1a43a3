"""Enters at every second close, holds for a few, always with a stop: as many orders as there can be."""

from cambist import Strategy


class Busy(Strategy):
    def init(self) -> None:
        self.held = 0
        self.calm = self.sma(3)

    def next(self) -> None:
        self.held = self.held + 1 if self.position else 0
        if not self.position:
            self.buy(fraction=0.5, stop_loss=0.01, take_profit=0.015)
        elif self.held >= 4:
            self.close()
