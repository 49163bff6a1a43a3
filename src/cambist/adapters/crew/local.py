"""Crews of this machine (`cambist.ports.crew.Crew`): its threads, or processes of joblib's.

Processes are loky's, those that joblib starts, fed by this thread: `joblib.Parallel` would take batches in a thread
of its own, without end where they are without end, and what is given up would go on in the background.
"""

import os
import pickle
import shutil
import signal
import tempfile
import threading
import time
import warnings
import weakref
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from contextvars import copy_context
from pathlib import Path
from typing import Any, TypeVar

from cambist.adapters.crew.parcel import pack, unpack
from cambist.domain.errors import BadInput, CrewFailed

S = TypeVar("S")
B = TypeVar("B")
R = TypeVar("R")

_AHEAD = 2
"""Batches per worker that are handed out at once: none waits while this thread is busy with what came back."""
_LISTENS_S = 0.5
"""How long this thread is deaf to Ctrl-C where the operating system does not wake it (Windows)."""
_ORPHANED_S = 1.0
"""How soon a process notices that nobody waits for it any more."""
_HANDED_OUT_S = 5.0
"""How long that may take: a thousand times what it takes."""
_ONE_THREAD = dict.fromkeys(
    (
        "NUMBA_NUM_THREADS",
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "BLIS_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
        "NUMEXPR_NUM_THREADS",
    ),
    "1",
)
"""Each worker is one thread: as many as there are processors would otherwise start as many again, each."""


class Threads:
    """Workers that are threads of this process, for work that leaves the interpreter's lock alone.

    ``shared`` is used by all of them at once. One worker is the caller's own thread.
    """

    def __init__(self, workers: int) -> None:
        self._workers = _checked(workers)

    @property
    def workers(self) -> int:
        """How many work at once."""
        return self._workers

    def work(self, do: Callable[[S, B], R], shared: S, batches: Iterable[B]) -> Generator[tuple[B, R], None, None]:
        """Yield each batch with ``do(shared, batch)``, as they are done; see `Crew.work`."""
        if self._workers == 1:
            yield from _alone(do, shared, batches)
            return
        pool = ThreadPoolExecutor(self._workers, "cambist-crew")
        try:
            yield from _fed(
                lambda batch: pool.submit(copy_context().run, do, shared, batch), batches, self._workers * _AHEAD
            )
        finally:
            pool.shutdown(cancel_futures=True)

    def close(self) -> None:
        """Do nothing: threads end with their work."""


class Processes:
    """Workers that are processes of this machine, kept for the next work until `close`.

    Classes typed in ``__main__`` or a notebook travel by value. One worker is the caller's own thread.
    """

    def __init__(self, workers: int) -> None:
        self._workers = _checked(workers)
        self._parcel: _Parcel | None = None
        self._pool: Any = None

    @property
    def workers(self) -> int:
        """How many work at once."""
        return self._workers

    def work(self, do: Callable[[S, B], R], shared: S, batches: Iterable[B]) -> Generator[tuple[B, R], None, None]:
        """Yield each batch with ``do(shared, batch)``, as they are done; see `Crew.work`.

        The same object ``shared`` is written for the workers once, however often there is work with it.
        """
        if self._workers == 1:
            yield from _alone(do, shared, batches)
            return
        parcel = self._packed(shared)
        pool = self._started()

        def submit(batch: B) -> Future[R]:
            with _interrupts_are_ours():  # whoever submits may start processes
                future: Future[R] = pool.submit(_done, do, parcel, batch)
            return future

        try:
            yield from _fed(submit, batches, self._workers * _AHEAD)
        except BrokenProcessPool as error:
            self._end()
            why = str(error).strip().partition("\n")[0]
            raise CrewFailed("crew.process_gone", workers=self._workers, why=why) from error
        except BaseException:  # given up: what was handed out is not wanted any more
            self._end()
            raise

    def close(self) -> None:
        """End the processes, and delete what they shared."""
        self._end()
        if self._parcel is not None:
            self._parcel.delete()
            self._parcel = None

    def _packed(self, shared: object) -> Path:
        if self._parcel is None or self._parcel.thing is not shared:
            if self._parcel is not None:
                self._parcel.delete()
            self._parcel = _Parcel(shared)
        return self._parcel.path

    def _started(self) -> Any:
        if self._pool is None:
            from joblib.externals.loky import ProcessPoolExecutor

            # where neither psutil nor pgrep is installed, loky still ends the processes that it started
            warnings.filterwarnings("ignore", "Failed to kill subprocesses on this platform")
            # a process that has grown is replaced: nothing is lost
            warnings.filterwarnings("ignore", "A worker stopped while some jobs were given")
            self._pool = ProcessPoolExecutor(
                self._workers, env=_ONE_THREAD, initializer=_begin, initargs=(os.getpid(),)
            )
        return self._pool

    def _end(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            _let_all_be_handed_out(pool)
            pool.shutdown(wait=True, kill_workers=True)


class _Parcel:
    """What is packed in a folder of its own, which goes with it, at the latest when Python ends."""

    def __init__(self, thing: object) -> None:
        folder = tempfile.mkdtemp(prefix="cambist-crew-")
        # Windows keeps a file while a process maps it: then it is left to the system's own sweeping
        self.delete = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self.thing = thing
        self.path = Path(folder) / "parcel"
        pack(thing, self.path)


def _checked(workers: int) -> int:
    if workers < 1:
        raise BadInput("--jobs", workers, "crew.workers")
    return workers


def _alone(do: Callable[[S, B], R], shared: S, batches: Iterable[B]) -> Iterator[tuple[B, R]]:
    for batch in batches:
        yield batch, do(shared, batch)


def _fed(submit: Callable[[B], Future[R]], batches: Iterable[B], ahead: int) -> Iterator[tuple[B, R]]:
    """Yield batches with their answers as they come, with ``ahead`` handed out at most; take no more than that."""
    source = iter(batches)
    out: dict[Future[R], B] = {}
    more = True
    while True:
        while more and len(out) < ahead:
            try:
                batch = next(source)
            except StopIteration:
                more = False
            else:
                out[submit(batch)] = batch
        if not out:
            return
        done: set[Future[R]] = set()
        while not done:
            done, _ = wait(out, _LISTENS_S, FIRST_COMPLETED)
        future = done.pop()
        yield out.pop(future), future.result()


def _let_all_be_handed_out(pool: Any) -> None:
    """Wait the moment until what was submitted is on its way: loky 3.6, told to end, trips over what is not."""
    try:
        last = pool.submit(int)
    except BrokenProcessPool:
        return
    patience = time.monotonic() + _HANDED_OUT_S
    while not (last.running() or last.done()) and time.monotonic() < patience:
        time.sleep(0.001)


@contextmanager
def _interrupts_are_ours() -> Iterator[None]:
    """Let processes that start now never hear of Ctrl-C, not even while they start; we hear of it a moment later."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_taken: set[Path] = set()
"""The parcels that this process has opened."""


def _begin(parent: int) -> None:
    """Begin a process: the one who started it ends it, by its word or by ending itself."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow, args=(parent,), daemon=True, name="cambist-crew-follow").start()


def _follow(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_ORPHANED_S)
    for parcel in _taken:  # nobody else is left to do it
        shutil.rmtree(parcel.parent, ignore_errors=True)
    os._exit(1)


def _done(do: Callable[[Any, B], R], parcel: Path, batch: B) -> R:
    """Do one batch in a process; what it raises can be taken out of its envelope on the other side."""
    _taken.add(parcel)
    try:
        return do(unpack(parcel), batch)
    except Exception as error:
        try:
            pickle.loads(pickle.dumps(error))
        except Exception:  # noqa: BLE001 - an error of any kind may forbid its own copy in any way
            raise RuntimeError(f"{type(error).__name__}: {error}") from error
        raise
