"""How Kraken says no: a list of texts under status 200, as its documents and its users' logs have them."""

from typing import Any

from cambist.domain.errors import VenueRefused

INVALID_KEY = "EAPI:Invalid key"
INVALID_SIGNATURE = "EAPI:Invalid signature"
INVALID_NONCE = "EAPI:Invalid nonce"
CALLS_EXCEEDED = "EAPI:Rate limit exceeded"
LOCKED_OUT = "EGeneral:Temporary lockout"
UNKNOWN_METHOD = "EGeneral:Unknown method"
UNKNOWN_PAIR = "EQuery:Unknown asset pair"
UNKNOWN_ORDER = "EOrder:Unknown order"
INVALID_SESSION = "ESession:Invalid session"
ORDERS_EXCEEDED = "EOrder:Orders limit exceeded"
TRADING_EXCEEDED = "EOrder:Rate limit exceeded"
FUNDS = "EOrder:Insufficient funds"
COST_MINIMUM = "EOrder:Cost minimum not met"
ORDER_MINIMUM = "EOrder:Order minimum not met"
TICK_SIZE = "EOrder:Tick size check failed"
POST_ONLY = "EOrder:Post only order"
INVALID_PRICE = "EOrder:Invalid price"
ID_IN_USE = "EOrder:cl_ord_id already in use"

_OF_THE_EXCHANGE = {
    "exchange.balance": FUNDS,
    "exchange.min_quantity": ORDER_MINIMUM,
    "exchange.min_notional": COST_MINIMUM,
    "exchange.tick_size": TICK_SIZE,
    "exchange.would_trigger": INVALID_PRICE,
    "exchange.no_stop": UNKNOWN_ORDER,
}
_BY_STATUS = {403: "EGeneral:Permission denied", 418: LOCKED_OUT, 429: CALLS_EXCEEDED, 500: "EGeneral:Internal error"}


class Refused(Exception):
    """A request that the exchange refuses, in its words."""

    def body(self) -> dict[str, Any]:
        """Return the JSON that is answered."""
        return {"error": [str(self)]}


def invalid(name: str) -> Refused:
    """Return the refusal of a request whose parameter ``name`` is missing or makes no sense."""
    return Refused(f"EGeneral:Invalid arguments:{name}")


def of_the_exchange(error: VenueRefused) -> Refused:
    """Return in Kraken's words what the matching engine refused."""
    return Refused(_OF_THE_EXCHANGE.get(error.key, "EOrder:Invalid order"))


def error_body(status: int) -> dict[str, Any]:
    """Return the body that comes with an error ``status``."""
    return {"error": [_BY_STATUS.get(status, "EService:Unavailable")]}
