"""``cambist up``: a whole trading floor in one process."""

import asyncio
import logging
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import click

from cambist.apps import bootstrap
from cambist.apps.cli.api_door import serve, welcome
from cambist.apps.cli.options import FiniteRange, address, reason
from cambist.apps.settings import Settings, load
from cambist.domain.account import Mode
from cambist.domain.errors import CambistError
from cambist.domain.text import say

_PORT = 9464


@click.command(help=say("up.help"))
@click.option("--venue", "market", default="simulated", show_default=True, help=say("up.option.venue"))
@click.option("--speed", type=FiniteRange(0.1, 3_600), default=60.0, show_default=True, help=say("up.option.speed"))
@click.option("--headless", is_flag=True, help=say("up.option.headless"))
@click.option("--live", is_flag=True, help=say("up.option.live"))
@click.option("--port", type=click.IntRange(0, 65_535), default=_PORT, show_default=True, help=say("up.option.port"))
@click.option(
    "--api", "door", metavar="HOST:PORT", default="127.0.0.1:8000", show_default=True, help=say("up.option.api")
)
@click.option("--no-api", is_flag=True, help=say("up.option.no_api"))
@click.option("--for", "seconds", type=FiniteRange(0), help=say("up.option.for"))
def command(
    market: str,
    speed: float,
    headless: bool,
    live: bool,
    port: int,
    door: str,
    no_api: bool,
    seconds: float | None,
) -> None:
    """Run everything that is set up; on the first start, set up a paper account with two bots."""
    from cambist.apps.house import House
    from cambist.usecases.bots import first_floor

    settings = load()
    headless = headless or not sys.stdout.isatty()
    if not headless:
        _need_to_ourselves(settings)
    log = None if headless else settings.home / "cambist.log"
    bootstrap.set_up_logging(settings, form="json" if headless else "console", file=log)
    house = House(settings, market, speed=speed, live=live)
    known = [spec for spec in house.register.accounts() if spec.venue == house.market.name]
    if not known:
        first_floor(house.register, house.market.name, house.market.clock.now_ms())
    elif live and not any(spec.mode is Mode.LIVE for spec in house.register.accounts()):
        click.echo(say("up.no_live_account"), err=True)
    notes: list[str] = []

    def tell(text: str) -> None:
        if headless:
            click.echo(text, err=True)
        else:  # the view has the screen
            logging.getLogger(__name__).warning(text)
            notes.append(text)

    also = () if no_api else (_api(house, settings, *address(door, "--api"), tell),)
    asyncio.run(_up(house, *also, headless=headless, port=port, seconds=seconds, tell=tell, notes=notes))
    click.echo(say("up.stopped", log=log or "stderr"))


def _need_to_ourselves(settings: Settings) -> None:
    """Raise if another engine runs the accounts: a view in which nothing happens helps nobody."""
    from cambist.engine.floor import LEASE

    lease = bootstrap.lease(settings)
    if not lease.take(LEASE):
        raise CambistError("up.another")
    lease.give_back()


def _api(
    house: Any, settings: Settings, host: str, port: int, tell: Callable[[str], None]
) -> Coroutine[Any, Any, None]:
    """Return what serves the API over this very floor."""
    from cambist.apps.api.services import open_services

    services = open_services(
        settings,
        bus=house.bus,
        market_clock=house.market.clock,
        metrics=house.metrics,
        exchanges=bootstrap.exchanges(settings, house.gateway),
    )
    welcome(services)
    return serve(services, host, port, tell, must=False)


async def _up(
    house: Any,
    *also: Coroutine[Any, Any, None],
    headless: bool,
    port: int,
    seconds: float | None,
    tell: Callable[[str], None],
    notes: list[str],
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    if seconds is not None:
        loop.call_later(seconds, stop.set)
    telemetry = bootstrap.telemetry(house.metrics, house.floor.reasons, port)
    shown: Coroutine[Any, Any, Any]
    if headless:
        shown = stop.wait()
    else:
        from cambist.apps.cli.floor_view import show

        shown = show(house.bus, title=_title(house), stop=stop, notes=notes)
    try:
        await telemetry.start()
    except OSError as error:
        tell(say("up.no_port", port=port, why=reason(error)))
    else:
        if headless:
            click.echo(say("up.headless", url=f"http://127.0.0.1:{telemetry.port}/healthz"), err=True)
    try:
        await house.run(shown, *also)
    finally:
        await telemetry.close()


def _title(house: Any) -> str:
    if house.market.name == "simulated":
        return say("up.title.made_up", speed=f"{house.market.speed:g}")
    return say("up.title.live", venue=house.market.name)
