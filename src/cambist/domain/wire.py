"""Words as JSON and back: what is journaled, snapshotted or sent is a domain type, and comes back equal.

A dataclass becomes an object of its fields, those at their default left out; where a field may hold several classes
the class's name stands under ``_``. Decimals are text, enums their values, sets sorted lists. Codecs are made once per
type from its hints, so that a journal is replayed at the speed of its parsing.
"""

import json
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from decimal import Decimal
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

Codec = tuple[Callable[[Any], Any], Callable[[Any], Any]]
"""(to JSON, from JSON)."""

TAG = "_"


def to_text(kind: Any, value: Any) -> str:
    """Return ``value``, which is a ``kind`` (a class or a union of classes), as JSON text."""
    return json.dumps(codec(kind)[0](value), separators=(",", ":"), ensure_ascii=False)


def from_text(kind: Any, text: str) -> Any:
    """Return the ``kind`` that `to_text` wrote; raise ValueError or KeyError for text that is none."""
    return codec(kind)[1](json.loads(text))


@cache
def codec(kind: Any) -> Codec:
    """Return how ``kind`` is written and read; raise TypeError for what cannot be."""
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        return _union(get_args(kind))
    if origin in (list, tuple, set, frozenset):
        return _collection(kind, origin)
    if origin is dict:
        return _mapping(kind)
    if is_dataclass(kind) and isinstance(kind, type):
        return _record(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return (lambda value: value.value), {member.value: member for member in kind}.__getitem__
    if kind is Decimal:
        return str, Decimal
    if kind in (str, int, float, bool, NoneType, Any):
        return _same, _same
    raise TypeError(f"no way to write {kind!r} as JSON")


def _same(value: Any) -> Any:
    return value


def _record(kind: type) -> Codec:
    hints = get_type_hints(kind)
    writers: list[tuple[str, Callable[[Any], Any], Any]] = []
    readers: dict[str, Callable[[Any], Any]] = {}
    for field in fields(kind):
        if not field.init:
            continue
        to, back = _Lazy(hints[field.name]).pair
        default = field.default_factory() if field.default_factory is not MISSING else field.default
        writers.append((field.name, to, default))
        readers[field.name] = back

    def write(value: Any) -> dict[str, Any]:
        found = {}
        for name, to, default in writers:
            own = getattr(value, name)
            if default is MISSING or own != default:
                found[name] = to(own)
        return found

    def read(data: dict[str, Any]) -> Any:
        return kind(**{name: readers[name](own) for name, own in data.items() if name != TAG})

    return write, read


class _Lazy:
    """A codec looked up when first used, so that types may hold themselves."""

    def __init__(self, kind: Any) -> None:
        self._kind = kind

    @property
    def pair(self) -> Codec:
        if self._kind in (str, int, float, bool, Decimal):
            return codec(self._kind)
        return self._write, self._read

    def _write(self, value: Any) -> Any:
        return codec(self._kind)[0](value)

    def _read(self, data: Any) -> Any:
        return codec(self._kind)[1](data)


def _union(kinds: tuple[Any, ...]) -> Codec:
    real = [kind for kind in kinds if kind is not NoneType]
    if len(real) == 1:
        to, back = codec(real[0])
        return (lambda value: None if value is None else to(value)), (lambda data: None if data is None else back(data))
    by_type = {kind: (kind.__name__, codec(kind)[0]) for kind in real}
    by_name = {kind.__name__: codec(kind)[1] for kind in real}

    def write(value: Any) -> Any:
        if value is None:
            return None
        name, to = by_type[type(value)]
        return {TAG: name, **to(value)}

    def read(data: Any) -> Any:
        return None if data is None else by_name[data[TAG]](data)

    return write, read


def _collection(kind: Any, origin: Any) -> Codec:
    inner = get_args(kind)
    if origin is tuple and (len(inner) != 2 or inner[1] is not Ellipsis):
        pairs = [codec(one) for one in inner]
        return (
            lambda value: [to(one) for (to, _), one in zip(pairs, value, strict=True)],
            lambda data: tuple(back(one) for (_, back), one in zip(pairs, data, strict=True)),
        )
    to, back = codec(inner[0])
    if origin in (set, frozenset):
        return (lambda value: sorted(to(one) for one in value)), (lambda data: origin(back(one) for one in data))
    return (lambda value: [to(one) for one in value]), (lambda data: origin(back(one) for one in data))


def _mapping(kind: Any) -> Codec:
    key, value = get_args(kind)
    to, back = codec(value)
    if key is not str:  # JSON objects have text for keys: these become a list of pairs
        to_key, back_key = codec(key)
        return (
            lambda mapping: [[to_key(name), to(own)] for name, own in mapping.items()],
            lambda data: {back_key(name): back(own) for name, own in data},
        )
    return (
        lambda mapping: {name: to(own) for name, own in mapping.items()},
        lambda data: {name: back(own) for name, own in data.items()},
    )
