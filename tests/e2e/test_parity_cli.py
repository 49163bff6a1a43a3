"""`cambist parity`, as a person calls it, on what a bot on paper left behind."""

import json
from decimal import Decimal

import pytest
from tests.e2e.paper import Paper, market

from cambist.apps.cli.main import main
from cambist.domain.metrics import number
from cambist.domain.text import speak
from cambist.execution.limits import Limits
from cambist.market.matching import Costs


@pytest.fixture(scope="module")
def agreeing(tmp_path_factory):
    return Paper(folder=tmp_path_factory.mktemp("agreeing"), candles=market(700), strategy="ema_cross").run()


@pytest.fixture(scope="module")
def dearer(tmp_path_factory):
    costs = Costs(taker_fee_bps=20.0, maker_fee_bps=20.0)
    return Paper(folder=tmp_path_factory.mktemp("dearer"), candles=market(700), strategy="ema_cross", costs=costs).run()


@pytest.fixture
def cambist(capsys, monkeypatch):
    """Return what calls the command line in a home, and gives (exit code, output, errors)."""

    def call(home, *arguments, language="en"):
        monkeypatch.setenv("CAMBIST_HOME", str(home.folder))
        monkeypatch.setenv("CAMBIST_LANG", language)
        monkeypatch.delenv("DATABASE_URL", raising=False)
        monkeypatch.setenv("COLUMNS", "200")
        with pytest.raises(SystemExit) as left:
            main(["parity", *arguments])
        speak("en")
        written = capsys.readouterr()
        return left.value.code or 0, written.out, written.err

    return call


def test_the_verdict_comes_first(agreeing, cambist):
    code, out, _ = cambist(agreeing, "bot")
    assert code == 0
    trades = agreeing.parity().trades
    assert out.splitlines()[0].strip() == f"0 differences in {trades} trades"
    assert "400 (0 missing, 0 repaired, 0 too late)" in out
    assert "Why" not in out


def test_each_difference_is_a_row_with_its_cause(dearer, cambist):
    code, out, _ = cambist(dearer, "bot")
    report = dearer.parity()
    assert code == 0
    assert out.startswith(
        f"{len(report.differences)} differences in {report.trades} trades; 0 are the same to the digit"
    )
    rows = [line for line in out.splitlines() if "the venue charged its own rate" in line]
    assert len(rows) == report.trades
    assert all("20 bps" in row and "10 bps" in row for row in rows)
    live, tested = (number(float(pnl), 2) for pnl in (report.live_pnl, report.tested_pnl))
    assert f"live {live}, backtest {tested}" in out


def test_it_speaks_french(dearer, cambist):
    _, out, _ = cambist(dearer, "bot", language="fr")
    assert "la bourse a appliqué son propre taux" in out


def test_the_report_is_written_as_json(dearer, cambist, tmp_path):
    file = tmp_path / "parity.json"
    code, out, _ = cambist(dearer, "bot", "--json", str(file))
    assert code == 0
    assert str(file) in out
    told = json.loads(file.read_text(encoding="utf-8"))
    report = dearer.parity()
    assert Decimal(told["live_pnl"]) == report.live_pnl
    assert [one["cause"] for one in told["differences"]] == [one.cause for one in report.differences]
    assert told["differences"][0]["why"] == report.differences[0].why.said
    assert sum(map(Decimal, told["by_cause"].values())) == sum(report.by_cause.values())


def test_of_one_day(agreeing, cambist):
    code, out, _ = cambist(agreeing, "bot", "--day", "2024-01-20")
    assert code == 0
    assert "2024-01-20 → 2024-01-21" in out
    assert "24 (0 missing" in out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["bto"], "bot"),
        (["bot", "--day", "yesterday"], "2026-11-20"),
        (["bot", "--day", "2024-01-20T10"], "2026-11-20"),
        (["bot", "--day", "2024-13-20"], "--day"),
        (["bot", "--day", "2023-01-01"], "it ran from 2024-01-13"),
        (["bot", "--json", "nowhere/at/all.json"], "--json"),
    ],
)
def test_what_is_wrong_is_told(agreeing, cambist, arguments, sentence):
    code, out, err = cambist(agreeing, *arguments)
    assert code == 1
    assert out == ""
    assert err.startswith("cambist: ")
    assert sentence in err


def test_a_refusal_is_judged_by_what_was_in_force_then(tmp_path, cambist):
    run = Paper(
        folder=tmp_path,
        candles=market(500),
        strategy="ema_cross",
        limits=Limits(max_order_notional=Decimal(10)),
    ).run()
    _, out, _ = cambist(run, "bot")
    assert "the order is worth more than one order may be" in out
    assert "journal would come out otherwise" not in out
