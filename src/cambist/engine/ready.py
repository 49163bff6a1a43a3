"""Strategies about to run live, wherever they decide: in this process, or jailed in one of their own."""

from typing import Protocol

from cambist.domain.account import BotSpec
from cambist.domain.candles import Candles
from cambist.domain.instrument import Instrument
from cambist.domain.timeframe import Timeframe
from cambist.engine.asking import Apart, LiveRunner, warm_up_needed
from cambist.engine.runners import Given, Runner, bind, configured
from cambist.strategies._base import Account


class Ready(Protocol):
    """A strategy about to run live."""

    def warm_up(self, timeframe: Timeframe) -> int:
        """Return how many closed candles of history it needs; raise `StrategyFailed`, `BadStrategy`. Blocks."""
        ...

    def begin(self, history: Candles, instrument: Instrument, account: Account) -> LiveRunner | Apart:
        """Return what decides from the next candle after ``history`` on. Raises and blocks as `warm_up` does."""
        ...

    def over(self, candles: Candles, instrument: Instrument, account: Account) -> Runner:
        """Return it as a backtest asks it, over candles that are all there; raises and blocks as `begin` does."""
        ...

    def close(self) -> None:
        """Let it go, and whatever it has begun."""
        ...


class Known:
    """A strategy of the server's own, or of whoever runs it: it decides in this process."""

    def __init__(self, strategy: Given) -> None:
        self._strategy = strategy

    def warm_up(self, timeframe: Timeframe) -> int:
        """Return how many closed candles of history it needs; raise `StrategyFailed`."""
        return warm_up_needed(self._strategy, timeframe)

    def begin(self, history: Candles, instrument: Instrument, account: Account) -> LiveRunner:
        """Return its runner; raise `StrategyFailed` if its `init` raises."""
        return LiveRunner(self._strategy, history, instrument, account=account)

    def over(self, candles: Candles, instrument: Instrument, account: Account) -> Runner:
        """Return it bound to ``candles``; raise `StrategyFailed` if its own code raises."""
        return bind(self._strategy, candles, instrument, cash=account.cash(), account=account)

    def close(self) -> None:
        """Do nothing: it has nothing but memory."""


def known(spec: BotSpec) -> Known:
    """Return the strategy that ``spec`` names, out of this machine's files; raise `BadStrategy`, `BadInput`."""
    return Known(configured(spec.strategy, spec.params))
