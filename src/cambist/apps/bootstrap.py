"""The composition root: the only file that names an adapter."""

from cambist.apps.settings import Settings, load
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


def public_market(venue: str, settings: Settings | None = None) -> PublicMarket:
    """Return the public market data of ``venue``; raise `BadInput` if no such exchange is known."""
    from cambist.adapters.venues.ccxt.public import CcxtPublicMarket

    return CcxtPublicMarket(venue, base_url=(settings or load()).venue_url)


def results(settings: Settings | None = None) -> ResultStore:
    """Return the store of finished backtests."""
    from cambist.adapters.storage.results import SqlResults

    return SqlResults((settings or load()).database_url)
