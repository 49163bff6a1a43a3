"""``cambist run``: the parts of the trading floor as processes of their own, over Redis and one database."""

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import click

from cambist.apps import bootstrap
from cambist.apps.cli.options import address
from cambist.apps.settings import Settings, load
from cambist.domain.account import Mode
from cambist.domain.errors import BadInput, NotFound, VenueRefused
from cambist.domain.text import say
from cambist.ports.venue import Venue


@click.group(help=say("run.help"))
def command() -> None:
    """Hold the processes together."""


_PORT = click.option("--port", type=click.IntRange(0, 65_535), default=0, help=say("run.option.port"))


@command.command("heartbeat", help=say("run.heartbeat.help"))
@click.option("--symbol", "symbols", multiple=True, help=say("run.option.symbol"))
@click.option("--source", default="primary", show_default=True, help=say("run.option.source"))
@_PORT
def heartbeat(symbols: tuple[str, ...], source: str, port: int) -> None:
    """Publish a signal at each close, until Ctrl-C."""
    from cambist.engine.beating import Beating
    from cambist.engine.heartbeat import Heartbeat

    settings = _apart()
    beats: list[Heartbeat] = []

    async def run() -> None:
        bus, recent, clock = bootstrap.bus(settings), bootstrap.live_recent(settings), bootstrap.running_clock()

        def make(wanted: tuple[str, ...]) -> Heartbeat:
            log = bootstrap.heartbeat_log(settings)
            beats[:] = [Heartbeat(bootstrap.live_feed(settings), recent, bus, log, clock, wanted, source=source)]
            return beats[0]

        try:
            register = bootstrap.register(settings)
            await Beating(make, register, clock, [one.upper() for one in symbols] or ["BTC/USDT"]).run()
        finally:
            await recent.close()
            await bus.close()

    def reasons() -> list[str]:
        state = beats[0].status() if beats else None
        return [] if state is not None and state.connected else [state.last_error if state else say("run.starting")]

    _serve(run, reasons, port, "heartbeat")


@command.command("gateway", help=say("run.gateway.help"))
@click.option("--live", is_flag=True, help=say("up.option.live"))
@_PORT
def gateway(live: bool, port: int) -> None:
    """Carry orders of engines elsewhere to the exchanges, until Ctrl-C; the only process that holds keys."""
    settings = _apart()

    async def run() -> None:
        bus, register = bootstrap.bus(settings), bootstrap.register(settings)
        door = bootstrap.gateway(settings, _loading)

        async def resolve(account: str) -> Venue:
            specs = {spec.id: spec for spec in await asyncio.to_thread(register.accounts)}
            if account not in specs or specs[account].mode is Mode.PAPER:
                raise NotFound("running.unknown_account", account=account)
            if specs[account].mode is Mode.LIVE and not live:
                raise VenueRefused("running.not_live")
            return await bootstrap.account_venue(door, settings, specs[account])

        try:
            await bootstrap.serve_gateway(resolve, bus, _name())
        finally:
            await door.close()
            await bus.close()

    _serve(run, list, port, "gateway")


@command.command("engine", help=say("run.engine.help"))
@click.option("--live", is_flag=True, help=say("up.option.live"))
@_PORT
def engine(live: bool, port: int) -> None:
    """Decide, order, protect; a second one for the same accounts waits, and takes over when the first dies."""
    from cambist.apps.house import BINANCE, House

    house = House(_apart(), BINANCE, live=live, apart=True)
    _serve(house.run, house.floor.reasons, port, "engine", metrics=house.metrics)


@command.command("api", help=say("run.api.help"))
@click.option("--listen", metavar="HOST:PORT", default="127.0.0.1:8000", show_default=True, help=say("up.option.api"))
@click.option("--workers", type=click.IntRange(0, 64), default=0, show_default=True, help=say("run.api.option.workers"))
@_PORT
def api(listen: str, workers: int, port: int) -> None:
    """Serve REST and WebSocket, until Ctrl-C."""
    from cambist.apps.api.serve import new_loop
    from cambist.apps.api.services import open_services
    from cambist.apps.cli.api_door import serve, welcome

    host, at = address(listen, "--listen")
    settings = _apart()
    metrics = bootstrap.metrics()
    services = open_services(settings, metrics=metrics)
    welcome(services)

    async def run() -> None:
        try:
            await serve(services, host, at, partial(click.echo, err=True), must=True, workers=workers)
        finally:
            await services.bus.close()

    _serve(run, lambda: services.readiness()[0], port, "api", metrics=metrics, new_loop=new_loop())


@command.command("worker", help=say("run.worker.help"))
@click.option("--jobs", type=click.IntRange(1, 64), default=1, show_default=True, help=say("run.worker.option.jobs"))
@_PORT
def worker(jobs: int, port: int) -> None:
    """Run jobs, in processes that are started anew when they end."""
    from cambist.apps.worker import Workers

    settings = load()
    bootstrap.set_up_logging(settings, form="json")
    workers = Workers(settings, jobs)
    _serve(workers.run, workers.reasons, port, "worker")


def _apart() -> Settings:
    """Return the settings; raise `BadInput` without a bus that processes can share."""
    settings = load()
    if settings.bus_url is None:
        raise BadInput("BUS_URL", "", "run.no_bus")
    bootstrap.set_up_logging(settings, form="json")
    return settings


def _serve(
    run: Callable[[], Coroutine[Any, Any, None]],
    reasons: Callable[[], list[str]],
    port: int,
    part: str,
    *,
    metrics: Any = None,
    new_loop: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> None:
    async def serve() -> None:
        stop = asyncio.Event()
        for name in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
        async with bootstrap.telemetry(metrics or bootstrap.metrics(), reasons, port) as told:
            click.echo(say("run.running", part=part, url=f"http://127.0.0.1:{told.port}/healthz"))
            running, stopped = asyncio.create_task(run()), asyncio.create_task(stop.wait())
            await asyncio.wait((running, stopped), return_when=asyncio.FIRST_COMPLETED)
            for task in (running, stopped):
                task.cancel()
            await asyncio.wait((running, stopped))
            if not running.cancelled():
                running.result()

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(serve())
    click.echo(say("run.stopped", part=part))


def _loading(exchange: str, count: int | None) -> None:
    click.echo(
        say("run.loading", exchange=exchange) if count is None else say("run.loaded", exchange=exchange, count=count)
    )


def _name() -> str:
    return f"{socket.gethostname()}-{os.getpid()}"
