"""`cambist backtest` and `cambist demo` as people run them."""

import json
import math
import os
import subprocess
import sys
from typing import Any

import pytest
from tests.e2e.shell import strict, write
from tests.unit.backtest.made import HOUR, START

from cambist.domain.metrics import METRICS

TRADE_FIELDS = {
    "side", "entry_ts", "entry_price", "exit_ts", "exit_price", "quantity", "pnl", "fees", "exit_reason",
}  # fmt: skip
RUN = ("backtest", "ema_cross", "--symbol", "BTC/USDT", "--timeframe", "1h")


@pytest.fixture
def lake(run, tmp_path):
    """A lake with a thousand hours of binance BTC/USDT in it."""
    code, _, err = run("import", write(tmp_path / "binance_BTCUSDT_1h.csv"))
    assert (code, err) == (0, "")
    return tmp_path


def test_from_a_csv_to_the_json_that_others_build_on(run, lake):
    code, out, err = run(*RUN, "--json")
    assert (code, err) == (0, "")
    found = strict(out)
    assert set(found["metrics"]) == set(METRICS)
    assert found["proof"]["look_ahead"] == "pass"
    assert found["proof"]["warm_up"] == "pass"
    assert len(found["trades"]) > 5
    for trade in found["trades"]:
        assert set(trade) >= TRADE_FIELDS
        assert trade["side"] in ("long", "short")
        assert trade["exit_reason"] in ("signal", "stop_loss", "take_profit", "trailing_stop", "limit", "open")
        assert isinstance(trade["entry_ts"], int)
        assert trade["entry_ts"] % HOUR == trade["exit_ts"] % HOUR == 0
        assert START < trade["entry_ts"] <= trade["exit_ts"]
        for name in ("entry_price", "exit_price", "quantity", "pnl", "fees"):
            assert math.isfinite(trade[name])
    pnl = sum(trade["pnl"] for trade in found["trades"])
    assert found["metrics"]["final_equity"] == pytest.approx(10_000 + pnl)
    assert found["metrics"]["trades"] + found["metrics"]["open_trades"] == len(found["trades"])


def test_the_json_is_json_even_when_nothing_was_traded(run, lake):
    (lake / "idle.py").write_text("import cambist as cb\nclass Idle(cb.Strategy):\n    pass\n")
    code, out, _ = run("backtest", "idle.py", *RUN[2:], "--json")
    assert code == 0
    found = strict(out)
    assert found["trades"] == []
    assert found["metrics"]["trades"] == 0
    assert found["metrics"]["profit_factor"] is None


def test_the_run_is_kept_and_can_be_shown_and_compared(run, lake):
    assert strict(run(*RUN, "--json")[1])["id"] == 1
    code, out, _ = run(*RUN, "--set", "fast=5")
    assert code == 0
    assert "#2" in out
    code, out, _ = run("results")
    assert code == 0
    assert out.count("EmaCross") == 2
    for command in (("show", "1"), ("compare", "1", "2")):
        code, out, _ = run(*command)
        assert code == 0
        assert "EmaCross" in out
    assert strict(run(*RUN, "--json", "--no-keep")[1])["id"] is None
    assert run("results")[1].count("EmaCross") == 2


def test_what_people_read(run, lake):
    code, out, err = run(*RUN)
    assert (code, err) == (0, "")
    for word in ("EmaCross", "BTC/USDT", "Total return", "Max drawdown", "Buy and hold"):
        assert word in out
    code, out, err = run(*RUN, language="fr")
    assert (code, err) == (0, "")
    for word in ("EmaCross", "BTC/USDT", "Rendement total", "Repli maximal", "Acheter et garder", "Conservé sous #2"):
        assert word in out
    assert "Total return" not in out


def test_a_report_is_written(run, lake):
    code, out, _ = run(*RUN, "--report", "out.html")
    assert code == 0
    page = (lake / "out.html").read_text(encoding="utf-8")
    assert page.lstrip().lower().startswith("<!doctype html>")
    assert "EmaCross" in page
    assert "out.html" in out
    assert "http://" not in page.replace("http://www.w3.org", "")


@pytest.mark.parametrize(
    "form",
    [
        ("--set", "fast=7", "slow=33"),
        ("--set", "fast=7", "--set", "slow=33"),
        ("--set", "fast=7,slow=33"),
        ("--set", "fast=7.0", "slow=33"),
    ],
)
def test_parameters_may_be_set_in_any_form(run, lake, form):
    code, out, err = run(*RUN, "--json", "--no-keep", *form)
    assert (code, err) == (0, "")
    assert found_params(run, lake, form) == {"fast": 7, "slow": 33}
    assert strict(out)["trades"] != strict(run(*RUN, "--json", "--no-keep")[1])["trades"]


def found_params(run, lake, form) -> dict[str, Any]:
    number = strict(run(*RUN, "--json", *form)[1])["id"]
    shown = strict(run("show", str(number), "--json")[1])
    return {name: shown["params"][name] for name in ("fast", "slow")}


def test_since_until_and_costs_reach_the_backtest(run, lake):
    code, out, _ = run(*RUN, "--json", "--since", "2024-01-10", "--until", "2024-01-20T12:00", "--cash", "500")
    assert code == 0
    found = strict(out)
    day = 24 * HOUR
    assert all(START + 9 * day <= trade["entry_ts"] < START + 19 * day + 12 * HOUR for trade in found["trades"])
    assert found["metrics"]["final_equity"] == pytest.approx(500 + sum(trade["pnl"] for trade in found["trades"]))
    free = strict(run(*RUN, "--json", "--fee-bps", "0", "--slippage-bps", "0", "--volume-share", "0")[1])
    assert free["metrics"]["fees"] == free["metrics"]["slippage"] == 0
    dear = strict(run(*RUN, "--json", "--fee-bps", "50")[1])
    assert dear["metrics"]["fees"] > 0


def test_larger_timeframes_are_gathered_from_what_the_lake_has(run, lake):
    code, out, _ = run("backtest", "ema_cross", "--symbol", "BTC/USDT", "--timeframe", "4h", "--json")
    assert code == 0
    trades = strict(out)["trades"]
    assert trades
    assert all(trade["entry_ts"] % (4 * HOUR) == 0 for trade in trades)


def test_finer_candles_decide_when_asked_for(run, lake):
    four = ("backtest", "ema_cross", "--symbol", "BTC/USDT", "--timeframe", "4h", "--json", "--no-keep")
    coarse, fine = strict(run(*four)[1])["trades"], strict(run(*four, "--detail", "1h")[1])["trades"]
    assert [trade["entry_ts"] for trade in coarse[:1]] == [trade["entry_ts"] for trade in fine[:1]]
    code, _, err = run(*four, "--detail", "1d")
    assert code == 1
    assert "detail" in err or "1d" in err


def test_several_symbols_trade_from_one_account(run, lake):
    assert run("import", write(lake / "binance_ETHUSDT_1h.csv", seed=2))[0] == 0
    code, out, _ = run(*RUN, "--symbol", "ETH/USDT", "--json")
    assert code == 0
    assert {trade["symbol"] for trade in strict(out)["trades"]} == {"BTC/USDT", "ETH/USDT"}


def test_own_files_run_with_class_names_too(run, lake):
    (lake / "mine.py").write_text(
        "import cambist as cb\n"
        "class One(cb.Strategy):\n    def next(self):\n        self.buy(fraction=0.5)\n"
        "class Two(cb.Strategy):\n    pass\n"
    )
    assert len(strict(run("backtest", "mine.py:One", *RUN[2:], "--json")[1])["trades"]) == 1
    code, out, err = run("backtest", "mine.py", *RUN[2:], "--json")
    assert (code, out) == (1, "")
    assert "name one: One, Two" in err
    code, out, err = run("backtest", "mine.py:Zed", *RUN[2:], "--json")
    assert (code, out) == (1, "")
    assert "no such strategy. There are: One, Two" in err
    (lake / "ends.py").write_text("import sys\nsys.exit(3)\n")
    code, out, err = run("strategies", "ends.py")
    assert (code, out) == (1, "")
    assert "ends the program when it is loaded (line 2)" in err


def test_looking_ahead_brands_the_result_but_is_no_error(run, lake):
    (lake / "peek.py").write_text(
        "import numpy as np, cambist as cb\n"
        "class Peek(cb.SignalStrategy):\n"
        "    def signals(self, candles):\n"
        "        up = np.append(candles.close[1:], 0) > candles.close\n"
        "        return cb.Signals(enter_long=up, exit_long=~up)\n"
    )
    code, out, _ = run("backtest", "peek.py", *RUN[2:], "--json")
    assert code == 0
    proof = strict(out)["proof"]
    assert proof["look_ahead"] == "fail"
    assert json.dumps(proof).count("enter_long") + json.dumps(proof).count("exit_long") >= 1
    assert strict(run(*RUN, "--json", "--no-proof")[1])["proof"]["look_ahead"] == "skipped"


@pytest.mark.parametrize(
    ("arguments", "code", "english", "french"),
    [
        ((*RUN, "--set", "fats=9"), 1, "fats: '9' will not do.", "fats : '9' ne convient pas."),
        ((*RUN, "--set", "fast=900"), 1, "Give a number from 2 to 100.", "Donnez un nombre de 2 à 100."),
        ((*RUN, "--set", "fast"), 1, "Write --set name=value.", "Écrivez --set nom=valeur."),
        ((*RUN, "--cash", "-5"), 1, "cash: -5.0 will not do.", "cash : -5.0 ne convient pas."),
        ((*RUN, "--since", "yesterday"), 1, "yesterday", "yesterday"),
        ((*RUN, "--since", "2030-01-01"), 1, "those of BTC/USDT from 2024-", "celles de BTC/USDT du 2024-"),
        ((*RUN, "--since", "2024-06-01", "--until", "2024-05-01T12:00"), 1, "--until: '2024-05-01 12:00'", "le début"),
        ((*RUN, "--until", "2023-05-01"), 1, "'..2023-05-01'", "'..2023-05-01'"),
        (("backtest", "ema_cros", *RUN[2:]), 1, "There is no such file", "Il n'y a ni fichier"),
        (("backtest", "no.py", *RUN[2:]), 1, "There is no such file", "Il n'y a ni fichier"),
        (("backtest", "ema_cross", "--symbol", "X/Y", "--timeframe", "1h"), 1, "has no candles of X/Y", "de X/Y"),
        (("backtest", "ema_cross", "--symbol", "BTC/USDT", "--timeframe", "5h"), 1, "Use one of: 1m", "Utilisez"),
        (("backtest", "ema_cross", "--symbol", "BTC/USDT", "--timeframe", "15m"), 1, "15m", "15m"),
        ((*RUN, "--venue", "kraken"), 1, "kraken", "kraken"),
        (("backtest", "ema_cross", "--timeframe", "1h"), 2, "--symbol", "--symbol"),
        ((*RUN, "--nonsense"), 2, "--nonsense", "--nonsense"),
    ],
)
def test_wrong_input_ends_with_one_clear_sentence(run, lake, arguments, code, english, french):
    for language, said in (("en", english), ("fr", french)):
        found, out, err = run(*arguments, language=language)
        assert (found, out) == (code, "")
        assert said in err
        assert "Traceback" not in err
    assert run("results", "--json")[1].strip() == "[]"


def test_what_a_strategy_raises_ends_with_one_clear_sentence(run, lake):
    (lake / "breaks.py").write_text(
        "import cambist as cb\nclass Breaks(cb.Strategy):\n    def next(self):\n        1 / 0\n"
    )
    code, out, err = run("backtest", "breaks.py", *RUN[2:], "--report", "out.html")
    assert (code, out) == (1, "")
    assert err == (
        "cambist: Breaks raised ZeroDivisionError: division by zero at the candle of 2024-01-01 01:00 (line 4).\n"
    )
    assert not (lake / "out.html").exists()


def test_two_venues_of_one_symbol_must_be_told_apart(run, lake):
    assert run("import", write(lake / "kraken_BTCUSDT_1h.csv", seed=2))[0] == 0
    code, _, err = run(*RUN)
    assert code == 1
    assert "binance, kraken" in err
    one, other = (strict(run(*RUN, "--venue", venue, "--json")[1])["trades"] for venue in ("binance", "kraken"))
    assert one != other


def test_the_demonstration_in_an_empty_folder(tmp_path):
    env = {**os.environ, "CAMBIST_HOME": str(tmp_path / "home"), "CAMBIST_LANG": "en", "COLUMNS": "160"}
    command = [sys.executable, "-c", "from cambist.apps.cli.main import main; main()"]

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [*command, *arguments], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    out = run("demo")
    for name in ("BollingerBreakout", "DonchianTrend", "EmaCross", "MultiTimeframeTrend", "RsiReversion"):
        assert name in out
    page = (tmp_path / "cambist-demo.html").read_text(encoding="utf-8")
    assert "EmaCross" in page
    assert "cambist-demo.html" in out
    found = json.loads(run("results", "--json"))
    assert len(found) == 5
    again = run("backtest", "ema_cross", "--symbol", "BTC/USDT", "--timeframe", "1h", "--venue", "synthetic", "--json")
    assert strict(again)["proof"]["look_ahead"] == "pass"
