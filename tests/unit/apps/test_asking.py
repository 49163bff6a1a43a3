"""How a person is asked for a yes."""

import click
import pytest
from click.testing import CliRunner

from cambist.apps.cli.asking import sure
from cambist.domain.text import speak


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
