"""``cambist openapi``: what the API can be asked, for programs that write programs."""

import json
from pathlib import Path

import click

from cambist.apps.cli.options import reason
from cambist.domain.errors import BadInput
from cambist.domain.text import say


@click.command(help=say("openapi.help"))
@click.option("--out", type=click.Path(path_type=Path), help=say("openapi.option.out"))
def command(out: Path | None) -> None:
    """Write the API's schema (OpenAPI 3.1) to the screen or to a file."""
    from cambist.apps.api.app import create
    from cambist.apps.api.services import open_services
    from cambist.apps.settings import load

    # a home that is nowhere, and nothing of the environment: the schema is that of every server
    schema = create(open_services(load({"CAMBIST_HOME": "nowhere"}))).openapi()
    text = json.dumps(schema, ensure_ascii=False, indent=2)
    if out is None:
        click.echo(text)
        return
    try:
        out.write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise BadInput("--out", str(out), "openapi.no_file", why=reason(error)) from None
    click.echo(say("openapi.written", count=len(schema["paths"]), file=out))
