"""backtesting.py: ``python -m bench.peers.backtesting_run``."""

import time
import warnings

from bench import work
from bench.measure import Report, arguments, peak_mb, timed, versions, year

warnings.filterwarnings("ignore")
start = time.perf_counter()
import backtesting  # noqa: E402
from backtesting import Backtest, Strategy  # noqa: E402
from backtesting.lib import crossover  # noqa: E402

IMPORT_S = time.perf_counter() - start

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

backtesting.backtesting._tqdm = lambda rows, **_: rows  # no progress bar


def candles():
    ts, *columns = year()
    names = ("Open", "High", "Low", "Close", "Volume")
    return pd.DataFrame(dict(zip(names, columns, strict=True)), index=pd.to_datetime(ts, unit="ms"))


def ema(values, length):
    return pd.Series(values).ewm(span=length, adjust=False).mean()


class EmaCross(Strategy):
    def init(self):
        self.quick = self.I(ema, self.data.Close, work.FAST, plot=False)
        self.calm = self.I(ema, self.data.Close, work.SLOW, plot=False)

    def next(self):
        if self.position:
            if crossover(self.calm, self.quick):
                self.position.close()
        elif crossover(self.quick, self.calm):
            price = self.data.Close[-1] * (1 + work.SLIPPAGE)  # what the others expect to pay
            self.buy(size=work.FRACTION, sl=price * (1 - work.STOP), tp=price * (1 + work.TARGET))


def facts(stats):
    trades = stats["_trades"]
    return {
        "trades": int(stats["# Trades"]),
        "final": float(stats["Equity Final [$]"] / work.CASH),
        "stops": int(np.isclose(trades.ExitPrice, trades.SL, rtol=1e-9).sum()),
        "targets": int(np.isclose(trades.ExitPrice, trades.TP, rtol=1e-9).sum()),
    }


def main():
    told = arguments()
    frame = candles()
    # it charges the spread on the way in only: twice the slippage there
    test = Backtest(
        frame, EmaCross, cash=work.CASH, commission=work.FEE, spread=2 * work.SLIPPAGE, finalize_trades=True
    )
    measure = timed(lambda _: test.run(), told.runs, len(frame), facts=facts)
    print(Report({"whole": measure}, versions("backtesting", "numpy", "pandas"), IMPORT_S, peak_mb()).line())


if __name__ == "__main__":
    main()
