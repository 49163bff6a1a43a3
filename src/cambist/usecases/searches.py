"""What a person asks of searches: submit one, keep it, read what is kept again."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from cambist.domain.errors import BadInput
from cambist.domain.job import Job
from cambist.domain.judgement import Judgement, Light, Reason
from cambist.domain.record import record
from cambist.domain.strategy_text import parse_stored_name
from cambist.domain.timeframe import Timeframe
from cambist.ports.searches import StoredSearch
from cambist.usecases.backtests import MOST_ACTIVE, SEARCH, Surroundings, Wanted, order_of
from cambist.usecases.results import plain, thin

if TYPE_CHECKING:  # a list of searches needs neither numpy nor the search's machinery
    from cambist.backtest.optimise.result import Paths, Searched, Table, Walk
    from cambist.domain.search import Trial
    from cambist.usecases.optimise import How

TOP = 200
"""The most trials that are kept with a search; its log has all."""


MOST_TRIALS, MOST_TIMEFRAMES = 20_000, 5
"""Of a search that others ask for."""


@record(kw_only=True)
class Sought:
    """A search as a person asks for it: the market as for a backtest, and what is searched on it."""

    market: Wanted
    """Its parameters are what every combination has, its timeframe the shortest of those searched."""
    timeframes: tuple[Timeframe, ...]
    space: tuple[str, ...]
    """``fast=5:50:5`` and so on, as on the command line."""
    how: "How"
    study: str | None = None


def submit(
    sought: Sought, around: Surroundings, *, job_id: str, user_id: int, limits: Mapping[str, Any], now_ms: int
) -> Job:
    """Check ``sought`` and put it into the queue; ``limits`` are those of `Person`.

    Raises `BadInput` naming the field, `NotFound` for a strategy or account that the person does not have, `TooMany`.
    """
    if not 1 <= len(set(sought.timeframes)) == len(sought.timeframes) <= MOST_TIMEFRAMES:
        raise BadInput("timeframes", ", ".join(sought.timeframes), "searches.timeframes")
    market = order_of(sought.market, around, user_id, limits, now_ms)
    _check(sought, market["strategy"])
    params = market | {
        "timeframes": [str(one) for one in sought.timeframes],
        "space": list(sought.space),
        "how": {field.name: plain(getattr(sought.how, field.name)) for field in fields(sought.how)},
        "study": sought.study,
    }
    job = Job(id=job_id, user_id=user_id, kind=SEARCH, params=params, asked_ms=now_ms)
    around.jobs.add(job, MOST_ACTIVE)
    return job


def _check(sought: Sought, strategy: str) -> None:
    """Raise `BadInput` for what can be known to be wrong before any candle is read."""
    from cambist.backtest.optimise.goals import parse
    from cambist.backtest.optimise.session import TRIALS
    from cambist.backtest.optimise.space import axes_of, combinations, conditions
    from cambist.backtest.optimise.splits import Scheme, duration
    from cambist.domain.search import Method
    from cambist.strategies._load import load

    how = sought.how
    parse(how.goals)
    duration("purge", how.purge)
    duration("embargo", how.embargo)
    if how.walk is not None:
        Scheme.parse(how.walk)
    trials = TRIALS if how.trials is None else how.trials
    if parse_stored_name(strategy) is None:  # what others wrote says in its jail which parameters it has
        base = sought.market.params
        axes = axes_of(
            load(strategy), None, sought.space, method=how.method, timeframes=sought.timeframes, fixed=tuple(base)
        )
        conditions(how.where, axes, base)
        if how.method is Method.GRID and how.trials is None:
            trials = combinations(axes)
    check_trials(trials)


def check_trials(trials: int) -> None:
    """Raise `BadInput` if ``trials`` are more than others may ask for."""
    if trials > MOST_TRIALS:
        raise BadInput("trials", trials, "searches.trials_most", most=MOST_TRIALS)


def to_keep(searched: "Searched") -> StoredSearch:
    """Return ``searched`` as it is kept: its best trials, not all; the chosen one's figures, not its candles."""
    return StoredSearch(
        study=searched.study,
        run=searched.run,
        strategy=searched.strategy,
        params=plain(searched.best.params),
        values=searched.best.values,
        metrics=dict(searched.best.metrics),
        out_of_sample=None if searched.out_of_sample is None else dict(searched.out_of_sample),
        judgement=plain(asdict(searched.judgement)),
        method=str(searched.method),
        goals=tuple(plain(asdict(goal)) for goal in searched.goals),
        axes=tuple(plain(asdict(axis)) for axis in searched.axes),
        where=searched.where,
        seed=searched.seed,
        settings=plain(asdict(searched.settings)),
        venue=searched.venue,
        symbols=searched.symbols,
        timeframes=searched.timeframes,
        first_ts=searched.whole.start_ts,
        last_ts=searched.whole.stop_ts,
        split_ts=searched.split_ts,
        trials=len(searched.table),
        counted=searched.counted,
        data_hash=searched.chosen.data_hash,
        code_hash=searched.chosen.code_hash,
        notes=searched.notes,
        detail={
            "top": top_trials(searched.table, searched.goals[0].better),
            "front": [_trial(trial) for trial in searched.front],
            "walk": None if searched.walk is None else _walk(searched.walk),
            "paths": None if searched.paths is None else _paths(searched.paths),
            "plateau": plain(asdict(searched.plateau)),
        },
    )


def judgement_of(said: Mapping[str, Any]) -> Judgement:
    """Return the word that `to_keep` took apart, to be read in the language in use."""
    return Judgement(
        light=Light(said["light"]),
        key=said["key"],
        params=said["params"],
        reasons=tuple(Reason(**reason) for reason in said["reasons"]),
        figures=said["figures"],
    )


def top_trials(table: "Table", better: int, most: int = TOP) -> list[dict[str, Any]]:
    """Return the best trials by the first goal, the best first: number, params, values and metrics of each."""
    import numpy as np

    done = np.flatnonzero(table.done)
    order = done[np.argsort(-better * table.values[done, 0], kind="stable")][:most].tolist()
    return [
        {
            "number": int(table.number[i]),
            "params": {name: plain(column[i]) for name, column in table.params.items()},
            "values": table.values[i].tolist(),
            "metrics": {key: float(column[i]) for key, column in table.metrics.items()},
        }
        for i in order
    ]


def _trial(trial: "Trial") -> dict[str, Any]:
    return {"number": trial.number, "params": plain(trial.params), "values": list(trial.values)}


def _walk(walk: "Walk") -> dict[str, Any]:
    windows = [plain(asdict(window)) for window in walk.windows]
    return {
        "anchored": walk.anchored,
        "efficiency": walk.efficiency,
        "metrics": dict(walk.metrics),
        "windows": windows,
        "equity": [list(point) for point in thin(walk.ts, walk.equity[1:])],
    }


def _paths(paths: "Paths") -> dict[str, Any]:
    return {
        "groups": paths.groups,
        "tested": paths.tested,
        "splits": paths.splits,
        "sharpes": paths.sharpes.tolist(),
    }
