"""What a function or a class does, as a digest: where there is no file, another text must still be another one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dis import get_instructions
from functools import partial
from hashlib import blake2b
from inspect import getattr_static
from numbers import Number
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

_GLOBAL = ("LOAD_GLOBAL", "LOAD_NAME")
_ONE = (str, bytes, Number, type(None), type(Ellipsis))
_MANY = (tuple, list, set, frozenset, dict)


def digest_of_function(function: Callable[..., Any]) -> str:
    """Return a digest of all that decides what ``function`` returns, the same in every process.

    That is its code and what it holds: defaults, the variables around it, and the global numbers, texts, collections of
    these and functions of its own module that it names. What else it calls counts by its name.
    """
    return blake2b(_told(function, {}).encode(), digest_size=4).hexdigest()


def digest_of_class(kind: type) -> str:
    """Return a digest of all that ``kind``, and those that it is made of outside of Cambist, hold; as for functions."""
    parts = [f"{name}={_told(value, {})}" for name, value in _members(kind)]
    return blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()


def modules_of(kind: type) -> set[str]:
    """Return the names of the modules from which ``kind`` has its bases, and whatever its functions name."""
    found = {one.__module__ for one in kind.__mro__}
    waiting: list[Any] = [value for _, value in _members(kind)]
    around = {id(value.__globals__) for value in waiting if isinstance(value, FunctionType)}
    met: dict[int, Any] = {}
    while waiting:
        value = waiting.pop()
        if id(value) in met:
            continue
        met[id(value)] = value
        found.add(str(getattr(value, "__module__", None)))
        if isinstance(value, FunctionType) and id(value.__globals__) in around:  # what others call is in their files
            found |= _names(value.__code__, ("IMPORT_NAME",))
            held = [*_held(value), *(value.__globals__.get(name) for name in _names(value.__code__))]
            attributes = _names(value.__code__, ("LOAD_ATTR", "LOAD_METHOD"))
            for module in (one for one in held if isinstance(one, ModuleType)):
                found |= {module.__name__, *_inside(module, attributes)}
            waiting += held
    return found


def _inside(module: ModuleType, names: set[str]) -> Iterator[str]:
    """Yield the modules of the package ``module``, at any depth, that go by one of ``names`` there."""
    for name in names & vars(module).keys():
        value = vars(module)[name]
        if isinstance(value, ModuleType) and value.__name__ == f"{module.__name__}.{name}":
            yield value.__name__
            yield from _inside(value, names)


def _members(kind: type) -> Iterator[tuple[str, Any]]:
    """Yield what ``kind``, and those that it is made of outside of Cambist, hold, methods as plain functions."""
    for one in kind.__mro__:
        if one.__module__.partition(".")[0] in ("builtins", "cambist"):
            continue
        for name, value in sorted(vars(one).items()):
            if not (name.startswith("__") and name.endswith("__")) or name in ("__init__", "__call__"):
                yield name, getattr(value, "__func__", getattr(value, "fget", value))


def _told(value: Any, met: dict[int, Any]) -> str:
    """Return ``value`` as text, without addresses and with sets in one order; what was ``met`` is not told again."""
    if isinstance(value, _ONE):
        return repr(value)
    if isinstance(value, frozenset | set):
        return f"{{{', '.join(sorted(_told(one, met) for one in value))}}}"
    if not isinstance(value, CodeType | tuple):  # the same constants may be one object here and two there
        if id(value) in met:
            return "..."
        met[id(value)] = value
    if isinstance(value, Mapping):
        return f"{{{', '.join(sorted(f'{_told(key, met)}: {_told(one, met)}' for key, one in value.items()))}}}"
    if isinstance(value, CodeType):
        parts: tuple[Any, ...] = (value.co_code, value.co_names, value.co_varnames, value.co_freevars, value.co_consts)
    elif isinstance(value, FunctionType):
        parts = (value.__code__, value.__defaults__, value.__kwdefaults__, tuple(_held(value)), dict(_named(value)))
    elif isinstance(value, MethodType):
        parts = (value.__func__, value.__self__)
    elif isinstance(value, partial):
        parts = (value.func, value.args, value.keywords)
    elif isinstance(value, tuple | list):
        parts = tuple(value)
    else:
        said = repr(value)
        called = None if isinstance(value, type) else getattr_static(type(value), "__call__", None)
        parts = (called, said) if " at 0x" not in said else (called, getattr(value, "__dict__", None))
    return f"{type(value).__qualname__}({', '.join(_told(part, met) for part in parts)})"


def _held(function: FunctionType) -> Iterator[Any]:
    """Yield the values of the variables around ``function``."""
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # not yet set
            yield None


def _named(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """Yield the globals that ``function`` names and that are plain, or functions beside it."""
    around = function.__globals__
    for name in sorted(_names(function.__code__)):
        value = around.get(name)
        beside = isinstance(value, FunctionType) and value.__globals__ is around
        if name in around and (beside or _plain(value)):
            yield name, value


def _names(code: CodeType, by: tuple[str, ...] = _GLOBAL) -> set[str]:
    names = {str(step.argval) for step in get_instructions(code) if step.opname in by}
    return names.union(*(_names(one, by) for one in code.co_consts if isinstance(one, CodeType)))


def _plain(value: Any) -> bool:
    if isinstance(value, dict):
        return _plain([*value.keys(), *value.values()])
    return all(map(_plain, value)) if isinstance(value, _MANY) else isinstance(value, _ONE)
