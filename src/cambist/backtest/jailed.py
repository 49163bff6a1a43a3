"""Backtests of stored code: the whole run is in a jailed process; candles go in, numbers come out.

What comes out is made a `Finished` here, each field checked for its form. That it is true only the process says, whose
code may have taken it over: whoever forges figures this way deceives themselves, on their own strategy.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from cambist.backtest.engines import Funding
from cambist.backtest.loop import Progress
from cambist.backtest.result import Leg, Line, Settings
from cambist.backtest.run import Finished, backtest
from cambist.domain.candles import Candles
from cambist.domain.errors import StrategyFailed
from cambist.domain.instrument import Instrument
from cambist.domain.metrics import METRICS
from cambist.domain.proof import Difference, Proof, Verdict
from cambist.domain.text import language, speak
from cambist.domain.trade import EXIT_REASONS, Trades
from cambist.domain.wire import from_text, to_text
from cambist.engine.jailed import candles_of, columns_of, series_of
from cambist.engine.runners import given
from cambist.ports.sandbox import Answer, Limits, Sandbox
from cambist.strategies._load import from_source

if TYPE_CHECKING:
    from cambist.domain.candles import Floats, Ints
    from cambist.ports.sandbox import Arrays

_MEMORY_MB = 2_048
_BYTES_PER_CANDLE = 600
"""Of an answer: equity, what holding would have given, and a few dozen lines."""
_MOST_LINES, _MOST_NOTES, _LONGEST = 200, 50, 500
_TIMES = ("entry_ts", "exit_ts")
_FLOATS = ("entry_price", "exit_price", "quantity", "pnl", "fees", "slippage")
_POSITIONS = ("side", "exit_reason", "symbol", "strategy")


def backtest_stored(
    sandbox: Sandbox,
    code: str,
    candles: Candles | Sequence[Candles],
    *,
    name: str,
    params: Mapping[str, Any] | None = None,
    detail: Sequence[Candles] = (),
    instrument: Mapping[str, Instrument] | None = None,
    funding: Mapping[str, Funding] | None = None,
    settings: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    limit_s: float = 600.0,
) -> Finished:
    """Run the strategy that ``code`` defines over ``candles`` in a jailed process, and return what `backtest` returns.

    ``name`` is how errors call it; ``settings`` are keyword arguments of `backtest`: cash, costs, proof, engine, since.

    Raises `NotAllowed` if the jail does not hold, `BadStrategy` and `BadInput` for code and values that will not do,
    `StrategyFailed` if it raises, takes longer than ``limit_s`` or more memory than there is, `Stopped` once
    ``cancelled()`` is true.
    """
    series = [candles] if isinstance(candles, Candles) else list(candles)
    arrays: dict[str, Any] = {}
    for prefix, group in (("series", series), ("detail", list(detail))):
        for i, one in enumerate(group):
            arrays |= columns_of(one, f"{prefix}.{i}.")
    paid = dict(funding or {})
    for i, (ts, rate) in enumerate(paid.values()):
        arrays |= {f"funding.{i}.ts": np.asarray(ts, np.int64), f"funding.{i}.rate": np.asarray(rate, np.float64)}
    size = sum(len(one) for one in series)
    said = {
        "code": code,
        "name": name,
        "params": dict(params or {}),
        "settings": dict(settings or {}),
        "series": [series_of(one) for one in series],
        "detail": [series_of(one) for one in detail],
        "instruments": {symbol: to_text(Instrument, one) for symbol, one in (instrument or {}).items()},
        "funding": list(paid),
        "language": language(),
    }
    limits = Limits(memory_mb=_MEMORY_MB, cpu_s=limit_s, answer_mb=32.0 + size * _BYTES_PER_CANDLE / 1e6)
    process = sandbox.start(limits)
    try:
        answer = process.ask("backtest", said, arrays, timeout_s=limit_s, progress=progress, cancelled=cancelled)
    finally:
        process.close()
    try:
        return _read(answer, [one.between((settings or {}).get("since")) for one in series], code)
    except (KeyError, ValueError, TypeError, IndexError, ArithmeticError, AttributeError):
        raise StrategyFailed("sandbox.malformed") from None


# -- in the jailed process --------------------------------------------------------------------------------------------


def inside(values: Mapping[str, Any], arrays: "Arrays", progress: Progress) -> tuple[dict[str, Any], "Arrays"]:
    """Run the backtest that was asked for, and take its result apart."""
    speak(values["language"])
    strategy = given(from_source(values["code"], values["name"]), values["params"])
    series, detail = (
        [candles_of(one, arrays, f"{prefix}.{i}.") for i, one in enumerate(values[prefix])]
        for prefix in ("series", "detail")
    )
    instruments = {symbol: from_text(Instrument, text) for symbol, text in values["instruments"].items()}
    funding: Any = {
        symbol: (arrays[f"funding.{i}.ts"], arrays[f"funding.{i}.rate"]) for i, symbol in enumerate(values["funding"])
    }
    result = backtest(
        strategy,
        series,
        detail=detail,
        instrument=instruments,
        funding=funding,
        progress=progress,
        **values["settings"],
    )
    return _written(result, series)


def _written(result: Finished, series: Sequence[Candles]) -> tuple[dict[str, Any], "Arrays"]:
    trades = result.trades
    arrays: dict[str, Any] = {"ts": result.ts, "equity": result.equity, "buy_and_hold": result.buy_and_hold}
    arrays |= {name: getattr(trades, name) for name in (*_TIMES, *_FLOATS, *_POSITIONS)}
    legs = []
    for i, leg in enumerate(result.legs):
        kept = leg.lines[:_MOST_LINES]
        arrays |= {f"{i}.{k}": np.asarray(line.values, np.float64) for k, line in enumerate(kept)}
        legs.append(
            {
                "strategy": leg.strategy,
                "series": next(k for k, one in enumerate(series) if _same(one, leg.candles)),
                "instrument": to_text(Instrument, leg.instrument),
                "lines": [[line.name, line.overlay] for line in kept],
            }
        )
    proof = result.proof
    differences = (proof.look_ahead_difference, proof.warm_up_difference)
    values = {
        "strategy": result.strategy,
        "params": result.params,
        "settings": {field.name: getattr(result.settings, field.name) for field in fields(result.settings)},
        "engine": result.engine,
        "legs": legs,
        "symbols": trades.symbols,
        "strategies": trades.strategies,
        "metrics": result.metrics,
        "proof": [proof.look_ahead, proof.warm_up, proof.checks, proof.warm_up_candles],
        "differences": [
            None if one is None else [one.ts, one.symbol, one.column, one.used, one.truncated] for one in differences
        ],
        "notes": result.notes,
    }
    return values, arrays


def _same(one: Candles, other: Candles) -> bool:
    """Tell whether two are of one series, be it that one has fewer candles."""
    return (one.venue, one.symbol, one.timeframe) == (other.venue, other.symbol, other.timeframe)


# -- what came back ---------------------------------------------------------------------------------------------------


def _read(answer: Answer, series: Sequence[Candles], code: str) -> Finished:
    """Return the result that a jailed process says it has; raise ValueError, KeyError or TypeError for nonsense."""
    values, arrays = answer.values, answer.arrays
    ts = _ints(arrays["ts"])
    strategy = _text(values["strategy"])
    if not ts.size or np.any(np.diff(ts) < 0):
        raise ValueError("ts")
    return Finished(
        strategy=strategy,
        params=_params(values["params"]),
        settings=Settings(**_settings(values["settings"])),
        engine=_text(values["engine"]),
        legs=tuple(_leg(i, one, arrays, series) for i, one in enumerate(values["legs"])),
        ts=ts,
        equity=_floats(arrays["equity"], ts.size),
        buy_and_hold=_floats(arrays["buy_and_hold"], ts.size),
        trades=_trades(values, arrays),
        metrics={name: float(values["metrics"][name]) for name in METRICS if name in values["metrics"]},
        proof=_proof(values),
        sources=(type(strategy, (), {"_source": code}),),
        notes=tuple(_text(note) for note in values["notes"][:_MOST_NOTES]),
    )


def _text(said: Any) -> str:
    if not isinstance(said, str):
        raise TypeError("no text")
    return said[:_LONGEST]


def _ints(array: Any, size: int | None = None) -> "Ints":
    if array.dtype != np.int64 or size not in (None, array.size):
        raise ValueError("no integers")
    whole: Ints = array
    return whole


def _floats(array: Any, size: int) -> "Floats":
    if array.dtype != np.float64 or array.size != size:
        raise ValueError("no numbers")
    column: Floats = array
    return column


def _params(said: Any) -> dict[str, Any]:
    if not isinstance(said, dict) or len(said) > _MOST_LINES:
        raise TypeError("params")
    return {_text(name): _plain(value) for name, value in said.items()}


def _plain(value: Any) -> Any:
    if not isinstance(value, str | int | float | bool):
        raise TypeError("no plain value")
    return value[:_LONGEST] if isinstance(value, str) else value


def _settings(said: Any) -> dict[str, Any]:
    known = {field.name for field in fields(Settings)}
    if not isinstance(said, dict) or set(said) != known:
        raise TypeError("settings")
    if any(not isinstance(value, int | float | bool | None) for value in said.values()):
        raise TypeError("settings")
    return said


def _leg(i: int, said: Any, arrays: "Arrays", series: Sequence[Candles]) -> Leg:
    candles = series[_position(said["series"], len(series))]
    instrument = from_text(Instrument, said["instrument"])
    if instrument.symbol != candles.symbol or instrument.venue != candles.venue:
        raise ValueError("instrument")
    lines = [
        Line(name=_text(name), values=_floats(arrays[f"{i}.{k}"], len(candles)), overlay=bool(overlay))
        for k, (name, overlay) in enumerate(said["lines"][:_MOST_LINES])
    ]
    return Leg(strategy=_text(said["strategy"]), candles=candles, instrument=instrument, lines=tuple(lines))


def _position(said: Any, count: int) -> int:
    if type(said) is not int or not 0 <= said < count:
        raise ValueError("position")
    return said


def _trades(values: Mapping[str, Any], arrays: "Arrays") -> Trades:
    size = arrays["side"].size
    symbols, strategies = (tuple(_text(one) for one in values[name]) for name in ("symbols", "strategies"))
    columns: dict[str, Any] = {
        "exit_reason": _within(arrays["exit_reason"], np.int8, size, 0, len(EXIT_REASONS)),
        "symbol": _within(arrays["symbol"], np.int16, size, 0, len(symbols)),
        "strategy": _within(arrays["strategy"], np.int16, size, 0, len(strategies)),
    }
    columns |= {name: _ints(arrays[name], size) for name in _TIMES}
    columns |= {name: _floats(arrays[name], size) for name in _FLOATS}
    return Trades(side=_within(arrays["side"], np.int8, size, -1, 2), symbols=symbols, strategies=strategies, **columns)


def _within(array: Any, kind: Any, size: int, low: int, high: int) -> Any:
    if array.dtype != kind or array.size != size or (size and not low <= array.min() <= array.max() < high):
        raise ValueError("out of bounds")
    return array


def _proof(values: Mapping[str, Any]) -> Proof:
    look_ahead, warm_up, checks, candles = values["proof"]
    found = [
        None
        if one is None
        else Difference(
            ts=int(one[0]),
            symbol=_text(one[1]),
            column=_text(one[2]),
            used=float(one[3]),
            truncated=float(one[4]),
        )
        for one in values["differences"]
    ]
    return Proof(
        look_ahead=Verdict(look_ahead),
        warm_up=Verdict(warm_up),
        checks=int(checks),
        warm_up_candles=int(candles),
        look_ahead_difference=found[0],
        warm_up_difference=found[1],
    )
