"""Bring candles from files into the lake: each file wholly or not at all, whatever becomes of the others."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cambist.domain.candles import Candles
from cambist.domain.errors import CambistError, Stopped
from cambist.domain.text import say
from cambist.domain.timeframe import Timeframe
from cambist.market.likeness import likeness
from cambist.ports.history import Appended, CandleFiles, CandleLake, Series

# Candles that two series must share before anything is said of them; from which share of equal closes they are copies
# (markets of one pair agree to the cent now and then); and how far apart two markets of one pair may typically be.
_ENOUGH = 100
_COPY = 0.9
_FAR = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A file whose candles are in the lake now."""

    path: Path
    venue: str
    symbol: str
    timeframe: Timeframe
    count: int
    first_ts: int
    last_ts: int
    appended: Appended
    dropped: tuple[str, ...]
    """What repair dropped, one sentence each."""
    notes: tuple[str, ...]
    """What a person should know of these candles, one sentence each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A file of which nothing was kept."""

    path: Path
    error: CambistError


def import_candles(
    files: CandleFiles,
    lake: CandleLake,
    paths: Iterable[Path],
    *,
    venue: str | None = None,
    symbol: str | None = None,
    timeframe: Timeframe | None = None,
    repair: bool = False,
) -> Iterator[Imported | Refused]:
    """Import file by file, in order, and yield what became of each; ``venue symbol timeframe`` override what it says.

    Candles that resemble another market of the same pair too much, or too little, are imported with a note.
    """
    for path in paths:
        try:
            read = files.read(path, venue=venue, symbol=symbol, timeframe=timeframe, repair=repair)
            doubts = tuple(_compare(read.candles, lake))
            appended = lake.append(read.candles)
        except Stopped:
            raise
        except CambistError as error:
            yield Refused(path=path, error=error)
            continue
        candles = read.candles
        yield Imported(
            path=path,
            venue=candles.venue,
            symbol=candles.symbol,
            timeframe=candles.timeframe,
            count=len(candles),
            first_ts=int(candles.ts[0]),
            last_ts=int(candles.ts[-1]),
            appended=appended,
            dropped=read.dropped,
            notes=(*read.notes, *doubts),
        )


def _compare(candles: Candles, lake: CandleLake) -> Iterator[str]:
    """Yield what the lake holds of the same pair, there or elsewhere, that makes one doubt these candles."""
    since, until = int(candles.ts[0]), int(candles.ts[-1]) + 1
    for series in lake.series():
        if not _same_pair(series, candles) or series.last_ts < since or series.first_ts >= until:
            continue
        alike = likeness(candles, lake.read(series.venue, series.symbol, series.timeframe, since, until))
        name = f"{series.venue} {series.symbol} {series.timeframe}"
        if (series.venue, series.symbol) == (candles.venue, candles.symbol):
            if alike.same < 1:
                yield say("candles.note.differs", share=f"{1 - alike.same:.1%}", count=alike.candles)
        elif alike.candles < _ENOUGH:
            continue
        elif alike.same >= _COPY:
            yield say("candles.note.same_as", share=f"{alike.same:.1%}", other=name)
        elif alike.apart >= _FAR:
            yield say("candles.note.far_from", share=f"{alike.apart:.0%}", other=name)


def _same_pair(series: Series, candles: Candles) -> bool:
    """Tell whether these are candles of one pair and timeframe, on whatever venue, spot or perpetual."""
    return series.timeframe is candles.timeframe and series.symbol.split(":")[0] == candles.symbol.split(":")[0]
