"""What people ask of the accounts and bots of an engine: taken up in turn, done, and answered."""

import asyncio
import json
import logging
from contextlib import suppress
from typing import Any

from cambist.domain.account import WEBHOOK, BotSpec, BotStatus
from cambist.domain.errors import BadInput, BusFailed, CambistError, NotFound, Taken
from cambist.domain.event import BotChanged, BotDeleted, Decided, Released
from cambist.domain.instrument import Kind
from cambist.domain.text import language, say, speak
from cambist.domain.wish import Exit
from cambist.engine import requests
from cambist.engine.account import Seat
from cambist.engine.bots import Bots
from cambist.engine.live import Engine, Lane
from cambist.engine.seating import Seating, Surroundings
from cambist.execution.settings import capped, limits_of, rules_of
from cambist.ports.book import Request
from cambist.ports.bus import ANSWERS, REQUESTS

_log = logging.getLogger(__name__)

_TOLD = {
    "start": BotStatus.RUNNING,
    "resume": BotStatus.RUNNING,
    "suspend": BotStatus.SUSPENDED,
    "stop": BotStatus.STOPPED,
}
"""What people tell a bot to be."""
ASKED_EVERY_S = 0.25
_URGENT = frozenset(("halt", "reduce_only", "activate"))
"""What waits for nothing else that is asked of its account, and goes in turn: the last of these words holds."""
_Line = tuple[str, bool]
"""An account, and whether it is about what is urgent."""
_NEEDS_VENUE = frozenset(("order", "amend", "wish"))
MOST_AGE_MS = 60_000
"""What would trade is not done later than this after it was asked: its person saw another price."""
_OPENS_S, _LOOKS_S = 5.0, 0.05
"""How long what is asked of an account waits until it has been opened."""


class Errands:
    """Does what people ask of one `Engine`; ``consumer`` is its name on the bus."""

    def __init__(self, around: Surroundings, engine: Engine, bots: Bots, seating: Seating, consumer: str) -> None:
        self._around = around
        self._engine = engine
        self._bots = bots
        self._seating = seating
        self._consumer = consumer
        self._language = language()
        self._asked = asyncio.Event()
        self._answered: set[int] = set()
        """Requests that a list of those that wait may still name, because it was read before they were answered."""

    async def attend(self) -> None:
        """Do what people ask, until cancelled.

        What is asked of one account is done in turn; a venue that is slow to answer holds up its own account alone,
        and not a halt of it.
        """
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._wake())
            busy: dict[_Line, asyncio.Task[None]] = {}
            while True:
                asked_now = await asyncio.to_thread(self._around.register.waiting)
                self._answered &= {request.id for request in asked_now}
                waiting: dict[_Line, list[Request]] = {}
                for request in asked_now:
                    if request.id not in self._answered:
                        waiting.setdefault((request.account, request.action in _URGENT), []).append(request)
                for line, asked in waiting.items():
                    if line not in busy or busy[line].done():
                        busy[line] = tasks.create_task(self._answer_all(asked))
                await self._next_look(busy)

    async def _next_look(self, busy: dict[_Line, "asyncio.Task[None]"]) -> None:
        """Wait until somebody asks, an account is through with what was asked of it, or it is time to look anyway."""
        heard = asyncio.ensure_future(self._asked.wait())
        pause = asyncio.ensure_future(self._around.clock.sleep(ASKED_EVERY_S * self._around.pace))
        working = [task for task in busy.values() if not task.done()]
        try:
            await asyncio.wait((heard, pause, *working), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._asked.clear()
            heard.cancel()
            pause.cancel()

    async def _answer_all(self, asked: list[Request]) -> None:
        for request in asked:
            answer, refused = await self._answer(request)
            now, register = self._around.wall.now_ms(), self._around.register  # as it was asked: by people's time
            with suppress(NotFound):  # it went with its account
                await asyncio.to_thread(register.answer, request.id, now, answer, refused=refused)
            self._answered.add(request.id)
            await self._tell(request, answer, refused)

    async def _tell(self, request: Request, answer: str, refused: bool) -> None:
        message = {
            "id": f"answer:{request.id}",
            "ts": self._engine.now_ms(),
            "user_id": request.user_id,
            "request": request.id,
            "account": request.account,
            "bot": request.bot,
            "action": request.action,
            "refused": refused,
            "answer": answer,
        }
        with suppress(BusFailed):  # it can be read in the register
            await self._around.bus.publish(ANSWERS, message)

    async def _wake(self) -> None:
        """Look at once when somebody says on the bus that something was asked."""
        bus, name = self._around.bus, f"asked-{self._consumer}"
        async for delivery in bus.subscribe(REQUESTS, group=name, consumer=name):
            self._asked.set()
            with suppress(BusFailed):
                await bus.ack(name, delivery)

    async def _answer(self, request: Request) -> tuple[str, bool]:
        """Do what is asked; return what came of it, in the language of who asked, and whether it was refused."""
        speak(request.language or self._language)
        try:
            return await self._do(request), False
        except Exception as error:  # noqa: BLE001 - whatever a person asked, the engine goes on
            expected = isinstance(error, CambistError)
            _log.warning("request %s: %s", request.id, error, exc_info=not expected)
            why = str(error) if expected else f"{type(error).__name__}: {error}"
            return say("running.refused", why=why), True

    async def _do(self, request: Request) -> str:
        params: dict[str, Any] = json.loads(request.params)
        if request.action == "leave":
            return await self._leave(request.account, force=bool(params.get("force")))
        if request.action == "keys":
            await self._seating.let_go(request.account)  # what was opened with the old ones
        lane = self._engine.lanes.get(request.account) or await self._newly(request.account)
        if request.id in lane.account.asked:  # before the engine was started anew: only the answer was lost
            return say("request.done_before")
        if request.action in _NEEDS_VENUE:
            self._hold_in_time(request, params)
            await self._opened(lane)
        if request.bot:
            return await self._do_with_bot(lane, request, params)
        return await self._do_with_account(lane, request, params)

    def _hold_in_time(self, request: Request, params: dict[str, Any]) -> None:
        """Raise `CambistError` for what waited too long, because no engine ran or a venue hung, and could open."""
        age_ms = self._around.wall.now_ms() - request.asked_ms
        closes = params.get("reduce_only") or (request.action == "wish" and not requests.enters(params))
        if closes or abs(age_ms) <= MOST_AGE_MS:
            return
        key = "request.too_late" if age_ms > 0 else "request.too_early"
        raise CambistError(key, seconds=abs(age_ms) // 1_000, most=MOST_AGE_MS // 1_000)

    async def _newly(self, account: str) -> Lane:
        specs = {spec.id: spec for spec in await asyncio.to_thread(self._around.register.accounts)}
        if account not in specs:
            raise NotFound("running.unknown_account", account=account)
        lane = await self._seating.take_in(specs[account], await asyncio.to_thread(self._around.register.bots, account))
        if lane is None:
            raise NotFound("running.not_open", why=self._seating.refused[account])
        return lane

    async def _opened(self, lane: Lane) -> None:
        """Wait a moment for a venue that was just opened: it is asked first how things stand."""
        clock, pace = self._around.clock, self._around.pace
        until = self._engine.now_ms() + _OPENS_S * pace * 1_000
        while not lane.ready and self._engine.now_ms() < until:
            await clock.sleep(_LOOKS_S * pace)

    async def _do_with_bot(self, lane: Lane, request: Request, params: dict[str, Any]) -> str:
        specs = {bot.id: bot for bot in await asyncio.to_thread(self._around.register.bots, request.account)}
        if request.bot not in specs:
            raise NotFound("running.unknown_bot", bot=request.bot, known=", ".join(specs) or "-")
        spec = specs[request.bot]
        if request.action == "delete":
            return await self._delete(lane, spec)
        if spec.id not in lane.account.seats:
            await self._seating.add(lane, spec)
        seat = lane.account.seats[spec.id]
        if request.action == "wish":
            return await requests.wish(self._engine, lane, seat, request, params)
        status = _TOLD.get(request.action)
        if status is BotStatus.RUNNING and not self._bots.runs(spec.id) and spec.strategy != WEBHOOK:
            await self._seating.run(lane, spec)
        elif status is BotStatus.STOPPED:
            self._bots.end(spec.id)
        now = self._engine.now_ms()  # what closed while its history was fetched it has not decided on
        if status is not None:
            await self._engine.put(lane, BotChanged(now, spec.id, status))
        if request.action == "release":
            if seat.bot.instrument.kind is not Kind.SPOT:
                raise BadInput("bot", spec.id, "running.no_release")
            await self._engine.put(lane, Released(spec.id, now))
            if seat.bot.position:
                raise Taken("running.exit_under_way", bot=spec.id)
        if (request.action == "sell" or params.get("sell")) and not await self._sell(lane, seat):
            return say("running.nothing_held", bot=spec.id)
        return say(f"running.done.{request.action}", bot=spec.id)

    async def _sell(self, lane: Lane, seat: Seat) -> bool:
        """Let a bot close what it holds; False if it holds nothing."""
        bot = seat.spec.id
        if seat.status is BotStatus.STOPPED and not await self._entries_over(lane, bot):
            raise Taken("running.entry_under_way", bot=bot)
        if not seat.bot.position:
            return False
        await self._engine.put(lane, Decided(bot, self._engine.now_ms(), seat.bot.mark, (Exit(),)))
        return True

    async def _entries_over(self, lane: Lane, bot: str) -> bool:
        """Wait a moment until the entries of a bot that was stopped are taken back or filled; tell whether they are."""
        clock, pace = self._around.clock, self._around.pace
        until = self._engine.now_ms() + _OPENS_S * pace * 1_000
        while any(not one.order.reduces for one in lane.account.working(bot)):
            if self._engine.now_ms() > until:
                return False
            await clock.sleep(_LOOKS_S * pace)
        return True

    async def _delete(self, lane: Lane, spec: BotSpec) -> str:
        """Let a bot that holds nothing give back its money, and forget it."""
        seat, now = lane.account.seats.get(spec.id), self._engine.now_ms()
        if seat is not None:
            await self._engine.put(lane, BotDeleted(now, spec.id))
            if not seat.deleted:
                raise Taken("running.bot_holds", bot=spec.id)
        self._seating.forget_bot(spec.id)
        await asyncio.to_thread(self._around.register.delete_bot, spec.id, now)
        return say("running.done.delete", bot=spec.id)

    async def _do_with_account(self, lane: Lane, request: Request, params: dict[str, Any]) -> str:
        if request.action == "settings":
            specs = {spec.id: spec for spec in await asyncio.to_thread(self._around.register.accounts)}
            spec = specs[request.account]
            caps = await asyncio.to_thread(self._around.caps, spec.user_id)
            limits, rules = capped(limits_of(spec.settings), caps), rules_of(spec.settings)
            await self._engine.configure(lane, limits, rules)
            return say("running.done.settings", account=request.account)
        if request.action == "keys":
            return say("running.done.keys", account=request.account)
        return await requests.with_account(self._engine, lane, request, params)

    async def _leave(self, name: str, *, force: bool) -> str:
        """Delete an account and all that is kept of it: its person wants it gone."""
        register = self._around.register
        lane = self._engine.lanes.get(name)
        if lane is not None:
            account = lane.account
        else:  # one that cannot be opened, because its keys are wrong for instance, is judged by its journal
            specs = {spec.id: spec for spec in await asyncio.to_thread(register.accounts)}
            if name not in specs:
                raise NotFound("running.unknown_account", account=name)
            account = await asyncio.to_thread(self._engine.last_known, specs[name])
        if not force and not account.idle:
            raise Taken("running.holds", account=name)
        await self._seating.forget(name)
        await asyncio.to_thread(register.forget_account, name)
        return say("running.done.leave", account=name)
