"""The zygote: a process with everything imported, of which each jailed process is a copy, ready in some milliseconds.

It is started with an empty environment and reaches nothing of the server but the socket given to it. Over that come
requests for a child, each with two sockets: the child's channel, and one that stays here. When the server closes the
latter, or dies, the child is killed; when the child ends, how it did is told there. Only the zygote kills: it is the
parent, so that a number can not meanwhile be another process's.
"""

import gc
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

from cambist.adapters.sandbox import attempts, walls
from cambist.adapters.sandbox.channel import REQUEST, TRY_TO_GET_OUT, Arrays, Frame, Incoming, encoded
from cambist.adapters.sandbox.syscalls import Arch, arch
from cambist.domain.errors import BadInput, CambistError

_CHANNEL = 3
_LONGEST_QUESTION = 1 << 30
_LONGEST_WORD = 500
_LOOK_S = 0.5
_TICKS = os.sysconf("SC_CLK_TCK")


class Inside(Protocol):
    """The module that does the work."""

    def prepare(self) -> None:
        """Import and compile what is needed."""
        ...

    def handle(
        self, verb: str, values: dict[str, Any], arrays: Arrays, progress: Callable[[float], None]
    ) -> tuple[Mapping[str, Any], Arrays]:
        """Answer one question."""
        ...


@dataclass(slots=True)
class _Child:
    pid: int
    line: socket.socket
    cpu_s: float
    cpu_share: float
    born: float
    why: str = ""


class Zygote:
    """Serves requests from ``control`` until it is closed at the other end."""

    def __init__(self, control: socket.socket, inside: Inside) -> None:
        self._control = control
        self._inside = inside
        self._children: dict[int, _Child] = {}
        self._arch = arch()
        self._nobody = self._arch is not None and walls.can_be_nobody()

    def run(self) -> None:
        """Serve, and leave no child behind."""
        woken, wake = socket.socketpair()
        wake.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        try:
            while True:
                poll = select.poll()
                for one in (self._control, woken, *(child.line for child in self._children.values())):
                    poll.register(one, select.POLLIN)
                ready = {fd for fd, _ in poll.poll(_LOOK_S * 1_000 if self._children else None)}
                if woken.fileno() in ready:
                    woken.recv(4_096)
                for child in self._children.values():
                    if child.line.fileno() in ready:  # nothing is ever said there: it was closed
                        os.kill(child.pid, signal.SIGKILL)
                self._reap()
                self._look_at_the_time()
                if self._control.fileno() in ready and not self._born():
                    return
        finally:
            for child in self._children.values():
                os.kill(child.pid, signal.SIGKILL)

    def _born(self) -> bool:
        request, fds, _, _ = socket.recv_fds(self._control, REQUEST.size, 2)
        if len(request) < REQUEST.size:
            return False
        memory, cpu_s, cpu_share, walled = REQUEST.unpack(request)
        channel, line = fds
        pid = os.fork()
        if pid == 0:
            self._be_a_child(channel, memory, 0.0 if cpu_share else cpu_s, self._arch if walled else None)
        os.close(channel)
        self._children[pid] = _Child(pid, socket.socket(fileno=line), cpu_s, cpu_share, time.monotonic())
        return True

    def _be_a_child(self, channel: int, memory: int, cpu_s: float, arch: Arch | None) -> None:
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGXCPU, signal.SIG_DFL)
            os.setpgid(0, 0)
            os.dup2(channel, _CHANNEL)
            os.closerange(_CHANNEL + 1, 65_536)
            os.chdir("/")
            layers = ["process"]
            walls.die_with_the_parent()
            if arch is not None:
                walls.limit(memory, cpu_s)
                layers = walls.enclose(arch, nobody=self._nobody)
            _serve(self._inside, layers)
        except BaseException as error:  # noqa: BLE001 - a copy of the zygote must never go on as one
            with suppress(BaseException):
                _say(Frame("failed", 0, "died", {"error": _short(error)}))
        finally:
            os._exit(70)

    def _reap(self) -> None:
        for pid, child in list(self._children.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended and not os.WIFSTOPPED(status):  # stopped: one without walls had itself traced
                del self._children[pid]
                told = {"status": os.waitstatus_to_exitcode(status), "why": child.why}
                with suppress(OSError):
                    child.line.send(json.dumps(told).encode())
                child.line.close()

    def _look_at_the_time(self) -> None:
        """End children that have computed for longer than their share."""
        for child in self._children.values():
            if child.cpu_share and not child.why:
                allowed = child.cpu_s + child.cpu_share * (time.monotonic() - child.born)
                if _cpu_s(child.pid) > allowed:
                    child.why = "cpu"
                    os.kill(child.pid, signal.SIGKILL)


def _cpu_s(pid: int) -> float:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 - at each look at each child
            fields = file.read().rpartition(b")")[2].split()
    except OSError:  # gone, or no Linux
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS


# -- inside a child ---------------------------------------------------------------------------------------------------


def _serve(inside: Inside, layers: list[str]) -> None:
    """Answer questions until the channel is closed."""
    incoming = Incoming(_LONGEST_QUESTION)
    while True:
        while (asked := incoming.frame()) is None:
            data = os.read(_CHANNEL, 1 << 16)
            if not data:
                return
            incoming.feed(data)
        try:
            if asked.name == TRY_TO_GET_OUT:
                answer: tuple[Mapping[str, Any], Arrays] = {"layers": layers, **attempts.made(asked.values)}, {}
            else:
                answer = inside.handle(asked.name, asked.values, asked.arrays, _progress(asked.number))
            _say(Frame("answer", asked.number, "", dict(answer[0]), answer[1]))
        except BaseException as error:  # noqa: BLE001 - whatever other people's code raises is told
            _say(_failed(asked.number, error))


def _progress(number: int) -> Callable[[float], None]:
    return lambda share: _say(Frame("progress", number, "", {"share": float(share)}))


def _failed(number: int, error: BaseException) -> Frame:
    if isinstance(error, CambistError):
        name = "BadInput" if isinstance(error, BadInput) else "StrategyFailed"
        told = {key: _short(value) for key, value in error.params.items()}
        values: dict[str, Any] = {"key": error.key, "params": told}
        if isinstance(error, BadInput):
            values |= {"field": _short(error.field), "value": _short(error.value)}
        return Frame("failed", number, name, values)
    return Frame("failed", number, "died", {"error": _short(error)})


def _short(value: object) -> str:
    """Return what ``value`` says of itself, which may be anything, or nothing at all."""
    try:
        text = f"{type(value).__name__}: {value}" if isinstance(value, BaseException) else str(value)
        return str.__str__(text)[:_LONGEST_WORD]
    except BaseException:  # noqa: BLE001 - it is other people's __str__
        return type(value).__name__[:_LONGEST_WORD]


def _say(frame: Frame) -> None:
    said = memoryview(encoded(frame))
    while said:
        said = said[os.write(_CHANNEL, said) :]


def main() -> None:
    """Be the zygote: the socket and the module that works are named on the command line."""
    control = socket.socket(fileno=int(sys.argv[1]))
    sys.modules["pyarrow"] = None  # type: ignore[assignment] # pandas would load it, and it starts threads
    try:
        inside: Any = import_module(sys.argv[2])
        inside.prepare()
        zygote = Zygote(control, inside)
        network = walls.leave_the_network()
        told: dict[str, Any] = {"ready": True, "network": network}
    except Exception as error:  # noqa: BLE001 - told to who started it
        control.send(json.dumps({"ready": False, "why": _short(error)}).encode())
        return
    gc.collect()
    gc.freeze()  # what is here now is never garbage: its pages stay shared with the children
    control.send(json.dumps(told).encode())
    zygote.run()


if __name__ == "__main__":
    main()
