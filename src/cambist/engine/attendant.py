"""The attendant: brings what is set up in the register into an engine, shows it the market, does what people ask."""

import asyncio
import logging
from contextlib import suppress

from cambist.domain.alert import Level
from cambist.domain.candles import Candle
from cambist.domain.errors import BusFailed, ParseError, RateLimited, VenueUnavailable
from cambist.domain.signal import Signal
from cambist.domain.text import say
from cambist.domain.tick import CandleTick, TradeTick
from cambist.engine.bots import Bots
from cambist.engine.duplicates import Deduplicator
from cambist.engine.errands import ASKED_EVERY_S, Errands
from cambist.engine.live import Engine
from cambist.engine.seating import Seating, Surroundings
from cambist.ports.bus import HEARTBEAT
from cambist.ports.feed import MarketFeed

_log = logging.getLogger(__name__)

GROUP = "engine"
"""The consumers of signals: each is taken by one engine."""
_TRIED_AGAIN_S = 30.0
_SILENT_MS = 30_000


class Attendant:
    """Belongs to one `Engine`, and ends with it."""

    def __init__(self, around: Surroundings, engine: Engine, bots: Bots, consumer: str) -> None:
        self._around = around
        self._engine = engine
        self._bots = bots
        self._consumer = consumer
        self._seating = Seating(around, engine, bots)
        self._errands = Errands(around, engine, bots, self._seating, consumer)
        self._known = self._deduplicator()
        self._silent = False

    def _deduplicator(self) -> Deduplicator:
        return Deduplicator(self._around.clock.now_ms(), silent_ms=round(_SILENT_MS * self._around.pace))

    def reasons(self) -> list[str]:
        """Return what is not well, one sentence each."""
        found = self._seating.reasons()
        if self._silent:
            found.append(say("running.heartbeat_silent", source=self._known.primary))
        return found

    async def close(self) -> None:
        """Close what was opened; orders stay at their venues."""
        self._bots.close()
        await self._seating.close()

    async def come_up(self) -> None:
        """Take in every account that has a bot, or orders under way; those that cannot be now are tried again."""
        await self._seating.come_up()
        self._known = self._deduplicator()  # what was not heard while accounts came up is nobody's silence

    async def attend(self) -> None:
        """Do what people ask, and try again what could not be opened, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._errands.attend())
            tasks.create_task(self._look_after())

    async def _look_after(self) -> None:
        tried = self._engine.now_ms()
        while True:
            await self._look_for_silence()
            if self._engine.now_ms() - tried > _TRIED_AGAIN_S * self._around.pace * 1_000:
                tried = self._engine.now_ms()
                await self._seating.try_again()
            await self._around.clock.sleep(ASKED_EVERY_S * self._around.pace)

    # -- the market ---------------------------------------------------------------------------------------------------

    async def follow(self) -> None:
        """Show the bots each signal of the heartbeat once, until cancelled."""
        bus = self._around.bus
        async for delivery in bus.subscribe(HEARTBEAT, group=GROUP, consumer=self._consumer):
            try:
                signal = Signal.from_message(delivery.message)
            except ParseError as error:
                _log.error("%s", error)
            else:
                if self._known.first(signal, self._engine.now_ms()) and signal.venue == self._around.market:
                    await self._closed_safely(signal)
            with suppress(BusFailed):  # it comes again, and is known then
                await bus.ack(GROUP, delivery)

    async def _closed_safely(self, signal: Signal) -> None:
        try:
            await self._closed(signal)
        except Exception:  # noqa: BLE001 - told, and the next close may fare better
            _log.exception("nobody could decide on %s", signal.id)

    async def _closed(self, signal: Signal) -> None:
        late, tick = self._around.late_ms, signal.candle
        decide = late is None or self._engine.now_ms() - signal.close_ms <= late + tick.timeframe.ms
        candle = Candle(tick.ts, *(float(value) for value in (tick.open, tick.high, tick.low, tick.close, tick.volume)))
        await self._bots.closed(signal.venue, tick.symbol, tick.timeframe, candle, decide=decide)

    async def watch(self) -> None:
        """Let guards that rest at no venue see prices as they come, until cancelled."""
        feed = self._around.prices
        while feed is not None:
            self._seating.symbols_changed.clear()
            symbols = sorted(
                {
                    seat.spec.symbol
                    for lane in self._engine.lanes.values()
                    for seat in lane.account.seats.values()
                    if not seat.deleted
                }
            )
            watching = asyncio.create_task(self._prices(feed, symbols))
            changed = asyncio.create_task(self._seating.symbols_changed.wait())
            try:
                await asyncio.wait((watching, changed), return_when=asyncio.FIRST_COMPLETED)
                if watching.done() and not changed.done():
                    watching.result()
                    await self._around.clock.sleep(self._around.pace)
            except (VenueUnavailable, RateLimited) as error:
                _log.warning("%s", error)
                await self._around.clock.sleep(self._around.pace)
            finally:
                watching.cancel()
                changed.cancel()

    async def _prices(self, feed: MarketFeed, symbols: list[str]) -> None:
        if not symbols:
            await asyncio.Event().wait()
        async for tick in feed.ticks(symbols):
            if isinstance(tick, TradeTick):
                self._engine.price(tick.symbol, tick.price, venue=self._around.market)
            elif isinstance(tick, CandleTick):
                self._engine.price(tick.symbol, tick.close, venue=self._around.market)

    async def _look_for_silence(self) -> None:
        silent = bool(self._engine.lanes) and self._known.primary_silent(self._engine.now_ms())
        if silent and not self._silent:
            for spec in {spec.user_id: spec for spec in self._seating.accounts.values()}.values():
                await self._seating.alert(Level.WARNING, "running.heartbeat_silent", spec, source=self._known.primary)
        self._silent = silent
