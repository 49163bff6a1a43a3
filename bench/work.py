"""The work that every engine does: one year of one-minute candles, one strategy, one set of costs.

An EMA 10/20 cross, long only. A signal at a candle's close acts at the next open; 10 % of equity; a stop 0.5 % below
and a target 1 % above the entry (both fire on this data); 0.1 % fee and 0.05 % slippage. Peers import this file: it
needs the standard library alone.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVS = ROOT / ".envs"
YEAR_NPY = ENVS / "data" / "year.npy"
YEAR_PARQUET = ENVS / "data" / "year.parquet"

VENUE, SYMBOL, TIMEFRAME = "synthetic", "BTC/USDT", "1m"
COUNT = 525_600
SHORT = 50_000
"""How many candles the slowest peer gets, from the start of the year."""
FIRST_TS = 1_704_067_200_000
MINUTE_MS = 60_000

FAST, SLOW = 10, 20
STOP, TARGET = 0.005, 0.01
FEE, SLIPPAGE = 0.001, 0.0005
FRACTION = 0.10
CASH = 100_000_000.0
"""So much that a peer which trades whole coins only rounds little away."""

PAIRS = tuple((fast, slow) for fast in range(5, 25) for slow in range(25, 75, 5))
"""Of a sweep: 200 pairs of EMA periods."""
CHUNK = 5
"""How many of them vectorbt does best at a time; more take longer, and more memory."""
