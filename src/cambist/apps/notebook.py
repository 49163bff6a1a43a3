"""What notebooks and scripts call besides backtests: searches, with this machine's workers, or a cluster's."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cambist.apps import bootstrap
from cambist.apps.settings import load as load_settings

if TYPE_CHECKING:
    from cambist.backtest.engines import Funding
    from cambist.backtest.optimise.plan import Progress
    from cambist.backtest.optimise.run import Search
    from cambist.domain.candles import Candles
    from cambist.domain.instrument import Instrument
    from cambist.strategies._load import AnyStrategy


def sweep(
    strategy: "AnyStrategy | str",
    candles: "Candles | Sequence[Candles]",
    *,
    grid: Mapping[str, Any] | None = None,
    method: str = "grid",
    trials: int | None = None,
    objective: str | Sequence[str] = "sharpe",
    where: str | Callable[..., Any] | Sequence[str | Callable[..., Any]] = (),
    split: float | None = 0.7,
    walk_forward: str | None = None,
    purge: str = "0",
    embargo: str = "0",
    seed: int = 0,
    prune: bool | None = None,
    params: Mapping[str, Any] | None = None,
    instrument: "Instrument | Mapping[str, Instrument] | None" = None,
    funding: "Mapping[str, Funding] | None" = None,
    detail: "Candles | Sequence[Candles]" = (),
    jobs: int | None = None,
    cluster: str | None = None,
    study: str | None = None,
    progress: "Progress | None" = None,
    **costs: Any,
) -> "Search":
    """Search the parameters of ``strategy`` over ``candles``, and say whether to believe what was found.

    ``grid`` is by parameter: values in a sequence, ``cb.between(low, high)``, or text as on the command line; without
    it a few values of each parameter are tried. ``method`` is ``grid``, ``random``, ``tpe``, ``cmaes`` or ``nsga2``;
    ``objective`` a metric's key, ``return/drawdown`` or an expression, or several. ``where`` are conditions, such as
    ``"fast < slow"``. The first ``split`` of the history is chosen on, the rest held back. Several symbols trade equal
    parts of the cash; several timeframes are a parameter of their own. ``params`` are what every combination has,
    ``costs`` what `backtest` knows: cash, fee_bps, maker_fee_bps, slippage_bps, spread_bps, volume_share, limit_touch,
    pyramiding.

    ``jobs`` workers of this machine do it (all cores by default), or those of the Dask ``cluster`` at an address; the
    results are the same. Trials of one ``study``, and looks at what it holds back, are counted together, and trials are
    not done again; it is that of the command line. Without a name they are counted as long as this Python runs.

    Raises `BadInput`; `StrategyFailed` if the strategy raises on what was chosen; `Stopped` on Ctrl-C: what was tried
    is kept.
    """
    from cambist.backtest.optimise.evaluation import Evaluator
    from cambist.backtest.run import checked
    from cambist.domain.candles import Candles
    from cambist.domain.instrument import Instrument
    from cambist.domain.search import Method
    from cambist.strategies._load import load
    from cambist.usecases.optimise import DEFAULTS, How, hunt_on, pursue

    series = [candles] if isinstance(candles, Candles) else list(candles)
    rules = {one.symbol: instrument for one in series} if isinstance(instrument, Instrument) else instrument
    evaluator = Evaluator(
        load(strategy) if isinstance(strategy, str) else strategy,
        series,
        settings=checked(**{**DEFAULTS, **costs}),
        instruments=rules,
        funding=funding,
        detail=[detail] if isinstance(detail, Candles) else detail,
        base=params,
    )
    how = How(
        method=Method.parse(method),
        trials=trials,
        goals=(objective,) if isinstance(objective, str) else tuple(objective),
        where=(where,) if isinstance(where, str) or callable(where) else tuple(where),
        split=split,
        walk=walk_forward,
        purge=purge,
        embargo=embargo,
        seed=seed,
        prune=prune,
    )
    hunted = hunt_on(evaluator, how, space=grid, study=study)
    root = bootstrap.studies(load_settings()) if study is not None else _session()
    with bootstrap.search_tools(root, jobs=jobs, cluster=cluster, threads=evaluator.fused) as tools:
        return pursue(hunted, tools, progress=progress, available_bytes=bootstrap.available_bytes())


@cache
def _session() -> Path:
    """Return where trials are counted that belong to no named study; it goes when this Python ends."""
    folder = tempfile.TemporaryDirectory(prefix="cambist-studies-")
    _kept.append(folder)
    return Path(folder.name)


_kept: list[tempfile.TemporaryDirectory[str]] = []
