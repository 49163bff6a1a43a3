"""The files of one's own that a strategy is made of: what it imports, and what that imports.

One's own is what neither Python, Cambist nor an installed package brings. The files are found as an import would find
them, and none is run.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import resolve_name
from pathlib import Path
from sysconfig import get_paths

_INSTALLED = tuple(Path(get_paths()[kind]).resolve() for kind in ("stdlib", "platstdlib", "purelib", "platlib"))
_NO_OWN = sys.stdlib_module_names | {"cambist"}


def files_of(source: str, package: str, modules: Iterable[str]) -> dict[str, bytes]:
    """Return by module the files of one's own that ``source`` imports, or that ``modules`` name, in order of names.

    ``package`` is that of ``source``, to which relative imports are relative. What is imported by a name made at run
    time is not seen, nor is a file that is not Python.
    """
    found: dict[str, bytes] = {}
    waiting = [*modules, *_imported(source, package)]
    while waiting:
        name = waiting.pop()
        spec = _own(name)
        if name in found or spec is None or spec.origin is None:
            continue
        found[name] = Path(spec.origin).read_bytes()
        inside = name if spec.submodule_search_locations is not None else name.rpartition(".")[0]
        waiting += _imported(found[name], inside)
    return dict(sorted(found.items()))


def _imported(source: str | bytes, package: str) -> Iterator[str]:
    """Yield all modules that ``source`` may import; some of them may be no modules, but names in one."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            try:
                home = resolve_name("." * node.level + (node.module or ""), package)
            except ImportError:  # beyond the topmost package: it cannot be run either
                continue
            names = [home, *(f"{home}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            parts = name.split(".")
            yield from (".".join(parts[: count + 1]) for count in range(len(parts)))  # packages run before their parts


def _own(name: str) -> ModuleSpec | None:
    """Return where the module ``name`` lies if it is a file of one's own."""
    parts = name.split(".")
    if parts[0] in _NO_OWN:
        return None
    spec, path = None, None
    for count in range(len(parts)):
        spec = PathFinder.find_spec(".".join(parts[: count + 1]), path)
        if spec is None or (spec.submodule_search_locations is None and count + 1 < len(parts)):
            return None
        path = list(spec.submodule_search_locations or ())
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    file = Path(spec.origin).resolve()
    return None if any(file.is_relative_to(folder) for folder in _INSTALLED) or _foreign(file) else spec


def _foreign(file: Path) -> bool:
    """Tell whether ``file`` was installed somewhere else, for one user or by the system."""
    return not {"site-packages", "dist-packages"}.isdisjoint(file.parts)
