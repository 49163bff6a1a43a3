"""Searches on the lake's candles: what a person asks for, made into a hunt; and where its trials are counted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from cambist.backtest.optimise import memory
from cambist.backtest.optimise.evaluation import AnyEvaluator, Evaluator, JailedEvaluator
from cambist.backtest.optimise.goals import parse
from cambist.backtest.optimise.plan import Plan
from cambist.backtest.optimise.run import Hunt, Search, Stage, hunt, search
from cambist.backtest.optimise.session import TRIALS
from cambist.backtest.optimise.space import Condition, axes_of, combinations, kept
from cambist.backtest.optimise.splits import Scheme, duration
from cambist.backtest.run import checked
from cambist.domain.candles import Candles
from cambist.domain.errors import BadInput
from cambist.domain.instrument import Instrument
from cambist.domain.search import Method
from cambist.domain.strategy_text import parse_stored_name, stored_name
from cambist.domain.timeframe import Timeframe
from cambist.ports.crew import Crew
from cambist.ports.history import CandleLake
from cambist.ports.proposals import Proposers
from cambist.ports.sandbox import Sandbox
from cambist.ports.trials import TrialLogs
from cambist.strategies._load import load
from cambist.strategies._param import Param
from cambist.usecases.run_backtest import Order, gathered
from cambist.usecases.validation import validate

if TYPE_CHECKING:
    from cambist.backtest.optimise.plan import Progress

DEFAULT_SPLIT = 0.7
"""Share of the history that is chosen on; the rest is held back for the word."""
DEFAULTS: Mapping[str, Any] = {
    "cash": 10_000.0,
    "fee_bps": 10.0,
    "maker_fee_bps": None,
    "slippage_bps": 5.0,
    "spread_bps": 0.0,
    "volume_share": 0.1,
    "limit_touch": False,
    "pyramiding": 1,
}
"""Money, costs and rules of a search, as of a backtest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """How to search, whatever the strategy and the market."""

    method: Method = Method.GRID
    trials: int | None = None
    goals: tuple[str, ...] = ("sharpe",)
    where: tuple[Condition, ...] = ()
    split: float | None = DEFAULT_SPLIT
    walk: str | None = None
    """``90d/30d``, ``anchored:90d/30d``, or a number of windows."""
    purge: str = "0"
    """Cut from the end of each training of the walk."""
    embargo: str = "0"
    seed: int = 0
    prune: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A search as a person asks for it, on candles of the lake."""

    strategy: str
    """A sample's name, ``path/to/file.py[:Class]``, or ``stored:<id>@<version>``."""
    symbols: tuple[str, ...]
    timeframes: tuple[Timeframe, ...]
    venue: str | None = None
    since: int | None = None
    until: int | None = None
    detail: Timeframe | None = None
    space: tuple[str, ...] = ()
    """``fast=5:50:5``, ``slow=20,50,100`` and so on."""
    base: Mapping[str, str] = field(default_factory=dict)
    """Parameters that every combination has."""
    how: How = field(default_factory=How)
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What is not as in `DEFAULTS`."""
    study: str | None = None
    """None: the strategy on its market."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What a search works with."""

    crew: Crew
    logs: TrialLogs
    proposers: Proposers
    walkers: Proposers
    """Those of a walk forward, which remember nothing of earlier ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What is needed to search the parameters of stored code."""

    sandbox: Sandbox
    code: Callable[[int, int], str]
    """Gives the code of a version of one of the person's strategies."""


def evaluator_of(wanted: Wanted, lake: CandleLake, stored: Stored | None = None) -> AnyEvaluator:
    """Return what trades the combinations of ``wanted``; its candles are read.

    Raises `BadInput`, `BadStrategy`, `NotFound`; `NotAllowed` for stored code where no jail holds.
    """
    candles, detail, instruments = _gathered(wanted, lake)
    settings = checked(**{**DEFAULTS, **wanted.settings})
    name = parse_stored_name(wanted.strategy)
    if name is None or stored is None:
        strategy = load(wanted.strategy)
        base = _read(strategy.params, wanted.base)
        return Evaluator(strategy, candles, settings=settings, instruments=instruments, detail=detail, base=base)
    code = stored.code(*name)
    declared = _declared(stored.sandbox, code)
    return JailedEvaluator(
        stored.sandbox,
        code,
        candles,
        name=wanted.strategy,
        declared=declared,
        settings=settings,
        instruments=instruments,
        detail=detail,
        base=_read(declared, wanted.base),
    )


def hunt_of(evaluator: AnyEvaluator, wanted: Wanted) -> Hunt:
    """Return what ``wanted`` asks of ``evaluator``; raise `BadInput` for what will not do."""
    return hunt_on(evaluator, wanted.how, texts=wanted.space, study=wanted.study, called=wanted.strategy)


def hunt_on(
    evaluator: AnyEvaluator,
    how: How,
    *,
    space: Mapping[str, Any] | None = None,
    texts: Sequence[str] = (),
    study: str | None = None,
    called: str = "",
) -> Hunt:
    """Return the search of ``space`` or ``texts`` (see `axes_of`) by ``evaluator``; raise `BadInput`."""
    axes = axes_of(
        evaluator.strategy,
        space,
        texts,
        method=how.method,
        timeframes=evaluator.timeframes,
        fixed=tuple(evaluator.base),
    )
    twice = next((axis.name for axis in axes if axis.name in evaluator.base), None)
    if twice is not None:
        raise BadInput(twice, evaluator.base[twice], "space.twice")
    plan = Plan(
        method=how.method,
        axes=axes,
        goals=parse(how.goals),
        where=how.where,
        trials=how.trials,
        seed=how.seed,
        prune=how.prune,
        base=kept(evaluator.strategy, evaluator.base),
    )
    return hunt(
        evaluator,
        plan,
        study=study or default_study(evaluator),
        split=how.split,
        scheme=None if how.walk is None else Scheme.parse(how.walk),
        purge_ms=duration("purge", how.purge),
        embargo_ms=duration("embargo", how.embargo),
        called=called,
    )


def pursue(
    hunted: Hunt,
    tools: Tools,
    *,
    progress: "Progress | None" = None,
    stage: Stage | None = None,
    available_bytes: int | None = None,
) -> Search:
    """Search; raise `BadInput` if that needs more than ``available_bytes`` of memory, and what `search` raises."""
    if available_bytes is not None:
        memory.check(
            memory.estimate(hunted.evaluator, trials_of(hunted.plan), tools.crew.workers),
            available_bytes,
        )
    return search(
        hunted,
        crew=tools.crew,
        logs=tools.logs,
        proposers=tools.proposers,
        walkers=tools.walkers,
        progress=progress,
        stage=stage,
    )


def trials_of(plan: Plan) -> int:
    """Return how many trials ``plan`` makes at most."""
    if plan.trials is not None:
        return plan.trials
    return combinations(plan.axes) if plan.method is Method.GRID else TRIALS


def default_study(evaluator: AnyEvaluator) -> str:
    """Return the name of the study to which a search belongs if nobody says: the strategy on its market.

    All versions of a stored strategy are one study: saving it does not make its tries, or looks, undone.
    """
    name = evaluator.strategy_name
    stored = parse_stored_name(name)
    if stored is not None:
        name = stored_name(*stored).rpartition("@")[0]
    return f"{name} {evaluator.venue} {' '.join(evaluator.symbols)}"


def _gathered(wanted: Wanted, lake: CandleLake) -> tuple[list[Candles], list[Candles], dict[str, Instrument]]:
    if not wanted.timeframes:
        raise BadInput("timeframe", "", "backtest.nothing")
    order = Order(
        strategy=wanted.strategy,
        symbols=wanted.symbols,
        timeframe=wanted.timeframes[0],
        venue=wanted.venue,
        since=wanted.since,
        until=wanted.until,
        detail=wanted.detail,
        params={},
        settings={},
    )
    candles, detail, instruments = gathered(order, lake)
    for timeframe in wanted.timeframes[1:]:
        candles += gathered(replace(order, timeframe=timeframe, detail=None), lake)[0]
    return candles, detail, instruments


def _read(declared: Mapping[str, Param], base: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``base`` in the types of the parameters ``declared``; raise `BadInput` for those that are not."""
    for name, value in base.items():
        if name not in declared:
            raise BadInput(name, value, "param.unknown", known=", ".join(declared) or "-")
    return {name: declared[name].read(name, value) for name, value in base.items()}


def _declared(sandbox: Sandbox, code: str) -> dict[str, Param]:
    """Return the parameters of stored code, which its jail tells of; raise `BadInput` for code that will not do."""
    report = validate(sandbox, code)
    if not report.ok:
        wrong = next(finding for finding in report.findings if finding.error)
        raise BadInput("strategy", report.strategy or "-", "optimise.not_runnable", why=wrong.text)
    return {one["name"]: _param(one) for one in report.params}


def _param(said: Mapping[str, Any]) -> Param:
    choices = said["choices"]
    return Param(said["default"], said["low"], said["high"], None if choices is None else tuple(choices))
