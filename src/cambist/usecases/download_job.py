"""Downloads as a job: the candles of one symbol, from one exchange into the lake."""

from collections.abc import Callable, Sequence
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
