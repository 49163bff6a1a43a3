"""What click says by itself, in the language in use: it asks gettext, which has no catalogue of it, so we answer."""

from typing import Any

import click
from click import core, decorators, exceptions, formatting, parser, termui, types

from cambist.domain.text import language, say
from cambist.domain.text.click import TEXTS

_FRENCH = dict(TEXTS.values())
_ASKING = (core, decorators, exceptions, formatting, parser, termui, types)
_TYPES: dict[Any, str] = {
    click.INT: "integer",
    click.IntRange: "integer_range",
    click.FLOAT: "float",
    click.FloatRange: "float_range",
    click.STRING: "text",
}
"""How values are called in help and errors; what a `click.Path` is called it asks for itself."""


def speak_as_we_do() -> None:
    """Let click speak the language that was chosen."""
    for module in _ASKING:
        for name, answer in (("_", _said), ("ngettext", _said_of)):
            if hasattr(module, name):
                setattr(module, name, answer)
    for kind, key in _TYPES.items():
        kind.name = say(f"click.{key}")


def _said(message: str) -> str:
    return _FRENCH.get(message, message) if language() == "fr" else message


def _said_of(one: str, several: str, count: int) -> str:
    return _said(one if count == 1 else several)
