"""How a person is asked for a yes, and an engine for an answer."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from cambist.apps import bootstrap
from cambist.apps.cli.asking import answered, put, sure
from cambist.domain.account import Mode
from cambist.domain.errors import CambistError, Stopped
from cambist.domain.text import speak
from cambist.ports.book import Register
from cambist.usecases.accounts import add_account, ask


@pytest.fixture(autouse=True)
def english():
    yield
    speak("en")


def asked(answers: str) -> tuple[str, int]:
    @click.command()
    def command() -> None:
        click.echo(f"> {sure('Do it?')}")

    result = CliRunner().invoke(command, input=answers)
    return result.output, result.exit_code


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize(
    ("answer", "yes"),
    [("y", True), ("YES", True), ("o", True), ("Oui", True), ("n", False), ("no", False), ("non", False), ("", False)],
)
def test_yes_and_no_are_understood_in_both_languages(language, answer, yes):
    speak(language)
    assert f"> {yes}" in asked(f"{answer}\n")[0]


def test_what_can_be_answered_is_shown_in_the_language_spoken():
    assert "Do it? [y/N]: " in asked("y\n")[0]
    speak("fr")
    assert "Do it? [o/N]: " in asked("o\n")[0]


def test_what_is_neither_is_asked_again_and_the_end_of_the_input_is_no_answer():
    said, _ = asked("perhaps\ny\n")
    assert "Answer y (yes) or n (no)." in said
    assert "> True" in said
    said, code = asked("perhaps\n")
    assert "> " not in said
    assert code == 1


@pytest.fixture
def register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Register:
    monkeypatch.setenv("CAMBIST_HOME", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    one = bootstrap.register()
    add_account(one, "main", venue="simulated", mode=Mode.PAPER)
    return one


def test_what_the_engine_refuses_ends_the_command_with_its_words(register, capsys):
    done, refused = (ask(register, 1, "main", action, 0) for action in ("halt", "rearm"))
    register.answer(done, 1, "main is halted.")
    register.answer(refused, 1, "Not done: it is armed.", refused=True)
    put(register, done)
    assert capsys.readouterr().out == "main is halted.\n"
    with pytest.raises(CambistError, match="Not done: it is armed"):
        put(register, refused)


def test_where_no_engine_runs_nobody_waits_for_its_answer(register, capsys):
    number = ask(register, 1, "main", "halt", 0)
    assert answered(register, number) is None
    put(register, number, later="order.later")
    assert "within a minute" in capsys.readouterr().out
    assert [request.id for request in register.waiting()] == [number]


def test_who_stops_waiting_is_told_that_what_was_asked_stands(register, monkeypatch):
    def stop(_: float) -> None:
        raise KeyboardInterrupt

    number = ask(register, 1, "main", "halt", 0)
    monkeypatch.setattr("time.sleep", stop)
    with pytest.raises(Stopped, match="what was asked stands"):
        put(register, number)
