"""Where alerts from elsewhere come in. Nobody signs in here: each call proves by itself that it may."""

import asyncio
import time
from typing import Annotated

from fastapi import Header, Path, Query, Request, Response
from pydantic import Field

from cambist.apps.api.area import Area
from cambist.apps.api.problems import id_of, problem
from cambist.apps.api.services import Server
from cambist.apps.api.words import Answer
from cambist.domain.errors import BadInput, NotFound, TooMany
from cambist.domain.text import say
from cambist.domain.webhook_body import FORM
from cambist.ports.webhooks import Came
from cambist.usecases.receiving import Incoming, Received

router = Area("/hooks", tags=["hooks"])

MOST_BYTES = 16_384
FOR_WEBHOOK, FOR_ADDRESS = 60, 600
"""Calls a minute. Many people's alerts come from the four addresses of TradingView."""
_SAME_TIME_S = 0.05
"""After so long everybody is answered who is not let in, so that the time tells nobody what there is."""
_TYPES = ("application/json", "text/plain", FORM)
_BODY = {
    "requestBody": {
        "required": True,
        "description": f"At most {MOST_BYTES} bytes: JSON, `key=value`, `key: value` or plain words.",
        "content": {
            one: {"schema": {"type": "string"}, "example": "BUY BTCUSDT 10%"}
            if one == "text/plain"
            else {"schema": {}, "example": {"action": "buy", "symbol": "BTC/USDT", "secret": "..."}}
            for one in _TYPES
        },
    }
}


class HookAnswer(Answer):
    """What became of a call."""

    outcome: Came
    """``accepted``, ``preview`` or ``repeated``; what else may become of a call is answered as a problem."""
    call: int
    """Its number in the webhook's journal."""
    request: int | None
    """Number of the request to the engine; null if nothing was asked of it."""
    symbol: str = Field(examples=["BTC/USDT"])
    wishes: list[dict[str, str | None]] = Field(examples=[[{"kind": "exit"}]])
    ignored: list[str] = Field(examples=[["note"]])
    """Fields that mean nothing here."""


@router.post(
    "/{webhook}",
    summary="Call a webhook",
    status_code=202,
    openapi_extra=_BODY,
    response_model=HookAnswer,
    responses={200: {"model": HookAnswer, "description": "Nothing new is done."}},
)
async def call(
    request: Request,
    response: Response,
    server: Server,
    webhook: Annotated[
        str, Path(min_length=1, max_length=64, pattern=r"^[\w-]+$", examples=["kq3xW0n1Qb2yTtHk3nJr8A"])
    ],
    secret: Annotated[str, Query(max_length=200, description="For senders that can put it nowhere else.")] = "",
    timestamp: Annotated[str, Header(alias="X-Cambist-Timestamp", max_length=32)] = "",
    nonce: Annotated[str, Header(alias="X-Cambist-Nonce", max_length=128)] = "",
    signature: Annotated[str, Header(alias="X-Cambist-Signature", max_length=128)] = "",
) -> HookAnswer | Response:
    """Act on an alert: 202 if the engine is asked, 200 if it came before or is only tried out.

    404 is also the answer to whoever cannot prove to be allowed.
    """
    began = time.monotonic()
    address = request.scope["state"]["address"]
    await _counted(server, webhook, address)
    body = await _body(request)
    if body is None:
        return problem(413, "too_large", say("webhook.too_large", most=MOST_BYTES), id_of(request))
    came = Incoming(
        body=body,
        content_type=_content_type(request),
        address=address,
        received_ms=server.now_ms(),
        secret=secret,
        timestamp=timestamp,
        nonce=nonce,
        signature=signature,
    )
    try:
        received = await asyncio.to_thread(server.reception.receive, webhook, came)
    except NotFound:
        await asyncio.sleep(_SAME_TIME_S - (time.monotonic() - began))
        raise NotFound("webhook.unknown") from None  # whatever was not found
    if received.request is not None:
        server.tell_engine(received.request)
    if received.outcome is not Came.ACCEPTED:
        response.status_code = 200
    return _answer(received)


async def _counted(server: Server, webhook: str, address: str) -> None:
    for whom, most in ((f"webhook:{webhook}", FOR_WEBHOOK), (f"webhooks-from:{address}", FOR_ADDRESS)):
        within, _, wait_s = await server.counters.count(whom, most)
        if not within:
            raise TooMany("webhook.too_many", wait_s, most=most, seconds=max(1, round(wait_s)))


async def _body(request: Request) -> bytes | None:
    """Return the body, None if it is too large."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MOST_BYTES:
            return None
        parts.append(part)
    return b"".join(parts)


def _content_type(request: Request) -> str:
    given = request.headers.get("content-type", "text/plain").partition(";")[0].strip().lower()
    if given not in _TYPES:
        raise BadInput("Content-Type", given, "webhook.content_type")
    return given


def _answer(received: Received) -> HookAnswer:
    return HookAnswer(
        outcome=received.outcome,
        call=received.call,
        request=received.request,
        symbol=received.symbol,
        wishes=[dict(one) for one in received.wishes],
        ignored=list(received.aside),
    )
