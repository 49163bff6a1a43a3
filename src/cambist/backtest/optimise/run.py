"""A search from its first trial to the word on its best: try, choose, test what was chosen in every way there is."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from hashlib import blake2b
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from cambist.analytics.performance import padded, relative_changes, samples
from cambist.analytics.resampling import random_entries
from cambist.backtest.optimise import driver
from cambist.backtest.optimise.judge import Evidence, judge
from cambist.backtest.optimise.paths import evenly, purged_paths
from cambist.backtest.optimise.plan import Plan, Progress
from cambist.backtest.optimise.plateau import plateau
from cambist.backtest.optimise.ranking import standing, table_of
from cambist.backtest.optimise.result import Searched, Walk
from cambist.backtest.optimise.splits import Cut, Scheme, holdout
from cambist.backtest.optimise.walk import walk_forward
from cambist.backtest.result import markets_of
from cambist.domain.proof import Verdict
from cambist.domain.search import EXACT, Method, Span, Trial
from cambist.strategies._digest import digest_of_function

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cambist.analytics.resampling import RandomEntries
    from cambist.backtest.optimise.evaluation import AnyEvaluator
    from cambist.backtest.optimise.stretches import Evaluated
    from cambist.backtest.result import Settings
    from cambist.backtest.run import Finished
    from cambist.domain.candles import Floats
    from cambist.domain.judgement import Judgement
    from cambist.ports.crew import Crew
    from cambist.ports.proposals import Proposers
    from cambist.ports.trials import TrialLogs

Stage = Callable[[str], None]
"""Is told what is being done, as a text's key: ``search.stage.trials`` and so on."""


class Search(Searched):
    """A finished search, which can write its report."""

    __slots__ = ()

    def report(self, path: str | Path) -> Path:
        """Write the report, one HTML file that opens offline, to ``path`` and return that path."""
        from cambist.backtest.optimise.report.page import page

        target = Path(path)
        target.write_text(page(self), encoding="utf-8")
        return target


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunt:
    """What is searched, and what becomes of what is found."""

    evaluator: AnyEvaluator
    plan: Plan
    """Its span is what is chosen on."""
    study: str
    held: Span | None = None
    """What is held back from choosing: it follows the plan's span."""
    windows: tuple[Cut, ...] = ()
    """Of the walk forward; none: no walk."""
    anchored: bool = False
    called: str = ""
    """How the strategy is asked for, if not by its name."""

    @property
    def run(self) -> str:
        """Return what tells this run from all others: the same digest means the same trials, by number."""
        evaluator, plan = self.evaluator, self.plan
        told = {
            "strategy": evaluator.strategy_name,
            "code": evaluator.code_hash,
            "data": evaluator.data_hash,
            "terms": evaluator.terms_hash,
            "settings": asdict(evaluator.settings),
            "base": dict(plan.base),
            "method": plan.method,
            "axes": [asdict(axis) for axis in plan.axes],
            "goals": [asdict(goal) for goal in plan.goals],
            "where": written(plan.where),
            "seed": plan.seed,
            "span": None if plan.span is None else asdict(plan.span),
            "prune": driver.prunes(evaluator, plan),
        }
        text = json.dumps(told, sort_keys=True, default=str)
        return blake2b(text.encode(), digest_size=16).hexdigest()


def hunt(
    evaluator: AnyEvaluator,
    plan: Plan,
    *,
    study: str,
    split: float | None,
    scheme: Scheme | None = None,
    purge_ms: int = 0,
    embargo_ms: int = 0,
    called: str = "",
) -> Hunt:
    """Return what is to be done: choose on the first ``split`` of the history, or on all of it; walk by ``scheme``.

    Raises `BadInput` for a share or a scheme that the history does not allow.
    """
    held, anchored = None, False
    if split is not None and split != 1.0:
        train, held = holdout(evaluator.whole, split)
        plan = replace(plan, span=train)
    windows: tuple[Cut, ...] = ()
    if scheme is not None:
        windows = scheme.windows(evaluator.whole, purge_ms=purge_ms, embargo_ms=embargo_ms)
        anchored = scheme.anchored
    return Hunt(
        evaluator=evaluator,
        plan=plan,
        study=study,
        held=held,
        windows=windows,
        anchored=anchored,
        called=called,
    )


def search(
    hunted: Hunt,
    *,
    crew: Crew,
    logs: TrialLogs,
    proposers: Proposers,
    walkers: Proposers,
    progress: Progress | None = None,
    stage: Stage | None = None,
    seconds: Callable[[], float] = perf_counter,
) -> Search:
    """Try what is to be tried, choose, and return what was chosen with all that is known of it.

    The trials that ``logs`` has of this run are not tried again; ``walkers`` remember nothing of earlier walks. Raises
    `Stopped` on Ctrl-C, with every trial kept; `BadInput` for a plan that will not do; what `Crew.work` raises.
    """
    evaluator, plan = hunted.evaluator, hunted.plan
    run = hunted.run
    log = logs.open(hunted.study, run)
    tell = stage or (lambda _: None)
    proposer = None
    if plan.method not in (Method.GRID, Method.RANDOM):
        proposer = proposers.open(
            hunted.study, run, method=plan.method, axes=plan.axes, goals=plan.goals, seed=plan.seed
        )
    tell("search.stage.trials")
    driver.run(evaluator, plan, crew=crew, log=log, proposer=proposer, progress=progress, seconds=seconds)
    table = table_of(log.read(), plan.axes, plan.goals)
    best, front = standing(log, table, plan.goals)
    tell("search.stage.chosen")
    chosen = evaluator.finished(best.params)
    flat = plateau(table, plan.axes, best, better=plan.goals[0].better)
    walk = None
    if hunted.windows:
        tell("search.stage.walk")
        walk = walk_forward(
            evaluator,
            plan,
            hunted.windows,
            anchored=hunted.anchored,
            crew=crew,
            proposers=walkers,
            progress=progress,
            seconds=seconds,
        )
    tell("search.stage.paths")
    taken = evenly(log.read(), like=best)  # another timeframe's trials may not be of the same days
    paths = purged_paths(taken, evaluator, crew=crew, span=plan.span, like=best)
    tell("search.stage.judge")
    looks = _looks(hunted, logs, run, best, len(table))
    outside = None if hunted.held is None else evaluator.evaluate(best.params, [hunted.held])[0]
    counted = logs.count(hunted.study)
    judgement = _word(
        hunted,
        best,
        chosen,
        counted=counted,
        looks=looks,
        moments=np.array([trial.moments for trial in taken]) if taken else None,
        outside=outside,
        walk=walk,
        kept=flat.kept,
    )
    return Search(
        study=hunted.study,
        run=run,
        strategy=evaluator.strategy_name,
        called=hunted.called or evaluator.strategy_name,
        method=plan.method,
        axes=plan.axes,
        goals=plan.goals,
        where=written(plan.where),
        seed=plan.seed,
        settings=evaluator.settings,
        venue=evaluator.venue,
        symbols=evaluator.symbols,
        timeframes=evaluator.timeframes,
        whole=evaluator.whole,
        split_ts=None if hunted.held is None else hunted.held.start_ts,
        table=table,
        counted=counted,
        best=best,
        front=front,
        chosen=chosen,
        out_of_sample=None if outside is None else outside.metrics,
        walk=walk,
        paths=paths,
        plateau=flat,
        judgement=judgement,
        notes=chosen.notes,
    )


def _looks(hunted: Hunt, logs: TrialLogs, run: str, best: Trial, tries: int) -> int:
    """Keep this look at the whole history, and return how often the study has looked at what is held back.

    The same choice of the same run sees nothing new. Where what is held back now was chosen on, each try was a look.
    """
    until = (hunted.plan.span or hunted.evaluator.whole).stop_ts
    mark = blake2b(json.dumps([run, best.params], sort_keys=True).encode(), digest_size=16).hexdigest()
    looks = logs.look(hunted.study, mark, until, tries)
    return sum(tried if chosen_until > until else 1 for chosen_until, tried in looks)


def written(where: Sequence[Any]) -> tuple[str, ...]:
    """Return conditions as they are kept: expressions as they are, functions by their name and what they do."""
    return tuple(one if isinstance(one, str) else _function(one) for one in where)


def _function(function: Callable[..., Any]) -> str:
    return f"{getattr(function, '__name__', type(function).__name__)}#{digest_of_function(function)}"


# -- what the word rests on -------------------------------------------------------------------------------------------


def _word(
    hunted: Hunt,
    best: Trial,
    chosen: Finished,
    *,
    counted: int,
    looks: int,
    moments: Floats | None,
    outside: Evaluated | None,
    walk: Walk | None,
    kept: float,
) -> Judgement:
    """Return the word on ``best``, by how it did on what it was chosen on and on what it was not."""
    evaluator, span = hunted.evaluator, hunted.plan.span
    spans = None if span is None else [span]
    there = evaluator.evaluate(best.params, spans)[0]
    dear = evaluator.evaluate(best.params, spans, settings=_twice_as_dear(evaluator.settings))[0]
    on_it = chosen if span is None else evaluator.finished(best.params, span, proof=False)
    trades, cash = on_it.trades, on_it.settings.cash
    return judge(
        Evidence(
            returns=there.returns,
            periods=there.periods,
            market=_market(on_it),
            pnl=trades.pnl[trades.closed],
            cash=cash,
            trials=max(counted, 1),
            sharpes=_sharpes(moments),
            moments=None if moments is None else moments[:, EXACT],
            double_costs_return=dear.metrics["total_return"],
            random=_at_random(on_it, hunted.plan.seed),
            out_of_sample=None if outside is None else outside.returns,
            out_of_sample_trades=None if outside is None else _made(outside),
            looks=looks,
            walk_efficiency=None if walk is None else walk.efficiency,
            neighbours_kept=kept,
            proof_failed=Verdict.FAIL in (chosen.proof.look_ahead, chosen.proof.warm_up),
            seed=hunted.plan.seed,
        )
    )


def _made(outside: Evaluated) -> float:
    """Return how many trades there were, one that has not ended included."""
    return outside.metrics["trades"] + outside.metrics["open_trades"]


def _twice_as_dear(settings: Settings) -> Settings:
    """Return ``settings`` with each cost doubled; a rebate, which is none, stays as it is."""
    maker = settings.maker_fee_bps
    return replace(
        settings,
        fee_bps=_doubled(settings.fee_bps),
        maker_fee_bps=None if maker is None else _doubled(maker),
        slippage_bps=_doubled(settings.slippage_bps),
        spread_bps=_doubled(settings.spread_bps),
    )


def _doubled(bps: float) -> float:
    return 2.0 * bps if bps > 0.0 else bps


def _at_random(result: Finished, seed: int) -> RandomEntries:
    series = [leg.candles for leg in result.legs]
    candles = {market: (one.ts, one.open) for market, one in zip(markets_of(series), series, strict=True)}
    rng = np.random.default_rng(seed)
    return random_entries(candles, result.trades, cash=result.settings.cash, rng=rng)


def _market(result: Finished) -> Floats:
    """Return the returns of buy-and-hold, as often as those of ``result`` are taken."""
    rows, _ = samples(result.ts)
    return padded(relative_changes(result.buy_and_hold[rows], result.settings.cash), rows.size)


def _sharpes(moments: Floats | None) -> Floats:
    """Return the trials' Sharpe ratios per period; NaN where returns do not vary."""
    if moments is None:
        return np.empty(0)
    count, total, squares = np.moveaxis(moments[:, EXACT].sum(axis=1), -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = total / count
        deviation = np.sqrt(np.maximum(squares - count * mean * mean, 0.0) / (count - 1.0))
        ratios: Floats = np.where(deviation > 1e-12, mean / deviation, np.nan)
    return ratios
