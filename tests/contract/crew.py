"""What every `Crew` keeps to: an adapter's test inherits `CrewContract` and gives ``crew``."""

import os
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cambist.domain.errors import BadInput
from cambist.ports.crew import Crew


class Told(Exception):
    """An error that does not survive its own copying: what it is made of is not what it keeps."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(f"{one} {other}")


class Market:
    """Something large that all share; it notes in ``notes`` each time that it arrives anywhere."""

    def __init__(self, notes: Path, size: int = 100_000) -> None:
        self.notes = notes
        self.prices = np.random.default_rng(1).normal(size=size).cumsum()

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ = state
        note(self.notes, str(os.getpid()))


def note(path: Path, line: str) -> None:
    with path.open("a") as file:
        file.write(f"{line}\n")  # short: one write, whole beside those of others


def noted(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def measured(market: Market, periods: list[int]) -> list[float]:
    """Return what hangs on the order of every addition."""
    changes = np.diff(market.prices)
    return [float(np.convolve(changes, np.ones(n) / n)[n:-n].std() * np.exp(np.sin(n))) for n in periods]


def noted_number(path: Path, number: int) -> int:
    note(path, str(number))
    return -number


def refused(why: str, number: int) -> int:
    if number == 3:
        raise Told(why, "for this") if why == "strange" else BadInput("--grid", number, "number.between", low=1, high=2)
    return number


def written_into(prices: np.ndarray, number: int) -> float:
    before = float(prices[0])
    prices[0] += number
    prices[0] = before
    return before


class CrewContract:
    """Inherit and give the fixture ``crew``."""

    arrivals = 1
    """How often what is shared may come to one worker."""

    @pytest.fixture
    def crew(self) -> Crew:
        raise NotImplementedError

    def test_answers_are_the_same_to_the_digit_whoever_works(self, crew: Crew, tmp_path):
        market = Market(tmp_path / "notes")
        batches = [[2, 3], [5], [8, 13, 21], [], *([n] for n in range(30, 50))]
        answers = {tuple(batch): answer for batch, answer in crew.work(measured, market, batches)}
        assert answers == {tuple(batch): measured(market, batch) for batch in batches}

    def test_no_work_is_no_work(self, crew: Crew):
        assert list(crew.work(written_into, np.zeros(1), [])) == []

    def test_what_is_shared_comes_to_each_worker_once(self, crew: Crew, tmp_path):
        market = Market(tmp_path / "notes")
        for _ in range(3):
            assert len(list(crew.work(measured, market, ([2] for _ in range(20))))) == 20
        arrived = Counter(noted(market.notes))
        assert len(arrived) <= crew.workers
        assert all(times <= self.arrivals for times in arrived.values())

    def test_shared_arrays_can_be_written_into(self, crew: Crew):
        answers = [answer for _, answer in crew.work(written_into, np.full(300_000, 7.0), range(1))]
        assert answers == [7.0]

    def test_batches_without_end_are_taken_as_they_are_needed(self, crew: Crew, tmp_path):
        taken = []

        def endless() -> Iterator[int]:
            for number in count():
                taken.append(number)
                yield number

        work = crew.work(noted_number, tmp_path / "begun", endless())
        came = [next(work) for _ in range(10)]
        assert all(answer == -number for number, answer in came)
        assert len(taken) <= 10 + 4 * crew.workers
        work.close()
        assert len(noted(tmp_path / "begun")) <= len(taken)
        assert len(taken) <= 10 + 4 * crew.workers
        assert sorted(crew.work(noted_number, tmp_path / "begun", range(3))) == [(0, 0), (1, -1), (2, -2)]

    def test_an_error_is_raised_where_the_answers_are_awaited(self, crew: Crew):
        with pytest.raises(BadInput) as refusal:
            list(crew.work(refused, "plainly", range(5)))
        assert (refusal.value.field, refusal.value.value, refusal.value.params) == ("--grid", 3, {"low": 1, "high": 2})
        assert "--grid" in str(refusal.value)
        with pytest.raises(Exception, match="strange for this"):
            list(crew.work(refused, "strange", range(5)))
        assert list(crew.work(refused, "plainly", [4])) == [(4, 4)]  # and the crew works on

    def test_an_error_of_the_batches_is_raised_too(self, crew: Crew, tmp_path):
        def broken() -> Iterator[int]:
            yield 1
            raise OSError("no more of these")

        with pytest.raises(OSError, match="no more of these"):
            list(crew.work(noted_number, tmp_path / "begun", broken()))
        assert list(crew.work(noted_number, tmp_path / "begun", [4])) == [(4, -4)]
