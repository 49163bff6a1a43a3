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
    from rich.text import Text

    from cambist.apps.cli.tables import console, fitted

    if name:
        click.echo(inspect.getdoc(indicators.find(name)))
        click.echo()
    columns = {
        "name": [Text(row["name"], style="bold") for row in rows],
        "title": [Text(row["title"]) for row in rows],
        "inputs": [Text(" ".join(row["inputs"])) for row in rows],
        "params": [Text(", ".join(f"{key}={one['default']:g}" for key, one in row["params"].items())) for row in rows],
        "outputs": [Text(" ".join(row["outputs"])) for row in rows],
        "unit": [Text(row["unit"]) for row in rows],
        "warmup": [Text(str(row["warmup"])) for row in rows],
    }
    out = console()
    goes_first = () if name else ("unit", "outputs", "inputs", "params")  # the card of one shows all
    out.print(fitted(columns, out, headings="indicators", goes_first=goes_first, folds=set(columns) - {"name"}))
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
