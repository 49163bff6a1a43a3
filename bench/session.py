"""One benchmark session: starts each process once, one at a time, and remembers what it told."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from bench.environments import PEERS, python_of
from bench.measure import Failed, Measure, Report, timed
from bench.work import ROOT, SYMBOL, TIMEFRAME, VENUE, YEAR_PARQUET

BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Exit:
    """How a command ended."""

    code: int
    wall_s: float
    peak_mb: float
    output: str
    errors: str


@dataclass
class Session:
    """What is asked of this run, and what was measured so far."""

    runs: int
    peers: bool
    home: Path
    told: dict[tuple[str, ...], Report | Failed] = field(default_factory=dict)
    broken: list[Failed] = field(default_factory=list)
    """What of Cambist itself did not run."""

    def ours(self, workload: str, measure: str = "whole") -> Measure | Failed:
        """Return one measure of Cambist's ``workload``."""
        return self._measure((sys.executable, "-m", "bench.workloads", workload), measure)

    def report(self, workload: str) -> Report | Failed:
        """Return all that the process of ``workload`` told."""
        return self._report((sys.executable, "-m", "bench.workloads", workload))

    def report_of(self, module: str) -> Report | Failed:
        """Return all that the process of a workload with a module of its own told."""
        return self._report((sys.executable, "-m", f"bench.{module}"))

    def peer(self, name: str, *options: str) -> Measure | Failed:
        """Return what a peer took for its whole work."""
        command = self.peer_command(name, *options)
        return command if isinstance(command, Failed) else self._measure(command, "whole")

    def peer_command(self, name: str, *options: str, work: str = "") -> tuple[str, ...] | Failed:
        """Return the command that runs a peer's script in the peer's environment, which is made if need be."""
        if not self.peers:
            return Failed("left out")
        python, script = python_of(PEERS[name]), f"bench.peers.{name}_{work}run"
        return python if isinstance(python, Failed) else (str(python), "-m", script, *options)

    def peer_report(self, name: str, *options: str, work: str = "") -> Report | Failed:
        """Return all that a peer's process told."""
        command = self.peer_command(name, *options, work=work)
        return command if isinstance(command, Failed) else self._report(command)

    def from_shell(self, *command: str) -> Measure | Failed:
        """Time a command from its start to its end, after one run that does not count."""
        exits: list[Exit] = []

        def run(_: Any) -> Exit:
            exits.append(self.run(*command))
            return exits[-1]

        measure = timed(run, self.runs, 0, facts=lambda end: {"peak_mb": end.peak_mb})
        broken = next((end for end in exits if end.code), None)
        return self._failure(command, broken) if broken else measure

    def run(self, *command: str) -> Exit:
        """Run a command to its end with the session's home; its output is kept, its peak memory taken."""
        environment = os.environ | {"CAMBIST_HOME": str(self.home), "LC_ALL": "C.UTF-8"}
        with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as complained:
            start = time.perf_counter()
            process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=said, stderr=complained
            )
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.perf_counter() - start
            process.returncode = os.waitstatus_to_exitcode(status)
            for stream in (said, complained):
                stream.seek(0)
            output, errors = (stream.read().decode(errors="replace") for stream in (said, complained))
        peak = usage.ru_maxrss / 1e6 if sys.platform == "darwin" else usage.ru_maxrss * 1024 / 1e6
        return Exit(process.returncode, wall, peak, output, errors)

    @cached_property
    def not_imported(self) -> Failed | None:
        """Import the year into the session's home when first asked; say why not if it cannot be."""
        series = ("--venue", VENUE, "--symbol", SYMBOL, "--timeframe", TIMEFRAME)
        command = (str(BIN / "cambist"), "import", str(YEAR_PARQUET), *series)
        end = self.run(*command)
        return self._failure(command, end) if end.code else None

    def rows(self, module: str) -> list[dict[str, Any]] | Failed:
        """Return the table that ``rows()`` of a module of this package gives."""
        code = f"import json, bench.{module} as m; print(json.dumps(m.rows(), default=float))"
        end = self.run(sys.executable, "-c", code)
        if end.code:
            return self._failure((sys.executable, module), end)
        return [dict(row) for row in json.loads(end.output.strip().splitlines()[-1])]

    def _measure(self, command: tuple[str, ...], measure: str) -> Measure | Failed:
        report = self._report(command)
        return report if isinstance(report, Failed) else report.measures[measure]

    def _report(self, command: tuple[str, ...]) -> Report | Failed:
        if command not in self.told:
            print(f"  running {' '.join(command[2:])}", file=sys.stderr, flush=True)
            end = self.run(*command, "--runs", str(self.runs))
            self.told[command] = (
                self._failure(command, end) if end.code else Report.parse(end.output.strip().splitlines()[-1])
            )
        return self.told[command]

    def _failure(self, command: tuple[str, ...], end: Exit) -> Failed:
        lines = (end.errors.strip() or end.output.strip()).splitlines() or [f"exit code {end.code}"]
        print(f"  {' '.join(command)} failed:\n    " + "\n    ".join(lines[-12:]), file=sys.stderr)
        last = lines[-1].replace(f"{ROOT}{os.sep}", "").replace(str(self.home), "home")
        failed = Failed(f"did not run: {last[:120]}")
        if Path(command[0]).parent == BIN:
            self.broken.append(failed)
        return failed


@contextmanager
def session(*, runs: int, peers: bool) -> Iterator[Session]:
    """Open a session with a Cambist home of its own, which is thrown away at its end."""
    home = Path(tempfile.mkdtemp(prefix="cambist-bench-"))
    try:
        yield Session(runs=runs, peers=peers, home=home)
    finally:
        shutil.rmtree(home, ignore_errors=True)
