"""Strategies kept on the server: made, saved version by version, compared, copied, validated, deleted."""

import ast
import difflib
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import count
from typing import TYPE_CHECKING, Any

from cambist.domain.account import BotSpec, BotStatus
from cambist.domain.errors import BadInput, BadStrategy, NotFound, Taken, TooMany
from cambist.domain.strategy_text import LARGEST_BYTES, StoredStrategy, StrategyVersion, parse_stored_name
from cambist.domain.text import say
from cambist.engine.heartbeat import TIMEFRAMES
from cambist.ports.strategies import Shelf
from cambist.strategies._load import samples, source_of

if TYPE_CHECKING:
    from cambist.usecases.validation import Report

MOST_STRATEGIES = 200
"""Of one user."""
MOST_VERSIONS = 500
"""Of one strategy."""
MOST_LINES = 5_000
LONGEST_NAME = 80
LONGEST_DESCRIPTION = 2_000

Validate = Callable[[str, str], dict[str, Any]]
"""Takes the code of a strategy and the timeframe that it is meant for (empty: any), gives its verdict as it is kept:
``passed``, and ``findings`` with ``severity``, ``line``, ``column``, and the ``key`` and ``params`` of a text. Blocks.
"""

_IDLE = (BotStatus.CREATED, BotStatus.STOPPED)


@dataclass(frozen=True, slots=True)
class Sample:
    """A strategy that comes with Cambist: to be run by its ``name``, or copied."""

    name: str
    description: str
    code: str
    """As a person would write it: it loads wherever their own code does."""


def create(
    shelf: Shelf,
    user_id: int,
    name: str,
    code: str,
    now_ms: int,
    *,
    description: str = "",
    timeframe: str = "",
) -> StoredStrategy:
    """Keep a new strategy and return it. Raises `BadInput`, `Taken` for a name in use, `TooMany`."""
    made = StoredStrategy(
        user_id=user_id,
        name=_name(name),
        description=_description(description),
        timeframe=checked_timeframe(timeframe),
        created_ms=now_ms,
        changed_ms=now_ms,
    )
    return shelf.add(made, checked_code(code), MOST_STRATEGIES)


def save(shelf: Shelf, strategy_id: int, code: str, now_ms: int, *, expected_version: int) -> StoredStrategy:
    """Keep ``code`` as a new version, unless it is what the newest holds already.

    Raises `Taken` if somebody has saved since ``expected_version``, `BadInput`, `NotFound`, `TooMany`.
    """
    known = shelf.get(strategy_id)
    if known.version != expected_version:
        raise Taken("shelf.changed_meanwhile", expected=expected_version)
    if checked_code(code) == shelf.code(strategy_id, known.version):
        return known
    if known.version >= MOST_VERSIONS:
        raise TooMany("shelf.too_many_versions", most=MOST_VERSIONS)
    return shelf.save(strategy_id, code, expected_version=expected_version, now_ms=now_ms)


def restore(shelf: Shelf, strategy_id: int, version: int, now_ms: int, *, expected_version: int) -> StoredStrategy:
    """Make an old version the newest again, as a version of its own. Raises as `save` does."""
    return save(shelf, strategy_id, shelf.code(strategy_id, version), now_ms, expected_version=expected_version)


def change(
    shelf: Shelf,
    strategy_id: int,
    now_ms: int,
    *,
    name: str | None = None,
    description: str | None = None,
    timeframe: str | None = None,
) -> StoredStrategy:
    """Rename or describe a strategy; what is None stays. Raises `BadInput`, `NotFound`, `Taken`."""
    known = shelf.get(strategy_id)
    changed = replace(
        known,
        name=known.name if name is None else _name(name),
        description=known.description if description is None else _description(description),
        timeframe=known.timeframe if timeframe is None else checked_timeframe(timeframe),
    )
    if changed == known:
        return known
    changed = replace(changed, changed_ms=now_ms)
    shelf.change(changed)
    return changed


def duplicate(
    shelf: Shelf, strategy_id: int, now_ms: int, *, name: str | None = None, version: int | None = None
) -> StoredStrategy:
    """Keep a copy of one version (None: the newest) under another name (None: the same, numbered) and return it."""
    known = shelf.get(strategy_id)
    code = shelf.code(strategy_id, known.version if version is None else version)
    return create(
        shelf,
        known.user_id,
        free_name(shelf, known.name) if name is None else name,
        code,
        now_ms,
        description=known.description,
        timeframe=known.timeframe,
    )


def free_name(shelf: Shelf, name: str) -> str:
    """Return ``name`` with the first number that makes it a name of none of the user's strategies."""
    taken = {one.name for one in shelf.strategies()}
    return next(new for number in count(2) if (new := f"{name[: LONGEST_NAME - 4].rstrip()} {number}") not in taken)


def difference(shelf: Shelf, strategy_id: int, older: int, newer: int) -> str:
    """Return what has changed from one version to another, as a unified diff; empty if nothing has."""
    one, other = (shelf.code(strategy_id, version).splitlines() for version in (older, newer))
    lines = difflib.unified_diff(one, other, f"version {older}", f"version {newer}", lineterm="")
    return "".join(f"{line}\n" for line in lines)


def delete(shelf: Shelf, strategy_id: int, bots: Iterable[BotSpec], status_of: Callable[[BotSpec], BotStatus]) -> None:
    """Delete a strategy with all its versions; raise `Taken` naming those of ``bots`` that run it, `NotFound`."""
    known = shelf.get(strategy_id)
    theirs = [bot for bot in bots if (parse_stored_name(bot.strategy) or (0, 0))[0] == strategy_id]
    running = [bot.id for bot in theirs if status_of(bot) not in _IDLE]
    if running:
        raise Taken("shelf.running", name=known.name, bots=", ".join(running))
    shelf.forget(strategy_id)


def judge(shelf: Shelf, strategy_id: int, version: int, validate: Validate) -> StrategyVersion:
    """Have one version validated, keep what is said of it, and return it. Raises `NotFound`."""
    known = shelf.version(strategy_id, version)
    verdict = validate(known.code, shelf.get(strategy_id).timeframe)
    shelf.judge(strategy_id, version, verdict)
    return replace(known, verdict=verdict)


def runnable(version: StrategyVersion) -> bool:
    """Tell whether a version was validated and has passed: what has not is a draft, and trades nowhere."""
    return version.verdict.get("passed") is True


def verdict_of(report: "Report") -> dict[str, Any]:
    """Return what the validation says as it is kept: in no language, readable without it."""
    findings = [
        {name: getattr(one, name) for name in ("severity", "line", "column", "key")} | {"params": dict(one.params)}
        for one in report.findings
    ]
    names = ("strategy", "shape", "trades", "proof", "took_ms", "decision_ms")
    rest = {name: getattr(report, name) for name in names}
    params = [{name: _finite(value) for name, value in one.items()} for one in report.params]
    return {"passed": report.ok, "findings": findings, "params": params, **rest}


def _finite(value: object) -> object:
    """Return ``value``, or None for a number that JSON does not have."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def in_words(verdict: Mapping[str, Any]) -> dict[str, Any]:
    """Return a verdict whose findings have a ``text``, in the language in use, in place of its key."""
    findings = [
        {name: one.get(name) for name in ("severity", "line", "column")} | {"text": _said(one["key"], one["params"])}
        for one in verdict.get("findings", ())
    ]
    return {**verdict, "findings": findings}


def _said(key: str, params: Mapping[str, Any]) -> str:
    try:
        return say(key, **params)
    except KeyError:  # kept by a Cambist that had other texts
        return key


def need_runnable(shelf: Shelf, name: str) -> None:
    """Raise `BadStrategy` if ``name`` is a stored strategy that has not passed its validation, `NotFound` if it is not
    there; samples pass.
    """
    stored = parse_stored_name(name)
    if stored is not None and not runnable(shelf.version(*stored)):
        raise BadStrategy("strategy", name, "shelf.draft")


def decoded(content: bytes) -> str:
    """Return the text of a ``.py`` file; raise `BadInput` if it is too long or not UTF-8."""
    if len(content) > LARGEST_BYTES:
        raise BadInput("code", _in_short(content), "shelf.too_long", most=LARGEST_BYTES)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput("code", _in_short(content), "shelf.not_utf8") from None


def file_name(strategy: StoredStrategy) -> str:
    """Return what the file of a strategy is called: plain letters, for every system."""
    return f"{re.sub(r'[^a-z0-9]+', '_', strategy.name.lower()).strip('_') or 'strategy'}.py"


def checked_code(code: str) -> str:
    """Return ``code`` if it can be kept; raise `BadInput`. What it does is not looked at."""
    try:
        size = len(code.encode())
    except UnicodeEncodeError:
        raise BadInput("code", "…", "shelf.not_utf8") from None
    if size > LARGEST_BYTES:
        raise BadInput("code", "…", "shelf.too_long", most=LARGEST_BYTES)
    if code.count("\n") > MOST_LINES:
        raise BadInput("code", "…", "shelf.too_many_lines", most=MOST_LINES)
    if "\0" in code:
        raise BadInput("code", "…", "shelf.not_utf8")
    return code


def checked_timeframe(text: str) -> str:
    """Return ``text`` if it is a timeframe, or empty; raise `BadInput` naming those that there are."""
    if text and text not in TIMEFRAMES:
        raise BadInput("timeframe", text, "timeframe.known", known=" ".join(TIMEFRAMES))
    return text


@cache
def built_in() -> tuple[Sample, ...]:
    """Return the strategies that come with Cambist, by name."""
    return tuple(_sample(name, strategy) for name, strategy in samples().items())


def built_in_sample(name: str) -> Sample:
    """Return one of the strategies that come with Cambist; raise `NotFound` naming those that there are."""
    known = samples()
    if name not in known:
        raise NotFound("shelf.no_sample", name=name, known=", ".join(known))
    return _sample(name, known[name])


def _sample(name: str, strategy: type) -> Sample:
    code = _as_people_write(source_of(strategy))
    return Sample(name, (ast.get_docstring(ast.parse(code)) or "").partition("\n")[0], code)


def _as_people_write(source: str) -> str:
    """Return ``source`` with what it imports of Cambist's inside imported from ``cambist`` itself."""
    inside = [node for node in ast.parse(source).body if isinstance(node, ast.ImportFrom) and _inside(node)]
    names = sorted({alias.name for node in inside for alias in node.names})
    gone = {line for node in inside for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)}
    first = min(gone)
    lines = source.splitlines(keepends=True)
    kept = [line for number, line in enumerate(lines, start=1) if number not in gone]
    return "".join((*kept[: first - 1], f"from cambist import {', '.join(names)}\n", *kept[first - 1 :]))


def _inside(node: ast.ImportFrom) -> bool:
    return (node.module or "").partition(".")[0] == "cambist"


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise BadInput("name", text[: 2 * LONGEST_NAME], "shelf.name", most=LONGEST_NAME)
    return name


def _description(text: str) -> str:
    if len(text) > LONGEST_DESCRIPTION or not all(char.isprintable() or char in "\n\r\t" for char in text):
        raise BadInput("description", text[:LONGEST_NAME], "shelf.description", most=LONGEST_DESCRIPTION)
    return text


def _in_short(content: bytes) -> str:
    return content[:40].decode("ascii", "replace")
