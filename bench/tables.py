"""Figures as tables: in the terminal and in RESULTS.md."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.measure import QUIET_CORE, Failed, Measure

HEADS = ("measured", "Cambist", "peer", "ratio", "target", "")
MET, MISSED = "met", "**missed**"


@dataclass(frozen=True)
class Row:
    """One line of a figure."""

    what: str
    ours: str = ""
    peer: str = ""
    ratio: str = ""
    target: str = ""
    verdict: str = ""


@dataclass
class Figure:
    """One figure: its lines, and what every engine did to earn them."""

    title: str
    rows: list[Row] = field(default_factory=list)
    outcomes: list[dict[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def outcome(self, engine: str, measure: Measure | Failed, **more: str) -> None:
        """Add what an engine's run came to, so that like is seen to be compared with like."""
        if isinstance(measure, Failed):
            return
        facts = measure.facts
        self.outcomes.append(
            {
                "engine": engine,
                "trades": f"{facts['trades']:,}",
                "stops": f"{facts['stops']:,}",
                "targets": f"{facts['targets']:,}",
                "end / start": f"{facts['final']:.4f}",
                **more,
            }
        )


def seconds(value: float) -> str:
    """Write a time with the unit and the digits that suit it."""
    if value >= 1:
        return f"{value:.2f} s"
    return f"{value * 1e3:.0f} ms" if value >= 0.1 else f"{value * 1e3:.1f} ms"


def count(value: float) -> str:
    """Write a count or a rate with three digits."""
    for size, unit in ((1e6, " M"), (1e3, " k")):
        if value >= size:
            digits = max(0, 2 - len(str(int(value / size))) + 1)
            return f"{value / size:.{digits}f}{unit}"
    return f"{value:.0f}"


def timing(measure: Measure | Failed, *, rate: bool = True) -> str:
    """Write a median, its spread, its rate, and whether the neighbours were loud."""
    if isinstance(measure, Failed):
        return measure.reason
    words = seconds(measure.median)
    if len(measure.times) > 1:
        words += f" ({seconds(min(measure.times))} to {seconds(max(measure.times))})"
    if rate and measure.candles:
        words += f", {count(measure.candles / measure.median)} candles/s"
    if measure.neighbours >= QUIET_CORE:
        words += f", others used {measure.neighbours:.1f} cores"
    return words


def versus(what: str, ours: Measure | Failed, peer: Measure | Failed, at_least: float | None = None) -> Row:
    """Compare the time per candle of the same work; runs whose trades differ by over 1 % are not comparable."""
    target = f"at least {at_least:g} times" if at_least else ""
    if isinstance(ours, Failed) or isinstance(peer, Failed):
        return Row(what, timing(ours), timing(peer), "", target, "")
    ratio = (peer.median / peer.candles) / (ours.median / ours.candles)
    mine, theirs = (measure.facts.get("trades", 0) for measure in (ours, peer))
    if abs(mine - theirs) > 0.01 * max(mine, theirs):
        verdict = f"not comparable: {mine:,} trades, {theirs:,} theirs"
    else:
        verdict = "" if at_least is None else MET if ratio >= at_least else MISSED
    return Row(what, timing(ours), timing(peer), f"{ratio:.1f}", target, verdict)


def limit(what: str, ours: str, value: float | None, at_most: float, target: str, peer: str = "") -> Row:
    """Hold ``value`` (None if it could not be measured) against a ceiling."""
    verdict = "" if value is None else MET if value <= at_most else MISSED
    return Row(what, ours, peer, "", target, verdict)


def markdown(rows: Sequence[dict[str, str]]) -> str:
    """Return ``rows`` as one table; columns are as wide as their widest cell, for reading in a terminal."""
    heads = list(dict.fromkeys(head for row in rows for head in row))
    cells = [heads, *([row.get(head, "") for head in heads] for row in rows)]
    widths = [max(3, *(len(line[i]) for line in cells)) for i in range(len(heads))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def show(figure: Figure) -> str:
    """Return a figure as Markdown."""
    rows = [dict(zip(HEADS, (r.what, r.ours, r.peer, r.ratio, r.target, r.verdict), strict=True)) for r in figure.rows]
    parts = [f"## {figure.title}"]
    parts += [markdown(rows)] if rows else []
    parts += [markdown(figure.outcomes)] if figure.outcomes else []
    parts += ["\n".join(f"- {note}" for note in figure.notes)] if figure.notes else []
    return "\n\n".join(parts)


def machine() -> str:
    """Return the processor, its cores and the Python that ran this."""
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    for line in lines:
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return f"{model}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
