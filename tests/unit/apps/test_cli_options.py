import asyncio
import socket

import click
import pytest

from cambist.apps.api.services import open_services
from cambist.apps.cli.api_door import serve
from cambist.apps.cli.main import main
from cambist.apps.cli.options import (
    ReportFile,
    market_arguments,
    need_span,
    parse_moment,
    since_option,
    symbol_option,
    timeframe_option,
    until_option,
    venue_option,
)
from cambist.apps.settings import load
from cambist.domain.errors import BadInput, CambistError
from cambist.domain.moment import show_moment
from cambist.domain.timeframe import Timeframe


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1970-01-01", 0),
        ("2024-01-31", 1_706_659_200_000),
        ("2024-01-31T12:30", 1_706_704_200_000),
        ("2024-01-31 12:30:00", 1_706_704_200_000),
        ("2024-01-31T12:30Z", 1_706_704_200_000),
        ("2024-01-31T14:30+02:00", 1_706_704_200_000),
        ("2024-01-31T12:30:00.250", 1_706_704_200_250),
    ],
)
def test_moments_are_read_as_utc(text, ms):
    assert parse_moment(text) == ms


@pytest.mark.parametrize("text", ["", "yesterday", "2024-13-01", "31/01/2024", "2024-1", "1969-12-31", "1706659200000"])
def test_what_is_no_moment_says_what_would_be(text):
    with pytest.raises(BadInput, match=r"2024-01-31T12:30") as caught:
        parse_moment(text, "since")
    assert caught.value.field == "since"


@pytest.mark.parametrize(("written", "meant"), [("backtst", "backtest"), ("optimize", "optimise"), ("bots", "bot")])
def test_a_command_that_is_written_wrong_is_told_what_was_meant(written, meant, capsys):
    with pytest.raises(SystemExit) as ended:
        main([written])
    assert ended.value.code == 2
    assert f"'{meant}'" in capsys.readouterr().err


@pytest.fixture
def taken():
    with socket.create_server(("127.0.0.1", 0)) as one:
        yield one.getsockname()[1]


def test_a_port_that_is_taken_is_named(taken, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["simulate", "exchange", "--port", str(taken)])
    assert ended.value.code == 1
    said = capsys.readouterr().err
    assert f"--port: '{taken}' will not do. Cannot listen there: Address already in use. Choose another" in said


def test_an_address_that_is_taken_is_named_with_the_option_that_changes_it(taken, tmp_path):
    told: list[str] = []
    services = open_services(load({"CAMBIST_HOME": str(tmp_path)}))
    with pytest.raises(CambistError, match=rf"127.0.0.1:{taken}; .* --listen \(Address already in use\)\."):
        asyncio.run(serve(services, "127.0.0.1", taken, told.append, must=True))
    assert not told


@pytest.mark.parametrize("text", ["2024-01-31", "2024-01-31 12:30"])
def test_moments_are_shown_as_they_are_written(text):
    assert show_moment(parse_moment(text)) == text


def parsed(decorators, *arguments: str) -> dict:
    got: dict = {}

    def callback(**values: object) -> None:
        got.update(values)

    for decorate in decorators:
        callback = decorate(callback)
    click.command(callback).main(list(arguments), standalone_mode=False)
    return got


def test_arguments_come_in_the_order_venue_symbol_timeframe():
    got = parsed([market_arguments], "binance", "BTC/USDT", "15m")
    assert got == {"venue": "binance", "symbol": "BTC/USDT", "timeframe": Timeframe.M15}


def test_the_same_as_options_with_clicks_settings():
    decorators = [
        venue_option(default="demo"),
        symbol_option(multiple=True),
        timeframe_option(),
        since_option(),
        until_option(),
    ]
    got = parsed(decorators, "--symbol", "A/B", "--symbol", "C/D", "--timeframe", "1M", "--since", "1970-01-02")
    assert got == {
        "venue": "demo",
        "symbol": ("A/B", "C/D"),
        "timeframe": Timeframe.MO1,
        "since": 86_400_000,
        "until": None,
    }


def test_a_wrong_timeframe_is_refused_in_our_words():
    with pytest.raises(BadInput, match=r"Use one of: 1m 3m"):
        parsed([timeframe_option()], "--timeframe", "7m")


def test_a_span_that_ends_before_it_begins_is_refused_in_dates():
    need_span(0, None)
    need_span(None, 0)
    need_span(0, 1)
    with pytest.raises(BadInput, match=r"--until: '1970-01-01' will not do. .*1970-01-02") as caught:
        need_span(86_400_000, 0)
    assert caught.value.value == "1970-01-01"


def test_where_no_report_can_be_written_is_told_before_the_work(tmp_path):
    kind, taken = ReportFile(), tmp_path / "taken.html"
    taken.write_text("what was there")
    assert kind.convert(str(taken), None, None) == taken
    assert taken.read_text() == "what was there"
    assert kind.convert(str(tmp_path / "new.html"), None, None) == tmp_path / "new.html"
    assert not (tmp_path / "new.html").exists()
    for wrong in (tmp_path, tmp_path / "none" / "out.html", taken / "out.html"):
        with pytest.raises(BadInput, match="No file can be written there"):
            kind.convert(str(wrong), None, None)


def test_what_the_system_refuses_is_one_sentence(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CAMBIST_HOME", str(tmp_path / "file" / "home"))
    monkeypatch.setenv("CAMBIST_LANG", "en")
    with pytest.raises(SystemExit) as ended:
        main(["up", "--headless", "--no-api", "--port", "0", "--for", "1"])
    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith("cambist: This system did not obey: ")
