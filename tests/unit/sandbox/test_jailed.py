"""Through the jail: the same decisions, the same results, and what a validation says."""

import asyncio
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from bench.pasted import PASTED
from tests.unit.sandbox.jail import HOLDS, Purse, candles, rules

from cambist.adapters.sandbox.processes import ProcessSandbox
from cambist.backtest.jailed import backtest_stored
from cambist.backtest.run import backtest
from cambist.domain.candles import Candle
from cambist.domain.errors import BadStrategy, CambistError, NotAllowed, Stopped, StrategyFailed, TooMany
from cambist.domain.proof import Verdict
from cambist.domain.text import speak
from cambist.domain.timeframe import Timeframe
from cambist.domain.wish import Enter, Quantity
from cambist.engine.asking import Asker, LiveRunner, warm_up_needed
from cambist.engine.jailed import JailedRunner, Stored
from cambist.engine.runners import given
from cambist.ports.sandbox import Limits
from cambist.strategies._load import from_source
from cambist.usecases.validation import AT_ONCE, _places, validate

pytestmark = HOLDS
CROSS = """
class Cross(Strategy):
    fast = param(10, low=2, high=50)

    def init(self):
        self.quick, self.calm = self.ema(self.fast), self.on("4h").ema(20)

    def next(self):
        if crossed_above(self.quick, self.calm) and not self.position:
            self.buy(notional=self.equity / 10, limit=float(self.candles.close[-1]), stop_loss=0.02, take_profit=0.04)
        elif crossed_below(self.quick, self.calm):
            self.cancel()
            self.close()
"""
SIGNALS = """
import numpy as np
from cambist import SignalStrategy, Signals, indicators

class Turns(SignalStrategy):
    warmup = 400

    def signals(self, candles):
        rsi = indicators.rsi(candles.close, 14)
        return Signals(enter_long=rsi < 35, exit_long=rsi > 60, stop_loss=0.03)
"""
AHEAD = """
import numpy as np
from cambist import SignalStrategy, Signals

class Ahead(SignalStrategy):
    def signals(self, candles):
        later = np.append(candles.close[1:], candles.close[-1])
        return Signals(enter_long=later > candles.close, exit_long=later < candles.close)
"""
SHAPES = {"candle by candle": CROSS, "signals": SIGNALS, "template": PASTED}
EXACT = """
class Exact(Strategy):
    def next(self):
        self.buy(quantity="0.00000000123456789012345")
"""


def runner_of(sandbox: ProcessSandbox, code: str, params: Mapping[str, Any], first: int) -> JailedRunner:
    return Stored(sandbox, code, "stored:1@1", params).begin(candles()[:first], rules(), Purse())


@pytest.mark.parametrize("shape", SHAPES)
def test_it_decides_as_in_the_engines_own_process(sandbox: ProcessSandbox, shape: str):
    code, params = SHAPES[shape], {"fast": "7"} if shape == "candle by candle" else {}
    strategy = given(from_source(code, "stored:1@1"), params)
    stored = Stored(sandbox, code, "stored:1@1", params)
    assert stored.warm_up(Timeframe.H1) == warm_up_needed(strategy, Timeframe.H1)
    stored.close()

    async def both() -> list[tuple[Any, Any]]:
        here = LiveRunner(strategy, candles()[:600], rules(), account=Purse())
        there = runner_of(sandbox, code, params, 600)
        said = []
        for i, candle in enumerate(candles()[600:900]):
            held = (0.5, candle.close) if i % 20 > 10 else (0.0, 0.0)
            for one in (here, there):
                one.tell(*held)
            if i % 7 == 3:  # one that is only seen
                here.see(candle)
                there.see(candle)
            else:
                said.append((here.on_candle(candle), await there.decide_soon(candle, 30)))
        there.close()
        return said

    said = asyncio.run(both())
    assert any(wishes for wishes, _ in said)
    assert all(one == other for one, other in said)


def test_what_libraries_import_in_passing_is_theirs(sandbox: ProcessSandbox):
    code = (
        "import datetime\nimport numpy as np\nclass A(Strategy):\n    def next(self):\n"
        "        datetime.datetime.strptime('2024-01-01', '%Y-%m-%d')\n"
        "        self.buy(fraction=float(np.arange(3.0).mean() + np.linalg.svd(np.eye(2))[1][0]) / 4)\n"
    )
    report = validate(sandbox, code)
    assert report.ok, [finding.text for finding in report.findings]


def test_a_quantity_keeps_every_digit(sandbox: ProcessSandbox):
    runner = runner_of(sandbox, EXACT, {}, 50)
    (wish,) = asyncio.run(runner.decide_soon(next(iter(candles()[50:])), 30))
    runner.close()
    assert isinstance(wish, Enter)
    assert isinstance(wish.size, Quantity)
    assert f"{wish.size.amount:f}" == "0.00000000123456789012345"


def test_a_candle_is_decided_on_once(sandbox: ProcessSandbox):
    runner = runner_of(sandbox, EXACT, {}, 50)
    candle = next(iter(candles()[50:]))

    async def twice():
        return await runner.decide_soon(candle, 30), await runner.decide_soon(candle, 30), runner.see(candle)

    first, again, new = asyncio.run(twice())
    runner.close()
    assert (len(first), again, new) == (1, (), False)


def test_one_that_fails_does_not_hold_up_the_rest(sandbox: ProcessSandbox):
    fine, loops = EXACT, "class A(Strategy):\n    def next(self):\n        while True: pass\n"

    async def ask():
        asker = Asker(limit_s=3.0)
        bad, good = runner_of(sandbox, loops, {}, 50), runner_of(sandbox, fine, {}, 50)
        own = LiveRunner(from_source(fine, "own"), candles()[:50], rules(), account=Purse())
        candle = next(iter(candles()[50:]))
        answers = await asker.ask([("bad", bad, candle), ("good", good, candle), ("own", own, candle)])
        asker.close()
        good.close()
        return answers, bad

    answers, bad = asyncio.run(ask())
    assert [answer.bot for answer in answers] == ["bad", "good", "own"]
    assert [len(answer.wishes) for answer in answers] == [0, 1, 1]
    assert isinstance(answers[0].error, StrategyFailed)
    assert "longer than 3 s" in str(answers[0].error)
    with pytest.raises(StrategyFailed):  # it is gone for good
        asyncio.run(bad.decide_soon(Candle(2**50, 1, 1, 1, 1, 1), 1))


def test_closing_it_while_it_decides_ends_it(sandbox: ProcessSandbox):
    loops = "class A(Strategy):\n    def next(self):\n        while True: pass\n"

    async def closed():
        runner = runner_of(sandbox, loops, {}, 50)
        deciding = asyncio.create_task(runner.decide_soon(next(iter(candles()[50:])), 60))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        runner.close()
        await deciding

    with pytest.raises(StrategyFailed) as caught:
        asyncio.run(closed())
    assert caught.value.key == "sandbox.closed"


@pytest.mark.parametrize("shape", SHAPES)
def test_a_backtest_gives_what_it_gives_outside(sandbox: ProcessSandbox, shape: str):
    code = SHAPES[shape]
    told: list[float] = []
    settings: dict[str, Any] = {"cash": 5_000.0, "fee_bps": 7.5}
    there = backtest_stored(
        sandbox, code, candles(), name="stored:1@1", settings=settings, instrument={"BTC/USDT": rules()},
        progress=told.append,
    )  # fmt: skip
    here = backtest(from_source(code, "stored:1@1"), candles(), instrument=rules(), **settings)
    assert len(here.trades) > 3
    assert there.trades.rows() == here.trades.rows()
    np.testing.assert_array_equal(there.equity, here.equity)
    np.testing.assert_equal(there.metrics, here.metrics)
    for name in ("strategy", "params", "settings", "engine", "proof", "notes", "data_hash", "code_hash"):
        assert getattr(there, name) == getattr(here, name), name
    assert there.legs[0].instrument == here.legs[0].instrument
    for one, other in zip(there.legs[0].lines, here.legs[0].lines, strict=True):
        assert (one.name, one.overlay) == (other.name, other.overlay)
        np.testing.assert_array_equal(one.values, other.values)
    assert told == sorted(told)


def test_two_symbols_with_finer_candles_go_through(sandbox: ProcessSandbox):
    from dataclasses import replace

    from cambist.market.resample import resample

    fine = candles()
    series = [resample(fine, Timeframe.H4), replace(resample(fine, Timeframe.H4), symbol="ETH/USDT")]
    details = [fine, replace(fine, symbol="ETH/USDT")]
    code = CROSS.replace('"4h"', '"1d"')
    there = backtest_stored(sandbox, code, series, name="stored:1@1", detail=details)
    here = backtest(from_source(code, "stored:1@1"), series, detail=details)
    assert len(here.trades) > 3
    assert there.trades.rows() == here.trades.rows()
    assert [leg.candles.symbol for leg in there.legs] == [leg.candles.symbol for leg in here.legs]


def test_a_backtest_is_cancelled_on_its_way(sandbox: ProcessSandbox):
    slow = "class A(Strategy):\n    def next(self):\n        while True: pass\n"
    asked = iter([False, False, True])
    with pytest.raises(Stopped):
        backtest_stored(sandbox, slow, candles(), name="stored:1@1", cancelled=lambda: next(asked))


@pytest.mark.parametrize(
    ("code", "error", "said"),
    [
        ("x = 1", BadStrategy, "class derived from Strategy"),
        ("class A(Strategy):\n    def next(self): 1 / 0", StrategyFailed, "ZeroDivisionError"),
        ("class A(Strategy):\n    def next(self): self.buy(fraction=1, risk=1)", CambistError, "one size"),
        ("while True: pass", StrategyFailed, "longer than 1 s"),
        ("x = bytearray(9 << 30)", BadStrategy, "MemoryError"),
    ],
)
def test_what_fails_in_a_backtest_is_said(sandbox: ProcessSandbox, code: str, error: type, said: str):
    with pytest.raises(error, match=said):
        backtest_stored(sandbox, code, candles(), name="stored:1@1", limit_s=1.0 if "while" in code else 60.0)


@pytest.mark.parametrize(
    "lie",
    [
        "{'ts': np.arange(3.0)}",
        "{'side': np.array([7], 'i1')}",
        "{'equity': np.array([1.0])}",
        "{'symbol': np.full(999, 9, 'i2')}",
    ],
)
def test_a_forged_result_of_the_wrong_form_is_refused(sandbox: ProcessSandbox, lie: str):
    code = (
        "import numpy as np\njailed = __import__('cambist.backtest.jailed', {'__name__': 'x'}).backtest.jailed\n"
        "real = jailed._written\n"
        f"jailed._written = lambda r, s: (real(r, s)[0], dict(real(r, s)[1]) | {lie})\n{CROSS}"
    )
    with pytest.raises(StrategyFailed, match="did not answer"):
        backtest_stored(sandbox, code, candles(), name="stored:1@1", settings={"proof": False})


# -- validation -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_right_passes(sandbox: ProcessSandbox, shape: str):
    report = validate(sandbox, SHAPES[shape])
    assert report.ok, [finding.text for finding in report.findings]
    assert report.shape == {"candle by candle": "strategy", "signals": "signals", "template": "template"}[shape]
    assert report.proof == {"look_ahead": Verdict.PASS, "warm_up": Verdict.PASS}
    assert report.trades
    assert report.trades > 0
    assert report.took_ms > 0


def test_the_classic_example_passes_without_any_remark(sandbox: ProcessSandbox):
    report = validate(sandbox, PASTED)
    assert report.findings == ()
    assert report.strategy == "MaNouvelleStrategie"


def test_parameters_are_told_with_their_bounds(sandbox: ProcessSandbox):
    (declared,) = validate(sandbox, CROSS).params
    assert declared == {"name": "fast", "type": "int", "default": 10, "low": 2, "high": 50, "choices": None}
    assert not validate(sandbox, CROSS, params={"fast": 99}).ok


WRONG: dict[str, tuple[str, int | None, int | None, str]] = {
    "syntax": ("x = 1\ny = (1,\n", 2, 5, "was never closed"),
    "an import": ("import math\nimport os\n", 2, 1, "os cannot be imported"),
    "an import from": ("def f():\n    from subprocess import run", 2, 5, "subprocess cannot be imported"),
    "of ours": ("from cambist import lake", 1, 1, "cambist.lake cannot be imported"),
    "relative": ("from . import x", 1, 1, "one file"),
    "a call": ("x = 1\ny = open('a')", 2, 5, "open"),
    "no class": ("x = 1", None, None, "must hold a class"),
    "two classes": (f"{CROSS}\n{EXACT}", None, None, "several strategies"),
    "no method": ("class A(Strategy):\n    pass", 1, None, "must define next"),
    "no signals": ("class A(SignalStrategy):\n    pass", 1, None, "must define signals"),
    "raises": ("class A(Strategy):\n    def next(self):\n        self.nothing\n", 3, None, "AttributeError"),
    "raises at once": ("x = 1\n1 / 0\n", 2, None, "ZeroDivisionError"),
    "hidden import": ("m = 'os'\n__import__(m)\n", 2, 1, "__import__"),
    "never ends": ("class A(Strategy):\n    def next(self):\n        while True: pass\n", None, None, "longer than"),
    "nulls": ("x = '\0'", None, None, "null bytes"),
    "deep": ("(" * 300 + ")" * 300, 1, None, "too many nested"),
    "ahead": (
        AHEAD,
        None,
        None,
        "looks ahead",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_said_where_it_stands(sandbox: ProcessSandbox, monkeypatch: pytest.MonkeyPatch, what: str):
    code, line, column, said = WRONG[what]
    if what == "never ends":
        monkeypatch.setattr("cambist.usecases.validation.LIMIT_S", 1.0)
    report = validate(sandbox, code)
    assert not report.ok
    finding = report.findings[0]
    assert said in finding.text
    assert finding.severity == "error"
    assert finding.line == line
    if column is not None:
        assert finding.column == column


def test_warnings_forbid_nothing(sandbox: ProcessSandbox):
    report = validate(sandbox, "class Idle(Strategy):\n    def next(self): pass\n")
    assert report.ok
    assert [finding.severity for finding in report.findings] == ["warning"]
    speak("fr")
    try:
        assert "aucun trade" in report.findings[0].text
    finally:
        speak("en")


def test_one_that_looks_at_larger_timeframes_is_tried_on_smaller_candles(sandbox: ProcessSandbox):
    report = validate(sandbox, CROSS.replace('"4h"', '"15m"'))
    assert report.ok, [finding.text for finding in report.findings]


def test_code_that_is_too_long_is_not_even_read(sandbox: ProcessSandbox):
    (finding,) = validate(sandbox, "#" * 100_001).findings
    assert "100000" in finding.text


def test_not_all_are_looked_at_at_once(sandbox: ProcessSandbox, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("cambist.usecases.validation._WAIT_S", 0.01)
    for _ in range(AT_ONCE):
        _places.acquire()
    try:
        with pytest.raises(TooMany) as caught:
            validate(sandbox, CROSS)
    finally:
        for _ in range(AT_ONCE):
            _places.release()
    assert caught.value.retry_after_s
    assert validate(sandbox, CROSS).ok


# -- where it does not hold -------------------------------------------------------------------------------------------


def test_without_a_jail_nothing_is_run_and_the_reason_is_said(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("cambist.adapters.sandbox.processes.arch", lambda: None)
    own = ProcessSandbox("cambist.usecases.inside")
    assert not own.holds().ok
    with pytest.raises(NotAllowed, match="CAMBIST_TRUST_CODE"):
        own.start()
    own.close()


def test_a_jail_that_leaks_is_said_not_to_hold(monkeypatch: pytest.MonkeyPatch):
    """As in a container whose kernel lacks a layer: what comes through is named."""
    own = ProcessSandbox("cambist.usecases.inside")
    real = own._fresh

    def without_walls(limits: Limits):
        own._trusted = True
        try:
            return real(limits)
        finally:
            own._trusted = False

    monkeypatch.setattr(own, "_fresh", without_walls)
    held = own.holds()
    own.close()
    assert not held.ok
    assert "the call socket" in held.why
    assert "reading a file" in held.why


def test_whoever_trusts_all_code_runs_it_without_a_jail():
    own = ProcessSandbox("cambist.usecases.inside", trusted=True)
    held = own.holds()
    assert (held.ok, held.trusted) == (True, True)
    try:
        result = backtest_stored(own, CROSS, candles()[:500], name="stored:1@1")
    finally:
        own.close()
    assert len(result.ts)
