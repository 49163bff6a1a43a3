"""The portfolio: what accounts hold, where it is, and what it is worth."""

import asyncio
from typing import Annotated

from fastapi import Query
from pydantic import ConfigDict, Field

from cambist.apps.api.area import Area
from cambist.apps.api.caller import Viewer
from cambist.apps.api.routes.orders import Account
from cambist.apps.api.routes.statistics import Currency, RateAnswer, currency_of, prices_of
from cambist.apps.api.services import Own, Server, Services, Stores
from cambist.apps.api.words import Amount, Answer, Ms
from cambist.domain.account import Mode
from cambist.domain.broker import KeyTest
from cambist.usecases.brokers import Brokers
from cambist.usecases.portfolio import Portfolio, portfolio

router = Area("/portfolio", tags=["portfolio"])


class HoldingAnswer(Answer):
    """What is held of one asset: ``total`` is ``free`` + ``in_orders`` + ``in_bots``."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "asset": "BTC",
                    "total": "0.25",
                    "free": "0.1",
                    "in_orders": "0.05",
                    "in_bots": "0.1",
                    "value": "16137.5",
                    "worth": "14846.5",
                    "price": {
                        "asset": "BTC",
                        "quote": "EUR",
                        "price": "59386",
                        "source": "journal+heartbeat",
                        "ts": 1_795_000_000_000,
                    },
                }
            ]
        }
    )

    asset: str
    total: Amount
    free: Amount
    """What may be spent by hand."""
    in_orders: Amount
    """What orders by hand wait for."""
    in_bots: Amount
    """What bots have, their orders and positions included."""
    value: Amount | None
    """In the account's currency; null without a price."""
    worth: Amount | None
    """In the portfolio's currency."""
    price: RateAnswer | None
    """By which it is valued in the portfolio's currency, where that is from, and when it was seen."""


class DifferenceAnswer(Answer):
    """The venue says that it holds another amount than the ledger does."""

    asset: str = Field(examples=["BNB"])
    expected: Amount
    found: Amount


class AccountAnswer(Answer):
    """What one account holds."""

    account: str = Field(examples=["main"])
    venue: str = Field(examples=["binance"])
    mode: Mode
    quote: str = Field(examples=["USDT"])
    ts: Ms
    """The last thing that its journal knows of."""
    holdings: list[HoldingAnswer]
    """The most valuable first, then what has no price."""
    value: Amount
    """In ``quote``, of all that has a price."""
    worth: Amount
    unpriced: list[str] = Field(examples=[["BNB"]])
    differences: list[DifferenceAnswer] | None
    """Where the venue says otherwise; null: it was not asked."""


class PortfolioAnswer(Answer):
    """What all accounts hold, or the one that was asked for."""

    currency: str = Field(examples=["EUR"])
    worth: Amount
    accounts: list[AccountAnswer]
    assets: list[HoldingAnswer]
    """Over all accounts, valued in ``currency``."""
    unpriced: list[str] = Field(examples=[["BNB"]])
    """Assets that are in no sum here, for want of a price."""


@router.get("")
async def holdings(
    caller: Viewer,
    own: Own,
    server: Server,
    account: Account = None,
    currency: Currency = None,
    live: Annotated[bool, Query(description="Ask the venues too, and show where they say otherwise.")] = False,
) -> PortfolioAnswer:
    """Return what is held by the ledger, valued at the last prices that are known."""
    asked = await _asked(own, server, account) if live else {}

    def found() -> Portfolio:
        return portfolio(
            own.register,
            own.past,
            prices_of(own, server),
            account=account,
            currency=currency_of(own, server, currency),
            live=asked,
        )

    return PortfolioAnswer.model_validate(await asyncio.to_thread(found))


async def _asked(own: Stores, server: Services, account: str | None) -> dict[str, KeyTest]:
    """Ask the venues of the caller's accounts what they hold; paper accounts have none."""
    brokers = Brokers(
        user_id=own.user_id,
        register=own.register,
        keys=own.account_keys,
        vault=server.office.vault,
        exchanges=server.exchanges,
        now_ms=server.now_ms,
    )
    specs = await asyncio.to_thread(own.register.accounts)
    names = [spec.id for spec in specs if account in (None, spec.id) and spec.mode is not Mode.PAPER]

    async def ask(name: str) -> KeyTest:
        return await server.looks.get((own.user_id, name), lambda: brokers.try_again(name))

    return dict(zip(names, await asyncio.gather(*map(ask, names)), strict=True))
