"""In lockstep, a bot at the simulated venue gets what it got in the backtest: every fill, every trade, every digit."""

import asyncio
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from tests.property.test_conservation import Whim
from tests.unit.backtest.made import rough, rules
from tests.unit.simulated.lockstep import historical, lockstep

import cambist as cb
from cambist.domain.candles import Candles
from cambist.domain.instrument import Instrument, Kind
from cambist.domain.timeframe import Timeframe
from cambist.market.matching import Costs
from cambist.market.synthetic import synthetic_market
from cambist.strategies._load import load

D = Decimal
PERPETUAL, SPOT = Kind.PERPETUAL, Kind.SPOT
COSTS = Costs(maker_fee_bps=2.0, taker_fee_bps=7.5, slippage_bps=5.0, spread_bps=2.0, volume_share=0.0002)


class Dips(cb.Strategy):
    """Limit entries below the market, with stop and target."""

    def init(self) -> None:
        self.slow = self.sma(30)

    def next(self) -> None:
        close = self.candles.close[-1]
        if not self.position:
            self.cancel()
            if close < self.slow[-1]:
                self.buy(fraction=1.0, limit=close * 0.9995, stop_loss=0.003, take_profit=0.005)
        elif close > self.slow[-1] * 1.004:
            self.close()


class Breaks(cb.Strategy):
    """Stop entries above the market, guarded by a trailing stop alone."""

    def next(self) -> None:
        close = self.candles.close[-1]
        if not self.position:
            self.cancel()
            self.buy(fraction=0.7, stop=close * 1.001, trailing_stop=0.003)


def agree(strategy: Any, candles: Candles, instrument: Instrument, costs: Costs, cash: str = "10000") -> Any:
    past = historical(strategy, candles, instrument, costs, D(cash))
    here = asyncio.run(lockstep(strategy, candles, instrument, costs, D(cash)))
    assert here.fills == past.fills
    assert here.trades == past.trades
    assert here.state.cash == past.state.cash
    assert here.balances[instrument.quote] == here.state.cash
    held = here.balances.get(instrument.symbol if instrument.kind is PERPETUAL else instrument.base, D(0))
    assert held == here.state.bots["bot"].position.quantity
    return here


def market(count: int, timeframe: Timeframe = Timeframe.M1, seed: int = 3) -> Candles:
    made = synthetic_market(("BTC/USDT",), start_ms=1_704_067_200_000, count=count, timeframe=timeframe, seed=seed)
    return made["BTC/USDT"]


@pytest.mark.parametrize(
    ("strategy", "kind", "least"),
    [
        (load("ema_cross"), SPOT, 150),
        (load("donchian_trend"), PERPETUAL, 25),
        (Dips, SPOT, 50),
        (Breaks, SPOT, 100),
    ],
)
def test_a_bot_at_the_simulated_venue_gets_the_fills_of_the_backtest_to_the_digit(strategy, kind, least):
    candles = market(10_500)
    instrument = rules(kind, tick="0.01", lot="0.00001", min_notional=D(5))
    run = agree(strategy, candles, instrument, COSTS)
    assert len(run.trades) >= least


@pytest.mark.parametrize("seed", range(25))
def test_whatever_is_wished_on_a_perpetual_the_venue_and_the_backtest_agree(seed):
    rng = np.random.default_rng(seed)
    candles = rough(rng, 400, step=int(rng.integers(1, 4)))
    costs = Costs(
        maker_fee_bps=float(rng.choice([-1.0, 0.0, 2.0])),
        taker_fee_bps=float(rng.choice([0.0, 7.5])),
        slippage_bps=float(rng.choice([0.0, 5.0, 50.0])),
        volume_share=(None, 0.01, 0.1, 1.0)[int(rng.integers(4))],
        limit_touch=bool(rng.random() < 0.3),
    )
    instrument = rules(PERPETUAL, lot="0.001", min_notional=D("7.3"))
    agree(Whim(seed=seed, often=0.5), candles, instrument, costs)


def test_the_whims_reach_every_kind_of_exit_and_partial_fills():
    """The agreement is worth something only if its examples do all that can be done."""
    costs = Costs(volume_share=0.1)
    reasons: set[str] = set()
    partly = 0
    for seed in range(4):
        candles = rough(np.random.default_rng(seed), 400)
        run = agree(Whim(seed=seed, often=0.5), candles, rules(PERPETUAL), costs)
        reasons |= {str(trade.reason) for trade in run.state.trades}
        partly += sum(not done for *_, done in run.fills)
    assert reasons >= {"signal", "stop_loss", "take_profit", "trailing_stop"}
    assert partly > 10
