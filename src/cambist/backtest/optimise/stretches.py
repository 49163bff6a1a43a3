"""The market of a search: series by timeframe, and what does not change from one combination to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from cambist.analytics.performance import held_through, measure, padded, relative_changes, samples, start_of
from cambist.backtest.engines import Funding, Seat, frozen, rules_of
from cambist.backtest.optimise.joined import Part, joined
from cambist.backtest.result import Settings
from cambist.backtest.run import buy_and_hold, fitted, seats_of, traded
from cambist.domain.candles import Candles
from cambist.domain.errors import BadInput
from cambist.domain.instrument import Instrument
from cambist.domain.search import TIMEFRAME, Span
from cambist.domain.timeframe import Timeframe
from cambist.indicators._shared import Store
from cambist.market.grid import close_times
from cambist.strategies._load import AnyStrategy

if TYPE_CHECKING:
    from cambist.domain.candles import Floats, Ints
    from cambist.domain.trade import Trades

COLUMNS = ("ts", "open", "high", "low", "close", "volume")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evaluated:
    """What one combination gave over one span."""

    metrics: dict[str, float]
    """As `cambist.analytics.performance.measure` gives them."""
    returns: Floats
    """Those that the ratios are of; the same number for every combination over one span, zeros after ruin."""
    periods: float
    """How many of them make a year."""
    trades: Trades | None = None
    """None where only what was counted is kept."""


@dataclass(frozen=True, kw_only=True, eq=False)
class History:
    """One series, and what is worked out of it once for all spans. Nobody can write into it."""

    candles: Candles

    @cached_property
    def closes_at(self) -> Ints:
        """Return when each candle closes (ms)."""
        closes: Ints = frozen(close_times(self.candles))
        return closes

    @cached_property
    def orderly(self) -> bool:
        """Tell whether each close lies between its low and its high, on which the fused simulator relies."""
        candles = self.candles
        inside = (candles.low <= candles.close) & (candles.close <= candles.high)
        return bool(inside.all()) and bool(np.isfinite(candles.close).all())


@dataclass(frozen=True, kw_only=True, eq=False)
class Stretch:
    """The market over one span: each symbol's history up to its stop, and from when on it is traded."""

    histories: tuple[History, ...]
    """One per symbol, in the order of the seats."""
    seats: tuple[Seat, ...]
    """Their candles are those known by the stop. Their strategy is the class; each combination takes its place."""
    settings: Settings
    """Of each symbol, with its part of the cash."""
    notes: tuple[str, ...]
    since: int | None
    """None: from the first candle on."""

    @property
    def cash(self) -> float:
        """Return the cash of all symbols."""
        return self.settings.cash * len(self.seats)

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """Return the position of each seat's first candle that is traded."""
        return tuple(0 if self.since is None else int(seat.candles.ts.searchsorted(self.since)) for seat in self.seats)

    @cached_property
    def traded(self) -> tuple[Seat, ...]:
        """Return the seats with those candles that are traded."""
        return tuple(traded(seat, self.since) for seat in self.seats)

    @cached_property
    def ts(self) -> Ints:
        """Return all closes (ms)."""
        closes = [
            history.closes_at[start : len(seat.candles)]
            for history, seat, start in zip(self.histories, self.seats, self.starts, strict=True)
        ]
        return closes[0] if len(closes) == 1 else np.unique(np.concatenate(closes))

    @cached_property
    def start_ts(self) -> int:
        """Return when the first candle that is traded opens (ms)."""
        return start_of(self.ts)

    def hold(self) -> Floats:
        """Return what the cash would be worth, put into the market and left there."""
        return buy_and_hold(self.traded, self.ts, self.cash)

    @cached_property
    def held(self) -> tuple[float, float]:
        """Return its return and its deepest drawdown."""
        return held_through(self.ts, self.hold(), self.cash)

    @cached_property
    def samples(self) -> tuple[Ints, float]:
        """Return the rows at which equity is sampled, and how many of them make a year."""
        return samples(self.ts)

    @cached_property
    def funding(self) -> tuple[Ints, Floats, Ints]:
        """Return when the first seat pays funding, what, and at or before which candle."""
        ts, rate = self.seats[0].funding
        return frozen(ts), frozen(rate), frozen(self.histories[0].closes_at.searchsorted(ts, side="right"))

    @cached_property
    def rules(self) -> Any:
        """Return what the fused simulator needs to know of the first seat's costs."""
        return rules_of(self.seats[0].instrument, self.settings)

    @cached_property
    def rows(self) -> Ints:
        """Return at which of the first seat's candles equity is sampled."""
        rows: Ints = frozen(self.samples[0] + self.starts[0])
        return rows

    def joined(self, parts: Sequence[Part]) -> Part:
        """Return the sum of ``parts``, one per seat."""
        return joined(parts, [seat.candles for seat in self.traded], self.settings.cash)

    def measured(self, part: Part) -> Evaluated:
        """Return the figures of ``part``, which traded all symbols."""
        rows, periods = self.samples
        return Evaluated(
            metrics=measure(
                part.ts,
                part.equity,
                part.trades,
                cash=self.cash,
                buy_and_hold=self.hold(),
                exposure=part.exposure,
                volume_traded=part.volume_traded,
            ),
            returns=padded(relative_changes(part.equity[rows], self.cash), rows.size),
            periods=periods,
            trades=part.trades,
        )


class Stretches:
    """All that is needed of the market, worked out once for each span."""

    def __init__(
        self,
        strategy: AnyStrategy,
        series: Sequence[Candles],
        instruments: Mapping[str, Instrument] | None,
        funding: Mapping[str, Funding] | None,
        detail: Sequence[Candles],
    ) -> None:
        if not series:
            raise BadInput("candles", "[]", "backtest.nothing")
        self.strategy = strategy
        self.instruments = instruments
        self.funding = funding
        self.detail = tuple(detail)
        self.histories: dict[Timeframe, list[History]] = {}
        for one in sorted(series, key=lambda one: (one.timeframe.ms, one.venue, one.symbol)):
            untouchable = replace(one, **{name: frozen(getattr(one, name)) for name in COLUMNS})
            self.histories.setdefault(one.timeframe, []).append(History(candles=untouchable))
        self._known: dict[tuple[Timeframe, Span | None, Settings], Stretch] = {}
        self._parts: dict[tuple[int, int], Candles] = {}

    @property
    def series(self) -> tuple[Candles, ...]:
        """Return all series, in an order that does not depend on the order in which they were given."""
        return tuple(one.candles for group in self.histories.values() for one in group)

    @cached_property
    def whole(self) -> Span:
        """Return what all series have: from the last first open to the first last close."""
        return Span(
            start_ts=max(int(one.ts[0]) for one in self.series),
            stop_ts=min(int(close_times(one[-1:])[0]) for one in self.series),
        )

    def timeframe(self, said: object) -> Timeframe:
        """Return the timeframe that a combination names, the only one if it names none."""
        if said is None and len(self.histories) == 1:
            return next(iter(self.histories))
        for timeframe in self.histories:
            if str(said) == str(timeframe):
                return timeframe
        raise BadInput(TIMEFRAME, said, "param.choices", choices=", ".join(map(str, self.histories)))

    def over(self, timeframe: Timeframe, span: Span | None, settings: Settings) -> Stretch:
        """Return the market of ``timeframe`` over ``span``, by default over all there is."""
        key = (timeframe, span, settings)
        if key not in self._known:
            self._known[key] = self._over(timeframe, span, settings)
        return self._known[key]

    def share(self, store: Store, stretch: Stretch) -> None:
        """Make the columns of ``stretch`` known to ``store``."""
        for number, seat in enumerate(stretch.seats):
            name = (seat.candles.timeframe, number, len(seat.candles))
            store.know(name, (getattr(seat.candles, column) for column in COLUMNS))

    def _over(self, timeframe: Timeframe, span: Span | None, settings: Settings) -> Stretch:
        histories = self.histories[timeframe]
        group = [one.candles if span is None else self._until(one, span) for one in histories]
        own = replace(settings, cash=settings.cash / len(group))
        seats = seats_of(self.strategy, group, self.instruments, self.funding, self.detail, own.cash)
        fit, notes = fitted(own, seats)
        by_market = {(one.candles.venue, one.candles.symbol): one for one in histories}
        return Stretch(
            histories=tuple(by_market[seat.candles.venue, seat.candles.symbol] for seat in seats),
            seats=tuple(seats),
            settings=fit,
            notes=tuple(notes),
            since=None if span is None else span.start_ts,
        )

    def _until(self, history: History, span: Span) -> Candles:
        """Return the candles that have closed by the span's stop: the same arrays each time."""
        count = int(history.closes_at.searchsorted(span.stop_ts, side="right"))
        candles = history.candles
        if count - int(candles.ts.searchsorted(span.start_ts)) < 2:
            raise BadInput("span", f"{span.start_ts}..{span.stop_ts}", "backtest.too_few")
        if count == len(candles):
            return candles
        return self._parts.setdefault((id(history), count), candles[:count])
