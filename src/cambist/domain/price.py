"""Prices of assets, with where they come from: what is valued by an old or a borrowed price says so."""

from decimal import Decimal

from cambist.domain.record import record


@record(kw_only=True)
class Price:
    """What one unit of ``asset`` is worth in ``quote``."""

    asset: str
    quote: str
    price: Decimal
    source: str
    """``same`` (it is the currency itself), ``par`` (a coin that stands for it, with no price known), or where the
    price was seen: ``journal``, ``heartbeat``, ``candles``, ``venue``; of prices in a row, all: ``a+b``."""
    ts: int
    """When it was seen (ms); the oldest of these. 0 for ``same`` and ``par``."""
