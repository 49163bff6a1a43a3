"""What routes reach: the stores of whoever asks, and what is everybody's. Nothing else is within reach of a route."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from threading import BoundedSemaphore
from typing import Annotated, Any

from fastapi import Depends, Request

from cambist.apps import bootstrap
from cambist.apps.api.caller import caller_of
from cambist.apps.api.limits import Counters
from cambist.apps.settings import Settings
from cambist.domain.account import AccountSpec
from cambist.domain.errors import StorageFailed, TooMany
from cambist.domain.person import SCOPES, Identity, Scope
from cambist.domain.standing import AccountStanding
from cambist.domain.text import say
from cambist.engine.standing import account_standing
from cambist.ports.answers import Answers
from cambist.ports.assistant import Assistant
from cambist.ports.book import Journal, Register
from cambist.ports.bus import REQUESTS, Bus
from cambist.ports.clock import Clock
from cambist.ports.exchanges import Exchanges, KeyRegister
from cambist.ports.heartbeat_log import HeartbeatLog
from cambist.ports.history import CandleLake
from cambist.ports.jobs import JobStore, ReportFiles
from cambist.ports.metrics import ShownMetrics
from cambist.ports.results import ResultStore
from cambist.ports.searches import SearchStore
from cambist.ports.strategies import Shelf
from cambist.ports.symbols import Symbols
from cambist.ports.vault import SERVER
from cambist.ports.webhooks import Webhooks
from cambist.usecases import signing_in
from cambist.usecases.jobs import tell_progress
from cambist.usecases.listings import Listings
from cambist.usecases.markets import Markets
from cambist.usecases.office import Office, Visit
from cambist.usecases.past import READ, History, keep_reading
from cambist.usecases.past_state import Reading
from cambist.usecases.quota import Quota
from cambist.usecases.receiving import PURPOSE, Reception
from cambist.usecases.shared_answers import SharedAnswers
from cambist.usecases.strategies import Validate, verdict_of
from cambist.usecases.trading import Tickets
from cambist.usecases.validation import validate

_STALE_S = 150.0
"""No candle was told of for so long: somebody should look."""

_VALIDATIONS, _PATIENCE_S = 4, 5.0
"""Code of all people that is judged at once, and how long one more waits for a place."""

_GLANCE_MS = 1_000
_RECKONED_MS = 30_000
"""Rates of other currencies may be as old as this."""
_LOOK_MS = 5_000
"""What an account holds is asked of its exchange anew after so long."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """Every store of one person, confined to that person's rows."""

    user_id: int
    register: Register
    results: ResultStore
    reports: ReportFiles
    searches: SearchStore
    search_reports: ReportFiles
    jobs: JobStore
    answers: Answers
    strategies: Shelf
    account_keys: KeyRegister
    webhooks: Webhooks
    past: History
    """What has become of orders."""

    def standings(self, accounts: Iterable[AccountSpec]) -> list[AccountStanding]:
        """Return how ``accounts`` stand by their journals; whether their venues answer only an engine knows."""
        return self.past.seen(accounts, _standing)


@dataclass(slots=True, kw_only=True)
class Services:
    """What is everybody's."""

    settings: Settings
    clock: Clock
    """Ours: tokens, limits and jobs are counted by it, however fast a made-up market goes."""
    market_clock: Clock
    bus: Bus
    office: Office
    lake: CandleLake
    journal: Journal
    heartbeat: HeartbeatLog
    exchanges: Exchanges
    symbols: Symbols
    listings: Listings
    markets: Markets
    glances: SharedAnswers
    """Of everybody at what is everybody's."""
    reckoned: SharedAnswers
    """Statistics, each for as long as the journals that it was read off do not go on."""
    looks: SharedAnswers
    """Of people at what their accounts hold."""
    metrics: ShownMetrics
    assistant: Assistant
    conversations: Quota
    """With the assistant."""
    validate: Validate
    """Judges the code of a strategy, in the jail; raises `TooMany` while too much is judged."""
    validations: Quota
    reception: Reception
    """Receives the calls of webhooks."""
    counters: Counters
    """Count requests, and calls of webhooks."""
    background: list[Callable[[], Coroutine[Any, Any, None]]] = field(default_factory=list)
    """Work that goes on as long as the API serves."""
    stores: Callable[[int], Stores]
    _loop: asyncio.AbstractEventLoop | None = None
    _tickets: Tickets | None = field(default=None, repr=False)

    @property
    def beside(self) -> bool:
        """Return whether the database is a file beside us: then a few rows are read faster than a thread is woken."""
        return self.settings.database_url.startswith("sqlite:")

    def now_ms(self) -> int:
        """Return the time (ms)."""
        return self.clock.now_ms()

    def identify(self, bearer: str | None) -> Identity:
        """Return whose token ``bearer`` is; raise `NotSignedIn`."""
        return signing_in.identify(self.office, bearer, self.now_ms())

    def remembered(self, bearer: str) -> Identity | None:
        """Return what `identify` found a moment ago; blocks nobody."""
        return signing_in.remembered(self.office, bearer, self.now_ms())

    def debug_login(self) -> bool:
        """Tell whether whoever comes without a token is let in as ``dev``."""
        return signing_in.debug_login_is_on(self.office, self.now_ms())

    def note(self, action: str, visit: Visit, caller: Identity, target: str, **details: Any) -> None:
        """Write into the audit log what ``caller`` did."""
        self.office.note(action, visit, self.office.people.person(caller.user_id), target, **details)

    def tickets(self) -> Tickets:
        """Return what makes and reads the tokens of validated orders."""
        if self._tickets is None:
            fresh = self.office.randomness(32).hex()
            key = self.office.vault.seal_once(SERVER, "server", "tickets", fresh)
            self._tickets = Tickets(bytes.fromhex(key))
        return self._tickets

    def readiness(self) -> tuple[list[str], float | None]:
        """Return what is not well, one sentence each, and how old the last candle is that was told of (s)."""
        try:
            age_s = data_age_s(self.heartbeat, self.market_clock.now_ms())
        except StorageFailed as error:
            return [str(error)], None
        return ([] if age_s is None or age_s < _STALE_S else [say("api.stale", seconds=round(age_s))]), age_s

    def tell_engine(self, request_id: int) -> None:
        """Wake the engine: a request waits for it. From any thread; one that is not heard is found all the same."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._publish, REQUESTS, {"id": f"request:{request_id}"})

    def _publish(self, topic: str, message: dict[str, Any]) -> None:
        task = asyncio.ensure_future(self.bus.publish(topic, message))
        task.add_done_callback(_noted)

    async def run(self) -> None:
        """Do the background work until cancelled; what fails is begun again."""
        self._loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as tasks:
            for work in self.background:
                tasks.create_task(_kept_up(work))


def data_age_s(log: HeartbeatLog, now_ms: int) -> float | None:
    """Return how long ago the last candle closed that the heartbeat told of (s); None if it never told of any."""
    latest = log.recent("1m", 1)
    return None if not latest else max(0.0, (now_ms - latest[0].close_ms) / 1_000)


def _noted(task: "asyncio.Future[None]") -> None:
    if not task.cancelled() and task.exception() is not None:
        _log.warning("the engine was not told: %s", task.exception())


async def _kept_up(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    while True:
        try:
            await work()
        except Exception:  # noqa: BLE001 - the API serves on without it, and it is begun again
            _log.exception("background work failed")
        await asyncio.sleep(1.0)


def open_services(
    settings: Settings,
    *,
    bus: Bus | None = None,
    market_clock: Clock | None = None,
    metrics: ShownMetrics | None = None,
    exchanges: Exchanges | None = None,
) -> Services:
    """Return the services of one API process; what is given is that of the floor in the same process."""

    @lru_cache(maxsize=1_000)
    def stores(user_id: int) -> Stores:
        return Stores(
            user_id=user_id,
            past=bootstrap.history(settings, user_id),
            register=bootstrap.register(settings, user_id),
            results=bootstrap.results(settings, user_id),
            reports=bootstrap.report_files(settings, user_id),
            searches=bootstrap.searches(settings, user_id),
            search_reports=bootstrap.report_files(settings, user_id, "search-reports"),
            jobs=bootstrap.jobs(settings, user_id),
            answers=bootstrap.answers(settings, user_id),
            strategies=bootstrap.strategies(settings, user_id),
            account_keys=bootstrap.account_keys(settings, user_id),
            webhooks=bootstrap.webhooks(settings, user_id),
        )

    office, all_past = bootstrap.office(settings), bootstrap.history(settings)
    known_bus, all_jobs = bus or bootstrap.bus(settings), bootstrap.jobs(settings)
    clock = bootstrap.running_clock()
    lake, heartbeat = bootstrap.lake(settings), bootstrap.heartbeat_log(settings)
    known_exchanges = exchanges or bootstrap.exchanges(settings, bootstrap.gateway(settings))
    symbols, counters, tallies = bootstrap.symbols(settings), Counters(settings.bus_url), bootstrap.tallies(settings)
    listings = Listings(known_exchanges, symbols, known_bus, clock.now_ms)

    async def close() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await counters.close()
            await listings.close()
            if exchanges is None:
                await known_exchanges.close()

    return Services(
        settings=settings,
        clock=clock,
        market_clock=market_clock or clock,
        bus=known_bus,
        lake=lake,
        journal=bootstrap.journal(settings),
        heartbeat=heartbeat,
        exchanges=known_exchanges,
        symbols=symbols,
        listings=listings,
        markets=Markets(known_exchanges, lake, heartbeat, clock.now_ms, (market_clock or clock).now_ms),
        glances=SharedAnswers(clock.now_ms, _GLANCE_MS),
        reckoned=SharedAnswers(clock.now_ms, _RECKONED_MS),
        looks=SharedAnswers(clock.now_ms, _LOOK_MS),
        metrics=metrics or bootstrap.metrics(),
        assistant=bootstrap.assistant(),
        conversations=Quota("assistant", at_once=2, per_hour=60, tallies=tallies),
        validations=Quota("checks", at_once=2, per_hour=600, tallies=tallies),
        validate=_validating(settings),
        office=office,
        reception=_reception(settings, office),
        counters=counters,
        stores=stores,
        background=[
            lambda: tell_progress(all_jobs, known_bus, clock, asyncio.to_thread),
            lambda: keep_reading(all_past, clock),
            close,
        ],
    )


def _reception(settings: Settings, office: Office) -> Reception:
    def may_trade(user_id: int) -> bool:
        person = office.people.person(user_id)
        return person.active and Scope.TRADE in SCOPES[person.role]

    return Reception(
        bootstrap.webhooks(settings),
        secret_of=lambda webhook: office.vault.open(webhook.user_id, webhook.id, PURPOSE),
        may_trade=may_trade,
    )


def _validating(settings: Settings) -> Validate:
    places = BoundedSemaphore(_VALIDATIONS)

    def judged(code: str, timeframe: str) -> dict[str, Any]:
        if not places.acquire(timeout=_PATIENCE_S):
            raise TooMany("checks.busy", _PATIENCE_S)
        try:
            return verdict_of(validate(bootstrap.sandbox(settings), code, timeframe=timeframe))
        finally:
            places.release()

    return judged


def _standing(reading: Reading, seq: int) -> AccountStanding:
    return account_standing(reading.account, seq)


async def _services(request: Request) -> Services:
    found: Services = request.app.state.services
    return found


async def _own(request: Request) -> Stores:
    # not by `_services`: whatever depends on something costs a tenth of a request
    return (await _services(request)).stores(caller_of(request).user_id)


async def _read_on(request: Request) -> None:
    # what routes do at once must not be the reading of a long journal, nor the writing down of what was read
    if (await _services(request)).beside:
        past = (await _own(request)).past
        try:
            if not past.is_read():
                await asyncio.to_thread(past.known)
            READ.set(True)
        except StorageFailed as error:  # of one account perhaps that is not asked about
            READ.set(error)


Server = Annotated[Services, Depends(_services)]
Own = Annotated[Stores, Depends(_own)]
"""The caller's own stores: the only way of a route to rows that somebody owns."""
read_on = Depends(_read_on)
"""For the ``dependencies`` of routes that tell what has become of orders: the caller's journals are read first."""
