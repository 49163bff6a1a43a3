"""Which candles a job brings before it begins, over a real lake."""

from dataclasses import replace
from pathlib import Path

import pytest

from cambist.adapters.storage.candles import ParquetLake
from cambist.domain.job import Job, Said
from cambist.domain.timeframe import Timeframe
from cambist.market.synthetic import synthetic_market
from cambist.ports.history import PublicMarket
from cambist.ports.jobs import Step
from cambist.usecases.download_job import Loads

START = 1_704_067_200_000
HOURS = 20


class Fetches(Exception):
    """Candles are asked for at the exchange."""


def market(venue: str) -> PublicMarket:
    raise Fetches(venue)


def lake(folder: Path, **counts: int) -> ParquetLake:
    made = ParquetLake(folder)
    for timeframe, count in counts.items():
        candles = synthetic_market(("A/B",), start_ms=START, count=count, timeframe=Timeframe(timeframe[1:]), seed=1)
        made.append(replace(candles["A/B"], venue="v"))
    return made


def steps(lake: ParquetLake, *timeframes: Timeframe, fetched: bool = True) -> list[Step]:
    params = {"venue": "v", "symbols": ["A/B"], "since": START, "until": START + HOURS * Timeframe.H1.ms}
    job = Job(id="j", user_id=1, kind="backtest", params=params, asked_ms=0)
    return Loads(lake, market, lambda venue: fetched)(job, timeframes, 40)


def tell(step: Said, share: float) -> None:
    """Nobody listens."""


@pytest.mark.parametrize(
    ("held", "lacks"),
    [
        ({}, True),
        ({"_1h": HOURS}, False),
        ({"_1h": HOURS - 1}, True),
        ({"_15m": 4 * HOURS, "_1m": 60}, False),  # made of the coarsest that it can be made of
        ({"_15m": 4 * HOURS - 4, "_1m": 60 * HOURS}, True),
        ({"_1h": HOURS - 1, "_15m": 4 * HOURS}, True),  # what is held is completed
        ({"_4h": HOURS // 4}, True),
    ],
)
def test_what_the_lake_lacks_is_fetched_and_nothing_else(tmp_path, held, lacks):
    (load,) = steps(lake(tmp_path, **held), Timeframe.H1)
    if lacks:
        with pytest.raises(Fetches):
            load.do(tell)
    else:
        load.do(tell)


def test_what_no_exchange_has_is_not_fetched(tmp_path):
    (load,) = steps(lake(tmp_path), Timeframe.H1, fetched=False)
    load.do(tell)


def test_loading_takes_its_part_of_the_job(tmp_path):
    made = steps(lake(tmp_path), Timeframe.H1, Timeframe.M15, Timeframe.M1)
    assert [(step.low, step.high) for step in made] == [(0, 13), (13, 26), (26, 40)]
    assert not any(step.computes for step in made)
