"""What other people's strategies may import and call. This is politeness: it says early and with a line what the
jail, which is the boundary, would refuse anyway.
"""

import ast
import builtins
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from cambist.domain.text import say

MODULES = (
    "numpy", "pandas", "pandas_ta", "pandas_ta_classic", "talib", "math", "statistics", "datetime", "decimal",
    "collections", "dataclasses", "enum", "functools", "itertools", "typing", "__future__",
)  # fmt: skip
"""Modules that may be imported, with all that is in them."""
_OURS = ("cambist", "cambist.indicators")
_NAMES = (
    "Candles", "Instrument", "Kind", "SignalStrategy", "Signals", "Strategy", "TemplateStrategy", "Timeframe",
    "crossed_above", "crossed_below", "indicators", "on_larger", "param", "resample",
)  # fmt: skip
"""What may be imported from cambist itself."""
_CALLS = frozenset({"open", "exec", "eval", "compile", "__import__", "input", "breakpoint", "exit", "quit"})


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about the code, where it stands. Lines and columns count from 1."""

    key: str
    line: int | None = None
    column: int | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    error: bool = True


def remarks(tree: ast.Module) -> list[Remark]:
    """Return what in ``tree`` will not do in the sandbox."""
    return [remark for node in ast.walk(tree) for remark in _remarks(node)]


def _remarks(node: ast.AST) -> Iterator[Remark]:
    match node:
        case ast.Import(names=names):
            for alias in names:
                yield from _imported(node, alias.name)
        case ast.ImportFrom(level=level) if level:
            yield _at(node, "validation.relative")
        case ast.ImportFrom(module="cambist", names=names):
            for alias in names:
                if alias.name not in _NAMES:
                    yield _refused(node, f"cambist.{alias.name}", _NAMES)
        case ast.ImportFrom(module=module):
            yield from _imported(node, module or "")
        case ast.Call(func=ast.Name(id=name)) if name in _CALLS:
            yield _at(node, "validation.call", name=f"{name}()")


def _imported(node: ast.AST, name: str) -> Iterator[Remark]:
    if not may_import(name):
        known = [*MODULES[:-1], *_OURS]
        yield _refused(node, name, known)


def _refused(node: ast.AST, name: str, known: Sequence[str]) -> Remark:
    near = get_close_matches(name, known, 3)
    return _at(node, "validation.import", name=name, known=", ".join(near or known[:15]))


def _at(node: ast.AST, key: str, **params: str) -> Remark:
    line, column = getattr(node, "lineno", None), getattr(node, "col_offset", None)
    return Remark(key, line, None if column is None else column + 1, params)


def may_import(name: str) -> bool:
    """Tell whether a strategy may import the module ``name``."""
    return name in _OURS or name.partition(".")[0] in MODULES


def guard_imports(prefix: str) -> None:
    """From here on refuse the modules whose names begin with ``prefix`` any import that is not allowed."""
    real = builtins.__import__

    def guarded(name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:
        asking = (sys._getframe(1).f_globals if globals is None else globals).get("__name__", "")
        written = not isinstance(fromlist, list)  # what compiled code imports while it is called comes with a list
        if written and str(asking).startswith(prefix) and not (level == 0 and may_import(name)):
            raise ImportError(say("validation.import", name=name, known=", ".join(MODULES[:-1])))
        return real(name, globals, locals, fromlist, level)

    builtins.__import__ = guarded
