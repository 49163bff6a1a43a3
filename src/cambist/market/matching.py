"""The fill law: how orders fill against candles, in backtests and on paper. Its compiled twin is backtest/compiled.py.

For one instrument and one bot, candle by candle (DESIGN, section 5):

1. Market orders act at the candle's open, worsened by slippage and half the spread, rounded to the tick against the
   order. They pay the taker fee.
2. Within the candle, waiting orders act. What the open is already beyond acts first, at the open; then stops at their
   trigger, then take-profits and limits: where one candle touches both, the stop is taken.
   Stops and take-profits act on touch and fill like market orders. A limit order fills at its price and pays the maker
   fee once price has traded *through* it (on touch if so configured); one that the market is beyond when it arrives
   fills at the open like a market order, no worse than its limit.
   A position entered inside the candle cannot take profit in it. It can be stopped in it: after a limit entry when
   price reaches the stop, which lies beyond the limit; after a stop entry when the candle closes beyond the stop.
3. No fill takes more than ``volume_share`` of the candle's volume. Entries drop the rest (IOC), limit entries wait on;
   exits go on at the next candle's open until done.
4. Entries take no more than cash pays for, fee included. What falls below the venue's minimums is dropped, and what
   cash cuts to less than a thousandth of what was wished: it would be dust.

With candles of a finer timeframe at hand, step 2 is taken through them one after the other.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from math import inf

from cambist.domain.event import OrderExpired, OrderFilled
from cambist.domain.instrument import Instrument
from cambist.domain.order import Fill, Liquidity, Order, OrderType, Side, TimeInForce
from cambist.market.costs import BPS, slipped_steps, step_parts, steps_down

ZERO = Decimal(0)
DUST = 1_000

Cash = Callable[[], Decimal]
"""Asked only when an entry fills: what is free to spend."""

Filling = OrderFilled | OrderExpired | None
"""What comes of an order that acts: a fill, its end without one, or nothing yet (it waits on)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What a fill costs: fees in basis points of the notional, slippage and spread in basis points of the price."""

    maker_fee_bps: float = 10.0
    taker_fee_bps: float = 10.0
    slippage_bps: float = 5.0
    spread_bps: float = 0.0
    volume_share: float | None = 0.1
    limit_touch: bool = False

    @property
    def adverse(self) -> float:
        """Return the fraction by which a market fill is worse than the price it acts at."""
        return (self.slippage_bps + self.spread_bps / 2.0) * BPS


class Steps:
    """An instrument's rules in the form that arithmetic wants: exact Decimals, and their integer parts for floats."""

    __slots__ = ("lot", "lot_mul", "lot_scale", "min_notional", "min_quantity", "tick", "tick_mul", "tick_scale")

    def __init__(self, instrument: Instrument) -> None:
        self.tick = instrument.tick_size
        self.lot = instrument.lot_step
        self.tick_mul, self.tick_scale = step_parts(instrument.tick_size)
        self.lot_mul, self.lot_scale = step_parts(instrument.lot_step)
        self.min_notional = instrument.min_notional
        self.min_quantity = instrument.min_quantity


class Book:
    """Our own orders on one instrument, and the law by which candles fill them.

    No candle can move a waiting order unless its low reaches ``wake_below`` or its high ``wake_above``; market orders
    wait in ``at_open``. The loop uses these to pass over quiet candles.
    """

    __slots__ = (
        "_adverse",
        "_arriving",
        "_costs",
        "_entered",
        "_fresh",
        "_in_candle",
        "_maker",
        "_rested",
        "_steps",
        "_taker",
        "acting",
        "at_open",
        "waiting",
        "wake_above",
        "wake_below",
    )

    def __init__(self, instrument: Instrument, costs: Costs) -> None:
        self._steps = Steps(instrument)
        self._costs = costs
        self._adverse = costs.adverse
        self._maker = Decimal(str(costs.maker_fee_bps)) / 10_000
        self._taker = Decimal(str(costs.taker_fee_bps)) / 10_000
        self.acting: Order | None = None  # the order that fills while `Cash` is asked
        self.at_open: list[Order] = []
        self.waiting: dict[str, Order] = {}
        self.wake_below, self.wake_above = -inf, inf
        self._arriving: set[str] = set()  # limits that have not seen a candle yet
        self._in_candle = False
        self._fresh: set[str] = set()  # submitted inside the candle under way
        self._rested: set[str] = set()  # has acted in the candle under way
        self._entered: OrderType | None = None  # the type of order that entered inside the candle under way

    def submit(self, order: Order) -> None:
        """Take an order in."""
        at_once = order.type is OrderType.LIMIT and order.time_in_force is TimeInForce.IOC
        if order.type is OrderType.MARKET or at_once:
            self.at_open.append(order)
            return
        self.waiting[order.id] = order
        if self._in_candle:
            self._fresh.add(order.id)
        if order.type is OrderType.LIMIT:
            self._arriving.add(order.id)
            self._watch()
        elif order.falling:
            self.wake_below = max(self.wake_below, float(order.level))
        else:
            self.wake_above = min(self.wake_above, float(order.level))

    def arrive(self, order: Order, ts: int, price: float, volume: float, cash: Cash) -> Filling:
        """Take in an order that finds a market under way at ``price``: what can act acts now, the rest waits."""
        at_once = order.type is OrderType.LIMIT and order.time_in_force is TimeInForce.IOC
        if order.type is OrderType.MARKET or at_once:
            return self.fill_at_open(order, ts, price, volume, cash)
        if order.type is OrderType.LIMIT and _reaches(price, order.side, float(order.level)):
            filling = self._fill(order, ts, price, volume, cash, maker=False)
            self._watch()
            return filling
        self.submit(order)
        return None

    def cancel(self, order: Order) -> None:
        """Take an order out; one that has gone meanwhile is no error."""
        if self.waiting.pop(order.id, None) is not None:
            self._watch()
        else:
            self.at_open = [waiting for waiting in self.at_open if waiting.id != order.id]

    def amend(self, order: Order, trigger: Decimal) -> None:
        """Move the trigger of a waiting order."""
        if order.id in self.waiting:
            self.waiting[order.id] = replace(self.waiting[order.id], trigger=trigger)
            self._watch()

    def resize(self, order: Order, quantity: Decimal) -> None:
        """Set what is left of an order."""
        if order.id in self.waiting:
            self.waiting[order.id] = replace(self.waiting[order.id], quantity=quantity)
        else:
            self.at_open = [replace(one, quantity=quantity) if one.id == order.id else one for one in self.at_open]

    def take_at_open(self) -> list[Order]:
        """Return the orders that act at the next open, which then are no longer in the book."""
        due, self.at_open = self.at_open, []
        return due

    def fill_at_open(self, order: Order, ts: int, price: float, volume: float, cash: Cash) -> Filling:
        """Let one order act at the open ``price`` of the candle at ``ts``."""
        if order.price is not None and not _reaches(price, order.side, float(order.price)):
            return OrderExpired(order, ts)
        if self.at_open and not order.reduces and any(carried.reduces for carried in self.at_open):
            return OrderExpired(order, ts)  # an exit that must come first has not completed
        return self._fill(order, ts, price, volume, cash, maker=False)

    def begin_candle(self) -> None:
        """From here to `end_candle`, what is submitted arrives inside the candle."""
        self._in_candle = True

    def next_in_range(
        self, ts: int, bar: tuple[float, float, float, float], volume: float, cash: Cash
    ) -> Filling | None:
        """Let the waiting order that acts first within ``bar`` (open, high, low, close) act; None when none is left."""
        while (acting := self._first(bar)) is not None:
            order, price, maker = acting
            self._rested.add(order.id)
            if self._cap(volume) == 0:
                continue  # nobody traded: nothing can fill, and nothing has been triggered
            del self.waiting[order.id]
            if order.price is not None and order.type is not OrderType.LIMIT:
                order = replace(order, type=OrderType.LIMIT, trigger=None)  # a stop-limit: from here on a limit
                if not _reaches(price, order.side, float(order.level)):
                    self.waiting[order.id] = order
                    self._watch()
                    continue
            filling = self._fill(order, ts, price, volume, cash, maker=maker)
            if isinstance(filling, OrderFilled) and not order.reduces:
                self._entered = order.type
            self._watch()
            if filling is not None:
                return filling
        return None

    def end_candle(self) -> None:
        """Close the candle: what arrived or acted in it waits on like any other order."""
        self._in_candle = False
        self._entered = None
        self._fresh.clear()
        self._rested.clear()
        if self._arriving:
            self._arriving.clear()
            self._watch()

    def _first(self, bar: tuple[float, float, float, float]) -> tuple[Order, float, bool] | None:
        """Return the waiting order that acts first within ``bar``, at what price, and whether as maker."""
        first: tuple[tuple[int, bool, float], Order, float, bool] | None = None
        for order in self.waiting.values():
            if order.id in self._rested or (self.at_open and not order.reduces):
                continue  # what waits for the next open is an exit that has not completed: it comes before entries
            acting = self._acts(order, *bar)
            if acting is None:
                continue
            when, price, maker = acting
            # of several stops those that protect come first, and of these the one that price meets first
            turn = (1, not order.reduces, abs(price - bar[0])) if when == 1 else (when, False, 0.0)
            if first is None or turn < first[0]:
                first = (turn, order, price, maker)
        return None if first is None else first[1:]

    def _acts(
        self, order: Order, open_: float, high: float, low: float, close: float
    ) -> tuple[int, float, bool] | None:
        """Return when (0 at the open, 1 stops, 2 the rest), at what price, and whether as maker; None if not at all."""
        if order.type is OrderType.LIMIT:
            limit = float(order.level)
            if order.id in self._arriving and _reaches(open_, order.side, limit):
                return (0, open_, False)
            extreme = low if order.side is Side.BUY else high
            through = _reaches(extreme, order.side, limit) and (extreme != limit or self._costs.limit_touch)
            return (2, limit, True) if through else None
        trigger, falling, stop = float(order.level), order.falling, order.type is OrderType.STOP
        if order.id in self._fresh:
            if not stop:
                return None
            reached = close if self._entered is OrderType.STOP else (low if falling else high)
            return (1, trigger, False) if (reached <= trigger if falling else reached >= trigger) else None
        if open_ <= trigger if falling else open_ >= trigger:
            return (0, open_, False)
        if low <= trigger if falling else high >= trigger:
            return (1 if stop else 2, trigger, False)
        return None

    def _fill(self, order: Order, ts: int, reference: float, volume: float, cash: Cash, *, maker: bool) -> Filling:
        """Fill what volume and cash allow of ``order``; what is left waits, goes on at the next open, or expires."""
        self.acting = order
        price, rate = self._price(order, reference, maker=maker)
        quantity = self._fillable(order, price, rate, volume, cash)
        left = order.quantity - quantity
        if left and order.type is OrderType.LIMIT and order.time_in_force is TimeInForce.GTC:
            self.waiting[order.id] = replace(order, quantity=left)
        elif not order.reduces or order.type is OrderType.LIMIT:
            left = ZERO
        elif left:
            self.at_open.append(replace(order, type=OrderType.MARKET, price=None, trigger=None, quantity=left))
        if not quantity:
            return OrderExpired(order, ts) if not left else None
        slippage = ZERO if maker else abs(price - Decimal(repr(reference))) * quantity
        fill = Fill(
            ts=ts,
            price=price,
            quantity=quantity,
            fee=price * quantity * rate,
            slippage=slippage,
            liquidity=Liquidity.MAKER if maker else Liquidity.TAKER,
        )
        return OrderFilled(order, fill, not left)

    def _price(self, order: Order, reference: float, *, maker: bool) -> tuple[Decimal, Decimal]:
        """Return the price and the fee rate of a fill that acts at ``reference``."""
        if maker and order.price is not None:
            return order.price, self._maker
        steps = self._steps
        ticks = slipped_steps(reference, order.side.sign, self._adverse, steps.tick_mul, steps.tick_scale)
        price = steps.tick * ticks
        if order.price is not None:
            price = min(price, order.price) if order.side is Side.BUY else max(price, order.price)
        return price, self._taker

    def _fillable(self, order: Order, price: Decimal, rate: Decimal, volume: float, cash: Cash) -> Decimal:
        """Return the quantity that fills: bounded by volume, and for entries by cash and the venue's minimums."""
        steps = self._steps
        quantity = order.quantity
        cap = self._cap(volume)
        if cap is not None:
            quantity = min(quantity, steps.lot * cap)
        if order.reduces:
            return quantity
        free = cash()
        if quantity * price * (1 + rate) > free:
            quantity = steps.lot * max(0, int(free / (steps.lot * price * (1 + rate))))
            if quantity * DUST < order.quantity:
                return ZERO
        if quantity < steps.min_quantity or quantity * price < steps.min_notional:
            return ZERO
        return quantity

    def _cap(self, volume: float) -> int | None:
        """Return how many lots one order may take of a candle's volume; None if there is no limit."""
        if self._costs.volume_share is None:
            return None
        return steps_down(self._costs.volume_share * volume, self._steps.lot_mul, self._steps.lot_scale)

    def _watch(self) -> None:
        """Work out between which prices the book sleeps."""
        below, above = -inf, inf
        for order in self.waiting.values():
            if order.falling:
                below = max(below, float(order.level))
            else:
                above = min(above, float(order.level))
        if self._arriving:  # a new order sees its first candle whatever that does
            below = inf
        self.wake_below, self.wake_above = below, above


def _reaches(price: float, side: Side, limit: float) -> bool:
    """Tell whether ``price`` is at ``limit`` or better for an order on ``side``."""
    return price <= limit if side is Side.BUY else price >= limit
