"""Figures made of what was read once: curves of what bots were worth, and what came of their trades."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from math import isfinite

import numpy as np
import numpy.typing as npt

from cambist.analytics.performance import measure
from cambist.domain.account import AccountSpec
from cambist.domain.past import WHOLE, Curve, PastSeat, Results, Wanted
from cambist.domain.position import ZERO
from cambist.domain.price import Price
from cambist.domain.statistics import Performance, Report
from cambist.domain.timeframe import DAY_MS, MINUTE_MS
from cambist.domain.trade import EXIT_REASONS, ExitReason, Trades

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_NUMBERS = ("entry_ts", "exit_ts", "turned", "slippage", "pnl", "fees")
_HOUR_MS = 60 * MINUTE_MS
_NO_MARKET = ("buy_and_hold_return", "buy_and_hold_max_drawdown")
"""What only a backtest, which trades one market from beginning to end, can be compared with."""
_OF_MONEY = ("pnl", "final_equity", "fees")
"""Told exactly, apart."""
_CAPITAL_NEEDED = (
    "total_return",
    "annual_return",
    "volatility",
    "sharpe",
    "sortino",
    "calmar",
    "max_drawdown",
    "max_drawdown_days",
    "turnover",
)


class Taken:
    """All that figures are made of, read once."""

    def __init__(
        self,
        wanted: Wanted,
        currency: str,
        accounts: Sequence[AccountSpec],
        seats: Sequence[PastSeat],
        curves: Sequence[Curve],
        results: Results,
        rates: Mapping[str, Price],
    ) -> None:
        self.wanted = wanted
        self.currency = currency
        self.prices = rates
        self.rates = {asset: price.price for asset, price in rates.items()}
        self.unconverted = tuple(sorted({spec.quote for spec in accounts} - rates.keys()))
        self.seats = [seat for seat in seats if seat.quote in rates]
        self.whole = [curve for curve in curves if curve.bot == WHOLE]
        self.curves = {(curve.account, curve.bot): curve for curve in curves if curve.bot != WHOLE}
        self.results = results
        self._rows: dict[tuple[str, str], list[int]] = defaultdict(list)
        for row, key in enumerate(zip(results.account, results.bot, strict=True)):
            self._rows[key].append(row)

    def report(self, groups: Iterable[Performance]) -> Report:
        """Return ``groups`` with the rates by which their money was turned."""
        return Report(
            currency=self.currency, rates=self.shown_rates(), unconverted=self.unconverted, groups=tuple(groups)
        )

    def shown_rates(self) -> tuple[Price, ...]:
        """Return the rates of the currencies that had to be turned."""
        return tuple(price for _, price in sorted(self.prices.items()) if price.source != "same")

    def rows(self, seat: PastSeat) -> list[int]:
        """Return the rows of a bot's trades, by the times of their ends."""
        return self._rows.get((seat.account, seat.bot), [])

    def paid(self, seats: Iterable[PastSeat], what: Sequence[Decimal]) -> Decimal:
        """Return the sum of one column of money over the trades of ``seats``."""
        sums = (sum((what[row] for row in self.rows(seat)), ZERO) * self.rates[seat.quote] for seat in seats)
        return sum(sums, ZERO)

    def performance(self, name: str, seats: Sequence[PastSeat], *, whole: Collection[str] | None) -> Performance:
        """Return how ``seats`` have gone, measured against their budgets, or all that the accounts ``whole`` held."""
        own = self.own(seats)
        span = span_of([curve for _, curve in own], self.wanted)
        begun, ended = (self.won_at(own, ts) for ts in span)
        capital = self._budgets(seats, begun) if whole is None else self._held_at(whole, span[0])
        figures: dict[str, float] = {}
        if own and span[1] > span[0]:
            figures = self._figures(own, seats, span, float(begun), None if capital is None else float(capital))
        held = sum(1 for seat in seats if seat.open_since_ms)
        return Performance(
            name=name,
            currency=self.currency,
            since=span[0] if own else None,
            until=span[1] if own else None,
            capital=capital,
            pnl=ended - begun,
            realised=self.paid(seats, self.results.pnl),
            fees=self.paid(seats, self.results.fees),
            trades=sum(len(self.rows(seat)) for seat in seats),
            open_positions=held,
            figures=tuple(
                (key, value if isfinite(value) else None)
                for key, value in figures.items()
                if key not in (*_NO_MARKET, *_OF_MONEY, "trades", "open_trades")
            ),
        )

    def _figures(
        self,
        own: Sequence[tuple[PastSeat, Curve]],
        seats: Sequence[PastSeat],
        span: tuple[int, int],
        begun: float,
        capital: float | None,
    ) -> dict[str, float]:
        grid = _grid(*span)
        won = np.zeros(grid.size)
        for seat, curve in own:
            won += _on(grid, curve, float(seat.budget)) * float(self.rates[seat.quote])
        base = capital if capital is not None and capital > 0 else 1.0
        trades, turned = self._trades(seats)
        found = measure(
            grid,
            base + won - begun,
            trades,
            cash=base,
            buy_and_hold=np.full(grid.size, base),
            exposure=_exposure(trades, [seat.open_since_ms for seat, _ in own], span),
            volume_traded=turned,
        )
        if base != capital:  # nothing to compute a return of
            found |= dict.fromkeys(_CAPITAL_NEEDED, float("nan"))
        return found

    def _trades(self, seats: Iterable[PastSeat]) -> tuple[Trades, float]:
        """Return the trades of ``seats`` in the wanted currency, as backtests hold them, and what they turned over."""
        each = [(np.array(self.rows(seat), np.int64), float(self.rates[seat.quote])) for seat in seats]
        rows = np.concatenate([of for of, _ in each] or [np.empty(0, np.int64)])
        rate = np.concatenate([np.full(of.size, by) for of, by in each] or [np.empty(0)])
        order = np.argsort(rows, kind="stable")
        rows, rate, columns = rows[order], rate[order], self._columns
        untold, nowhere = np.zeros(rows.size), np.zeros(rows.size, np.int16)  # no measure looks at these
        trades = Trades(
            side=untold.astype(np.int8),
            entry_ts=columns["entry_ts"][rows].astype(np.int64),
            entry_price=untold,
            exit_ts=columns["exit_ts"][rows].astype(np.int64),
            exit_price=untold,
            quantity=untold,
            pnl=columns["pnl"][rows] * rate,
            fees=columns["fees"][rows] * rate,
            slippage=columns["slippage"][rows] * rate,
            exit_reason=np.full(rows.size, EXIT_REASONS.index(ExitReason.SIGNAL), np.int8),
            symbol=nowhere,
            strategy=nowhere,
            symbols=("",),
            strategies=("",),
        )
        return trades, float((columns["turned"][rows] * rate).sum())

    @cached_property
    def _columns(self) -> dict[str, Floats]:
        return {name: np.array(getattr(self.results, name), np.float64) for name in _NUMBERS}

    def _budgets(self, seats: Iterable[PastSeat], begun: Decimal) -> Decimal | None:
        """Return what bots began the time with: their budgets, and what they had won by then; None by hand alone."""
        total = sum((seat.budget * self.rates[seat.quote] for seat in seats), ZERO)
        return total + begun if total else None

    def own(self, seats: Iterable[PastSeat]) -> list[tuple[PastSeat, Curve]]:
        """Return ``seats`` with their curves, those that have one."""
        return [(seat, curve) for seat in seats if (curve := self.curves.get((seat.account, seat.bot))) is not None]

    def won_at(self, own: Iterable[tuple[PastSeat, Curve]], ts: int) -> Decimal:
        """Return what was won and lost until ``ts``."""
        return sum((_won_at(curve, seat, ts) * self.rates[seat.quote] for seat, curve in own), ZERO)

    def _held_at(self, accounts: Collection[str], ts: int) -> Decimal | None:
        """Return what ``accounts`` held at ``ts``; one that began later, what it began with."""
        total, any_known = ZERO, False
        for curve in self.whole:
            if curve.account in accounts and curve.quote in self.rates:
                any_known = True
                row = bisect_right(curve.ts, ts) - 1
                begun = ZERO
                if row < 0:
                    own = self.own(seat for seat in self.seats if seat.account == curve.account)
                    begun = sum((_won_at(won, seat, curve.ts[0]) for seat, won in own), ZERO)
                total += (curve.equity[max(row, 0)] - begun) * self.rates[curve.quote]
        return total if any_known else None


# -- pieces -----------------------------------------------------------------------------------------------------------


def span_of(curves: Sequence[Curve], wanted: Wanted) -> tuple[int, int]:
    """Return from when to when there is something to measure. What the first point tells has come of nothing."""
    first = min((curve.ts[0] for curve in curves), default=0) - MINUTE_MS
    last = max((curve.ts[-1] for curve in curves), default=0)
    start = max(first, wanted.since or first)
    return start, max(last, start)


def _won_at(curve: Curve, seat: PastSeat, ts: int) -> Decimal:
    row = bisect_right(curve.ts, ts) - 1
    return curve.equity[row] - seat.budget if row >= 0 else ZERO


def _on(grid: Ints, curve: Curve, budget: float) -> Floats:
    """Return what a bot has won at each time of ``grid``."""
    at = np.searchsorted(np.array(curve.ts, np.int64), grid, side="right")
    won = np.concatenate(([0.0], np.array(curve.equity, np.float64) - budget))
    return won[at]


def _grid(start: int, end: int) -> Ints:
    """Return the close times at which equity is measured after ``start``, up to ``end``: every minute of a day or less,
    every hour of 90 days, else every day. Equity is kept no finer than that."""
    step = MINUTE_MS if end - start <= DAY_MS else _HOUR_MS if end - start <= 90 * DAY_MS else DAY_MS
    count = -(-(end - start) // step)
    return end - step * np.arange(count - 1, -1, -1, dtype=np.int64)


def _exposure(trades: Trades, open_since: Iterable[int], span: tuple[int, int]) -> float:
    """Return the share of the time in which something was held."""
    start, end = span
    begins = np.concatenate((trades.entry_ts, [since for since in open_since if since])).astype(np.int64)
    ends = np.concatenate((trades.exit_ts, np.full(begins.size - len(trades), end))).astype(np.int64)
    order = np.argsort(begins, kind="stable")
    begins, ends = np.clip(begins[order], start, end), np.clip(ends[order], start, end)
    if not begins.size:
        return 0.0
    until = np.maximum.accumulate(ends)
    covered = np.concatenate(([start], until[:-1]))
    return float(np.maximum(ends - np.maximum(begins, covered), 0).sum()) / (end - start)
