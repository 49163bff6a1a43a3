"""Cambist: one engine for people who trade crypto by program.

```python
import cambist as cb

candles = cb.read_candles("BTC_USDT-1h.feather")   # or cb.lake().read("binance", "BTC/USDT", "1h")
result = cb.backtest(MyStrategy(fast=10), candles, cash=10_000)
result.metrics, result.trades, result.equity, result.proof
result.report("out.html")
```

What is not used is not imported: ``import cambist`` takes some milliseconds.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cambist import indicators as indicators
    from cambist.apps.bootstrap import lake as lake
    from cambist.apps.bootstrap import read_candles as read_candles
    from cambist.apps.notebook import sweep as sweep
    from cambist.backtest.optimise.space import between as between
    from cambist.backtest.run import backtest as backtest
    from cambist.domain.candles import Candles as Candles
    from cambist.domain.instrument import Instrument as Instrument
    from cambist.domain.instrument import Kind as Kind
    from cambist.domain.timeframe import Timeframe as Timeframe
    from cambist.market.resample import resample as resample
    from cambist.market.synthetic import synthetic_market as synthetic_market
    from cambist.strategies._base import Strategy as Strategy
    from cambist.strategies._line import crossed_above as crossed_above
    from cambist.strategies._line import crossed_below as crossed_below
    from cambist.strategies._load import load as load_strategy
    from cambist.strategies._param import param as param
    from cambist.strategies._signals import Signals as Signals
    from cambist.strategies._signals import SignalStrategy as SignalStrategy
    from cambist.strategies._template import TemplateStrategy as TemplateStrategy
    from cambist.strategies._view import on_larger as on_larger

_HOMES = {
    "Candles": "domain.candles",
    "Instrument": "domain.instrument",
    "Kind": "domain.instrument",
    "SignalStrategy": "strategies._signals",
    "Signals": "strategies._signals",
    "Strategy": "strategies._base",
    "TemplateStrategy": "strategies._template",
    "Timeframe": "domain.timeframe",
    "between": "backtest.optimise.space",
    "backtest": "backtest",
    "crossed_above": "strategies._line",
    "crossed_below": "strategies._line",
    "indicators": "indicators",
    "lake": "apps.bootstrap",
    "load_strategy": "strategies._load",
    "on_larger": "strategies._view",
    "param": "strategies._param",
    "read_candles": "apps.bootstrap",
    "resample": "market.resample",
    "sweep": "apps.notebook",
    "synthetic_market": "market.synthetic",
}

__all__ = [
    "Candles",
    "Instrument",
    "Kind",
    "SignalStrategy",
    "Signals",
    "Strategy",
    "TemplateStrategy",
    "Timeframe",
    "backtest",
    "between",
    "crossed_above",
    "crossed_below",
    "indicators",
    "lake",
    "load_strategy",
    "on_larger",
    "param",
    "read_candles",
    "resample",
    "sweep",
    "synthetic_market",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'cambist' has no attribute {name!r}")
    home = import_module(f"cambist.{_HOMES[name]}")
    if _HOMES[name] == name:
        return home
    return getattr(home, "load" if name == "load_strategy" else name)


def __dir__() -> list[str]:
    return __all__
