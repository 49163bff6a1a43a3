"""The composition root: the only file that names an adapter."""

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cambist.apps.settings import Settings, credentials_name, load
from cambist.domain.account import AccountSpec, Mode
from cambist.domain.candles import Candles
from cambist.domain.errors import BadInput
from cambist.domain.instrument import Instrument
from cambist.domain.request import Traits
from cambist.domain.timeframe import Timeframe
from cambist.market.exchange import Exchange
from cambist.ports.alerts import Alerts
from cambist.ports.book import Journal, Lease, Register
from cambist.ports.bus import Bus
from cambist.ports.clock import Clock
from cambist.ports.feed import MarketFeed, RecentMarket
from cambist.ports.heartbeat_log import HeartbeatLog
from cambist.ports.history import CandleFiles, CandleLake, PublicMarket
from cambist.ports.results import ResultStore
from cambist.ports.venue import Venue

if TYPE_CHECKING:  # adapters are imported when they are asked for: the command line starts in a tenth of a second
    from cambist.adapters.telemetry.http import TelemetryServer
    from cambist.adapters.telemetry.metrics import PrometheusMetrics
    from cambist.adapters.venues.binance.recent import BinanceRecent
    from cambist.adapters.venues.ccxt.gateway import Gateway
    from cambist.adapters.venues.ccxt.place import Progress
    from cambist.adapters.venues.simulated.market import MirroredMarket, SimulatedMarket


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


def results(settings: Settings | None = None) -> ResultStore:
    """Return the store of finished backtests."""
    from cambist.adapters.storage.results import SqlResults

    return SqlResults((settings or load()).database_url)


# -- the book ---------------------------------------------------------------------------------------------------------


def register(settings: Settings | None = None, user_id: int | None = None) -> Register:
    """Return the register of one user, or (None) of all."""
    from cambist.adapters.storage.register import SqlRegister

    return SqlRegister((settings or load()).database_url, user_id)


def journal(settings: Settings | None = None) -> Journal:
    """Return the journal."""
    from cambist.adapters.storage.journal import SqlJournal

    return SqlJournal((settings or load()).database_url)


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


def account_venue(through: "Gateway", settings: Settings, spec: AccountSpec) -> Venue:
    """Return the venue of an account that has one, testnet or live; raise `BadInput` without its keys."""
    credentials = settings.credentials_of(spec.id)
    if not credentials.api_key or not credentials.secret:
        raise BadInput("credentials", spec.id, "running.no_keys", name=credentials_name(spec.id))
    return through.venue(spec.id, spec.venue, credentials, testnet=spec.mode is Mode.TESTNET)


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
