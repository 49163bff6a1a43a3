"""``cambist vault``: the key under which secrets lie."""

import click

from cambist.apps import bootstrap
from cambist.apps.cli.asking import now_ms
from cambist.apps.settings import load
from cambist.domain.errors import CambistError
from cambist.domain.text import say


@click.group(help=say("vault.help"))
def command() -> None:
    """Hold the commands on the vault together."""


@command.command("rotate", help=say("vault.rotate.help"))
@click.option("--rewrap", is_flag=True, help=say("vault.option.rewrap"))
def rotate(rewrap: bool) -> None:
    """Wrap the key of each secret with a new key."""
    from cambist.usecases.office import Visit, rotate_vault

    settings = load()
    if not rewrap:
        if settings.vault_key is not None:
            raise CambistError("vault.in_environment", variable="CAMBIST_VAULT_KEY")
        bootstrap.add_vault_key(settings)
    count = rotate_vault(bootstrap.office(settings), Visit(now_ms=now_ms(), actor="command line"))
    click.echo(say("vault.rotated", count=count))
