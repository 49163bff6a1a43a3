"""How much memory a search takes, and what is said where that is too much."""

import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.backtest.made import walk

import cambist as cb
from cambist.adapters.crew.local import Threads
from cambist.adapters.proposals.optuna import OptunaProposers
from cambist.adapters.storage.trials import ParquetTrials
from cambist.backtest.optimise.evaluation import Evaluator
from cambist.backtest.optimise.memory import PER_JUDGED, PER_TRIAL, PROCESS, Estimate, check, estimate
from cambist.backtest.optimise.paths import MOST_TRIALS
from cambist.backtest.result import Settings
from cambist.domain.errors import BadInput
from cambist.domain.text import speak
from cambist.usecases.optimise import How, Tools, hunt_on, pursue

ROOM = Estimate(
    candles=8_000_000,
    shared=50_000_000,
    worker=20_000_000,
    trials=1_000_000,
    chosen=2_000_000,
    word=0,
    workers=4,
    processes=False,
)


def of(name: str, combinations: int = 100, workers: int = 2) -> Estimate:
    evaluator = Evaluator(cb.load_strategy(name), [walk(1_000)], settings=Settings(), memory_mb=10.0)
    return estimate(evaluator, combinations, workers)


def test_threads_share_what_processes_copy():
    compiled, looped = of("bollinger_breakout"), of("ema_cross")
    assert not compiled.processes
    assert looped.processes
    assert looped.total > 2 * PROCESS > compiled.total
    assert not of("ema_cross", workers=1).processes


def test_combinations_count_in_the_table_and_so_many_in_what_is_cross_validated():
    none, few, many = (of("bollinger_breakout", count) for count in (0, MOST_TRIALS, MOST_TRIALS + 1_000_000))
    assert few.total - none.total == MOST_TRIALS * (PER_TRIAL + PER_JUDGED)
    assert many.total - few.total == 1_000_000 * PER_TRIAL
    assert replace(many, trials=none.trials) == none


def searched(evaluator: Evaluator, periods: Sequence[int], folder: Path) -> None:
    nowhere = OptunaProposers(None)
    tools = Tools(crew=Threads(1), logs=ParquetTrials(folder), proposers=nowhere, walkers=nowhere)
    space = {"period": periods, "width": [1.5, 2.0, 2.5]}
    pursue(hunt_on(evaluator, How(split=None), space=space), tools).report(folder / "report.html")


def test_the_end_of_a_search_takes_no_more_than_was_said(tmp_path: Path):
    candles = [walk(10_000, step=0.002)]
    strategy, settings = cb.load_strategy("bollinger_breakout"), Settings(fee_bps=1.0)
    searched(Evaluator(strategy, candles, settings=settings), [10, 20], tmp_path / "first")  # what is loaded, is
    evaluator = Evaluator(strategy, candles, settings=settings, memory_mb=0.0)
    tracemalloc.start()
    try:
        searched(evaluator, range(5, 201), tmp_path / "second")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    said = estimate(evaluator, 588, 1)
    assert said.candles + said.worker < peak < said.total


def test_what_fits_passes():
    check(ROOM, ROOM.total)
    assert ROOM.total == 10_000_000 + 50_000_000 + 4 * 20_000_000 + 1_000_000


@pytest.mark.parametrize(
    ("wanted", "available", "words"),
    [
        (replace(ROOM, trials=10**9), 145_000_000, "1041 trials"),
        (replace(ROOM, trials=10**9), 260_000_000, "100000 trials"),
        (ROOM, ROOM.total - 1, "3 workers"),
        (ROOM, 81_000_000, "1 workers"),
        (ROOM, 51_000_000, "20 MB for shared"),
        (ROOM, 16_000_000, "50 % of the history"),
        (ROOM, 1_000_000, "Close other programs"),
    ],
)
def test_what_does_not_is_refused_with_what_would(wanted: Estimate, available: int, words: str):
    with pytest.raises(BadInput) as caught:
        check(wanted, available)
    assert words in str(caught.value)
    assert caught.value.field == "memory"


def test_what_it_says_would_fit_does():
    with pytest.raises(BadInput, match="2 workers"):
        check(ROOM, 101_000_000)
    check(replace(ROOM, workers=2), 101_000_000)


def test_it_says_so_in_french_too():
    speak("fr")
    try:
        with pytest.raises(BadInput, match="3 ouvriers"):
            check(ROOM, ROOM.total - 1)
    finally:
        speak("en")
