"""One combination straight from its signals to what its figures need, without an array of its equity.

The law is that of `cambist.backtest.compiled`, whose steps are called here; what differs is the way through history.
While nothing is held the next candle that matters is the next entry signal; while something is held it is the next one
that reaches stop or target, gives a signal, owes funding, or makes a new peak or a new depth of equity. What lies
between is counted by the length of it: the sum of equity by a running sum of closes, the drawdown not at all.
"""

import numpy as np
from numba import njit

from cambist.backtest.compiled import STAMP, Compiled, at_end, at_open, decide, held_of, in_range, pay

COURSE = np.dtype(
    [
        ("sum", "f8"),  # of equity at all closes
        ("final", "f8"),
        ("peak", "f8"),
        ("peak_row", "i8"),  # the candle of its close; -1: the start
        ("start_ts", "i8"),
        ("worst", "f8"),  # drawdown, 0 to -1
        ("floor", "f8"),  # equity below which the drawdown is a new worst
        ("longest", "i8"),  # time from a peak to its recovery (ms)
        ("below", "i8"),  # whether equity lies below its peak
    ]
)
_WIDE = 16
"""Candles that are looked at in one go: so many comparisons at once are a few instructions."""
_SLACK = 1e-14
"""By how much, of the sums involved, a price is called a new peak too early: it is looked at exactly then."""


@njit(inline="always")
def _next(flags, i, stop):
    """Return the first candle from ``i`` on that is flagged, ``stop`` if none is; one flag alone is none at all."""
    if flags.size == 1:
        return stop
    while i + _WIDE <= stop:
        found = False
        for k in range(_WIDE):
            found |= flags[i + k]
        if found:
            break
        i += _WIDE
    while i < stop and not flags[i]:
        i += 1
    return i


@njit(inline="always")
def _reached(low, high, i, stop, below, above):
    """Return the first candle from ``i`` on that reaches one of two prices, ``stop`` if none does."""
    while i + _WIDE <= stop:
        found = False
        for k in range(_WIDE):
            found |= (low[i + k] <= below) | (high[i + k] >= above)
        if found:
            break
        i += _WIDE
    while i < stop and not (low[i] <= below or high[i] >= above):
        i += 1
    return i


@njit(inline="always")
def _lowest(values, i, stop):
    """Return the least of some values, of which there is at least one, and their sum."""
    lowest = values[i]
    one, two, three, four = 0.0, 0.0, 0.0, 0.0  # added up side by side, for one sum waits for each value
    while i + 4 <= stop:
        lowest = min(lowest, min(min(values[i], values[i + 1]), min(values[i + 2], values[i + 3])))
        one += values[i]
        two += values[i + 1]
        three += values[i + 2]
        four += values[i + 3]
        i += 4
    while i < stop:
        lowest = min(lowest, values[i])
        one += values[i]
        i += 1
    return lowest, (one + two) + (three + four)


@njit(inline="always")
def _highest(values, i, stop):
    """Return the greatest of some values, of which there is at least one, and their sum."""
    highest = values[i]
    one, two, three, four = 0.0, 0.0, 0.0, 0.0
    while i + 4 <= stop:
        highest = max(highest, max(max(values[i], values[i + 1]), max(values[i + 2], values[i + 3])))
        one += values[i]
        two += values[i + 1]
        three += values[i + 2]
        four += values[i + 3]
        i += 4
    while i < stop:
        highest = max(highest, values[i])
        one += values[i]
        i += 1
    return highest, (one + two) + (three + four)


@njit(inline="always")
def _underwater(course, closes_at, value, first, last):
    """Take note of equity that is ``value`` at the closes of all candles from ``first`` to ``last``.

    This is `cambist.analytics._kernels.underwater`, value by value.
    """
    if value >= course.peak:
        if course.below:
            course.longest = max(course.longest, closes_at[first] - _peak_ts(course, closes_at))
            course.below = 0
        course.peak, course.peak_row = value, last
        course.floor = value * (1.0 + course.worst)
    else:
        course.below = 1
        if value < course.floor:
            course.floor = max(value, 0.0)
            course.worst = course.floor / course.peak - 1.0


@njit(inline="always")
def _peak_ts(course, closes_at):
    return closes_at[course.peak_row] if course.peak_row >= 0 else course.start_ts


def _build(stamp: int) -> Compiled:
    # _nrt=False: it makes no array, and need not count who refers to its columns, which would take most of its time
    @njit(cache=True, nogil=True, error_model="numpy", _nrt=False)
    def trade(
        start, ts, closes_at, open_, high, low, close, volume,
        enter_long, exit_long, enter_short, exit_short, stop_loss, take_profit, size,
        funding_ts, funding_rate, funding_rows, rows, rules, account, course, trades, sampled,
    ):  # fmt: skip
        """Trade the candles from ``start`` on; fill ``account``, ``course``, ``trades``, and ``sampled`` at ``rows``.

        ``trades`` has candles in place of times; ``funding_rows`` are the candles at or before which funding is paid.
        """
        _ = stamp
        i, stop, paid, seen = start, ts.size, 0, 0
        to_long = to_short = from_long = from_short = start - 1  # the next candle flagged, as far as it was looked for
        total, waiting = 0.0, False
        cash, held, below, above = held_of(account, rules)
        while i < stop:
            if not waiting:
                if held == 0.0:
                    if to_long < i:
                        to_long = _next(enter_long, i, stop)
                    if to_short < i:
                        to_short = _next(enter_short, i, stop)
                    k = min(to_long, to_short)
                    if k > i:
                        _underwater(course, closes_at, cash, i, k - 1)
                        total += (k - i) * cash
                else:
                    while paid < funding_rows.size and funding_rows[paid] < i:
                        paid += 1  # while nothing was held
                    limit = min(stop, funding_rows[paid]) if paid < funding_rows.size else stop
                    if held > 0.0:
                        if from_long < i:
                            from_long = _next(exit_long, i, stop)
                        limit = min(limit, from_long)
                        if rules.spot == 0:
                            if to_short < i:
                                to_short = _next(enter_short, i, stop)
                            limit = min(limit, to_short)
                    else:
                        if from_short < i:
                            from_short = _next(exit_short, i, stop)
                        if to_long < i:
                            to_long = _next(enter_long, i, stop)
                        limit = min(limit, from_short, to_long)
                    # a close beyond which equity may be a new peak; short of it, the stretch lies below the peak
                    slack = _SLACK * (abs(course.peak) + abs(cash)) / abs(held)
                    if held > 0.0:
                        tall = (course.peak - cash) / held - slack
                        k = _reached(low, high, i, limit, below, min(above, tall))
                    else:
                        deep = (course.peak - cash) / held + slack
                        k = _reached(low, high, i, limit, max(below, deep), above)
                    if k > i:
                        worst, added = _lowest(close, i, k) if held > 0.0 else _highest(close, i, k)
                        _underwater(course, closes_at, cash + held * worst, i, k - 1)
                        total += (k - i) * cash + held * added
                        account.candles_held += k - i
                while seen < rows.size and rows[seen] < k:
                    sampled[seen] = cash + held * close[rows[seen]]
                    seen += 1
                i = k
                if i >= stop:
                    break
            # from here on this is one candle as in `compiled.simulate`
            while paid < funding_rows.size and funding_rows[paid] < i:
                paid += 1
            due = paid < funding_rows.size and funding_rows[paid] == i
            if due:
                paid = pay(
                    account, rules, funding_ts, funding_rate, paid, ts[i] + 1, ts[i], close[i - 1], open_[i]
                )  # fmt: skip
            if waiting:
                at_open(account, rules, trades[account.trades], i, open_[i], volume[i] if rules.share >= 0.0 else 0.0)
                waiting = account.exiting != 0
                cash, held, below, above = held_of(account, rules)
            if due:
                paid = pay(
                    account, rules, funding_ts, funding_rate, paid, closes_at[i], ts[i], close[i - 1], open_[i]
                )  # fmt: skip
                cash = account.cash
            if held != 0.0 and (low[i] <= below or high[i] >= above):
                traded = volume[i] if rules.share >= 0.0 else 0.0
                in_range(account, rules, trades[account.trades], i, open_[i], high[i], low[i], traded)
                waiting = account.exiting != 0
                cash, held, below, above = held_of(account, rules)
            equity = cash + held * close[i] if held != 0.0 else cash
            _underwater(course, closes_at, equity, i, i)
            total += equity
            while seen < rows.size and rows[seen] == i:
                sampled[seen] = equity
                seen += 1
            leave = False
            if held != 0.0:
                account.candles_held += 1
                if held > 0.0:
                    leave = exit_long[i if exit_long.size > 1 else 0]
                else:
                    leave = exit_short[i if exit_short.size > 1 else 0]
            into_long = enter_long[i if enter_long.size > 1 else 0]
            into_short = enter_short[i if enter_short.size > 1 else 0]
            if leave or into_long or into_short:
                decide(
                    account, rules, close[i], equity, into_long, into_short, leave,
                    size[i if size.size > 1 else 0],
                    stop_loss[i if stop_loss.size > 1 else 0],
                    take_profit[i if take_profit.size > 1 else 0],
                )  # fmt: skip
                waiting = account.exiting != 0 or account.entering != 0
            i += 1
        if course.below:
            course.longest = max(course.longest, closes_at[-1] - _peak_ts(course, closes_at))
        course.sum = total
        course.final = cash + held * close[-1]
        at_end(account, rules, trades[account.trades], stop - 1, close[-1])

    return trade  # type: ignore[no-any-return]


trade = _build(STAMP)
