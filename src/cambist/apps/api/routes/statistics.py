"""Statistics: balance over time, and how bots, strategies, sources, brokers and symbols have gone."""

import asyncio
from collections.abc import Callable, Hashable
from dataclasses import fields
from typing import Annotated, Any, Literal, TypeVar

from fastapi import Query
from pydantic import ConfigDict, Field

from cambist.apps.api.area import Area, at_once
from cambist.apps.api.caller import Viewer
from cambist.apps.api.routes.orders import Account, Part, Since, Until
from cambist.apps.api.services import Own, Server, Services, Stores, read_on
from cambist.apps.api.words import Amount, Answer, Ms
from cambist.domain.statistics import Performance
from cambist.usecases.prices import Prices
from cambist.usecases.statistics import Statistics

T = TypeVar("T")

router = Area("/statistics", tags=["statistics"], dependencies=[read_on])

Currency = Annotated[
    str | None,
    Query(
        max_length=20,
        pattern=r"^[A-Za-z0-9]+$",
        description="The currency to count in; left out: the one in the profile, else what most accounts count in.",
        examples=["EUR"],
    ),
]
Points = Annotated[int, Query(ge=2, le=10_000, description="At most about so many points of each curve.")]


class RateAnswer(Answer):
    """What one unit of ``asset`` is worth in ``quote``, and how that is known."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"asset": "USDT", "quote": "EUR", "price": "0.92", "source": "heartbeat", "ts": 1_795_000_000_000}
            ]
        }
    )

    asset: str
    quote: str
    price: Amount
    source: str
    """``journal``, ``heartbeat``, ``candles``, ``venue``, ``same`` or ``par``; two joined by ``+``."""
    ts: Ms
    """When it was seen; 0 for ``same`` and ``par``."""


_PERFORMANCE: dict[str, Any] = {
    "name": "ema_cross",
    "since": 1_790_000_000_000,
    "until": 1_795_000_000_000,
    "capital": "5000",
    "pnl": "312.4",
    "realised": "290.1",
    "fees": "18.2",
    "trades": 41,
    "open_positions": 1,
    "figures": {"total_return": 0.0625, "max_drawdown": -0.031, "sharpe": 1.4, "win_rate": 0.56},
}


class PerformanceAnswer(Answer):
    """How some of the trading has gone. Money is in the report's currency."""

    model_config = ConfigDict(json_schema_extra={"examples": [_PERFORMANCE]})

    name: str
    """Of the bot, strategy, source, account or symbol; empty for all together."""
    since: Ms | None
    until: Ms | None
    """From when to when there was something to measure; null: nothing."""
    capital: Amount | None
    """What the returns are of; null where there is no such thing."""
    pnl: Amount
    """Won and lost, what is held valued at its last price."""
    realised: Amount
    """By trades that have ended."""
    fees: Amount
    trades: int
    open_positions: int
    figures: dict[str, float | None]
    """By the keys of the page Metrics; null: undefined."""


class ReportAnswer(Answer):
    """Performances in one currency."""

    currency: str = Field(examples=["USDT"])
    rates: list[RateAnswer]
    """By which other currencies were turned into it."""
    unconverted: list[str] = Field(examples=[["BNB"]])
    """Currencies without a price: what is in them is not counted."""
    groups: list[PerformanceAnswer]


class SummaryAnswer(PerformanceAnswer):
    """How all that was asked for has gone."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [_PERFORMANCE | {"name": "", "currency": "USDT", "rates": [], "unconverted": []}]
        }
    )

    currency: str = Field(examples=["USDT"])
    rates: list[RateAnswer]
    unconverted: list[str] = Field(examples=[["BNB"]])


class BalanceAnswer(Answer):
    """What something was worth over time: two lists of one length."""

    account: str = Field(examples=["main"])
    """Empty for all together."""
    currency: str = Field(examples=["USDT"])
    ts: list[Ms]
    balance: list[Amount]


class BalancesAnswer(Answer):
    """What accounts were worth over time."""

    currency: str = Field(examples=["USDT"])
    rates: list[RateAnswer]
    unconverted: list[str] = Field(examples=[["BNB"]])
    total: BalanceAnswer
    accounts: list[BalanceAnswer]
    """Each in its own currency."""


class DayAnswer(Answer):
    """What one UTC day came to."""

    day: str = Field(examples=["2026-11-21"])
    pnl: Amount
    """What the bots and the orders by hand have won on that day, positions valued at its last prices."""
    realised: Amount
    fees: Amount
    trades: int
    won: int


class DailyAnswer(Answer):
    """Day after day, oldest first."""

    currency: str = Field(examples=["USDT"])
    rates: list[RateAnswer]
    unconverted: list[str] = Field(examples=[["BNB"]])
    days: list[DayAnswer]


@router.get("/balance")
async def balance(
    caller: Viewer,
    own: Own,
    server: Server,
    account: Account = None,
    since: Since = None,
    until: Until = None,
    currency: Currency = None,
    points: Points = 500,
) -> BalancesAnswer:
    """Return what the accounts were worth over time, all together and each."""
    asked = (account, since, until, points)
    return await _reckoned(
        own,
        server,
        ("balance", *asked),
        currency,
        lambda reckoner, unit: BalancesAnswer.model_validate(reckoner.balance(account, since, until, unit, points)),
    )


@router.get("/summary")
async def summary(
    caller: Viewer,
    own: Own,
    server: Server,
    part: Part,
    currency: Currency = None,
) -> SummaryAnswer:
    """Return how all that is asked for has gone."""

    def reckon(reckoner: Statistics, unit: str | None) -> SummaryAnswer:
        found = reckoner.summary(part, unit)
        (whole,) = found.groups
        rates = [RateAnswer.model_validate(one) for one in found.rates]
        return SummaryAnswer(**_shown(whole), currency=found.currency, rates=rates, unconverted=list(found.unconverted))

    return await _reckoned(own, server, ("summary", part), currency, reckon)


@router.get("/by_{group}")
async def by(
    caller: Viewer,
    own: Own,
    server: Server,
    group: Literal["bot", "strategy", "source", "broker", "symbol"],
    part: Part,
    currency: Currency = None,
) -> ReportAnswer:
    """Return how each bot, strategy, source (webhooks one by one), broker's account or symbol has gone."""

    def reckon(reckoner: Statistics, unit: str | None) -> ReportAnswer:
        found = reckoner.by(group, part, unit)
        return ReportAnswer(
            currency=found.currency,
            rates=[RateAnswer.model_validate(one) for one in found.rates],
            unconverted=list(found.unconverted),
            groups=[PerformanceAnswer(**_shown(one)) for one in found.groups],
        )

    return await _reckoned(own, server, (group, part), currency, reckon)


@router.get("/daily")
async def daily(
    caller: Viewer,
    own: Own,
    server: Server,
    part: Part,
    currency: Currency = None,
) -> DailyAnswer:
    """Return what each UTC day came to."""
    return await _reckoned(
        own,
        server,
        ("daily", part),
        currency,
        lambda reckoner, unit: DailyAnswer.model_validate(reckoner.daily(part, unit)),
    )


async def _reckoned(
    own: Stores, server: Services, key: Hashable, currency: str | None, reckon: Callable[[Statistics, str | None], T]
) -> T:
    """Return what ``reckon`` gives, reckoned anew only if a journal has gone on since."""

    def state() -> tuple[str | None, tuple[tuple[str, int, int], ...]]:
        known = own.past.known()
        return currency_of(own, server, currency), tuple((name, one.seq, one.ts) for name, one in known.items())

    unit, marks = await at_once(state)
    whole = (own.user_id, key, unit, marks)
    return await server.reckoned.get(whole, lambda: asyncio.to_thread(lambda: reckon(statistics_of(own, server), unit)))


def statistics_of(own: Stores, server: Services) -> Statistics:
    """Return the caller's statistics."""
    return Statistics(own.register, own.past, prices_of(own, server))


def prices_of(own: Stores, server: Services) -> Prices:
    """Return what assets are worth, as far as is known here."""
    return Prices(own.past, server.heartbeat, server.lake)


def currency_of(own: Stores, server: Services, asked: str | None) -> str | None:
    """Return the currency in which the caller counts: what was asked for, or the profile's."""
    found = asked or server.office.people.person(own.user_id).profile.get("currency")
    return None if found is None else str(found).upper()


def _shown(one: Performance) -> dict[str, Any]:
    shown = {field.name: getattr(one, field.name) for field in fields(Performance) if field.name != "currency"}
    return shown | {"figures": dict(one.figures)}
