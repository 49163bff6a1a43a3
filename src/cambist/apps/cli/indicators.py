"""``cambist indicators``: the catalogue."""

import inspect
from difflib import get_close_matches
from typing import Any

import click

from cambist.domain.text import say


@click.command(help=say("indicators.help"))
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help=say("strategies.option.json"))
def command(name: str | None, as_json: bool) -> None:
    """List all indicators, or show the card of one."""
    from cambist import indicators
    from cambist.domain.errors import NotFound

    if name is not None and name not in indicators.names():
        near = get_close_matches(name, indicators.names(), 5, 0.4) or ["-"]
        raise NotFound("indicators.none", name=name, known=" ".join(near))
    cards = [indicators.find(name).card] if name else list(indicators.catalog())
    rows = [_row(card) for card in cards]
    if as_json:
        from cambist.apps.cli.results import print_json

        print_json(rows)
        return
    from rich.table import Table

    from cambist.apps.cli.tables import console

    if name:
        click.echo(inspect.getdoc(indicators.find(name)))
        click.echo()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("name", "title", "inputs", "params", "outputs", "unit", "warmup"):
        table.add_column(say(f"indicators.{heading}"), no_wrap=heading == "name", overflow="fold")
    for row in rows:
        params = ", ".join(f"{key}={param['default']:g}" for key, param in row["params"].items())
        table.add_row(
            f"[bold]{row['name']}[/bold]",
            row["title"],
            " ".join(row["inputs"]),
            params,
            " ".join(row["outputs"]),
            row["unit"],
            str(row["warmup"]),
        )
    console().print(table)
    if name:
        click.echo(f"\n{rows[0]['source']}")


def _row(card: Any) -> dict[str, Any]:
    return {
        "name": card.name,
        "title": card.title,
        "inputs": card.inputs,
        "params": {
            key: {"default": param.default, "low": param.low, "high": param.high} for key, param in card.params.items()
        },
        "outputs": card.outputs,
        "unit": card.unit,
        "warmup": card.warmup(),
        "relative_level": card.relative_level,
        "source": card.source,
    }
