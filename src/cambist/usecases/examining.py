"""Looking at a strategy's code from within the jail: parsed, loaded, run over a made-up market, proved."""

import ast
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cambist.backtest.run import Finished, backtest
from cambist.domain.candles import Candles
from cambist.domain.errors import BadInput, CambistError, StrategyFailed
from cambist.domain.instrument import Instrument
from cambist.domain.proof import Difference, Proof, Verdict
from cambist.engine.asking import LiveRunner, warm_up_needed
from cambist.engine.runners import Given, given
from cambist.market.synthetic import synthetic_market
from cambist.strategies._allowed import Remark, remarks
from cambist.strategies._base import Strategy
from cambist.strategies._load import AnyStrategy, from_source
from cambist.strategies._param import Param
from cambist.strategies._signals import SignalStrategy
from cambist.strategies._template import TemplateStrategy

NAME = "strategy"
"""How the code is called in what is said of it."""
_START = 1_704_067_200_000  # 2024-01-01
_COUNT = 1_200
_LIVE = 25
_CASH = 10_000.0
_SLOW_MS = 100.0
_SHAPES: dict[type, tuple[str, str]] = {
    Strategy: ("strategy", "next"),
    SignalStrategy: ("signals", "signals"),
    TemplateStrategy: ("template", "should_long"),
}


@dataclass(slots=True)
class _Found:
    """What is known of the code so far."""

    remarks: list[Remark] = field(default_factory=list)
    about: dict[str, Any] = field(default_factory=dict)

    def failed(self) -> bool:
        return any(remark.error for remark in self.remarks)


class _Untouched:
    """An account in which nothing happens."""

    def equity(self, price: float) -> float:
        del price
        return _CASH

    def cash(self) -> float:
        return _CASH


def examine(values: Mapping[str, Any]) -> dict[str, Any]:
    """Answer what there is to say of ``values["code"]``: remarks, and what was learnt on the way."""
    found = _Found()
    code, params = str(values["code"]), values["params"]
    tree = _parsed(code, found)
    if tree is not None:
        found.remarks += remarks(tree)
    if tree is not None and not found.failed():
        _run(code, tree, params, values["timeframe"], found)
    order = sorted(found.remarks, key=lambda one: (not one.error, one.line or 0, one.column or 0))
    told = [[one.error, one.line, one.column, one.key, dict(one.params)] for one in order]
    return {"remarks": told, "about": found.about}


def _parsed(code: str, found: _Found) -> ast.Module | None:
    try:
        return ast.parse(code, NAME)
    except SyntaxError as error:
        message = error.msg or "?"
        found.remarks.append(Remark("validation.syntax", error.lineno, error.offset, {"message": message}))
    except (ValueError, RecursionError, MemoryError) as error:
        found.remarks.append(Remark("validation.syntax", params={"message": f"{type(error).__name__}: {error}"}))
    return None


def _run(code: str, tree: ast.Module, params: Mapping[str, Any], timeframe: str, found: _Found) -> None:
    try:
        strategy = from_source(code, NAME)
        found.about |= _shape(strategy, tree, found)
        if found.failed():
            return
        ready = given(strategy, params)
        result, candles = _tried(ready, timeframe)
        found.about["trades"] = len(result.trades)
        _judge(result.proof, len(candles), len(result.trades), found)
        _live(ready, candles, found)
    except (BadInput, StrategyFailed) as error:
        found.remarks.append(_remark(error))


def _remark(error: CambistError) -> Remark:
    """Return what ``error`` says, at the line that it names."""
    params = {name: str(value) for name, value in error.params.items()}
    line, column = (int(said) if (said := params.get(name, "")).isdecimal() else None for name in ("line", "column"))
    return Remark(error.key, line, column, params)


def _shape(strategy: AnyStrategy, tree: ast.Module, found: _Found) -> dict[str, Any]:
    """Return what ``strategy`` is; remark on it if it lacks the method that decides."""
    base = next(one for one in _SHAPES if issubclass(strategy, one))
    shape, method = _SHAPES[base]
    if getattr(strategy, method) is getattr(base, method):
        line = next((node.lineno for node in tree.body if isinstance(node, ast.ClassDef)), None)
        names = {"strategy": strategy.__name__, "method": method}
        found.remarks.append(Remark("validation.no_method", line, None, names))
    return {
        "strategy": strategy.__name__,
        "shape": shape,
        "params": [_param(name, declared) for name, declared in strategy.params.items()],
    }


def _param(name: str, declared: Param) -> dict[str, Any]:
    choices = None if declared.choices is None else list(declared.choices)
    kind = type(declared.default).__name__
    limits = {"low": declared.low, "high": declared.high, "choices": choices}
    return {"name": name, "type": kind, "default": declared.default} | limits


def _tried(strategy: Given, timeframe: str) -> tuple[Finished, Candles]:
    """Run it over a made-up market; one that looks at larger timeframes, on one-minute candles if it must."""
    for frame in (timeframe, "1m"):
        market = synthetic_market(("BTC/USDT",), start_ms=_START, count=_COUNT, timeframe=frame, seed=1)
        candles = market["BTC/USDT"]
        try:
            return backtest(strategy, candles, cash=_CASH), candles
        except BadInput as error:
            if error.key != "line.timeframe" or frame == "1m":
                raise
    raise ValueError(timeframe)


def _judge(proof: Proof, candles: int, trades: int, found: _Found) -> None:
    found.about["proof"] = {"look_ahead": str(proof.look_ahead), "warm_up": str(proof.warm_up)}
    if proof.look_ahead is Verdict.FAIL and proof.look_ahead_difference is not None:
        found.remarks.append(Remark("validation.look_ahead", params=_told(proof.look_ahead_difference)))
    if proof.warm_up is Verdict.FAIL and proof.warm_up_difference is not None:
        told = _told(proof.warm_up_difference) | {"candles": str(proof.warm_up_candles)}
        found.remarks.append(Remark("validation.warm_up", params=told, error=False))
    if not trades:
        found.remarks.append(Remark("validation.no_trades", params={"candles": str(candles)}, error=False))


def _told(difference: Difference) -> dict[str, str]:
    return {
        "when": f"{datetime.fromtimestamp(difference.ts / 1_000, UTC):%Y-%m-%d %H:%M}",
        "column": difference.column,
        "used": f"{difference.used:.8g}",
        "truncated": f"{difference.truncated:.8g}",
    }


def _live(strategy: Given, candles: Candles, found: _Found) -> None:
    """Let it decide as it would live, candle by candle, and take the time."""
    needed = min(warm_up_needed(strategy, candles.timeframe), len(candles) - _LIVE)
    history, following = candles[-_LIVE - needed : -_LIVE], candles[-_LIVE:]
    instrument = Instrument.assume(candles.venue, candles.symbol, float(candles.high.max()), _CASH)
    runner = LiveRunner(strategy, history, instrument, account=_Untouched())
    start = time.perf_counter()
    for candle in following:
        runner.on_candle(candle)
    decision_ms = 1_000 * (time.perf_counter() - start) / _LIVE
    found.about["decision_ms"] = decision_ms
    if decision_ms > _SLOW_MS:
        found.remarks.append(Remark("validation.slow", params={"ms": f"{decision_ms:.0f}"}, error=False))
