"""Downloads as a job: the candles of one symbol, from one exchange into the lake."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from cambist.domain.errors import NotFound
from cambist.domain.job import Job, Said
from cambist.domain.timeframe import Timeframe
from cambist.ports.history import CandleLake, PublicMarket
from cambist.ports.jobs import Step, Tell
from cambist.usecases.download import Downloaded, Progress, download, missing_ranges

Market = Callable[[str], PublicMarket]
"""Gives the public market of an exchange."""


class DownloadJob:
    """The kind ``download``; params ``venue``, ``symbol``, ``timeframe``, ``since``, ``until`` (ms)."""

    def __init__(self, lake: CandleLake, market: Market) -> None:
        self._lake = lake
        self._market = market

    def __call__(self, job: Job) -> Sequence[Step]:
        """Return the one step."""

        def load(tell: Tell) -> dict[str, Any]:
            wanted = job.params
            done = fetch(
                self._market(wanted["venue"]),
                self._lake,
                venue=wanted["venue"],
                symbol=wanted["symbol"],
                timeframe=Timeframe(wanted["timeframe"]),
                since=wanted["since"],
                until=wanted["until"],
                tell=tell,
            )
            return {"added": done.added, "held": done.held, "absent": done.absent}

        return [Step(name="load", low=0, high=100, do=load)]


class Loads:
    """The steps of a job that bring the candles which it needs and the lake lacks.

    ``exchanges`` tells whether candles can be fetched from a venue at all.
    """

    def __init__(self, lake: CandleLake, market: Market, exchanges: Callable[[str], bool]) -> None:
        self._lake = lake
        self._market = market
        self._fetched = exchanges

    def __call__(self, job: Job, timeframes: Sequence[Timeframe], percent: int) -> list[Step]:
        """Return a step for each series of the job's symbols in ``timeframes``: the first ``percent`` of the job."""
        series = [(symbol, one) for symbol in job.params["symbols"] for one in timeframes]
        edges = [percent * i // len(series) for i in range(len(series) + 1)]
        return [
            Step(
                name=f"load {symbol} {timeframe}",
                low=low,
                high=high,
                do=partial(self._load, job, symbol, timeframe),
            )
            for (symbol, timeframe), low, high in zip(series, edges[:-1], edges[1:], strict=True)
        ]

    def _load(self, job: Job, symbol: str, timeframe: Timeframe, tell: Tell) -> None:
        venue, since, until = job.params["venue"], job.params["since"], job.params["until"]
        tell(Said(key="jobs.step.looking", params={"symbol": symbol, "timeframe": str(timeframe)}), 0.0)
        if not self._fetched(venue):
            return
        held = {one.timeframe for one in self._lake.series() if one.venue == venue and one.symbol == symbol}
        finer = [one for one in held if timeframe.holds(one)]
        wanted = [timeframe] if timeframe in held or not finer else [timeframe, max(finer, key=lambda one: one.ms)]
        if all(lacks(self._lake, venue, symbol, one, since, until) for one in wanted):
            fetch(
                self._market(venue),
                self._lake,
                venue=venue,
                symbol=symbol,
                timeframe=timeframe,
                since=since,
                until=until,
                tell=tell,
            )


def fetch(
    market: PublicMarket,
    lake: CandleLake,
    *,
    venue: str,
    symbol: str,
    timeframe: Timeframe,
    since: int,
    until: int,
    tell: Tell,
) -> Downloaded:
    """Bring what the lake lacks of one series, saying how far it is; what arrived stays, whatever happens."""
    loading = Said(key="jobs.step.loading", params={"venue": venue, "symbol": symbol, "timeframe": str(timeframe)})

    def progress(reached: Progress) -> None:
        tell(loading, reached.passed / max(1, reached.missing))

    tell(loading, 0.0)
    return download(
        market, lake, venue=venue, symbol=symbol, timeframe=timeframe, since=since, until=until, progress=progress
    )


def lacks(lake: CandleLake, venue: str, symbol: str, timeframe: Timeframe, since: int, until: int) -> bool:
    """Tell whether candles that open in ``[since, until)`` are missing in the lake."""
    try:
        held = lake.read(venue, symbol, timeframe, since, until).ts
    except NotFound:
        held = np.empty(0, dtype=np.int64)
    return bool(missing_ranges(held, timeframe, since, until))
