"""How Binance says no: HTTP status, code and message, as its documents have them."""

from typing import Any

from cambist.domain.errors import VenueRefused


class Refused(Exception):
    """A request that the exchange refuses; ``extra`` goes into the body beside code and message."""

    def __init__(self, code: int, message: str, status: int = 400, extra: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.status, self.extra = code, message, status, extra or {}

    def body(self) -> dict[str, Any]:
        """Return the JSON that is answered."""
        return {"code": self.code, "msg": self.message, **self.extra}


BALANCE = "Account has insufficient balance for requested action."
DUPLICATE = "Duplicate order sent."
WOULD_TRIGGER = "Stop price would trigger immediately."
WOULD_MATCH = "Order would immediately match and take."
BAD_RELATION = "The relationship of the prices for the orders is not correct."
UNKNOWN_ORDER = "Unknown order sent."

_OF_THE_EXCHANGE = {
    "exchange.balance": (-2010, BALANCE),
    "exchange.duplicate": (-2010, DUPLICATE),
    "exchange.would_trigger": (-2010, WOULD_TRIGGER),
    "exchange.lot_size": (-1013, "Filter failure: LOT_SIZE"),
    "exchange.min_quantity": (-1013, "Filter failure: LOT_SIZE"),
    "exchange.tick_size": (-1013, "Filter failure: PRICE_FILTER"),
    "exchange.min_notional": (-1013, "Filter failure: NOTIONAL"),
    "exchange.oco": (-2010, BAD_RELATION),
}

_BY_STATUS = {
    401: (-2015, "Invalid API-key, IP, or permissions for action."),
    403: (0, "Request forbidden by the web application firewall."),
    418: (-1003, "Way too much request weight used; IP banned until 1999999999999."),
    429: (-1003, "Too much request weight used; current limit is 6000 request weight per 1 MINUTE."),
    451: (0, "Service unavailable from a restricted location according to 'b. Eligibility'."),
    504: (-1007, "Timeout waiting for response from backend server. Send status unknown; execution status unknown."),
}


def of_the_exchange(error: VenueRefused) -> Refused:
    """Return in Binance's words what the matching engine refused."""
    code, message = _OF_THE_EXCHANGE.get(error.key, (-2010, "This action is disabled on this account."))
    return Refused(code, message)


def missing(name: str) -> Refused:
    """Return the refusal of a request that lacks the parameter ``name``."""
    return Refused(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def error_body(status: int) -> dict[str, Any]:
    """Return the body that comes with an error ``status``."""
    code, message = _BY_STATUS.get(status, (-1001, "Internal error; unable to process your request. Please try again."))
    return {"code": code, "msg": message}
