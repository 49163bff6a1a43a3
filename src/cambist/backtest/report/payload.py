"""What the scripts of the page are given: columns to draw, and the words to write beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cambist.backtest.report.columns import Columns, digits_of
from cambist.backtest.report.document import texts
from cambist.backtest.result import markets_of
from cambist.domain.text import language, say
from cambist.domain.trade import EXIT_REASONS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from cambist.backtest.result import Leg, Result
    from cambist.domain.trade import Trades

# Sentences that only the server side writes stay out of the page.
_SPOKEN_BY_SCRIPTS = (
    "light", "dark", "theme_", "broken", "compare.equity", "equity", "hold", "drawdown", "price", "open", "high", "low",
    "close", "each_candle", "tally", "chart.keys", "range.from", "range.to", "trades", "trade.", "side.", "reason.",
    "unit.", "months.names",
)  # fmt: skip
_MOST_PRICE_DIGITS = 10


def payload(results: Sequence[Result], titles: Sequence[str], columns: Columns) -> dict[str, Any]:
    """Return the data of the page, ready for JSON; the columns themselves go into ``columns``."""
    return {
        "language": language(),
        "text": texts("report.", _SPOKEN_BY_SCRIPTS),
        "results": [_result(result, title, columns) for result, title in zip(results, titles, strict=True)],
    }


def _result(result: Result, title: str, columns: Columns) -> dict[str, Any]:
    return {
        "title": title,
        "cash": result.settings.cash,
        "ts": columns.integers(result.ts, order=2),
        "equity": columns.decimals(result.equity, least=2),
        "hold": _hold(result, columns),
        "legs": [
            _leg(leg, market, columns)
            for leg, market in zip(result.legs, markets_of(leg.candles for leg in result.legs), strict=True)
        ],
        "trades": _trades(result.trades, columns),
    }


def _hold(result: Result, columns: Columns) -> dict[str, Any]:
    short = columns.scaled(result.buy_and_hold, result.legs[0].candles.close) if len(result.legs) == 1 else None
    return short or columns.decimals(result.buy_and_hold, least=2)


def _leg(leg: Leg, market: str, columns: Columns) -> dict[str, Any]:
    candles = leg.candles
    return {
        "symbol": market,
        "strategy": leg.strategy,
        "timeframe": str(candles.timeframe),
        "step": candles.timeframe.ms,
        "digits": price_digits(leg),
        "ts": columns.integers(candles.ts, order=2),
        "prices": columns.candles(candles.open, candles.high, candles.low, candles.close),
        "lines": [
            {"name": line.name, "overlay": bool(line.overlay), "values": columns.decimals(line.values)}
            for line in leg.lines
        ],
    }


def price_digits(leg: Leg) -> int:
    """Return with how many decimals prices of this market are written: the venue's, or those that the candles have."""
    if not leg.instrument.assumed:
        return min(_MOST_PRICE_DIGITS, decimals_of(leg.instrument.tick_size))
    closes = leg.candles.close
    if not closes.size:
        return 2
    # seven figures tell any price; what has more is an artefact of computing
    whole = int(np.floor(np.log10(max(float(np.nanmax(closes)), 1e-12)))) + 1
    return int(np.clip(min(digits_of(closes), 7 - whole), 0, _MOST_PRICE_DIGITS))


def decimals_of(step: Decimal) -> int:
    """Return how many decimals a multiple of ``step`` can have."""
    exponent = step.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _trades(trades: Trades, columns: Columns) -> dict[str, Any]:
    packed = {name: columns.integers(getattr(trades, name)) for name in ("entry_ts", "exit_ts")}
    packed |= {
        name: columns.integers(getattr(trades, name), order=0) for name in ("side", "exit_reason", "symbol", "strategy")
    }
    packed |= {
        name: columns.exact(getattr(trades, name))
        for name in ("entry_price", "exit_price", "quantity", "pnl", "fees", "slippage")
    }
    return {
        "length": len(trades),
        "columns": packed,
        "symbols": list(trades.symbols),
        "strategies": list(trades.strategies),
        "reasons": [str(reason) for reason in EXIT_REASONS],
    }


def text_of_result(result: Result) -> str:
    """Return what a result is called when it stands alone: its strategy and its markets."""
    symbols = list(dict.fromkeys(leg.candles.symbol for leg in result.legs))
    return " · ".join([result.strategy, *symbols[:3], *(["…"] if len(symbols) > 3 else [])])


def titles_of(results: Sequence[Result]) -> list[str]:
    """Return short names that tell the results apart: the strategy, then what differs, then a number."""
    candidates = (
        [result.strategy for result in results],
        [text_of_result(result) for result in results],
        [
            f"{result.strategy} ({', '.join(f'{key}={value}' for key, value in result.params.items())})"
            for result in results
        ],
    )
    for names in candidates:
        if len(set(names)) == len(names):
            return names
    return [f"{result.strategy} {say('report.trade.number')}{i + 1}" for i, result in enumerate(results)]
