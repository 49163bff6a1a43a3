"""``cambist searches``: list finished searches, or show one."""

from dataclasses import fields
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cambist.apps import bootstrap
from cambist.apps.cli import tables
from cambist.apps.cli.results import ResultId, delete, print_json
from cambist.apps.settings import load
from cambist.domain.account import LOCAL_USER
from cambist.domain.errors import BadInput
from cambist.domain.judgement import Judgement, Light
from cambist.domain.metrics import number
from cambist.domain.moment import show_moment
from cambist.domain.text import say
from cambist.ports.searches import StoredSearch
from cambist.usecases.searches import judgement_of

_LIGHTS = {Light.GREEN: ("✓", "bold green"), Light.AMBER: ("?", "bold yellow"), Light.RED: ("✗", "bold red")}
_MOST = 10_000
_TOP = 5
_WIDTH_FOR_KEPT = 120


@click.command(help=say("searches.help"))
@click.argument("search_id", metavar="[ID]", type=ResultId("searches.id_needed"), required=False)
@click.option("--strategy", metavar="NAME", help=say("results.option.strategy"))
@click.option("--limit", type=int, default=20, show_default=True, metavar="N", help=say("results.option.limit"))
@click.option("--json", "as_json", is_flag=True, help=say("results.option.json"))
@click.option(
    "--delete",
    "gone",
    multiple=True,
    type=ResultId("searches.id_needed"),
    metavar="ID",
    help=say("searches.option.delete"),
)
@click.option("--yes", is_flag=True, help=say("bot.option.yes"))
def command(
    search_id: int | None, strategy: str | None, limit: int, as_json: bool, gone: tuple[int, ...], yes: bool
) -> None:
    """List finished searches, the newest first, show the one of a number, or delete some."""
    store = bootstrap.searches()
    if gone:
        delete(gone, store, bootstrap.report_files(load(), LOCAL_USER, "search-reports"), yes=yes)
        return
    if search_id is not None:
        found = store.get(search_id)
        if as_json:
            print_json(document(found))
        else:
            print_search(found, tables.console())
        return
    if not 1 <= limit <= _MOST:
        raise BadInput("--limit", limit, "number.between", low=1, high=_MOST)
    listed = store.latest(limit, strategy)
    if as_json:
        print_json([document(one, detail=False) for one in listed])
    elif listed:
        terminal = tables.console()
        terminal.print(_table(listed, terminal.width))
    else:
        click.echo(say("searches.none"))


def document(search: StoredSearch, *, detail: bool = True) -> dict[str, Any]:
    """Return all of ``search`` for JSON, its id first; the word on it also as sentences."""
    word = judgement_of(search.judgement)
    said = {"said": word.text, "reasons_said": [reason.text for reason in word.reasons]}
    names = [field.name for field in fields(search) if detail or field.name != "detail"]
    return (
        {"id": search.id or None}
        | {name: getattr(search, name) for name in names if name != "id"}
        | {"judgement": search.judgement | said}
    )


def print_search(search: StoredSearch, console: Console) -> None:
    """Print ``search`` as people read it, the word first; one that is not kept (id 0) has no number."""
    name = f"#{search.id} {search.strategy}" if search.id else search.strategy
    console.print(Text.assemble((name, "bold"), f"  {_market(search)}  {_period(search)}"))
    _print_word(judgement_of(search.judgement), console)
    for note in search.notes:
        console.print(Text(f"! {note}", style="yellow"))
    console.print()
    columns = [(say("searches.in_sample"), search.metrics)]
    if search.out_of_sample is not None:
        columns.append((say("searches.out_of_sample"), search.out_of_sample))
    console.print(tables.metrics_table(columns, currency=tables.currency_of(search.symbols)))
    console.print()
    console.print(_run(search))
    top = search.detail.get("top", [])
    if len(top) > 1:
        console.print()
        console.print(_trials(search, top[:_TOP]))


def _print_word(word: Judgement, console: Console) -> None:
    mark, style = _LIGHTS[word.light]
    console.print(Text(f"{mark} {word.text}", style=style))
    for reason in word.reasons:
        sign = "+" if reason.good else "–"
        console.print(Text(f"  {sign} {reason.text}"))


def _run(search: StoredSearch) -> Table:
    table = tables.plain_table()
    table.show_header = False
    table.add_column(style=tables.FAINT, no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row(say("searches.chosen"), Text(written(search.params), style="bold"))
    table.add_row(say("searches.goals"), Text(", ".join(goal["text"] for goal in search.goals)))
    for text in search.where:
        table.add_row(say("searches.where"), Text(text))
    counted = say("searches.counted", trials=number(search.trials, 0), counted=number(search.counted, 0))
    table.add_row(say("searches.trials"), f"{search.method}: {counted}")
    table.add_row(say("searches.study"), Text(search.study))
    if search.split_ts is not None:
        table.add_row(say("searches.split"), show_moment(search.split_ts))
    for key, value in search.settings.items():
        table.add_row(Text(tables.setting_name(key)), Text(tables.show_setting(key, value)))
    if search.created_ms:
        table.add_row(say("results.kept"), show_moment(search.created_ms))
    return table


def written(params: dict[str, Any]) -> str:
    """Return parameters as the command line takes them: ``fast=10 slow=20``."""
    whole = {name: int(one) if isinstance(one, float) and one.is_integer() else one for name, one in params.items()}
    return " ".join(f"{name}={value}" for name, value in whole.items()) or tables.NONE


def _trials(search: StoredSearch, top: list[dict[str, Any]]) -> Table:
    table = tables.plain_table()
    table.add_column("#", justify="right", style=tables.FAINT)
    for goal in search.goals:
        table.add_column(Text(goal["text"]), justify="right")
    table.add_column(say("report.run.params"), overflow="fold")
    for trial in top:
        values = (number(value, 3) for value in trial["values"])
        table.add_row(str(trial["number"]), *values, Text(written(trial["params"])))
    return table


def _table(found: list[StoredSearch], width: int) -> Table:
    table = tables.plain_table()
    table.add_column("#", justify="right", style="bold", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column(say("report.trade.strategy"), overflow="fold", min_width=8)
    table.add_column(say("report.market"), overflow="fold", min_width=12)
    table.add_column(say("searches.goals"), justify="right")
    table.add_column(say("searches.trials"), justify="right")
    table.add_column(say("searches.chosen"), overflow="fold", min_width=12)
    with_kept = width >= _WIDTH_FOR_KEPT
    if with_kept:
        table.add_column(say("results.kept"), no_wrap=True, style=tables.FAINT)
    for one in found:
        mark, style = _LIGHTS[Light(one.judgement["light"])]
        value = number(one.values[0], 2) if one.values else tables.NONE
        table.add_row(
            str(one.id),
            Text(mark, style=style),
            Text(one.strategy),
            Text(_market(one)),
            Text(f"{one.goals[0]['text']} {value}"),
            number(one.trials, 0),
            Text(written(one.params)),
            *([show_moment(one.created_ms)] if with_kept else []),
        )
    return table


def _market(search: StoredSearch) -> str:
    return f"{search.venue} {', '.join(search.symbols)} {', '.join(search.timeframes)}"


def _period(search: StoredSearch) -> str:
    return f"{show_moment(search.first_ts)} → {show_moment(search.last_ts)}"
