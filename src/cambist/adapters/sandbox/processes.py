"""`ProcessSandbox`: jailed processes out of one zygote, and the server's end of the channel to each."""

import asyncio
import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

from cambist.adapters.sandbox.channel import (
    REQUEST,
    TRY_TO_GET_OUT,
    Arrays,
    Frame,
    Incoming,
    Malformed,
    encoded,
)
from cambist.adapters.sandbox.syscalls import arch
from cambist.domain.errors import BadStrategy, CambistError, NotAllowed, Stopped, StorageFailed, StrategyFailed
from cambist.domain.text import say
from cambist.domain.told import plain, plain_params, sayable
from cambist.ports.sandbox import Answer, Held, Limits

_START_S = 300.0
_TRY_S = 30.0
_TRY_AGAIN_S = 60.0
_LOOK_S = 0.2
_LAST_WORD_S = 2.0
_SOON_S = 0.002
_MB = 1 << 20
_ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
}
"""All that a jailed process finds in its environment, but for HOME: what numba has compiled may be kept there."""


class ProcessSandbox:
    """Jailed processes that answer by ``inside``, the name of a module with ``prepare()`` and ``handle(...)``.

    The zygote is started when the first is asked for, and ends with this process. ``trusted``: without walls.
    """

    def __init__(self, inside: str, *, trusted: bool = False) -> None:
        self._inside = inside
        self._trusted = trusted
        self._lock = threading.Lock()
        self._judging = threading.Lock()
        self._zygote: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._network = False
        self._held: Held | None = None
        self._judged_s = 0.0

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel to another process as the wish for a sandbox there: its jail is that process's own."""
        return sandbox_here, (self._inside, self._trusted)

    def holds(self) -> Held:
        """Tell whether the jail holds here; the first call tries every way out. A no is tried again after a while."""
        with self._judging:
            now = time.monotonic()
            if self._held is None or (not self._held.ok and now > self._judged_s + _TRY_AGAIN_S):
                self._held, self._judged_s = self._judged(), now
            return self._held

    def start(self, limits: Limits | None = None) -> "Process":
        """Return a fresh jailed process; raise `NotAllowed` if the jail does not hold, `StorageFailed` without one."""
        held = self.holds()
        if not held.ok:
            raise NotAllowed("sandbox.refused", why=held.why)
        return self._fresh(limits or Limits())

    def close(self) -> None:
        """End all of them."""
        with self._lock:
            if self._control is not None:
                self._control.close()
                self._control = None
            if self._zygote is not None:
                try:
                    self._zygote.wait(_LAST_WORD_S)
                except subprocess.TimeoutExpired:
                    self._zygote.kill()
                    self._zygote.wait()
                self._zygote = None

    # -- the zygote ---------------------------------------------------------------------------------------------------

    def _fresh(self, limits: Limits) -> "Process":
        ours, theirs = socket.socketpair()
        line, its_line = socket.socketpair()
        request = REQUEST.pack(limits.memory_mb * _MB, limits.cpu_s, limits.cpu_share, not self._trusted)
        with theirs, its_line:
            try:
                self._request(request, [theirs.fileno(), its_line.fileno()])
            except BaseException:
                ours.close()
                line.close()
                raise
        return Process(ours, line, round(limits.answer_mb * _MB))

    def _request(self, request: bytes, fds: list[int]) -> None:
        with self._lock:
            try:
                socket.send_fds(self._living(), [request], fds)
            except OSError:  # it has been killed this very moment: another takes its place
                self._forget()
                try:
                    socket.send_fds(self._living(), [request], fds)
                except OSError as error:
                    raise StorageFailed("sandbox.no_zygote", why=str(error)) from error

    def _living(self) -> socket.socket:
        if self._control is None or self._zygote is None or self._zygote.poll() is not None:
            self._forget()
            self._control = self._begun()
        return self._control

    def _forget(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._zygote is not None:
            self._zygote.kill()
            self._zygote.wait()
            self._zygote = None

    def _begun(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        with theirs:
            module = "cambist.adapters.sandbox.zygote"
            self._zygote = subprocess.Popen(
                [sys.executable, "-I", "-m", module, str(theirs.fileno()), self._inside],
                pass_fds=[theirs.fileno()],
                env=_ENVIRONMENT | {"HOME": str(Path.home())},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        ours.settimeout(_START_S)
        try:
            told = json.loads(ours.recv(8_192) or b'{"ready": false, "why": "it ended"}')
        except (OSError, ValueError) as error:
            told = {"ready": False, "why": str(error)}
        if not told["ready"]:
            ours.close()
            self._forget()
            raise StorageFailed("sandbox.no_zygote", why=told["why"])
        ours.settimeout(None)
        self._network = bool(told["network"])
        return ours

    # -- does it hold -------------------------------------------------------------------------------------------------

    def _judged(self) -> Held:
        if self._trusted and hasattr(os, "fork"):
            return Held(ok=True, layers=("process",), trusted=True)
        if arch() is None:
            return Held(ok=False, why=say("sandbox.no_linux"))
        try:
            layers = self._tried()
        except CambistError as error:
            return Held(ok=False, why=str(error))
        return Held(ok=True, layers=(*layers, *(["no network"] if self._network else [])))

    def _tried(self) -> list[str]:
        """Try every way out; return the layers, or raise with what came through."""
        limits = Limits()
        with tempfile.TemporaryDirectory(prefix="cambist-") as folder:
            Path(folder).chmod(0o777)  # so that it is the jail which keeps others out
            secret = Path(folder) / "secret"
            secret.write_text("none of your business", encoding="utf-8")
            secret.chmod(0o666)
            values = {
                "secret": str(secret),
                "folder": folder,
                "memory": limits.memory_mb * _MB + (64 << 20),
                "parent": os.getpid(),
            }
            process = self._fresh(limits)
            try:
                answer = process.ask(TRY_TO_GET_OUT, values, timeout_s=_TRY_S).values
                with suppress(StrategyFailed):
                    process.ask(TRY_TO_GET_OUT, {"loop": True}, timeout_s=_LOOK_S)
            finally:
                process.close()
            through = list(answer["through"])
            if {file.name for file in Path(folder).iterdir()} != {"secret"}:
                through.append("the file system")
            if not _gone(answer["pid"]):
                through.append("an endless loop")
            if through:
                raise StorageFailed("sandbox.leaks", what=", ".join(through))
            return [str(layer) for layer in answer["layers"]]


class Process:
    """The server's end of one jailed process. Whatever fails ends it, and says why from then on."""

    def __init__(self, channel: socket.socket, line: socket.socket, most: int) -> None:
        channel.setblocking(False)
        self._channel = channel
        self._line = line
        self._incoming = Incoming(most)
        self._number = 0
        self._busy = threading.Lock()
        self._over: CambistError | None = None

    def ask(
        self,
        verb: str,
        values: Mapping[str, Any],
        arrays: Arrays | None = None,
        *,
        timeout_s: float,
        progress: Callable[[float], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Answer:
        """Return the answer to ``verb``; what it raises is said in `cambist.ports.sandbox`."""
        question = self._question(verb, values, arrays)
        end = time.monotonic() + timeout_s
        with self._alone():
            try:
                left = memoryview(question)
                while left:
                    self._wait(select.POLLOUT, end, cancelled)
                    with suppress(BlockingIOError):
                        left = left[self._channel.send(left) :]
                while (answer := self._said(progress)) is None:
                    self._wait(select.POLLIN, end, cancelled)
                    with suppress(BlockingIOError):
                        self._take(self._channel.recv(1 << 16))
            except TimeoutError:
                raise self._ended_by("sandbox.too_long", limit_s=f"{timeout_s:g}") from None
            except OSError:
                raise self._died() from None
            return answer

    async def ask_soon(
        self, verb: str, values: Mapping[str, Any], arrays: Arrays | None = None, *, timeout_s: float
    ) -> Answer:
        """Do the same without holding up the event loop."""
        question = self._question(verb, values, arrays)
        loop = asyncio.get_running_loop()
        with self._alone():
            try:
                async with asyncio.timeout(timeout_s):
                    await loop.sock_sendall(self._channel, question)
                    while (answer := self._said(None)) is None:
                        self._take(await loop.sock_recv(self._channel, 1 << 16))
            except TimeoutError:
                raise self._ended_by("sandbox.too_long", limit_s=f"{timeout_s:g}") from None
            except OSError:
                raise await asyncio.to_thread(self._died) from None
            except asyncio.CancelledError:
                self.close()  # nobody will read its answer
                raise
            return answer

    def close(self) -> None:
        """End the process, whatever it does; whoever waits for its answer is told."""
        if self._over is None:
            self._over = StrategyFailed("sandbox.closed")
        for one in (self._line, self._channel):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        if self._busy.acquire(blocking=False):
            self._let_go()
            self._busy.release()

    def _let_go(self) -> None:
        self._channel.close()
        self._line.close()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if not self._busy.acquire(blocking=False):
            raise RuntimeError("a jailed process is asked one thing at a time")
        try:
            yield
        finally:
            if self._over is not None:
                self._let_go()
            self._busy.release()

    # -- one question -------------------------------------------------------------------------------------------------

    def _question(self, verb: str, values: Mapping[str, Any], arrays: Arrays | None) -> bytes:
        if self._over is not None:
            raise self._over
        self._number += 1
        return encoded(Frame("ask", self._number, verb, dict(values), arrays or {}))

    def _wait(self, what: int, end: float, cancelled: Callable[[], bool] | None) -> None:
        poll = select.poll()
        poll.register(self._channel, what)
        while True:
            if cancelled is not None and cancelled():
                self.close()
                raise Stopped("sandbox.cancelled")
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError
            if poll.poll(1_000 * (left if cancelled is None else min(left, _LOOK_S))):
                return

    def _take(self, data: bytes) -> None:
        if not data:
            raise ConnectionResetError
        self._incoming.feed(data)

    def _said(self, progress: Callable[[float], None] | None) -> Answer | None:
        """Return the answer if it has come; raise what the process says went wrong."""
        try:
            while (frame := self._incoming.frame()) is not None:
                if frame.number != self._number and frame.kind != "failed":
                    raise Malformed("an answer to nothing")
                match frame.kind:
                    case "answer":
                        return Answer(values=frame.values, arrays=frame.arrays)
                    case "progress":
                        if progress is not None:
                            progress(min(1.0, max(0.0, float(frame.values["share"]))))
                    case "failed":
                        self._over = _error(frame)
                        self.close()
                        raise self._over
                    case _:
                        raise Malformed("no kind of message")
        except (ValueError, KeyError, TypeError):
            raise self._ended_by("sandbox.malformed") from None
        return None

    # -- how it ended -------------------------------------------------------------------------------------------------

    def _ended_by(self, key: str, **params: object) -> CambistError:
        self._over = StrategyFailed(key, **params)
        self.close()
        return self._over

    def _died(self) -> CambistError:
        """Return why the process has ended by itself, which the zygote tells."""
        if self._over is not None:
            return self._over
        self._line.settimeout(_LAST_WORD_S)
        try:
            told = json.loads(self._line.recv(1_024) or b"{}")
        except (OSError, ValueError):
            told = {}
        status = told.get("status")
        if told.get("why") == "cpu" or status == -24:
            return self._ended_by("sandbox.cpu")
        return self._ended_by("sandbox.died", how=_how(status))


def _how(status: object) -> str:
    """Return in words how a process ended: its exit code, or the signal that ended it."""
    with suppress(ValueError, TypeError):
        return signal.Signals(-status).name if status < 0 else f"exit {status}"  # type: ignore[operator]
    return "?"


def _gone(pid: int) -> bool:
    """Wait until a process that has been killed is gone, and tell whether it is."""
    end = time.monotonic() + _LAST_WORD_S
    while Path(f"/proc/{pid}").exists():
        if time.monotonic() > end:
            return False
        time.sleep(_SOON_S)
    return True


def _error(frame: Frame) -> CambistError:
    """Return the error that a jailed process tells of; of what it says nothing is taken on trust."""
    told = frame.values
    if frame.name not in ("BadInput", "StrategyFailed"):
        return StrategyFailed("sandbox.raised", error=plain(told.get("error")))
    key, params = plain(told.get("key")), plain_params(told.get("params"))
    if not sayable(key, params):
        return StrategyFailed("sandbox.raised", error=key)
    if frame.name == "BadInput":
        return BadStrategy(plain(told.get("field")), plain(told.get("value")), key, **params)
    return StrategyFailed(key, **params)


@cache
def sandbox_here(inside: str, trusted: bool = False) -> ProcessSandbox:
    """Return this process's own sandbox, which ends with it; one for each ``inside``."""
    found = ProcessSandbox(inside, trusted=trusted)
    atexit.register(found.close)
    return found
