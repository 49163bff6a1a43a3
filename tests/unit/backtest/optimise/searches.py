"""What a search needs besides the search: a log in memory, crews of this thread, and something quick to evaluate."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np

from cambist.backtest.optimise.stretches import Evaluated
from cambist.domain.errors import BadInput
from cambist.domain.metrics import METRICS
from cambist.domain.search import Params, Span, Trial


class Memory:
    """A log that lasts as long as the test (`cambist.ports.trials.TrialLog`)."""

    def __init__(self) -> None:
        self.kept: dict[int, Trial] = {}
        self.appended: list[int] = []
        """How many trials came at a time."""

    def append(self, trials: Sequence[Trial]) -> None:
        self.appended.append(len(trials))
        for trial in trials:
            self.kept.setdefault(trial.number, trial)

    def numbers(self) -> set[int]:
        return set(self.kept)

    def read(self) -> Iterator[Trial]:
        return (self.kept[number] for number in sorted(self.kept))


@dataclass
class Unordered:
    """A crew of this thread, whose batches come back as from several workers: the last one first."""

    workers: int = 1
    batches: list[Any] = field(default_factory=list)
    closed: int = 0

    def work(self, do, shared, batches):
        source = iter(batches)
        try:
            while held := list(islice(source, self.workers)):
                self.batches += held
                for batch in reversed(held):
                    yield batch, do(shared, batch)
        finally:
            self.closed += 1

    def close(self) -> None:
        pass


@dataclass
class Hill:
    """Combinations whose Sharpe ratio is best in one place; quick, and it fails as strategies do."""

    fused: bool = True
    whole: Span = field(default_factory=lambda: Span(start_ts=0, stop_ts=1_000))
    strategy_name: str = "Hill"
    seen: list[tuple[dict[str, Any], Span | None]] = field(default_factory=list)

    def evaluate(self, params: Params, spans: Sequence[Span] | None = None) -> list[Evaluated]:
        self.seen.append((dict(params), spans[0] if spans else None))
        fast, slow = float(params["fast"]), float(params.get("slow", 30))
        if fast == 13:
            raise BadInput("fast", 13, "number.between", low=2, high=12)
        sharpe = 3.0 - ((fast - 8) / 10) ** 2 - ((slow - 40) / 30) ** 2
        traded = 0.0 if slow == 99 else 20.0
        metrics = dict.fromkeys(METRICS, 1.0) | {
            "sharpe": sharpe if traded else float("nan"),
            "volatility": 0.1 + fast / 100,
            "trades": traded,
            "open_trades": 0.0,
        }
        returns = np.random.default_rng(int(fast * 1000 + slow)).normal(0.001, 0.01, 160)
        return [Evaluated(metrics=metrics, returns=returns, periods=365.0)]
