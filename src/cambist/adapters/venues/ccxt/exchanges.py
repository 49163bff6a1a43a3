"""`CcxtExchanges`: every exchange that ccxt knows, over one gateway (`cambist.ports.exchanges.Exchanges`)."""

from collections.abc import Iterable
from pathlib import Path

from cambist.adapters.venues.ccxt import catalogue, keys, shown
from cambist.adapters.venues.ccxt.gateway import Gateway
from cambist.adapters.venues.ccxt.lazy import venues
from cambist.adapters.venues.ccxt.public import CcxtPublicMarket
from cambist.domain.broker import ExchangeCard, KeyTest
from cambist.domain.credentials import Credentials
from cambist.domain.market import Depth, Listing, Ticker


class CcxtExchanges:
    """Asks through ``gateway``, whose budget all share. The catalogue is kept in ``folder``.

    ``base_url`` sends what does not go through the gateway to another host as well.
    """

    def __init__(self, gateway: Gateway, folder: Path, base_url: str | None = None) -> None:
        self._gateway = gateway
        self._folder = folder
        self._base_url = base_url
        self._cards: list[ExchangeCard] = []
        self._histories: dict[str, CcxtPublicMarket] = {}

    def cards(self) -> list[ExchangeCard]:
        """Return all exchanges that are known, by id. Blocking, and slow once."""
        self._cards = self._cards or catalogue.cards(self._folder)
        return self._cards

    def knows(self, exchange: str) -> bool:
        """Tell whether there is an exchange of this id."""
        return exchange in venues()

    async def test_key(self, exchange: str, credentials: Credentials, *, testnet: bool, quote: str) -> KeyTest:
        """Connect with ``credentials`` and return what they open; see `cambist.ports.exchanges.Exchanges`."""
        place = self._gateway.place(exchange, testnet=testnet)
        return await keys.test_key(place, credentials, testnet=testnet, quote=quote)

    async def listings(self, exchange: str, *, testnet: bool = False) -> list[Listing]:
        """Return all that the exchange lists now and Cambist could trade, asked anew; it may take half a minute."""
        return await shown.listings(self._gateway.place(exchange, testnet=testnet), testnet=testnet)

    async def tickers(self, exchange: str, symbols: Iterable[str], *, testnet: bool = False) -> dict[str, Ticker]:
        """Return the last prices by symbol; raise `NotFound` for a symbol that is not listed."""
        return await shown.tickers(self._gateway.place(exchange, testnet=testnet), symbols)

    async def book(self, exchange: str, symbol: str, levels: int, *, testnet: bool = False) -> Depth:
        """Return the order book, at most ``levels`` deep; raise `NotFound`."""
        return await shown.book(self._gateway.place(exchange, testnet=testnet), symbol, levels)

    def history(self, exchange: str) -> CcxtPublicMarket:
        """Return the candles of ``exchange``: blocking, for one thread at a time. Raises `BadInput`."""
        if exchange not in self._histories:
            self._histories[exchange] = CcxtPublicMarket(exchange, self._base_url)
        return self._histories[exchange]

    async def close(self) -> None:
        """Close all connections."""
        await self._gateway.close()
