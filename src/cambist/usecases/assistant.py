"""The assistant: plain words become a strategy, which is validated before anybody is told that it can be used."""

import ast
import asyncio
import re
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from cambist.domain.errors import AssistantRefused, BadInput
from cambist.domain.strategy_text import LARGEST_BYTES
from cambist.ports.assistant import Access, Assistant, Turn
from cambist.usecases.assistant_brief import brief
from cambist.usecases.strategies import Validate, in_words

OLLAMA_URL = "http://localhost:11434"
OPENROUTER_URL = "https://openrouter.ai/api/v1"
OFF = "off"
PROVIDERS = ("openrouter", "ollama", "openai", OFF)
"""``openai`` stands for any service that speaks as OpenAI's does."""
LONGEST_REQUEST = 8_000
"""Characters of what a person asks for."""
LONGEST_URL = 300
LONGEST_MODEL = 200

_BLOCK = re.compile(r"^[ \t]*```[ \t]*(\w*)[^\n]*\n(.*?)^[ \t]*```", re.DOTALL | re.MULTILINE)


class Task(StrEnum):
    """What the assistant is to do."""

    WRITE = "write"
    IMPROVE = "improve"
    EXPLAIN = "explain"


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that the assistant has to tell, as it happens."""

    event: str
    """``token``: a piece of its words; ``report``: what the validation says; ``code``: a strategy, and whether it is
    usable; ``done``: that was all."""
    data: Mapping[str, Any]


def access_of(profile: Mapping[str, Any] | None, key: str, *, local_allowed: bool, choosing: bool = False) -> Access:
    """Return what the assistant is reached by, as ``profile`` (the part ``ai`` of a person's) has it.

    ``choosing``: a model need not be chosen yet. Raises `AssistantRefused` that says where to switch it on if it is
    off, and `BadInput`. Whether the address may be called is found out when it is: it depends on where its name leads.
    """
    if not profile or profile.get("provider", OFF) == OFF:
        raise AssistantRefused("assistant.off")
    known, key = _checked(profile), key.strip()
    if not (key.isascii() and key.isprintable()):
        raise AssistantRefused("assistant.key_refused")
    provider = known["provider"]
    url = (known["url"] or {"openrouter": OPENROUTER_URL, "ollama": OLLAMA_URL}[provider]).rstrip("/")
    if not known["model"] and not choosing:
        raise AssistantRefused("assistant.no_model")
    inside = provider == "ollama" and (local_allowed or url == OLLAMA_URL)
    if urlsplit(url).scheme == "http" and not inside:
        raise BadInput("url", url, "assistant.https")  # the key, and what is asked, would be read under way
    if provider == "openrouter" and not key:
        raise AssistantRefused("assistant.no_key")
    if provider == "ollama" and not urlsplit(url).path:
        url = f"{url}/v1"
    return Access(url=url, model=known["model"], key=key, inside=inside)


async def converse(
    assistant: Assistant,
    access: Access,
    task: Task,
    validate: Validate,
    *,
    request: str = "",
    code: str = "",
) -> AsyncGenerator[Told, None]:
    """Tell what the assistant writes, as it comes; code is validated, and repaired once if it does not pass.

    ``validate`` blocks, so it runs in a thread of its own. Raises what `Assistant` raises.
    """
    turns = list(_opening(task, request, code))
    attempts = 1 if task is Task.EXPLAIN else 2
    usable = False
    for attempt in range(1, attempts + 1):
        words: list[str] = []
        async with aclosing(assistant.write(access, tuple(turns))) as pieces:
            async for piece in pieces:
                words.append(piece)
                yield Told("token", {"attempt": attempt, "text": piece})
        if task is Task.EXPLAIN:
            break
        answer = "".join(words)
        written = code_in(answer)
        verdict: Mapping[str, Any] = {"passed": False, "findings": []}
        if written is not None:
            verdict = await asyncio.to_thread(validate, written, "")
            yield Told("report", {"attempt": attempt, **in_words(verdict)})
        usable = verdict.get("passed") is True
        if written is not None:
            yield Told("code", {"attempt": attempt, "code": written, "usable": usable})
        if usable:
            break
        turns += [Turn("assistant", answer), Turn("user", _complaint(written, verdict))]
    yield Told("done", {"attempts": attempt, "usable": usable})


def code_in(answer: str) -> str | None:
    """Return the Python of ``answer``: its longest fenced block, or all of it if it is nothing but code."""
    blocks = [code for language, code in _BLOCK.findall(answer) if language.lower() in ("", "python", "py", "python3")]
    found: str = max(blocks, key=len, default="") or (answer if _is_code(answer) else "")
    return f"{found.strip()}\n" if found.strip() and len(found.encode("utf-8", "replace")) <= LARGEST_BYTES else None


def _opening(task: Task, request: str, code: str) -> Iterator[Turn]:
    yield Turn("system", brief(explaining=task is Task.EXPLAIN))
    given = f"The strategy as it is:\n\n```python\n{code}\n```\n" if code else ""
    if task is Task.EXPLAIN:
        yield Turn("user", f"{given}\nExplain it.\n\n{request}".strip())
    elif task is Task.IMPROVE:
        yield Turn("user", f"{given}\nChange it so:\n\n{request}".strip())
    else:
        yield Turn("user", request)


def _complaint(written: str | None, verdict: Mapping[str, Any]) -> str:
    if written is None:
        return "There is no Python block in your answer. Answer with the whole strategy in one ```python block."
    told = "\n".join(f"- {_line(one)}" for one in in_words(verdict)["findings"]) or "- it does not pass"
    return (
        f"The strategy was checked and does not pass:\n{told}\nAnswer with the whole corrected strategy in one block."
    )


def _line(finding: Mapping[str, Any]) -> str:
    place = f"line {finding['line']}: " if finding["line"] else ""
    return f"{place}{finding['text']}"


def _is_code(answer: str) -> bool:
    try:
        return any(isinstance(node, ast.ClassDef) for node in ast.parse(answer).body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False


def _checked(profile: Mapping[str, Any]) -> dict[str, str]:
    provider, url, model = (str(profile.get(name) or "") for name in ("provider", "url", "model"))
    if provider not in PROVIDERS:
        raise BadInput("provider", provider, "assistant.providers", known=" ".join(PROVIDERS))
    if url:
        _checked_url(url)
    elif provider == "openai":
        raise BadInput("url", url, "assistant.url")
    if len(model) > LONGEST_MODEL or not model.isprintable():
        raise BadInput("model", model[:LONGEST_MODEL], "assistant.model")
    return {"provider": provider, "url": url, "model": model}


def _checked_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        good = (
            len(url) <= LONGEST_URL
            and url.isascii()
            and url.isprintable()
            and " " not in url
            and parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and parts.port != 0
            and "@" not in parts.netloc
            and not parts.query
            and not parts.fragment
        )
    except ValueError:
        good = False
    if not good:
        # what stands before the host may be a password: it is not told back
        raise BadInput("url", url.rpartition("@")[2][:LONGEST_URL], "assistant.url")
