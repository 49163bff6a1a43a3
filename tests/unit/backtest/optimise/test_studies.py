"""What a search is held against: the study it belongs to, and the costs it must stand."""

from pathlib import Path
from typing import Any

import pytest
from tests.unit.backtest.made import HOUR, walk

import cambist as cb
from cambist.adapters.crew.local import Threads
from cambist.adapters.proposals.optuna import OptunaProposers
from cambist.adapters.storage.trials import ParquetTrials
from cambist.backtest.optimise.evaluation import Evaluator, JailedEvaluator
from cambist.backtest.optimise.run import Search, _at_random, _twice_as_dear
from cambist.backtest.result import Settings
from cambist.domain.candles import Candles
from cambist.usecases.optimise import How, Tools, default_study, hunt_on, pursue


@pytest.mark.parametrize("version", [1, 2, 30])
def test_all_versions_of_a_stored_strategy_are_one_study(version):
    nowhere: Any = None
    made = JailedEvaluator(
        nowhere, "class X: pass", [walk(100)], name=f"stored:7@{version}", declared={}, settings=Settings()
    )
    assert default_study(made) == "stored:7 test BTC/USDT"


def test_twice_the_costs_leave_a_rebate_as_it_is():
    dear = _twice_as_dear(Settings(fee_bps=4.0, maker_fee_bps=-2.0, slippage_bps=3.0, spread_bps=1.0))
    assert (dear.fee_bps, dear.maker_fee_bps, dear.slippage_bps, dear.spread_bps) == (8.0, -2.0, 6.0, 2.0)
    assert _twice_as_dear(Settings(fee_bps=-1.0)).fee_bps == -1.0
    assert _twice_as_dear(Settings(maker_fee_bps=1.0)).maker_fee_bps == 2.0


class Beat(cb.SignalStrategy):
    """In the market for six hours of every twelve or more."""

    every = cb.param(12, low=12, high=48)

    def signals(self, candles: Candles) -> cb.Signals:
        place = candles.ts // HOUR % self.every
        return cb.Signals(enter_long=place == 0, exit_long=place == 6, size=0.5)


def searched(folder: Path, every: tuple[int, ...], *candles: Candles, **how: Any) -> Search:
    evaluator = Evaluator(Beat, candles or [walk(24 * 40)], settings=Settings(fee_bps=1.0))
    tools = Tools(
        crew=Threads(1), logs=ParquetTrials(folder), proposers=OptunaProposers(None), walkers=OptunaProposers(None)
    )
    return pursue(hunt_on(evaluator, How(**how), space={"every": every}), tools)


def test_each_look_at_what_was_held_back_counts_whoever_looks(tmp_path: Path):
    alone = searched(tmp_path / "a", (24,)).judgement.figures["out_of_sample_luck"]
    searched(tmp_path / "b", (17, 19))
    second = searched(tmp_path / "b", (24,)).judgement.figures["out_of_sample_luck"]
    assert second == pytest.approx(1.0 - (1.0 - alone) ** 2)
    searched(tmp_path / "b", (13, 14, 15), split=None)  # chosen on everything: each of them has seen the rest
    searched(tmp_path / "b", (20, 21), split=0.9)
    third = searched(tmp_path / "b", (24,)).judgement.figures["out_of_sample_luck"]
    assert third == pytest.approx(1.0 - (1.0 - alone) ** (2 + 3 + 2))
    again = searched(tmp_path / "b", (24,)).judgement.figures["out_of_sample_luck"]
    assert again == third  # it has seen nothing new


def test_random_entries_have_the_prices_of_their_own_venue():
    there, quiet = walk(24 * 40), walk(24 * 40, step=1e-5)
    here = cb.Candles(
        venue="other", symbol=quiet.symbol, timeframe=quiet.timeframe, ts=quiet.ts,
        open=quiet.open, high=quiet.high, low=quiet.low, close=quiet.close, volume=quiet.volume,
    )  # fmt: skip
    result = Evaluator(Beat, [there, here], settings=Settings(fee_bps=0.0, slippage_bps=0.0)).finished({})
    assert result.trades.symbols == ("BTC/USDT (other)", "BTC/USDT (test)")
    both = _at_random(result, 0)
    assert both.results.std() > 0.01
    alone = Evaluator(Beat, [there], settings=Settings(fee_bps=0.0, slippage_bps=0.0)).finished({})
    # half of the cash is on a market that stands still
    assert both.results.std() == pytest.approx(_at_random(alone, 0).results.std() / 2.0, rel=0.1)
