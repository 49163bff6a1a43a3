"""The symbols that exchanges list, kept so that people can search them. They belong to nobody. Blocking calls."""

from collections.abc import Sequence
from typing import Protocol

from cambist.domain.instrument import Kind
from cambist.domain.market import ListedExchange, Listing
from cambist.domain.record import record


@record(kw_only=True)
class SymbolQuery:
    """What is looked for at one exchange."""

    exchange: str
    testnet: bool = False
    text: str = ""
    """Part of a symbol, with or without its signs: ``btc``, ``BTC/US``, ``btcusdt``."""
    quote: str | None = None
    kind: Kind | None = None
    active: bool | None = True


@record(kw_only=True)
class Found:
    """A listing, and how well it fits: 0 the symbol itself, 1 its base, 2 begins so, 3 contains it."""

    rank: int
    listing: Listing


class Symbols(Protocol):
    """Every method may raise `StorageFailed`."""

    def replace(self, exchange: str, testnet: bool, listings: Sequence[Listing], now_ms: int) -> None:
        """Put ``listings`` in place of all that were known of the exchange, at once: nobody sees half of them."""
        ...

    def search(self, query: SymbolQuery, limit: int, after: tuple[int, str] | None = None) -> list[Found]:
        """Return what fits, the best first and then by symbol, beyond ``after`` (rank, symbol)."""
        ...

    def quotes(self, exchange: str, testnet: bool = False) -> dict[str, int]:
        """Return how many active symbols there are per quote currency, the most first."""
        ...

    def listed(self) -> list[ListedExchange]:
        """Return the exchanges whose symbols are known, by name."""
        ...
