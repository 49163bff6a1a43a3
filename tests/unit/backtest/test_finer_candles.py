"""Candles of a smaller timeframe decide what a market order finds, too: their opens, and their volume."""

from decimal import Decimal

import numpy as np
import pytest
from tests.unit.backtest.made import FREE, following, of_bars, rules

import cambist as cb
from cambist.backtest.engines import Place, Retraced, retrace
from cambist.backtest.result import Settings
from cambist.domain.candles import Candles
from cambist.domain.errors import StrategyFailed
from cambist.domain.timeframe import Timeframe
from cambist.domain.trade import ExitReason
from cambist.engine.runners import bind
from cambist.market.resample import resample

SHARED = {**FREE, "volume_share": 0.1, "instrument": rules(), "engine": "event loop"}


def minutes(prices: list[float], volume: float = 100.0) -> Candles:
    """Return minutes that stand still at ``prices``."""
    return of_bars([(price,) * 4 for price in prices], timeframe=Timeframe.M1, volume=volume)


FIVES = [100.0] * 10 + [101.0] * 5 + [102.0, 103.0, 104.0, 105.0, 106.0] + [107.0] * 5


def test_an_entry_takes_no_more_than_a_share_of_the_first_finer_candle():
    fine = minutes(FIVES)
    plan = {1: lambda it: it.buy(quantity=40)}
    coarse = resample(fine, Timeframe.M5)
    alone = cb.backtest(following(plan), coarse, **SHARED).trades[0]
    assert alone.quantity == 40  # a tenth of five minutes
    within = cb.backtest(following(plan), coarse, detail=fine, **SHARED).trades[0]
    assert within.quantity == 10  # a tenth of one


def test_what_an_exit_leaves_goes_on_at_the_next_finer_open():
    fine = minutes(FIVES)
    fine.volume[:15] = 1_000.0
    plan = {1: lambda it: it.buy(quantity=25), 2: lambda it: it.close()}
    trade = cb.backtest(following(plan), resample(fine, Timeframe.M5), detail=fine, **SHARED).trades[0]
    assert trade.quantity == 25
    assert trade.exit_price == pytest.approx((10 * 102 + 10 * 103 + 5 * 104) / 25)
    assert trade.exit_ts == int(fine.ts[15])


def test_several_symbols_go_on_at_the_next_finer_open_too():
    pair = []
    for symbol in ("A/USDT", "B/USDT"):
        fine = of_bars([(price,) * 4 for price in FIVES], timeframe=Timeframe.M1, volume=100.0, symbol=symbol)
        fine.volume[:15] = 1_000.0
        pair.append(fine)
    plan = {1: lambda it: it.buy(quantity=25), 2: lambda it: it.close()}
    result = cb.backtest(
        following(plan), [resample(fine, Timeframe.M5) for fine in pair], detail=pair, **(SHARED | {"cash": 1e5})
    )
    assert [trade.exit_price for trade in result.trades] == [pytest.approx(102.8)] * 2


# -- a bot's way retraced ---------------------------------------------------------------------------------------------


def retraced(plan, candles: Candles, cash: Decimal, asked: list[bool]) -> Retraced:
    nothing = (np.empty(0, np.int64), np.empty(0))
    place = Place(id="bot", name="it", candles=candles, instrument=rules(), funding=nothing, detail=None)
    strategy = following(plan)

    def bound(account):
        return bind(strategy, candles, rules(), cash=float(cash), account=account)

    return retrace(place, bound, Settings(fee_bps=0, slippage_bps=0), cash, asked)


def test_what_was_not_asked_is_not_decided_but_acts():
    candles = of_bars([(100, 101, 99, 100)] * 3 + [(100, 100, 80, 90)] + [(90, 91, 89, 90)] * 3)
    plan = {number: lambda it: it.buy(quantity=1, stop_loss=0.1) for number in (0, 1, 4)}
    found = retraced(plan, candles, Decimal(1_000), [False, True] + [False] * 5)
    assert list(found.wishes) == [int(candles.ts[1])]
    (only,) = found.trades
    assert (only.entry_ts, only.exit_ts, only.exit_price) == (int(candles.ts[2]), int(candles.ts[3]), Decimal(90))


def test_what_is_still_held_comes_last_at_the_last_close():
    candles = of_bars([(100, 101, 99, 100)] * 3 + [(100, 105, 100, 104)])
    plan = {1: lambda it: it.buy(quantity=1)}
    found = retraced(plan, candles, Decimal(1_000), [True] * 4)
    assert [(one.reason, one.exit_price, one.pnl) for one in found.trades] == [(ExitReason.OPEN, 104, 4)]


def test_a_strategy_that_fails_is_asked_no_more():
    def fail(_):
        raise RuntimeError("no")

    candles = of_bars([(100, 101, 99, 100)] * 6)
    plan = {1: lambda it: it.buy(quantity=1), 2: fail, 3: lambda it: it.close()}
    found = retraced(plan, candles, Decimal(1_000), [True] * 6)
    assert isinstance(found.failed, StrategyFailed)
    assert [one.reason for one in found.trades] == [ExitReason.OPEN]
