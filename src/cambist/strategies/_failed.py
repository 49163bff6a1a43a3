"""What is said when a strategy's own code raises: the strategy, the error, the candle, the line."""

import traceback
from datetime import UTC, datetime
from pathlib import Path

from cambist.domain.errors import CambistError, StrategyFailed

_OURS = str(Path(__file__).parents[1])


def failed(strategy: type, error: BaseException, ts: int) -> CambistError:
    """Return the error to raise for ``error``, which came out of ``strategy`` at the candle opened at ``ts`` (ms)."""
    if isinstance(error, CambistError):
        return error
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not frame.filename.startswith(_OURS)] or frames
    return StrategyFailed(
        "strategy.failed",
        strategy=strategy.__name__,
        error=f"{type(error).__name__}: {error}",
        when=f"{datetime.fromtimestamp(ts / 1000, UTC):%Y-%m-%d %H:%M}",
        line=own[0].lineno if own else 0,
    )
