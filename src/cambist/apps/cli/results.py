"""``cambist results``: list finished backtests."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from math import isfinite, nan
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from cambist.apps import bootstrap
from cambist.apps.cli.asking import sure
from cambist.apps.cli.tables import FAINT, console, gain_style, plain_table, proof_stamp
from cambist.apps.settings import load
from cambist.domain.account import LOCAL_USER
from cambist.domain.errors import BadInput
from cambist.domain.metrics import METRICS
from cambist.domain.moment import show_moment
from cambist.domain.text import say
from cambist.domain.timeframe import DAY_MS
from cambist.ports.jobs import ReportFiles
from cambist.ports.results import ResultStore, StoredResult
from cambist.ports.searches import SearchStore

_METRICS = ("total_return", "max_drawdown", "sharpe", "trades")
_HEAVY = ("trades", "equity")
_MOST = 10_000
_WIDTH_FOR_METRICS = 75
_WIDTH_FOR_WORDS = 95
_WIDTH_FOR_PERIOD = 110
_WIDTH_FOR_KEPT = 130


class ResultId(click.ParamType[int]):
    """The id of a result, as the list shows it: ``7`` or ``#7``; ``remedy`` says where it is shown."""

    name = "id"

    def __init__(self, remedy: str = "results.id_needed") -> None:
        self.remedy = remedy

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the id; raise `BadInput` if it cannot be one."""
        digits = str(value).removeprefix("#")
        if digits.isascii() and digits.isdigit() and 0 < int(digits) < 2**31:
            return int(digits)
        raise BadInput("ID", str(value), self.remedy)


@click.command(help=say("results.help"))
@click.option("--strategy", metavar="NAME", help=say("results.option.strategy"))
@click.option("--limit", type=int, default=20, show_default=True, metavar="N", help=say("results.option.limit"))
@click.option("--json", "as_json", is_flag=True, help=say("results.option.json"))
@click.option("--delete", "gone", multiple=True, type=ResultId(), metavar="ID", help=say("results.option.delete"))
@click.option("--yes", is_flag=True, help=say("bot.option.yes"))
def command(strategy: str | None, limit: int, as_json: bool, gone: tuple[int, ...], yes: bool) -> None:
    """List finished backtests, the newest first, or delete some."""
    if gone:
        delete(gone, bootstrap.results(), bootstrap.report_files(load(), LOCAL_USER), yes=yes)
        return
    if not 1 <= limit <= _MOST:
        raise BadInput("--limit", limit, "number.between", low=1, high=_MOST)
    found = bootstrap.results().latest(limit, strategy)
    if as_json:
        print_json([summary(result) for result in found])
    elif found:
        terminal = console()
        terminal.print(_table(found, terminal.width))
    else:
        click.echo(say("results.none_of", strategy=strategy) if strategy else say("results.none"))


def delete(ids: Sequence[int], store: ResultStore | SearchStore, reports: ReportFiles, *, yes: bool) -> None:
    """Delete what was kept under ``ids``, after asking; raise `NotFound`, and delete nothing, if one is not there."""
    distinct = tuple(dict.fromkeys(ids))
    for number in distinct:
        store.get(number)
    said = " ".join(f"#{number}" for number in distinct)
    if yes or sure(say("results.delete.sure", ids=said)):
        for number in distinct:
            store.forget(number)
            reports.forget(number)
        click.echo(say("results.deleted", ids=said))


def summary(result: StoredResult) -> dict[str, Any]:
    """Return all of ``result`` but its trades and equity, ready for JSON; its id first."""
    return {"id": result.id} | {
        field.name: getattr(result, field.name) for field in fields(result) if field.name not in _HEAVY
    }


def print_json(value: Any) -> None:
    """Print ``value`` as JSON, which knows neither NaN nor infinity: both are null."""
    click.echo(json.dumps(_finite(value), indent=2, ensure_ascii=False, allow_nan=False))


def market(result: StoredResult) -> str:
    """Return where ``result`` was made, such as ``binance BTC/USDT 1h``."""
    return f"{result.venue} {', '.join(result.symbols)} {result.timeframe}"


def period(result: StoredResult, *, days: bool = False) -> str:
    """Return from which candle to which ``result`` goes, to the minute or, if ``days``, to the day."""
    step = DAY_MS if days else 1
    first, last = (show_moment(ts - ts % step) for ts in (result.first_ts, result.last_ts))
    return f"{first} → {last}"


def _table(found: list[StoredResult], width: int) -> Table:
    """Return ``found`` as a table; what a narrow terminal cannot hold is left out rather than broken into pieces."""
    with_period, with_kept = width >= _WIDTH_FOR_PERIOD, width >= _WIDTH_FOR_KEPT
    metrics = _METRICS if width >= _WIDTH_FOR_METRICS else _METRICS[:2]
    table = plain_table()
    table.add_column("#", justify="right", style="bold", no_wrap=True)
    table.add_column(say("report.trade.strategy"), overflow="fold", min_width=8)
    table.add_column(say("report.market"), overflow="fold", min_width=12)
    if with_period:
        table.add_column(say("results.period"), no_wrap=True)
    for key in metrics:
        table.add_column(METRICS[key].name, justify="right", min_width=6)
    table.add_column(say("report.compare.proof"), no_wrap=True)
    if with_kept:
        table.add_column(say("results.kept"), no_wrap=True, style=FAINT)
    for result in found:
        table.add_row(
            str(result.id),
            Text(result.strategy),
            Text(market(result)),
            *([period(result, days=True)] if with_period else []),
            *(_metric(key, result.metrics) for key in metrics),
            proof_stamp(result.proof, words=width >= _WIDTH_FOR_WORDS),
            *([show_moment(result.created_ms)] if with_kept else []),
        )
    return table


def _metric(key: str, metrics: Mapping[str, float]) -> Text:
    value = metrics.get(key, nan)
    return Text(METRICS[key].show(value), style=gain_style(value) if key == "total_return" else "")


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return value
