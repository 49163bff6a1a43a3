import json
import os
import subprocess
import sys

import pytest

from cambist.adapters.storage.candles import ParquetLake
from cambist.apps.cli.main import main
from cambist.domain.text import speak
from cambist.domain.timeframe import Timeframe

HEADER = "timestamp,open,high,low,close,volume\n"
START = 1_704_067_200  # Monday 2024-01-01
HEADINGS = "venue symbol timeframe first (UTC) last (UTC) candles absent gaps"
LISTED = "binance BTC/USDT 1h 2024-01-01 2024-01-02 15:00 40 0 0"


def rows(count=40, first=0, low=99):
    return HEADER + "".join(f"{START + hour * 3600},100,101,{low},100.5,3\n" for hour in range(first, first + count))


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CAMBIST_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CAMBIST_LANG", "en")
    monkeypatch.delenv("COLUMNS", raising=False)

    def call(*arguments, language="en"):
        monkeypatch.setenv("CAMBIST_LANG", language)
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return ended.value.code, said.out, said.err

    yield call
    speak("en")


@pytest.fixture
def files(tmp_path):
    (tmp_path / "binance_BTCUSDT_1h.csv").write_text(rows())
    (tmp_path / "kraken_ETHEUR_1h.csv").write_text(rows() + rows(5, first=50).removeprefix(HEADER))
    (tmp_path / "binance_SOLUSDT_1h.csv").write_text(rows(low=0))
    return tmp_path


def test_a_file_is_imported_and_listed(run, files):
    code, out, err = run("import", files / "binance_BTCUSDT_1h.csv")
    assert (code, err) == (0, "")
    assert out.splitlines()[0].endswith(
        "binance BTC/USDT 1h, 2024-01-01 → 2024-01-02 15:00 UTC, 40 candles: 40 new, 0 changed"
    )
    code, out, _ = run("candles")
    assert code == 0
    assert out.splitlines()[0].split() == HEADINGS.split()
    assert out.splitlines()[1].split() == LISTED.split()


def test_bad_files_are_shown_and_do_not_stop_the_others(run, files):
    code, out, err = run("import", *sorted(files.glob("*.csv")), files / "nothing.csv")
    assert code == 1
    assert "binance BTC/USDT 1h" in out
    assert "absent candles: 10 (gaps: 1, the longest: 10)" in out
    assert out.splitlines()[-1] == "files imported: 2, refused: 2; new candles: 85"
    assert "row 1: 1704067200,100,101,0,100.5,3: a price is zero or negative" in err
    assert err.count("a price is zero or negative") == 10
    assert "... and 30 more" in err
    assert "There is no file" in err


def test_options_override_and_repair_says_what_it_dropped(run, files):
    mixed = files / "mine.csv"
    mixed.write_text(rows() + f"{START + 40 * 3600},0,0,0,0,0\n")
    options = ("--venue", "Kraken", "--symbol", "BTC/EUR", "--timeframe", "1h")
    code, _, err = run("import", mixed, *options)
    assert code == 1
    assert "row 41" in err
    code, out, _ = run("import", mixed, *options, "--repair")
    assert code == 0
    assert "kraken BTC/EUR 1h" in out
    assert "rows dropped: 1 (a price is zero or negative)" in out


def test_a_folder_means_the_files_in_it(run, files):
    code, out, _ = run("import", files)
    assert code == 1
    assert "files imported: 2, refused: 1" in out
    (files / "empty").mkdir()
    code, _, err = run("import", files / "empty")
    assert code == 1
    assert "nothing to import" in err


def test_json_is_for_programs(run, files):
    assert run("candles", "--json")[1] == "[]\n"
    run("import", files / "kraken_ETHEUR_1h.csv")
    _, out, _ = run("candles", "--json")
    assert json.loads(out) == [
        {
            "venue": "kraken",
            "symbol": "ETH/EUR",
            "timeframe": "1h",
            "count": 45,
            "first_ts": START * 1000,
            "last_ts": (START + 54 * 3600) * 1000,
            "missing": 10,
            "gaps": 1,
        }
    ]


def test_a_narrow_terminal_loses_columns_of_the_lake_not_letters(run, files, monkeypatch):
    run("import", files / "kraken_ETHEUR_1h.csv", "--symbol", "LONGNAME/USDT:USDT")
    monkeypatch.setenv("COLUMNS", "80")
    for language in ("en", "fr"):
        (_, line) = run("candles", language=language)[1].splitlines()
        assert line.split()[:3] == ["kraken", "LONGNAME/USDT:USDT", "1h"]
        assert "2024-01-03 06:00" in line, "where it ends"
        assert "…" not in line


def test_an_empty_lake_says_how_to_fill_it(run):
    code, out, _ = run("candles")
    assert code == 0
    assert "cambist import FILES" in out


def test_everything_is_said_in_french(run, files):
    code, out, err = run("import", *sorted(files.glob("*.csv")), language="fr")
    assert code == 1
    assert "40 bougies : 40 nouvelles, 0 changées" in out
    assert "refusé. Lignes qui enfreignent" in err
    assert "un prix est nul ou négatif" in err
    assert "bourse" in run("candles", language="fr")[1].splitlines()[0]


def test_the_lake_lies_in_the_home_folder(run, files):
    run("import", files / "binance_BTCUSDT_1h.csv")
    assert len(ParquetLake(files / "home" / "candles").read("binance", "BTC/USDT", Timeframe.H1)) == 40


# in a process of its own: help is written in the language in which the command is first imported
@pytest.mark.parametrize(
    ("command", "language", "sentence"),
    [
        ("import", "en", "Bring candles from FILES into the lake"),
        ("import", "fr", "Verser dans le lac les bougies de FICHIERS"),
        ("candles", "en", "List the candles that the lake holds"),
        ("candles", "fr", "Lister les bougies que contient le lac"),
    ],
)
def test_help_teaches_by_example_in_both_languages(command, language, sentence):
    environment = {**os.environ, "CAMBIST_LANG": language}
    program = (sys.executable, "-c", "from cambist.apps.cli.main import main; main()", command, "--help")
    said = subprocess.run(program, env=environment, capture_output=True, text=True, check=True).stdout
    assert sentence in said
    assert f"  cambist {command}" in said
