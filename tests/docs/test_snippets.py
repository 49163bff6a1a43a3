"""Every block of code in the pages runs, and shows what it says it shows."""

import doctest
import importlib
import io
import shlex
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path

import click
import pytest
from tests.docs.pages import PAGES, Block, blocks, name, sessions

import cambist as cb
from cambist.apps.cli.main import COMMANDS, main
from cambist.domain.errors import CambistError
from cambist.domain.text import speak
from cambist.usecases.demo import CANDLES, START_MS, SYMBOLS

WITH_CODE = [page for page in PAGES if blocks(page, "python", "console")]
CONSOLE = [block for page in PAGES for block in blocks(page, "console")]
LOOSELY = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.fixture(scope="module")
def market():
    return cb.synthetic_market(SYMBOLS, start_ms=START_MS, count=CANDLES, timeframe=cb.Timeframe.H1, seed=7).values()


@pytest.fixture
def at_home(tmp_path, monkeypatch, market):
    """A home of its own with the demo's market and that of `cambist up` in the lake, and an empty folder to work in."""
    monkeypatch.setenv("CAMBIST_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CAMBIST_LANG", "en")
    for variable in ("DATABASE_URL", "CAMBIST_VENUE_URL", "COLUMNS"):
        monkeypatch.delenv(variable, raising=False)
    for candles in market:
        cb.lake().append(candles)
        cb.lake().append(replace(candles[:100], venue="simulated"))  # readers come from `make up`
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    yield work
    speak("en")


@pytest.mark.parametrize("page", WITH_CODE, ids=name)
def test_the_blocks_of_a_page_run_one_after_the_other(page, at_home, capsys):
    namespace: dict[str, object] = {"__name__": f"page_{page.stem}"}
    for block in blocks(page):
        if block.file is not None:
            Path(block.file).write_text(block.text, encoding="utf-8")
        if block.language == "python":
            run_python(block, namespace)
        elif block.run:
            run_console(block)
    capsys.readouterr()


def run_python(block: Block, namespace: dict[str, object]) -> None:
    if block.file is not None:  # as the command line runs it
        strategy = cb.load_strategy(block.file)
        namespace[strategy.__name__] = strategy
        return
    blank = "\n" * (block.line - 1)  # so that an error names the line of the page
    exec(compile(blank + block.text, str(block.page), "exec"), namespace)


def run_console(block: Block) -> None:
    for command, shown in sessions(block):
        program, *arguments = shlex.split(command)
        assert program == "cambist", f"{block}: only `cambist` can be run"
        came = output_of(arguments)
        if shown.strip():
            # a line of dots stands for any number of lines
            assert doctest.OutputChecker().check_output(shown, came, LOOSELY), f"{block}: $ {command}\n{came}"


def output_of(arguments: list[str]) -> str:
    """Return what a command prints, errors included."""
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(out), pytest.raises(SystemExit):
        main(arguments)
    return out.getvalue()


@pytest.mark.parametrize("block", CONSOLE, ids=str)
def test_every_command_shown_can_be_called_so(block):
    for command, _ in sessions(block):
        program, *arguments = shlex.split(command.partition(" | ")[0], comments=True)
        if program != "cambist":
            assert program in ("make", "."), f"{block}: {program}"
            continue
        assert arguments, f"{block}: which command?"
        assert arguments[0] in COMMANDS, f"{block}: there is no command {arguments[0]}"
        parser = importlib.import_module(f"cambist.apps.cli.{COMMANDS[arguments[0]]}").command
        try:
            parser.make_context(arguments[0], arguments[1:])
        except (click.ClickException, CambistError) as error:
            pytest.fail(f"{block}: $ {command}\n{error}")


def test_make_targets_shown_exist():
    makefile = (PAGES[0].parents[0] / "Makefile").read_text(encoding="utf-8")
    shown = {
        shlex.split(command)[1]
        for block in CONSOLE
        for command, _ in sessions(block)
        if shlex.split(command)[0] == "make"
    }
    assert shown, "the README starts with make"
    assert all(f"\n{target}:" in makefile for target in shown), shown
