"""What the processes of one machine share: written once by the one who gives it, mapped by each who takes it.

A file holds the thing as a pickle (classes that cannot be imported elsewhere by value), and behind it the arrays as
they lie in memory. Who takes it maps the file: large arrays are in memory once for all processes, and a process that
writes into one has a copy of what it wrote (copy on write), so that arrays are as usable as they were.
"""

import mmap
import pickle
from functools import lru_cache
from pathlib import Path
from struct import Struct
from typing import Any

_ALIGNED = 64
"""Bytes: where arrays begin, so that no processor minds."""
_COUNT = Struct("<q")
_KEPT = 2
"""Parcels that a process keeps open: a search has one, a search within a search another."""


def pack(thing: object, path: Path) -> None:
    """Write ``thing`` to a new file at ``path``."""
    import cloudpickle

    arrays: list[pickle.PickleBuffer] = []
    body = cloudpickle.dumps(thing, protocol=5, buffer_callback=arrays.append)
    parts = [memoryview(body), *(array.raw() for array in arrays)]
    with path.open("xb") as file:
        file.write(_COUNT.pack(len(parts)) + b"".join(_COUNT.pack(part.nbytes) for part in parts))
        for part in parts:
            file.write(bytes(-file.tell() % _ALIGNED))
            file.write(part)
        file.write(bytes(1))  # a part of no bytes at the end has its place within the file


@lru_cache(_KEPT)
def unpack(path: Path) -> Any:
    """Return what was packed there; for the same path the same object, in one process."""
    with path.open("rb") as file:
        whole = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
    (count,) = _COUNT.unpack_from(whole)
    at, parts = _COUNT.size * (count + 1), []
    for number in range(count):
        (size,) = _COUNT.unpack_from(whole, _COUNT.size * (number + 1))
        at += -at % _ALIGNED
        parts.append(whole[at : at + size])
        at += size
    body, *arrays = parts
    return pickle.loads(body, buffers=arrays)
