"""`CcxtVenue` keeps the contract, against Binance in a box."""

from contextlib import AbstractAsyncContextManager

from tests.contract.boxed import boxed
from tests.contract.venue import Place, VenueContract

from cambist.simulators.binance import ExchangeServer


class TestCcxtVenue(VenueContract):
    def place(self) -> AbstractAsyncContextManager[Place]:
        return boxed("binance", "BTCUSDT", ExchangeServer, secret="secret")
