import io
import json
import re
from dataclasses import replace
from math import inf, nan
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console
from tests.databases import sqlite_url

from cambist import indicators
from cambist.apps import bootstrap
from cambist.apps.cli import results
from cambist.apps.cli.main import main
from cambist.apps.cli.searches import written
from cambist.apps.cli.tables import sparkline, trades_table
from cambist.apps.settings import load
from cambist.domain.account import LOCAL_USER
from cambist.domain.text import say, speak
from cambist.domain.trade import ExitReason, Trade
from cambist.ports.results import StoredResult

PASSED = {"look_ahead": "pass", "warm_up": "pass", "checks": 40, "warm_up_candles": 120}
FAILED = {
    **PASSED,
    "look_ahead": "fail",
    "look_ahead_difference": {
        "ts": 1_600_000_200_000,
        "symbol": "BTC/USDT",
        "column": "enter_long",
        "used": 1.0,
        "truncated": nan,
    },
}
TRADE = Trade(
    symbol="BTC/USDT",
    side="short",
    entry_ts=1_600_000_200_000,
    entry_price=10_300.5,
    exit_ts=1_600_086_600_000,
    exit_price=10_100.25,
    quantity=0.125,
    pnl=-22.5,
    fees=2.55,
    exit_reason=ExitReason.TRAILING_STOP,
    strategy="EmaCross",
)
RESULT = StoredResult(
    strategy="EmaCross[1]",  # brackets are rich's markup, and legal in a name
    params={"fast": 10, "slow": 20},
    settings={"cash": 10_000.0, "fee_bps": 10.0, "maker_fee_bps": None, "volume_share": None, "limit_touch": False},
    engine="compiled",
    venue="binance",
    symbols=("BTC/USDT",),
    timeframe="1h",
    first_ts=1_600_000_200_000,
    last_ts=1_607_196_600_000,
    candles=2_000,
    data_hash="d" * 64,
    code_hash="c" * 64,
    metrics={
        "total_return": 0.1234,
        "max_drawdown": -0.05,
        "sharpe": nan,
        "profit_factor": inf,
        "pnl": 1_234.5,
        "trades": 1.0,
    },
    proof=PASSED,
    notes=("Three candles are missing.",),
    trades=(TRADE,),
    equity=tuple((1_600_000_200_000 + i * 3_600_000, 10_000.0 + 10 * i) for i in range(100)),
)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    sqlite_url(tmp_path / "cambist.db")
    monkeypatch.setenv("CAMBIST_HOME", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("CAMBIST_LANG", "en")
    monkeypatch.setenv("COLUMNS", "160")
    for name in ("FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    yield tmp_path
    speak("en")


@pytest.fixture
def cambist(capsys):
    def run(*arguments: str, fails: bool = False) -> str:
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        said = capsys.readouterr()
        assert ended.value.code == (1 if fails else 0), said.err
        assert (said.err != "") is fails
        text: str = said.err if fails else said.out
        return text

    return run


def keep(**changes: Any) -> int:
    return bootstrap.results().keep(replace(RESULT, **changes))


def line(text: str, start: str) -> str:
    """Return the one line of ``text`` that starts with ``start``, runs of spaces made one."""
    (found,) = (one for one in text.splitlines() if one.startswith(start))
    return re.sub(r" +", " ", found).strip()


def test_nothing_kept_yet_says_what_to_do(cambist, monkeypatch):
    assert cambist("results") == "No backtest has been kept yet. `cambist backtest` runs one.\n"
    assert cambist("results", "--json") == "[]\n"
    assert "Nobody's" in cambist("results", "--strategy", "Nobody's")
    monkeypatch.setenv("CAMBIST_LANG", "fr")
    assert cambist("results").startswith("Aucun backtest n'a encore été gardé.")


def test_results_are_listed_newest_first(cambist):
    keep()
    keep(strategy="Rsi", proof=FAILED)
    listed = cambist("results")
    heading, *rows = listed.splitlines()
    assert heading.split()[:3] == ["#", "Strategy", "Market"]
    assert [row.split()[:2] for row in rows] == [["2", "Rsi"], ["1", "EmaCross[1]"]]
    assert "binance BTC/USDT 1h  2020-09-13 → 2020-12-05" in rows[1]
    assert "12.34%" in rows[1]
    assert "✓ proved" in rows[1]
    assert "✗ proof failed" in rows[0]


def test_the_list_can_be_narrowed(cambist):
    for strategy in ("EmaCross", "Rsi", "Rsi"):
        keep(strategy=strategy)
    assert [row["id"] for row in json.loads(cambist("results", "--strategy", "Rsi", "--json"))] == [3, 2]
    assert [row["id"] for row in json.loads(cambist("results", "--limit", "1", "--json"))] == [3]
    assert "Give a number from 1 to" in cambist("results", "--limit", "0", fails=True)


@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_a_narrow_terminal_loses_columns_not_letters(cambist, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    keep(strategy="Rsi", proof=FAILED)
    listed = cambist("results")
    assert all(len(row) <= width for row in listed.splitlines())
    for whole in ("Rsi", "binance", "BTC/USDT", "12.34%", "✗"):
        assert whole in listed
    assert ("proof failed" in listed) is (width >= 95)


def test_output_to_a_pipe_is_never_cut(cambist, monkeypatch):
    monkeypatch.delenv("COLUMNS")
    keep(strategy="AStrategyWithAVeryLongNameIndeed")
    (_, row) = cambist("results").splitlines()
    assert "AStrategyWithAVeryLongNameIndeed" in row
    assert "✓ proved" in row


def test_show_tells_all_of_one_result(cambist):
    shown = cambist("show", str(keep()))
    assert shown.startswith("#1 EmaCross[1]  binance BTC/USDT 1h  2020-09-13 12:30 → 2020-12-05 19:30\n")
    assert "✓ No look-ahead found, warm-up long enough" in shown
    assert "40 truncated histories" in shown
    assert "! Three candles are missing." in shown
    assert "Equity 10,000.00 → 10,990.00\u00a0USDT · lowest 10,000.00\u00a0USDT (2020-09-13 12:30)" in shown
    assert line(shown, "Total return") == "Total return 12.34%"
    assert line(shown, "Profit and loss") == "Profit and loss (USDT) 1,234.50"
    assert line(shown, "Sharpe") == "Sharpe –"
    assert line(shown, "Profit factor") == "Profit factor ∞"
    assert line(shown, "Parameters") == "Parameters fast = 10, slow = 20"
    assert line(shown, "Taker fee") == "Taker fee 10 bps"
    assert line(shown, "Share of a candle's volume") == "Share of a candle's volume no limit"
    assert "d" * 64 in shown
    assert "trailing stop" not in shown
    assert "`cambist show 1 --trades`" in shown


def test_show_draws_the_equity(cambist):
    assert "▁▁▁▁▁▁▂▂" in cambist("show", str(keep()))


def test_show_lists_trades_if_asked(cambist):
    keep()
    shown = cambist("show", "#1", "--trades")
    assert line(shown, "1  short") == (
        "1 short 2020-09-13 12:30 10,300.50 2020-09-14 12:30 10,100.25 0.125000 −22.50 2.55 trailing stop"
    )
    keep(trades=())
    assert "No trade was made." in cambist("show", "2", "--trades")


def test_a_failed_proof_stands_out(cambist, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    shown = cambist("show", str(keep(proof=FAILED)))
    assert "\x1b[1;31m✗ Proof failed: do not trust this result" in shown
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert "Look-ahead: the strategy used values that could not be known at the time." in plain
    assert "2020-09-13 12:30 UTC, BTC/USDT, enter_long: 1 was used, – was known then." in plain


def test_what_was_not_proved_says_so(cambist):
    keep(proof={"look_ahead": "skipped", "warm_up": "skipped"})
    shown = cambist("show", "1")
    assert "? Not proved" in shown
    assert "Look-ahead was not checked" in shown
    assert "Warm-up was not checked" in shown


def test_json_is_valid_json(cambist):
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    keep(proof=FAILED)
    document = json.loads(cambist("show", "1", "--json"), parse_constant=refuse)
    assert document["id"] == 1
    assert document["metrics"] == {**RESULT.metrics, "sharpe": None, "profit_factor": None}
    assert document["proof"]["look_ahead_difference"]["truncated"] is None
    assert document["equity"][1] == [1_600_003_800_000, 10_010.0]
    assert "trades" not in document
    (trade,) = json.loads(cambist("show", "1", "--json", "--trades"))["trades"]
    assert (trade["pnl"], trade["exit_reason"]) == (-22.5, "trailing_stop")


def test_compare_shows_differences_metrics_and_warnings(cambist, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    keep()
    keep(params={"fast": 12, "slow": 20}, metrics=RESULT.metrics | {"total_return": 0.2})
    keep(proof=FAILED, metrics=RESULT.metrics | {"total_return": 9.0}, settings=RESULT.settings | {"fee_bps": 0.0})
    shown = cambist("compare", "1", "#2", "3", "2")
    assert re.search(r"\x1b\[1;32m +20\.00%", shown)
    assert not re.search(r"\x1b\[1;32m +900\.00%", shown)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert "! The proof of #3 failed" in plain
    assert "! Not the same costs (Taker fee)" in plain
    assert line(plain, "Proof") == "Proof ✓ proved ✓ proved ✗ proof failed"
    assert line(plain, "fast") == "fast 10 12 10"
    assert line(plain, "Taker fee") == "Taker fee 10 bps 10 bps 0 bps"
    assert line(plain, "Total return") == "Total return 12.34% 20.00% 900.00%"
    assert line(plain, "Sharpe") == "Sharpe – – –"
    assert not any(row.startswith("slow") for row in plain.splitlines())


def test_compare_as_json(cambist):
    keep()
    keep(metrics=RESULT.metrics | {"total_return": 0.2}, data_hash="e" * 64)
    document = json.loads(cambist("compare", "1", "2", "--json"))
    assert [result["id"] for result in document["results"]] == [1, 2]
    assert document["metrics"]["total_return"] == [0.1234, 0.2]
    assert document["metrics"]["sharpe"] == [None, None]
    assert document["best"]["total_return"] == [2]
    assert document["differences"] == [{"kind": "run", "key": "data_hash", "values": ["d" * 64, "e" * 64]}]
    assert len(document["warnings"]) == 1


def test_what_a_person_gets_wrong_is_said_in_one_sentence(cambist, monkeypatch):
    keep()
    assert cambist("show", "7", fails=True) == (
        "cambist: There is no result #7. `cambist results` lists those there are.\n"
    )
    assert "'seven' will not do" in cambist("show", "seven", fails=True)
    assert "two or more" in cambist("compare", "1", fails=True)
    assert "two or more" in cambist("compare", "1", "1", fails=True)
    assert "no result #9" in cambist("compare", "1", "9", fails=True)
    monkeypatch.setenv("CAMBIST_LANG", "fr")
    assert cambist("show", "7", fails=True).startswith("cambist: Il n'y a pas de résultat n° 7.")


def test_everything_is_said_in_french_too(cambist, monkeypatch):
    monkeypatch.setenv("CAMBIST_LANG", "fr")
    keep()
    keep(proof=FAILED)
    assert "Rendement total" in cambist("results")
    assert "✗ preuve en échec" in cambist("results")
    shown = cambist("show", "2", "--trades")
    assert "Preuve en échec" in shown
    assert line(shown, "Rendement total") == "Rendement total 12,34\u202f%"
    assert line(shown, "Gain ou perte") == "Gain ou perte (USDT) 1\u202f234,50"
    assert "stop suiveur" in shown
    assert "Preuve en échec pour #2" in cambist("compare", "1", "2")


def test_the_last_trades_are_shown_where_there_are_too_many(cambist):
    table = trades_table([replace(TRADE, symbol=f"{i}/USDT") for i in range(30)], limit=5)
    assert table.row_count == 5
    assert table.caption == "the last 5 of 30"
    assert str(next(iter(table.columns[0].cells))) == "26"
    assert [column.header for column in table.columns][1] == "Symbol"


def test_whole_parameters_are_written_as_they_were_given():
    assert written({"fast": 14.0, "width": 0.5, "on": True, "larger": "4h"}) == "fast=14 width=0.5 on=True larger=4h"


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_narrow_terminal_loses_columns_of_the_indicators_not_their_lines(cambist, language, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    speak(language)
    heading, *lines = cambist("indicators").splitlines()
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == list(indicators.names())
    assert len(lines) < 1.2 * len(indicators.names()), "few titles need a second line"
    assert heading.split()[-1] == say("indicators.warmup")


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_narrow_terminal_loses_columns_of_the_trades_not_digits(language):
    speak(language)
    terminal = Console(file=io.StringIO(), width=80)
    trades = [replace(TRADE, symbol=f"COIN{i}/USDT", strategy=f"Strategy{i}", pnl=-1234.5) for i in range(120)]
    terminal.print(trades_table(trades, terminal=terminal))
    shown = terminal.file.getvalue()  # type: ignore[attr-defined]
    assert "…" not in shown
    assert len(shown.splitlines()) == 121, "one line for each"
    assert shown.count("234.50" if language == "en" else "234,50") == 120
    assert "COIN119/USDT" in shown


def test_a_line_of_blocks_ends_where_the_curve_does():
    assert sparkline([1.0, 2.0, 3.0, 8.0], 4) == "▁▂▃█"
    assert sparkline([5.0, 5.0, 5.0], 2) == "▁▁"
    assert sparkline([float(i) for i in range(1000)], 10)[-1] == "█"
    assert len(sparkline([float(i) for i in range(1000)], 10)) == 10
    assert sparkline([1.0], 10) == sparkline([nan, nan, 1.0], 10) == ""


def test_results_are_deleted_with_their_reports_and_all_of_them_or_none(cambist, home):
    for _ in range(3):
        keep()
    reports = bootstrap.report_files(load(), LOCAL_USER)
    reports.keep(1, "<html></html>")
    assert "no result #9" in cambist("results", "--delete", "1", "--delete", "9", "--yes", fails=True)
    assert len(bootstrap.results().latest()) == 3
    assert cambist("results", "--delete", "1", "--delete", "#3", "--delete", "1", "--yes") == "Deleted: #1 #3\n"
    assert [one.id for one in bootstrap.results().latest()] == [2]
    assert not reports.has(1)


def test_a_deletion_is_asked_about(home):
    keep()
    said = CliRunner().invoke(results.command, ["--delete", "1"], input="n\n")
    assert "#1 will be gone for good. Delete? [y/N]" in said.output
    assert len(bootstrap.results().latest()) == 1
    CliRunner().invoke(results.command, ["--delete", "1"], input="y\n")
    assert not bootstrap.results().latest()
