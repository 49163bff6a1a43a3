"""What a strategy sees: lines that end at now, larger timeframes of which only closed candles are seen."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.backtest.made import FREE, HOUR, START, rules, walk

import cambist as cb
from cambist.domain.errors import BadInput, BadStrategy, StrategyFailed
from cambist.domain.text import speak
from cambist.domain.timeframe import Timeframe
from cambist.strategies._line import Clock, Line
from cambist.strategies._signals import FLAGS

NAN = float("nan")


def line(values: list[float], now: int) -> Line:
    return Line(values, Clock(now), "mine")


def test_lines_are_read_backwards_from_now():
    clock = Clock(2)
    one = Line([10.0, 11.0, 12.0, 13.0, 14.0], clock, "mine")
    assert [one[-1], one[-2], one[-3]] == [12.0, 11.0, 10.0]
    assert len(one) == 3
    assert float(one) == 12.0
    assert np.asarray(one).tolist() == [10.0, 11.0, 12.0]
    clock.now = 4
    assert (one[-1], one[-5], len(one)) == (14.0, 10.0, 5)
    assert one.whole.tolist() == [10.0, 11.0, 12.0, 13.0, 14.0]


@pytest.mark.parametrize("back", [0, 1, 4, -4, -100])
def test_there_is_no_reading_forwards_nor_beyond_the_oldest(back):
    with pytest.raises(BadStrategy) as refused:
        line([10.0, 11.0, 12.0, 13.0], 2)[back]
    assert str(refused.value) == (
        f"mine: {back} will not do. Lines are read backwards from now: [-1] is the last closed candle, "
        "[-3] the oldest one."
    )


def test_lines_compare_as_their_last_value():
    one: Any = line([1.0, 5.0], 1)
    other = line([9.0, 5.0], 1)
    assert one <= other
    assert one >= other
    assert not one < other
    assert one > 4.9
    assert one < 5.1
    assert not line([NAN], 0) < 1
    assert not line([NAN], 0) >= 1


def test_writing_into_an_array_made_of_a_line_leaves_the_candles_alone():
    candles = walk(9)
    before = candles.close.copy()

    class Writes(cb.Strategy):
        def init(self):
            mine = np.asarray(self.candles.close)
            mine[:3] = 0.0

    with suppress(StrategyFailed):  # refused: as good
        Writes()._bind(candles)
    np.testing.assert_array_equal(candles.close, before)


@pytest.mark.parametrize(
    ("one", "other", "above", "below"),
    [
        ([1.0, 3.0], [2.0, 2.0], True, False),
        ([3.0, 1.0], [2.0, 2.0], False, True),
        ([2.0, 3.0], [2.0, 2.0], True, False),  # from touching
        ([2.0, 1.0], [2.0, 2.0], False, True),
        ([1.0, 2.0], [2.0, 2.0], False, False),  # to touching
        ([3.0, 4.0], [2.0, 2.0], False, False),
        ([NAN, 3.0], [2.0, 2.0], False, False),
        ([1.0, NAN], [2.0, 2.0], False, False),
        ([1.0, 3.0], [NAN, 2.0], False, False),
    ],
)
@pytest.mark.parametrize("live", [False, True])
def test_crossing_is_the_same_for_lines_arrays_and_numbers(one, other, above, below, live):
    for crossed, expected in ((cb.crossed_above, above), (cb.crossed_below, below)):
        clock = Clock(1, live=live)
        assert bool(crossed(Line(one, clock, "one"), Line(other, clock, "other"))) is expected
        assert crossed(np.array(one), np.array(other)).tolist() == [False, expected]
        if other[0] == other[1]:
            assert bool(crossed(Line(one, clock, "one"), other[0])) is expected
            assert crossed(np.array(one), other[0]).tolist() == [False, expected]
        clock.now = 0
        assert not crossed(Line(one, clock, "one"), Line(other, clock, "other"))


def test_next_sees_the_last_closed_candle_and_nothing_later():
    seen = []

    class Looks(cb.Strategy):
        def init(self):
            self.mean = self.sma(3)

        def next(self):
            candles = self.candles
            seen.append((self.ts, candles.close[-1], candles.close[-2], len(candles.close), float(self.mean)))

    candles = walk(8)
    cb.backtest(Looks, candles, **FREE)
    close = candles.close.tolist()
    assert [row[:4] for row in seen] == [(START + i * HOUR, close[i], close[i - 1], i + 1) for i in range(2, 8)]
    assert [row[4] for row in seen] == pytest.approx([sum(close[i - 2 : i + 1]) / 3 for i in range(2, 8)])


@pytest.mark.parametrize(
    "symbols",
    [
        ("A/USDT",),
        ("A/USDT", "B/USDT"),
    ],
)
def test_a_strategy_knows_its_equity_at_the_close_on_which_it_decides(symbols):
    seen: dict[int, float] = {}

    class Watches(cb.Strategy):
        def next(self):
            seen[self.ts + HOUR] = self.equity
            if not self.position:
                self.buy(fraction=0.3)

    series = [walk(30, symbol=symbol, seed=number) for number, symbol in enumerate(symbols)]
    result = cb.backtest(Watches, series, **FREE)
    known = dict(zip(result.ts.tolist(), result.equity.tolist(), strict=True))
    assert seen == pytest.approx({ts: known[ts] for ts in seen}, rel=1e-12)


# -- larger timeframes ------------------------------------------------------------------------------------------------


def by_hand(candles: cb.Candles, frame: Timeframe) -> list[tuple[float, float, float, float, float] | None]:
    """At each candle, (open, high, low, close, volume) of the last larger candle that had closed by its close."""
    shown: list[tuple[float, float, float, float, float] | None] = []
    done: dict[int, tuple[float, float, float, float, float]] = {}
    rows = list(candles)
    first = rows[0].ts
    for i, row in enumerate(rows):
        now = row.ts + candles.timeframe.ms
        opened = frame.floor(row.ts)
        inside = [other for other in rows[: i + 1] if frame.floor(other.ts) == opened]
        if now == opened + frame.ms and opened >= first:
            done[opened] = whole(inside)
        # one whose last candles are absent closes all the same, once its time is over
        for before in {frame.floor(other.ts) for other in rows[:i]} - set(done):
            if before + frame.ms <= now and before >= first:
                done[before] = whole([other for other in rows[:i] if frame.floor(other.ts) == before])
        shown.append(done[max(done)] if done else None)
    return shown


def whole(rows):
    return (
        rows[0].open, max(row.high for row in rows), min(row.low for row in rows), rows[-1].close,
        sum(row.volume for row in rows),
    )  # fmt: skip


class Larger(cb.Strategy):
    frame = cb.param("4h")

    def init(self):
        big = self.on(self.frame)
        self.lines = (big.open, big.high, big.low, big.close, big.volume)


@settings(max_examples=40, deadline=None)
@given(
    kept=st.lists(st.integers(0, 9).map(bool), min_size=10, max_size=80),
    first=st.integers(0, 5),
    frame=st.sampled_from([Timeframe.H2, Timeframe.H4, Timeframe.D1]),
)
def test_larger_timeframes_are_those_gathered_by_hand_and_only_closed_ones(kept, first, frame):
    everything = walk(len(kept), start=START + first * HOUR)
    there = np.flatnonzero(kept)
    if there.size < 2:
        return
    columns = {name: getattr(everything, name)[there] for name in ("ts", "open", "high", "low", "close", "volume")}
    candles = replace(everything, **columns)
    strategy = Larger(frame=str(frame))
    strategy._bind(candles)
    expected = by_hand(candles, frame)
    for i, row in enumerate(expected):
        strategy._clock.now = i
        found = [one[-1] for one in strategy.lines]
        if row is None:
            assert all(np.isnan(found))
        elif i and expected[-1] is not None:
            assert found == pytest.approx(row)


def test_what_comes_later_changes_nothing_that_was_seen():
    candles = walk(120)

    def seen(candles):
        strategy = Larger()
        strategy._bind(candles)
        big = strategy.on("4h")
        return np.array([big.close.whole, big.high.whole, big.ema(3).whole, big.rsi(2).whole])

    before = seen(candles)
    for cut in (5, 40, 41, 42, 43, 44, 77):
        later = np.arange(120) > cut
        columns = {
            name: np.where(later, getattr(candles, name) * 3, getattr(candles, name))
            for name in ("open", "high", "low", "close", "volume")
        }
        np.testing.assert_array_equal(seen(replace(candles, **columns))[:, : cut + 1], before[:, : cut + 1])


def test_a_four_hour_candle_is_seen_at_the_close_of_its_last_hour_and_not_before():
    candles = walk(12)
    strategy = Larger()
    strategy._bind(candles)
    close = strategy.lines[3]
    assert np.isnan(close.whole[:3]).all()
    assert close.whole[3:].tolist() == [candles.close[3]] * 4 + [candles.close[7]] * 4 + [candles.close[11]]


def test_larger_timeframes_equal_the_same_values_fed_by_hand():
    candles = walk(900, seed=4)

    class Asks(cb.Strategy):
        def init(self):
            self.big = self.on("4h").sma(5)
            self.quick = self.sma(3)

        def next(self):
            if cb.crossed_above(self.quick, self.big):
                self.buy(fraction=0.5, stop_loss=0.03)
            elif cb.crossed_below(self.quick, self.big):
                self.close()

    class Fed(Asks):
        def init(self):
            closes = [row[3] if row else NAN for row in by_hand(candles, Timeframe.H4)]
            ends = [i for i in range(len(candles)) if (candles.ts[i] + HOUR) % (4 * HOUR) == 0]
            mean = np.full(len(candles), NAN)
            for k in range(4, len(ends)):
                mean[ends[k] :] = sum(closes[end] for end in ends[k - 4 : k + 1]) / 5
            self.big = self.line("big", mean)
            self.quick = self.sma(3)

    asks, fed = (cb.backtest(one, candles, **FREE) for one in (Asks, Fed))
    assert len(asks.trades) > 20
    assert [row | {"strategy": ""} for row in asks.trades.rows()] == [
        row | {"strategy": ""} for row in fed.trades.rows()
    ]
    np.testing.assert_array_equal(asks.equity, fed.equity)


def test_signal_strategies_see_larger_timeframes_alike():
    candles = walk(300)
    found = cb.on_larger(candles, "4h", lambda big: big.close)
    strategy = Larger()
    strategy._bind(candles)
    np.testing.assert_array_equal(found, strategy.lines[3].whole)


@pytest.mark.parametrize("frame", ["15m", "30m", "3m"])
def test_a_smaller_timeframe_cannot_be_asked_for(frame):
    with pytest.raises(BadStrategy, match="a larger timeframe made of whole candles of 1h"):
        Larger(frame=frame)._bind(walk(20))


def test_an_unknown_timeframe_is_refused():
    with pytest.raises(BadInput, match="Use one of: 1m 3m 5m"):
        Larger(frame="5h")._bind(walk(20))


# -- indicators as methods --------------------------------------------------------------------------------------------


def bound(init, candles=None):
    strategy = type("Drawn", (cb.Strategy,), {"init": init})()
    strategy._bind(candles or walk(100))
    return strategy


def test_any_indicator_is_a_method_with_its_own_parameters():
    def init(self):
        self.one = self.rsi(7)
        self.three = self.macd(5, 9, 3)
        self.of = self.ema(4, of=self.one)

    candles = walk(100)
    strategy = bound(init, candles)
    np.testing.assert_array_equal(strategy.one.whole, cb.indicators.rsi(candles.close, 7))
    np.testing.assert_array_equal(strategy.three.signal.whole, cb.indicators.macd(candles.close, 5, 9, 3).signal)
    np.testing.assert_array_equal(strategy.of.whole, cb.indicators.ema(strategy.one.whole, 4))


def test_what_is_no_indicator_is_an_attribute_error():
    with pytest.raises(StrategyFailed, match="AttributeError: no column or indicator 'emaa'"):
        bound(lambda self: self.emaa(4))


def test_an_own_line_has_one_value_per_candle():
    with pytest.raises(BadStrategy, match=r"mine: \(3,\) will not do. Give one value per candle \(100\)"):
        bound(lambda self: self.line("mine", [1.0, 2.0, 3.0]))


def test_of_replaces_a_single_column_only():
    with pytest.raises(BadStrategy, match="this one reads: high low close"):
        bound(lambda self: self.atr(5, of=self.candles.close))


def test_candles_are_not_there_before_init():
    class Early(cb.Strategy):
        def __init__(self, **params):
            super().__init__(**params)
            self.early = self.candles.close

    with pytest.raises(BadStrategy, match="Candles are there in init\\(\\) and next\\(\\), not in __init__\\(\\)"):
        Early()


# -- what strategies raise --------------------------------------------------------------------------------------------


class FailsNow(cb.Strategy):
    def next(self):
        if self.ts == START + 41 * HOUR:
            int("missing")


class FailsAtFirst(cb.Strategy):
    def init(self):
        raise ValueError("no")


class FailsAtOnce(cb.SignalStrategy):
    def signals(self, candles):
        return cb.Signals(enter_long=candles.close[1:] > candles.close)


@pytest.mark.parametrize(
    ("strategy", "error", "when", "code"),
    [
        (FailsNow, "ValueError: invalid literal for int()", "2024-01-02 17:00", FailsNow.next.__code__),
        (FailsAtFirst, "ValueError: no", "2024-01-03 11:00", FailsAtFirst.init.__code__),
        (FailsAtOnce, "ValueError: operands could not be", "2024-01-03 11:00", FailsAtOnce.signals.__code__),
    ],
)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_errors_name_strategy_candle_and_line_in_both_languages(strategy, error, when, code, language):
    line = max(at for _, _, at in code.co_lines() if at)
    speak(language)
    try:
        with pytest.raises(StrategyFailed) as failed:
            cb.backtest(strategy, walk(60))
        said = str(failed.value)
    finally:
        speak("en")
    raised, at, row = (
        ("raised", "at the candle of", "line") if language == "en" else ("a levé", "à la bougie du", "ligne")
    )
    assert said.startswith(f"{strategy.__name__} {raised} {error}")
    assert said.endswith(f" {at} {when} ({row} {line}).")
    assert failed.value.__cause__ is not None


def test_a_wish_that_makes_no_sense_is_refused_with_a_remedy():
    for how, said in (
        ({"fraction": 0.1, "notional": 5}, "Give one size: fraction, notional, risk or quantity."),
        ({"limit": 1.0, "stop": 2.0}, "Give limit or stop, not both."),
    ):

        class Wishes(cb.Strategy):
            def next(self, how=how):
                self.buy(**how)

        with pytest.raises(BadStrategy, match=said):
            cb.backtest(Wishes, walk(9), instrument=rules())


@pytest.mark.parametrize("given", [None, {"enter_long": True}, [1, 2]])
def test_signals_must_be_signals(given):
    strategy = type("Wrong", (cb.SignalStrategy,), {"signals": lambda self, candles: given})
    with pytest.raises(BadStrategy, match=r"signals\(\) must return Signals\(\.\.\.\)"):
        cb.backtest(strategy, walk(9))


@pytest.mark.parametrize(
    "name", ["enter_long", "exit_long", "enter_short", "exit_short", "stop_loss", "take_profit", "size"]
)
def test_signals_have_one_value_per_candle(name):
    values = np.ones(7, bool) if name in FLAGS else np.ones(7)
    strategy = type("Short", (cb.SignalStrategy,), {"signals": lambda self, candles: cb.Signals(**{name: values})})
    with pytest.raises(BadStrategy, match=f"{name}: \\(7,\\) will not do. Give one value per candle \\(9\\)"):
        cb.backtest(strategy, walk(9))


def test_signals_with_holes_are_no_signals():
    flags = np.array([NAN, 1.0, 0.0, NAN, 0.0, 0.0, 0.0, 0.0], dtype=object)
    strategy = type(
        "Holes", (cb.SignalStrategy,), {"signals": lambda self, candles: cb.Signals(enter_long=flags, exit_long=None)}
    )
    candles = walk(8)
    (trade,) = cb.backtest(strategy, candles, **FREE).trades
    assert trade.entry_ts == candles.ts[2]
