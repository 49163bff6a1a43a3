"""``cambist strategies``: what can be run, and with which parameters."""

from typing import Any

import click

from cambist.domain.text import say


@click.command(help=say("strategies.help"))
@click.argument("files", nargs=-1, metavar="[FILE...]")
@click.option("--json", "as_json", is_flag=True, help=say("strategies.option.json"))
def command(files: tuple[str, ...], as_json: bool) -> None:
    """List the sample strategies, or those in the files given, with their parameters."""
    from cambist.strategies._load import load, samples

    found = {name: load(name) for name in files} if files else samples()
    rows = [_row(name, strategy) for name, strategy in found.items()]
    if as_json:
        from cambist.apps.cli.results import print_json

        print_json(rows)
        return
    from rich.table import Table

    from cambist.apps.cli.tables import console

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("name", "shape", "about", "params"):
        table.add_column(say(f"strategies.{heading}"), overflow="fold")
    for row in rows:
        params = "\n".join(f"{param['name']} = {param['default']}  {_bounds(param)}" for param in row["params"])
        table.add_row(f"[bold]{row['name']}[/bold]\n{row['class']}", row["shape"], row["about"], params)
        table.add_row()
    console().print(table)
    click.echo(say("strategies.next"))


def _row(name: str, strategy: Any) -> dict[str, Any]:
    shape = next(base.__name__ for base in strategy.__mro__[1:] if base.__module__.startswith("cambist.strategies._"))
    about = (strategy.__doc__ or "").strip().partition("\n")[0]
    params = [
        {
            "name": key,
            "type": type(param.default).__name__,
            "default": param.default,
            "low": param.low,
            "high": param.high,
            "choices": param.choices,
        }
        for key, param in strategy.params.items()
    ]
    return {"name": name, "class": strategy.__name__, "shape": shape, "about": about, "params": params}


def _bounds(param: dict[str, Any]) -> str:
    if param["choices"]:
        return "[dim]" + " | ".join(map(str, param["choices"])) + "[/dim]"
    if param["low"] is None and param["high"] is None:
        return ""
    return f"[dim]{param['low']:g} … {param['high']:g}[/dim]"
