"""Finished backtests: keep one, compare several."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from math import isnan, nan
from typing import TYPE_CHECKING, Any

from cambist.domain.metrics import METRICS, Unit
from cambist.domain.proof import Verdict
from cambist.domain.text import say
from cambist.ports.results import ResultStore, StoredResult

if TYPE_CHECKING:  # a list of results needs neither numpy nor the backtest's machinery
    from cambist.backtest.result import Result
    from cambist.domain.candles import Floats, Ints

EQUITY_POINTS = 2_000
"""The most points of an equity curve that are kept: more than a screen is wide."""

_COSTS = ("fee_bps", "maker_fee_bps", "slippage_bps", "spread_bps", "volume_share", "limit_touch")
_MARKET = ("venue", "symbols", "timeframe")
_PERIOD = ("first_ts", "last_ts")
_RUN = ("strategy", "code_hash", "engine", *_MARKET, *_PERIOD, "candles", "data_hash")


def store(result: "Result", store: ResultStore) -> int:
    """Keep ``result`` in ``store``, without its candles, and return the id under which it is found again."""
    return store.keep(to_keep(result))


def to_keep(result: "Result") -> StoredResult:
    """Return ``result`` as it is kept: its candles as their hash, its equity in at most `EQUITY_POINTS` points."""
    series = [leg.candles for leg in result.legs]
    return StoredResult(
        strategy=result.strategy,
        params=plain(result.params),
        settings=plain(asdict(result.settings)),
        engine=result.engine,
        venue=_distinct(candles.venue for candles in series),
        symbols=tuple(dict.fromkeys(candles.symbol for candles in series)),
        timeframe=_distinct(candles.timeframe for candles in series),
        first_ts=min((int(candles.ts[0]) for candles in series if len(candles)), default=0),
        last_ts=max((int(candles.ts[-1]) for candles in series if len(candles)), default=0),
        candles=sum(len(candles) for candles in series),
        data_hash=result.data_hash,
        code_hash=result.code_hash,
        metrics={key: float(value) for key, value in result.metrics.items()},
        proof=plain(asdict(result.proof)),
        notes=result.notes,
        trades=tuple(result.trades),
        equity=thin(result.ts, result.equity),
    )


def thin(ts: "Ints", equity: "Floats", points: int = EQUITY_POINTS) -> tuple[tuple[int, float], ...]:
    """Return at most ``points`` (at least 4) pairs of ``ts`` and ``equity``, arrays of one length.

    The first and the last value stay, and of each stretch between them its lowest and its highest, so that the
    curve's extremes are exact.
    """
    import numpy as np

    kept = np.arange(ts.size)
    if ts.size > points:
        stretches = np.array_split(kept, (points - 2) // 2)
        extremes = [i for stretch in stretches for i in _extremes(equity, stretch)]
        kept = np.unique([0, *extremes, ts.size - 1])
    return tuple(zip(ts[kept].tolist(), equity[kept].tolist(), strict=True))


def _extremes(equity: "Floats", stretch: "Ints") -> tuple[int, int]:
    values = equity[stretch]
    return int(stretch[values.argmin()]), int(stretch[values.argmax()])


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One metric of several results."""

    key: str
    values: tuple[float, ...]
    """One per result; NaN where a result lacks it."""
    best: tuple[int, ...]
    """Positions of the best values; none where neither direction is better, all are equal, or they do not compare."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing in which the results were not run alike."""

    kind: str
    """``run``, ``param`` or ``setting``."""
    key: str
    """A field of `StoredResult`, a parameter of the strategies, or a field of the backtest's settings."""
    values: tuple[Any, ...]
    """One per result; None where it does not apply."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Several results side by side; each tuple of values has one per result, in their order."""

    results: tuple[StoredResult, ...]
    metrics: tuple[Measured, ...]
    differences: tuple[Difference, ...]
    warnings: tuple[str, ...]
    """Why these results may not compare, one sentence each, in the language in use."""


def compare(results: Sequence[StoredResult]) -> Comparison:
    """Return ``results`` side by side: their metrics, in what their runs differ, and why they may not compare."""
    settings = _unequal("setting", [result.settings for result in results])
    unequal = {difference.key for difference in settings}
    return Comparison(
        results=tuple(results),
        metrics=_measured(results, same_cash="cash" not in unequal),
        differences=(
            *_unequal("run", [{key: getattr(result, key) for key in _RUN} for result in results]),
            *_unequal("param", [result.params for result in results]),
            *settings,
        ),
        warnings=tuple(_warnings(results, unequal)),
    )


def failed(result: StoredResult) -> bool:
    """Tell whether a proof of ``result`` failed, so that its figures cannot be trusted."""
    return Verdict.FAIL in (result.proof.get("look_ahead"), result.proof.get("warm_up"))


def proved(result: StoredResult) -> bool:
    """Tell whether both proofs of ``result`` were made and hold."""
    return result.proof.get("look_ahead") == result.proof.get("warm_up") == Verdict.PASS


def _measured(results: Sequence[StoredResult], *, same_cash: bool) -> tuple[Measured, ...]:
    held = {key for result in results for key in result.metrics}
    keys = [key for key in METRICS if key in held] + sorted(held - METRICS.keys())
    trusted = [i for i, result in enumerate(results) if not failed(result)]
    rows = []
    for key in keys:
        values = tuple(result.metrics.get(key, nan) for result in results)
        metric = METRICS.get(key)
        compares = metric is not None and (same_cash or metric.unit is not Unit.MONEY)
        best = _best(values, trusted, metric.better) if metric is not None and compares else ()
        rows.append(Measured(key=key, values=values, best=best))
    return tuple(rows)


def _best(values: Sequence[float], among: Sequence[int], better: int) -> tuple[int, ...]:
    known = {i: values[i] * better for i in among if not isnan(values[i])}
    if better == 0 or len(set(known.values())) < 2:
        return ()
    most = max(known.values())
    return tuple(i for i, value in known.items() if value == most)


def _unequal(kind: str, runs: Sequence[Mapping[str, Any]]) -> tuple[Difference, ...]:
    keys = dict.fromkeys(key for run in runs for key in run)
    rows = (Difference(kind=kind, key=key, values=tuple(run.get(key) for run in runs)) for key in keys)
    return tuple(row for row in rows if not all(_same(value, row.values[0]) for value in row.values))


def _same(one: Any, other: Any) -> bool:
    return bool(one == other) or (one != one and other != other)  # NaN is NaN here


def _warnings(results: Sequence[StoredResult], settings: set[str]) -> Iterable[str]:
    """Yield why ``results``, whose ``settings`` differ, may not compare: the gravest first."""
    if bad := [result for result in results if failed(result)]:
        yield say("compare.failed", ids=_ids(bad))
    if unproved := [result for result in results if not (proved(result) or failed(result))]:
        yield say("compare.unproved", ids=_ids(unproved))
    if len({result.data_hash for result in results}) > 1:
        named_alike = len({tuple(getattr(result, key) for key in _MARKET + _PERIOD) for result in results}) == 1
        yield say("compare.data_changed" if named_alike else "compare.data")
    if costs := [key for key in _COSTS if key in settings]:
        yield say("compare.costs", what=", ".join(say(f"report.setting.{key}") for key in costs))
    if "cash" in settings:
        yield say("compare.cash")
    codes: dict[str, set[str]] = {}
    for result in results:
        codes.setdefault(result.strategy, set()).add(result.code_hash)
    for strategy, hashes in codes.items():
        if len(hashes) > 1:
            yield say("compare.code", strategy=strategy)


def _ids(results: Iterable[StoredResult]) -> str:
    return ", ".join(f"#{result.id}" for result in results)


def _distinct(words: Iterable[str]) -> str:
    return " + ".join(dict.fromkeys(words))


def plain(value: Any) -> Any:
    """Return ``value`` as JSON knows it; what JSON does not know (a date, a Decimal) as its text."""
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, Enum):
        return plain(value.value)
    if value is None or type(value) in (bool, int, float, str):
        return value
    as_python = getattr(value, "tolist", None)  # numpy's scalars and arrays
    return plain(as_python()) if as_python else str(value)
