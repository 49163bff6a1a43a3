"""The composition root: the only file that names an adapter."""

from pathlib import Path

from cambist.apps.settings import Settings, load
from cambist.domain.candles import Candles
from cambist.domain.timeframe import Timeframe
from cambist.ports.history import CandleFiles, CandleLake, PublicMarket
from cambist.ports.results import ResultStore


def lake(settings: Settings | None = None) -> CandleLake:
    """Return the candle lake."""
    from cambist.adapters.storage.candles import ParquetLake

    return ParquetLake((settings or load()).lake)


def candle_files() -> CandleFiles:
    """Return the reader of candle files."""
    from cambist.adapters.storage.candle_files import KnownFiles

    return KnownFiles()


def read_candles(
    path: str | Path,
    *,
    venue: str | None = None,
    symbol: str | None = None,
    timeframe: str | None = None,
    repair: bool = False,
) -> Candles:
    """Return the candles of any importable file; what the file does not say is guessed, options override.

    Raises `BadCandles` naming each bad row; ``repair=True`` drops them instead.
    """
    frame = None if timeframe is None else Timeframe.parse(timeframe)
    return candle_files().read(Path(path), venue=venue, symbol=symbol, timeframe=frame, repair=repair).candles


def public_market(venue: str, settings: Settings | None = None) -> PublicMarket:
    """Return the public market data of ``venue``; raise `BadInput` if no such exchange is known."""
    from cambist.adapters.venues.ccxt.public import CcxtPublicMarket

    return CcxtPublicMarket(venue, base_url=(settings or load()).venue_url)


def results(settings: Settings | None = None) -> ResultStore:
    """Return the store of finished backtests."""
    from cambist.adapters.storage.results import SqlResults

    return SqlResults((settings or load()).database_url)
