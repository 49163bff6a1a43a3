"""``cambist heartbeat``: how its sources fare, and the last signals."""

import click

from cambist.apps import bootstrap
from cambist.apps.cli.options import TimeframeType
from cambist.domain.metrics import number
from cambist.domain.moment import show_moment
from cambist.domain.text import say
from cambist.domain.timeframe import Timeframe


@click.command(help=say("heart.help"))
@click.option("--timeframe", type=TimeframeType(), default="1m", show_default=True, help=say("heart.option.timeframe"))
@click.option("--last", type=click.IntRange(1, 1_000), default=15, show_default=True, help=say("heart.option.last"))
def command(timeframe: Timeframe, last: int) -> None:
    """Show starts, stops and errors of each source, and the newest signals."""
    from rich.text import Text

    from cambist.apps.cli.tables import NONE, console, fitted, plain_table

    log, out = bootstrap.heartbeat_log(), console()
    sources = log.status()
    if not sources:
        out.print(say("heart.never"))
        return
    table = plain_table()
    for name in ("source", "state", "start", "stop", "symbols", "error"):
        table.add_column(say(f"heart.column.{name}"), overflow="fold")
    for one in sources:
        moments = [NONE if ts is None else _second(ts) for ts in (one.last_start_ms, one.last_stop_ms)]
        state = say("heart.connected" if one.is_connected else "heart.not_connected")
        table.add_row(one.source, state, *moments, " ".join(one.symbols), one.last_error or NONE)
    out.print(table)
    rows = log.recent(timeframe, last)
    signals = {
        "signal": [Text(row.signal_id) for row in rows],
        "market": [Text(f"{row.venue} {row.symbol}") for row in rows],
        "close": [Text(show_moment(row.close_ms)) for row in rows],
        "received": [Text(_second(row.received_ms)) for row in rows],
        "delay": [Text(f"{number(row.received_ms - row.close_ms, 0)} ms") for row in rows],
        "type": [Text(say("heart.repaired" if row.repaired else "heart.live")) for row in rows],
    }
    out.print(fitted(signals, out, headings="heart.column", figures=("delay",), goes_first=("signal", "type")))


def _second(ts: int) -> str:
    return f"{show_moment(ts - ts % 60_000)}:{ts // 1_000 % 60:02}" if ts % 86_400_000 else show_moment(ts)
