"""What a search is held against: the study it belongs to, and the costs it must stand."""

from typing import Any

import pytest
from tests.unit.backtest.made import walk

from cambist.backtest.optimise.evaluation import JailedEvaluator
from cambist.backtest.optimise.run import _twice_as_dear
from cambist.backtest.result import Settings
from cambist.usecases.optimise import default_study


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
