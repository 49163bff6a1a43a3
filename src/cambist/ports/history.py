"""Market history: where candles are kept, read from files, and fetched."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cambist.domain.candles import Candles
from cambist.domain.instrument import Instrument
from cambist.domain.timeframe import Timeframe


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """What the lake holds of one venue, symbol and timeframe."""

    venue: str
    symbol: str
    timeframe: Timeframe
    count: int
    first_ts: int
    last_ts: int
    missing: int
    """Candles absent between the first and the last."""
    gaps: int
    """Runs of absent candles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """What one append changed."""

    added: int
    replaced: int
    """Candles that were there already, with other values."""


class CandleLake(Protocol):
    """The store of candles: one series per venue, symbol and timeframe. A cache of the market, safe to delete."""

    def read(
        self, venue: str, symbol: str, timeframe: Timeframe | str, since: int | None = None, until: int | None = None
    ) -> Candles:
        """Return the candles opening in ``[since, until)`` (ms); raise `NotFound` if the lake has no such series."""
        ...

    def append(self, candles: Candles) -> Appended:
        """Merge ``candles`` in by open time, newer values winning; atomic, safe against other writers and kill -9."""
        ...

    def series(self) -> list[Series]:
        """List what the lake holds, by venue, symbol and timeframe."""
        ...

    def instrument(self, venue: str, symbol: str) -> Instrument | None:
        """Return the venue's rules for ``symbol`` if they were kept, else None."""
        ...

    def keep_instrument(self, instrument: Instrument) -> None:
        """Keep a venue's rules beside its candles."""
        ...


class CandleFiles(Protocol):
    """Candles in files as people bring them."""

    def read(
        self,
        path: Path,
        *,
        venue: str | None = None,
        symbol: str | None = None,
        timeframe: Timeframe | None = None,
        repair: bool = False,
    ) -> "FileRead":
        """Read and check one file; raise `BadCandles` naming each bad row unless ``repair`` drops them."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRead:
    """What was read from a file."""

    candles: Candles
    dropped: tuple[str, ...] = ()
    """What repair dropped, one sentence each."""
    notes: tuple[str, ...] = ()
    """What the reader should know: gaps, what was guessed."""


class PublicMarket(Protocol):
    """A venue's public candles."""

    def instrument(self, symbol: str) -> Instrument:
        """Return the venue's rules for ``symbol``; raise `NotFound` with near matches."""
        ...

    def candles(self, symbol: str, timeframe: Timeframe, since: int, until: int) -> Iterator[Candles]:
        """Yield closed candles opening in ``[since, until)`` in order, page by page, retrying what can be retried."""
        ...
