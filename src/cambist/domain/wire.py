"""Words as JSON and back: what is journaled, snapshotted or sent is a domain type, and comes back equal.

A dataclass (with slots) becomes an object of its fields, those at their default left out; where a field may hold
several classes the class's name stands under ``_``. Decimals are text, enums their values, sets sorted lists.

A journal of a million events is read at each start, so a type's functions are written once, as Python source, from its
hints: one flat function for each dataclass, as one would write it by hand.
"""

import json
from collections.abc import Callable
from dataclasses import MISSING, Field, fields, is_dataclass
from decimal import Decimal
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

Codec = tuple[Callable[[Any], Any], Callable[[Any], Any]]
"""(to JSON, from JSON)."""

_PLAIN = (str, int, float, bool, NoneType, Any)

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
_decode = json.JSONDecoder().raw_decode


def to_text(kind: Any, value: Any) -> str:
    """Return ``value``, which is a ``kind`` (a class or a union of classes), as JSON text."""
    return _encode(codec(kind)[0](value))


def from_text(kind: Any, text: str) -> Any:
    """Return the ``kind`` that `to_text` wrote.

    Raises ValueError, KeyError, TypeError or ArithmeticError for text that is none; a field that ``kind`` does not
    have is a KeyError: whoever wrote it meant something by it.
    """
    data, end = _decode(text)
    if end != len(text):
        raise ValueError(f"more than one JSON value: {text[end : end + 40]!r}")
    return codec(kind)[1](data)


@cache
def codec(kind: Any) -> Codec:
    """Return how ``kind`` is written and read; what is read from is used up. Raises TypeError for what cannot be."""
    known: dict[str, Any] = {}
    source = f"write = lambda own: {_writing(kind, 'own', known)}\nread = lambda own: {_reading(kind, 'own', known)}"
    exec(source, known)
    return known["write"], known["read"]


def _writing(kind: Any, own: str, known: dict[str, Any]) -> str:
    """Return the source that makes JSON of ``own``, a ``kind``; what it needs is added to ``known``."""
    origin, inner = get_origin(kind), get_args(kind)
    if kind in _PLAIN:
        return own
    if kind is Decimal:
        return f"str({own})"
    if isinstance(kind, type) and issubclass(kind, Enum):
        return f"{own}.value"
    if _is_record(kind):
        return f"{_name(_record(kind)[0], known)}({own}, {{}})"
    if origin in (Union, UnionType):
        return f"(None if {own} is None else {_writing_one_of(inner, own, known)})"
    if origin is tuple and inner[1:] != (...,):
        return f"[{', '.join(_writing(one, f'{own}[{at}]', known) for at, one in enumerate(inner))}]"
    if origin in (list, tuple):
        return f"[{_writing(inner[0], 'one', known)} for one in {own}]"
    if origin in (set, frozenset):
        return f"sorted({_writing(inner[0], 'one', known)} for one in {own})"
    if origin is dict:  # JSON objects have text for keys: others become a list of pairs
        key, value = _writing(inner[0], "key", known), _writing(inner[1], "value", known)
        pairs = f"for key, value in {own}.items()"
        return f"{{key: {value} {pairs}}}" if inner[0] is str else f"[[{key}, {value}] {pairs}]"
    raise TypeError(f"no way to write {kind!r} as JSON")


def _writing_one_of(kinds: tuple[Any, ...], own: str, known: dict[str, Any]) -> str:
    real = [kind for kind in kinds if kind is not NoneType]
    if len(real) == 1:
        return _writing(real[0], own, known)
    writers = _name({kind: _record(kind)[0] for kind in real}, known)
    return f"{writers}[type({own})]({own}, {{'_': type({own}).__name__}})"


def _reading(kind: Any, own: str, known: dict[str, Any]) -> str:
    """Return the source that makes a ``kind`` of ``own``, its JSON; what it needs is added to ``known``."""
    origin, inner = get_origin(kind), get_args(kind)
    if kind in _PLAIN:
        return own
    if kind is Decimal:
        return f"{_name(Decimal, known)}({own})"
    if isinstance(kind, type) and issubclass(kind, Enum):
        return f"{_name({member.value: member for member in kind}, known)}[{own}]"
    if _is_record(kind):
        return f"{_name(_record(kind)[1], known)}({own})"
    if origin in (Union, UnionType):
        return f"(None if {own} is None else {_reading_one_of(inner, own, known)})"
    if origin is tuple and inner[1:] != (...,):
        return f"({''.join(_reading(one, f'{own}[{at}]', known) + ', ' for at, one in enumerate(inner))})"
    if origin in (list, tuple, set, frozenset):
        items = f"[{_reading(inner[0], 'one', known)} for one in {own}]"
        return items if origin is list else f"{origin.__name__}({items})"
    key, value = _reading(inner[0], "key", known), _reading(inner[1], "value", known)
    return f"{{{key}: {value} for key, value in {own}{'.items()' if inner[0] is str else ''}}}"


def _reading_one_of(kinds: tuple[Any, ...], own: str, known: dict[str, Any]) -> str:
    real = [kind for kind in kinds if kind is not NoneType]
    if len(real) == 1:
        return _reading(real[0], own, known)
    readers = _name({kind.__name__: _record(kind)[1] for kind in real}, known)
    return f"{readers}[{own}.pop('_')]({own})"


def _is_record(kind: Any) -> bool:
    return isinstance(kind, type) and is_dataclass(kind)


@cache
def _record(kind: Any) -> tuple[Callable[[Any, dict[str, Any]], dict[str, Any]], Callable[[dict[str, Any]], Any]]:
    """Return how a dataclass is written into an object that has been begun, and how it is read."""
    hints = get_type_hints(kind)
    # a frozen class lets fields in through its descriptors only, which takes eight times as long: they are set on a
    # class of the same slots without that lock, and what is then whole becomes a ``kind``
    twin = type(kind.__name__, (), {"__slots__": kind.__slots__})
    known: dict[str, Any] = {"new": object.__new__, "twin": twin, "kind": kind}
    write, read, required = ["def write(one, data):"], ["    one = new(twin)"], 0
    for field in (field for field in fields(kind) if field.init):
        name, item = field.name, f"data[{field.name!r}]"
        stored = f"{item} = {_writing(hints[name], f'one.{name}', known)}"
        loaded = f"one.{name} = {_reading(hints[name], item, known)}"
        if field.default is MISSING and field.default_factory is MISSING:
            required += 1
            write.append(f"    {stored}")
            read.append(f"    {loaded}")
        else:
            usual, fresh = _default(field, known)
            write.append(f"    if one.{name} != {usual}: {stored}")
            read += [f"    if {name!r} in data: {loaded}; rest -= 1", f"    else: one.{name} = {fresh}"]
    read = ["def read(data):", f"    rest = len(data) - {required}", *read]
    read += [f"    if rest: raise KeyError(f'more than the fields of a {kind.__name__}: {{[*data]}}')"]
    read += ["    one.__class__ = kind"]
    read += ["    one.__post_init__()"] if hasattr(kind, "__post_init__") else []
    exec("\n".join([*write, "    return data", *read, "    return one"]), known)
    return known["write"], known["read"]


def _default(field: "Field[Any]", known: dict[str, Any]) -> tuple[str, str]:
    """Return the sources of the default to compare with, and of one to keep."""
    if field.default_factory is MISSING:
        name = _name(field.default, known)
        return name, name
    return _name(field.default_factory(), known), f"{_name(field.default_factory, known)}()"


def _name(value: Any, known: dict[str, Any]) -> str:
    """Return the name by which source finds ``value``."""
    name = f"_{len(known)}"
    known[name] = value
    return name
