"""What one combination of parameters gives: the work of a search, done as often as there are combinations.

A combination trades each symbol from an equal part of the cash, apart from the others; figures are of the sum. A
strategy knows what came before a span and nothing that comes after its stop; it is traded from cash, flat at its start.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from functools import cached_property
from hashlib import blake2b
from math import isfinite
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from cambist.analytics.performance import YEAR_MS, start_of
from cambist.backtest.engines import Funding, Outcome, compiled, looped
from cambist.backtest.jailed import backtest_stored
from cambist.backtest.optimise.joined import Part
from cambist.backtest.optimise.signalled import signalled
from cambist.backtest.optimise.stretches import Evaluated, Stretch, Stretches
from cambist.backtest.proof import skipped
from cambist.backtest.result import Settings, digest_of_candles, digest_of_code
from cambist.backtest.run import Finished, finished, severity, stamp_of
from cambist.domain.candles import Candles
from cambist.domain.errors import StrategyFailed
from cambist.domain.instrument import Instrument
from cambist.domain.search import TIMEFRAME, Params, Span
from cambist.engine.runners import Given, given, instance_of
from cambist.indicators._shared import Store, sharing
from cambist.strategies._load import AnyStrategy, from_source
from cambist.strategies._param import Param
from cambist.strategies._signals import SignalStrategy

if TYPE_CHECKING:
    from cambist.domain.candles import Ints
    from cambist.domain.timeframe import Timeframe
    from cambist.ports.sandbox import Sandbox

__all__ = ["AnyEvaluator", "Evaluated", "Evaluator", "JailedEvaluator"]


class _Evaluates:
    """What both kinds of evaluators have in common."""

    memory_mb = 0.0
    """Most that shared indicators may take."""
    jailed = False
    """Whether each evaluation has a process of its own."""

    def __init__(
        self,
        strategy: AnyStrategy,
        candles: Sequence[Candles],
        settings: Settings,
        instruments: Mapping[str, Instrument] | None,
        funding: Mapping[str, Funding] | None,
        detail: Sequence[Candles],
        base: Params | None,
    ) -> None:
        self.strategy = strategy
        self.settings = settings
        self.base = dict(base or {})
        self._market = Stretches(strategy, candles, instruments, funding, detail)

    @property
    def series(self) -> tuple[Candles, ...]:
        """Return all series, in an order that does not depend on the order in which they were given."""
        return self._market.series

    @cached_property
    def symbols(self) -> tuple[str, ...]:
        """Return the symbols."""
        return tuple(dict.fromkeys(one.symbol for one in self.series))

    @property
    def timeframes(self) -> tuple[str, ...]:
        """Return the timeframes, shortest first."""
        return tuple(map(str, self._market.histories))

    @property
    def venue(self) -> str:
        """Return the venue."""
        return self.series[0].venue

    @property
    def whole(self) -> Span:
        """Return what all series have, from the first open to the last close."""
        return self._market.whole

    def closes(self, span: Span) -> Ints:
        """Return when the candles of ``span`` close (ms), those of the shortest timeframe where there are several."""
        closes = [one.closes_at for one in next(iter(self._market.histories.values()))]
        known: Ints = np.unique(np.concatenate([*closes, [span.stop_ts]]))
        return known[(known > span.start_ts) & (known <= span.stop_ts)]

    @property
    def strategy_name(self) -> str:
        """Return the strategy's name."""
        return self.strategy.__name__

    @property
    def code_hash(self) -> str:
        """Return a digest of the code that is searched."""
        return digest_of_code((self.strategy,))

    @cached_property
    def data_hash(self) -> str:
        """Return a digest of all candles, those that decide what happens within one included."""
        return digest_of_candles((*self.series, *self._market.detail))

    @cached_property
    def terms_hash(self) -> str:
        """Return a digest of the venue's rules and of the funding that is paid."""
        digest = blake2b(repr(sorted((self._market.instruments or {}).items())).encode(), digest_size=16)
        for symbol, (ts, rate) in sorted((self._market.funding or {}).items()):
            digest.update(symbol.encode() + np.asarray(ts).tobytes() + np.asarray(rate).tobytes())
        return digest.hexdigest()

    def _placed(self, params: Params) -> tuple[Timeframe, dict[str, Any]]:
        """Return the timeframe of a combination, and the parameters that are the strategy's."""
        own = {**self.base, **params}
        timeframe = None if TIMEFRAME in self.strategy.params else own.pop(TIMEFRAME, None)
        return self._market.timeframe(timeframe), own


class Evaluator(_Evaluates):
    """Trades combinations of a strategy's parameters. It can be pickled; what it has computed stays behind."""

    def __init__(
        self,
        strategy: AnyStrategy,
        candles: Sequence[Candles],
        *,
        settings: Settings,
        instruments: Mapping[str, Instrument] | None = None,
        funding: Mapping[str, Funding] | None = None,
        detail: Sequence[Candles] = (),
        base: Params | None = None,
        memory_mb: float = 64.0,
    ) -> None:
        super().__init__(strategy, candles, settings, instruments, funding, detail, base)
        self.memory_mb = memory_mb
        self._store = Store(int(memory_mb * 1e6))
        self._alone = False

    @property
    def fused(self) -> bool:
        """Whether all of it is compiled, so that threads do as well as processes."""
        return issubclass(self.strategy, SignalStrategy) and not self._market.detail and self.settings.pyramiding == 1

    def evaluate(
        self, params: Params, spans: Sequence[Span] | None = None, *, settings: Settings | None = None
    ) -> list[Evaluated]:
        """Return what the combination ``params`` gives over each of ``spans``, by default over all there is.

        Raises `BadInput` for values that will not do, `StrategyFailed` if the strategy's own code raises.
        """
        timeframe, own = self._placed(params)
        one = given(self.strategy, own)
        stretches = [self._market.over(timeframe, span, settings or self.settings) for span in spans or (None,)]
        if self._alone:
            return self._evaluated(one, stretches)
        try:
            for stretch in stretches:
                self._market.share(self._store, stretch)
            with sharing(self._store):
                return self._evaluated(one, stretches)
        except StrategyFailed:
            # It may have written into an indicator, which it may where it has it to itself.
            found = self._evaluated(one, stretches)
            self._alone = True
            return found

    def _evaluated(self, one: Given, stretches: Sequence[Stretch]) -> list[Evaluated]:
        if self.fused and len(stretches[0].seats) == 1 and stretches[0].histories[0].orderly:
            return signalled(cast(SignalStrategy, instance_of(one)), stretches)
        return [
            stretch.measured(stretch.joined([_part(outcome) for outcome in self._outcomes(one, stretch)]))
            for stretch in stretches
        ]

    def finished(
        self, params: Params, span: Span | None = None, *, settings: Settings | None = None, proof: bool = True
    ) -> Finished:
        """Return one combination as a backtest: on one symbol over all there is, that of `backtest`.

        On several symbols each trades its equal part of the cash, as in `evaluate`.
        """
        timeframe, own = self._placed(params)
        one = given(self.strategy, own)
        stretch = self._market.over(timeframe, span, settings or self.settings)
        outcomes = self._outcomes(one, stretch)
        whole = stretch.joined([_part(outcome) for outcome in outcomes])
        outcome = Outcome(
            engine=outcomes[0].engine,
            runners=tuple(outcome.runners[0] for outcome in outcomes),
            events=tuple(outcome.events[0] for outcome in outcomes),
            ts=whole.ts,
            equity=whole.equity,
            trades=whole.trades,
            exposure=whole.exposure,
            traded=whole.volume_traded,
            refused=sum((outcome.refused for outcome in outcomes), start=type(outcomes[0].refused)()),
        )
        seats = [replace(seat, strategy=one) for seat in stretch.seats]
        stamp = stamp_of(seats, outcome, stretch.settings) if proof else skipped()
        seats = [replace(seat, strategy=one) for seat in stretch.traded]
        return finished(seats, replace(stretch.settings, cash=stretch.cash), outcome, stamp, stretch.notes)

    def _outcomes(self, one: Given, stretch: Stretch) -> list[Outcome]:
        """Return what each symbol's part of the cash came to."""
        seats = [replace(seat, strategy=one) for seat in stretch.seats]
        if self.fused:
            return [compiled(seat, stretch.settings, since=stretch.since) for seat in seats]
        return [looped([seat], stretch.settings, since=stretch.since) for seat in seats]

    def __getstate__(self) -> dict[str, Any]:
        """Return what travels to other processes: a strategy that was read from text travels as this text."""
        market = self._market
        strategy: Any = self.strategy
        if "_source" in vars(strategy):
            strategy = (strategy._source, f"{strategy.__module__.removeprefix('strategy_')}.py", strategy.__name__)
        return {
            "strategy": strategy,
            "candles": self.series,
            "settings": self.settings,
            "instruments": market.instruments,
            "funding": market.funding,
            "detail": market.detail,
            "base": self.base,
            "memory_mb": self.memory_mb,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Begin anew with what travelled."""
        strategy, candles = state.pop("strategy"), [_aligned(one) for one in state.pop("candles")]
        state["detail"] = [_aligned(one) for one in state["detail"]]
        self.__init__(from_source(*strategy) if isinstance(strategy, tuple) else strategy, candles, **state)  # type: ignore[misc]


class JailedEvaluator(_Evaluates):
    """Trades combinations of stored code, each in a jailed process of its own; threads do, for it only waits."""

    jailed = True

    def __init__(
        self,
        sandbox: Sandbox,
        code: str,
        candles: Sequence[Candles],
        *,
        name: str,
        declared: Mapping[str, Param],
        settings: Settings,
        instruments: Mapping[str, Instrument] | None = None,
        funding: Mapping[str, Funding] | None = None,
        detail: Sequence[Candles] = (),
        base: Params | None = None,
        limit_s: float = 600.0,
    ) -> None:
        # the code is never run here: what stands for it has its name, its text, and the parameters its jail told of
        # names come out of a jail as well: none may take the place of what a strategy is made of
        told = {one: param for one, param in declared.items() if not hasattr(SignalStrategy, one)}
        stands: AnyStrategy = type(name, (SignalStrategy,), {**told, "_source": code})
        super().__init__(stands, candles, settings, instruments, funding, detail, base)
        self._sandbox = sandbox
        self._code = code
        self._limit_s = limit_s

    @property
    def fused(self) -> bool:
        """Whether all of it is compiled here: never."""
        return False

    def evaluate(
        self, params: Params, spans: Sequence[Span] | None = None, *, settings: Settings | None = None
    ) -> list[Evaluated]:
        """Return what the combination ``params`` gives over each of ``spans``, by default over all there is.

        Raises what `backtest_stored` raises.
        """
        timeframe, own = self._placed(params)
        found = []
        for span in spans or (None,):
            stretch = self._market.over(timeframe, span, settings or self.settings)
            results = self._results(own, stretch, proof=False)
            found.append(stretch.measured(stretch.joined([_part_of(result) for result in results])))
        return found

    def finished(
        self, params: Params, span: Span | None = None, *, settings: Settings | None = None, proof: bool = True
    ) -> Finished:
        """Return one combination as a backtest; on several symbols each trades its equal part of the cash."""
        timeframe, own = self._placed(params)
        stretch = self._market.over(timeframe, span, settings or self.settings)
        results = self._results(own, stretch, proof=proof)
        if len(results) == 1:
            return results[0]
        part = stretch.joined([_part_of(result) for result in results])
        worst = max((result.proof for result in results), key=severity)
        return replace(
            results[0],
            settings=replace(stretch.settings, cash=stretch.cash),
            legs=tuple(leg for result in results for leg in result.legs),
            ts=part.ts,
            equity=part.equity,
            buy_and_hold=stretch.hold(),
            trades=part.trades,
            metrics=stretch.measured(part).metrics,
            proof=replace(worst, checks=sum(result.proof.checks for result in results)),
            notes=tuple(dict.fromkeys(note for result in results for note in result.notes)),
        )

    def _results(self, own: Mapping[str, Any], stretch: Stretch, *, proof: bool) -> list[Finished]:
        """Return what each symbol's part of the cash came to."""
        how = {each.name: getattr(stretch.settings, each.name) for each in fields(Settings)}
        return [
            backtest_stored(
                self._sandbox,
                self._code,
                seat.candles,
                name=self.strategy_name,
                params=own,
                detail=() if seat.detail is None else (seat.detail,),
                instrument=self._market.instruments,
                funding=self._market.funding,
                settings={**how, "proof": proof, "since": stretch.since},
                limit_s=self._limit_s,
            )
            for seat in stretch.seats
        ]


AnyEvaluator = Evaluator | JailedEvaluator


def _aligned(candles: Candles) -> Candles:
    """Return ``candles`` in memory as this machine reads it: what travels may come to lie between two words."""
    columns = {name: _column(getattr(candles, name)) for name in ("ts", "open", "high", "low", "close", "volume")}
    return replace(candles, **columns)


def _column(values: Any) -> Any:
    return np.require(values, requirements=["ALIGNED", "C_CONTIGUOUS"])


def _part(outcome: Outcome) -> Part:
    return Part(
        ts=outcome.ts,
        equity=outcome.equity,
        trades=outcome.trades,
        exposure=outcome.exposure,
        volume_traded=outcome.traded,
    )


def _part_of(result: Finished) -> Part:
    metrics, years = result.metrics, (int(result.ts[-1]) - start_of(result.ts)) / YEAR_MS
    turnover = metrics["turnover"]
    return Part(
        ts=result.ts,
        equity=result.equity,
        trades=result.trades,
        exposure=metrics["exposure"],
        volume_traded=turnover * float(result.equity.mean()) * years if isfinite(turnover) else 0.0,
    )
