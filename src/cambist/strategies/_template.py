"""`TemplateStrategy`: the classic shape, ``__init__(candles, balance, position)`` and five methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from cambist.strategies._base import DEFAULT_WARMUP, Held
from cambist.strategies._param import Parametrised

if TYPE_CHECKING:  # pandas takes half a second to import, and most strategies do without
    import pandas as pd


class TemplateStrategy(Parametrised):
    """A strategy in the classic shape. ``balance`` is the free cash in quote currency; ``position`` is None when flat.

    ``calculate_position_size`` is an amount of quote currency, stop-loss and take-profit are fractions of the entry
    price (0: none). On spot `should_short` closes a long; on perpetuals it turns to short.
    """

    warmup: ClassVar[int] = DEFAULT_WARMUP

    def __init__(self, candles: pd.DataFrame, balance: float, position: Held | None = None) -> None:
        self.candles = candles
        self.balance = balance
        self.position = position

    def should_long(self) -> bool:
        """Tell whether to go long."""
        return False

    def should_short(self) -> bool:
        """Tell whether to go short (on spot: to sell what is held)."""
        return False

    def calculate_position_size(self) -> float:
        """Return how much quote currency to put in."""
        return 0.0

    def calculate_stop_loss(self) -> float:
        """Return the stop-loss as a fraction of the entry price; 0 for none."""
        return 0.0

    def calculate_take_profit(self) -> float:
        """Return the take-profit as a fraction of the entry price; 0 for none."""
        return 0.0

    @classmethod
    def configured(cls, **params: Any) -> type[TemplateStrategy]:
        """Return this strategy with these values of its parameters."""
        holder = Parametrised()
        holder.params = cls.params  # type: ignore[misc]
        holder._take(params)
        return type(cls.__name__, (cls,), {**holder.values(), "__module__": cls.__module__, "_origin": cls})
