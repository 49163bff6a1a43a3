"""What Cambist is timed at, one workload per process: ``python -m bench.workloads compiled --runs 5``."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from bench import work
from bench.measure import Measure, Report, arguments, peak_mb, timed, versions, year

start = time.perf_counter()
import cambist as cb  # noqa: E402

IMPORT_S = time.perf_counter() - start

from bench.pasted import PASTED  # noqa: E402
from bench.strategies import EmaCross, EmaCrossSignals  # noqa: E402
from cambist.domain.candles import Candles  # noqa: E402
from cambist.domain.timeframe import Timeframe  # noqa: E402
from cambist.domain.trade import EXIT_REASONS, ExitReason  # noqa: E402

PACKAGES = ("cambist", "numba", "numpy", "pandas", "pyarrow", "ta-lib")


def candles(count: int | None = None) -> Candles:
    ts, open_, high, low, close, volume = year(count)
    return Candles(
        venue=work.VENUE,
        symbol=work.SYMBOL,
        timeframe=Timeframe(work.TIMEFRAME),
        ts=ts,
        open=open_,
        high=high,
        low=low,
        close=close,
        volume=volume,
    )


def backtest(strategy: Any, history: Candles, *, proof: bool = False) -> Any:
    """Run the whole of it; the proof is left out beside peers, which have none, and has a figure of its own."""
    return cb.backtest(
        strategy,
        history,
        cash=work.CASH,
        fee_bps=work.FEE * 1e4,
        slippage_bps=work.SLIPPAGE * 1e4,
        volume_share=None,
        proof=proof,
    )


def facts(result: Any) -> dict[str, Any]:
    ended = result.trades.exit_reason
    return {
        "engine": result.engine,
        "trades": len(result.trades),
        "final": float(result.equity[-1] / work.CASH),
        "stops": int((ended == EXIT_REASONS.index(ExitReason.STOP_LOSS)).sum()),
        "targets": int((ended == EXIT_REASONS.index(ExitReason.TAKE_PROFIT)).sum()),
        "proof": str(result.proof.look_ahead),
    }


def pasted() -> Any:
    """Return the pasted strategy, read from a file as a user's would be."""
    from cambist.strategies._load import load

    path = work.ENVS / "data" / "pasted.py"
    path.write_text(PASTED, encoding="utf-8")
    return load(str(path))


def _run(strategy: Callable[[], Any], runs: int, *, count: int | None = None, proof: bool = False) -> Measure:
    history = candles(count)
    return timed(lambda _: backtest(strategy(), history, proof=proof), runs, len(history), facts=facts)


def compiled(runs: int) -> dict[str, Measure]:
    return {"whole": _run(EmaCrossSignals, runs)}


def event_loop(runs: int) -> dict[str, Measure]:
    return {"whole": _run(EmaCross, runs), "short": _run(EmaCross, runs, count=work.SHORT)}


def template(runs: int) -> dict[str, Measure]:
    strategy = pasted()
    return {"whole": _run(lambda: strategy, runs)}


def proof(runs: int) -> dict[str, Measure]:
    shapes = {"SignalStrategy, compiled": EmaCrossSignals, "Strategy, event loop": EmaCross}
    return {
        f"{shape}{' with proof' if proved else ''}": _run(strategy, runs, proof=proved)
        for shape, strategy in shapes.items()
        for proved in (False, True)
    }


def lake(runs: int) -> dict[str, Measure]:
    """Read the year from the lake of ``CAMBIST_HOME``, into which the runner has imported it."""
    shelf, timeframe = cb.lake(), Timeframe(work.TIMEFRAME)
    read = timed(lambda _: shelf.read(work.VENUE, work.SYMBOL, timeframe), runs, work.COUNT, facts=_read_facts)
    return {"whole": read}


def _read_facts(read: Candles) -> dict[str, Any]:
    return {"read": len(read), "last_close": float(read.close[-1])}


WORKLOADS = {made.__name__: made for made in (compiled, event_loop, template, proof, lake)}


def main() -> None:
    told = arguments("workload")
    measures = WORKLOADS[told.workload](told.runs)
    print(Report(measures, versions(*PACKAGES), IMPORT_S, peak_mb()).line())


if __name__ == "__main__":
    main()
