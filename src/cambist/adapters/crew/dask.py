"""Crews of other machines: the workers of a Dask cluster (`cambist.ports.crew.Crew`), by the scheduler's address.

The workers need Cambist installed, in the same version, and nothing else. What a worker was doing when it was lost is
done again by another; if what all share was lost with it, it is sent again.
"""

import logging
import math
import platform
import re
import time
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

from cambist.domain.errors import BadInput, CrewFailed

S = TypeVar("S")
B = TypeVar("B")
R = TypeVar("R")

_ADDRESS = re.compile(r"(tcp|tls)://([\w.-]+|\[[0-9a-fA-F:.]+\]):\d{1,5}")
_CONNECTS_S = 10.0
"""How long a scheduler may take to answer at all."""
_LOOKS_S = 0.5
"""How often to look whether there still are workers, while nothing comes back."""
_AHEAD = 2
"""Batches per thread of the cluster that are handed out at once."""
_SENT_AGAIN = 5
"""How often what all share may be lost with all who hold it before it is what makes them die."""
_COMPARED = ("cambist", "distributed", "numpy", "numba")
"""Packages that must be the same everywhere: answers are the same to the digit."""


@dataclass(frozen=True, slots=True)
class _Out(Generic[B]):
    """A batch that is handed out."""

    future: Any
    batch: B
    shared: Any
    """The cluster's own handle of it."""


class Cluster:
    """The workers of the Dask cluster whose scheduler listens at ``address`` (``tcp://host:port``).

    ``patience_s``: how long a search waits for workers when there are none, at its start or in its middle. Raises
    `BadInput` for what is no address and where Dask is not installed, `CrewFailed` if nobody answers there or if the
    workers' versions are not ours.
    """

    def __init__(self, address: str, *, patience_s: float = 60.0) -> None:
        if not _ADDRESS.fullmatch(address):
            raise BadInput("--cluster", address, "crew.address")
        try:
            import distributed
        except ModuleNotFoundError:
            raise BadInput("--cluster", address, "crew.dask_missing") from None
        self.address = address
        self._patience_s = patience_s
        self._killed: type[BaseException] = distributed.KilledWorker
        for name in ("distributed", "distributed.client"):  # they tell what we say ourselves, and more
            logging.getLogger(name).setLevel(logging.CRITICAL)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of versions: they are compared below
                self._client: Any = distributed.Client(
                    address, timeout=min(_CONNECTS_S, patience_s), set_as_default=False, name="cambist"
                )
        except (OSError, ValueError) as error:
            raise CrewFailed("crew.unreachable", address=address, why=_first_line(error)) from error
        try:
            self._meet()
        except BaseException:
            self.close()
            raise
        self._sent: tuple[object, Any] | None = None

    @property
    def workers(self) -> int:
        """How many work at once: all threads of all workers there are now."""
        threads: dict[str, int] = self._client.nthreads()
        return max(1, sum(threads.values()))

    def work(self, do: Callable[[S, B], R], shared: S, batches: Iterable[B]) -> Generator[tuple[B, R], None, None]:
        """Yield each batch with ``do(shared, batch)``, as they are done; see `Crew.work`.

        The same object ``shared`` is sent once, however often there is work with it.
        """
        out: dict[str, _Out[B]] = {}
        ended: SimpleQueue[str] = SimpleQueue()
        try:
            yield from self._fed(do, shared, iter(batches), out, ended)
        except OSError as error:
            if self._client.status == "running" and not isinstance(error, TimeoutError):
                raise  # of the work, or of where the batches come from
            raise CrewFailed("crew.lost", address=self.address, why=_first_line(error)) from error
        finally:
            if out and self._client.status == "running":
                with suppress(OSError, CancelledError):
                    self._client.cancel([one.future for one in out.values()], force=True)

    def close(self) -> None:
        """Leave the cluster; it stays."""
        with suppress(OSError, CancelledError):
            self._client.close(timeout=_CONNECTS_S)

    def _fed(
        self, do: Callable[[S, B], R], shared: S, source: Iterator[B], out: dict[str, _Out[B]], ended: SimpleQueue[str]
    ) -> Iterator[tuple[B, R]]:
        def hand_out(batch: B) -> None:
            held = self._spread(shared)
            future = self._client.submit(partial(_turned, do, batch), held, pure=False)
            out[future.key] = _Out(future, batch, held)
            future.add_done_callback(lambda done: ended.put(done.key))

        more, lost, ahead, looked = True, 0, 0, -math.inf
        while True:
            if time.monotonic() - looked > _LOOKS_S:  # workers come and go; asking is a journey to the scheduler
                ahead, looked = self.workers * _AHEAD, time.monotonic()
            while more and len(out) < ahead:
                try:
                    batch = next(source)
                except StopIteration:
                    more = False
                else:
                    hand_out(batch)
            if not out:
                return
            one = out.pop(self._next(ended))
            try:
                answer = self._answer(one.future)
            except CancelledError:
                if self._sent is not None and self._sent[1] is one.shared:  # lost with all who held it
                    self._sent = None
                    lost += 1
                    if lost > _SENT_AGAIN:
                        raise CrewFailed("crew.batch_kills", address=self.address) from None
                hand_out(one.batch)
            else:
                yield one.batch, answer

    def _next(self, ended: SimpleQueue[str]) -> str:
        seen = time.monotonic()
        while True:
            with suppress(Empty):
                return ended.get(timeout=_LOOKS_S)
            if self._client.status == "running" and self._client.nthreads():
                seen = time.monotonic()
            elif time.monotonic() - seen > self._patience_s:
                raise CrewFailed("crew.no_workers", address=self.address, patience=f"{self._patience_s:g}")

    def _answer(self, future: Any) -> Any:
        if future.status != "error":
            return future.result(timeout=self._patience_s)
        error = future.exception()
        if isinstance(error, self._killed):
            raise CrewFailed("crew.batch_kills", address=self.address) from error
        raise error

    def _spread(self, shared: object) -> Any:
        if self._sent is None or self._sent[0] is not shared:
            self._wait()
            # no hash of it: two searches at once would share it, and the end of one would take it from the other
            self._sent = shared, self._client.scatter(shared, broadcast=True, hash=False, timeout=self._patience_s)
        return self._sent[1]

    def _wait(self) -> None:
        try:
            self._client.wait_for_workers(1, timeout=self._patience_s)
        except TimeoutError as error:
            told = f"{self._patience_s:g}"
            raise CrewFailed("crew.no_workers", address=self.address, patience=told) from error

    def _meet(self) -> None:
        """Wait for the first workers, and see that they are what we are."""
        self._wait()
        python = _series(platform.python_version())
        for worker, theirs in self._client.run(platform.python_version).items():
            self._compare(worker, "Python", _series(theirs), python)
        for package in _COMPARED:
            for worker, theirs in self._client.run(version, package, on_error="return").items():
                absent = isinstance(theirs, BaseException)
                self._compare(worker, package, "-" if absent else theirs, version(package))

    def _compare(self, worker: str, what: str, theirs: str, ours: str) -> None:
        if theirs != ours:
            raise CrewFailed("crew.versions", address=self.address, worker=worker, what=what, theirs=theirs, ours=ours)


def _turned(do: Callable[[Any, B], R], batch: B, shared: Any) -> R:
    """Do one batch on a worker; Dask fills in what is shared, and leaves the batch as it is, inside the function."""
    return do(shared, batch)


def _series(python: str) -> str:
    return ".".join(python.split(".")[:2])


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
