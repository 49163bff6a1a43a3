"""A search over stored code: each evaluation in a jailed process, with the figures that it would have outside."""

from typing import Any

import numpy as np
import pytest
from tests.unit.backtest.made import HOUR, START, walk
from tests.unit.sandbox.jail import HOLDS

from cambist.adapters.sandbox.processes import ProcessSandbox
from cambist.backtest.optimise.evaluation import Evaluator, JailedEvaluator
from cambist.backtest.result import Settings
from cambist.domain.errors import BadInput
from cambist.domain.search import Span
from cambist.strategies._load import from_source
from cambist.strategies._param import param

pytestmark = HOLDS
CODE = """
class Cross(Strategy):
    fast = param(5, low=2, high=50)

    def init(self):
        self.quick, self.calm = self.ema(self.fast), self.ema(20)

    def next(self):
        if crossed_above(self.quick, self.calm):
            self.buy(0.5, stop_loss=0.03)
        elif crossed_below(self.quick, self.calm):
            self.close()
"""
SPAN = Span(start_ts=START + 300 * HOUR, stop_ts=START + 700 * HOUR)


def same(found: dict[str, float], wanted: dict[str, float]) -> None:
    assert found.keys() == wanted.keys()
    np.testing.assert_allclose(
        [found[name] for name in wanted], list(wanted.values()), rtol=1e-9, atol=1e-9, equal_nan=True
    )


@pytest.mark.parametrize("symbols", [1, 2])
def test_it_gives_what_it_would_outside(sandbox: ProcessSandbox, symbols: int):
    series = (walk(800), walk(800, seed=3, symbol="ETH/USDT"))[:symbols]
    strategy = from_source(CODE, "cross.py")
    outside = Evaluator(strategy, series, settings=Settings())
    inside = JailedEvaluator(
        sandbox, CODE, series, name="Cross", declared=strategy.params, settings=Settings(), base={"fast": 8}
    )
    assert not inside.fused
    assert inside.strategy_name == outside.strategy_name
    assert (inside.code_hash, inside.data_hash) == (outside.code_hash, outside.data_hash)
    for one, other in zip(inside.evaluate({}, [SPAN]), outside.evaluate({"fast": 8}, [SPAN]), strict=True):
        same(one.metrics, other.metrics)
        np.testing.assert_allclose(one.returns, other.returns)
        assert one.metrics["trades"] > 0
    finished = inside.finished({"fast": 9}, SPAN, proof=False)
    wanted = outside.finished({"fast": 9}, SPAN, proof=False)
    same(finished.metrics, wanted.metrics)
    np.testing.assert_array_equal(finished.ts, wanted.ts)
    assert [len(leg.candles) for leg in finished.legs] == [400] * symbols


def test_funding_of_a_perpetual_is_paid_in_the_jail_too(sandbox: ProcessSandbox):
    series = [walk(400, symbol="BTC/USDT:USDT"), walk(400, seed=3, symbol="ETH/USDT:USDT")]
    paid = {series[1].symbol: (START + 8 * HOUR * np.arange(1, 40), np.full(39, 0.002))}
    strategy = from_source(CODE, "cross.py")
    outside = Evaluator(strategy, series, settings=Settings(), funding=paid)
    inside = JailedEvaluator(
        sandbox, CODE, series, name="Cross", declared=strategy.params, settings=Settings(), funding=paid
    )
    assert inside.terms_hash == outside.terms_hash
    found, wanted = inside.evaluate({})[0].metrics, outside.evaluate({})[0].metrics
    same(found, wanted)
    assert found["pnl"] < Evaluator(strategy, series, settings=Settings()).evaluate({})[0].metrics["pnl"]


def test_what_it_does_not_take_is_refused(sandbox: ProcessSandbox):
    inside = JailedEvaluator(sandbox, CODE, [walk(100)], name="Cross", declared={}, settings=Settings())
    with pytest.raises(BadInput, match="fast"):
        inside.evaluate({"fast": 1})


def test_a_name_out_of_the_jail_takes_no_other_s_place(sandbox: ProcessSandbox):
    declared: dict[str, Any] = {"fast": param(8), "signals": param(1), "_source": param(2)}
    inside = JailedEvaluator(sandbox, CODE, [walk(100)], name="Cross", declared=declared, settings=Settings())
    assert list(inside.strategy.params) == ["fast"]
    assert vars(inside.strategy)["_source"] == CODE


def test_it_is_said_to_need_a_process_each(sandbox: ProcessSandbox):
    from cambist.backtest.optimise.memory import estimate

    inside = JailedEvaluator(sandbox, CODE, [walk(100)], name="Cross", declared={}, settings=Settings())
    assert estimate(inside, 10, 2).processes
