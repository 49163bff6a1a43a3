"""``python -m bench [FIGURE...]``: measure Cambist beside its peers, print the tables, keep them in RESULTS.md."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence

from bench import work
from bench.figures import FIGURES
from bench.measure import Report
from bench.session import Session, session
from bench.tables import Figure, machine, show

RESULTS = work.ROOT / "bench" / "RESULTS.md"

PREFACE = f"""\
# What Cambist costs, beside its peers

Written by `make bench`, not by hand. Every engine gets the same candles and does the same work.

- Data: {work.COUNT:,} one-minute candles of a seeded random walk.
- Strategy: EMA {work.FAST}/{work.SLOW} cross, long only, {work.FRACTION:.0%} of equity.
  What the close of a candle says acts at the next open.
- Stop {work.STOP:.1%} below the entry, target {work.TARGET:.0%} above it.
- Fee {work.FEE:.1%}, slippage {work.SLIPPAGE:.2%}. The whole equity curve is kept.
- Timing: one process at a time, the peers in environments of their own. Loading the candles and a first run are outside
  the clock, the garbage is collected before each call. What lasts less than 0.3 s is called several times in a row, and
  the median of these is one run. Times are medians over the runs (fastest to slowest).
- A ratio says how many times faster Cambist is, per candle.
"""


def main() -> int:
    told = _arguments()
    with session(runs=2 if told.quick else 5, peers=not told.no_peers) as held:
        # in a process of its own: what this one has held in memory would count as held by those it starts
        subprocess.run((sys.executable, "-m", "bench.data"), cwd=work.ROOT, check=True)
        figures = []
        for name in told.names or FIGURES:
            print(f"{name}:", file=sys.stderr, flush=True)
            figures.append(FIGURES[name](held))
            print(f"\n{show(figures[-1])}\n", flush=True)
        whole = not (told.names or told.quick or told.no_peers)
        if whole and not held.broken:
            RESULTS.write_text(_results(held, figures, told.date), encoding="utf-8")
            print(f"kept in {RESULTS.relative_to(work.ROOT)}", file=sys.stderr)
        else:
            print("RESULTS.md is left alone: only a whole run in which all of Cambist ran writes it", file=sys.stderr)
        return 1 if held.broken else 0


def _results(held: Session, figures: Sequence[Figure], date: str | None) -> str:
    ran_on = [f"Machine: {machine()}.", *([f"Date: {date}."] if date else [])]
    return "\n\n".join([PREFACE.strip(), "\n".join(ran_on), _versions(held), *map(show, figures)]) + "\n"


def _versions(held: Session) -> str:
    lines: dict[str, str] = {}
    for command, report in held.told.items():
        if isinstance(report, Report) and report.versions:
            script = command[2].rsplit(".", 1)[-1].removesuffix("_run").removesuffix("_sweep")
            name = "Cambist" if script in ("workloads", "sweep") else script
            lines.setdefault(name, ", ".join(f"{package} {version}" for package, version in report.versions.items()))
    return "\n".join(f"- {name}: {packages}" for name, packages in lines.items())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="FIGURE", help=f"which figures (all): {' '.join(FIGURES)}")
    parser.add_argument("--quick", action="store_true", help="two runs of each instead of five")
    parser.add_argument("--no-peers", action="store_true", help="Cambist alone")
    parser.add_argument("--date", help="a date to put into RESULTS.md")
    told = parser.parse_args()
    unknown = [name for name in told.names if name not in FIGURES]
    if unknown:
        parser.error(f"no figure {' '.join(unknown)}; there are: {' '.join(FIGURES)}")
    return told


if __name__ == "__main__":
    sys.exit(main())
