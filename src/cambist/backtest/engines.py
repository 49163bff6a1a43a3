"""The two engines behind one backtest: the event loop, and the compiled simulator for whole arrays of signals."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, localcontext
from functools import partial
from operator import attrgetter
from typing import Any

import numpy as np
import numpy.typing as npt

from cambist.backtest.loop import Feed, Loop, Progress
from cambist.backtest.result import Settings, markets_of
from cambist.domain.candles import Candles
from cambist.domain.errors import BadInput, StrategyFailed
from cambist.domain.instrument import Instrument, Kind
from cambist.domain.refusal import Reason, Refused
from cambist.domain.trade import EXIT_REASONS, ExitReason, Trades
from cambist.domain.wish import Wish
from cambist.engine.runners import Given, Runner, bind
from cambist.engine.state import Bot, ClosedTrade, State
from cambist.market.costs import BPS, step_parts
from cambist.market.grid import close_times
from cambist.market.matching import Book, Costs
from cambist.strategies._base import Account

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Funding = tuple[Ints, Floats]

_DIGITS = 60  # of Decimals while a backtest runs: more than any sum of exact fills needs


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One series of candles for a strategy to trade."""

    id: str
    name: str
    candles: Candles
    instrument: Instrument
    funding: Funding
    detail: Candles | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat(Place):
    """One strategy on one series of candles."""

    strategy: Given


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What either engine gives."""

    engine: str
    runners: tuple[Runner, ...]
    """Per seat."""
    events: tuple[Sequence[int], ...]
    """Per seat, the candles at which something was wished."""
    ts: Ints
    equity: Floats
    trades: Trades
    exposure: float
    """Share of the candles at whose close something was held."""
    traded: float
    """Notional of all fills."""
    refused: Counter[Reason]


# -- the event loop ---------------------------------------------------------------------------------------------------


class _Purse:
    """What strategies may know of the account."""

    def __init__(self, state: State, bot: Bot) -> None:
        self._state = state
        self._bot = bot

    def equity(self, price: float) -> float:
        self._bot.mark = price
        return float(self._state.equity())

    def cash(self) -> float:
        return float(self._state.free_cash())


def looped(
    seats: Sequence[Seat], settings: Settings, progress: Progress | None = None, *, since: int | None = None
) -> Outcome:
    """Run ``seats`` through the event loop, from one account; trade only on candles that open at ``since`` (ms)."""
    state = State(cash=Decimal(str(settings.cash)))
    with localcontext(prec=_DIGITS):
        feeds = [_feed(seat, settings, state, partial(_bound, seat, settings.cash)) for seat in seats]
        starts = [first_row(seat.candles, since) for seat in seats]
        for feed, start in zip(feeds, starts, strict=True):
            feed.runner.first = max(feed.runner.first, start)
        loop = Loop(state, feeds)
        loop.run(progress)
        trades = state.trades + [_still_open(feed) for feed in feeds if feed.bot.position]
    closes = [close_times(seat.candles)[start:] for seat, start in zip(seats, starts, strict=True)]
    ts = closes[0] if len(closes) == 1 else np.unique(np.concatenate(closes))
    equity = _steps(loop.cash, ts)
    held = np.zeros(ts.size, dtype=np.bool_)
    for feed in feeds:
        quantity = _steps([(0, 0.0), *feed.held], ts)
        held |= quantity != 0.0
        equity += quantity * _last_known(feed, ts)
    return Outcome(
        engine="event loop",
        runners=tuple(feed.runner for feed in feeds),
        events=tuple(feed.decided for feed in feeds),
        ts=ts,
        equity=equity,
        trades=_trades_of(trades, seats),
        exposure=float(held.mean()) if ts.size else 0.0,
        traded=float(loop.traded),
        refused=Counter(refused.reason for refused in state.refused),
    )


def first_row(candles: Candles, since: int | None) -> int:
    """Return the position of the first candle that opens at ``since`` (ms) or later; raise `BadInput` below two."""
    if since is None:
        return 0
    first = int(candles.ts.searchsorted(since))
    if len(candles) - first < 2:
        raise BadInput("since", since, "backtest.too_few")
    return first


def share_of(candles: Candles, settings: Settings) -> float | None:
    """Return which share of a candle's volume one order may take; None for candles that carry none at all."""
    return settings.volume_share if candles.volume.any() else None


def _bound(seat: Seat, cash: float, account: Account) -> Runner:
    return bind(seat.strategy, seat.candles, seat.instrument, cash=cash, account=account)


def _feed(place: Place, settings: Settings, state: State, bound: Callable[[Account], Runner]) -> Feed:
    bot = Bot(place.id, place.instrument, settings.pyramiding)
    state.bots[place.id] = bot
    runner = bound(_Purse(state, bot))
    maker = settings.fee_bps if settings.maker_fee_bps is None else settings.maker_fee_bps
    costs = Costs(
        maker_fee_bps=maker,
        taker_fee_bps=settings.fee_bps,
        slippage_bps=settings.slippage_bps,
        spread_bps=settings.spread_bps,
        volume_share=share_of(place.candles, settings),
        limit_touch=settings.limit_touch,
    )
    return Feed(
        bot=bot,
        book=Book(place.instrument, costs),
        runner=runner,
        candles=place.candles,
        closes_at=close_times(place.candles).data,
        detail=place.detail,
        funding_ts=place.funding[0],
        funding_rate=place.funding[1],
    )


def _still_open(feed: Feed) -> ClosedTrade:
    return still_open(feed.bot, feed.ts[-1], feed.close[-1])


def still_open(bot: Bot, ts: int, close: float) -> ClosedTrade:
    """Return the trade that ``bot`` has under way, valued at the ``close`` of the candle that opened at ``ts``."""
    held = abs(bot.position.quantity)
    sign = 1 if bot.position.quantity > 0 else -1
    proceeds = bot.proceeds + held * Decimal(repr(close))
    return ClosedTrade(
        bot=bot.id,
        sign=sign,
        entry_ts=bot.entry_ts,
        entry_price=bot.spent / bot.bought,
        exit_ts=ts,
        exit_price=proceeds / bot.bought,
        quantity=bot.bought,
        pnl=sign * (proceeds - bot.spent) - bot.fees - bot.funding,
        fees=bot.fees,
        slippage=bot.slippage,
        reason=ExitReason.OPEN,
    )


def _steps(changes: Sequence[tuple[int, float]], ts: Ints) -> Floats:
    """Return, at each of ``ts``, the last of ``changes`` (time, value) made by then."""
    times = np.array([when for when, _ in changes], dtype=np.int64)
    values = np.array([value for _, value in changes])
    starts = np.append(np.searchsorted(ts, times), ts.size)
    return np.repeat(values, np.diff(starts))


def _last_known(feed: Feed, ts: Ints) -> Floats:
    """Return the last close of a feed at each of ``ts``; 0 before the first, when nothing can be held."""
    rows = np.searchsorted(np.array(feed.closes_at, dtype=np.int64), ts, side="right") - 1
    return np.where(rows >= 0, feed.candles.close[np.maximum(rows, 0)], 0.0)


def _trades_of(trades: Sequence[ClosedTrade], seats: Sequence[Seat]) -> Trades:
    markets = markets_of(seat.candles for seat in seats)
    symbols, names = tuple(dict.fromkeys(markets)), tuple(dict.fromkeys(seat.name for seat in seats))
    place = {
        seat.id: (symbols.index(market), names.index(seat.name)) for seat, market in zip(seats, markets, strict=True)
    }
    why = {reason: number for number, reason in enumerate(EXIT_REASONS)}

    def column(field: str, dtype: type[np.generic] = np.float64) -> npt.NDArray[Any]:
        return np.array(list(map(attrgetter(field), trades)), dtype=dtype)

    return Trades(
        side=column("sign", np.int8),
        entry_ts=column("entry_ts", np.int64),
        entry_price=column("entry_price"),
        exit_ts=column("exit_ts", np.int64),
        exit_price=column("exit_price"),
        quantity=column("quantity"),
        pnl=column("pnl"),
        fees=column("fees"),
        slippage=column("slippage"),
        exit_reason=np.array([why[trade.reason] for trade in trades], dtype=np.int8),
        symbol=np.array([place[trade.bot][0] for trade in trades], dtype=np.int16),
        strategy=np.array([place[trade.bot][1] for trade in trades], dtype=np.int16),
        symbols=symbols,
        strategies=names,
    )


# -- what a live bot saw ----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Retraced:
    """What a backtest makes of what a live bot saw."""

    trades: list[ClosedTrade]
    """Exact, in the order in which they ended; one that is still open comes last, valued at the last close."""
    refused: list[Refused]
    wishes: dict[int, tuple[Wish, ...]] = field(default_factory=dict)
    """By the open time of the candle on which they were decided."""
    failed: StrategyFailed | None = None
    """What the strategy raised; it was not asked again."""


def retrace(
    place: Place, bound: Callable[[Account], Runner], settings: Settings, cash: Decimal, asked: Sequence[bool]
) -> Retraced:
    """Run what ``bound`` gives from ``cash`` through the event loop; decide only on the candles that ``asked`` marks.

    What waits in the book acts within all of them. ``cash`` counts, not that of ``settings``.
    """
    state = State(cash=cash)
    found = Retraced(state.trades, state.refused)
    with localcontext(prec=_DIGITS):
        feed = _feed(place, replace(settings, cash=float(cash)), state, bound)
        decide = feed.runner.decide

        def asked_only(i: int) -> tuple[Wish, ...]:
            if not asked[i] or found.failed is not None:
                return ()
            try:
                wishes = decide(i)
            except StrategyFailed as error:
                found.failed = error
                return ()
            if wishes:
                found.wishes[int(feed.ts[i])] = wishes
            return wishes

        feed.runner.decide = asked_only
        Loop(state, [feed]).run()
        if feed.bot.position:
            state.trades.append(_still_open(feed))
    return found


# -- the compiled simulator -------------------------------------------------------------------------------------------


def compiled(seat: Seat, settings: Settings, *, since: int | None = None) -> Outcome:
    """Run one `SignalStrategy` through the compiled simulator; trade only on candles that open at ``since`` (ms)."""
    from cambist.backtest import compiled as kernel

    runner = bind(seat.strategy, seat.candles, seat.instrument, cash=settings.cash)
    start = first_row(seat.candles, since)
    candles = seat.candles[start:]
    columns = {name: column[start:] if column.size > 1 else column for name, column in runner.columns.items()}
    entries = np.count_nonzero(columns["enter_long"]) + np.count_nonzero(columns["enter_short"])
    settings = replace(settings, volume_share=share_of(seat.candles, settings))
    rules, account = rules_of(seat.instrument, settings), np.zeros(1, kernel.ACCOUNT)
    account["cash"] = settings.cash
    equity = np.empty(len(candles))
    table = np.zeros(int(entries) + 1, kernel.TRADE)
    closes_at = close_times(candles)
    read = (
        candles.ts, closes_at, candles.open, candles.high, candles.low, candles.close, candles.volume,
        *(columns[name] for name in ("enter_long", "exit_long", "enter_short", "exit_short")),
        *(columns[name] for name in ("stop_loss", "take_profit", "size")),
        *seat.funding,
    )  # fmt: skip
    kernel.simulate(*map(frozen, read), rules, account[0], equity, table)
    counts = account[0]
    refused = {
        Reason.SHORT_ON_SPOT: counts["short_on_spot"],
        Reason.CONTRADICTION: counts["contradiction"],
        Reason.NO_SIZE: counts["no_size"],
        Reason.BELOW_MIN_NOTIONAL: counts["too_small"],
        Reason.NO_CASH: counts["no_cash"],
        Reason.EXPIRED: counts["expired"],
    }
    return Outcome(
        engine="compiled",
        runners=(runner,),
        events=((start + np.flatnonzero(columns["enter_long"] | columns["enter_short"])).tolist(),),
        ts=closes_at,
        equity=equity,
        trades=trades_of(table[: counts["trades"]], seat),
        exposure=float(counts["candles_held"] / max(1, len(candles))),
        traded=float(counts["traded"]),
        refused=Counter({reason: int(count) for reason, count in refused.items() if count}),
    )


def frozen(array: Any) -> Any:
    """Return a view of ``array`` that cannot be written into: kernels are compiled once for each mix of these."""
    view = array.view()
    view.flags.writeable = False
    return view


def rules_of(instrument: Instrument, settings: Settings) -> Any:
    """Return what the compiled simulator needs to know of an instrument and of costs: one `RULES` record."""
    from cambist.backtest.compiled import RULES

    rules = np.zeros(1, RULES)
    rules["fee"] = settings.fee_bps * BPS
    rules["adverse"] = (settings.slippage_bps + settings.spread_bps / 2.0) * BPS
    rules["share"] = -1.0 if settings.volume_share is None else settings.volume_share
    rules["spot"] = instrument.kind is not Kind.PERPETUAL
    rules["tick_mul"], rules["tick_scale"] = step_parts(instrument.tick_size)
    rules["lot_mul"], rules["lot_scale"] = step_parts(instrument.lot_step)
    rules["min_quantity"] = float(instrument.min_quantity)
    rules["min_notional"] = float(instrument.min_notional)
    return rules[0]


def trades_of(table: npt.NDArray[np.void], seat: Seat) -> Trades:
    """Return the trades of ``seat`` that the compiled simulator wrote down in a `TRADE` table."""

    def column(name: str, dtype: type[np.generic]) -> npt.NDArray[Any]:
        return np.ascontiguousarray(table[name], dtype=dtype)

    nothing = np.zeros(table.size, dtype=np.int16)
    return Trades(
        side=column("side", np.int8),
        entry_ts=column("entry_ts", np.int64),
        entry_price=column("entry_price", np.float64),
        exit_ts=column("exit_ts", np.int64),
        exit_price=column("exit_price", np.float64),
        quantity=column("quantity", np.float64),
        pnl=column("pnl", np.float64),
        fees=column("fees", np.float64),
        slippage=column("slippage", np.float64),
        exit_reason=column("exit_reason", np.int8),
        symbol=nothing,
        strategy=nothing,
        symbols=(seat.instrument.symbol,),
        strategies=(seat.name,),
    )
