"""``cambist drill``: a strategy through every failure and crash, and a sheet that says what was lost."""

import os
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING

import click

from cambist.domain.errors import BadInput
from cambist.domain.metrics import number
from cambist.domain.text import say

if TYPE_CHECKING:
    from cambist.usecases.drill import Run, Sheet

_RUNS = 9
_LONGEST_HOURS = 168.0


@click.command(help=say("drill.help"))
@click.argument("strategy", metavar="STRATEGY")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help=say("drill.option.seed"))
@click.option("--hours", type=float, default=0.5, show_default=True, help=say("drill.option.hours"))
@click.option("--runs", type=int, default=_RUNS, show_default=True, help=say("drill.option.runs", runs=_RUNS))
@click.option("--workers", type=int, default=None, help=say("drill.option.workers"))
def command(strategy: str, seed: int, hours: float, runs: int, workers: int | None) -> int:
    """Run the drill; exit with 1 if anything was lost, 130 if it was stopped before it could tell."""
    from cambist.apps.cli.tables import console
    from cambist.domain.timeframe import Timeframe
    from cambist.engine.asking import warm_up_needed
    from cambist.strategies._load import load
    from cambist.usecases.drill import sum_up

    workers = (os.cpu_count() or 1) if workers is None else workers
    for name, count in (("--runs", runs), ("--workers", workers)):
        if count < 1:
            raise BadInput(name, count, "drill.number")
    minutes = round(hours * 60) if 0 < hours <= _LONGEST_HOURS else 0
    if minutes < 1:
        raise BadInput("--hours", hours, "drill.hours")
    history = warm_up_needed(load(strategy), Timeframe.M1)
    done: list[Run] = []
    whole = _drill(done, strategy, history, range(seed, seed + runs), minutes, min(workers, runs))
    out = console()
    if not whole:
        out.print(say("drill.so_far") if done else say("drill.none"))
    if not done:
        return 130
    sheet = sum_up(done)
    _print(sheet, strategy)
    return 1 if not sheet.good else 0 if whole else 130


def _drill(done: "list[Run]", strategy: str, history: int, seeds: range, minutes: int, workers: int) -> bool:
    """Put the runs into ``done`` as they end; False if a person stopped them."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from cambist.apps.drill.runs import runs

    errors = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bar:
        task = bar.add_task(say("drill.preparing"), total=len(seeds))
        try:
            with closing(runs(strategy, history, seeds, minutes, workers)) as ending:
                for run in ending:
                    done.append(run)
                    bar.update(task, description=say("drill.running"), completed=len(done))
        except KeyboardInterrupt:
            return False
    return True


def _print(sheet: "Sheet", strategy: str) -> None:
    from rich.table import Table

    from cambist.apps.cli.tables import GAIN, LOSS, console
    from cambist.usecases.drill import PROTECTED_WITHIN_MS

    out = console()
    about = {"runs": sheet.runs, "orders": sheet.orders, "fills": sheet.fills}
    killed, struck = sheet.kills.total(), sheet.struck.total()
    out.print(say("drill.about", strategy=strategy, kills=killed, struck=struck, **about))
    table = Table()
    table.add_column(say("drill.check"))
    table.add_column(say("drill.found"), justify="right")
    rows = [(say(f"drill.{name}"), f"{getattr(sheet, name)}") for name in ("orphans", "duplicates", "missing")]
    differing = [(say("drill.differing", asset=asset), f"{amount:f}") for asset, amount in sheet.differing]
    rows += differing or [(say("drill.nothing_differs"), "0")]
    limit = f"{PROTECTED_WITHIN_MS / 1_000:g}"
    rows.append((say("drill.unprotected", limit=limit), f"{sheet.unprotected_ms / 1_000:g}"))
    rows += [(say(f"drill.{name}"), f"{getattr(sheet, name)}") for name in ("unnoticed", "broke", "restless")]
    for what, found in rows:
        table.add_row(what, found, style=GAIN if found == "0" else LOSS)
    out.print(table)
    out.print(say("drill.longest", seconds=number(sheet.longest_bare_ms / 1_000, 1)))
    for key, counts in (("drill.deaths", sheet.kills), ("drill.faults", sheet.struck)):
        if counts:
            out.print(say(key, list=_listed(counts)))
    for why in sheet.why:
        out.print(say("drill.why", why=why), style=LOSS)
    if sheet.failed:
        out.print(say("drill.failed", seeds=" ".join(map(str, sheet.failed))), style=LOSS)
    elif not sheet.orders:
        out.print(say("drill.no_orders"), style=LOSS)
    else:
        out.print(say("drill.passed"), style=GAIN)


def _listed(counts: "Counter[str]") -> str:
    return ", ".join(f"{name} {times}" for name, times in sorted(counts.items(), key=lambda one: (-one[1], one[0])))
