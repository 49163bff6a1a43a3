"""vectorbt: ``python -m bench.peers.vectorbt_run numba|rust measure|once``; once prints the result and leaves."""

import time

from bench import work
from bench.measure import Report, arguments, peak_mb, timed, versions, year

start = time.perf_counter()
import vectorbt as vbt  # noqa: E402

IMPORT_S = time.perf_counter() - start

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402


def candles():
    ts, open_, high, low, close, _ = year()
    columns = {"Open": open_, "High": high, "Low": low, "Close": close}
    return pd.DataFrame(columns, index=pd.to_datetime(ts, unit="ms"))


def portfolio(frame, engine, quick, calm, **more):
    """Trade where ``quick`` crosses ``calm``; of several columns each by itself."""
    # shifted by one: what the close of one candle says acts at the open of the next
    enter = quick.ma_crossed_above(calm).vbt.fshift(1, fill_value=False)
    leave = quick.ma_crossed_below(calm).vbt.fshift(1, fill_value=False)
    return vbt.Portfolio.from_signals(
        frame.Close,
        enter,
        leave,
        price=frame.Open,
        open=frame.Open,
        high=frame.High,
        low=frame.Low,
        size=work.FRACTION,
        size_type="percent",
        fees=work.FEE,
        slippage=work.SLIPPAGE,
        sl_stop=work.STOP,
        tp_stop=work.TARGET,
        stop_entry_price="fillprice",
        stop_exit_price="stopmarket",
        init_cash=work.CASH,
        direction="longonly",
        freq="1min",
        **more,
        **({"engine": "rust"} if engine == "rust" else {}),  # "auto" would keep numba here
    )


def whole(frame, engine):
    """Return the equity curve, the trade list and four metrics, from nothing but candles."""
    quick = vbt.MA.run(frame.Close, work.FAST, ewm=True)
    calm = vbt.MA.run(frame.Close, work.SLOW, ewm=True)
    held = portfolio(frame, engine, quick, calm)
    metrics = (held.trades.count(), held.total_return(), held.max_drawdown(), held.sharpe_ratio())
    return held.value().to_numpy(), held.trades.records, metrics


def facts(result):
    equity, trades, metrics = result
    move = trades["exit_price"].to_numpy() / trades["entry_price"].to_numpy() - 1
    slipped = 1 - work.SLIPPAGE
    return {
        "trades": int(metrics[0]),
        "final": float(equity[-1] / work.CASH),
        "stops": int(np.isclose(move, (1 - work.STOP) * slipped - 1, atol=1e-9).sum()),
        "targets": int(np.isclose(move, (1 + work.TARGET) * slipped - 1, atol=1e-9).sum()),
    }


def main():
    told = arguments("engine", "how")
    vbt.settings["engine"] = "auto" if told.engine == "rust" else "numba"  # auto: rust wherever it has a kernel
    frame = candles()
    if told.how == "once":
        print(facts(whole(frame, told.engine)))
        return
    measure = timed(lambda _: whole(frame, told.engine), told.runs, len(frame), facts=facts)
    packages = versions("vectorbt", "vectorbt-rust", "numba", "numpy", "pandas")
    print(Report({"whole": measure}, packages, IMPORT_S, peak_mb()).line())


if __name__ == "__main__":
    main()
