"""The exchanges: which there are, what they show to everybody, and what they say to the owner of a key."""

from collections.abc import Iterable
from typing import Protocol

from cambist.domain.broker import ExchangeCard, KeyTest, KnownKey
from cambist.domain.credentials import Credentials
from cambist.domain.market import Depth, Listing, Ticker
from cambist.ports.history import PublicMarket


class Exchanges(Protocol):
    """Lives in one event loop; `close` it there. What asks an exchange raises the `VenueError` tree."""

    def cards(self) -> list[ExchangeCard]:
        """Return all exchanges that are known, by id. Blocking, and slow once."""
        ...

    def knows(self, exchange: str) -> bool:
        """Tell whether there is an exchange of this id."""
        ...

    async def test_key(self, exchange: str, credentials: Credentials, *, testnet: bool, quote: str) -> KeyTest:
        """Connect with ``credentials`` and return what they open.

        Raises `BadInput` naming the part of the credentials that is wrong, `VenueRefused` where something else is in
        the way (clock, country, account), saying what to do.
        """
        ...

    async def listings(self, exchange: str, *, testnet: bool = False) -> list[Listing]:
        """Return all that the exchange lists now and Cambist could trade, asked anew; it may take half a minute."""
        ...

    async def tickers(self, exchange: str, symbols: Iterable[str], *, testnet: bool = False) -> dict[str, Ticker]:
        """Return the last prices by symbol; raise `NotFound` for a symbol that is not listed."""
        ...

    async def book(self, exchange: str, symbol: str, levels: int, *, testnet: bool = False) -> Depth:
        """Return the order book, at most ``levels`` deep; raise `NotFound`."""
        ...

    def history(self, exchange: str) -> PublicMarket:
        """Return the candles of ``exchange``: blocking, for one thread at a time. Raises `BadInput`."""
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...


class KeyRegister(Protocol):
    """What is remembered of one user's keys (of all users', for the engine): blocking, confined to that user."""

    def tested(self, key: KnownKey) -> None:
        """Keep what a test has shown, in place of what an earlier one did."""
        ...

    def keys(self) -> dict[str, KnownKey]:
        """Return what is known of each account's key, by account."""
        ...
