"""Where finished backtests are kept."""

from dataclasses import dataclass
from typing import Any, Protocol

from cambist.domain.trade import Trade


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredResult:
    """A finished backtest as it is kept: all that identifies it, all that is compared, not its candles."""

    strategy: str
    params: dict[str, Any]
    settings: dict[str, Any]
    engine: str
    venue: str
    symbols: tuple[str, ...]
    timeframe: str
    first_ts: int
    last_ts: int
    candles: int
    data_hash: str
    code_hash: str
    metrics: dict[str, float]
    proof: dict[str, Any]
    notes: tuple[str, ...]
    trades: tuple[Trade, ...] = ()
    equity: tuple[tuple[int, float], ...] = ()
    """(close time ms, equity), thinned to at most a few thousand points that keep its highs and lows."""
    created_ms: int = 0
    """When it was kept (ms)."""
    id: int = 0
    """Given by the store."""


class ResultStore(Protocol):
    """The store of finished backtests, per user."""

    def keep(self, result: StoredResult) -> int:
        """Keep ``result`` and return its id."""
        ...

    def get(self, result_id: int) -> StoredResult:
        """Return the result ``result_id`` with its trades and equity; raise `NotFound`."""
        ...

    def latest(
        self,
        limit: int = 50,
        strategy: str | None = None,
        *,
        venue: str | None = None,
        timeframe: str | None = None,
        before: int | None = None,
    ) -> list[StoredResult]:
        """Return the newest results first, without trades and equity; with ``before`` those of a smaller id."""
        ...

    def forget(self, result_id: int) -> None:
        """Delete one result; raise `NotFound`."""
        ...
