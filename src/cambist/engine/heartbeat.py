"""The heartbeat: one signal for each candle that closes, from a venue's live stream.

What makes a minute final is the venue's own closed candle; the trades that came with it are gathered too and must
give the same, or it is said. With ``candles_from="trades"`` (a stream without candles) the trades themselves make it
final, and trades that are missing are asked for first. Either way a minute that never came is asked for by REST, as
is every hole, before anything later of that symbol goes on; what was asked for is marked ``repaired``.

A signal leaves as soon as its candle closes: records are written, and raw messages passed on, by tasks of their own.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal

from cambist.domain.errors import CambistError, RateLimited
from cambist.domain.record import record
from cambist.domain.signal import Signal
from cambist.domain.text import say
from cambist.domain.tick import CandleTick, FeedStatus, Tick, TradeTick
from cambist.domain.timeframe import Timeframe
from cambist.engine.outgoing import Outgoing
from cambist.market.backoff import wait_s
from cambist.market.candle_builder import MissingTrades, TradeMinutes, from_candle
from cambist.market.candle_line import CandleLine, Closed
from cambist.market.feed_check import Flaw, TimeCheck
from cambist.ports.bus import Bus
from cambist.ports.clock import Clock
from cambist.ports.feed import MarketFeed, RecentMarket
from cambist.ports.heartbeat_log import HeartbeatLog

_log = logging.getLogger(__name__)

TIMEFRAMES = tuple(Timeframe.parse(text) for text in ("1m", "3m", "5m", "10m", "15m", "30m", "1h", "2h", "4h", "1d"))

_LOOK_S = 1.0  # how often silent markets are looked for
_QUESTIONS_AT_ONCE = 8
_BREATH = 32  # ticks taken before signals get their turn: many symbols close together, and going back and forth costs
_TRIES_FOR_A_HOLE = 3  # answers without a candle, before the hole is believed to be the venue's
_MOST_WAITING_TRADES = 50_000
_SAME = ("open", "high", "low", "close", "volume")


@record(kw_only=True)
class HeartbeatState:
    """How the heartbeat fares now."""

    source: str
    started_ms: int
    """0 if it does not run."""
    connected: bool
    symbols: tuple[str, ...]
    last_message_ms: int
    """When anything was heard last (ms); 0 if nothing was."""
    last_error: str
    signals: int
    repaired: int
    unlike: int
    """Candles built from trades that were not the venue's."""
    raw_dropped: int
    """Raw messages that nobody could take in time."""
    flaws: dict[Flaw, int]
    """Trades that came late, early, or not at all."""


class Heartbeat:
    """Publishes the closed candles of ``symbols`` in ``timeframes`` on the bus, until `run` is cancelled.

    ``grace_s``: a minute that has not come so long after its close is asked for. ``fills_empty``: the venue shows
    minutes without trades (only heeded where candles come from trades).
    """

    def __init__(
        self,
        feed: MarketFeed,
        recent: RecentMarket,
        bus: Bus,
        log: HeartbeatLog,
        clock: Clock,
        symbols: Iterable[str],
        timeframes: Iterable[Timeframe] = TIMEFRAMES,
        *,
        source: str = "primary",
        grace_s: float = 3.0,
        candles_from: Literal["venue", "trades"] = "venue",
        fills_empty: bool = True,
    ) -> None:
        self._feed, self._recent, self._log, self._clock = feed, recent, log, clock
        self._out = Outgoing(bus, log, clock, source, self._note)
        self.source, self.symbols, self._timeframes = source, tuple(symbols), tuple(timeframes)
        self._grace_ms, self._from_trades = round(grace_s * 1000), candles_from == "trades"
        self._builders = {symbol: TradeMinutes(symbol, fills_empty=fills_empty) for symbol in self.symbols}
        self._lines: dict[str, CandleLine] = {}
        self._repairs: dict[str, asyncio.Task[None]] = {}
        self._trade_repairs: dict[str, asyncio.Task[None]] = {}
        self._asking = asyncio.Semaphore(_QUESTIONS_AT_ONCE)
        self._times = TimeCheck()
        self._flaws: Counter[Flaw] = Counter()
        self._counts: Counter[str] = Counter()
        self._started_ms, self._last_message_ms, self._last_error, self._connected = 0, 0, "", False

    def status(self) -> HeartbeatState:
        """Return how it fares."""
        return HeartbeatState(
            source=self.source,
            started_ms=self._started_ms,
            connected=self._connected,
            symbols=self.symbols,
            last_message_ms=self._last_message_ms,
            last_error=self._last_error,
            signals=self._counts["signals"],
            repaired=self._counts["repaired"],
            unlike=self._counts["unlike"],
            raw_dropped=self._out.raw_dropped,
            flaws=dict(self._flaws),
        )

    async def run(self) -> None:
        """Listen and publish until cancelled, or until the feed ends.

        Raises `BadInput` for a timeframe that minutes do not make, and what the feed raises when the venue refuses.
        """
        self._started_ms = self._clock.now_ms()
        self._lines = {symbol: CandleLine(symbol, self._timeframes, self._started_ms) for symbol in self.symbols}
        self._out.tell(self._log.started, self.source, self._started_ms, self.symbols)
        on_purpose = True
        try:
            async with asyncio.TaskGroup() as tasks:
                services = [
                    tasks.create_task(service())
                    for service in (self._out.publish, self._pass_on, self._out.keep_records, self._watch, self._price)
                ]
                self._tasks = tasks
                for line in self._lines.values():
                    self._mend(line)
                await self._listen()
                await self._drained()
                for service in services:
                    service.cancel()
        except BaseExceptionGroup as group:
            on_purpose = False
            self._note(str(group.exceptions[0]))
            self._out.tell(self._log.failed, self.source, self._clock.now_ms(), self._last_error)
            raise group.exceptions[0] from None
        finally:
            if on_purpose:
                self._out.tell(self._log.stopped, self.source, self._clock.now_ms())
            await self._out.close()
            self._started_ms, self._connected = 0, False

    # -- what comes in ------------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        taken = 0
        async for tick in self._feed.ticks(self.symbols, self._hear):
            self._take(tick)
            taken += 1
            if taken % _BREATH == 0:
                await asyncio.sleep(0)  # a burst of trades must not keep a signal waiting

    def _hear(self, text: str, received_ms: int) -> None:
        self._last_message_ms = received_ms
        self._out.heard(text, received_ms)

    async def _price(self) -> None:
        await self._out.publish_ticks(self._feed.venue)

    async def _pass_on(self) -> None:
        await self._out.publish_raw(f"{self._feed.venue}:{self.source}:{self._started_ms}")

    def _take(self, tick: Tick) -> None:
        if isinstance(tick, TradeTick):
            if tick.symbol in self._builders:
                self._out.price(tick.symbol, tick.price)
                self._trade(tick)
        elif isinstance(tick, CandleTick):
            line = self._lines.get(tick.symbol)
            if line is not None:
                self._out.price(tick.symbol, tick.close)
            if line is not None and tick.closed and tick.timeframe is Timeframe.M1 and not self._from_trades:
                self._compare(tick)
                self._minute(line, tick)
        elif isinstance(tick, FeedStatus):
            self._connection(tick)

    def _minute(self, line: CandleLine, minute: CandleTick) -> None:
        self._hand_on(line.closed(minute))
        if line.first_held is not None:
            self._mend(line)

    def _trade(self, trade: TradeTick) -> None:
        now_ms = self._clock.now_ms()
        finding = self._times.see(trade.id, trade.ts, now_ms)
        if finding is not None:
            self._flaws[finding.flaw] += 1
        builder = self._builders[trade.symbol]
        self._built(builder.trade(trade, now_ms))
        missing = builder.missing
        if missing is None or trade.symbol in self._trade_repairs:
            return
        self._flaws[Flaw.GAP] += 1
        if self._from_trades:
            self._trade_repairs[trade.symbol] = self._tasks.create_task(self._fetch_trades(builder, missing))
        else:
            builder.give_up()  # the venue's candle does not need them; ours of that minute is not compared

    def _built(self, minutes: Iterable[CandleTick]) -> None:
        if self._from_trades:
            for minute in minutes:
                self._minute(self._lines[minute.symbol], minute)

    def _compare(self, minute: CandleTick) -> None:
        own = self._builders[minute.symbol].seen(minute.ts)
        if own is None or (own.first_trade, own.last_trade) != (minute.first_trade, minute.last_trade):
            return  # not the same trades: some are still on their way, or were before we came
        if any(getattr(own, name) != getattr(minute, name) for name in _SAME):
            self._counts["unlike"] += 1
            self._note(say("heartbeat.unlike", symbol=minute.symbol, ts=_clock_time(minute.ts)))

    def _connection(self, status: FeedStatus) -> None:
        if status.why:
            self._note(status.why)
        if status.up and not self._connected:
            self._out.tell(self._log.started, self.source, status.ts, self.symbols)
        if not status.up:
            self._out.tell(self._log.failed, self.source, status.ts, status.why)
        self._connected = status.up

    # -- what is missing ----------------------------------------------------------------------------------------------

    async def _watch(self) -> None:
        """Ask for the minutes that never came."""
        while True:
            await self._clock.sleep(_LOOK_S)
            now_ms = self._clock.now_ms()
            for line in self._lines.values():
                if line.hole(now_ms, self._grace_ms) is not None:
                    self._mend(line)

    def _mend(self, line: CandleLine) -> None:
        if line.symbol not in self._repairs:
            self._repairs[line.symbol] = self._tasks.create_task(self._fill(line))

    async def _fill(self, line: CandleLine) -> None:
        """Fill the holes of one symbol until there is none."""
        try:
            tries = 0
            while (hole := line.hole(self._clock.now_ms(), self._grace_ms)) is not None:
                since, until = hole
                try:
                    async with self._asking:
                        found = await self._recent.candles(line.symbol, Timeframe.M1, since, until)
                except CambistError as error:
                    tries += 1
                    await self._wait(error, tries, line.symbol)
                    continue
                now_ms = self._clock.now_ms()
                self._hand_on(line.fill(from_candle(one, line.symbol, Timeframe.M1, now_ms) for one in found))
                tries = 0 if line.next_open >= until else tries + 1
                if tries >= _TRIES_FOR_A_HOLE and line.first_held is not None:
                    self._leave_out(line, line.first_held)
                elif tries:
                    await self._clock.sleep(wait_s(tries, seed=line.symbol))
        finally:
            del self._repairs[line.symbol]

    def _leave_out(self, line: CandleLine, until: int) -> None:
        since = _clock_time(line.next_open)
        self._note(
            say(
                "heartbeat.no_candles",
                venue=self._feed.venue,
                symbol=line.symbol,
                since=since,
                until=_clock_time(until),
            )
        )
        self._hand_on(line.skip())

    async def _fetch_trades(self, builder: TradeMinutes, missing: MissingTrades | None) -> None:
        """Fetch trades that were missed; give them up when the venue does not have them."""
        try:
            tries = 0
            while missing is not None:
                try:
                    async with self._asking:
                        found = await self._recent.trades(builder.symbol, missing.first, missing.last)
                except CambistError as error:
                    tries += 1
                    await self._wait(error, tries, builder.symbol)
                    found = []
                now_ms = self._clock.now_ms()
                for trade in found:
                    self._built(builder.trade(trade, now_ms))
                if builder.missing == missing and (tries >= _TRIES_FOR_A_HOLE or not tries):
                    self._built(builder.give_up(now_ms))  # its minutes will be asked for as candles
                if builder.waiting > _MOST_WAITING_TRADES:
                    self._built(builder.give_up(now_ms))
                missing = builder.missing
        finally:
            del self._trade_repairs[builder.symbol]

    async def _wait(self, error: CambistError, tries: int, seed: str) -> None:
        self._note(str(error))
        asked = error.retry_after_s if isinstance(error, RateLimited) else None
        await self._clock.sleep(max(wait_s(tries, seed=seed), asked or 0.0))

    # -- what goes out ------------------------------------------------------------------------------------------------

    def _hand_on(self, closed: Iterable[Closed]) -> None:
        for one in closed:
            self._counts["signals"] += 1
            self._counts["repaired"] += one.repaired
            self._out.signal(
                Signal(
                    venue=self._feed.venue,
                    candle=one.candle,
                    received_ms=one.candle.received_ms or self._clock.now_ms(),
                    source=self.source,
                    repaired=one.repaired,
                )
            )

    async def _drained(self) -> None:
        """The feed has ended: let what is under way come to its end."""
        for under_way in (self._trade_repairs, self._repairs):
            while under_way:
                await asyncio.wait(list(under_way.values()))
        await self._out.calm.wait()

    def _note(self, error: str) -> None:
        _log.warning("%s: %s", self.source, error)
        self._last_error = error


def _clock_time(ts: int) -> str:
    return datetime.fromtimestamp(ts / 1000, UTC).isoformat(sep=" ", timespec="minutes")
