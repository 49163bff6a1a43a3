"""Locks on files that end with their holder, however it ends."""

import os
import sys
import threading
import weakref
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

if sys.platform == "win32":
    import msvcrt

    def _take(file: int, *, wait: bool) -> bool:
        while True:
            try:  # gives up after ten seconds by itself; who waits is patient
                msvcrt.locking(file, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
            except OSError:
                if not wait:
                    return False
                continue
            return True
else:
    import fcntl

    def _take(file: int, *, wait: bool) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True


class Lock:
    """One holder at a time, among threads and processes; its holder may take it again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = threading.RLock()
        self._depth = 0
        self._file = -1

    def __enter__(self) -> None:
        self._threads.acquire()
        try:
            if self._depth == 0:
                self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
                _take(self._file, wait=True)
            self._depth += 1
        except BaseException:
            self._threads.release()
            raise

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if self._depth == 0:
            os.close(self._file)
        self._threads.release()


class Living:
    """Who works in a folder: each holds a file of its own locked as long as it lives."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = Lock(folder / "lock")
        self._process = 0
        self._name = ""

    @property
    def own(self) -> str:
        """Return the name under which this one lives."""
        if self._process != os.getpid():  # a fork is another
            with self._lock:
                self._process, self._name = os.getpid(), uuid4().hex
                file = os.open(self._folder / self._name, os.O_RDWR | os.O_CREAT, 0o644)
                _take(file, wait=True)
            weakref.finalize(self, os.close, file)
        return self._name

    def holds(self, name: str) -> bool:
        """Tell whether the one called ``name`` lives; what a dead one left is removed."""
        if name == self.own:
            return True
        path = self._folder / name
        with self._lock:
            try:
                file = os.open(path, os.O_RDWR)
            except FileNotFoundError:
                return False
            try:
                if not _take(file, wait=False):
                    return True
            finally:
                os.close(file)
            with suppress(OSError):
                path.unlink()
            return False
