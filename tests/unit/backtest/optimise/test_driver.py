import math
from dataclasses import dataclass

import numpy as np
import pytest
from tests.unit.backtest.made import walk
from tests.unit.backtest.optimise.searches import Hill, Memory, Unordered

import cambist as cb
from cambist.adapters.crew.local import Processes, Threads
from cambist.adapters.proposals.optuna import OptunaProposers
from cambist.adapters.storage.trials import ParquetTrials
from cambist.backtest.optimise import driver
from cambist.backtest.optimise.driver import Plan, Seen, run
from cambist.backtest.optimise.evaluation import Evaluator
from cambist.backtest.optimise.goals import parse
from cambist.backtest.optimise.ranking import reason
from cambist.backtest.optimise.space import axes_of
from cambist.backtest.result import Settings
from cambist.domain.errors import BadInput, Stopped, StorageFailed
from cambist.domain.search import BLOCKS, MOMENTS, Axis, Method, Span, State

SHARPE = parse(["sharpe"])
FAST, SLOW = Axis(name="fast", values=tuple(range(2, 13))), Axis(name="slow", values=(5, 10, 20, 40, 80))
STRETCHES = (Axis(name="fast", low=2.0, high=30.0), Axis(name="slow", low=5.0, high=200.0))


class Cross(cb.SignalStrategy):
    fast = cb.param(5, low=2, high=20)
    slow = cb.param(10, low=5, high=60)

    def signals(self, candles):
        quick, calm = (
            np.convolve(candles.close, np.ones(period) / period)[: len(candles)] for period in (self.fast, self.slow)
        )
        return cb.Signals(enter_long=quick > calm, exit_long=quick < calm)


def searched(plan, *, log=None, crew=None, hill=None, proposer=None, **how):
    log = Memory() if log is None else log
    run(hill or Hill(), plan, crew=crew or Unordered(), log=log, proposer=proposer, **how)
    return log


def found(log):
    return {trial.number: (trial.params, trial.state, trial.values) for trial in log.read()}


def grid(**how):
    return Plan(axes=(FAST, SLOW), goals=SHARPE, where=("fast < slow",), **how)


def tpe(folder, plan, seed=0):
    return OptunaProposers(folder).open(
        "study", "run", method=plan.method, axes=plan.axes, goals=plan.goals, seed=plan.seed
    )


# -- grid and random --------------------------------------------------------------------------------------------------


def test_a_grid_is_tried_whole_and_what_breaks_a_condition_is_no_trial():
    log = searched(grid())
    expected = {
        i * 5 + j: {"fast": fast, "slow": slow}
        for i, fast in enumerate(range(2, 13))
        for j, slow in enumerate((5, 10, 20, 40, 80))
        if fast < slow
    }
    assert {number: params for number, (params, _, _) in found(log).items()} == expected
    best = max(log.read(), key=lambda trial: trial.values)
    assert best.params == {"fast": 8, "slow": 40}
    assert best.values == (3.0,)
    assert best.moments is not None
    assert best.moments.shape == (2, BLOCKS, MOMENTS)
    assert best.metrics["trades"] == 20.0


@pytest.mark.parametrize("method", [Method.GRID, Method.RANDOM])
def test_what_comes_back_does_not_depend_on_who_works(method):
    plan = grid(method=method, trials=30, seed=3)
    alone, many = searched(plan), searched(plan, crew=Unordered(workers=3))
    assert found(alone) == found(many)
    assert len(found(alone)) == 30


def test_only_what_the_log_lacks_is_evaluated():
    log = searched(grid(trials=20))
    assert len(found(log)) == 20
    hill = Hill()
    searched(grid(), log=log, hill=hill)
    assert len(hill.seen) == len(found(log)) - 20
    assert found(log) == found(searched(grid()))
    again = Hill()
    searched(grid(), log=log, hill=again)
    assert again.seen == []


def test_a_random_search_goes_on_where_it_was_and_never_repeats():
    log = searched(grid(method=Method.RANDOM, trials=10, seed=5))
    searched(grid(method=Method.RANDOM, trials=25, seed=5), log=log)
    assert found(log) == found(searched(grid(method=Method.RANDOM, trials=25, seed=5)))
    params = [tuple(params.values()) for params, _, _ in found(log).values()]
    assert len(set(params)) == 25
    assert all(fast < slow for fast, slow in params)
    everything = searched(grid(method=Method.RANDOM, trials=1_000))
    assert len(found(everything)) == len(found(searched(grid())))


def test_random_draws_from_logarithms_do_not_repeat_either():
    axes = (Axis(name="fast", low=2, high=5, whole=True, log=True), Axis(name="slow", values=(40, 80)))
    log = searched(Plan(method=Method.RANDOM, axes=axes, goals=SHARPE, trials=8))
    assert sorted(tuple(params.values()) for params, _, _ in found(log).values()) == [
        (fast, slow) for fast in (2, 3, 4, 5) for slow in (40, 80)
    ]


@pytest.mark.parametrize("method", [Method.GRID, Method.RANDOM, Method.TPE])
def test_conditions_that_nothing_meets_are_told(method, tmp_path):
    axes = (FAST, SLOW) if method is not Method.RANDOM else STRETCHES
    plan = Plan(method=method, axes=axes, goals=SHARPE, where=("fast > 2 * slow + 50",), trials=5)
    with pytest.raises(BadInput, match="No combination meets these conditions") as caught:
        searched(plan, proposer=tpe(tmp_path, plan) if method is Method.TPE else None)
    assert caught.value.field == "where"


def test_a_grid_is_gone_through_whole_however_many_break_the_conditions(monkeypatch):
    monkeypatch.setattr(driver, "_DRAWS", 3)  # after so many misses draws give up
    log = searched(Plan(axes=(FAST, SLOW), goals=SHARPE, where=("fast == 12", "slow == 80")))
    assert [params for params, *_ in found(log).values()] == [{"fast": 12, "slow": 80}]


@pytest.mark.parametrize(
    ("how", "field"),
    [({"seed": -1}, "seed"), ({"trials": 0}, "trials"), ({"prune": True}, "prune")],
)
def test_a_plan_that_will_not_do_is_refused(how, field):
    with pytest.raises(BadInput) as caught:
        searched(grid(**how))
    assert caught.value.field == field


# -- failures ---------------------------------------------------------------------------------------------------------


def test_combinations_that_fail_are_kept_with_their_reason():
    axes = (Axis(name="fast", values=(12, 13)), Axis(name="slow", values=(40, 99)))
    log = searched(Plan(axes=axes, goals=SHARPE))
    good, idle, *raised = log.read()
    assert good.state is State.DONE
    assert idle.state is State.FAILED
    assert reason(idle) == "No trade at all: sharpe has no value."
    assert idle.metrics["trades"] == 0.0
    assert idle.values == ()
    assert [trial.state for trial in raised] == [State.FAILED] * 2
    assert reason(raised[0]) == "fast: Give a number from 2 to 12."
    assert raised[0].metrics == {}


def test_where_the_first_twenty_fail_so_would_the_rest():
    axes = (Axis(name="fast", values=(13, 14)), Axis(name="slow", values=tuple(range(20, 90))))
    log, hill = Memory(), Hill()
    with pytest.raises(BadInput, match=r"all failed.*Give a number from 2 to 12") as caught:
        searched(Plan(axes=axes, goals=SHARPE), log=log, hill=hill)
    assert caught.value.value == "Hill"
    assert 20 <= len(found(log)) == len(hill.seen) < 70


def test_a_resumed_run_is_not_given_up_for_what_fails_in_its_midst():
    axes = (Axis(name="fast", values=(8, 13)), Axis(name="slow", values=tuple(range(100, 150))))
    plan, log = Plan(axes=axes, goals=SHARPE), Memory()
    with pytest.raises(Stopped):
        searched(plan, log=log, hill=Interrupted(after=70))
    assert 50 <= len(found(log)) < 75  # all that are left fail
    assert len(found(searched(plan, log=log))) == 100


def test_one_that_succeeds_among_the_first_lets_the_rest_go_on():
    axes = (Axis(name="fast", values=(12, 13)), Axis(name="slow", values=tuple(range(20, 60))))
    log = searched(Plan(axes=axes, goals=SHARPE), crew=Unordered(workers=2))
    assert len(found(log)) == 80


def test_what_is_no_strategys_fault_is_raised_and_what_had_ended_is_kept():
    class Broken(Hill):
        def evaluate(self, params, spans=None):
            if params["fast"] == 4:
                raise ZeroDivisionError
            return super().evaluate(params, spans)

    log = Memory()
    with pytest.raises(ZeroDivisionError):
        searched(grid(), log=log, hill=Broken())
    assert 0 < len(found(log)) <= 12


# -- stopping ---------------------------------------------------------------------------------------------------------


@dataclass
class Interrupted(Hill):
    after: int = 10

    def evaluate(self, params, spans=None):
        if len(self.seen) == self.after:
            raise KeyboardInterrupt
        return super().evaluate(params, spans)


def test_ctrl_c_keeps_what_has_ended_and_the_next_run_goes_on():
    log, crew = Memory(), Unordered()
    with pytest.raises(Stopped) as caught:
        searched(grid(), log=log, hill=Interrupted(), crew=crew)
    done = len(found(log))
    assert caught.value.params == {"done": done, "total": len(found(searched(grid())))}
    assert crew.closed == 1
    assert done >= 7  # batches of 1, 2, 4: what was under way is not kept
    hill = Hill()
    searched(grid(), log=log, hill=hill)
    assert found(log) == found(searched(grid()))
    assert len(hill.seen) == len(found(log)) - done


def test_what_could_not_be_kept_at_once_is_kept_at_the_end():
    class Full(Memory):
        def append(self, trials):
            if not self.appended:
                self.appended.append(0)
                raise KeyboardInterrupt
            super().append(trials)

    log = Full()
    with pytest.raises(Stopped):
        searched(grid(), log=log)
    assert found(log) == found(searched(grid()))


def test_the_log_on_disk_is_gone_on_with(tmp_path):
    plan = Plan(axes=(FAST, SLOW, Axis(name="side", values=("long", "short"))), goals=SHARPE, where=("fast < slow",))
    with pytest.raises(Stopped):
        searched(plan, log=ParquetTrials(tmp_path).open("study", "run"), hill=Interrupted(after=40))
    log, hill = ParquetTrials(tmp_path).open("study", "run"), Hill()
    kept = len(log.numbers())
    assert kept >= 31
    searched(plan, log=log, hill=hill)
    assert found(log) == found(searched(plan))
    assert len(hill.seen) == len(found(log)) - kept


def test_a_log_that_fails_is_raised():
    class Broken(Memory):
        def append(self, trials):
            raise StorageFailed("error.bad_field", field="disk", remedy="full")

    with pytest.raises(StorageFailed):
        searched(grid(), log=Broken())


# -- pace -------------------------------------------------------------------------------------------------------------


class Clocked(Hill):
    """Each evaluation takes ``step_s`` on a clock that nothing else moves; ``after`` some comes Ctrl-C."""

    def __init__(self, step_s, after=None):
        super().__init__()
        self.step_s, self.now_s, self.after = step_s, 0.0, after

    def evaluate(self, params, spans=None):
        if len(self.seen) == self.after:
            raise KeyboardInterrupt
        self.now_s += self.step_s
        return super().evaluate(params, spans)

    def seconds(self):
        return self.now_s


def wide(count):
    return Plan(
        axes=(Axis(name="fast", values=(5,)), Axis(name="slow", values=tuple(range(100, 100 + count)))), goals=SHARPE
    )


def test_quick_trials_go_to_the_log_together():
    hill, crew = Clocked(0.002), Unordered()
    log = searched(wide(200), hill=hill, crew=crew, seconds=hill.seconds)
    assert log.appended == [200]
    sizes = [len(batch.combinations) for batch in crew.batches]
    assert sizes[:6] == [1, 2, 4, 8, 16, 32]
    assert max(sizes) == 64  # a batch takes about a tenth of a second


def test_slow_trials_go_to_the_log_about_once_a_second_one_at_a_time():
    hill, crew = Clocked(0.3), Unordered()
    log = searched(wide(40), hill=hill, crew=crew, seconds=hill.seconds)
    assert [len(batch.combinations) for batch in crew.batches] == [1] * 40
    assert set(log.appended) == {4}


def test_progress_says_how_far_how_fast_and_what_is_best():
    hill, told = Clocked(0.01), list[Seen]()
    searched(wide(300), hill=hill, progress=told.append, seconds=hill.seconds)
    first, last = told[0], told[-1]
    assert (first.done, first.total, first.best) == (0, 300, None)
    assert math.isnan(first.rate_per_s)
    assert (last.done, last.total, last.left_s) == (300, 300, 0.0)
    assert last.rate_per_s == pytest.approx(100.0)
    assert last.best is not None
    assert last.best.params == {"fast": 5, "slow": 100}
    middle = told[len(told) // 2]
    assert middle.left_s == pytest.approx((300 - middle.done) / 100.0)
    assert len(told) <= 3.0 / 0.1 + 2


def test_progress_counts_what_was_done_before_and_knows_its_best():
    log, told = searched(grid(trials=35)), list[Seen]()
    searched(grid(), log=log, progress=told.append)
    assert told[0].done == 35
    assert told[0].best is not None
    assert told[0].best.params == {"fast": 8, "slow": 40}


# -- generations ------------------------------------------------------------------------------------------------------


def test_a_journal_and_a_log_on_disk_are_gone_on_with(tmp_path):
    plan = Plan(method=Method.TPE, axes=(STRETCHES[0], SLOW), goals=SHARPE, trials=20, prune=False)
    with pytest.raises(Stopped):
        searched(
            plan,
            log=ParquetTrials(tmp_path / "log").open("study", "run"),
            hill=Interrupted(after=11),
            proposer=tpe(tmp_path / "journal", plan),
        )
    log, hill = ParquetTrials(tmp_path / "log").open("study", "run"), Hill()
    kept = len(log.numbers())
    searched(plan, log=log, hill=hill, proposer=tpe(tmp_path / "journal", plan))
    assert len(found(log)) == 20
    assert len(hill.seen) == 20 - kept
    assert found(log) == found(searched(plan, proposer=tpe(tmp_path / "at once", plan)))


def by_tpe(**how):
    return Plan(method=Method.TPE, axes=STRETCHES, goals=SHARPE, where=("fast < slow",), prune=False, **how)


def test_generations_are_the_same_whoever_works(tmp_path):
    plan = by_tpe(trials=28, seed=4)
    alone = searched(plan, proposer=tpe(tmp_path / "a", plan))
    many = searched(plan, proposer=tpe(tmp_path / "b", plan), crew=Unordered(workers=3))
    assert found(alone) == found(many)
    assert len(found(alone)) == 28
    assert all(params["fast"] < params["slow"] for params, _, _ in found(alone).values())
    assert max(values for _, _, values in found(alone).values())[0] > 2.5


@pytest.mark.parametrize("after", [3, 8, 13, 23])
def test_a_stopped_generation_is_gone_on_with_as_it_was(tmp_path, after):
    plan = by_tpe(trials=24, seed=4)
    log, first = Memory(), Clocked(0.5, after=after)
    with pytest.raises(Stopped):
        searched(plan, log=log, hill=first, proposer=tpe(tmp_path, plan), seconds=first.seconds)
    assert len(found(log)) == after
    second = Hill()
    searched(plan, log=log, hill=second, proposer=tpe(tmp_path, plan))
    assert len(second.seen) == 24 - after
    assert found(log) == found(searched(plan, proposer=tpe(tmp_path / "at once", plan)))


def test_what_other_processes_do_on_the_run_counts(tmp_path):
    class Shared(Memory):
        def numbers(self):
            return super().numbers() | (set(range(1_000, 1_010)) if self.kept else set())

    plan, hill = by_tpe(trials=24), Clocked(0.5)
    log = searched(plan, log=Shared(), hill=hill, proposer=tpe(tmp_path, plan), seconds=hill.seconds)
    assert len(found(log)) == len(hill.seen) == 14


def test_asking_for_more_goes_on(tmp_path):
    plan = by_tpe(trials=16, seed=1)
    log = searched(plan, proposer=tpe(tmp_path, plan))
    more = by_tpe(trials=32, seed=1)
    searched(more, log=log, proposer=tpe(tmp_path, more))
    assert found(log) == found(searched(more, proposer=tpe(tmp_path / "at once", more)))


def test_where_only_the_journal_is_lost_the_log_tells_it_again(tmp_path):
    plan = by_tpe(trials=20, seed=2)
    log = searched(plan, proposer=tpe(tmp_path / "lost", plan))
    more, hill = by_tpe(trials=28, seed=2), Hill()
    searched(more, log=log, hill=hill, proposer=tpe(tmp_path / "fresh", more))
    assert len(hill.seen) == 8
    assert found(log) == found(searched(more, proposer=tpe(tmp_path / "at once", more)))


def test_a_space_that_is_used_up_ends_the_search(tmp_path):
    axes = (Axis(name="fast", values=(2, 3)), Axis(name="slow", values=(40, 80)))
    plan = Plan(method=Method.TPE, axes=axes, goals=SHARPE, trials=100, prune=False)
    hill = Hill()
    log = searched(plan, hill=hill, proposer=tpe(tmp_path, plan))
    assert len(found(log)) == len(hill.seen) == 4


def test_combinations_that_fail_are_told_as_failed(tmp_path):
    axes = (Axis(name="fast", values=(12, 13)), STRETCHES[1])
    plan = Plan(method=Method.TPE, axes=axes, goals=SHARPE, trials=24, prune=False, seed=1)
    log = searched(plan, proposer=tpe(tmp_path, plan))
    states = {params["fast"]: state for params, state, _ in found(log).values()}
    assert states == {12: State.DONE, 13: State.FAILED}


def test_several_goals(tmp_path):
    plan = Plan(
        method=Method.NSGA2, axes=STRETCHES, goals=parse(["sharpe", "volatility"]), trials=60, where=("fast < slow",)
    )
    log = searched(plan, proposer=tpe(tmp_path, plan), crew=Unordered(workers=2))
    assert len(found(log)) == 60
    assert {(state, len(values)) for _, state, values in found(log).values()} >= {(State.DONE, 2)}


def test_trials_are_given_up_on_the_first_quarter(tmp_path):
    plan = Plan(method=Method.TPE, axes=STRETCHES, goals=SHARPE, trials=40, seed=1)
    hill, span = Hill(fused=False), Span(start_ts=100, stop_ts=500)
    log = searched(
        Plan(method=Method.TPE, axes=STRETCHES, goals=SHARPE, trials=40, seed=1, span=span),
        hill=hill,
        proposer=tpe(tmp_path / "a", plan),
    )
    states = [state for _, state, _ in found(log).values()]
    pruned = states.count(State.PRUNED)
    assert 0 < pruned < 40
    quarter = Span(start_ts=100, stop_ts=200)
    assert [span for _, span in hill.seen].count(quarter) == 40
    assert [span for _, span in hill.seen].count(span) == 40 - pruned
    many = searched(plan, hill=Hill(fused=False), proposer=tpe(tmp_path / "b", plan), crew=Unordered(workers=3))
    assert found(many) == found(log)
    fused = searched(plan, hill=Hill(fused=True), proposer=tpe(tmp_path / "c", plan))
    assert all(state is State.DONE for _, state, _ in found(fused).values())


def test_a_method_that_needs_a_proposer_says_so():
    with pytest.raises(TypeError, match="needs a proposer"):
        searched(by_tpe(trials=4))


# -- with all that is real --------------------------------------------------------------------------------------------


def test_real_strategies_give_the_same_digits_whoever_works():
    evaluator = Evaluator(Cross, [walk(400), walk(400, seed=2, symbol="ETH/USDT")], settings=Settings())
    axes = axes_of(Cross, {"fast": range(2, 12, 3), "slow": (8, 20, 40)})
    span = Span(start_ts=evaluator.whole.start_ts, stop_ts=evaluator.whole.stop_ts - 100 * 3_600_000)
    plan = Plan(axes=axes, goals=parse(["sharpe", "return/drawdown"]), where=("fast < slow",), span=span)
    logs = []
    for crew in (Threads(2), Processes(2)):
        logs.append(searched(plan, hill=evaluator, crew=crew))
        crew.close()
    threads, processes = map(found, logs)
    assert len(threads) == 10
    assert threads == processes == found(searched(plan, hill=evaluator))
    for one, other in zip(logs[0].read(), logs[1].read(), strict=True):
        np.testing.assert_array_equal(one.moments, other.moments)
        assert one.metrics == other.metrics
    best = max(logs[0].read(), key=lambda trial: trial.values)
    (there,) = evaluator.evaluate(best.params, [span])
    assert best.values[0] == there.metrics["sharpe"]
    assert best.values[1] == there.metrics["total_return"] / -there.metrics["max_drawdown"]
