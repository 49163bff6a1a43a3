"""vectorbt, 200 pairs of EMA periods, a few at a time: ``python -m bench.peers.vectorbt_sweep_run numba|rust``."""

import time

from bench import work
from bench.measure import Report, arguments, peak_mb, timed, versions
from bench.peers.vectorbt_run import IMPORT_S, candles, np, portfolio, vbt


def swept(frame, engine, figures):
    """Return total trades and the best final equity; ``figures`` takes a portfolio of some columns."""
    trades, best = 0, 0.0
    for i in range(0, len(work.PAIRS), work.CHUNK):
        fast, slow = zip(*work.PAIRS[i : i + work.CHUNK], strict=True)
        quick = vbt.MA.run(frame.Close, list(fast), ewm=True, short_name="quick", run_unique=True)
        calm = vbt.MA.run(frame.Close, list(slow), ewm=True, short_name="calm", run_unique=True)
        held = portfolio(frame, engine, quick, calm, max_orders=40_000 * work.CHUNK)
        figures(held)
        trades += int(held.orders.count().sum() // 2)
        best = max(best, float(held.final_value().max()))
        del quick, calm, held  # or those of two chunks would be held at once
    return trades, best / work.CASH


def four(held):
    return held.trades.count(), held.total_return(), held.max_drawdown(), held.sharpe_ratio()


def facts(result):
    return {"trades": result[0], "final": result[1]}


def cpu(run):
    """Return what runs ``run`` and adds how long all processors worked at it."""

    def measured(_):
        start = time.process_time()
        trades, final = run()
        return trades, final, time.process_time() - start

    return measured


def main():
    told = arguments("engine")
    vbt.settings["engine"] = "auto" if told.engine == "rust" else "numba"
    frame = candles()
    count = work.COUNT * len(work.PAIRS)
    measures = {
        name: timed(
            cpu(lambda figures=figures: swept(frame, told.engine, figures)),
            min(told.runs, 2),
            count,
            facts=lambda result: {**facts(result), "cpu_s": result[2]},
            warm_up=name == "value",
        )
        for name, figures in (("value", lambda held: None), ("four", four))
    }
    packages = versions("vectorbt", "vectorbt-rust", "numba", "numpy", "pandas")
    print(Report(measures, packages, IMPORT_S, peak_mb()).line())


if __name__ == "__main__":
    np.seterr(all="ignore")
    main()
