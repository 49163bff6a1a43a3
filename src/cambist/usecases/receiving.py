"""Alerts from elsewhere received: who sent them is proved, what they ask for is put to the engine once.

Each call of a webhook that there is goes into its journal with what became of it. One that is acted on is written
together with its request, so that whatever crashes, an alert is acted on once or not at all.
"""

import hashlib
import hmac
import ipaddress
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cambist.domain.errors import BadInput, NotFound, ParseError
from cambist.domain.record import record
from cambist.domain.text import say
from cambist.domain.webhook import Asked, asked, one_time_id, sent_ms
from cambist.domain.webhook_body import Pieces, pieces, read_text, secrets_in, without_secrets
from cambist.ports.book import Request
from cambist.ports.webhooks import Came, Once, Sender, Webhook, WebhookCall, Webhooks

PURPOSE = "webhook"
"""What the secret of a webhook is for, in the vault."""
SIGNED_WINDOW_S = 60
_MOST_SECRETS = 1_000
_SIGNATURE = re.compile(r"sha256=[0-9a-f]{64}")
_STAMP = re.compile(r"[0-9]{1,16}")
_NONCE = re.compile(r"[\x21-\x7e]{8,128}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A call as it came."""

    body: bytes = field(repr=False)
    content_type: str
    address: str
    received_ms: int
    secret: str = field(default="", repr=False)
    """Of the URL's query."""
    timestamp: str = ""
    nonce: str = ""
    signature: str = ""


@record(kw_only=True)
class Received:
    """What is answered to a call that is not refused."""

    outcome: Came
    call: int
    request: int | None
    symbol: str
    wishes: tuple[Mapping[str, str | None], ...]
    aside: tuple[str, ...]


class _Stale(BadInput):
    """A call came too long after it was sent, or before."""


class Reception:
    """Receives calls in one process. Safe in several threads.

    ``secret_of`` opens the vault; ``may_trade`` tells whether a person may have alerts acted on.
    """

    def __init__(
        self,
        webhooks: Webhooks,
        secret_of: Callable[[Webhook], str],
        may_trade: Callable[[int], bool],
    ) -> None:
        self._webhooks = webhooks
        self._secret_of = secret_of
        self._may_trade = may_trade
        self._opened: dict[tuple[str, int], str] = {}

    def receive(self, name: str, came: Incoming) -> Received:
        """Act on one call.

        Raises `NotFound` if there is no such webhook, and just so if there is one that the sender may not use; what is
        wrong with a call that is proved to be the owner's is told: `BadInput`, `ParseError`.
        """
        began = time.perf_counter_ns()
        webhook = self._webhooks.find(name)
        if webhook is None:
            raise NotFound("webhook.unknown")
        secret = self._secret(webhook)
        why = forbidden(webhook, secret, came)
        if why is None and not self._may_trade(webhook.user_id):
            why = BadInput("webhook", webhook.name, "webhook.owner")
        call = WebhookCall(
            webhook=webhook.id,
            user_id=webhook.user_id,
            received_ms=came.received_ms,
            address=came.address,
            body=without_secrets(_leniently(came.body), [secret]),
            outcome=Came.FORBIDDEN,
            why={},
            wish={},
            took_us=0,
        )
        if why is not None:
            self._note(call, Came.FORBIDDEN, why, began)
            raise NotFound("webhook.unknown")
        try:
            found, told = understood(webhook, came, secret)
        except _Stale as error:
            self._note(call, Came.STALE, error, began)
            raise
        except (BadInput, ParseError) as error:
            self._note(call, Came.REFUSED, error, began)
            raise
        return self._act(webhook, replace(call, wish=wish_row(webhook, told)), once(webhook, came, found), told, began)

    def _act(self, webhook: Webhook, call: WebhookCall, same: Once, told: Asked, began: int) -> Received:
        request = None if webhook.preview else _request(webhook, told, call.received_ms)
        call = replace(call, outcome=Came.PREVIEW if webhook.preview else Came.ACCEPTED)
        kept = self._webhooks.claim(replace(call, took_us=_took_us(began)), same, request)
        if kept is None:
            number = self._note(call, Came.REPEATED, ParseError("webhook.repeated"), began)
            kept = replace(call, outcome=Came.REPEATED, id=number)
        return Received(
            outcome=kept.outcome,
            call=kept.id,
            request=kept.request,
            symbol=told.symbol,
            wishes=told.wishes,
            aside=told.aside,
        )

    def _note(self, call: WebhookCall, outcome: Came, why: BadInput | ParseError, began: int) -> int:
        took_us = _took_us(began)
        return self._webhooks.note(replace(call, outcome=outcome, why=why_row(why), took_us=took_us))

    def _secret(self, webhook: Webhook) -> str:
        """Return the secret; a new one stands under another time, so an old one is never taken for it."""
        key = (webhook.id, webhook.secret_ms)
        if key not in self._opened:
            if len(self._opened) >= _MOST_SECRETS:
                self._opened.clear()
            self._opened[key] = self._secret_of(webhook)
        return self._opened[key]


# -- who sent it ------------------------------------------------------------------------------------------------------


def forbidden(webhook: Webhook, secret: str, came: Incoming) -> BadInput | None:
    """Return why the sender of a call may not use this webhook, None if it may."""
    if not _allowed(came.address, webhook.addresses):
        return BadInput("address", came.address, "webhook.wrong_address", address=came.address)
    if webhook.kind is Sender.GENERIC:
        return _unsigned(secret, came)
    given = [*secrets_in(_leniently(came.body)), *([came.secret] if came.secret else [])]
    if not given:
        return BadInput("secret", None, "webhook.no_secret")
    # every one is compared: how long that takes tells nothing of which
    right = [hmac.compare_digest(one.encode(), secret.encode()) for one in given]
    return None if any(right) else BadInput("secret", None, "webhook.wrong_secret")


def signature(secret: str, timestamp: str, nonce: str, body: bytes) -> str:
    """Return what stands in ``X-Cambist-Signature``: HMAC-SHA256 over ``timestamp.nonce.body``, in hex."""
    signed = f"{timestamp}.{nonce}.".encode() + body
    return f"sha256={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


def _unsigned(secret: str, came: Incoming) -> BadInput | None:
    formed = _STAMP.fullmatch(came.timestamp) and _NONCE.fullmatch(came.nonce) and _SIGNATURE.fullmatch(came.signature)
    if not formed:
        return BadInput("X-Cambist-Signature", None, "webhook.no_signature")
    right = signature(secret, came.timestamp, came.nonce, came.body)
    if hmac.compare_digest(right.encode(), came.signature.encode()):
        return None
    return BadInput("X-Cambist-Signature", None, "webhook.wrong_signature")


def _allowed(address: str, addresses: tuple[str, ...]) -> bool:
    if not addresses:
        return True
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    plain = getattr(found, "ipv4_mapped", None) or found
    return any(plain in ipaddress.ip_network(one) for one in addresses)


# -- what it says -----------------------------------------------------------------------------------------------------


def understood(webhook: Webhook, came: Incoming, secret: str) -> tuple[Pieces, Asked]:
    """Return the fields of a call and what they ask for; raise `BadInput` or `ParseError`. No secret is in either."""
    if not webhook.active:
        raise BadInput("webhook", webhook.name, "webhook.inactive")
    if webhook.kind is Sender.GENERIC:
        _fresh("X-Cambist-Timestamp", came.timestamp, _stamp_ms(came.timestamp), came.received_ms, SIGNED_WINDOW_S)
    found = pieces(without_secrets(read_text(came.body), [secret]), came.content_type)
    told = asked(found, webhook.bots, webhook.defaults)
    if webhook.kind is Sender.TRADINGVIEW:
        then = sent_ms(found)
        if then is not None:
            _fresh("time", str(then), then, came.received_ms, webhook.window_s)
    return found, told


def once(webhook: Webhook, came: Incoming, found: Pieces) -> Once:
    """Return what makes another call the same as this one."""
    named = one_time_id(found)
    if named is not None:  # of a signed call too: who tries again signs anew, with another nonce
        return Once(key=f"id:{_digest(named.encode())}")
    if webhook.kind is Sender.GENERIC:
        return Once(key=f"nonce:{_digest(came.nonce.encode())}")
    body = _digest(came.body)
    if sent_ms(found) is not None:
        return Once(key=f"at:{body}")
    return Once(key=f"same:{body}", for_ms=webhook.window_s * 1_000)


def wish_row(webhook: Webhook, told: Asked) -> dict[str, Any]:
    """Return what a call asks for, as it is kept."""
    return {"bot": webhook.bots[told.symbol], "symbol": told.symbol, "wishes": list(told.wishes)}


def why_row(error: BadInput | ParseError) -> dict[str, Any]:
    """Return what was wrong with a call, as it is kept."""
    params = {name: value if isinstance(value, int | str) else str(value) for name, value in error.params.items()}
    row: dict[str, Any] = {"key": error.key, "params": params}
    if isinstance(error, BadInput):
        row |= {"field": error.field, "value": error.value if error.value is None else str(error.value)}
    return row


def why_told(why: Mapping[str, Any]) -> str:
    """Return what was wrong, in the language in use; empty if all was well."""
    if not why:
        return ""
    remedy = say(why["key"], **why["params"])
    if why.get("value") is None:
        return remedy
    return say("error.bad_input", field=why["field"], value=why["value"], remedy=remedy)


def _request(webhook: Webhook, told: Asked, now_ms: int) -> Request:
    return Request(
        user_id=webhook.user_id,
        account=webhook.account,
        action="wish",
        bot=webhook.bots[told.symbol],
        params=json.dumps({"wishes": list(told.wishes)}),
        asked_ms=now_ms,
    )


def _stamp_ms(text: str) -> int:
    """Return a signed time, in seconds or milliseconds, in milliseconds."""
    return int(text) * 1_000 if len(text) <= 10 else int(text)


def _fresh(name: str, text: str, then_ms: int, now_ms: int, window_s: int) -> None:
    apart = abs(now_ms - then_ms)
    if apart > window_s * 1_000:
        raise _Stale(name, text, "webhook.stale", seconds=round(apart / 1_000), window=window_s)


def _leniently(body: bytes) -> str:
    """Return a body as text that any database can hold, whatever it is."""
    try:
        return read_text(body)
    except ParseError:
        return read_text(body.decode("utf-8", "replace").encode())


def _took_us(began_ns: int) -> int:
    return (time.perf_counter_ns() - began_ns) // 1_000


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()
