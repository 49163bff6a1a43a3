"""Files that are replaced whole or not at all, one writer at a time, whatever kills the writer."""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        while True:
            try:  # gives up after ten seconds by itself; a writer that waits is patient
                msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
            except OSError:
                continue
            return
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)


@contextmanager
def only_writer(path: Path) -> Iterator[None]:
    """Hold the lock of ``path`` across processes and threads; make its folder, and clear what a killed writer left.

    The operating system frees the lock when its holder ends, however it ends. The lock file stays: removing it would
    let two writers hold two locks of one name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with (path.parent / f".{path.name}.lock").open("ab") as lock:
        _lock(lock.fileno())
        for leftover in path.parent.glob(f".{path.name}.*.tmp"):
            with suppress(OSError):
                leftover.unlink()
        yield


def replace(path: Path, write: Callable[[Path], None]) -> None:
    """Let ``write`` fill a new file beside ``path``, then put it in the place of ``path`` (hold `only_writer`).

    Readers see the old file or the new one. The new one is on the disk before its name is, and its name before this
    returns.
    """
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    os.close(descriptor)
    fresh = Path(name)
    try:
        write(fresh)
        _sync(fresh, os.O_RDWR)
        fresh.chmod(0o644)  # mkstemp lets only its owner read
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    if sys.platform != "win32":  # Windows cannot open a folder, and orders the two by itself
        _sync(path.parent, os.O_RDONLY)


def _sync(path: Path, mode: int) -> None:
    descriptor = os.open(path, mode)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
