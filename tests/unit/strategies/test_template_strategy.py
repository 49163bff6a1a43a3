"""Templates: code as users paste it, held to a plain simulation, and to being built anew at each candle."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

import numpy as np
import pytest
from bench.pasted import PASTED
from tests.unit.backtest.made import rules, walk

import cambist as cb
from cambist.domain.errors import BadInput, StrategyFailed
from cambist.domain.instrument import Kind
from cambist.domain.proof import Verdict
from cambist.domain.strategy_text import TEMPLATES
from cambist.strategies._load import from_source
from cambist.strategies._template_run import TemplateRun

D = Decimal


# -- the law by plain Python ------------------------------------------------------------------------------------------


def ema(closes: list[float], length: int) -> list[float]:
    """The average as pandas-ta has it: it starts as the mean of the first ``length`` closes."""
    out = [float("nan")] * (length - 1) + [sum(closes[:length]) / length]
    for close in closes[length:]:
        out.append(out[-1] + (close - out[-1]) * 2 / (length + 1))
    return out


def ticks(price: Decimal, rounding: str) -> Decimal:
    return (price / D("0.01")).to_integral_value(rounding) * D("0.01")


class Plain:
    """The fill law for one market entry at a time, with a stop, a target, fees and slippage; exact decimals."""

    def __init__(self, candles: cb.Candles, *, may_short: bool) -> None:
        self.candles, self.may_short = candles, may_short
        self.cash, self.held, self.entry, self.margin = D(10_000), D(0), D(0), D(0)
        self.trades: list[tuple[Any, ...]] = []
        self.fees = D(0)
        self.orders: list[tuple[str, Decimal]] = []

    def deal(self, i: int, at: float, quantity: Decimal) -> Decimal:
        """Buy (or with a negative quantity sell) at ``at``, 5 bps worse, for a fee of 10 bps."""
        worse = D(repr(at)) * (1 + D("0.0005") * (1 if quantity > 0 else -1))
        price = ticks(worse, ROUND_CEILING if quantity > 0 else ROUND_FLOOR)
        fee = abs(quantity) * price * D("0.001")
        self.cash -= quantity * price + fee
        self.fees += fee
        return price

    def leave(self, i: int, at: float, why: str) -> None:
        price = self.deal(i, at, -self.held)
        side = "long" if self.held > 0 else "short"
        ts, entered = int(self.candles.ts[i]), int(self.candles.ts[self.entered])
        pnl = self.held * (price - self.entry) - self.fees
        self.trades.append((side, entered, self.entry, ts, price, abs(self.held), pnl, self.fees, why))
        self.held, self.margin, self.fees = D(0), D(0), D(0)

    def enter(self, i: int, quantity: Decimal) -> None:
        self.entry, self.held, self.entered = self.deal(i, float(self.candles.open[i]), quantity), quantity, i
        way = 1 if quantity > 0 else -1
        rounding = ROUND_CEILING if quantity > 0 else ROUND_FLOOR
        self.stop = ticks(self.entry * (1 - way * D("0.02")), rounding)
        self.target = ticks(self.entry * (1 + way * D("0.04")), rounding)
        self.margin = 2 * abs(quantity) * self.entry if quantity < 0 else D(0)

    def guard(self, i: int) -> None:
        c, way = self.candles, 1 if self.held > 0 else -1
        opened, worst, best = (
            float(c.open[i]),
            float((c.low if way > 0 else c.high)[i]),
            float((c.high if way > 0 else c.low)[i]),
        )
        if opened * way <= float(self.stop) * way:
            self.leave(i, opened, "stop_loss")
        elif opened * way >= float(self.target) * way:
            self.leave(i, opened, "take_profit")
        elif worst * way <= float(self.stop) * way:
            self.leave(i, float(self.stop), "stop_loss")
        elif best * way >= float(self.target) * way:
            self.leave(i, float(self.target), "take_profit")

    def run(self) -> list[tuple[Any, ...]]:
        closes = self.candles.close.tolist()
        quick, calm = ema(closes, 10), ema(closes, 20)
        for i in range(len(closes)):
            for what, quantity in self.orders:
                if what == "leave" and self.held:
                    self.leave(i, float(self.candles.open[i]), "signal")
                elif what == "enter":
                    self.enter(i, quantity)
            self.orders = []
            if self.held:
                self.guard(i)
            if i + 1 >= 21:
                self.decide(quick, calm, closes, i)
        if self.held:
            last = D(repr(closes[-1]))
            pnl = self.held * (last - self.entry) - self.fees
            self.trades.append(
                ("long" if self.held > 0 else "short", int(self.candles.ts[self.entered]), self.entry,
                 int(self.candles.ts[-1]), last, abs(self.held), pnl, self.fees, "open")
            )  # fmt: skip
        return self.trades

    def decide(self, quick: list[float], calm: list[float], closes: list[float], i: int) -> None:
        up = quick[i - 1] < calm[i - 1] and quick[i] > calm[i]
        down = quick[i - 1] > calm[i - 1] and quick[i] < calm[i]
        if (up and self.held > 0) or (down and self.held < 0) or not (up or down):
            return
        if down and not self.may_short:
            if self.held:
                self.orders = [("leave", D(0))]
            return
        amount = float(self.cash - self.margin) * 0.1 / closes[i]
        quantity = (D(repr(amount)) / D("0.001")).to_integral_value(ROUND_FLOOR) * D("0.001")
        self.orders = [("leave", D(0)), ("enter", quantity if up else -quantity)]


def seen(result: Any) -> list[tuple[Any, ...]]:
    return [
        (t.side, t.entry_ts, t.entry_price, t.exit_ts, t.exit_price, t.quantity, t.pnl, t.fees, str(t.exit_reason))
        for t in result.trades
    ]


COSTS: dict[str, Any] = {"fee_bps": 10.0, "slippage_bps": 5.0, "volume_share": None}


@pytest.mark.parametrize("kind", [Kind.SPOT, Kind.PERPETUAL])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_pasted_cross_trades_as_a_plain_simulation_does_and_as_one_built_anew(kind, seed, monkeypatch):
    candles = walk(600, seed=seed)
    strategy = from_source(PASTED, "collee.py")
    how = {**COSTS, "instrument": rules(kind)}
    result = cb.backtest(strategy, candles, **how)
    expected = Plain(candles, may_short=kind is Kind.PERPETUAL).run()
    assert len(expected) >= 8
    assert {trade[-1] for trade in expected} >= {"stop_loss", "take_profit"}
    assert {trade[0] for trade in expected} == ({"long"} if kind is Kind.SPOT else {"long", "short"})
    assert [(trade[0], *trade[1::2][:1], trade[3], trade[-1]) for trade in seen(result)] == [
        (trade[0], trade[1], trade[3], trade[-1]) for trade in expected
    ]
    for found, wanted in zip(seen(result), expected, strict=True):
        assert found[1:-1] == pytest.approx([float(number) for number in wanted[1:-1]], rel=1e-12)
    assert result.proof.passed
    monkeypatch.setattr(TemplateRun, "_whole", lambda self: None)
    truth = cb.backtest(strategy, candles, **how, proof=False)
    assert seen(truth) == seen(result)
    np.testing.assert_array_equal(truth.equity, result.equity)


def test_the_empty_template_runs_and_does_nothing():
    candles = walk(300)
    result = cb.backtest(from_source(TEMPLATES["fr"], "vide.py"), candles)
    assert len(result.trades) == 0
    assert (result.equity == 10_000.0).all()
    assert result.proof.look_ahead is Verdict.PASS


def test_should_short_closes_a_long_on_spot_and_turns_short_on_perpetuals():
    source = """
class Turns(TemplateStrategy):
    def should_long(self):
        return len(self.candles) == 3
    def should_short(self):
        return len(self.candles) in (2, 5)
    def calculate_position_size(self):
        return 1000
"""
    candles = walk(10)
    ts = candles.ts.tolist()
    strategy = from_source(source, "turns.py")

    def sides(kind: Kind) -> list[tuple[Any, ...]]:
        return [row[:2] + row[3:4] + row[-1:] for row in seen(cb.backtest(strategy, candles, instrument=rules(kind)))]

    assert sides(Kind.SPOT) == [("long", ts[3], ts[5], "signal")]
    assert sides(Kind.PERPETUAL) == [
        ("short", ts[2], ts[3], "signal"),
        ("long", ts[3], ts[5], "signal"),
        ("short", ts[5], ts[9], "open"),
    ]


def test_the_size_is_an_amount_of_quote_currency_and_balance_is_the_free_cash():
    source = """
class Halves(TemplateStrategy):
    def should_long(self):
        return len(self.candles) in (2, 5)
    def should_short(self):
        return len(self.candles) == 4
    def calculate_position_size(self):
        return self.balance / 2
"""
    candles = walk(9)
    strategy = from_source(source, "halves.py")
    result = cb.backtest(strategy, candles, instrument=rules(Kind.SPOT), fee_bps=0, slippage_bps=0)
    first, second = result.trades
    assert first.quantity == pytest.approx(5_000 / candles.close[1], abs=0.001)
    assert second.quantity == pytest.approx((10_000 + first.pnl) / 2 / candles.close[4], abs=0.001)


def test_it_sees_its_position():
    source = """
class Looks(TemplateStrategy):
    def should_long(self):
        return self.position is None
    def should_short(self):
        held = self.position
        return bool(held) and held.is_long and self.candles["close"].iloc[-1] > held.entry_price
    def calculate_position_size(self):
        return 100
"""
    candles = walk(60, seed=5)
    for kind in (Kind.SPOT, Kind.PERPETUAL):
        result = cb.backtest(
            from_source(source, "looks.py"), candles, instrument=rules(kind), fee_bps=0, slippage_bps=0
        )
        longs = [trade for trade in result.trades if trade.side == "long" and trade.exit_reason != "open"]
        assert longs
        closes = dict(zip(candles.ts.tolist(), candles.close.tolist(), strict=True))
        assert all(closes[trade.exit_ts - 3_600_000] > trade.entry_price for trade in longs)


# -- the quick way decides as one built anew --------------------------------------------------------------------------

HEAD = """
import numpy as np
import pandas as pd
import pandas_ta as ta

class Drawn(TemplateStrategy):
    def __init__(self, candles, balance, position=None):
        super().__init__(candles, balance, position)
{init}
    def should_long(self):
{long}
    def should_short(self):
{short}
    def calculate_position_size(self):
        return 1000.0
    def calculate_stop_loss(self):
        return 0.03
"""
RISES = 'return self.candles["close"].iloc[-1] > self.candles["open"].iloc[-1]'
FALLS = 'return self.candles["close"].iloc[-1] < self.candles["open"].iloc[-1]'

SHAPES = {
    "number": ("self.share = 0.25", RISES, FALLS, False),
    "column": ('self.candles["mean"] = self.candles["close"].rolling(9).mean()',
               'return self.candles["close"].iloc[-1] > self.candles["mean"].iloc[-1]',
               'return self.candles.close.iloc[-1] < self.candles["mean"].iloc[-1]', False),
    "series": ('self.mean = self.candles["close"].rolling(9).mean()',
               'return self.candles["close"].iloc[-1] > self.mean.iloc[-1]',
               'return self.candles["close"].iloc[-1] < self.mean.iloc[-1]', False),
    "array": ('self.mean = self.candles["close"].rolling(9).mean().to_numpy()',
              'return self.candles["close"].to_numpy()[-1] > self.mean[-1]',
              'return float(self.candles["close"].values[-1]) < self.mean[-1]', False),
    "frame": ('self.bands = candles[["high", "low"]].rolling(5).mean().shift().set_axis(["up", "down"], axis=1)',
              'return self.candles["close"].iloc[-1] > self.bands["up"].iloc[-1]',
              'return self.candles["close"].iloc[-1] < self.bands.down.iloc[-1]', False),
    "last number": ('self.last = float(candles["close"].iloc[-1])',
                    "return self.last > 100", "return self.last < 99", True),
    "list": ('self.closes = candles["close"].tolist()',
             "return len(self.closes) > 3 and self.closes[-1] > self.closes[-3]",
             "return len(self.closes) > 3 and self.closes[-1] < self.closes[-3]", True),
    "dict of series": ('self.of = {"mean": candles["close"].rolling(9).mean()}',
                       'return self.candles["close"].iloc[-1] > self.of["mean"].iloc[-1]', FALLS, True),
    "several columns": ('self.hl = candles[["high", "low"]].to_numpy()',
                        "return len(self.hl) > 3 and self.hl[-1, 0] > self.hl[-3, 0]",
                        "return len(self.hl) > 3 and self.hl[-1, 1] < self.hl[-3, 1]", True),
    "highest of all": ('self.top = float(candles["close"].max())',
                       'return self.candles["close"].iloc[-1] >= self.top', FALLS, True),
    "highest of the first": ('self.top = float(candles["close"].iloc[:50].max())',
                             'return self.candles["close"].iloc[-1] >= self.top', FALLS, True),
    "computed in should_long": ("pass",
                                'mean = self.candles["close"].rolling(9).mean(); return mean.iloc[-1] < mean.iloc[-2]',
                                'return bool((self.candles["close"] > self.candles["open"]).iloc[-3:].all())', False),
    "pandas-ta in should_long": ("pass",
                                 ("mean = ta.sma(self.candles['close'], length=9); "
                                 "return mean is not None and mean.iloc[-1] > self.candles['close'].iloc[-1]"),
                                 FALLS, True),
    "pandas-ta behind a condition": ("self.rises = None",
                                     ("if self.candles['close'].iloc[-1] < 1.01 * self.candles['close'].iloc[-2]:\n"
                                     "            return False\n"
                                     "        mean = self.mean()\n"
                                     "        return mean is not None and mean.iloc[-1] < mean.iloc[-2]\n"
                                     "    def mean(self):\n"
                                     "        return ta.sma(self.candles['close'], length=9)"),
                                     FALLS, True),
    "what views cannot do, now and then": ("pass",
                                           ("return len(self.candles) % 9 == 0 and "
                                           "(2.0 ** (self.candles['close'] / 100)).iloc[-1] > 1"),
                                           FALLS, False),
    "looking back without a guard": ("pass", 'return self.candles["close"].iloc[-30] < self.candles["close"].iloc[-1]',
                                     FALLS, False),
    "rolling windows": ("pass",
                        'return self.candles["close"].iloc[-20:].mean() < self.candles["close"].iloc[-1]',
                        'return self.candles.tail(20)["close"].max() > self.candles["close"].iloc[-1] * 1.02', False),
    "loc and slices": ("pass",
                       'return self.candles.loc[self.candles.index[-1], "close"] > self.candles["close"][-5:].mean()',
                       'return bool(self.candles.iloc[-1]["close"] < self.candles.iloc[-2:]["close"].iloc[0])', False),
    "length": ("pass", "return len(self.candles) % 7 == 0", "return len(self.candles) % 7 == 3", False),
    "arithmetic": ("self.quick, self.calm = candles.close.ewm(span=5).mean(), candles.close.ewm(span=13).mean()",
                   "return bool(((self.quick - self.calm) > 0).iloc[-1])",
                   "gap = self.quick / self.calm - 1; return gap.iloc[-1] < 0", False),
    "iteration": ("pass", "return sum(1 for c in self.candles['close']) % 5 == 0",
                  "return max(list(self.candles['close'])[-3:]) < 100", False),
    "a count of its own": ("self.asked = 0", "self.asked += 1; return self.asked > 3", FALLS, False),
    "a list of its own": ("self.asked = []", "self.asked.append(1); return len(self.asked) > 3", FALLS, False),
    "kept for the size": ("self.seen = None",
                          'self.seen = self.candles["close"].iloc[-1]; return self.seen > 100', FALLS, False),
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_the_quick_way_decides_as_one_built_anew(name, monkeypatch):
    init, long, short, rebuilds = SHAPES[name]
    short = short.replace("and FALLS", "and " + FALLS.removeprefix("return "))
    source = HEAD.format(init=f"        {init}", long=f"        {long}", short=f"        {short}")
    strategy = from_source(source, "drawn.py")
    candles = walk(300, seed=11)  # no more than the warm-up: one built anew sees all history
    run = TemplateRun(strategy, candles, cash=10_000.0, may_short=True, account=None)  # type: ignore[arg-type]
    assert run.rebuilds is rebuilds
    how = {**COSTS, "instrument": rules(), "proof": False}
    quick = cb.backtest(strategy, candles, **how)
    monkeypatch.setattr(TemplateRun, "_whole", lambda self: None)
    truth = cb.backtest(strategy, candles, **how)
    assert seen(quick) == seen(truth)
    np.testing.assert_array_equal(quick.equity, truth.equity)
    if name not in ("a count of its own", "a list of its own"):
        assert len(truth.trades) > 5


# -- parameters and errors --------------------------------------------------------------------------------------------


def test_templates_have_parameters_too():
    source = """
class Sized(TemplateStrategy):
    amount = param(500.0, low=100.0, high=1000.0)
    def should_long(self):
        return len(self.candles) == 3
    def calculate_position_size(self):
        return self.amount
"""
    candles = walk(8)
    strategy = from_source(source, "sized.py")
    assert issubclass(strategy, cb.TemplateStrategy)
    for given, amount in ((strategy, 500.0), (strategy.configured(amount="250"), 250.0)):
        result = cb.backtest(given, candles, fee_bps=0, slippage_bps=0, instrument=rules(Kind.SPOT))
        (trade,) = result.trades
        assert trade.quantity == pytest.approx(amount / candles.close[2], abs=0.001)
        assert result.params == {"amount": amount}
        assert result.strategy == "Sized"
    with pytest.raises(BadInput, match="amount"):
        strategy.configured(amount=5)


@pytest.mark.parametrize("slow", [False, True])
def test_what_a_template_raises_names_strategy_candle_and_line(slow, monkeypatch):
    source = """
class Breaks(TemplateStrategy):
    def should_long(self):
        if len(self.candles) == 42:
            raise RuntimeError("no more")
        return False
"""
    candles = walk(60)
    if slow:
        monkeypatch.setattr(TemplateRun, "_whole", lambda self: None)
    with pytest.raises(StrategyFailed) as failed:
        cb.backtest(from_source(source, "breaks.py"), candles)
    # candle number 41 opened 41 hours after midnight of the first of January
    assert str(failed.value) == "Breaks raised RuntimeError: no more at the candle of 2024-01-02 17:00 (line 5)."


MISSPELT = """
class Misspelt(TemplateStrategy):
    def should_long(self):
        return self.candles["clsoe"].iloc[-1] > 0
"""


@pytest.mark.parametrize(
    ("proof", "count"),
    [
        (False, 600),
        (False, 300),
        (True, 300),
    ],
)
def test_a_misspelt_column_is_told(proof, count):
    with pytest.raises(StrategyFailed, match="Misspelt raised KeyError: 'clsoe'"):
        cb.backtest(from_source(MISSPELT, "misspelt.py"), walk(count), proof=proof)


def test_one_that_must_be_built_anew_is_not_asked_before_its_indicators_exist():
    source = """
import pandas_ta as ta
class Anew(TemplateStrategy):
    def __init__(self, candles, balance, position=None):
        super().__init__(candles, balance, position)
        self.known = [len(candles)]
        self.gap = ta.macd(candles["close"])["MACDh_12_26_9"]
    def should_long(self):
        return bool(self.gap.iloc[-1] > 0)
    def calculate_position_size(self):
        return 100.0
"""
    assert len(cb.backtest(from_source(source, "anew.py"), walk(200), proof=False).trades) == 1
