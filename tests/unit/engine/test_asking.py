"""Strategies live: what they are given, what is refused, and asking many of them without holding up the rest."""

import asyncio
import threading
import time
from decimal import Decimal
from typing import Any, ClassVar

import numpy as np
import pytest
from tests.unit.backtest.made import rules, walk

import cambist as cb
from cambist.domain.candles import Candle
from cambist.domain.errors import StrategyFailed
from cambist.domain.order import Side
from cambist.domain.timeframe import Timeframe
from cambist.domain.wish import Enter, Quantity, Wish
from cambist.engine.asking import Asker, LiveRunner, warm_up_needed
from cambist.strategies._load import samples


class Purse:
    def equity(self, price: float) -> float:
        del price
        return 1_000.0

    def cash(self) -> float:
        return 1_000.0


def live(strategy, count: int = 100, **how) -> tuple[LiveRunner, list[Candle]]:
    candles = walk(count + 400, **how)
    return LiveRunner(strategy, candles[:count], rules(), account=Purse()), list(candles[count:])


def only(wishes: tuple[Wish, ...]) -> Any:
    """The one wish that there is."""
    (wish,) = wishes
    return wish


# -- what a runner is given -------------------------------------------------------------------------------------------


def test_the_warm_up_is_what_the_strategy_needs_at_that_timeframe():
    class Own(cb.Strategy):
        warmup: ClassVar[int] = 77

    class Computes(cb.Strategy):
        def init(self) -> None:
            self.far = np.asarray(self.candles.close)[-5_000]

    class Monthly(cb.Strategy):
        def init(self) -> None:
            self.on("1M").sma(2)

    assert warm_up_needed(Own, "1h") == 77
    assert warm_up_needed(Own(), "1m") == 77
    assert warm_up_needed(samples()["bollinger_breakout"], "1h") == samples()["bollinger_breakout"].warmup
    on_hours, on_minutes = (warm_up_needed(samples()["multi_timeframe_trend"], own) for own in ("1h", "1m"))
    assert on_minutes == pytest.approx(60 * on_hours, rel=0.01)
    assert warm_up_needed(Computes, "1h") == 2, "it wants more history than the first trial gives"
    assert warm_up_needed(Monthly, "1d") > 4 * 30, "months are as long as the longest"


def test_an_init_that_raises_is_named_before_the_start():
    class Wrong(cb.Strategy):
        def init(self) -> None:
            self.rsi(1 // 0)

    with pytest.raises(StrategyFailed, match="ZeroDivisionError"):
        warm_up_needed(Wrong, "1h")
    with pytest.raises(StrategyFailed, match="ZeroDivisionError"):
        live(Wrong)


def test_a_candle_that_was_seen_is_not_decided_on_again():
    class Always(cb.Strategy):
        def next(self) -> None:
            self.buy(quantity=1)

    runner, coming = live(Always)
    assert runner.on_candle(coming[0])
    assert runner.on_candle(coming[0]) == ()
    assert runner.see(coming[1]), "taken in without being decided on"
    assert runner.on_candle(coming[1]) == ()
    assert runner.on_candle(coming[0]) == ()
    assert runner.last_ts == coming[1].ts
    assert runner.on_candle(coming[2])


def test_candles_that_were_only_seen_count_in_the_lines():
    class Mean(cb.Strategy):
        def init(self) -> None:
            self.mean = self.sma(5)

        def next(self) -> None:
            self.buy(limit=float(self.mean), fraction=self.candles.close[-2] / 1e4)

    runner, coming = live(Mean)
    for candle in coming[:9]:
        runner.see(candle)
    wish = only(runner.on_candle(coming[9]))
    assert wish.limit == pytest.approx(np.mean([candle.close for candle in coming[5:10]]), rel=1e-12)
    assert wish.size.of_equity == coming[8].close / 1e4


def test_nothing_is_wished_before_every_line_has_a_value():
    class Slow(cb.Strategy):
        def init(self) -> None:
            self.mean = self.sma(30)

        def next(self) -> None:
            self.buy(quantity=1)

    runner, coming = live(Slow, count=1)
    wished = [bool(runner.on_candle(candle)) for candle in coming[:40]]
    assert wished == [False] * 28 + [True] * 12, "the thirtieth candle is the first with a mean"


def test_a_young_market_may_have_less_history_than_the_warm_up():
    class Big(cb.Strategy):
        def init(self) -> None:
            self.mean = self.on("4h").ema(50)

        def next(self) -> None:
            self.buy(limit=float(self.mean))

    assert warm_up_needed(Big, "1m") > 150_000
    runner, coming = live(Big, count=25_000, timeframe=Timeframe.M1)
    assert only(runner.on_candle(coming[0])).limit > 0


def test_lines_know_how_many_candles_there_were_and_give_plain_numbers():
    class Long(cb.Strategy):
        def init(self) -> None:
            self.mean = self.sma(3)

        def next(self) -> None:
            assert type(self.mean[-1]) is float
            assert type(self.candles.close[-1]) is float
            kept = np.asarray(self.mean)
            assert kept[-1] == self.mean[-1]
            assert self.mean.whole[-1] == self.mean[-1]
            self.buy(quantity=len(self.mean))

    candles = walk(4_000)
    runner = LiveRunner(Long, candles[:10], rules(), account=Purse())
    found = [runner.on_candle(candle) for candle in candles[10:]]
    assert [only(wishes).size for wishes in found] == [Quantity(Decimal(count)) for count in range(11, 4_001)]
    window = runner._runner._window
    assert window.count + window.dropped == 4_000
    assert window.count < 700, "memory is flat"


def test_the_account_is_the_bots_and_the_position_is_told():
    class Sized(cb.Strategy):
        def next(self) -> None:
            self.buy(notional=self.equity, limit=self.position.entry_price or None)

    runner, coming = live(Sized)
    assert only(runner.on_candle(coming[0])).size.amount == 1_000.0
    runner.tell(2.0, 99.5)
    assert only(runner.on_candle(coming[1])).limit == 99.5


# -- what is refused --------------------------------------------------------------------------------------------------


def test_a_strategy_that_raises_names_the_candle_and_may_go_on():
    class Sometimes(cb.Strategy):
        def init(self) -> None:
            self.count = 0

        def next(self) -> None:
            self.count += 1
            self.buy(quantity=self.count)
            if self.count == 2:
                raise ValueError("two")

    runner, coming = live(Sometimes)
    runner.on_candle(coming[0])
    with pytest.raises(StrategyFailed, match=r"ValueError: two at the candle of 2024-01-05 05:00"):
        runner.on_candle(coming[1])
    assert only(runner.on_candle(coming[2])).size == Quantity(Decimal(3))


class Computing(cb.Strategy):
    warmup: ClassVar[int] = 20

    def init(self) -> None:
        self.closes = np.asarray(self.candles.close).copy()
        self.rule = lambda: self.closes[-1]
        self.table: dict[str, Any] = {"a": [1, 2], "b": None}


def test_what_next_changes_in_what_init_computes_is_refused():
    class Changes(Computing):
        def next(self) -> None:
            self.closes[0] = 1.0

    class Rebinds(Computing):
        def next(self) -> None:
            self.closes = np.zeros(3)

    class Deletes(Computing):
        def next(self) -> None:
            del self.closes

    class KeepsLine(Computing):
        def next(self) -> None:
            self.mean = self.sma(3)

    for strategy, name in ((Changes, "closes"), (Rebinds, "closes"), (Deletes, "closes"), (KeepsLine, "mean")):
        runner, coming = live(strategy)
        with pytest.raises(StrategyFailed, match=rf"next\(\) changes self\.{name}"):
            runner.on_candle(coming[0])


def test_what_cannot_be_followed_is_refused():
    class Locked(Computing):
        def init(self) -> None:
            super().init()
            self.lock = threading.Lock()

    runner, coming = live(Locked)
    with pytest.raises(StrategyFailed, match="keeps a lock that cannot be followed"):
        runner.on_candle(coming[0])


def test_state_in_nested_tables_and_objects_set_by_next_survives():
    class Note:
        def __init__(self, value: float) -> None:
            self.value = value

    class Nested(Computing):
        def next(self) -> None:
            self.table["a"].append(int(self.ts))
            if self.table["b"] is None:
                self.table["b"] = Note(1.0)
            self.table["b"].value += 1
            self.buy(quantity=len(self.table["a"]) + self.table["b"].value)

    runner, coming = live(Nested)
    sizes = [only(runner.on_candle(candle)).size for candle in coming[:5]]
    assert sizes == [Quantity(Decimal(count)) for count in ("5.0", "7.0", "9.0", "11.0", "13.0")]


def test_an_indicator_asked_for_too_late_is_refused():
    class Late(cb.Strategy):
        def next(self) -> None:
            if self.candles.close[-1] > 0:
                self.buy(fraction=0.1, limit=float(self.kama(10)))

    class LateOnLarger(cb.Strategy):
        def next(self) -> None:
            self.buy(fraction=0.1, limit=float(self.on("1d").ema(5)))

    for strategy, line in ((Late, r"kama\(10, 2, 30\)"), (LateOnLarger, r"ema\(5\) 1d")):
        runner, coming = live(strategy, count=2_000)
        with pytest.raises(StrategyFailed, match=f"{line} is asked for in next"):
            runner.on_candle(coming[0])


# -- asking many ------------------------------------------------------------------------------------------------------


class Buys(cb.Strategy):
    size = cb.param(1)

    def next(self) -> None:
        self.buy(quantity=self.size)


class Raises(cb.Strategy):
    def next(self) -> None:
        raise KeyError("gone")


class Exits(cb.Strategy):
    def next(self) -> None:
        raise SystemExit(1)


class Hangs(cb.Strategy):
    threads: ClassVar[list[threading.Thread]] = []

    def next(self) -> None:
        self.threads.append(threading.current_thread())
        while True:
            time.sleep(0.001)


def test_the_answers_come_in_order_and_one_failure_is_its_own():
    async def ask():
        asker = Asker(limit_s=300.0)
        asked = []
        for number, strategy in enumerate((Buys(size=1), Raises, Exits, Buys(size=4))):
            runner, coming = live(strategy)
            asked.append((f"bot {number}", runner, coming[0]))
        answers = await asker.ask(asked)
        asker.close()
        return answers

    first, raised, left, last = asyncio.run(ask())
    assert [answer.bot for answer in (first, raised, left, last)] == ["bot 0", "bot 1", "bot 2", "bot 3"]
    assert (first.wishes, first.error) == ((Enter(side=Side.BUY, size=Quantity(Decimal(1))),), None)
    assert only(last.wishes).size == Quantity(Decimal(4))
    assert raised.wishes == ()
    assert "KeyError: 'gone'" in str(raised.error)
    assert "SystemExit: 1" in str(left.error)


def test_one_that_hangs_is_given_up_and_the_rest_go_on_while_the_loop_is_free():
    Hangs.threads.clear()

    async def ask():
        asker = Asker(limit_s=1.0)
        (one, coming), (stuck, _), (other, _) = live(Buys), live(Hangs), live(Buys)
        beats = 0

        async def beat():
            nonlocal beats
            while True:
                await asyncio.sleep(0)
                beats += 1

        beating = asyncio.create_task(beat())
        first = await asker.ask([("a", one, coming[0]), ("b", stuck, coming[0]), ("c", other, coming[0])])
        beating.cancel()
        again = await asker.ask([("a", one, coming[1]), ("b", stuck, coming[1])])
        asker.close()
        return first, again, beats

    first, again, beats = asyncio.run(ask())
    assert [bool(answer.wishes) for answer in first] == [True, False, True]
    assert str(first[1].error) == "Hangs took longer than 1 s to decide."
    assert isinstance(first[1].error, StrategyFailed)
    assert beats > 10, "the event loop went on"
    assert [bool(answer.wishes) for answer in again] == [True, False]
    assert "has not come back" in str(again[1].error)
    (thread,) = Hangs.threads
    thread.join(60)
    assert not thread.is_alive(), "it is told to end where it hangs"


def test_a_hundred_bots_decide_one_after_the_other_and_none_fails():
    candles = walk(600)
    runners = [
        (f"bot {number}", LiveRunner(samples()["ema_cross"], candles[:500], rules(), account=Purse()))
        for number in range(100)
    ]

    async def ask():
        asker = Asker(limit_s=300.0)
        took = []
        for candle in candles[500:520]:
            begun = time.perf_counter()
            answers = await asker.ask([(bot, runner, candle) for bot, runner in runners])
            took.append(time.perf_counter() - begun)
            assert not any(answer.error for answer in answers)
        asker.close()
        return took

    took = sorted(asyncio.run(ask()))
    print(f"\n100 bots: median {took[10] * 1e3:.1f} ms, worst {took[-1] * 1e3:.1f} ms")  # told; `make bench` measures
