"""The heartbeat: whether the market is heard, and the last signals of each timeframe."""

import asyncio
from typing import Annotated

from fastapi import Query
from pydantic import Field

from cambist.apps.api.area import Area, quick
from cambist.apps.api.caller import Viewer
from cambist.apps.api.services import Server, Services
from cambist.apps.api.words import Answer, Exact, Ms
from cambist.domain.errors import BadInput
from cambist.domain.timeframe import Timeframe
from cambist.engine.heartbeat import TIMEFRAMES

router = Area("/heartbeat", tags=["heartbeat"])

_SHOWN = 60


class SourceShown(Answer):
    """How one source of the heartbeat fares."""

    source: str = Field(examples=["primary"])
    is_connected: bool
    last_start_ms: Ms | None
    last_stop_ms: Ms | None
    last_error: str = Field(examples=[""])
    """Kept until the next one; empty if there has been none."""
    symbols: list[str] = Field(examples=[["BTC/USDT", "ETH/USDT"]])


class SignalShown(Answer):
    """One signal: a candle has closed."""

    signal_id: str = Field(examples=["1m_1795345740000"])
    timeframe: Timeframe
    venue: str = Field(examples=["binance"])
    symbol: str = Field(examples=["BTC/USDT"])
    source: str = Field(examples=["primary"])
    received_ms: Ms
    candle_ms: Ms
    """The candle's open time."""
    close_ms: Ms
    repaired: bool
    """Whether it was back-filled."""
    open: Exact
    high: Exact
    low: Exact
    close: Exact
    volume: Exact


class HeartbeatShown(Answer):
    """Whether the market is heard, which symbols, and the newest signals of each timeframe."""

    connected: bool
    """Whether any source hears the market."""
    symbols: list[str] = Field(examples=[["BTC/USDT", "ETH/USDT"]])
    """What the connected sources hear."""
    sources: list[SourceShown]
    signals: dict[Timeframe, list[SignalShown]]
    """By timeframe, the newest first."""


@router.get("")
async def status(
    caller: Viewer,
    server: Server,
    limit: Annotated[int, Query(ge=1, le=_SHOWN, description="How many signals of each timeframe.")] = _SHOWN,
) -> HeartbeatShown:
    """How the heartbeat fares."""
    return await server.glances.get(("heartbeat", limit), lambda: asyncio.to_thread(_status, server, limit))


def _status(server: Services, limit: int) -> HeartbeatShown:
    sources = server.heartbeat.status()
    heard = [one for one in sources if one.is_connected]
    return HeartbeatShown(
        connected=bool(heard),
        symbols=sorted({symbol for one in heard for symbol in one.symbols}),
        sources=[SourceShown.model_validate(one) for one in sources],
        signals={timeframe: _newest(server, timeframe, limit) for timeframe in TIMEFRAMES},
    )


@router.get("/signals")
@quick
def signals(
    caller: Viewer,
    server: Server,
    timeframe: Timeframe,
    limit: Annotated[int, Query(ge=1, le=500)] = _SHOWN,
) -> list[SignalShown]:
    """The newest signals of one timeframe, the newest first."""
    if timeframe not in TIMEFRAMES:
        raise BadInput("timeframe", timeframe, "timeframe.known", known=" ".join(TIMEFRAMES))
    return _newest(server, timeframe, limit)


def _newest(server: Services, timeframe: Timeframe, limit: int) -> list[SignalShown]:
    return [SignalShown.model_validate(one) for one in server.heartbeat.recent(timeframe, limit)]
