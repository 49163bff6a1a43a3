"""``cambist parity``: what a bot traded beside what its backtest would have traded."""

import json
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cambist.apps import bootstrap
from cambist.apps.cli.options import ReportFile, parse_moment
from cambist.domain.errors import BadInput
from cambist.domain.metrics import number
from cambist.domain.moment import show_moment
from cambist.domain.text import say

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from cambist.usecases.differences import Difference
    from cambist.usecases.parity import ParityReport


@click.command(help=say("parity.help"))
@click.argument("bot", metavar="BOT")
@click.option("--day", metavar="DAY", help=say("parity.option.day"))
@click.option("--json", "file", type=ReportFile(), metavar="FILE", help=say("parity.option.json"))
def command(bot: str, day: str | None, file: Path | None) -> None:
    """Compare a bot with its backtest, print the differences and their causes, write the report if asked."""
    from functools import partial

    from cambist.apps.settings import load
    from cambist.engine.account import Account
    from cambist.usecases.accounts import account_of
    from cambist.usecases.bots import bot_of
    from cambist.usecases.parity import parity

    midnight = None if day is None else _midnight(day)
    register = bootstrap.register()
    spec = account_of(register, bot_of(register, bot).account)
    report = parity(
        Account(spec, bootstrap.traits_of(spec)),
        bot,
        journal=bootstrap.journal(),
        heartbeat=bootstrap.heartbeat_log(),
        lake=bootstrap.lake(),
        open_strategy=partial(bootstrap.open_strategy, load()),
        day=midnight,
    )
    from cambist.apps.cli.tables import console

    print_report(report, console())
    if file is not None:
        file.write_text(json.dumps(document(report), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        click.echo(say("parity.written", path=file.resolve()))


def _midnight(day: str) -> int:
    if len(day) != len("2026-11-20"):
        raise BadInput("--day", day, "parity.day_form")
    return parse_moment(day, "--day")


def document(report: "ParityReport") -> dict[str, Any]:
    """Return ``report`` for JSON: money as text, times in ms, each reason as a key and in words."""

    def plain(one: "Difference") -> dict[str, Any]:
        return asdict(one) | {"money": f"{one.money:f}", "why": one.why.said, "why_key": one.why.key}

    return asdict(report) | {
        "live_pnl": f"{report.live_pnl:f}",
        "tested_pnl": f"{report.tested_pnl:f}",
        "by_cause": {str(cause): f"{money:f}" for cause, money in report.by_cause.items()},
        "differences": [plain(one) for one in report.differences],
        "notes": [note.said for note in report.notes],
    }


def print_report(report: "ParityReport", console: "Console") -> None:
    """Print ``report``: the verdict first."""
    from rich.text import Text

    count = len(report.differences)
    if count:
        verdict = say("parity.some", count=count, trades=report.trades, matched=report.matched)
    else:
        verdict = say("parity.none", trades=report.trades)
    console.print(Text(verdict, style="bold red" if count else "bold green"))
    for note in report.notes:
        console.print(Text(f"! {note.said}", style="yellow"))
    console.print()
    console.print(_facts(report))
    if count:
        console.print()
        console.print(_causes(report))
        console.print()
        console.print(_differences(report))


def _facts(report: "ParityReport") -> "Table":
    from rich.text import Text

    from cambist.apps.cli import tables

    table = tables.plain_table()
    table.show_header = False
    table.add_column(style=tables.FAINT, no_wrap=True)
    table.add_column(overflow="fold")
    name = f"{report.bot}  {report.strategy}  {report.venue} {report.symbol} {report.timeframe}"
    table.add_row("Bot", Text(name))
    table.add_row(say("parity.period"), f"{show_moment(report.since_ms)} → {show_moment(report.until_ms)}")
    counts = {key: getattr(report, key) for key in ("candles", "missing", "repaired", "late")}
    table.add_row(say("parity.candles"), say("parity.candles.detail", **counts))
    table.add_row(say("parity.trades"), say("parity.both", live=report.live_trades, tested=report.tested_trades))
    table.add_row(
        say("parity.pnl"),
        say(
            "parity.both.money",
            live=number(float(report.live_pnl), 2),
            tested=number(float(report.tested_pnl), 2),
            difference=_gained(report.live_pnl - report.tested_pnl),
            currency=report.currency,
        ),
    )
    return table


def _causes(report: "ParityReport") -> "Table":
    from rich.text import Text

    from cambist.apps.cli import tables

    table = tables.plain_table()
    table.add_column(say("parity.column.cause"))
    for name in ("count", "money"):
        table.add_column(say(f"parity.column.{name}", currency=report.currency), justify="right")
    for cause, money in sorted(report.by_cause.items(), key=lambda one: -abs(one[1])):
        count = sum(one.cause is cause for one in report.differences)
        amount = Text(_gained(money), style=tables.gain_style(float(money)))
        table.add_row(say(f"parity.cause.{cause}"), str(count), amount)
    return table


def _differences(report: "ParityReport") -> "Table":
    from rich.text import Text

    from cambist.apps.cli import tables

    table = tables.plain_table()
    for name in ("when", "cause", "leg"):
        table.add_column(say(f"parity.column.{name}"), no_wrap=True)
    for name in ("live", "tested", "money"):
        table.add_column(say(f"parity.column.{name}", currency=report.currency), justify="right", no_wrap=True)
    table.add_column(say("parity.column.why"), overflow="fold")
    for one in report.differences:
        table.add_row(
            show_moment(one.ts),
            say(f"parity.cause.{one.cause}"),
            say(f"parity.leg.{one.leg}"),
            *(Text(_value(one, text)) for text in (one.live, one.tested)),
            Text(_gained(one.money), style=tables.gain_style(float(one.money))),
            Text(one.why.said),
        )
    return table


def _gained(money: Decimal) -> str:
    from cambist.apps.cli.standings import signed

    return signed(money, number(float(money), 2))


def _value(difference: "Difference", text: str) -> str:
    from cambist.apps.cli.tables import NONE
    from cambist.usecases.differences import Cause

    match difference.cause:
        case Cause.TIME:
            return show_moment(int(text)) if text else say("parity.still_open")
        case Cause.FEE:
            return say("report.bps", value=text)
        case Cause.MISSING | Cause.EXTRA:
            side, _, quantity = text.partition(" ")
            return f"{say(f'report.side.{side}')} {quantity}" if text else NONE
    return text
