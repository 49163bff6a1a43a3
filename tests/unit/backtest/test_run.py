"""Whole backtests: portfolios, what a result holds, what is refused, how one is stopped, real candles."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.unit.backtest.made import FREE, HOUR, START, following, of_bars, rules, walk

import cambist as cb
from cambist.adapters.storage.candles import ParquetLake
from cambist.backtest.run import Finished
from cambist.domain.errors import BadInput, BadStrategy, Stopped
from cambist.domain.instrument import Kind
from cambist.domain.metrics import METRICS
from cambist.domain.proof import Verdict
from cambist.domain.text import speak
from cambist.domain.timeframe import Timeframe
from cambist.strategies._load import samples

SHARED = Path(__file__).parents[3].parent / "shared/data/01-candles"
real_data = pytest.mark.skipif(not SHARED.is_dir(), reason=f"the reference candles are not at {SHARED}")

TRADE_COLUMNS = ("side", "entry_ts", "entry_price", "exit_ts", "exit_price", "quantity", "pnl", "fees", "exit_reason")


class Cross(cb.Strategy):
    fast = cb.param(5)
    slow = cb.param(15)
    fraction = cb.param(0.4)

    def init(self):
        self.quick, self.calm = self.ema(self.fast), self.ema(self.slow)

    def next(self):
        if cb.crossed_above(self.quick, self.calm):
            self.buy(fraction=self.fraction, stop_loss=0.02, take_profit=0.05)
        elif cb.crossed_below(self.quick, self.calm):
            self.close()


class Signals(cb.SignalStrategy):
    def signals(self, candles):
        quick, calm = cb.indicators.ema(candles.close, 4), cb.indicators.ema(candles.close, 9)
        return cb.Signals(
            enter_long=cb.crossed_above(quick, calm), exit_long=cb.crossed_below(quick, calm), size=0.3, stop_loss=0.03
        )


def assert_same(one: Finished, other: Finished) -> None:
    for name in TRADE_COLUMNS:
        np.testing.assert_array_equal(getattr(one.trades, name), getattr(other.trades, name), err_msg=name)
    assert [(t.symbol, t.strategy) for t in one.trades] == [(t.symbol, t.strategy) for t in other.trades]
    np.testing.assert_array_equal(one.ts, other.ts)
    np.testing.assert_array_equal(one.equity, other.equity)
    np.testing.assert_array_equal(one.buy_and_hold, other.buy_and_hold)
    assert one.metrics == pytest.approx(other.metrics, nan_ok=True, rel=0, abs=0)
    assert (one.strategy, one.data_hash, one.proof) == (other.strategy, other.data_hash, other.proof)


# -- portfolios -------------------------------------------------------------------------------------------------------

SERIES = [
    walk(400, symbol="B/USDT", seed=1),
    walk(400, symbol="A/USDT", seed=2),
    walk(100, symbol="C/USDT", seed=3, timeframe=Timeframe.H4),
    walk(600, symbol="D/USDT", seed=4, timeframe=Timeframe.M30, start=START + HOUR),
]


def test_the_order_in_which_things_are_given_does_not_matter():
    strategies: list[Any] = [Cross, Cross(fast=8, slow=21), Signals]
    one = cb.backtest(strategies, SERIES)
    other = cb.backtest(strategies[::-1], SERIES[::-1])
    again = cb.backtest(strategies[1:] + strategies[:1], SERIES[2:] + SERIES[:2])
    assert len(one.trades) > 100
    assert len({(trade.symbol, trade.strategy) for trade in one.trades}) == 12
    assert_same(one, other)
    assert_same(one, again)


def test_money_adds_up_over_all_symbols():
    result = cb.backtest([Cross, Signals], SERIES)
    assert result.trades.pnl.sum() == pytest.approx(result.equity[-1] - 10_000.0, rel=1e-9)
    assert result.metrics["pnl"] == pytest.approx(result.equity[-1] - 10_000.0)
    assert result.metrics["fees"] == pytest.approx(result.trades.fees.sum())


def test_one_account_pays_for_all():
    bars = [(100.0, 101.0, 99.0, 100.0)] * 5
    candles = [of_bars(bars, symbol=symbol) for symbol in ("A/USDT", "B/USDT", "C/USDT")]
    plan = following({1: lambda s: s.buy(fraction=0.6)})
    result = cb.backtest(plan, candles, fee_bps=0, slippage_bps=0)
    # 6,000 for the first, the 4,000 that are left for the second, nothing for the third
    assert [(t.symbol, t.quantity) for t in result.trades] == [("A/USDT", 60.0), ("B/USDT", 40.0)]
    assert any("allowed no fill" in note for note in result.notes)
    assert (result.equity == 10_000.0).all()


def test_what_one_symbol_sets_free_at_an_open_another_may_spend_at_the_next_only():
    bars = [(100.0, 101.0, 99.0, 100.0)] * 6

    class Both(cb.Strategy):
        def next(self):
            number = (self.ts - START) // HOUR
            first = self.candles.candles.symbol == "A/USDT"
            if number == 1 and first:
                self.buy(fraction=1.0)
            elif number == 2 and first:
                self.close()
            elif number == 3 and not first:
                self.buy(fraction=1.0)

    candles = [of_bars(bars, symbol=symbol) for symbol in ("A/USDT", "B/USDT")]
    result = cb.backtest(Both, candles, **FREE)
    assert [(t.symbol, (t.entry_ts - START) // HOUR, t.quantity) for t in result.trades] == [
        ("A/USDT", 2, 100.0),
        ("B/USDT", 4, 100.0),
    ]


def test_two_symbols_that_do_not_meet_trade_as_they_would_alone():
    small = {"fraction": 0.001}  # so little that the other's luck does not change a lot
    series = SERIES[:2]
    both = cb.backtest(Cross(**small), series, cash=1e6)
    for candles in series:
        alone = cb.backtest(Cross(**small), candles, cash=1e6)
        mine = [t for t in both.trades if t.symbol == candles.symbol]
        assert [(t.side, t.entry_ts, t.entry_price, t.exit_ts, t.exit_price, t.exit_reason) for t in mine] == [
            (t.side, t.entry_ts, t.entry_price, t.exit_ts, t.exit_price, t.exit_reason) for t in alone.trades
        ]


@pytest.mark.parametrize("strategy", [Cross, Signals, *samples().values()])
def test_a_symbol_alone_is_a_portfolio_of_one(strategy):
    """The schedule of one feed and that of several are two pieces of code: an idle companion must change nothing."""

    class Idle(cb.Strategy):
        pass

    candles = walk(900, seed=7, symbol="A/USDT:USDT")
    funding = (candles.ts[::8] + 17, np.full(candles.ts[::8].size, 0.0003))
    alone = cb.backtest(strategy, candles, funding=funding, proof=False, engine="event loop")
    accompanied = cb.backtest([strategy, Idle], candles, funding=funding, proof=False)
    for name in TRADE_COLUMNS:
        np.testing.assert_array_equal(getattr(alone.trades, name), getattr(accompanied.trades, name), err_msg=name)
    np.testing.assert_array_equal(alone.equity, accompanied.equity)


def test_mixed_timeframes_give_equity_at_every_close():
    result = cb.backtest(Cross, SERIES)
    closes = set()
    for candles in SERIES:
        closes |= {int(ts) + candles.timeframe.ms for ts in candles.ts}
    assert result.ts.tolist() == sorted(closes)
    assert result.equity.size == result.buy_and_hold.size == result.ts.size


def test_a_decision_on_a_large_candle_acts_on_its_own_next_open_and_not_before():
    hours = walk(48, symbol="A/USDT", seed=1)
    four = walk(12, symbol="B/USDT", seed=2, timeframe=Timeframe.H4)
    result = cb.backtest(following({1: lambda s: s.buy(fraction=0.1)}), [hours, four], **FREE)
    entered = {t.symbol: t.entry_ts for t in result.trades}
    assert entered == {"A/USDT": START + 2 * HOUR, "B/USDT": START + 8 * HOUR}


# -- funding ----------------------------------------------------------------------------------------------------------


def test_funding_is_paid_by_longs_and_received_by_shorts_on_what_is_held():
    flat = (100.0, 111.0, 89.0, 100.0)
    candles = of_bars([flat, flat, (110.0, 111.0, 89.0, 90.0), (90.0, 95.0, 85.0, 95.0)], symbol="A/USDT:USDT")
    at = np.array([START, START + 2 * HOUR + 1, START + 3 * HOUR])
    funding = (at, np.array([0.5, 0.01, -0.02]))
    plans: dict[int, Any] = {1: lambda s: s.buy(quantity=2), -1: lambda s: s.sell(quantity=2)}
    for sign, wish in plans.items():
        result = cb.backtest(
            following({1: wish}),
            candles, funding=funding, instrument=rules(symbol="A/USDT:USDT"), **FREE,
        )  # fmt: skip
        (trade,) = result.trades
        # the first finds nothing held; then 1 % of 2 x 110 (the open of its candle), and -2 % of 2 x 90
        assert trade.pnl == pytest.approx(sign * (2 * (95 - 110) - (2.2 - 3.6)))
        assert result.equity[-1] == pytest.approx(10_000 + trade.pnl)
        assert result.equity[2] == pytest.approx(10_000 + sign * (2 * (90 - 110) - 2.2))


# -- what a result holds ----------------------------------------------------------------------------------------------


def test_a_result_tells_everything_needed_to_run_it_again():
    candles = walk(300)
    result = cb.backtest(
        Cross(fast=6), candles, cash=5_000, fee_bps=7.5, maker_fee_bps=1, slippage_bps=3, spread_bps=2,
        volume_share=0.2, limit_touch=True, pyramiding=2,
    )  # fmt: skip
    assert result.strategy == "Cross"
    assert result.params == {"fast": 6, "slow": 15, "fraction": 0.4}
    settings = result.settings
    assert (settings.cash, settings.fee_bps, settings.maker_fee_bps) == (5_000.0, 7.5, 1.0)
    assert (settings.slippage_bps, settings.spread_bps, settings.volume_share) == (3.0, 2.0, 0.2)
    assert (settings.limit_touch, settings.pyramiding) == (True, 2)
    assert result.engine == "event loop"
    (leg,) = result.legs
    assert leg.candles is candles
    assert [(line.name, line.overlay) for line in leg.lines] == [("ema(6)", True), ("ema(15)", True)]
    np.testing.assert_array_equal(leg.lines[0].values, cb.indicators.ema(candles.close, 6))
    np.testing.assert_array_equal(result.ts, candles.ts + HOUR)
    assert len(result.code_hash) == len(result.data_hash) == 32
    again = cb.backtest(Cross(**result.params), candles, **asdict(settings))
    assert_same(result, again)


def test_the_hash_of_the_data_changes_with_any_number():
    candles = walk(50)
    before = cb.backtest(Cross, candles).data_hash
    for name in ("open", "high", "low", "close", "volume"):
        column = getattr(candles, name).copy()
        column[17] += 1e-9
        assert cb.backtest(Cross, replace(candles, **{name: column})).data_hash != before, name


def test_every_metric_is_there_and_none_is_unknown():
    shapes: list[Any] = [Cross, Signals, cb.Strategy]
    for strategy in shapes:
        result = cb.backtest(strategy, walk(300))
        assert set(result.metrics) == set(METRICS)
        assert all(isinstance(value, float) for value in result.metrics.values())
        assert result.metrics["final_equity"] == result.equity[-1]
        assert result.metrics["trades"] + result.metrics["open_trades"] >= len(result.trades)


def test_buy_and_hold_puts_equal_parts_into_each_symbol_at_its_first_open():
    one, late = walk(50, symbol="A/USDT", seed=1), walk(30, symbol="B/USDT", seed=2, start=START + 10 * HOUR)
    alone = cb.backtest(cb.Strategy, one)
    np.testing.assert_allclose(alone.buy_and_hold, 10_000 / one.open[0] * one.close)
    both = cb.backtest([cb.Strategy, Cross], [one, late])
    expected = 5_000 / one.open[0] * one.close
    expected[:10] += 5_000
    expected[10:40] += 5_000 / late.open[0] * late.close
    expected[40:] += 5_000 / late.open[0] * late.close[-1]
    np.testing.assert_allclose(both.buy_and_hold, expected)


def test_exposure_and_turnover_by_hand():
    bars = [(100.0, 101.0, 99.0, 100.0)] * 10
    plan = following({1: lambda s: s.buy(quantity=10), 5: lambda s: s.close()})
    result = cb.backtest(plan, of_bars(bars), instrument=rules(), **FREE)
    assert result.metrics["exposure"] == pytest.approx(0.4)  # at the closes of candles 2 to 5
    assert result.metrics["turnover"] == pytest.approx(0.2 * 365 * 24 / 10)  # 2,000 of 10,000 in ten hours, per year
    assert result.metrics["trades"] == 1


def test_notes_tell_what_was_assumed_and_refused():
    candles = walk(60)
    assumed = "No exchange rules were at hand: tick size, lot step and minimums do not bind."
    assert cb.backtest(Cross, candles).notes == (assumed,)
    assert cb.backtest(Cross, candles, instrument=rules(Kind.SPOT)).notes == ()
    shorts = following({n: lambda s: s.sell(fraction=0.5) for n in (3, 5, 7)})
    assert cb.backtest(shorts, candles).notes == (assumed, "3 wishes refused: shorts are not possible on spot")
    silent = replace(candles, volume=np.zeros(60))
    result = cb.backtest(Cross, silent, instrument=rules(Kind.SPOT))
    assert result.notes == ("The candles carry no volume: fills are not limited by it.",)
    assert result.settings.volume_share is None
    assert len(result.trades) > 0


def test_a_report_is_written_where_asked(tmp_path):
    path = tmp_path / "out.html"
    assert cb.backtest(Cross, walk(100)).report(path) == path
    assert path.read_text(encoding="utf-8").lstrip().lower().startswith("<!doctype html>")


def test_what_is_given_is_left_as_it_was():
    candles, strategy = walk(200), Cross()
    before = {name: getattr(candles, name).copy() for name in ("ts", "open", "high", "low", "close", "volume")}
    first = cb.backtest(strategy, candles)
    second = cb.backtest(strategy, candles)
    assert_same(first, second)
    for name, column in before.items():
        np.testing.assert_array_equal(getattr(candles, name), column)
    assert strategy.position.quantity == 0.0


# -- wrong arguments --------------------------------------------------------------------------------------------------

GOOD = walk(20)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"cash": 0}, "cash: 0 will not do. Give a number from 1e-09 to 1e+15."),
        ({"cash": -5.0}, "cash: -5.0 will not do. Give a number from"),
        ({"cash": "much"}, "cash: 'much' will not do. Give a number from"),
        ({"cash": float("nan")}, "cash: nan will not do."),
        ({"cash": float("inf")}, "cash: inf will not do."),
        ({"fee_bps": 1_001}, "fee_bps: 1001 will not do. Give a number from -100 to 1000."),
        ({"maker_fee_bps": -101}, "maker_fee_bps: -101 will not do."),
        ({"slippage_bps": -1}, "slippage_bps: -1 will not do. Give a number from 0 to 1000."),
        ({"spread_bps": -1}, "spread_bps: -1 will not do."),
        ({"volume_share": 0}, "volume_share: 0 will not do. Give a number from 1e-09 to 1."),
        ({"volume_share": 1.1}, "volume_share: 1.1 will not do."),
        ({"pyramiding": 0}, "pyramiding: 0 will not do. Give a number from 1 to 1000."),
        ({"engine": "quick"}, "engine: 'quick' will not do. Choose one of: auto, compiled, event loop."),
        ({"engine": "compiled"}, "engine: 'compiled' will not do. The compiled simulator takes one SignalStrategy"),
        ({"strategy": "ema_cros"}, "strategy: 'ema_cros' will not do. There is no such file, nor a strategy of"),
        ({"strategy": dict}, "strategy: \"<class 'dict'>\" will not do."),
        ({"strategy": []}, "strategy: '[]' will not do. Give at least one."),
        ({"strategy": [Cross, Cross]}, "The same strategy with the same parameters is given twice for one symbol."),
        ({"candles": []}, "candles: '[]' will not do. Give at least one."),
        ({"candles": None}, "candles: 'NoneType' will not do. Give candles, or a list of them"),
        ({"candles": "file.csv"}, "candles: 'str' will not do. Give candles, or a list of them"),
        ({"candles": [GOOD, "file.csv"]}, "candles: 'str' will not do."),
        ({"candles": GOOD[:1]}, "A backtest needs at least two candles."),
        ({"candles": GOOD[:0]}, "A backtest needs at least two candles."),
        (
            {"candles": [GOOD, walk(20, symbol="BTC/EUR")]},
            "candles: 'BTC/EUR, BTC/USDT' will not do. Symbols that share an account must be quoted in one currency.",
        ),
        ({"funding": ([1, 2], [0.1])}, "funding: '2 / 1' will not do. Give times in ascending order"),
        ({"funding": ([2, 1], [0.1, 0.1])}, "funding: '2 / 2' will not do."),
        ({"funding": ([1, 2], [0.1, float("nan")])}, "funding: '2 / 2' will not do."),
        ({"detail": walk(20, timeframe=Timeframe.H4)}, "detail: '4h' will not do."),
    ],
)  # fmt: skip
def test_wrong_arguments_are_named_with_what_would_be_right(how, said):
    arguments: dict[str, Any] = {"strategy": Cross, "candles": GOOD, **how}
    with pytest.raises(BadInput) as refused:
        cb.backtest(arguments.pop("strategy"), arguments.pop("candles"), **arguments)
    assert said in str(refused.value)
    speak("fr")
    try:
        assert "ne convient pas." in str(refused.value)
    finally:
        speak("en")


@pytest.mark.parametrize("number", [np.int64(5_000), np.float64(5_000), 5_000, 5_000.0])
def test_numbers_of_any_make_will_do(number):
    assert cb.backtest(cb.Strategy, GOOD, cash=number).equity.tolist() == [5_000.0] * 20


# -- stopping ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("symbols", [["A/USDT"], ["A/USDT", "B/USDT"]])
def test_ctrl_c_stops_and_says_how_far_it_came(symbols):
    series = [walk(1_000, symbol=symbol) for symbol in symbols]
    shares: list[float] = []

    class Pressed(cb.Strategy):
        def next(self):
            if self.ts == START + 500 * HOUR:
                raise KeyboardInterrupt

    with pytest.raises(Stopped) as stopped:
        cb.backtest(Pressed, series, progress=shares.append)
    said = str(stopped.value)
    assert said.endswith("of the backtest; nothing was written.")
    assert 45 <= int(said.split()[2]) <= 50
    assert shares == sorted(shares)
    assert 0.45 <= shares[-1] <= 0.51


def test_progress_goes_from_nothing_to_all():
    for series in ([walk(1_000)], [walk(1_000), walk(500, symbol="B/USDT")], [walk(7)]):
        shares: list[float] = []
        cb.backtest(Cross, series, progress=shares.append, proof=False)
        if len(series[0]) > 20:
            assert shares[-1] == 1.0
        assert len(shares) <= 101
        assert shares == sorted(shares)


SLOW = """
import time
import cambist as cb

class Slow(cb.Strategy):
    def next(self):
        time.sleep(0.002)
"""


def test_a_running_command_is_stopped_by_sigint_and_leaves_nothing_behind(tmp_path):
    home = tmp_path / "home"
    ParquetLake(home / "candles").append(replace(walk(20_000), venue="test"))
    (tmp_path / "slow.py").write_text(SLOW, encoding="utf-8")
    env = {**os.environ, "CAMBIST_HOME": str(home), "CAMBIST_LANG": "en"}
    command = [sys.executable, "-c", "from cambist.apps.cli.main import main; main()"]
    arguments = ["backtest", "slow.py", "--symbol", "BTC/USDT", "--timeframe", "1h", "--report", "out.html"]
    before = sorted(path.name for path in home.rglob("*"))
    running = subprocess.Popen(
        [*command, *arguments], cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    time.sleep(5.0)
    assert running.poll() is None
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=20)
    assert running.returncode == 130
    assert out == ""
    assert "Stopped at " in err
    assert "% of the backtest; nothing was written." in err
    assert "Traceback" not in err
    assert not (tmp_path / "out.html").exists()
    after = sorted(path.name for path in home.rglob("*"))
    assert [name for name in after if name not in before] in ([], ["cambist.db"])
    results = subprocess.run(
        [*command, "results", "--json"], cwd=tmp_path, env=env, capture_output=True, text=True, check=True
    )
    assert results.stdout.strip() in ("[]", "")


# -- real candles -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bitcoin():
    return cb.read_candles(SHARED / "binance_spot_BTCUSDT_1h_2017-2024.parquet")


@real_data
@pytest.mark.parametrize("name", samples())
def test_the_samples_on_seven_years_of_bitcoin(bitcoin, name):
    result = cb.backtest(samples()[name], bitcoin)
    assert len(bitcoin) > 55_000
    assert result.proof.passed, result.proof
    assert len(result.trades) > 20
    assert result.metrics["buy_and_hold_return"] == pytest.approx(bitcoin.close[-1] / bitcoin.open[0] - 1)
    assert result.trades.pnl.sum() == pytest.approx(result.equity[-1] - 10_000, rel=1e-9, abs=1e-6)
    assert (result.equity > 0).all()
    assert (result.trades.side == 1).all()  # spot
    low, high = bitcoin.low.min() * 0.999, bitcoin.high.max() * 1.001
    for column in (result.trades.entry_price, result.trades.exit_price):
        assert ((column > low) & (column < high)).all()
    inside = np.searchsorted(bitcoin.ts, result.trades.entry_ts)
    np.testing.assert_array_equal(bitcoin.ts[inside], result.trades.entry_ts)
    # market entries at the open of their candle, 5 bps worse
    np.testing.assert_allclose(result.trades.entry_price, bitcoin.open[inside] * 1.0005, rtol=1e-9)


@real_data
def test_real_funding_is_paid():
    candles = cb.read_candles(SHARED / "binance_usdm_BTCUSDT_5m_2023.parquet")
    rates = pd.read_parquet(SHARED / "binance_usdm_BTCUSDT_funding_8h_2023.parquet")
    funding = (rates["timestamp"].to_numpy(np.int64), rates["funding_rate"].to_numpy(np.float64))
    inside = (funding[0] >= candles.ts[0]) & (funding[0] < candles.ts[-1])
    assert inside.sum() > 1_000
    hold = following({1: lambda s: s.buy(quantity="0.1")})
    instrument = rules(symbol=candles.symbol)
    paid, free = (
        cb.backtest(hold, candles, cash=1e6, funding=f, instrument=instrument, **FREE) for f in (funding, None)
    )
    price = dict(zip(candles.ts.tolist(), candles.open.tolist(), strict=True))
    entered = int(paid.trades.entry_ts[0])
    expected = sum(
        Decimal("0.1") * Decimal(repr(price[at - at % 300_000])) * Decimal(repr(rate))
        for at, rate in zip(funding[0].tolist(), funding[1].tolist(), strict=True)
        if entered < at < candles.ts[-1] + 300_000
    )
    assert free.trades.pnl[0] - paid.trades.pnl[0] == pytest.approx(float(expected), rel=1e-9)


class Once(cb.SignalStrategy):
    def signals(self, candles):
        return cb.Signals(enter_long=np.arange(len(candles)) == 5)


@pytest.mark.parametrize("engine", ["event loop", "compiled"])
@pytest.mark.parametrize("cash", [1e-6, 1.0, 1e6, 1e9, 1e12, 1e15])
def test_accounts_of_any_size_buy_what_they_can_pay(cash, engine):
    candles = walk(50, volume=1e30)
    result = cb.backtest(Once, candles, cash=cash, engine=engine, proof=False, volume_share=None)
    each = candles.open[6] * 1.0005 * 1.001
    most = min(cash / each, cash / candles.close[5])  # what is paid for, what was wished
    assert result.trades.quantity.sum() == pytest.approx(most, rel=1e-9, abs=1e-9)


def test_a_perpetual_without_its_funding_says_so():
    candles = walk(60, symbol="BTC/USDT:USDT")
    left_out = "No funding was given: what holders of a perpetual pay each other is left out."
    assert left_out in cb.backtest(Cross, candles, proof=False).notes
    paid = (candles.ts[8:9], np.array([0.001]))
    assert left_out not in cb.backtest(Cross, candles, funding=paid, proof=False).notes


def test_a_symbol_without_any_volume_trades_beside_one_that_has_some():
    index, other = replace(walk(60), volume=np.zeros(60)), walk(60, symbol="ETH/USDT")
    plan = following({1: lambda s: s.buy(fraction=0.4)})
    result = cb.backtest(plan, [index, other], proof=False)
    assert {trade.symbol for trade in result.trades} == {"BTC/USDT", "ETH/USDT"}
    assert any("no volume" in note for note in result.notes)
    assert result.settings.volume_share == 0.1


@pytest.mark.parametrize("engine", ["event loop", "compiled"])
def test_more_lots_than_an_integer_holds(engine):
    candles = replace(walk(50), **{name: 1e-10 * getattr(walk(50), name) for name in ("open", "high", "low", "close")})
    fine = rules(Kind.SPOT, tick="1e-18", lot="1e-12")
    result = cb.backtest(Once, candles, cash=1e6, engine=engine, proof=False, volume_share=None, instrument=fine)
    assert result.trades.quantity.sum() * result.trades.entry_price[0] == pytest.approx(1e6, rel=2e-2)


@pytest.mark.parametrize("engine", ["event loop", "compiled"])
@pytest.mark.parametrize("away", [np.inf, 1e300])
def test_a_protection_beyond_all_prices_is_none(engine, away):
    class Far(cb.SignalStrategy):
        def signals(self, candles):
            entries = np.arange(len(candles)) == 5
            return cb.Signals(enter_long=entries, stop_loss=away, take_profit=np.full(len(candles), away))

    trade = cb.backtest(Far, walk(50), engine=engine, proof=False).trades[0]
    assert trade.exit_reason == "open"


@pytest.mark.parametrize("protection", ["stop_loss", "take_profit", "trailing_stop"])
def test_a_strategy_that_wishes_one_has_none(protection):
    plan = following({1: lambda s: s.buy(fraction=0.5, **{protection: np.inf})})
    assert cb.backtest(plan, walk(20), proof=False).trades[0].exit_reason == "open"
    with pytest.raises(BadStrategy, match="finite price"):
        cb.backtest(following({1: lambda s: s.buy(limit=np.inf)}), walk(20), proof=False)


def test_two_venues_of_one_symbol_keep_their_trades_and_finer_candles_apart():
    finer = [walk(240, seed=seed, timeframe=Timeframe.M15, step=0.02) for seed in (1, 2)]
    finer[1] = replace(finer[1], venue="other")
    series = [cb.resample(one, Timeframe.H1) for one in finer]
    plan = following({n: lambda s: s.buy(fraction=0.2, stop_loss=0.02, take_profit=0.02) for n in range(1, 60, 4)})
    both = cb.backtest(plan, series, detail=finer, proof=False, volume_share=None)
    assert both.trades.symbols == ("BTC/USDT (other)", "BTC/USDT (test)")
    for one, own in zip(series, finer, strict=True):
        alone = cb.backtest(plan, one, detail=own, proof=False, volume_share=None).trades
        mine = both.trades.symbol == both.trades.symbols.index(f"BTC/USDT ({one.venue})")
        for name in ("entry_ts", "exit_ts", "exit_price", "exit_reason"):
            np.testing.assert_array_equal(getattr(both.trades, name)[mine], getattr(alone, name))


def test_an_order_at_a_price_of_nothing_does_not_go_to_the_market():
    wishes: list[Any] = [lambda s: s.buy(quantity=1, limit=0.0), lambda s: s.buy(quantity=1, stop=0.0)]
    for wish in wishes:
        try:
            assert len(cb.backtest(following({1: wish}), walk(9), instrument=rules(), **FREE).trades) == 0
        except BadInput:
            continue  # refused: as good


def test_trades_keep_the_symbol_of_their_candles():
    series = [walk(20, symbol=symbol) for symbol in ("A/USDT", "B/USDT")]
    plan = following({1: lambda s: s.buy(fraction=0.1)})
    result = cb.backtest(plan, series, instrument=rules(symbol="A/USDT"), proof=False)
    assert {trade.symbol for trade in result.trades} == {"A/USDT", "B/USDT"}


def test_a_strategy_that_fails_on_its_own_warm_up_fails_the_proof_not_the_backtest():
    class Needs(cb.SignalStrategy):
        warmup = 50

        def signals(self, candles):
            if len(candles) < 100:
                raise ValueError("too few")
            return cb.Signals(enter_long=candles.close > 100, exit_long=candles.close < 100)

    assert cb.backtest(Needs, walk(900)).proof.warm_up is Verdict.FAIL
