"""All text that people read, English beside French: one file per area, one line per sentence.

An area's file holds ``TEXTS: dict[str, tuple[str, str]]``: key to (English, French), with ``{name}`` placeholders.
"""

from contextvars import ContextVar
from functools import cache
from importlib import import_module
from string import Formatter
from typing import Any, Literal

Language = Literal["en", "fr"]

_AREAS = (
    "errors",
    "words",
    "candles",
    "indicators",
    "strategies",
    "backtest",
    "results",
    "download",
    "cli",
    "click",
    "report",
    "demo",
    "trading",
    "book",
    "venues",
    "heartbeat",
    "exchange",
    "floor",
    "running",
    "commands",
    "orders",
    "drill",
    "parity",
    "webhooks",
    "statistics",
    "api",
    "api_stream",
    "shelf",
    "sandbox",
    "jobs",
    "people",
    "brokers",
    "optimise",
    "judgement",
    "search_report",
    "searches",
)
_language: ContextVar[Language] = ContextVar("language", default="en")


def speak(language: Language) -> None:
    """Choose the language of everything said from here on (in this context)."""
    _language.set(language)


def language() -> Language:
    """Return the language in use."""
    return _language.get()


def say(key: str, /, **params: object) -> str:
    """Return the sentence ``key`` in the language in use, with ``params`` filled in."""
    english, french = _sentence(key)
    return _FRENCH.vformat(french, (), params) if _language.get() == "fr" else english.format(**params)


class _French(Formatter):
    """Fills in sentences, and parts thousands (``{count:,}``) as French does."""

    def format_field(self, value: Any, format_spec: str) -> str:
        text = str(super().format_field(value, format_spec))
        return text.replace(",", "\u202f").replace(".", ",") if "," in format_spec else text


_FRENCH = _French()


@cache
def _sentence(key: str) -> tuple[str, str]:
    sentence = all_texts().get(key)
    if sentence is None:
        raise KeyError(f"no text {key!r} in cambist.domain.text")
    return sentence


@cache
def all_texts() -> dict[str, tuple[str, str]]:
    """Return every sentence of every area: key to (English, French)."""
    merged: dict[str, tuple[str, str]] = {}
    for area in _AREAS:
        merged.update(import_module(f"cambist.domain.text.{area}").TEXTS)
    return merged
