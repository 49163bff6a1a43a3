"""The search itself: which combinations are next, who evaluates them, and that none is lost.

Grid and random know all their combinations by number: what the log lacks is handed out in batches and comes back in
any order. The other methods ask for a generation, wait for all of it, and tell what came in the order of the numbers,
so that the next generation is the same however many work.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from itertools import count
from time import perf_counter
from typing import TYPE_CHECKING

from cambist.backtest.optimise.plan import Batch, Evaluates, Plan, Progress, Seen, work
from cambist.backtest.optimise.session import TRIALS, Session
from cambist.backtest.optimise.space import combinations, conditions, drawn, nth, shuffled
from cambist.domain.errors import BadInput, Stopped
from cambist.domain.search import Axis, Method, Params, Span, State, Trial, Value

if TYPE_CHECKING:
    from cambist.ports.crew import Crew
    from cambist.ports.proposals import Proposal, Proposer
    from cambist.ports.trials import TrialLog

__all__ = ["TRIALS", "Batch", "Plan", "Progress", "Seen", "prunes", "run", "work"]

_MISSES = 1_000
"""Proposals in a row that may break the conditions, or have been tried, before there is nothing left to find."""
_DRAWS = 20_000
"""The same for draws, which cost less."""
_EARLY = 4
"""Whether to give up a trial is seen over this part of its span: a quarter."""


def run(
    evaluator: Evaluates,
    plan: Plan,
    *,
    crew: Crew,
    log: TrialLog,
    proposer: Proposer | None = None,
    progress: Progress | None = None,
    seconds: Callable[[], float] = perf_counter,
) -> None:
    """Evaluate what ``log`` lacks of ``plan``; every trial is in the log when this returns, however it returns.

    ``proposer`` is what methods other than grid and random ask. ``seconds`` (a clock that never goes back) paces
    batches and progress; results do not depend on it. Raises `Stopped` on Ctrl-C, and `BadInput` for a plan that will
    not do, or if the first combinations all fail.
    """
    _check(plan)
    broken = conditions(plan.where, plan.axes, plan.base)
    session = Session(evaluator, plan, crew, log, progress, seconds, broken)
    try:
        if plan.method in (Method.GRID, Method.RANDOM):
            _numbered(session)
        elif proposer is None:
            raise TypeError(f"{plan.method} needs a proposer")
        else:
            _generations(session, proposer)
        session.flush()
        session.show(last=True)
    except (KeyboardInterrupt, Stopped):
        session.flush()
        raise Stopped("search.stopped", done=session.done, total=session.total) from None
    finally:
        session.flush()


def prunes(evaluator: Evaluates, plan: Plan) -> bool:
    """Tell whether trials are given up early."""
    able = plan.method is Method.TPE and len(plan.goals) == 1
    return able and not evaluator.fused if plan.prune is None else plan.prune


def _check(plan: Plan) -> None:
    if plan.seed < 0:
        raise BadInput("seed", plan.seed, "search.seed")
    if plan.trials is not None and plan.trials < 1:
        raise BadInput("trials", plan.trials, "search.trials")
    if plan.prune and (plan.method is not Method.TPE or len(plan.goals) > 1):
        raise BadInput("prune", plan.method, "search.prune")


# -- grid and random --------------------------------------------------------------------------------------------------


def _numbered(session: Session) -> None:
    source = _lacking(session.plan, session.there, session.broken)
    with closing(session.results(source, session.plan.span)) as back:
        for trials in back:
            session.take(trials)
    if not session.done:
        raise BadInput(
            "where",
            _shown(session.plan),
            "space.where_none",
            tried=combinations(session.plan.axes) if session.plan.method is Method.GRID else _DRAWS,
        )


def _lacking(plan: Plan, there: set[int], broken: Callable[[Params], int]) -> Iterator[tuple[int, dict[str, Value]]]:
    """Yield, with their numbers, the combinations of the plan that are not ``there``."""
    random = plan.method is Method.RANDOM
    wanted = (plan.trials or TRIALS) if random else plan.trials
    repeats = random and not shuffled(plan.axes)
    met: set[tuple[Value, ...]] = set()
    found = missed = 0
    for number, params in _candidates(plan):
        if found == wanted or missed == _DRAWS:
            return
        if broken(params) or tuple(params.values()) in met:
            missed += random
            continue
        found, missed = found + 1, 0
        if repeats:
            met.add(tuple(params.values()))
        if number not in there:
            yield number, params


def _candidates(plan: Plan) -> Iterator[tuple[int, dict[str, Value]]]:
    if plan.method is Method.GRID:
        yield from ((number, nth(plan.axes, number)) for number in range(combinations(plan.axes)))
        return
    for number in count():
        params = drawn(plan.axes, plan.seed, number)
        if params is None:
            return
        yield number, params


def _shown(plan: Plan) -> str:
    return ", ".join(one if isinstance(one, str) else getattr(one, "__name__", "?") for one in plan.where)


# -- generations ------------------------------------------------------------------------------------------------------


class _Memory:
    """What each combination gave, so that none is evaluated twice; trials that a crash kept from being told."""

    def __init__(self, log: TrialLog, axes: Sequence[Axis]) -> None:
        self._names = [axis.name for axis in axes]
        self._given: dict[tuple[Value, ...], tuple[float, ...] | None] = {}
        self._logged: dict[int, tuple[Value, ...]] = {}
        for trial in log.read():
            self._logged[trial.number] = self._key(trial.params)
            self.take(trial)

    def take(self, trial: Trial) -> None:
        self._given[self._key(trial.params)] = trial.values or None

    def expect(self, proposal: Proposal) -> None:
        self._given[self._key(proposal.params)] = None

    def logged(self, proposal: Proposal) -> bool:
        return proposal.number in self._logged

    def knows(self, proposal: Proposal) -> bool:
        return self.logged(proposal) or self._key(proposal.params) in self._given

    def of(self, proposal: Proposal) -> tuple[float, ...] | None:
        """Return what a known combination gave; None too if its number was another's, whose journal was lost."""
        key = self._key(proposal.params)
        return self._given.get(key) if self._logged.get(proposal.number, key) == key else None

    def _key(self, params: Params) -> tuple[Value, ...]:
        return tuple(params[name] for name in self._names)


def _generations(session: Session, proposer: Proposer) -> None:
    memory = _Memory(session.log, session.plan.axes)
    early = prunes(session.evaluator, session.plan)
    while session.done < session.total:
        fresh, known, replayed = _fresh(session, proposer, memory)
        trying = _promising(session, proposer, memory, fresh) if early else fresh
        outcome = {trial.number: trial.values or None for trial in _tried(session, trying, memory)}
        session.flush()  # what is told must be in the log, not the other way round
        outcome |= {proposal.number: memory.of(proposal) for proposal in known}
        for number in sorted(outcome):
            proposer.tell(number, outcome[number])
        if not (fresh or replayed):
            break  # nothing is proposed that has not been tried
        session.look_around()
    if not session.done:
        raise BadInput("where", _shown(session.plan), "space.where_none", tried=_MISSES)


def _tried(session: Session, proposals: Sequence[Proposal], memory: _Memory) -> list[Trial]:
    """Return what ``proposals`` gave, each of which is kept as soon as it has come back."""
    trials: list[Trial] = []
    with closing(_results(session, proposals, session.plan.span)) as back:
        for batch in back:
            session.take(batch)
            trials += batch
    for trial in trials:
        memory.take(trial)
    return trials


def _results(session: Session, proposals: Sequence[Proposal], span: Span | None) -> Generator[list[Trial]]:
    session.size = min(session.size, max(1, -(-len(proposals) // session.crew.workers)))  # something for each
    return session.results(iter([(proposal.number, proposal.params) for proposal in proposals]), span)


def _fresh(session: Session, proposer: Proposer, memory: _Memory) -> tuple[list[Proposal], list[Proposal], bool]:
    """Return a generation to try, what was proposed with it and is known, and whether it was tried in part before.

    A generation that a crash broke off, or whose journal was lost, is gone through as it was, and not filled up.
    """
    fresh: list[Proposal] = []
    known: list[Proposal] = []
    wanted = min(proposer.generation, session.total - session.done)
    missed, replayed = 0, False
    while len(fresh) < wanted and missed < _MISSES and not replayed:
        for proposal in proposer.ask(wanted - len(fresh)):
            missed += 1
            violation = session.broken(proposal.params)
            if violation:
                proposer.tell(proposal.number, None, violation=float(violation))
            elif memory.knows(proposal):
                known.append(proposal)
                replayed |= memory.logged(proposal)
            else:
                fresh.append(proposal)
                memory.expect(proposal)
                missed = 0
    return fresh, known, replayed


def _promising(session: Session, proposer: Proposer, memory: _Memory, fresh: list[Proposal]) -> list[Proposal]:
    """Return those of ``fresh`` that the first part of the history does not speak against; the others are trials too.

    What has no value so early (no trade yet) goes on.
    """
    span = session.plan.span or session.evaluator.whole
    first = Span(start_ts=span.start_ts, stop_ts=span.start_ts + (span.stop_ts - span.start_ts) // _EARLY)
    with closing(_results(session, fresh, first)) as back:
        seen = {trial.number: trial for batch in back for trial in batch}
    good, bad = [], []
    for proposal in sorted(fresh, key=lambda one: one.number):
        values = seen[proposal.number].values
        if values and proposer.prune(proposal.number, values[0]):
            bad.append(Trial(number=proposal.number, params=proposal.params, state=State.PRUNED))
        else:
            good.append(proposal)
    session.take(bad)
    session.flush()
    for trial in bad:
        memory.take(trial)
    return good
