"""What `cambist up` and `cambist run api` do to serve the API, and the workers that do its jobs."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from cambist.apps import bootstrap
from cambist.apps.cli.options import reason
from cambist.domain.errors import CambistError
from cambist.domain.text import say

if TYPE_CHECKING:
    from cambist.apps.api.services import Services


def welcome(services: "Services") -> None:
    """Before the API opens: make the first admin, whose password is shown once; let no debug login outlive its word."""
    from cambist.usecases.signing_in import first_admin, settle_debug_login

    now_ms = services.now_ms()
    settle_debug_login(services.office, now_ms)
    password = first_admin(services.office, now_ms)
    if password is not None:
        click.echo(say("people.first_admin", password=password), err=True)


async def serve(
    services: "Services", host: str, port: int, tell: Callable[[str], None], *, must: bool, workers: int = 1
) -> None:
    """Serve until cancelled, with ``workers`` for its jobs; ``tell`` is told where, and what is not as it should be.

    If the address cannot be had: raise `CambistError` if it ``must`` serve, else tell, and wait.
    """
    from cambist.apps.api.serve import Api
    from cambist.apps.worker import Workers

    api = Api(services, host, port)
    try:
        await api.open()
    except OSError as error:
        problem = CambistError(
            "api.no_port", host=host, port=port, why=reason(error), option="--listen" if must else "--api"
        )
        if must:
            raise problem from error
        tell(str(problem))
        await asyncio.Event().wait()
    async with api, asyncio.TaskGroup() as tasks:
        tell(say("api.serving", url=f"{api.url}/api/v1"))
        if workers:
            tasks.create_task(Workers(services.settings, workers).run())
        tasks.create_task(_try_the_jail(services, tell))
        tasks.create_task(api.ended())


async def _try_the_jail(services: "Services", tell: Callable[[str], None]) -> None:
    """Say if other people's code cannot be run here, or is run without a jail."""
    held = await asyncio.to_thread(lambda: bootstrap.sandbox(services.settings).holds())
    if not held.ok:
        tell(say("sandbox.refused", why=held.why))
    elif held.trusted:
        tell(say("sandbox.trusted"))
