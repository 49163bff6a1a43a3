"""The composition root: the only file that names an adapter."""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cambist.apps.settings import Settings, credentials_name, load
from cambist.domain.account import LOCAL_USER, AccountSpec, BotSpec, Mode
from cambist.domain.candles import Candles
from cambist.domain.errors import BadInput, BadStrategy, NotFound
from cambist.domain.instrument import Instrument
from cambist.domain.request import Traits
from cambist.domain.text import say
from cambist.domain.timeframe import Timeframe
from cambist.market.exchange import Exchange
from cambist.ports.alerts import Alerts
from cambist.ports.answers import Answers
from cambist.ports.assistant import Assistant
from cambist.ports.audit_log import AuditLog
from cambist.ports.book import Journal, Lease, Register
from cambist.ports.bus import Bus
from cambist.ports.clock import Clock
from cambist.ports.crew import Crew
from cambist.ports.exchanges import Exchanges, KeyRegister
from cambist.ports.feed import MarketFeed, RecentMarket
from cambist.ports.heartbeat_log import HeartbeatLog
from cambist.ports.history import CandleFiles, CandleLake, PublicMarket
from cambist.ports.jobs import JobSteps, JobStore, ReportFiles
from cambist.ports.people import People
from cambist.ports.results import ResultStore
from cambist.ports.sandbox import Sandbox
from cambist.ports.searches import SearchStore
from cambist.ports.strategies import Shelf
from cambist.ports.symbols import Symbols
from cambist.ports.tallies import Tallies
from cambist.ports.vault import Vault
from cambist.ports.venue import Venue
from cambist.ports.webhooks import Webhooks

if TYPE_CHECKING:  # adapters are imported when they are asked for: the command line starts in a tenth of a second
    from cambist.adapters.jobs.durable import DurableWorker
    from cambist.adapters.telemetry.http import TelemetryServer
    from cambist.adapters.telemetry.metrics import PrometheusMetrics
    from cambist.adapters.venues.binance.recent import BinanceRecent
    from cambist.adapters.venues.ccxt.gateway import Gateway
    from cambist.adapters.venues.ccxt.place import Progress
    from cambist.adapters.venues.simulated.market import MirroredMarket, SimulatedMarket
    from cambist.engine.ready import Ready
    from cambist.usecases.leaving import Belongings
    from cambist.usecases.office import Office
    from cambist.usecases.optimise import Tools
    from cambist.usecases.past import History


def lake(settings: Settings | None = None) -> CandleLake:
    """Return the candle lake."""
    from cambist.adapters.storage.candles import ParquetLake

    return ParquetLake((settings or load()).lake)


def candle_files() -> CandleFiles:
    """Return the reader of candle files."""
    from cambist.adapters.storage.candle_files import KnownFiles

    return KnownFiles()


def read_candles(
    path: str | Path,
    *,
    venue: str | None = None,
    symbol: str | None = None,
    timeframe: str | None = None,
    repair: bool = False,
) -> Candles:
    """Return the candles of any importable file; what the file does not say is guessed, options override.

    Raises `BadCandles` naming each bad row; ``repair=True`` drops them instead.
    """
    frame = None if timeframe is None else Timeframe.parse(timeframe)
    return candle_files().read(Path(path), venue=venue, symbol=symbol, timeframe=frame, repair=repair).candles


def public_market(venue: str, settings: Settings | None = None) -> PublicMarket:
    """Return the public market data of ``venue``; raise `BadInput` if no such exchange is known."""
    from cambist.adapters.venues.ccxt.public import CcxtPublicMarket

    return CcxtPublicMarket(venue, base_url=(settings or load()).venue_url)


def results(settings: Settings | None = None, user_id: int = LOCAL_USER) -> ResultStore:
    """Return one user's store of finished backtests."""
    from cambist.adapters.storage.results import SqlResults

    return SqlResults((settings or load()).database_url, user_id)


def answers(settings: Settings, user_id: int) -> Answers:
    """Return what one user's requests with a key of their own were answered."""
    from cambist.adapters.storage.answers import SqlAnswers

    return SqlAnswers(settings.database_url, user_id)


def strategies(settings: Settings, user_id: int | None) -> Shelf:
    """Return the strategies that one user keeps on the server, or (for the engine and workers) all users."""
    from cambist.adapters.storage.strategies import SqlShelf

    return SqlShelf(settings.database_url, user_id)


def assistant() -> Assistant:
    """Return what reaches the language models that write strategies."""
    from cambist.adapters.assistant.openai import OpenAiAssistant

    return OpenAiAssistant()


def jobs(settings: Settings, user_id: int | None = None) -> JobStore:
    """Return the jobs of one user, or (None, for workers and watchers) of all."""
    from cambist.adapters.storage.jobs import SqlJobs

    return SqlJobs(settings.database_url, user_id)


def report_files(
    settings: Settings, user_id: int, kind: Literal["reports", "search-reports"] = "reports"
) -> ReportFiles:
    """Return the report pages of one user's backtests, or of their searches."""
    from cambist.adapters.storage.report_files import ReportFolder

    return ReportFolder(settings.home / kind, user_id)


def belongings(settings: Settings, user_id: int) -> "Belongings":
    """Return all that one person has beside a name and a password, to be deleted with them."""
    from cambist.adapters.storage.report_files import forget_folder
    from cambist.engine.floor import LEASE
    from cambist.usecases.brokers import EngineLease
    from cambist.usecases.leaving import Belongings

    folders = [settings.home / kind / str(user_id) for kind in ("reports", "search-reports")]

    def forget_files() -> None:
        for folder in (*folders, studies(settings, user_id)):
            forget_folder(folder)

    return Belongings(
        register=register(settings, user_id),
        jobs=jobs(settings, user_id),
        journal=journal(settings),
        traits_of=traits_of,
        engine=EngineLease(lease=lease(settings), name=LEASE),
        forget_files=forget_files,
    )


def has_candles(venue: str) -> bool:
    """Tell whether candles can be fetched from ``venue``: whether it is an exchange that ccxt knows."""
    from cambist.adapters.venues.ccxt.lazy import venues

    return venue in venues()


def job_worker(settings: Settings, store: JobStore, steps: JobSteps) -> "DurableWorker":
    """Return what runs jobs in this process."""
    from cambist.adapters.jobs.durable import DurableWorker

    return DurableWorker(settings.database_url, store, steps, lease(settings))


# -- searches ---------------------------------------------------------------------------------------------------------


def searches(settings: Settings | None = None, user_id: int = LOCAL_USER) -> SearchStore:
    """Return one user's store of finished searches."""
    from cambist.adapters.storage.searches import SqlSearches

    return SqlSearches((settings or load()).database_url, user_id)


def studies(settings: Settings, user_id: int = LOCAL_USER) -> Path:
    """Return the folder of one user's studies: their trials, and what proposes the next."""
    return settings.home / "studies" / str(user_id)


@contextmanager
def search_tools(folder: Path, *, jobs: int | None, cluster: str | None, threads: bool) -> "Iterator[Tools]":
    """Give what a search works with, as long as the context lasts; its trials and journals are kept in ``folder``.

    The Dask ``cluster`` at an address computes, or ``jobs`` workers of this machine (None: all cores). ``threads`` are
    for work that leaves the interpreter's lock alone, and for work that only waits. Raises `BadInput`, `CrewFailed`.
    """
    from cambist.adapters.proposals.optuna import OptunaProposers
    from cambist.adapters.storage.trials import ParquetTrials
    from cambist.usecases.optimise import Tools

    with closing(_crew(jobs, cluster, threads)) as crew:
        yield Tools(
            crew=crew, logs=ParquetTrials(folder), proposers=OptunaProposers(folder), walkers=OptunaProposers(None)
        )


def _crew(jobs: int | None, cluster: str | None, threads: bool) -> Crew:
    if cluster is not None:
        from cambist.adapters.crew.dask import Cluster

        return Cluster(cluster)
    from cambist.adapters.crew.local import Processes, Threads

    count = (os.cpu_count() or 1) if jobs is None else jobs
    return Threads(count) if threads else Processes(count)


def available_bytes() -> int | None:
    """Return how much memory is free on this machine; None where it does not tell."""
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


# -- other people's code ----------------------------------------------------------------------------------------------


def sandbox(settings: Settings) -> Sandbox:
    """Return this process's sandbox for stored strategies; it ends with the process."""
    return _sandbox(settings.trust_code)


@cache
def _sandbox(trusted: bool) -> Sandbox:
    from cambist.adapters.sandbox.processes import sandbox_here

    if trusted:
        logging.getLogger(__name__).warning("%s", say("sandbox.trusted"))
    return sandbox_here("cambist.usecases.inside", trusted)


def open_strategy(settings: Settings, spec: BotSpec) -> "Ready":
    """Return the strategy of a bot: a stored one of its owner's, in the jail, or one of this machine's."""
    from cambist.domain.strategy_text import parse_stored_name
    from cambist.engine.jailed import Stored
    from cambist.engine.ready import known
    from cambist.strategies._load import samples

    stored = parse_stored_name(spec.strategy)
    if stored is None:
        if spec.user_id != LOCAL_USER and spec.strategy not in samples():  # a file of this machine is not theirs
            raise BadStrategy("strategy", spec.strategy, "strategy.no_file", known=", ".join(samples()))
        return known(spec)
    code = strategies(settings, spec.user_id).code(*stored)
    return Stored(sandbox(settings), code, spec.strategy, spec.params)


def caps_of(settings: Settings, user_id: int) -> Mapping[str, Any]:
    """Return what an admin allows a person at most; nothing is said of who only uses the command line."""
    try:
        return people(settings).person(user_id).limits
    except NotFound:
        return {}


# -- people -----------------------------------------------------------------------------------------------------------


def people(settings: Settings) -> People:
    """Return people, sessions and the server's settings."""
    from cambist.adapters.storage.people import SqlPeople

    return SqlPeople(settings.database_url)


def audit_log(settings: Settings) -> AuditLog:
    """Return the audit log."""
    from cambist.adapters.storage.audit_log import SqlAuditLog

    return SqlAuditLog(settings.database_url)


def vault(settings: Settings) -> Vault:
    """Return the vault; its key is that of ``CAMBIST_VAULT_KEY``, else of a file, which is made at the first need."""
    from cambist.adapters.storage.secrets import SqlSecrets
    from cambist.adapters.telemetry.logs import hide
    from cambist.adapters.vault.envelope import EnvelopeVault
    from cambist.adapters.vault.keys import local_keys

    keys = local_keys(settings.vault_file, settings.vault_key)
    return EnvelopeVault(SqlSecrets(settings.database_url), keys, opened=hide)


def add_vault_key(settings: Settings) -> None:
    """Put a new key in front of those of the vault's file."""
    from cambist.adapters.vault.keys import add_key

    add_key(settings.vault_file)


def office(settings: Settings) -> "Office":
    """Return what all that is done with people stands on."""
    from cambist.accounts.throttle import Throttle
    from cambist.adapters.vault.randomness import random_bytes
    from cambist.usecases.office import Office

    return Office(
        people=people(settings),
        vault=vault(settings),
        audit=audit_log(settings),
        randomness=random_bytes,
        debug_allowed=settings.debug_login,
        throttle=Throttle(tallies(settings)),
    )


def tallies(settings: Settings) -> Tallies:
    """Return what counts tries: in Redis for all processes if ``BUS_URL`` names one, else here."""
    from cambist.accounts.tallies import OwnTallies

    if settings.bus_url is None:
        return OwnTallies()
    from cambist.adapters.bus.tallies import RedisTallies

    return RedisTallies(settings.bus_url)


def webhooks(settings: Settings, user_id: int | None = None) -> Webhooks:
    """Return the webhooks of one user, or (for what receives their calls) of all."""
    from cambist.adapters.storage.webhooks import SqlWebhooks

    return SqlWebhooks(settings.database_url, user_id)


# -- the book ---------------------------------------------------------------------------------------------------------


def register(settings: Settings | None = None, user_id: int | None = None) -> Register:
    """Return the register of one user, or (None) of all."""
    from cambist.adapters.storage.register import SqlRegister

    return SqlRegister((settings or load()).database_url, user_id)


def journal(settings: Settings | None = None) -> Journal:
    """Return the journal."""
    from cambist.adapters.storage.journal import SqlJournal

    return SqlJournal((settings or load()).database_url)


def history(settings: Settings, user_id: int | None = None) -> "History":
    """Return what has become of one user's orders (or, for workers, of all users')."""
    from cambist.adapters.storage.past import SqlPast
    from cambist.usecases.past import History

    return History(SqlPast(settings.database_url, user_id), journal(settings), traits_of)


def lease(settings: Settings | None = None) -> Lease:
    """Return what says who may write."""
    from cambist.adapters.storage.lease import open_lease

    return open_lease((settings or load()).database_url)


def heartbeat_log(settings: Settings | None = None) -> HeartbeatLog:
    """Return the record of the heartbeat."""
    from cambist.adapters.storage.heartbeat_log import SqlHeartbeatLog

    return SqlHeartbeatLog((settings or load()).database_url)


def bus(settings: Settings | None = None) -> Bus:
    """Return the bus: Redis if ``BUS_URL`` names one, else this process's."""
    from cambist.adapters.bus import open_bus

    return open_bus((settings or load()).bus_url)


# -- markets ----------------------------------------------------------------------------------------------------------


def running_clock(speed: float = 1.0, start_ms: int | None = None) -> Clock:
    """Return this machine's clock, or one that starts elsewhere and goes ``speed`` times as fast."""
    from cambist.adapters.clock import AcceleratedClock, SystemClock

    return SystemClock() if start_ms is None else AcceleratedClock(speed, start_ms)


def made_up_feed(exchange: Exchange, clock: Clock, series: Iterable[Candles]) -> "SimulatedMarket":
    """Return a market that plays ``series`` into ``exchange``: feed, recent history, and what runs it."""
    from cambist.adapters.venues.simulated.market import SimulatedMarket

    return SimulatedMarket(exchange, clock, series)


def mirrored_feed(exchange: Exchange, clock: Clock, symbols: Iterable[str], settings: Settings) -> "MirroredMarket":
    """Return Binance's live market, repeated into ``exchange``: paper trading on real prices."""
    from cambist.adapters.venues.binance.messages import VENUE
    from cambist.adapters.venues.simulated.market import MirroredMarket

    return MirroredMarket(exchange, clock, live_feed(settings), symbols, venue=VENUE)


def live_feed(settings: Settings) -> MarketFeed:
    """Return Binance's live feed."""
    from cambist.adapters.venues.binance.feed import BinanceFeed

    url = settings.venue_url
    return BinanceFeed() if url is None else BinanceFeed(url.replace("http", "ws", 1))


def live_recent(settings: Settings) -> "BinanceRecent":
    """Return Binance's recent history; close it when done."""
    from cambist.adapters.venues.binance.recent import BinanceRecent

    return BinanceRecent() if settings.venue_url is None else BinanceRecent(settings.venue_url)


# -- accounts at venues -----------------------------------------------------------------------------------------------


def paper_venue(
    exchange: Exchange, spec: AccountSpec, clock: Clock, rules: Callable[[str], Awaitable[Instrument]] | None
) -> Venue:
    """Return a paper account at the simulated ``exchange``; ``rules`` gives those of symbols that it lacks."""
    from cambist.adapters.venues.simulated.venue import SimulatedVenue

    return SimulatedVenue(exchange, spec.id, clock, name=spec.venue, rules=rules)


def gateway(settings: Settings, progress: "Progress | None" = None) -> "Gateway":
    """Return the gateway to the exchanges that ccxt knows; close it when done."""
    from cambist.adapters.storage.budget_memory import SqlBudgetMemory
    from cambist.adapters.venues.ccxt.gateway import Gateway

    return Gateway(base_url=settings.venue_url, memory=SqlBudgetMemory(settings.database_url), progress=progress)


async def account_venue(through: "Gateway", settings: Settings, spec: AccountSpec) -> Venue:
    """Return the venue of an account that has one, testnet or live; raise `BadInput` without its keys.

    The keys are those of the vault, else those of the environment.
    """
    from cambist.usecases.brokers import kept_credentials

    kept = await asyncio.to_thread(lambda: kept_credentials(vault(settings), spec))
    credentials = kept or settings.credentials_of(spec.id)
    if not credentials.api_key or not credentials.secret:
        raise BadInput("credentials", spec.id, "running.no_keys", name=credentials_name(spec.id))
    return through.venue(spec.id, spec.venue, credentials, testnet=spec.mode is Mode.TESTNET)


def exchanges(settings: Settings, through: "Gateway") -> Exchanges:
    """Return the exchanges that ccxt knows, asked over the gateway ``through``; closing them closes it."""
    from cambist.adapters.venues.ccxt.exchanges import CcxtExchanges

    return CcxtExchanges(through, settings.home, settings.venue_url)


def symbols(settings: Settings) -> Symbols:
    """Return what exchanges list, as it was last fetched."""
    from cambist.adapters.storage.symbols import SqlSymbols

    return SqlSymbols(settings.database_url)


def account_keys(settings: Settings, user_id: int) -> KeyRegister:
    """Return what is remembered of one user's keys at exchanges."""
    from cambist.adapters.storage.account_keys import SqlKeyRegister

    return SqlKeyRegister(settings.database_url, user_id)


async def serve_gateway(resolve: Callable[[str], Awaitable[Venue]], over: Bus, consumer: str) -> None:
    """Answer what engines elsewhere ask of their venues, over the bus, until cancelled."""
    from cambist.adapters.venues.ccxt.serving import serve_requests

    await serve_requests(resolve, over, consumer=consumer)


async def bus_venue(account: str, over: Bus) -> Venue:
    """Return ``account`` at a gateway elsewhere; raise `VenueUnavailable` if none answers."""
    from cambist.adapters.venues.ccxt.remote import open_bus_venue

    return await open_bus_venue(account, over)


def traits_of(spec: AccountSpec) -> Traits:
    """Return what the venue of an account can do by itself; nothing is asked of it."""
    if spec.mode is Mode.PAPER:
        from cambist.adapters.venues.simulated.venue import SimulatedVenue

        return SimulatedVenue.traits
    from cambist.adapters.venues.ccxt.gateway import quirks_row

    return quirks_row(spec.venue).traits()


# -- telling people and machines --------------------------------------------------------------------------------------


def alerts(known: Register, *others: Alerts) -> Alerts:
    """Return where alerts go: the log, the register, and ``others``."""
    from cambist.adapters.notify.kept import KeptAlerts
    from cambist.adapters.notify.log import Fanout, LogAlerts

    return Fanout([LogAlerts(), KeptAlerts(known), *others])


def metrics() -> "PrometheusMetrics":
    """Return the metrics of this process."""
    from cambist.adapters.telemetry.metrics import PrometheusMetrics

    return PrometheusMetrics()


def telemetry(of: "PrometheusMetrics", reasons: Callable[[], Sequence[str]], port: int) -> "TelemetryServer":
    """Return what serves ``/metrics`` and ``/healthz``."""
    from cambist.adapters.telemetry.http import TelemetryServer

    return TelemetryServer(of, reasons, port=port)


def set_up_logging(settings: Settings, *, form: Literal["json", "console"], file: Path | None = None) -> None:
    """Send all logs to standard error, or to ``file``; no credential that is known comes through."""
    from cambist.adapters.telemetry.logs import set_up

    secrets = [
        one for known in settings.credentials.values() for one in (known.api_key, known.secret, known.password) if one
    ]
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells of each of its plugins
    set_up(form=form, secrets=secrets, stream=file.open("a", encoding="utf-8", buffering=1) if file else None)


def drilled(
    settings: Settings, account: str, *, now_ms: Callable[[], int], speed: float
) -> tuple[Venue, MarketFeed, RecentMarket]:
    """Return Binance in a box at ``settings.venue_url`` as an engine in a drill reaches it, by the adapters that trade
    in earnest. All patience is counted by the clock of the drill, ``speed`` times as fast as ours.
    """
    from cambist.adapters.venues.binance.feed import BinanceFeed
    from cambist.adapters.venues.binance.recent import BinanceRecent
    from cambist.adapters.venues.binance.sockets import Patience
    from cambist.adapters.venues.ccxt.gateway import Gateway

    url, timeout_s = settings.venue_url or "", 10.0 / speed
    patience = Patience(first_wait_s=0.5 / speed, longest_wait_s=5.0 / speed, open_s=timeout_s, renewal_s=5.0 / speed)
    gateway = Gateway(base_url=url, timeout_s=timeout_s, now_ms=now_ms, speed=speed)
    return (
        gateway.venue(account, "binance", settings.credentials_of(account)),
        BinanceFeed(f"ws{url.removeprefix('http')}", patience=patience, now_ms=now_ms),
        BinanceRecent(url, timeout_s=timeout_s),
    )
