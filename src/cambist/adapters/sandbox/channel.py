"""What goes over the channel to a jailed process: frames of JSON and one-dimensional arrays, nothing that can act.

A frame is ``CmB1``, the lengths of its two parts (four bytes each, big-endian), a JSON object, and the arrays' bytes
one after the other. What comes from a jailed process is read under the eyes of `Incoming`, which believes nothing.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Arrays = Mapping[str, npt.NDArray[np.generic]]

REQUEST = struct.Struct("!Qdd?")
"""To the zygote, for a child: memory (bytes), seconds of CPU, share of a core beside, whether to put up the walls."""
TRY_TO_GET_OUT = "try to get out"
"""The verb of the self-test."""
_MAGIC = b"CmB1"
_HEAD = struct.Struct("!4sII")
_TYPES = ("<i8", "<f8", "<i2", "|i1")


class Malformed(ValueError):
    """What came is no frame, or longer than agreed."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message. ``number`` is that of the question that it asks or answers."""

    kind: str
    """``ask`` (a verb in ``name``), ``answer``, ``progress``, ``failed`` (a class of errors in ``name``)."""
    number: int
    name: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    arrays: Arrays = field(default_factory=dict)


def encoded(frame: Frame) -> bytes:
    """Return ``frame`` as bytes. Raises TypeError or ValueError for values that JSON does not know."""
    columns = {name: np.ascontiguousarray(array) for name, array in frame.arrays.items()}
    for name, column in columns.items():
        if column.ndim != 1 or column.dtype.str not in _TYPES:
            raise TypeError(f"{name}: {column.dtype} {column.shape}")
    table = [[name, column.dtype.str, column.size] for name, column in columns.items()]
    said = {"kind": frame.kind, "number": frame.number, "name": frame.name, "values": frame.values, "arrays": table}
    text = json.dumps(said, separators=(",", ":")).encode()
    size = sum(column.nbytes for column in columns.values())
    return b"".join([_HEAD.pack(_MAGIC, len(text), size), text, *(column.tobytes() for column in columns.values())])


class Incoming:
    """Bytes as they come, cut into frames. ``most`` bounds a frame (bytes)."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = bytearray()

    def feed(self, data: bytes) -> None:
        """Take in what came."""
        self._held += data

    def frame(self) -> Frame | None:
        """Return the next frame once it is whole; raise `Malformed` as soon as it is seen to be none."""
        held = self._held
        if len(held) < _HEAD.size:
            return None
        magic, text, size = _HEAD.unpack_from(held)
        if magic != _MAGIC or text + size > self._most:
            raise Malformed(f"{magic!r} {text} {size}")
        end = _HEAD.size + text + size
        if len(held) < end:
            return None
        frame = _decoded(bytes(held[_HEAD.size : _HEAD.size + text]), held[_HEAD.size + text : end])
        del held[:end]
        return frame


def _decoded(text: bytes, packed: bytearray) -> Frame:
    try:
        said = json.loads(text)
        kind, number, name, values, table = (said[key] for key in ("kind", "number", "name", "values", "arrays"))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Malformed(type(error).__name__) from None
    plain = isinstance(kind, str) and type(number) is int and isinstance(name, str) and isinstance(values, dict)
    if not plain or not isinstance(table, list):
        raise Malformed("not a frame")
    arrays: dict[str, npt.NDArray[np.generic]] = {}
    start = 0
    for row in table:
        match row:
            case [str(column), str(kept), int(count)] if kept in _TYPES and count >= 0:
                end = start + count * np.dtype(kept).itemsize
                if end > len(packed):
                    raise Malformed(column[:40])
                arrays[column] = np.frombuffer(packed[start:end], dtype=kept)  # a copy: aligned, and its own to change
                start = end
            case _:
                raise Malformed("not an array")
    if start != len(packed):
        raise Malformed("more than was told")
    return Frame(kind, number, name, values, arrays)
