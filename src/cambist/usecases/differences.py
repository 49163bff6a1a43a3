"""Trades beside trades: which are the same, in what the others differ, what it cost, and what the journal says of why.

Pure. Trades are matched by the candle on which they were decided, else by the candle in which they were entered. Of a
matched pair one property after the other is put to its live value (size, entry, exit, fees, funding), and what each
step makes of the profit is its money; so the parts add up to the whole.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

from cambist.backtest.engines import Retraced
from cambist.domain.position import ZERO
from cambist.domain.record import record
from cambist.domain.timeframe import Timeframe
from cambist.domain.trade import ExitReason
from cambist.domain.wish import Enter, Wish
from cambist.engine.chronicle import Chronicle, Course, Deal, Why, why
from cambist.engine.state import ClosedTrade
from cambist.usecases.figures import SAME, Figures, alike


class Cause(StrEnum):
    """In what two sides differ. Texts: ``parity.cause.<cause>``."""

    PRICE = "price"
    TIME = "time"
    MISSING = "missing"
    """The backtest would have traded; the bot did not."""
    EXTRA = "extra"
    """The bot traded; the backtest would not have."""
    SIZE = "size"
    FEE = "fee"
    FUNDING = "funding"


@record(kw_only=True)
class Difference:
    """One thing in which a trade is not what the backtest would have made of it."""

    ts: int
    """Open time (ms) of the candle of the entry or exit that differs."""
    cause: Cause
    leg: str
    """``entry``, ``exit`` or ``trade``. Texts: ``parity.leg.<leg>``."""
    live: str
    tested: str
    """The two values as text: a price, a time (ms), a quantity, basis points, a side; empty if there is none."""
    money: Decimal
    """What it made of the profit, in quote currency: positive if live came off better."""
    why: Why


@record(kw_only=True)
class Matched:
    """A trade as each side had it. Times are those of candles."""

    live: ClosedTrade | None
    tested: ClosedTrade | None
    differences: tuple[Difference, ...] = ()

    def within(self, since: int, until: int) -> bool:
        """Tell whether either side entered or ended in ``[since, until)`` (ms)."""
        return any(
            since <= ts < until
            for one in (self.live, self.tested)
            if one is not None
            for ts in (one.entry_ts, *(() if one.reason is ExitReason.OPEN else (one.exit_ts,)))
        )


@dataclass(frozen=True, slots=True)
class Known:
    """What the two sides and the market tell about why they differ."""

    told: Chronicle
    retraced: Retraced
    timeframe: Timeframe
    absent: Sequence[int]
    """Open times of the candles that the bot never saw."""
    ts: Sequence[int]
    """Open times of those that it saw."""


def compare(live: Sequence[Deal], tested: Sequence[ClosedTrade], known: Known) -> list[Matched]:
    """Return all trades of both sides, matched, by the time of their entry."""
    candle = known.timeframe.floor
    ours = [(deal.course, _on_candles(deal.trade, known.timeframe)) for deal in live]
    decisions = _Decisions(known.retraced)
    theirs = {id(one): (decisions.of(one), one) for one in tested}
    pairs: list[tuple[Course, ClosedTrade, ClosedTrade | None]] = []
    for keys in ("decision", "entry"):
        by_key = {(_key(keys, decided, one), one.sign): name for name, (decided, one) in theirs.items()}
        rest = []
        for course, trade in ours:
            name = by_key.pop((_key(keys, candle(course.decided_ts), trade), trade.sign), None)
            if name is None:
                rest.append((course, trade))
            else:
                pairs.append((course, trade, theirs.pop(name)[1]))
        ours = rest
    pairs += [(course, trade, None) for course, trade in ours]
    return _Judge(known, pairs, list(theirs.values())).matched()


def _on_candles(trade: ClosedTrade, timeframe: Timeframe) -> ClosedTrade:
    return replace(trade, entry_ts=timeframe.floor(trade.entry_ts), exit_ts=timeframe.floor(trade.exit_ts))


def _key(kind: str, decided: int, trade: ClosedTrade) -> int:
    return decided if kind == "decision" else trade.entry_ts


class _Decisions:
    """On which candle the backtest decided on a trade: that of its side's last entry that was taken."""

    def __init__(self, retraced: Retraced) -> None:
        refused = {one.ts for one in retraced.refused}
        self._taken: dict[int, list[int]] = {1: [], -1: []}
        for ts, wishes in sorted(retraced.wishes.items(), key=lambda one: one[0]):
            if ts not in refused:
                for sign in {wish.side.sign for wish in wishes if isinstance(wish, Enter)}:
                    self._taken[sign].append(ts)

    def of(self, trade: ClosedTrade) -> int:
        """Return the open time of that candle; 0 if there is none."""
        taken = self._taken[trade.sign]
        at = bisect_left(taken, trade.entry_ts)
        return taken[at - 1] if at else 0


class _Judge:
    def __init__(
        self,
        known: Known,
        pairs: list[tuple[Course, ClosedTrade, ClosedTrade | None]],
        alone: list[tuple[int, ClosedTrade]],
    ) -> None:
        self._known = known
        self._told, self._retraced = known.told, known.retraced
        self._pairs = pairs
        self._alone = alone
        self._live = [trade for _, trade, _ in pairs]
        self._tested = [*(one for _, one in alone), *(tested for _, _, tested in pairs if tested is not None)]

    def matched(self) -> list[Matched]:
        found = [
            Matched(live=live, tested=tested, differences=tuple(self._pair(course, live, tested)))
            if tested is not None
            else Matched(live=live, tested=None, differences=(self._extra(course, live),))
            for course, live, tested in self._pairs
        ]
        found += [Matched(live=None, tested=one[1], differences=(self._missing(*one),)) for one in self._alone]
        return sorted(found, key=_entered)

    # -- one side alone -----------------------------------------------------------------------------------------------

    def _missing(self, decided: int, trade: ClosedTrade) -> Difference:
        holding = _holding(self._live, decided, self._known.timeframe)
        reason = (
            (why("parity.why.in_trade", when=moment(holding.entry_ts)) if holding is not None else None)
            or self._told.nothing.get(decided)
            or self._not_seen(decided, trade.entry_ts)
            or self._decided_otherwise(decided)
        )
        return Difference(
            ts=trade.entry_ts,
            cause=Cause.MISSING,
            leg="trade",
            live="",
            tested=_summary(trade),
            money=-trade.pnl,
            why=reason or why("parity.why.silent"),
        )

    def _extra(self, course: Course, trade: ClosedTrade) -> Difference:
        decided = course.decided_ts
        holding = _holding(self._tested, decided, self._known.timeframe)
        refused = next((one.reason for one in self._retraced.refused if one.ts == decided), None)
        reason = (
            (why("parity.why.by_hand") if decided in self._told.by_hand else None)
            or (why("parity.why.tested_in_trade", when=moment(holding.entry_ts)) if holding is not None else None)
            or (None if refused is None else why("parity.why.tested_refused", texts={"about": f"refused.{refused}"}))
            or self._not_seen(decided, trade.entry_ts)
            or self._decided_otherwise(decided)
        )
        return Difference(
            ts=trade.entry_ts,
            cause=Cause.EXTRA,
            leg="trade",
            live=_summary(trade),
            tested="",
            money=trade.pnl,
            why=reason or why("parity.why.silent"),
        )

    # -- a pair -------------------------------------------------------------------------------------------------------

    def _pair(self, course: Course, live: ClosedTrade, tested: ClosedTrade) -> Iterable[Difference]:
        now = Figures.of(tested)
        then = Figures.of(live)
        for field, cause, leg, values, reason in (
            ("quantity", Cause.SIZE, "trade", _text(then.quantity, now.quantity), self._why_size),
            ("entry", *self._leg("entry", live, tested), self._why_entry),
            ("exit", *self._leg("exit", live, tested), self._why_exit),
            ("fee_rate", Cause.FEE, "trade", (_bps(then.fee_rate), _bps(now.fee_rate)), self._why_fee),
            ("funding", Cause.FUNDING, "trade", _text(then.funding, now.funding), self._why_funding),
        ):
            moved = replace(now, **{field: getattr(then, field)})
            if field == "exit":
                moved = replace(moved, ended=then.ended)
            differs = cause is Cause.TIME or not alike(getattr(then, field), getattr(now, field), then.scale(field))
            if differs:
                at = live.exit_ts if leg == "exit" else live.entry_ts
                yield Difference(
                    ts=at,
                    cause=cause,
                    leg=leg,
                    live=values[0],
                    tested=values[1],
                    money=moved.pnl - now.pnl,
                    why=reason(course, live, tested, cause),
                )
            now = moved

    def _leg(self, leg: str, live: ClosedTrade, tested: ClosedTrade) -> tuple[Cause, str, tuple[str, str]]:
        times = [getattr(one, f"{leg}_ts") for one in (live, tested)]
        if leg == "exit":
            times = [0 if one.reason is ExitReason.OPEN else ts for one, ts in zip((live, tested), times, strict=True)]
        if times[0] != times[1]:
            return Cause.TIME, leg, (str(times[0] or ""), str(times[1] or ""))
        prices = (getattr(one, f"{leg}_price") for one in (live, tested))
        return Cause.PRICE, leg, _text(*prices)

    def _why_size(self, course: Course, live: ClosedTrade, tested: ClosedTrade, _: Cause) -> Why:
        decided = course.decided_ts
        base = self._told.instrument.base if self._told.instrument else ""
        added = next((one for ts, one in self._told.nothing.items() if decided < ts < live.exit_ts), None)
        gained = self._gained(live.entry_ts)
        return (
            (why("parity.why.fee_asset", assets=base) if base in course.fee_assets else None)
            or course.cut
            or self._told.sized.get(decided)
            or (why("parity.why.equity", amount=f"{gained:+.8f}") if abs(gained) > SAME else None)
            or self._decided_otherwise(decided)
            or added
            or why("parity.why.venue_size")
        )

    def _why_entry(self, course: Course, live: ClosedTrade, tested: ClosedTrade, cause: Cause) -> Why:
        return (
            self._not_seen(course.decided_ts, max(live.entry_ts, tested.entry_ts))
            or (why("parity.why.lost") if course.lost else None)
            or _parts(course.fills_in)
            or _at_the_venue(cause, live.entry_price, tested.entry_price, course.in_ms)
        )

    def _why_exit(self, course: Course, live: ClosedTrade, tested: ClosedTrade, cause: Cause) -> Why:
        first, last = sorted((live.exit_ts, tested.exit_ts))
        step = bisect_left(self._known.ts, first)
        decided = self._known.ts[max(0, step - 1)]
        reason = course.ended_by or self._not_seen(decided, last if cause is Cause.TIME else first)
        if reason is None and cause is Cause.TIME:
            reason = self._decided_otherwise(decided)
            if reason is None and live.reason is not tested.reason:
                return why(
                    "parity.why.reasons",
                    texts={"live": f"report.reason.{live.reason}", "tested": f"report.reason.{tested.reason}"},
                )
        return (
            reason
            or (why("parity.why.lost") if course.lost else None)
            or _parts(course.fills_out)
            or _at_the_venue(cause, live.exit_price, tested.exit_price, course.out_ms)
        )

    def _why_fee(self, course: Course, live: ClosedTrade, tested: ClosedTrade, _: Cause) -> Why:
        quote = self._told.instrument.quote if self._told.instrument else ""
        others = sorted(course.fee_assets - {"", quote})
        return why("parity.why.fee_asset", assets=", ".join(others)) if others else why("parity.why.fee_rate")

    def _why_funding(self, course: Course, live: ClosedTrade, tested: ClosedTrade, _: Cause) -> Why:
        return why("parity.why.funding")

    # -- reasons ------------------------------------------------------------------------------------------------------

    def _not_seen(self, since: int, until: int) -> Why | None:
        """Name the first candle of ``[since, until]`` that the bot never saw."""
        at = bisect_left(self._known.absent, since)
        if at < len(self._known.absent) and self._known.absent[at] <= until:
            return why("parity.why.gap", when=moment(self._known.absent[at]))
        return None

    def _decided_otherwise(self, ts: int) -> Why | None:
        """Tell why the strategy did not wish the same live and in the backtest, if it did not."""
        live, tested = (_gist(wishes.get(ts, ())) for wishes in (self._told.wishes, self._retraced.wishes))
        if live == tested:
            return None
        restart = max((one for one in self._told.restarts if one <= ts), default=None)
        gap = next((one for one in reversed(self._known.absent) if one <= ts), None)
        if gap is not None:
            return why("parity.why.gap_before", when=moment(gap))
        if restart is not None:
            return why("parity.why.restarted", when=moment(restart))
        return why("parity.why.decided")

    def _gained(self, until: int) -> Decimal:
        """Return by how much more the trades made live that had ended by ``until``."""
        mine, theirs = (
            sum((one.pnl for one in side if one.exit_ts <= until and one.entry_ts < until), ZERO)
            for side in (self._live, self._tested)
        )
        return mine - theirs


def _at_the_venue(cause: Cause, live: Decimal, tested: Decimal, after_ms: int | None) -> Why:
    if cause is not Cause.TIME:
        return why("parity.why.venue_price", bps=f"{(live / tested - 1) * 10_000:+.2f}")
    if after_ms is None:
        return why("parity.why.venue_time")
    return why("parity.why.delay", seconds=f"{after_ms / 1_000:.1f}")


def _holding(trades: Iterable[ClosedTrade], decided: int, timeframe: Timeframe) -> ClosedTrade | None:
    """Return the trade that was under way when the candle that opened at ``decided`` closed."""
    close = timeframe.close_of(decided)
    for one in trades:
        if one.entry_ts < close and (one.exit_ts >= close or one.reason is ExitReason.OPEN):
            return one
    return None


def _gist(wishes: Sequence[Wish]) -> list[str]:
    """Return what wishes ask for, without the last digits of what was computed."""
    found = []
    for wish in wishes:
        parts = [type(wish).__name__]
        if isinstance(wish, Enter):
            size = next(iter(astuple(wish.size)))
            levels = (wish.limit, wish.stop, wish.stop_loss, wish.take_profit, wish.trailing_stop)
            parts += [wish.side, type(wish.size).__name__, f"{size:.6g}"]
            parts += ["" if not level else f"{level:.6g}" for level in levels]
        found.append(" ".join(parts))
    return found


def _parts(fills: int) -> Why | None:
    return why("parity.why.parts", count=fills) if fills > 1 else None


def _entered(one: Matched) -> tuple[int, bool]:
    trade = one.live or one.tested
    return (trade.entry_ts if trade is not None else 0, one.live is None)


def _summary(trade: ClosedTrade) -> str:
    """Return a trade that one side alone had: its side and quantity."""
    return f"{'long' if trade.sign > 0 else 'short'} {_plain(trade.quantity)}"


def _text(live: Decimal, tested: Decimal) -> tuple[str, str]:
    return _plain(live), _plain(tested)


def _bps(rate: Decimal) -> str:
    return _plain(rate * 10_000)


def _plain(value: Decimal) -> str:
    short = f"{value:.12g}"
    return f"{Decimal(short).normalize():f}"


def moment(ts: int) -> str:
    """Return ``ts`` (ms) as people read it, UTC."""
    return datetime.fromtimestamp(ts / 1_000, UTC).strftime("%Y-%m-%d %H:%M")
