"""The exchanges that there are, what a key consists of there, and what each can do."""

from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import Field

from cambist.apps.api.area import Area
from cambist.apps.api.caller import Viewer
from cambist.apps.api.paging import Cursor, Limit, Page, page, position
from cambist.apps.api.services import Server
from cambist.apps.api.words import Answer
from cambist.domain.errors import NotFound
from cambist.usecases.brokers import near

router = Area("/exchanges", tags=["exchanges"])


class ExchangeShown(Answer):
    """One exchange, as people choose one."""

    id: str = Field(examples=["binance"])
    name: str = Field(examples=["Binance"])
    tradable: bool
    """Cambist can trade there; else it only shows prices and candles."""
    needs: list[str] = Field(examples=[["api_key", "secret"]])
    """What a key consists of there."""
    testnet: bool
    """Cambist can trade on its test exchange, with made-up money."""
    sandbox: bool
    """There is a sandbox, whether or not Cambist can trade there."""
    countries: list[str] = Field(examples=[["US"]])


class ExchangeWhole(ExchangeShown):
    """One exchange with all that it can do."""

    timeframes: list[str] = Field(examples=[["1m", "1h"]])
    """In which the exchange keeps candles, in its own words; Cambist gathers others from them."""
    has: dict[str, Any] = Field(examples=[{"fetchOHLCV": True, "createOrder": True, "watchOrders": False}])
    """What ccxt can do there: true, false, null, or ``emulated``."""


@router.get("")
def find(
    caller: Viewer,
    server: Server,
    tradable: Annotated[bool | None, Query(description="Only those where Cambist can trade, or cannot.")] = None,
    testnet: Annotated[bool | None, Query(description="Only those with a test exchange, or without.")] = None,
    after: Cursor = None,
    limit: Limit = 200,
) -> Page[ExchangeShown]:
    """All exchanges, by id."""
    beyond = position(after)
    rows = [
        card
        for card in server.exchanges.cards()
        if (beyond is None or card.id > beyond)
        and tradable in (None, card.tradable)
        and testnet in (None, card.testnet)
    ]
    return page(rows, limit, lambda card: card.id, ExchangeShown.model_validate)


@router.get("/{exchange}")
def one(
    caller: Viewer, server: Server, exchange: Annotated[str, Path(max_length=40, examples=["kraken"])]
) -> ExchangeWhole:
    """One exchange, with what it can do."""
    known = {card.id: card for card in server.exchanges.cards()}
    if exchange not in known:
        raise NotFound("brokers.unknown_exchange", exchange=exchange, near=near(exchange, known))
    return ExchangeWhole.model_validate(known[exchange])
