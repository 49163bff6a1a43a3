"""How results look in a terminal: metrics, trades, the proof stamp, and the equity as a line of blocks."""

import os
import sys
from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from math import floor, isfinite, isnan, log10, nan
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cambist.domain.instrument import Instrument
from cambist.domain.metrics import METRICS, Group, Unit, money_digits, number, show
from cambist.domain.moment import show_moment
from cambist.domain.proof import Verdict
from cambist.domain.text import all_texts, say
from cambist.domain.trade import Trade, Trades

NONE = "–"
BEST = "bold green"
GAIN = "green"
LOSS = "red"
FAINT = "dim"

_STAMPS = {Verdict.PASS: ("✓", "green"), Verdict.SKIPPED: ("?", "yellow"), Verdict.FAIL: ("✗", "bold red")}
_BLOCKS = "▁▂▃▄▅▆▇█"
_GAP, _FOLDED = 2, 30
"""Between columns; and how wide a column is at least that may go on in the next line."""
_PIPE_WIDTH = 200
"""Columns of output that goes to a file or another program: nobody's window is to cut it."""


def console() -> Console:
    """Return a console on standard output, as wide as the terminal; colours and width suit a pipe if it is one."""
    fixed = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(width=None if fixed else _PIPE_WIDTH, highlight=False)


def metrics_table(
    columns: Sequence[tuple[str, Mapping[str, float]]],
    *,
    best: Mapping[str, Collection[int]] | None = None,
    currency: str = "",
) -> Table:
    """Return metrics side by side: one column per ``(heading, metrics)``, a metric that none of them has left out.

    ``best`` gives, by metric, the positions of the columns to highlight; ``currency`` is that of amounts of money.
    """
    table = plain_table()
    table.add_column(say("report.compare.metric"))
    for heading, _ in columns:
        table.add_column(Text(heading), justify="right", overflow="fold")
    groups = groupby(_in_order({key for _, metrics in columns for key in metrics}), key=_group)
    for position, (_, keys) in enumerate(groups):
        if position:
            table.add_row()
        for key in keys:
            values = [metrics.get(key, nan) for _, metrics in columns]
            winners = (best or {}).get(key, ())
            cells = [_metric_cell(key, value, best=i in winners) for i, value in enumerate(values)]
            table.add_row(_metric_name(key, currency), *cells)
    return table


def trades_table(trades: Sequence[Trade] | Trades, limit: int | None = None, terminal: Console | None = None) -> Table:
    """Return the last ``limit`` (None: all) of ``trades``; symbol and strategy are shown if there are several."""
    first = 0 if limit is None else max(0, len(trades) - limit)
    shown = [trades[i] for i in range(first, len(trades))]
    optional = [name for name in ("symbol", "strategy") if len({getattr(trade, name) for trade in shown}) > 1]
    prices = digits([price for trade in shown for price in (trade.entry_price, trade.exit_price)])
    quantities = digits([trade.quantity for trade in shown])
    amounts = money_digits(max((abs(trade.pnl) for trade in shown), default=0.0))
    columns = {
        "number": [Text(str(position), style=FAINT) for position in range(first + 1, first + 1 + len(shown))],
        **{name: [Text(getattr(trade, name)) for trade in shown] for name in optional},
        "side": [Text(say(f"report.side.{trade.side}")) for trade in shown],
        "entry_ts": [Text(show_moment(trade.entry_ts)) for trade in shown],
        "entry_price": [Text(number(trade.entry_price, prices)) for trade in shown],
        "exit_ts": [Text(show_moment(trade.exit_ts)) for trade in shown],
        "exit_price": [Text(number(trade.exit_price, prices)) for trade in shown],
        "quantity": [Text(number(trade.quantity, quantities)) for trade in shown],
        "pnl": [Text(number(trade.pnl, amounts), style=gain_style(trade.pnl)) for trade in shown],
        "fees": [Text(number(trade.fees, amounts)) for trade in shown],
        "exit_reason": [Text(say(f"report.reason.{trade.exit_reason}")) for trade in shown],
    }
    figures = ("number", "entry_ts", "entry_price", "exit_ts", "exit_price", "quantity", "pnl", "fees")
    goes_first = ("fees", "quantity", "exit_price", "exit_reason", "entry_price", "strategy", "side")
    table = fitted(columns, terminal, headings="report.trade", figures=figures, goes_first=goes_first)
    if first:
        table.caption = say("results.trades.last", shown=len(shown), all=len(trades))
    return table


def proof_line(proof: Mapping[str, Any]) -> Text:
    """Return the proof stamp of ``proof`` (a `Proof` as a dictionary): red, with reasons and places, if it failed."""
    verdict = proof_verdict(proof)
    mark, style = _STAMPS[verdict]
    line = Text(f"{mark} {say(f'report.proof.{verdict}')}", style=style)
    if verdict is Verdict.PASS:
        why = say("report.proof.pass_why", checks=proof.get("checks", 0), candles=proof.get("warm_up_candles", 0))
        return line.append(f"\n  {why}", style="not bold dim")
    for part in ("look_ahead", "warm_up"):
        if (part_verdict := _verdict(proof, part)) is not Verdict.PASS:
            why = say(f"report.proof.{_WHY[part_verdict]}_{part}", candles=proof.get("warm_up_candles", 0))
            line.append(f"\n  {why}", style="not bold")
            line.append(_difference(proof.get(f"{part}_difference")), style="not bold")
    return line


def proof_stamp(proof: Mapping[str, Any], *, words: bool = True) -> Text:
    """Return the outcome of ``proof`` for a table: a sign and, if ``words``, a word or two."""
    verdict = proof_verdict(proof)
    mark, style = _STAMPS[verdict]
    return Text(f"{mark} {say(f'report.proof.short.{verdict}')}" if words else mark, style=style)


def proof_verdict(proof: Mapping[str, Any]) -> Verdict:
    """Return what both proofs come to: failed if one failed, passed if both hold."""
    verdicts = {_verdict(proof, "look_ahead"), _verdict(proof, "warm_up")}
    return next(verdict for verdict in (Verdict.FAIL, Verdict.SKIPPED, Verdict.PASS) if verdict in verdicts)


def sparkline(values: Sequence[float], width: int) -> str:
    """Return ``values`` drawn as at most ``width`` blocks from their lowest to their highest; "" for fewer than two."""
    known = [value for value in values if isfinite(value)]
    if len(known) < 2:
        return ""
    width = min(width, len(known))
    # the last value of each stretch, so that the line ends where the curve does
    points = [known[(i + 1) * len(known) // width - 1] for i in range(width)]
    low, high = min(points), max(points)
    scale = (len(_BLOCKS) - 1) / (high - low) if high > low else 0.0
    return "".join(_BLOCKS[round((point - low) * scale)] for point in points)


def plain_table() -> Table:
    """Return an empty table in the house's style."""
    return Table(box=None, header_style="bold", pad_edge=False, padding=(0, _GAP, 0, 0))


def fitted(
    columns: Mapping[str, Sequence[Text]],
    terminal: Console | None,
    *,
    headings: str,
    figures: Collection[str] = (),
    goes_first: Sequence[str] = (),
    folds: Collection[str] = (),
) -> Table:
    """Return a table of named columns; what ``terminal`` is too narrow for is left out rather than cut off.

    ``goes_first`` says in which order; ``headings`` begins the texts that head the columns. ``figures`` stand to the
    right, and ``folds`` may go on in the next line.
    """
    shown = dict(columns)
    for name in goes_first:
        if terminal is not None and _width(shown, headings, folds) > terminal.width:
            shown.pop(name, None)
    table = plain_table()
    for name in shown:
        table.add_column(
            say(f"{headings}.{name}"),
            justify="right" if name in figures else "left",
            no_wrap=name not in folds,
            overflow="fold",
        )
    for cells in zip(*shown.values(), strict=True):
        table.add_row(*cells)
    return table


def _width(columns: Mapping[str, Sequence[Text]], headings: str, folds: Collection[str]) -> int:
    """Return how many cells of a terminal ``columns`` need, their headings included."""
    width = -_GAP
    for name, cells in columns.items():
        needed = max(Text(say(f"{headings}.{name}")).cell_len, *(cell.cell_len for cell in cells), 0)
        width += _GAP + (min(needed, _FOLDED) if name in folds else needed)
    return width


def gain_style(value: float) -> str:
    """Return the style of an amount or a return that is good above zero and bad below."""
    return GAIN if value > 0 else LOSS if value < 0 else ""


def currency_of(symbols: Sequence[str]) -> str:
    """Return the currency in which profits on ``symbols`` are counted; "" if there are several."""
    quotes = {Instrument.assume("", symbol, 1.0).quote for symbol in symbols}
    return quotes.pop() if len(quotes) == 1 else ""


def show_setting(key: str, value: Any) -> str:
    """Return the value of a backtest's setting as people read it, with its unit."""
    if value is None:
        return say("report.no_limit") if key == "volume_share" else NONE
    if isinstance(value, bool):
        return say("report.yes" if value else "report.no")
    if key.endswith("_bps"):
        return say("report.bps", value=f"{value:g}")
    if key in ("cash", "volume_share"):
        return show(Unit.MONEY if key == "cash" else Unit.PERCENT, value)
    return str(value)


def setting_name(key: str) -> str:
    """Return the name of a backtest's setting; one that an older Cambist kept and this one lacks goes by its key."""
    text = f"report.setting.{key}"
    return say(text) if text in all_texts() else key


_WHY = {Verdict.FAIL: "fail", Verdict.SKIPPED: "skipped"}


def _verdict(proof: Mapping[str, Any], part: str) -> Verdict:
    return Verdict(proof.get(part, Verdict.SKIPPED))


def _difference(difference: Mapping[str, Any] | None) -> str:
    if difference is None:
        return ""
    sentence = say(
        "results.proof.difference",
        when=show_moment(difference["ts"]),
        symbol=difference["symbol"],
        column=difference["column"],
        used=_plainly(difference["used"]),
        truncated=_plainly(difference["truncated"]),
    )
    return f"\n  {sentence}"


def _plainly(value: float) -> str:
    return NONE if isnan(value) else f"{value:.10g}"


def _in_order(keys: Collection[str]) -> list[str]:
    return [key for key in METRICS if key in keys] + sorted(set(keys) - METRICS.keys())


def _group(key: str) -> Group | None:
    return METRICS[key].group if key in METRICS else None


def _metric_name(key: str, currency: str) -> Text:
    metric = METRICS.get(key)
    if metric is None:
        return Text(key)
    return Text(f"{metric.name} ({currency})" if currency and metric.unit is Unit.MONEY else metric.name)


def _metric_cell(key: str, value: float, *, best: bool) -> Text:
    unit = METRICS[key].unit if key in METRICS else Unit.RATIO
    return Text(show(unit, value), style=BEST if best else "")


def digits(values: Collection[float]) -> int:
    """Return how many decimals let the largest of ``values`` be read to six digits: one for a whole column."""
    largest = max((abs(value) for value in values if isfinite(value)), default=0.0)
    return min(max(2, 5 - floor(log10(largest))), 12) if largest else 2
