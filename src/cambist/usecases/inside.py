"""The work of jailed processes: what is asked of them by verb, answered with plain values.

`cambist.adapters.sandbox` is told this module's name: it imports it once, and each jailed process is a copy.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from cambist import indicators
from cambist.backtest import jailed
from cambist.backtest.run import backtest
from cambist.engine.jailed import Inside
from cambist.market.synthetic import synthetic_market
from cambist.strategies._allowed import guard_imports
from cambist.strategies._load import samples
from cambist.usecases.examining import examine

if TYPE_CHECKING:
    from cambist.ports.sandbox import Arrays

_START = 1_704_067_200_000  # 2024-01-01
_bot = Inside()


def prepare() -> None:
    """Import what strategies import, and compile what runs them, so that no jailed process has to."""
    import pandas
    import pandas_ta_classic
    import talib
    from numba.core.caching import Cache

    del pandas, pandas_ta_classic, talib
    candles = synthetic_market(("BTC/USDT",), start_ms=_START, count=1_000, timeframe="1h", seed=1)["BTC/USDT"]
    for name in indicators.names():
        indicator = indicators.find(name)
        indicator(*(getattr(candles, column) for column in indicator.card.inputs))
    for sample in samples().values():
        backtest(sample, candles)
    Cache.save_overload = _not_kept  # what is compiled from here on is compiled where no file can be written
    guard_imports("strategy_")


def _not_kept(cache: object, signature: object, data: object) -> None:
    """Do nothing."""


def handle(
    verb: str, values: Mapping[str, Any], arrays: "Arrays", progress: Callable[[float], None]
) -> tuple[Mapping[str, Any], "Arrays"]:
    """Answer one question; raise ValueError for a verb that is none."""
    match verb:
        case "decide":
            return _bot.decide(values), {}
        case "begin":
            return _bot.begin(values, arrays), {}
        case "needs":
            return _bot.needs(values), {}
        case "backtest":
            return jailed.inside(values, arrays, progress)
        case "examine":
            return examine(values), {}
        case _:
            raise ValueError(verb)
