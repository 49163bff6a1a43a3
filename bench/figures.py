"""The figures: what is compared with what, and the targets that were set before anything was measured."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.util import find_spec

from bench import work
from bench.measure import Failed, Measure, Report
from bench.session import BIN, Session
from bench.tables import MET, MISSED, Figure, Row, limit, seconds, timing, versus

ENGINES = ("numba", "rust")


def compiled(session: Session) -> Figure:
    figure = Figure("Compiled, end to end: indicators, signals, simulation, metrics, equity curve, trade list")
    ours = session.ours("compiled")
    theirs = {engine: session.peer("vectorbt", engine, "measure") for engine in ENGINES}
    fastest = _faster(theirs)
    for engine, measure in theirs.items():
        figure.rows.append(versus(f"vectorbt, {engine}", ours, measure, 8 if engine == fastest else None))
    figure.outcome("Cambist", ours, **_start(session.report("compiled"), ours))
    for engine, measure in theirs.items():
        figure.outcome(
            f"vectorbt, {engine}", measure, **_start(session.peer_report("vectorbt", engine, "measure"), measure)
        )
    figure.notes += [
        "vectorbt is asked for four metrics (trades, return, drawdown, Sharpe); Cambist computes all of its own.",
        "The target holds against the faster of its two engines.",
        "When an exit signal acts at the open and the same candle touches the stop later, vectorbt takes the stop.",
    ]
    return figure


def sweep(session: Session) -> Figure:
    pairs = f"{len(work.PAIRS)} pairs of EMA periods"
    figure = Figure(f"A sweep: {pairs} over {work.COUNT:,} candles; stop, target, fees, and figures of each")
    ours = session.report_of("sweep")
    theirs = session.peer_report("vectorbt", "numba", work="sweep_")
    mine: Measure | Failed = ours if isinstance(ours, Failed) else ours.measures["whole"]
    figure.rows += [
        versus(f"vectorbt, {figures}", mine, theirs if isinstance(theirs, Failed) else theirs.measures[name], target)
        for name, figures, target in (("value", "final value alone", 30), ("four", "four figures of each", 30))
    ]
    peak = None if isinstance(ours, Failed) else ours.peak_mb
    held = "" if isinstance(theirs, Failed) else f"{theirs.peak_mb:.0f} MB"
    figure.rows.append(limit("peak memory", "" if peak is None else f"{peak:.0f} MB", peak, 400, "under 400 MB", held))
    for engine, report, name in (("Cambist", ours, "whole"), ("vectorbt, numba", theirs, "value")):
        if not isinstance(report, Failed):
            facts = report.measures[name].facts
            figure.outcomes.append(
                {
                    "engine": engine,
                    "trades": f"{facts['trades']:,}",
                    "best end / start": f"{facts['final']:.4f}",
                    "computing time": seconds(facts["cpu_s"]),
                    "peak memory": f"{report.peak_mb:.0f} MB",
                }
            )
    figure.notes += [
        f"vectorbt tries {work.CHUNK} pairs at a time, which is its best here, on one core; Cambist all cores.",
        "Cambist computes all its measures of each pair; what is tried twice is not kept from one run to the next.",
    ]
    return figure


def event_loop(session: Session) -> Figure:
    figure = Figure("Event loop: a Strategy that decides candle by candle")
    ours, short = session.ours("event_loop"), session.ours("event_loop", "short")
    plain, bracket = session.peer("backtesting"), session.peer("nautilus")
    figure.rows += [
        versus("backtesting.py", ours, plain, 3),
        versus(f"nautilus_trader, bracket orders, first {work.SHORT:,} candles", short, bracket, 20),
    ]
    figure.outcome("Cambist", ours)
    figure.outcome("backtesting.py", plain)
    figure.outcome(f"Cambist, {work.SHORT:,}", short)
    figure.outcome(f"nautilus_trader, {work.SHORT:,}", bracket)
    figure.notes += [
        "backtesting.py charges slippage on the way in only, so it is charged twice there; it trades whole coins only.",
        "nautilus_trader fills bars without slippage; its rate falls as closed orders pile up: a short run favours it.",
    ]
    return figure


def template(session: Session) -> Figure:
    figure = Figure("The pasted pandas template, unchanged (stop 2 %, target 4 %)")
    ours = session.ours("template")
    rate = None if isinstance(ours, Failed) else ours.candles / ours.median
    verdict = "" if rate is None else MET if rate >= 100_000 else MISSED
    figure.rows.append(Row("EMA 10/20 as pasted", timing(ours), "", "", "at least 100 k candles/s", verdict))
    figure.outcome("Cambist", ours)
    return figure


def cold_start(session: Session) -> Figure:
    figure = Figure("Cold start: from shell to printed result, imports and disk-cached kernels included")
    failed = session.not_imported
    theirs = {engine: session.peer_command("vectorbt", engine, "once") for engine in ENGINES}
    measured = {
        engine: command if isinstance(command, Failed) else session.from_shell(*command)
        for engine, command in theirs.items()
    }
    fastest = measured[_faster(measured)]
    for name in ("EmaCrossSignals", "EmaCross"):
        ours = failed or session.from_shell(*_backtest(name))
        figure.rows += [
            _shell_row(f"cambist backtest …:{name}", ours, 2.5, fastest),
            *_memory_rows(name, ours, fastest),
        ]
    for what, command in (
        ("python -c 'import cambist'", (sys.executable, "-c", "import cambist")),
        ("cambist --help", (str(BIN / "cambist"), "--help")),
    ):
        figure.rows.append(_shell_row(what, session.from_shell(*command), 0.3))
    figure.notes += [
        "Cambist reads the year from its lake, proves the strategy, stores the result and prints the table.",
        "The peer is a script that does the same work with vectorbt's faster engine and prints one line.",
    ]
    return figure


def proof(session: Session) -> Figure:
    figure = Figure("What the proof costs: signals computed anew on truncated histories")
    report = session.report("proof")
    if isinstance(report, Failed):
        figure.rows.append(Row("with and without proof", report.reason))
        return figure
    for name, plain in report.measures.items():
        proved = report.measures.get(f"{name} with proof")
        if proved is None:
            continue
        share = proved.median / plain.median - 1
        ours = f"{timing(plain, rate=False)} without; {timing(proved, rate=False)} with: {share:+.1%}"
        figure.rows.append(limit(name, ours, share, 0.10, "under a tenth of the plain run"))
        figure.notes.append(f"{name}: the proof says {proved.facts['proof']}.")
    return figure


def lake(session: Session) -> Figure:
    figure = Figure(f"The candle lake: reading {work.COUNT:,} candles, file cache warm")
    read = session.not_imported or session.ours("lake")
    value = None if isinstance(read, Failed) else read.median
    figure.rows.append(limit("lake().read", timing(read), value, 0.030, "under 30 ms"))
    return _with_rows_of(figure, session, "lake")


def indicators(session: Session) -> Figure:
    return _with_rows_of(Figure("Indicators beside TA-Lib"), session, "indicators")


def live(session: Session) -> Figure:
    figure = Figure("Live, over loopback: closing message on the wire to order on the wire")
    figure.notes += [
        "The exchange in a box is a process of its own, and both stamps are the box's.",
        "Between them: feed, heartbeat, bus, strategy, desk, journal on SQLite (synced to disk), ccxt, its request.",
        "Binance's budget is kept: two accounts, for one may place 90 orders in ten seconds, and ten for stops.",
    ]
    return _with_targets(figure, session, "orders")


def heartbeat(session: Session) -> Figure:
    return _with_targets(Figure("The heartbeat, over loopback, bus in process"), session, "beats")


def webhooks(session: Session) -> Figure:
    figure = Figure("A webhook, over loopback: its HTTP request to its order on the wire")
    figure.notes += [
        "API and engine are one process, sender and exchange in a box are processes of their own.",
        "Between the stamps: HTTP, the journal of calls, the engine, its journal (both synced to disk), ccxt.",
    ]
    return _with_targets(figure, session, "hooks")


def jail(session: Session) -> Figure:
    figure = Figure("Other people's code, in a jailed process of its own")
    figure.notes.append("From the closed candle handed over to the wishes taken back, by the channel and its checks.")
    return _with_targets(figure, session, "jail")


def journal(session: Session) -> Figure:
    return _with_targets(Figure("The journal on SQLite"), session, "journals")


def past(session: Session) -> Figure:
    return _with_targets(Figure("What has become of orders, read off a journal on SQLite"), session, "past")


def api(session: Session) -> Figure:
    figure = Figure("The API under load, over loopback, SQLite")
    figure.notes += [
        "Server, engine (two bots, a market sixty times as fast as life) and load are processes of their own.",
        "A broadcast is measured from its publication to the last client's socket.",
    ]
    return _with_targets(figure, session, "api")


FIGURES: dict[str, Callable[[Session], Figure]] = {
    figure.__name__: figure
    for figure in (
        compiled,
        sweep,
        event_loop,
        template,
        cold_start,
        proof,
        lake,
        indicators,
        live,
        api,
        webhooks,
        heartbeat,
        journal,
        past,
        jail,
    )
}


def _with_rows_of(figure: Figure, session: Session, module: str) -> Figure:
    if find_spec(f"bench.{module}") is None:
        figure.notes.append(f"bench/{module}.py is not here: nothing measured.")
        return figure
    rows = session.rows(module)
    if isinstance(rows, Failed):
        figure.notes.append(rows.reason)
    else:
        figure.outcomes += [{name: _cell(value) for name, value in row.items()} for row in rows]
    return figure


def _with_targets(figure: Figure, session: Session, module: str) -> Figure:
    rows = session.rows(module)
    if isinstance(rows, Failed):
        figure.notes.append(rows.reason)
        return figure
    for row in rows:
        verdict = {True: MET, False: MISSED}.get(row["met"], "")
        figure.rows.append(Row(row["what"], row["came"], "", "", row["target"], verdict))
    return figure


def _cell(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _backtest(name: str) -> tuple[str, ...]:
    costs = ("--cash", "10000", "--fee-bps", f"{work.FEE * 1e4:g}", "--slippage-bps", f"{work.SLIPPAGE * 1e4:g}")
    series = ("--venue", work.VENUE, "--symbol", work.SYMBOL, "--timeframe", work.TIMEFRAME)
    return (str(BIN / "cambist"), "backtest", f"{work.ROOT / 'bench' / 'strategies.py'}:{name}", *series, *costs)


def _shell_row(what: str, ours: Measure | Failed, at_most: float, peer: Measure | Failed | None = None) -> Row:
    value = None if isinstance(ours, Failed) else ours.median
    row = limit(what, timing(ours), value, at_most, f"at most {seconds(at_most)}", "" if peer is None else timing(peer))
    if value is None or peer is None or isinstance(peer, Failed):
        return row
    return Row(row.what, row.ours, row.peer, f"{peer.median / value:.1f}", row.target, row.verdict)


def _memory_rows(name: str, ours: Measure | Failed, peer: Measure | Failed) -> list[Row]:
    if name != "EmaCrossSignals" or isinstance(ours, Failed):
        return []
    peak = ours.facts["peak_mb"]
    theirs = "" if isinstance(peer, Failed) else f"{peer.facts['peak_mb']:.0f} MB"
    return [limit("its peak memory", f"{peak:.0f} MB", peak, 350, "under 350 MB", theirs)]


def _start(report: Report | Failed, measure: Measure | Failed) -> dict[str, str]:
    if isinstance(report, Failed) or isinstance(measure, Failed):
        return {}
    first = seconds(measure.facts["first_s"])
    return {"import": seconds(report.import_s), "first run": first, "peak memory": f"{report.peak_mb:.0f} MB"}


def _faster(measures: dict[str, Measure | Failed]) -> str:
    times = {name: measure.median for name, measure in measures.items() if not isinstance(measure, Failed)}
    return min(times, key=times.__getitem__) if times else next(iter(measures))
