"""A strategy fed candle by candle, live, wishes what it wishes in a backtest over the whole history."""

from collections import deque
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.backtest.made import START, rules, walk

import cambist as cb
from cambist.domain.candles import Candles
from cambist.domain.timeframe import Timeframe
from cambist.domain.wish import Enter, Exit, Wish
from cambist.engine.asking import LiveRunner, warm_up_needed
from cambist.engine.runners import bind, name_of
from cambist.market.series import build
from cambist.strategies._load import samples

AFTER = 400
"""Candles that are fed one by one."""


class Purse:
    """An account whose worth moves with the price once it has begun to trade, the same for both."""

    trades = False

    def equity(self, price: float) -> float:
        return 10_000.0 + price * self.trades

    def cash(self) -> float:
        return 5_000.0


class Counting(cb.Strategy):
    """State of all plain kinds, set in init and changed in next."""

    def init(self) -> None:
        self.seen = 0
        self._hidden = 0
        self.last: float | None = None
        self.closes: deque[float] = deque(maxlen=7)
        self.by_hour: dict[int, int] = {}
        self.start = self.equity
        self.calm = self.sma(9)

    def next(self) -> None:
        self.seen += 1
        self._hidden += 2
        self.closes.append(self.candles.close[-1])
        hour = self.ts // 3_600_000 % 24
        self.by_hour[hour] = self.by_hour.get(hour, 0) + 1
        if self._hidden % 14 == 0:
            self.buy(quantity=self.seen + self.by_hour[hour], limit=sum(self.closes), stop_loss=self.start / 1e6)
            self.sell(notional=self.equity)
        if self.last is not None and self.calm > self.last:
            self.close()
        self.last = float(self.calm)


class OwnLine(Counting):
    """The same, and a line computed in init, so that init runs anew."""

    warmup: ClassVar[int] = 60

    def init(self) -> None:
        super().init()
        closes = np.asarray(self.candles.close)
        mean = np.convolve(closes, np.ones(5) / 5, mode="full")[: closes.size]
        mean[:4] = np.nan
        self.mean = self.line("mean of 5", mean)

    def next(self) -> None:
        super().next()
        if cb.crossed_above(self.mean, self.calm):
            self.sell(notional=self.seen)


class PlainArray(cb.Strategy):
    """An array in init, read by the number of candles known."""

    warmup: ClassVar[int] = 40

    def init(self) -> None:
        self.count = 0
        self.moves = np.diff(np.asarray(self.candles.close), prepend=np.nan)
        self.calm = self.ema(5)

    def next(self) -> None:
        self.count += 1
        move = self.moves[len(self.candles.close) - 1 - self.gone]
        if move > 0 and self.count % 3 == 0:
            self.buy(fraction=0.1, limit=float(self.candles.close[-1]))

    @property
    def gone(self) -> int:
        return len(self.candles.close) - len(self.moves) if len(self.candles.close) > len(self.moves) else 0


class Timeframes(cb.Strategy):
    """Two larger timeframes, an indicator of an indicator, cumulative ones, columns read backwards."""

    def init(self) -> None:
        four, day = self.on("4h"), self.on("1d")
        self.big = four.ema(4)
        self.bigger = day.sma(3)
        self.smooth = self.ema(4, of=self.rsi(5))
        self.volume = self.obv()
        self.smooth_volume = self.ema(3, of=self.volume)
        self.over_big = self.sma(6, of=self.big)
        self.noted: float | None = None

    def next(self) -> None:
        high = self.on("4h").high
        if cb.crossed_above(self.smooth, 50.0):
            self.buy(fraction=0.5, limit=float(self.big), stop_loss=0.01)
        if cb.crossed_below(self.candles.close, self.over_big) or high[-1] > high[-5]:
            self.close()
        if self.noted is not None and self.volume[-1] > self.noted:
            self.sell(fraction=0.2)
        if cb.crossed_above(self.volume, self.smooth_volume):
            self.noted = self.volume[-1]
        if self.bigger > self.bigger[-2]:
            self.cancel()


class Held(cb.Strategy):
    """Orders that depend on the position, and indicators asked for in next."""

    def next(self) -> None:
        if not self.position and self.rsi(6)[-1] < 40:
            self.buy(risk=0.01, stop_loss=0.02)
        elif self.position.is_long and self.candles.close[-1] > self.position.entry_price * 1.01:
            self.close()
        elif self.position.is_short:
            self.buy(quantity=-self.position.quantity)
        elif np.asarray(self.on("2h").ema(3))[-1] > self.candles.close[-1]:
            self.sell(fraction=0.3)


class Channels(cb.Strategy):
    """Many indicators of several outputs."""

    def init(self) -> None:
        self.lines = [self.bollinger(10).upper, self.keltner().lower, self.macd(4, 9, 3).signal, self.vwap(24)]
        self.trend = self.supertrend(5)

    def next(self) -> None:
        above = sum(self.candles.close > line for line in self.lines)
        if above >= 2:
            self.buy(fraction=above / 10)
        elif self.candles.close < self.trend[0][-1]:
            self.close()


class ManySignals(cb.SignalStrategy):
    warmup: ClassVar[int] = 150

    def signals(self, candles: Candles) -> cb.Signals:
        quick, calm = cb.indicators.ema(candles.close, 3), cb.indicators.sma(candles.close, 11)
        return cb.Signals(
            enter_long=cb.crossed_above(quick, calm),
            exit_long=cb.crossed_below(quick, calm),
            enter_short=candles.volume > np.roll(candles.volume, 1) * 1.8,
            stop_loss=np.where(candles.close > calm, 0.01, 0.02),
        )


class Classic(cb.TemplateStrategy):
    warmup: ClassVar[int] = 40

    def __init__(self, candles: Any, balance: float, position: Any = None) -> None:
        super().__init__(candles, balance, position)
        self.candles["mean"] = self.candles["close"].rolling(9).mean()

    def should_long(self) -> bool:
        return bool(self.candles["close"].iloc[-1] > self.candles["mean"].iloc[-1])

    def should_short(self) -> bool:
        return bool(self.candles["close"].iloc[-1] < self.candles["mean"].iloc[-1] * 0.995)

    def calculate_position_size(self) -> float:
        return self.balance * (0.1 if self.position is None else 0.2)

    def calculate_stop_loss(self) -> float:
        return 0.01


class Rebuilt(Classic):
    """What it decides depends on how much history there is, so a backtest builds it anew as well."""

    def __init__(self, candles: Any, balance: float, position: Any = None) -> None:
        super().__init__(candles, balance, position)
        self.length = len(candles)

    def calculate_take_profit(self) -> float:
        return self.length / 1_000


OWN = (Counting, OwnLine, PlainArray, Timeframes, Held, Channels, ManySignals, Classic, Rebuilt)


def gappy(candles: Candles, seed: int) -> Candles:
    """Take some candles away, as an outage does."""
    kept = np.random.default_rng(seed).random(len(candles)) > 0.03
    kept[0] = True
    columns = (getattr(candles, name)[kept] for name in ("ts", "open", "high", "low", "close", "volume"))
    return build(candles.venue, candles.symbol, candles.timeframe, *columns)


def compare(strategy: Any, candles: Candles, begin: int) -> int:
    """Feed the candles from ``begin`` on; return at how many of them something was wished."""
    instrument, purse = rules(), Purse()
    whole = bind(strategy, candles, instrument, cash=purse.cash(), account=purse)
    live = LiveRunner(strategy, candles[:begin], instrument, account=purse)
    purse.trades = True
    wished = 0
    held = entry = 0.0
    for i, candle in enumerate(candles[begin:], begin):
        expected = whole.decide(i) if i >= whole.first else ()
        found = live.on_candle(candle)
        assert len(found) == len(expected), (i, found, expected)
        for one, other in zip(found, expected, strict=True):
            same(one, other)
        wished += bool(found)
        for wish in found:  # something to hold, now and then
            if isinstance(wish, Enter):
                held, entry = (1.0 if str(wish.side) == "buy" else -1.0) * (1 + i % 3), candle.close
            elif isinstance(wish, Exit):
                held = entry = 0.0
        live.tell(held, entry)
        whole.tell(held, entry)
    return wished


def same(one: Wish, other: Wish) -> None:
    """The same wish, its numbers to what indicators promise."""
    assert type(one) is type(other)
    if isinstance(one, Enter) and isinstance(other, Enter):
        assert (one.side, type(one.size), one.time_in_force) == (other.side, type(other.size), other.time_in_force)
        size, wanted = (float(next(iter(vars_of(wish.size)))) for wish in (one, other))
        assert size == pytest.approx(wanted, rel=1e-9)
        for part in ("limit", "stop", "stop_loss", "take_profit", "trailing_stop"):
            found, expected = getattr(one, part), getattr(other, part)
            assert found == (None if expected is None else pytest.approx(expected, rel=1e-9)), part


def vars_of(size: Any) -> list[Any]:
    return [getattr(size, name) for name in size.__dataclass_fields__]


SAMPLES: dict[str, Any] = {**samples()}
SAMPLES["rsi_reversion"] = SAMPLES["rsi_reversion"](oversold=45.0)  # or it seldom wishes anything


@pytest.mark.parametrize("strategy", [*SAMPLES.values(), *OWN], ids=name_of)
def test_candle_by_candle_as_over_the_whole_history(strategy):
    wished = 0
    needed = warm_up_needed(strategy, "1h")

    @settings(max_examples=6, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(seed=st.integers(0, 10_000), more=st.integers(0, 30), gaps=st.booleans())
    def check(seed, more, gaps):
        nonlocal wished
        count = needed + more + AFTER
        candles = walk(count * 11 // 10, seed=seed, start=START + seed % 24 * 3_600_000)
        candles = (gappy(candles, seed) if gaps else candles)[:count]
        wished += compare(strategy, candles, needed + more)

    check()
    assert wished > 0


@pytest.mark.parametrize(("own", "big"), [("1m", "3m"), ("5m", "1h"), ("4h", "1w"), ("1d", "1M")])
def test_larger_timeframes_of_all_kinds(own, big):
    class Larger(cb.Strategy):
        def init(self) -> None:
            self.big = self.on(big).sma(2)
            self.volume = self.on(big).volume

        def next(self) -> None:
            self.buy(quantity=float(self.volume), limit=float(self.big))

    needed = warm_up_needed(Larger, own)
    for seed in (1, 2):
        candles = gappy(walk(needed + 300, seed=seed, timeframe=Timeframe(own), start=START + 7 * 86_400_000), seed)
        assert compare(Larger, candles, min(needed, len(candles) - 200)) > 100


def test_the_window_stays_small_and_true_over_many_candles():
    candles = walk(6_000, seed=3)
    assert compare(Timeframes, candles, warm_up_needed(Timeframes, "1h")) > 1_000
    assert compare(samples()["ema_cross"], candles, 700) > 100
