"""What alerts say, for pages that have no sentences of their own."""

from contextlib import suppress
from contextvars import copy_context
from typing import Any

from cambist.domain.text import Language, all_texts, say, speak

_SPOKEN = {"side": "side", "why": "role", "stage": "breaker"}
"""Parameters that are words themselves, and where those stand."""
_LANGUAGES: tuple[Language, ...] = ("en", "fr")


def both_languages(alert: dict[str, Any]) -> dict[str, str]:
    """Return what ``alert``, a message of the bus, says: language to sentence; its type, if there are no words."""
    return {language: copy_context().run(_said, alert, language) for language in _LANGUAGES}


def _said(alert: dict[str, Any], language: Language) -> str:
    speak(language)
    with suppress(KeyError, IndexError, ValueError, TypeError):
        return say(alert["key"], **{name: _word(name, value) for name, value in alert["params"].items()})
    return str(alert.get("type", ""))


def _word(name: str, value: Any) -> Any:
    key = f"{_SPOKEN.get(name)}.{value}"
    return say(key) if key in all_texts() else value
