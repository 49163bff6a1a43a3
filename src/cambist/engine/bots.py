"""The bots of an engine: a closed candle is shown to those that it concerns, and what they wish becomes events."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal

from cambist.domain.account import BotSpec, BotStatus
from cambist.domain.alert import Alert, Level
from cambist.domain.candles import Candle, Candles
from cambist.domain.errors import CambistError, StorageFailed
from cambist.domain.event import BotChanged, CandleClosed, Decided
from cambist.domain.timeframe import Timeframe
from cambist.domain.wish import Wish
from cambist.engine.account import Seat
from cambist.engine.asking import Answer, Apart, Asker, LiveRunner
from cambist.engine.live import Engine, Lane
from cambist.engine.runners import Given
from cambist.ports.alerts import Alerts
from cambist.ports.feed import RecentMarket
from cambist.ports.history import CandleLake

Series = tuple[str, str, Timeframe]
"""Venue, symbol, timeframe."""


class Purse:
    """What a bot's strategy may know of its budget."""

    def __init__(self, seat: Seat) -> None:
        self._seat = seat

    def equity(self, price: float) -> float:
        """Return the budget with its gains and losses, the position valued at ``price``."""
        state = self._seat.state
        return float(state.cash + self._seat.bot.position.quantity * Decimal(repr(price)))

    def cash(self) -> float:
        """Return what of it may be spent."""
        return float(self._seat.state.free_cash())


@dataclass(slots=True)
class _Running:
    lane: Lane
    seat: Seat
    runner: LiveRunner | Apart


class Bots:
    """Runs strategies on an engine's accounts. One crash pauses one bot; the others go on."""

    def __init__(
        self,
        engine: Engine,
        asker: Asker,
        alerts: Alerts,
        recent: RecentMarket | None = None,
        lake: CandleLake | None = None,
    ) -> None:
        """``recent`` is asked for closes that were missed: signals lost on the way, or while the engine was down.

        What it tells goes into ``lake``: no signal told of it, and `cambist parity` must know what the bots saw.
        """
        self._engine = engine
        self._asker = asker
        self._alerts = alerts
        self._recent = recent
        self._lake = lake
        self._by_series: dict[Series, dict[str, _Running]] = {}

    def run(self, lane: Lane, bot: str, strategy: Given, history: Candles, *, venue: str) -> None:
        """Let ``strategy`` decide for ``bot`` from the next closed candle of ``venue`` on.

        ``history``: the closed candles until now, at least as many as `warm_up_needed` asks for.
        """
        seat = lane.account.seats[bot]
        self.take(lane, bot, LiveRunner(strategy, history, seat.bot.instrument, account=Purse(seat)), venue=venue)

    def take(self, lane: Lane, bot: str, runner: LiveRunner | Apart, *, venue: str) -> None:
        """Let ``runner``, which has begun, decide for ``bot`` from the next closed candle of ``venue`` on."""
        self.end(bot)
        seat = lane.account.seats[bot]
        series = (venue, seat.spec.symbol, seat.spec.timeframe)
        self._by_series.setdefault(series, {})[bot] = _Running(lane, seat, runner)

    def runs(self, bot: str) -> bool:
        """Tell whether ``bot`` is being asked."""
        return any(bot in running for running in self._by_series.values())

    def end(self, bot: str) -> None:
        """Ask ``bot`` no more."""
        for running in self._by_series.values():
            if bot in running:
                running.pop(bot).runner.close()

    def close(self) -> None:
        """Ask nobody any more, and end the processes in which they decide."""
        for bot in [bot for running in self._by_series.values() for bot in running]:
            self.end(bot)

    async def closed(
        self, venue: str, symbol: str, timeframe: Timeframe, candle: Candle, *, decide: bool = True
    ) -> None:
        """Let the bots on this series decide on ``candle``; return when all have, not when orders have left.

        With ``decide=False`` they only take it in: it comes so late that the next has closed already.
        """
        running = self._by_series.get((venue, symbol, timeframe), {})
        if not await self._caught_up(list(running.values()), venue, symbol, timeframe, candle.ts):
            return  # what was missed could not be had: it comes with the next candle
        close_ms = timeframe.close_of(candle.ts)
        due: dict[str, _Running] = {}
        for bot, one in running.items():
            if decide and _within(one.seat.spec, close_ms):
                due[bot] = one
            else:
                one.runner.see(candle)
        for one in due.values():
            position = one.seat.bot.position
            one.runner.tell(float(position.quantity), float(position.entry_price))
        answers = await self._asker.ask([(bot, one.runner, candle) for bot, one in due.items()])
        for lane, pairs in _by_lane(due, answers):
            price = Decimal(repr(candle.close))
            self._engine.see(lane, close_ms, {symbol: price})
            for one, answer in pairs:
                if running.get(answer.bot) is one:  # or it was ended while it decided
                    await self._take(one, answer, candle)

    async def _caught_up(
        self, running: list[_Running], venue: str, symbol: str, timeframe: Timeframe, until: int
    ) -> bool:
        """Show bots the candles before ``until`` that they have missed, without a decision; False if they failed."""
        behind = [one for one in running if timeframe.close_of(one.runner.last_ts) < until]
        if not behind or self._recent is None:
            return True
        since = min(timeframe.close_of(one.runner.last_ts) for one in behind)
        try:
            missed = await self._recent.candles(symbol, timeframe, since, until)
        except CambistError as error:
            for one in behind:
                await self._tell(one.seat.spec, Level.WARNING, "running.missed", why=str(error))
            return False
        for one in behind:
            for candle in missed:
                one.runner.see(candle)
        if self._lake is not None and len(missed):
            with suppress(StorageFailed):  # a cache of the market: trading does not wait for it
                await asyncio.to_thread(self._lake.append, replace(missed, venue=venue))
        return True

    async def _take(self, one: _Running, answer: Answer, candle: Candle) -> None:
        bot = answer.bot
        if answer.error is not None:
            await self._pause(one, answer)
            return
        if one.seat.bot.trails:
            closed = CandleClosed(bot, candle.ts, candle.high, candle.low, candle.close)
            self._engine.tell(one.lane, closed)
        wishes: tuple[Wish, ...] = answer.wishes
        if wishes:
            self._engine.tell(one.lane, Decided(bot, candle.ts, candle.close, wishes))

    async def _pause(self, one: _Running, answer: Answer) -> None:
        spec, now = one.seat.spec, self._engine.now_ms()
        self.end(spec.id)
        self._engine.tell(one.lane, BotChanged(now, spec.id, BotStatus.PAUSED))
        await self._tell(spec, Level.CRITICAL, "trading.paused", why=str(answer.error))

    async def _tell(self, spec: BotSpec, level: Level, key: str, **params: str) -> None:
        await self._alerts.send(
            Alert(
                ts=self._engine.now_ms(),
                level=level,
                key=key,
                params=params | {"bot": spec.id},
                user_id=spec.user_id,
                account=spec.account,
                bot=spec.id,
            )
        )


def _within(spec: BotSpec, close_ms: int) -> bool:
    return (spec.since_ms is None or close_ms >= spec.since_ms) and (spec.until_ms is None or close_ms <= spec.until_ms)


def _by_lane(
    due: dict[str, _Running], answers: Iterable[Answer]
) -> Iterable[tuple[Lane, list[tuple[_Running, Answer]]]]:
    found: dict[int, tuple[Lane, list[tuple[_Running, Answer]]]] = {}
    for answer in answers:
        one = due[answer.bot]
        found.setdefault(id(one.lane), (one.lane, []))[1].append((one, answer))
    return found.values()
