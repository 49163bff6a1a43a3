"""The box's market under Binance's names and habits."""

from collections.abc import Iterable
from typing import Any

from cambist.domain.candles import Candles
from cambist.market.matching import Costs
from cambist.simulators import market
from cambist.simulators.binance.refusals import Refused
from cambist.simulators.binance.shapes import market_id
from cambist.simulators.market import Customer, Line

__all__ = ["COSTS", "Customer", "Line", "Market"]

COSTS = Costs(slippage_bps=0.0, spread_bps=0.0, volume_share=1.0)
"""A market order pays the last price and may take all that the book shows; a resting one all that is traded."""


class Market(market.Market):
    """A market whose symbols are called as Binance does, and where the fee of a buy is taken from what was bought."""

    def __init__(self, candles: Iterable[Candles], *, costs: Costs = COSTS, **more: Any) -> None:
        """``more`` goes to `cambist.simulators.market.Market`."""
        super().__init__(candles, venue="binance", name_of=market_id, fee_in_base=True, costs=costs, **more)

    def line(self, name: str) -> Line:
        """Return the symbol that the exchange calls ``name``; raise `Refused` (-1121)."""
        found = self.lines.get(name)
        if found is None:
            raise Refused(-1121, "Invalid symbol.")
        return found
