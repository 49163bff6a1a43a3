"""The historical loop around the decision: backtests, their proof, their results and reports.

``cambist.backtest`` is this package and, so that ``cb.backtest(strategy, candles)`` reads as it should, can be called:
it is `cambist.backtest.run.backtest`.
"""

import sys
from types import ModuleType
from typing import Any


class _CallablePackage(ModuleType):
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        from cambist.backtest.run import backtest

        return backtest(*args, **kwargs)


sys.modules[__name__].__class__ = _CallablePackage
