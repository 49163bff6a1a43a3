"""What click says by itself is said in the language spoken."""

import inspect

import click
import pytest
from click import core, decorators, exceptions, formatting, parser, termui, types
from tests.e2e.shell import run

from cambist.domain.text.click import TEXTS

__all__ = ["run"]
NAMES = {"integer", "integer_range", "float", "float_range", "text"}
ITS_OWN = [english for key, (english, _) in TEXTS.items() if key.removeprefix("click.") not in NAMES]
"""What click itself says; it is looked up by that, so another click that says it otherwise would speak English."""


@pytest.mark.parametrize("english", ITS_OWN)
def test_click_still_says_it_so(english):
    source = "".join(
        inspect.getsource(one) for one in (core, decorators, exceptions, formatting, parser, termui, types)
    )
    assert repr(english)[1:-1].replace("\\'", "'") in source.replace("\\'", "'")


def test_what_values_are_called_is_what_click_calls_them(run):
    run("alerts", language="en")
    kinds = (click.INT, click.IntRange, click.FLOAT, click.FloatRange, click.STRING)
    assert [kind.name for kind in kinds] == ["integer", "integer range", "float", "float range", "text"]


@pytest.mark.parametrize(
    ("words", "french", "english"),
    [
        ("account add", "Erreur : Il manque l'argument 'NAME'", "Error: Missing argument 'NAME'"),
        ("alerts --lst 3", "Il n'y a pas d'option '--lst'. Vouliez-vous dire '--last' ?", "No such option '--lst'"),
        ("alerts --last 0", "'--last' : 0 n'est pas dans l'intervalle", "0 is not in the range"),
        ("alerts --last x", "'x' n'est pas valable (entier)", "'x' is not a valid integer range"),
        ("account add a --mode x", "'x' n'est pas parmi 'paper', 'testnet', 'live'", "'x' is not one of"),
        ("bot stop a b", "Il y a un argument de trop (b)", "Got unexpected extra argument (b)"),
        ("nosuch", "Il n'y a pas de commande 'nosuch'", "No such command 'nosuch'"),
        ("alerts --last", "L'option '--last' demande une valeur", "Option '--last' requires an argument"),
    ],
)
def test_usage_errors_are_in_the_language_spoken(run, words, french, english):
    for language, said in (("fr", french), ("en", english)):
        code, out, err = run(*words.split(), language=language)
        assert code == 2
        assert out == ""
        assert said in err


def test_help_is_framed_in_the_language_spoken_and_lists_whole_sentences(run):
    _, french, _ = run("account", "--help", language="fr")
    for word in ("Utilisation\u00a0:", "Options\u00a0:", "Commandes\u00a0:"):
        assert word in french
    _, english, _ = run("account", "--help", language="en")
    assert "Usage:" in english
    assert "..." not in english.replace("[ARGS]...", "")
