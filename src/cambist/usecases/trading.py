"""Manual trading: figures first, then a summary with a token that holds for a moment, then the order, once."""

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cambist.domain.errors import BadInput, NotAllowed, Taken, VenueUnavailable
from cambist.domain.instrument import Kind
from cambist.domain.order import OrderType, Side, TimeInForce
from cambist.domain.record import record
from cambist.domain.wire import codec
from cambist.engine.requests import Offer
from cambist.portfolio.ticket import Ticket, ticket
from cambist.ports.answers import Answers
from cambist.ports.book import Register
from cambist.usecases.accounts import account_of, ask

HOLDS_MS = 30_000
"""How long a summary may be executed: prices move on."""


@record(kw_only=True)
class Wanted:
    """What a person wrote into the order form."""

    account: str
    symbol: str
    side: Side
    type: OrderType
    quantity: Decimal | None = None
    amount: Decimal | None = None
    price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    reduce_only: bool = False


@record(kw_only=True)
class Summary:
    """What would be ordered, and what that leaves."""

    ticket: Ticket
    last: Decimal
    free: Decimal
    """What the account may spend of what the order costs, before it."""
    asset: str
    """In what ``free`` is counted."""
    enough: bool


def summary(wanted: Wanted, offer: Offer) -> Summary:
    """Return the figures of an order on what the engine offered; raise `BadInput` naming field, value and remedy."""
    instrument = offer.instrument
    made = ticket(
        instrument,
        wanted.side,
        wanted.type,
        last=offer.last,
        quantity=wanted.quantity,
        amount=wanted.amount,
        price=wanted.price,
    )
    closes = wanted.side is Side.SELL
    if instrument.kind is Kind.PERPETUAL:  # what opens a short is paid for too: its margin
        closes = wanted.reduce_only or made.quantity <= offer.free_base * -wanted.side.sign
    free = offer.free_base.copy_abs() if closes else offer.free_quote
    return Summary(
        ticket=made,
        last=offer.last,
        free=free,
        asset=instrument.base if closes else instrument.quote,
        enough=free >= (made.quantity if closes else made.total),
    )


@dataclass(frozen=True, slots=True)
class Tickets:
    """Makes and reads the tokens of summaries: what they say cannot be changed, and holds for a person and a moment."""

    key: bytes

    def issue(self, user_id: int, params: dict[str, Any], account: str, nonce: str, now_ms: int) -> str:
        """Return a token for an order with these ``params``."""
        said = {"user": user_id, "account": account, "order": params, "nonce": nonce, "until_ms": now_ms + HOLDS_MS}
        body = json.dumps(said, separators=(",", ":"), sort_keys=True).encode()
        return f"{_text(body)}.{_text(self._mark(body))}"

    def read(self, token: str, user_id: int, now_ms: int) -> dict[str, Any]:
        """Return what a token says; raise `BadInput` if it is none, `Taken` if its moment is over."""
        first, _, second = token.partition(".")
        try:
            body, mark = urlsafe_b64decode(first + "=="), urlsafe_b64decode(second + "==")
        except ValueError:
            raise BadInput("token", None, "trading.bad_ticket") from None
        if not hmac.compare_digest(mark, self._mark(body)):
            raise BadInput("token", None, "trading.bad_ticket")
        said: dict[str, Any] = json.loads(body)
        if said["user"] != user_id:
            raise NotAllowed("trading.other_ticket")
        if now_ms > said["until_ms"]:
            raise Taken("trading.ticket_over", seconds=HOLDS_MS // 1_000)
        return said

    def _mark(self, body: bytes) -> bytes:
        return hmac.digest(self.key, b"ticket|" + body, "sha256")


def execute(said: dict[str, Any], register: Register, answers: Answers, now_ms: int) -> int:
    """Put the order of a token to the engine and return the request's number: the same one, however often it comes."""
    spec = account_of(register, said["account"])
    key, digest = f"ticket.{said['nonce']}", hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
    kept = answers.claim(key, digest, now_ms)
    if kept is not None:
        if kept.status is None:
            raise Taken("trading.ticket_busy")
        return int(kept.body)
    number = ask(register, spec.user_id, spec.id, "order", now_ms, **said["order"])
    answers.keep(key, 202, {}, str(number))
    return number


def order_params(wanted: Wanted, made: Ticket) -> dict[str, Any]:
    """Return what the engine is asked."""
    params: dict[str, Any] = {
        "symbol": made.symbol,
        "side": made.side.value,
        "type": made.type.value,
        "quantity": f"{made.quantity:f}",
        "time_in_force": wanted.time_in_force.value,
    }
    if made.limit is not None:
        params["price"] = f"{made.limit:f}"
    if made.trigger is not None:
        params["trigger"] = f"{made.trigger:f}"
    if wanted.reduce_only:
        params["reduce_only"] = True
    return params


def offer_in(answer: str) -> Offer:
    """Return the offer that the engine answered with; raise `VenueUnavailable` with its reason if it is none."""
    read: Callable[[Any], Offer] = codec(Offer)[1]
    if not answer.startswith("{"):
        raise VenueUnavailable("trading.no_offer", why=answer)
    return read(json.loads(answer))


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")
