"""Go with a close outside the bands, leave at the middle: whole arrays of signals at once."""

from cambist import indicators
from cambist.domain.candles import Candles
from cambist.strategies._line import crossed_above, crossed_below
from cambist.strategies._param import param
from cambist.strategies._signals import Signals, SignalStrategy


class BollingerBreakout(SignalStrategy):
    """Breakouts of the Bollinger bands, both ways (shorts on perpetuals only)."""

    period = param(20, low=5, high=200)
    width = param(2.0, low=0.5, high=5.0)
    stop_loss = param(0.03, low=0.0, high=0.5)
    fraction = param(0.5, low=0.01, high=1.0)

    def signals(self, candles: Candles) -> Signals:
        """Enter where the close leaves the bands, leave where it comes back through the middle."""
        bands = indicators.bollinger(candles.close, self.period, self.width)
        return Signals(
            enter_long=crossed_above(candles.close, bands.upper),
            exit_long=crossed_below(candles.close, bands.middle),
            enter_short=crossed_below(candles.close, bands.lower),
            exit_short=crossed_above(candles.close, bands.middle),
            stop_loss=self.stop_loss,
            size=self.fraction,
        )
