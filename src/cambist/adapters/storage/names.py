"""Names of folders and files in the lake: readable, and safe on every file system.

Folders need not be read back (each file says what it holds), only differ. A plain venue (``binance``) or symbol
(``BTC/USDT:USDT``, as ``BTC_USDT_USDT``) keeps its own name; anything else is spelled with letters that every system
allows and tells itself apart by a digest.
"""

import re
from hashlib import sha256

from cambist.domain.timeframe import Timeframe

_PLAIN_SYMBOL = re.compile(r"[A-Z0-9]{1,20}(/[A-Z0-9]{1,20}(:[A-Z0-9]{1,20})?)?")
_PLAIN_VENUE = re.compile(r"[a-z0-9]{1,40}")
# names that Windows keeps for devices, whatever their case
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])", re.IGNORECASE)


def venue_folder(venue: str) -> str:
    """Return the folder of a venue; different venues have different folders, also where case is ignored."""
    return venue if _PLAIN_VENUE.fullmatch(venue) and not _DEVICES.fullmatch(venue) else _spelled(venue)


def symbol_folder(symbol: str) -> str:
    """Return the folder of a symbol; different symbols have different folders, also where case is ignored."""
    plain = _PLAIN_SYMBOL.fullmatch(symbol) and not _DEVICES.fullmatch(symbol)
    return re.sub("[/:]", "_", symbol) if plain else _spelled(symbol)


def series_name(timeframe: Timeframe) -> str:
    """Return the file name, without its ending, for a timeframe: ``1M`` and ``1m`` differ where case is ignored."""
    return "1month" if timeframe is Timeframe.MO1 else str(timeframe)


def study_folder(study: str) -> str:
    """Return the folder of a search's study, or of one of its runs; different names have different folders."""
    return _spelled(study)


def _spelled(name: str) -> str:
    return f"{re.sub('[^A-Za-z0-9]+', '_', name)[:60].strip('_')}~{sha256(name.encode()).hexdigest()[:16]}"
