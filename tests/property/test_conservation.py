"""Money is conserved to the last unit whatever a strategy wishes, and the books of engine and market agree."""

from collections import Counter
from decimal import Decimal, localcontext
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.backtest.made import rough, rules

import cambist as cb
from cambist.backtest.engines import _still_open
from cambist.backtest.loop import Feed, Loop
from cambist.domain.event import Event, FundingPaid, OrderFilled
from cambist.domain.instrument import Kind
from cambist.domain.order import Order, Role
from cambist.domain.timeframe import Timeframe
from cambist.engine.runners import bind
from cambist.engine.state import Bot, State
from cambist.market.grid import close_times
from cambist.market.matching import Book, Costs
from cambist.market.resample import resample

D = Decimal
GUARDS = {Role.STOP_LOSS: "stop_loss", Role.TRAILING_STOP: "trailing_stop", Role.TAKE_PROFIT: "take_profit"}


class Whim(cb.Strategy):
    """Wishes anything at any time."""

    seed = cb.param(0)
    often = cb.param(0.3)

    def init(self) -> None:
        self.dice = np.random.default_rng(self.seed)

    def next(self) -> None:
        for _ in range(int(self.dice.integers(1, 3)) if self.dice.random() < self.often else 0):
            self.wish(str(self.dice.choice(["buy", "buy", "sell", "sell", "close", "cancel"])))

    def wish(self, what: str) -> None:
        if what in ("close", "cancel"):
            getattr(self, what)()
            return
        close = self.candles.close[-1]
        how: dict[str, Any] = {}
        for name in ("stop_loss", "take_profit", "trailing_stop"):
            if self.dice.random() < 0.5:
                how[name] = float(self.dice.choice([0.01, 0.02, 0.05]))
        sizes: dict[str, list[Any]] = {
            "fraction": [0.1, 0.5, 1.0, 3.0],
            "notional": [50.0, 5_000.0],
            "risk": [0.01, 0.1],
            "quantity": ["1.5", "700", "0"],
        }
        size = str(self.dice.choice(list(sizes)))
        how[size] = self.dice.choice(sizes[size])
        waits = self.dice.random()
        if waits < 0.6:
            how["limit" if waits < 0.35 else "stop"] = close * float(self.dice.choice([0.96, 0.98, 0.99, 1.01, 1.03]))
        if self.dice.random() < 0.2:
            how["time_in_force"] = "ioc"
        getattr(self, what)(**how)


class Watched(Loop):
    """The loop, with a second set of books kept beside it and compared after each event."""

    def __init__(self, state: State, feeds: list[Feed]) -> None:
        super().__init__(state, feeds)
        self.worth = state.cash  # moved by price moves, fees and funding alone
        self.marks = {feed.bot.id: D(0) for feed in feeds}
        self.trailed: dict[str, Decimal | None] = {}
        self.seen: Counter[str] = Counter()

    def _mark(self, bot: Bot, price: Decimal) -> None:
        self.worth += bot.position.quantity * (price - self.marks[bot.id])
        self.marks[bot.id] = price

    def _apply(self, feed: Feed, event: Event, when: int) -> None:
        bot, state = feed.bot, self.state
        cash, free, held = state.cash, state.free_cash(), bot.position.quantity
        if isinstance(event, OrderFilled):
            self._mark(bot, event.fill.price)
            self.worth -= event.fill.fee
        elif isinstance(event, FundingPaid):
            self.worth -= event.amount
        super()._apply(feed, event, when)
        if isinstance(event, OrderFilled):
            self._filled(bot, event, cash, free, held)
        elif isinstance(event, FundingPaid):
            assert state.cash == cash - event.amount
            assert (event.amount > 0) == (held > 0) or event.amount == 0 or self.rate_sign(feed, event) < 0
        else:
            assert (state.cash, bot.position.quantity) == (cash, held)
        self._books_agree(feed)

    def rate_sign(self, feed: Feed, event: FundingPaid) -> float:
        return float(feed.funding_rate[list(feed.funding_ts).index(event.ts)])

    def _filled(self, bot: Bot, event: OrderFilled, cash: Decimal, free: Decimal, held: Decimal) -> None:
        order, fill = event.order, event.fill
        self.seen[str(order.role) if order.reduces else str(order.type)] += 1
        self.seen["partial" if not event.done else "whole"] += 1
        signed = order.side.sign * fill.quantity
        assert fill.quantity > 0
        assert fill.quantity <= order.quantity
        assert fill.quantity % bot.instrument.lot_step == 0
        assert fill.price % bot.instrument.tick_size == 0
        assert self.state.cash == cash - signed * fill.price - fill.fee
        assert bot.position.quantity == held + signed
        assert bot.position.quantity * held >= 0, "a fill turned a position round"
        assert bot.position.entries <= bot.pyramiding
        if order.reduces:
            assert abs(bot.position.quantity) < abs(held)
        else:
            assert fill.quantity * fill.price + fill.fee <= free, "more was spent than was free"
            assert bot.position.quantity * order.side.sign > 0
        if bot.instrument.kind is Kind.SPOT:
            assert bot.position.quantity >= 0
        if all(other.instrument.kind is Kind.SPOT for other in self.state.bots.values()):
            assert self.state.cash >= 0

    def _books_agree(self, feed: Feed) -> None:
        bot = feed.bot
        in_market = [*feed.book.waiting.values(), *feed.book.at_open]
        leaving = [order for order in in_market if order.reduces]
        if not bot.position:
            assert (leaving, bot.protections, bot.exiting) == ([], {}, None), "an order was left for a flat bot"
            self.trailed[bot.id] = None
            return
        assert all(order.side.sign * bot.position.quantity < 0 for order in leaving)
        assert all(order.quantity == abs(bot.position.quantity) for order in leaving)
        assert bot.plan is not None
        carried = bot.exiting is not None and bot.exiting.role is not Role.EXIT
        if carried or bot.left:
            assert bot.protections == {}
            return  # what is left of an exit has no need of guards: it goes at the next open
        for role, name in GUARDS.items():
            wanted = getattr(bot.plan, name)
            found = [order for order in feed.book.waiting.values() if order.role is role]
            assert len(found) == bool(wanted), f"{role}: {found}"
            assert {order.id for order in found} <= set(bot.protections)
            if role is Role.TRAILING_STOP:
                self._trails(bot, found)

    def _trails(self, bot: Bot, found: list[Order]) -> None:
        before, now = self.trailed.get(bot.id), found[0].trigger if found else None
        if before is not None and now is not None:
            assert (now - before) * (1 if bot.position.quantity > 0 else -1) >= 0, "a trailing stop moved back"
        self.trailed[bot.id] = now

    def _in_range(self, feed: Feed, i: int) -> None:
        super()._in_range(feed, i)
        entries = {order.id for order in feed.book.waiting.values() if not order.reduces}
        assert entries == set(feed.bot.entries), "engine and market disagree on what waits"

    def settle(self) -> Decimal:
        """Value everything at the last closes and return it."""
        for feed in self.feeds:
            self._mark(feed.bot, D(repr(float(feed.close[-1]))))
            feed.bot.mark = float(feed.close[-1])
        return self.worth


def run(seed: int, kinds: list[Kind], **how: Any) -> tuple[Watched, Decimal]:
    rng = np.random.default_rng(seed)
    cash = D(str(rng.choice(["10000", "333.33"])))
    state = State(cash=cash)
    costs = Costs(
        maker_fee_bps=float(rng.choice([-1.0, 0.0, 2.0])),
        taker_fee_bps=float(rng.choice([0.0, 7.5, 10.0])),
        slippage_bps=float(rng.choice([0.0, 5.0, 50.0])),
        volume_share=how["volume_share"],
        limit_touch=bool(rng.random() < 0.3),
    )
    feeds = []
    for number, kind in enumerate(kinds):
        symbol = f"C{number}/USDT" + (":USDT" if kind is Kind.PERPETUAL else "")
        instrument = rules(
            kind, symbol=symbol, tick=str(rng.choice(["0.01", "0.005", "0.05"])),
            lot=str(rng.choice(["0.001", "1", "0.25"])), min_notional=D(str(rng.choice(["0", "7.3"]))),
        )  # fmt: skip
        fine = rough(rng, how["count"], symbol=symbol, step=int(rng.integers(1, 4)))
        candles = resample(fine, Timeframe.M5) if how["detailed"] else fine
        if len(candles) < 2:
            continue
        bot = Bot(symbol, instrument, int(how["pyramiding"]))
        state.bots[symbol] = bot
        paid = rng.integers(candles.ts[0] - 60_000, candles.ts[-1] + 60_000, 12 if kind is Kind.PERPETUAL else 0)
        strategy = Whim(seed=int(rng.integers(2**31)), often=how["often"])
        feeds.append(
            Feed(
                bot=bot,
                book=Book(instrument, costs),
                runner=bind(strategy, candles, instrument, cash=float(cash)),
                candles=candles,
                closes_at=close_times(candles).tolist(),
                detail=fine if how["detailed"] else None,
                funding_ts=np.sort(paid),
                funding_rate=np.round(rng.normal(0, 0.001, paid.size), 6),
            )
        )
    loop = Watched(state, feeds)
    with localcontext(prec=60):
        loop.run()
        worth = loop.settle()
        assert state.equity() == worth
        open_now = [_still_open(feed) for feed in feeds if feed.bot.position]
        assert sum((trade.pnl for trade in [*state.trades, *open_now]), D(0)) == worth - cash
    return loop, worth


@settings(max_examples=200, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    kinds=st.lists(st.sampled_from([Kind.SPOT, Kind.PERPETUAL]), min_size=1, max_size=3),
    count=st.integers(30, 150),
    often=st.sampled_from([0.1, 0.4, 0.9]),
    pyramiding=st.sampled_from([1, 2, 4]),
    volume_share=st.sampled_from([None, 0.01, 0.1, 1.0]),
    detailed=st.booleans(),
)
def test_whatever_is_wished_money_is_conserved_and_the_books_agree(
    seed, kinds, count, often, pyramiding, volume_share, detailed
):
    run(
        seed, kinds, count=count, often=often, pyramiding=pyramiding, volume_share=volume_share, detailed=detailed
    )  # fmt: skip


@pytest.mark.parametrize("detailed", [False, True])
def test_the_examples_reach_every_kind_of_fill(detailed):
    """The property is worth something only if its examples do all that can be done."""
    seen: Counter[str] = Counter()
    for seed in range(12):
        kinds = [Kind.PERPETUAL, Kind.SPOT, Kind.PERPETUAL]
        loop, _ = run(seed, kinds, count=300, often=0.4, pyramiding=3, volume_share=0.1, detailed=detailed)
        seen += loop.seen
    assert {"market", "limit", "stop", "signal", "stop_loss", "take_profit", "trailing_stop", "partial"} <= set(seen)
    assert min(seen.values()) >= 3
