"""How much memory a search takes, and what is said where that is too much."""

from dataclasses import replace

import pytest
from tests.unit.backtest.made import walk

import cambist as cb
from cambist.backtest.optimise.evaluation import Evaluator
from cambist.backtest.optimise.memory import PER_TRIAL, PROCESS, Estimate, check, estimate
from cambist.backtest.result import Settings
from cambist.domain.errors import BadInput
from cambist.domain.text import speak

ROOM = Estimate(candles=10_000_000, shared=50_000_000, worker=20_000_000, trials=1_000_000, workers=4, processes=False)


def of(name: str, combinations: int = 100, workers: int = 2) -> Estimate:
    evaluator = Evaluator(cb.load_strategy(name), [walk(1_000)], settings=Settings(), memory_mb=10.0)
    return estimate(evaluator, combinations, workers)


def test_threads_share_what_processes_copy():
    compiled, looped = of("bollinger_breakout"), of("ema_cross")
    assert not compiled.processes
    assert looped.processes
    assert looped.total > 2 * PROCESS > compiled.total
    assert not of("ema_cross", workers=1).processes


def test_combinations_count_in_the_table_alone():
    few, many = of("bollinger_breakout", 10), of("bollinger_breakout", 1_000_010)
    assert many.total - few.total == 1_000_000 * PER_TRIAL
    assert replace(many, trials=few.trials) == few


def test_what_fits_passes():
    check(ROOM, ROOM.total)
    assert ROOM.total == 10_000_000 + 50_000_000 + 4 * 20_000_000 + 1_000_000


@pytest.mark.parametrize(
    ("wanted", "available", "words"),
    [
        (replace(ROOM, trials=10**9), 145_000_000, "50000 trials"),
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
