"""The compiled simulator: the fill law of market/matching.py for one symbol's whole arrays of signals, in one pass.

It knows what a `SignalStrategy` can say: market entries and exits, stop-loss, take-profit, size as a fraction of
equity, one position at a time. A property test holds it to the event loop: the same trades to the tick. Money is
float64 here, an estimate good to about 1e-12 of equity; prices and quantities fall on the same steps as there, by the
same functions of market/costs.py.
"""

from collections.abc import Callable
from math import inf
from types import FunctionType
from typing import Any
from zlib import crc32

import numpy as np
from numba import njit

from cambist.domain.trade import EXIT_REASONS, ExitReason
from cambist.market import costs
from cambist.market.matching import DUST

SIGNAL = EXIT_REASONS.index(ExitReason.SIGNAL)
STOP = EXIT_REASONS.index(ExitReason.STOP_LOSS)
TARGET = EXIT_REASONS.index(ExitReason.TAKE_PROFIT)
OPEN = EXIT_REASONS.index(ExitReason.OPEN)

RULES = np.dtype(
    [
        ("fee", "f8"),  # fraction of the notional
        ("adverse", "f8"),  # fraction by which a market fill is worse than the price it acts at
        ("share", "f8"),  # of a candle's volume that one order may take; negative: no limit
        ("spot", "i8"),  # 1: no shorts
        ("tick_mul", "f8"),  # whole numbers; powers of ten are exact up to 1e22, beyond what integers hold
        ("tick_scale", "f8"),
        ("lot_mul", "f8"),
        ("lot_scale", "f8"),
        ("min_quantity", "f8"),
        ("min_notional", "f8"),
    ]
)
ACCOUNT = np.dtype(
    [
        ("cash", "f8"),
        ("traded", "f8"),  # notional of all fills
        ("sign", "i8"),  # of the position: +1 long, -1 short, 0 flat
        ("lots", "f8"),  # held; whole numbers, which integers of this size would not always hold
        ("stop", "f8"),  # price; -inf for a long without one, +inf for a short
        ("target", "f8"),
        ("exiting", "i8"),  # an exit acts at the next open
        ("why", "i8"),  # its reason
        ("entering", "i8"),  # an entry acts at the next open: +1 long, -1 short
        ("wish_lots", "f8"),
        ("wish_stop", "f8"),  # fractions of the entry price
        ("wish_target", "f8"),
        # the trade under way
        ("entry", "f8"),
        ("entry_ts", "i8"),
        ("bought", "f8"),  # lots
        ("proceeds", "f8"),
        ("paid", "f8"),  # fees
        ("slipped", "f8"),
        ("funded", "f8"),
        # what was counted
        ("trades", "i8"),
        ("candles_held", "i8"),
        ("short_on_spot", "i8"),
        ("contradiction", "i8"),
        ("no_size", "i8"),
        ("too_small", "i8"),
        ("no_cash", "i8"),
        ("expired", "i8"),
    ]
)
TRADE = np.dtype(
    [
        ("side", "i8"),
        ("entry_ts", "i8"),
        ("entry_price", "f8"),
        ("exit_ts", "i8"),
        ("exit_price", "f8"),
        ("quantity", "f8"),
        ("pnl", "f8"),
        ("fees", "f8"),
        ("slippage", "f8"),
        ("exit_reason", "i8"),
    ]
)

Compiled = Callable[..., Any]


def _compile(name: str, **callees: Compiled) -> Compiled:
    """Compile a function of market/costs.py, with compiled ones in place of those that it calls.

    Steps stay doubles: there may be more of them than a compiled integer holds.
    """
    plain = getattr(costs, name)
    twin = FunctionType(plain.__code__, {**vars(costs), "floor": np.floor, "ceil": np.ceil, **callees}, name)
    return njit(twin)  # type: ignore[no-any-return]


steps_down = _compile("steps_down")
steps_up = _compile("steps_up")
slipped_steps = _compile("slipped_steps", steps_down=steps_down, steps_up=steps_up)
level_steps = _compile("level_steps", steps_down=steps_down, steps_up=steps_up)
affordable = _compile("affordable", steps_down=steps_down)


@njit
def _slipped(rules, price, sign):
    return (
        slipped_steps(price, sign, rules.adverse, rules.tick_mul, rules.tick_scale) * rules.tick_mul / rules.tick_scale
    )


@njit
def _level(rules, price, sign, fraction):
    return level_steps(price, sign, fraction, rules.tick_mul, rules.tick_scale) * rules.tick_mul / rules.tick_scale


@njit
def _quantity(rules, lots):
    return lots * rules.lot_mul / rules.lot_scale


@njit
def _cap(rules, volume):
    """Return how many lots one order may take of a candle."""
    if rules.share < 0.0:
        return inf
    return steps_down(rules.share * volume, rules.lot_mul, rules.lot_scale)


@njit
def _fill(account, rules, sign, quantity, price, at):
    """Move money for a fill: ``sign`` +1 buys, -1 sells ``quantity`` at ``price``, having acted at ``at``."""
    fee = quantity * price * rules.fee
    account.cash -= sign * quantity * price + fee
    account.traded += quantity * price
    account.paid += fee
    account.slipped += abs(price - at) * quantity


@njit
def _enter(account, rules, ts, open_, cap):
    """Let the waiting entry act at ``open_``, as far as volume, cash and minimums allow."""
    way = account.entering
    price = _slipped(rules, open_, way)
    lots = min(account.wish_lots, cap)
    if _quantity(rules, lots) * price * (1.0 + rules.fee) > account.cash:
        lots = min(lots, affordable(account.cash, price, rules.fee, rules.lot_mul, rules.lot_scale))
        if lots * DUST < account.wish_lots:
            lots = 0
    quantity = _quantity(rules, lots)
    if lots <= 0 or quantity < rules.min_quantity or quantity * price < rules.min_notional:
        account.expired += 1
        return
    account.sign = way
    account.lots = lots
    account.bought = lots
    account.entry = price
    account.entry_ts = ts
    account.proceeds = 0.0
    account.paid = 0.0
    account.slipped = 0.0
    account.funded = 0.0
    _fill(account, rules, way, quantity, price, open_)
    account.stop = _level(rules, price, way, -account.wish_stop) if account.wish_stop > 0.0 else -inf * way
    account.target = _level(rules, price, way, account.wish_target) if account.wish_target > 0.0 else inf * way


@njit
def _leave(account, rules, trade, ts, at, why, cap):
    """Close the position at ``at`` as far as volume allows; the rest goes on at the next open."""
    price = _slipped(rules, at, -account.sign)
    lots = min(account.lots, cap)
    quantity = _quantity(rules, lots)
    _fill(account, rules, -account.sign, quantity, price, at)
    account.proceeds += quantity * price
    account.lots -= lots
    account.exiting = account.lots > 0
    account.why = why
    account.stop = -inf * account.sign
    account.target = inf * account.sign
    if account.lots == 0:
        _record(account, rules, trade, ts, why)


@njit
def _record(account, rules, trade, ts, why):
    """Write down the trade that has ended."""
    total = _quantity(rules, account.bought)
    trade.side = account.sign
    trade.entry_ts = account.entry_ts
    trade.entry_price = account.entry
    trade.exit_ts = ts
    trade.exit_price = account.proceeds / total
    trade.quantity = total
    trade.pnl = account.sign * (account.proceeds - total * account.entry) - account.paid - account.funded
    trade.fees = account.paid
    trade.slippage = account.slipped
    trade.exit_reason = why
    account.trades += 1
    account.sign = 0


@njit
def _fund(account, rules, price, rate):
    amount = account.sign * _quantity(rules, account.lots) * price * rate
    account.cash -= amount
    account.funded += amount


@njit
def _acting(account, open_, high, low):
    """Return at which price the stop or the target acts within a candle that reaches one of them, and which."""
    sign = account.sign
    if open_ * sign <= account.stop * sign:
        return open_, STOP
    if open_ * sign >= account.target * sign:
        return open_, TARGET
    if (low if sign > 0 else high) * sign <= account.stop * sign:
        return account.stop, STOP
    return account.target, TARGET


@njit
def decide(account, rules, close, equity, enter_long, enter_short, leave, size, stop_loss, take_profit):
    """Turn one row of signals into what acts at the next open; the order of the refusals is that of engine/core.py."""
    was_exiting = account.exiting
    if leave and not was_exiting:
        account.exiting = 1
        account.why = SIGNAL
    if not (enter_long or enter_short):
        return
    if enter_long and enter_short:
        account.contradiction += 1
        return
    way = 1 if enter_long else -1
    if way < 0 and rules.spot:
        account.short_on_spot += 1
        return
    if was_exiting or account.sign == way:
        return
    if account.sign != 0:
        account.exiting = 1
        account.why = SIGNAL
    wanted = size * equity / close
    if not (wanted > 0.0 and wanted < inf):
        account.no_size += 1
        return
    lots = steps_down(wanted, rules.lot_mul, rules.lot_scale)
    quantity = _quantity(rules, lots)
    if account.cash + account.sign * _quantity(rules, account.lots) * account.entry <= 0.0:
        account.no_cash += 1
    elif lots == 0 or quantity < rules.min_quantity or quantity * close < rules.min_notional:
        account.too_small += 1
    else:
        account.entering = way
        account.wish_lots = lots
        account.wish_stop = stop_loss
        account.wish_target = take_profit


@njit
def held_of(account, rules):
    """Return what each candle asks for, to be kept at hand: cash, signed quantity, and the prices that wake."""
    quantity = account.sign * _quantity(rules, account.lots)
    if account.sign == 0 or account.exiting:
        return account.cash, quantity, -inf, inf
    if account.sign > 0:
        return account.cash, quantity, account.stop, account.target
    return account.cash, quantity, account.target, account.stop


@njit
def pay(account, rules, funding_ts, funding_rate, paid, until, opened, before, open_):
    """Exchange the funding due before ``until``: at the open of the candle that ``opened``, in a gap at ``before``.

    Return how many of the payments lie behind.
    """
    while paid < funding_ts.size and funding_ts[paid] < until:
        if account.sign != 0:
            _fund(account, rules, open_ if funding_ts[paid] >= opened else before, funding_rate[paid])
        paid += 1
    return paid


@njit
def at_open(account, rules, trade, ts, open_, volume):
    """Let act what waits for the open of a candle."""
    cap = _cap(rules, volume)
    if account.exiting and cap > 0:
        _leave(account, rules, trade, ts, open_, account.why, cap)
    if account.entering != 0:
        if account.sign == 0:
            _enter(account, rules, ts, open_, cap)
        else:
            account.expired += 1  # the exit that must come first did not complete
        account.entering = 0


@njit
def in_range(account, rules, trade, ts, open_, high, low, volume):
    """Let the stop or the target act within a candle that reaches one of them."""
    cap = _cap(rules, volume)
    if cap > 0:
        at, why = _acting(account, open_, high, low)
        _leave(account, rules, trade, ts, at, why, cap)


@njit
def at_end(account, rules, trade, ts, close):
    """Write down the trade that is still open, valued at the last ``close``."""
    if account.sign != 0:
        account.proceeds += _quantity(rules, account.lots) * close
        _record(account, rules, trade, ts, OPEN)


def _build(stamp: int) -> Compiled:
    @njit(cache=True, nogil=True, error_model="numpy")
    def simulate(
        ts, closes_at, open_, high, low, close, volume,
        enter_long, exit_long, enter_short, exit_short, stop_loss, take_profit, size,
        funding_ts, funding_rate, rules, account, equity, trades,
    ):  # fmt: skip
        """Run through all candles; fill ``equity`` (one value per candle), ``trades`` and ``account``."""
        _ = stamp
        paid = 0
        waiting = False  # whether something acts at the next open
        cash, held, below, above = held_of(account, rules)
        for i in range(ts.size):
            due = paid < funding_ts.size and funding_ts[paid] < closes_at[i]
            if due:
                paid = pay(
                    account, rules, funding_ts, funding_rate, paid, ts[i] + 1, ts[i], close[i - 1], open_[i]
                )  # fmt: skip
            if waiting:
                at_open(account, rules, trades[account.trades], ts[i], open_[i], volume[i])
                waiting = account.exiting != 0
                cash, held, below, above = held_of(account, rules)
            if due:
                paid = pay(
                    account, rules, funding_ts, funding_rate, paid, closes_at[i], ts[i], close[i - 1], open_[i]
                )  # fmt: skip
                cash = account.cash
            if low[i] <= below or high[i] >= above:
                in_range(account, rules, trades[account.trades], ts[i], open_[i], high[i], low[i], volume[i])
                waiting = account.exiting != 0
                cash, held, below, above = held_of(account, rules)
            equity[i] = cash + held * close[i]
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
                    account, rules, close[i], equity[i], into_long, into_short, leave,
                    size[i if size.size > 1 else 0],
                    stop_loss[i if stop_loss.size > 1 else 0],
                    take_profit[i if take_profit.size > 1 else 0],
                )  # fmt: skip
                waiting = account.exiting != 0 or account.entering != 0
        at_end(account, rules, trades[account.trades], ts[-1], close[-1])

    return simulate  # type: ignore[no-any-return]


def _stamp() -> int:
    """Return a number that changes with what is compiled in from other files, or from this one into other kernels.

    Numba keeps compiled kernels on disk and looks only at a kernel's own file to see whether they are stale; closed
    over by the kernel, this number makes it look at what is compiled into it as well. What a kernel calls is not kept
    by itself: it has no such number.
    """
    plain = [value for value in vars(costs).values() if isinstance(value, FunctionType)]
    own = [_compile, *(value.py_func for value in globals().values() if hasattr(value, "py_func"))]
    code = b"".join(
        f.__code__.co_code + repr((f.__code__.co_consts, f.__code__.co_names)).encode() for f in plain + own
    )
    return crc32(code + repr((DUST, ACCOUNT.descr, RULES.descr, TRADE.descr)).encode())


STAMP = _stamp()
simulate = _build(STAMP)
