"""The orchestration alone, over a market and a lake in memory; `tests/e2e/test_download.py` runs the real ones."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from cambist.domain.candles import Candles
from cambist.domain.errors import BadInput, NotFound, Stopped, VenueUnavailable
from cambist.domain.instrument import Instrument
from cambist.domain.timeframe import Timeframe
from cambist.market.series import build
from cambist.market.synthetic import synthetic_market
from cambist.ports.history import Appended, Series
from cambist.usecases.download import Downloaded, Progress, download

M1 = Timeframe.M1
START = 1_704_067_200_000
COLUMNS = ("ts", "open", "high", "low", "close", "volume")
SOURCE = synthetic_market(("A/B",), start_ms=START, count=60_000, timeframe=M1, seed=1)["A/B"]
END = START + len(SOURCE) * M1.ms
RULES = Instrument(venue="synthetic", symbol="A/B", tick_size=Decimal("0.01"), lot_step=Decimal("0.01"))


class MemoryLake:
    def __init__(self, held: Candles | None = None) -> None:
        self.held = held
        self.rules: Instrument | None = None
        self.appends: list[int] = []

    def read(
        self, venue: str, symbol: str, timeframe: Timeframe | str, since: int | None = None, until: int | None = None
    ) -> Candles:
        if self.held is None:
            raise NotFound("candles.lake_empty", venue=venue, symbol=symbol, timeframe=timeframe)
        return self.held.between(since, until)

    def append(self, candles: Candles) -> Appended:
        self.appends.append(len(candles))
        before = 0 if self.held is None else len(self.held)
        parts = [candles] if self.held is None else [candles, self.held]
        ts = np.concatenate([part.ts for part in parts])
        kept, first = np.unique(ts, return_index=True)
        rest = (np.concatenate([getattr(part, name) for part in parts])[first] for name in COLUMNS[1:])
        self.held = build(candles.venue, candles.symbol, candles.timeframe, kept, *rest)
        return Appended(added=len(self.held) - before, replaced=0)

    def series(self) -> list[Series]:
        return []

    def instrument(self, venue: str, symbol: str) -> Instrument | None:
        return self.rules

    def keep_instrument(self, instrument: Instrument) -> None:
        self.rules = instrument


class MemoryMarket:
    """Gives pages of a thousand; ``ends`` is raised once ``pages`` were given."""

    def __init__(self, source: Candles = SOURCE, ends: BaseException | None = None, pages: int = 0) -> None:
        self.source, self.ends, self.pages = source, ends, pages
        self.asked: list[tuple[int, int]] = []

    def instrument(self, symbol: str) -> Instrument:
        return RULES

    def candles(self, symbol: str, timeframe: Timeframe, since: int, until: int) -> Iterator[Candles]:
        self.asked.append((since, until))
        wanted = self.source.between(since, until)
        for at in range(0, len(wanted), 1000):
            if self.ends is not None and self.pages == 0:
                raise self.ends
            self.pages -= 1
            yield wanted[at : at + 1000]


def run(market: MemoryMarket, lake: MemoryLake, seen: list[Progress] | None = None, **changes) -> Downloaded:
    settings: dict[str, Any] = {
        "venue": "synthetic",
        "symbol": "A/B",
        "timeframe": M1,
        "since": START,
        "until": END,
    } | changes
    return download(market, lake, progress=(lambda _: None) if seen is None else seen.append, **settings)


def test_appends_grow_with_what_is_held_instead_of_coming_page_by_page():
    lake = MemoryLake()
    assert run(MemoryMarket(), lake).added == 60_000
    assert sum(lake.appends) == 60_000
    assert len(lake.appends) <= 12
    assert lake.appends[0] == 5_000
    assert lake.rules == RULES


def test_progress_rises_to_all_that_was_missing_even_where_candles_do_not_exist():
    columns = (np.delete(getattr(SOURCE, name), slice(7_000, 22_000)) for name in COLUMNS)
    holed = build("synthetic", "A/B", M1, *columns)
    seen: list[Progress] = []
    done = run(MemoryMarket(holed), MemoryLake(SOURCE[:2_000]), seen)
    assert [step.passed for step in seen] == sorted(step.passed for step in seen)
    assert {step.missing for step in seen} == {58_000}
    assert (seen[0].passed, seen[-1].passed, seen[-1].arrived) == (0, 58_000, 43_000)
    assert (done.added, done.held, done.absent) == (43_000, 45_000, 15_000)


@pytest.mark.parametrize("pages", [0, 1, 7])
def test_ctrl_c_keeps_every_page_that_arrived_and_counts_them(pages):
    lake = MemoryLake()
    with pytest.raises(Stopped) as stopped:
        run(MemoryMarket(ends=KeyboardInterrupt(), pages=pages), lake)
    assert stopped.value.params["added"] == pages * 1000 == sum(lake.appends)


def test_an_error_keeps_every_page_that_arrived_and_passes_through():
    lake = MemoryLake()
    with pytest.raises(VenueUnavailable):
        run(MemoryMarket(ends=VenueUnavailable("venue.unavailable", venue="x", detail="y"), pages=3), lake)
    assert lake.held is not None
    assert len(lake.held) == 3000


def test_what_is_held_is_not_asked_for():
    market = MemoryMarket()
    run(market, MemoryLake(SOURCE[10_000:50_000]))
    assert market.asked == [(START, START + 10_000 * M1.ms), (START + 50_000 * M1.ms, END)]


def test_without_since_it_goes_on_from_what_is_held_and_says_so_if_there_is_nothing():
    market = MemoryMarket()
    assert run(market, MemoryLake(SOURCE[100:59_000]), since=None).since == START + 100 * M1.ms
    assert market.asked == [(START + 59_000 * M1.ms, END)]
    with pytest.raises(NotFound, match="say where to begin"):
        run(market, MemoryLake(), since=None)


def test_a_span_must_have_a_length():
    with pytest.raises(BadInput):
        run(MemoryMarket(), MemoryLake(), until=START)


def test_what_the_venue_says_anew_replaces_nothing_that_was_not_asked_for():
    held = replace(SOURCE[:60_000], volume=SOURCE.volume * 2)
    lake = MemoryLake(held)
    assert run(MemoryMarket(), lake).added == 0
    assert lake.appends == []
