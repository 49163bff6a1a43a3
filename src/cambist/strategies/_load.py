"""Strategies by name or from a file: ``ema_cross``, ``EmaCross``, ``my.py``, ``my.py:Mine``."""

import ast
import sys
import traceback
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType

import cambist.strategies as package
from cambist.domain.errors import BadStrategy
from cambist.strategies._base import Strategy
from cambist.strategies._beside import files_of
from cambist.strategies._digest import digest_of_class, modules_of
from cambist.strategies._signals import Signals, SignalStrategy
from cambist.strategies._template import TemplateStrategy

AnyStrategy = type[Strategy] | type[SignalStrategy] | type[TemplateStrategy]
_BASES = (Strategy, SignalStrategy, TemplateStrategy)


@cache
def samples() -> dict[str, AnyStrategy]:
    """Return the strategies that come with Cambist, by file name."""
    names = sorted(module.name for module in iter_modules(package.__path__) if not module.name.startswith("_"))
    return {name: _only(import_module(f"{package.__name__}.{name}"), name) for name in names}


def load(name: str) -> AnyStrategy:
    """Return the strategy called ``name``: a sample's file or class name, or ``path/to/file.py[:Class]``."""
    path, _, wanted = name.partition(":")
    if path.endswith(".py") or Path(path).is_file():
        file = Path(path)
        if not file.is_file():
            raise BadStrategy("strategy", name, "strategy.no_file", known=", ".join(samples()))
        return from_source(_text(file), path, wanted or None)
    by_name = {**samples(), **{cls.__name__: cls for cls in samples().values()}}
    if name in by_name:
        return by_name[name]
    near = get_close_matches(name, by_name, 3) or list(samples())
    raise BadStrategy("strategy", name, "strategy.no_file", known=", ".join(near))


def from_source(source: str, label: str, wanted: str | None = None) -> AnyStrategy:
    """Return the strategy that ``source`` (Python) defines; ``wanted`` names one of several.

    Code pasted without imports finds ``Strategy`` and the other public names in place; a class derived from a bare
    ``Strategy`` that has ``should_long`` is a `TemplateStrategy`. ``import pandas_ta`` gives pandas-ta-classic where
    pandas_ta itself is not installed.
    """
    try:
        tree = ast.parse(source, label)
        code = compile(tree, label, "exec")  # finds what a parser does not, such as a return outside of a function
    except SyntaxError as error:
        if error.lineno is None:  # a null byte, which Python does not place
            raise BadStrategy("strategy", label, "strategy.no_python", message=error.msg) from error
        raise BadStrategy(
            "strategy", label, "strategy.syntax", line=error.lineno, column=error.offset, message=error.msg
        ) from error
    except (ValueError, RecursionError, MemoryError) as error:  # a null byte for older Pythons, or brackets too deep
        raise BadStrategy("strategy", label, "strategy.no_python", message=str(error)) from error
    module = ModuleType(f"strategy_{Path(label).stem}")
    module.__file__ = label
    vars(module).update(_in_place(tree))
    _offer_pandas_ta(tree)
    try:
        exec(code, vars(module))
    except (Exception, SystemExit) as error:  # exit() in a file must not end, in silence, whoever loads it
        frames = traceback.extract_tb(error.__traceback__)
        line = [frame.lineno for frame in frames if frame.filename == label][-1]  # its own, not that of what it calls
        if isinstance(error, SystemExit):
            raise BadStrategy("strategy", label, "strategy.exits", line=line) from error
        message = f"{type(error).__name__}: {error}"
        raise BadStrategy("strategy", label, "strategy.import", message=message, line=line) from error
    strategy = _only(module, label, wanted)
    strategy._source = source  # type: ignore[union-attr]
    return strategy


def source_of(strategy: type) -> str:
    """Return the text of the file that defines ``strategy``, or its name where there is none (typed in a console)."""
    strategy = getattr(strategy, "_origin", strategy)
    source = getattr(strategy, "_source", None)
    if source is not None:
        return str(source)
    file = getattr(sys.modules.get(strategy.__module__), "__file__", None)
    if file and Path(file).is_file():
        return Path(file).read_text(encoding="utf-8")
    return f"{strategy.__qualname__} {digest_of_class(strategy)}"  # typed in: other lines are another strategy


def files_beside(strategy: type) -> dict[str, bytes]:
    """Return by module the files of one's own, other than that which defines it, of which ``strategy`` is made."""
    strategy = getattr(strategy, "_origin", strategy)
    home = strategy.__module__
    if home.partition(".")[0] == "cambist":  # a sample, or what stands for code that is in a jail
        return {}
    package = str(getattr(sys.modules.get(home), "__package__", None) or "")
    found = files_of(source_of(strategy), package, modules_of(strategy))
    found.pop(home, None)
    return found


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")  # with or without the mark that some editors begin files with
    except UnicodeDecodeError as error:
        line = file.read_bytes().count(b"\n", 0, error.start) + 1
        raise BadStrategy("strategy", str(file), "strategy.not_utf8", line=line) from error
    except OSError as error:
        raise BadStrategy("strategy", str(file), "strategy.unreadable", why=error.strerror) from error


def _in_place(tree: ast.Module) -> dict[str, object]:
    from cambist.strategies._line import crossed_above, crossed_below
    from cambist.strategies._param import param

    bare_templates = any(
        isinstance(node, ast.ClassDef)
        and any(isinstance(base, ast.Name) and base.id == "Strategy" for base in node.bases)
        and any(isinstance(part, ast.FunctionDef) and part.name == "should_long" for part in node.body)
        for node in tree.body
    )
    return {
        "Strategy": TemplateStrategy if bare_templates else Strategy,
        "SignalStrategy": SignalStrategy,
        "TemplateStrategy": TemplateStrategy,
        "Signals": Signals,
        "param": param,
        "crossed_above": crossed_above,
        "crossed_below": crossed_below,
    }


def _offer_pandas_ta(tree: ast.Module) -> None:
    """Let ``import pandas_ta`` find pandas-ta-classic, which keeps its names, where pandas_ta is not installed."""
    imported = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    if "pandas_ta" in imported and "pandas_ta" not in sys.modules and find_spec("pandas_ta") is None:
        sys.modules["pandas_ta"] = import_module("pandas_ta_classic")


def _only(module: ModuleType, label: str, wanted: str | None = None) -> AnyStrategy:
    found = {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, type)
        and issubclass(value, _BASES)
        and value not in _BASES
        and value.__module__ == module.__name__
    }
    if wanted is not None:
        if found and wanted not in found:
            raise BadStrategy("strategy", f"{label}:{wanted}", "strategy.no_such_class", known=", ".join(found))
        found = {name: value for name, value in found.items() if name == wanted}
    if not found:
        raise BadStrategy("strategy", label, "strategy.no_class")
    if len(found) > 1:
        raise BadStrategy("strategy", label, "strategy.which_class", known=", ".join(found))
    return next(iter(found.values()))
