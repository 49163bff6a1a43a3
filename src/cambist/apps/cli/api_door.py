"""What `cambist up` and `cambist run api` do to serve the API, and the workers that do its jobs."""

import asyncio
from typing import TYPE_CHECKING

import click

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


async def serve(services: "Services", host: str, port: int, *, must: bool, workers: int = 1) -> None:
    """Serve until cancelled, with workers for its jobs. If the port is taken: raise if it ``must`` serve, else say so
    and do nothing."""
    from cambist.apps.api.serve import Api
    from cambist.apps.worker import Workers

    try:
        async with Api(services, host, port) as api:
            click.echo(say("api.serving", url=f"{api.url}/api/v1"), err=True)
            if not workers:
                await api.ended()
                return
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(Workers(services.settings, workers).run())
                tasks.create_task(api.ended())
    except OSError as error:
        if must:
            raise CambistError("api.no_port", host=host, port=port, why=error) from error
        click.echo(say("api.no_port", host=host, port=port, why=error), err=True)
        await asyncio.Event().wait()
