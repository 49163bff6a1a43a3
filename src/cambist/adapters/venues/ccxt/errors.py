"""Every error of ccxt, as one of ours.

The table names each class of ``ccxt.base.errors`` (a test keeps it complete) and says what it means twice: for a
question, which may be asked again, and for an order, which may not. An order whose answer was lost is `OutcomeUnknown`.
"""

import re
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from time import time
from typing import Any

from cambist.domain.errors import (
    BadInput,
    CambistError,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    VenueRefused,
    VenueUnavailable,
)
from cambist.domain.text import say

Kind = type[CambistError]

# ccxt's class: (when asking, when ordering)
TABLE: dict[str, tuple[Kind, Kind]] = {
    "BaseError": (VenueRefused, OutcomeUnknown),
    "ExchangeError": (VenueRefused, VenueRefused),
    "AuthenticationError": (VenueRefused, VenueRefused),
    "PermissionDenied": (VenueRefused, VenueRefused),
    "AccountNotEnabled": (VenueRefused, VenueRefused),
    "AccountSuspended": (VenueRefused, VenueRefused),
    "ArgumentsRequired": (VenueRefused, VenueRefused),
    "BadRequest": (VenueRefused, VenueRefused),
    "BadSymbol": (NotFound, NotFound),
    "OperationRejected": (VenueRefused, VenueRefused),
    "NoChange": (VenueRefused, VenueRefused),
    "MarginModeAlreadySet": (VenueRefused, VenueRefused),
    "MarketClosed": (VenueRefused, VenueRefused),
    "ManualInteractionNeeded": (VenueRefused, VenueRefused),
    "RestrictedLocation": (VenueRefused, VenueRefused),
    "InsufficientFunds": (VenueRefused, VenueRefused),
    "InvalidAddress": (BadInput, BadInput),
    "AddressPending": (VenueRefused, VenueRefused),
    "InvalidOrder": (VenueRefused, VenueRefused),
    "OrderNotFound": (NotFound, NotFound),
    "OrderNotCached": (NotFound, NotFound),
    "OrderImmediatelyFillable": (VenueRefused, VenueRefused),
    "OrderNotFillable": (VenueRefused, VenueRefused),
    "DuplicateOrderId": (VenueRefused, OutcomeUnknown),
    "ContractUnavailable": (VenueRefused, VenueRefused),
    "NotSupported": (VenueRefused, VenueRefused),
    "InvalidProxySettings": (BadInput, BadInput),
    "ExchangeClosedByUser": (VenueUnavailable, OutcomeUnknown),
    "OperationFailed": (VenueUnavailable, OutcomeUnknown),
    "NetworkError": (VenueUnavailable, OutcomeUnknown),
    "DDoSProtection": (RateLimited, RateLimited),
    "RateLimitExceeded": (RateLimited, RateLimited),
    "ExchangeNotAvailable": (VenueUnavailable, OutcomeUnknown),
    "OnMaintenance": (VenueUnavailable, OutcomeUnknown),
    "InvalidNonce": (VenueRefused, VenueRefused),
    "ChecksumError": (VenueUnavailable, OutcomeUnknown),
    "RequestTimeout": (VenueUnavailable, OutcomeUnknown),
    "BadResponse": (VenueUnavailable, OutcomeUnknown),
    "NullResponse": (VenueUnavailable, OutcomeUnknown),
    "CancelPending": (VenueUnavailable, OutcomeUnknown),
    "UnsubscribeError": (VenueUnavailable, VenueUnavailable),
}

DUPLICATE = "venue.duplicate"
"""The text key of the `OutcomeUnknown` that says: the venue has had an order of that id before."""

_TEXTS: dict[Kind, str] = {
    NotFound: "venue.not_found",
    OutcomeUnknown: "venue.outcome_unknown",
    RateLimited: "venue.rate_limited",
    VenueRefused: "venue.refused",
    VenueUnavailable: "venue.unavailable",
}
# ccxt found these in the answer's text, whose word on an order goes before its status
_SPOKEN = ("DuplicateOrderId", "OperationFailed", "RequestTimeout", "CancelPending", "BadResponse", "NullResponse")
# whatever class of ccxt's stands for them (Bybit's "order creation timeout" is an InvalidOrder there)
_UNDECIDED = re.compile(
    r"\btime[ -]?out|\btimed[ -]out|for processing|internal (server )?error|system (is )?(error|busy|abnormal)",
    re.IGNORECASE,
)
_RETRIED_4XX = (408, 418, 425, 429)
_LONGEST_DETAIL = 160


def translate(error: Exception, venue: str, *, ordering: bool = False) -> CambistError:
    """Return our error for ``error``, which ccxt raised while it spoke with ``venue``.

    ``ordering`` tells that the request may have changed something there (an order, a cancellation).
    """
    kind = _kind(error, ordering)
    detail = _detail(error, venue)
    answer = _answer(error)
    if ordering and kind in (VenueRefused, OutcomeUnknown) and "duplicat" in f"{type(error).__name__}{error}".lower():
        return OutcomeUnknown(DUPLICATE, venue=venue, detail=detail)  # such an order exists: ask what became of it
    if answer is not None:
        kind = _by_status(kind, answer.status_code, type(error).__name__, ordering)
    if ordering and kind is VenueRefused and _UNDECIDED.search(str(error)):
        kind = OutcomeUnknown  # it speaks of itself, not of the order
    if kind is BadInput:
        return BadInput(type(error).__name__, detail, "venue.check_input")
    if kind is RateLimited:
        wait = None if answer is None else retry_after_s(answer.headers.get("Retry-After"))
        return RateLimited(_TEXTS[kind], wait, venue=venue, detail=detail)
    return kind(_TEXTS[kind], venue=venue, detail=detail)


def retry_after_s(header: str | None) -> float | None:
    """Return the seconds that a ``Retry-After`` header asks for: a number, or a date; None if it says neither."""
    if header is None:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time())
    except ValueError:
        return None


def _kind(error: Exception, ordering: bool) -> Kind:
    if any(ancestor.__name__ == "ClientError" for cause in _chain(error) for ancestor in type(cause).__mro__):
        # an answer that broke off half-way: ccxt calls it an ExchangeError, as if the venue had said no
        return OutcomeUnknown if ordering else VenueUnavailable
    for ancestor in type(error).__mro__:
        if ancestor.__name__ in TABLE:
            return TABLE[ancestor.__name__][ordering]
    # not ccxt's own: its parsers meet an answer of a shape that they do not expect with a KeyError or the like
    return OutcomeUnknown if ordering else VenueUnavailable


def _by_status(kind: Kind, status: int, name: str, ordering: bool) -> Kind:
    """Return what an error of ``kind`` is, now that the status of the answer is known."""
    if ordering and status >= 500:
        return OutcomeUnknown  # whatever the page says: the order may have passed before it failed
    if ordering and name == "ExchangeError" and status < 300:
        # an answer in good order with a code that ccxt does not know, or with none at all: "system error" is among them
        return OutcomeUnknown
    if ordering and name in _SPOKEN:
        return kind
    if kind in (VenueUnavailable, OutcomeUnknown) and 400 <= status < 500 and status not in _RETRIED_4XX:
        return VenueRefused  # ccxt calls these unavailable, but asking again will not help
    return kind


def _answer(error: Exception) -> Any:
    """Return the HTTP response behind ``error``: ccxt keeps neither status nor headers, but chains the cause."""
    for cause in _chain(error):
        answer = getattr(cause, "response", None)
        if answer is not None:
            return answer
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def _detail(error: Exception, venue: str) -> str:
    """Return what went wrong in one short line: without addresses, and without the mark-up of error pages."""
    if _answer(error) is None:
        names = [ancestor.__name__ for ancestor in type(error).__mro__]
        if "RequestTimeout" in names:
            return say("venue.detail.timeout")
        if names[0] == "ExchangeError" and error.__cause__ is not None:
            return say("venue.detail.connection")
        if "NetworkError" in names and "DDoSProtection" not in names and "RateLimitExceeded" not in names:
            return say("venue.detail.connection")
    text = re.sub(r"<(style|script|title).*?</\1>|<[^>]*>", " ", str(error), flags=re.DOTALL)
    text = re.sub(r"\b(GET|POST|PUT|DELETE) https?://\S+", " ", text)
    text = " ".join(text.split()).removeprefix(f"{venue} ").rstrip(". ") or type(error).__name__
    return text if len(text) <= _LONGEST_DETAIL else text[: _LONGEST_DETAIL - 1] + "…"
