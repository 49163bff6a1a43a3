"""The box's market under Kraken's names and habits."""

from collections.abc import Iterable
from typing import Any

from cambist.domain.candles import Candles
from cambist.market.matching import Costs
from cambist.simulators import market
from cambist.simulators.kraken.names import names_of, pair_id
from cambist.simulators.kraken.refusals import UNKNOWN_PAIR, Refused
from cambist.simulators.market import Line

COSTS = Costs(maker_fee_bps=25.0, taker_fee_bps=40.0, slippage_bps=0.0, spread_bps=0.0, volume_share=1.0)
"""The fees of the smallest accounts; a market order pays the last price and may take all that the book shows."""


class Market(market.Market):
    """A market whose pairs are called as Kraken does, and where all fees are in quote currency."""

    def __init__(self, candles: Iterable[Candles], *, costs: Costs = COSTS, **more: Any) -> None:
        """``more`` goes to `cambist.simulators.market.Market`."""
        super().__init__(candles, venue="kraken", name_of=pair_id, fee_in_base=False, costs=costs, **more)
        self._ids = {name: pair for pair, line in self.lines.items() for name in names_of(line.instrument.symbol)}

    def line(self, name: str | None) -> Line:
        """Return the pair that is asked for as ``name``, by any of its names; raise `Refused`."""
        if name not in self._ids:
            raise Refused(UNKNOWN_PAIR)
        return self.lines[self._ids[name]]
