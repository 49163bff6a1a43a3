"""The self-test: inside a jailed process each way out is tried in earnest, past Python, by the kernel's own calls."""

import ctypes
import errno
import mmap
import os
import resource
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from cambist.adapters.sandbox.syscalls import Arch, arch

_AT_FDCWD = -100


def made(values: Mapping[str, Any]) -> dict[str, Any]:
    """Try everything; return what came through, and the number of this process.

    ``values``: ``secret``, a file that must not be read; ``folder``, where nothing may be written; ``memory``, what
    must not be had (bytes); ``parent``, a process to leave alone. Or ``loop``: never come back.
    """
    while values.get("loop"):
        pass
    known = arch()
    attempts = _files(str(values["secret"]), str(values["folder"]), int(values["parent"]))
    attempts["memory"] = lambda: mmap.mmap(-1, int(values["memory"]))
    attempts["limits"] = lambda: resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
    if known is not None:
        attempts |= _calls(known, int(values["parent"]))
    return {"through": [name for name, attempt in attempts.items() if _through(attempt)], "pid": os.getpid()}


def _through(attempt: Callable[[], Any]) -> bool:
    try:
        attempt()
    except (OSError, MemoryError, ValueError, OverflowError):
        return False
    return True


def _files(secret: str, folder: str, parent: int) -> dict[str, Callable[[], Any]]:
    read = {
        "a file": secret,
        "/etc/passwd": "/etc/passwd",
        "home": "~",
        "the server's environment": f"/proc/{parent}/environ",
        "the server's memory": f"/proc/{parent}/mem",
        "its own memory": "/proc/self/mem",
        "devices": "/dev/zero",
    }
    attempts: dict[str, Callable[[], Any]] = {
        f"reading {name}": lambda path=path: _opened(path, os.O_RDONLY)  # type: ignore[misc]
        for name, path in read.items()
    }
    made = {"a file": f"{folder}/made", "a file in /tmp": "/tmp/cambist", "a file in memory": "/dev/shm/cambist"}
    for name, path in made.items():
        attempts[f"writing {name}"] = lambda path=path: _opened(path, os.O_WRONLY | os.O_CREAT)  # type: ignore[misc]
    attempts["changing a file"] = lambda: _opened(secret, os.O_RDWR)
    attempts["deleting a file"] = lambda: os.unlink(secret)  # noqa: PTH108
    attempts["listing a folder"] = lambda: os.listdir(folder)  # noqa: PTH208
    attempts["making a folder"] = lambda: os.mkdir(f"{folder}/sub")  # noqa: PTH102
    attempts["linking"] = lambda: os.symlink("/etc", f"{folder}/link")  # noqa: PTH211
    return attempts


def _opened(path: str, flags: int) -> None:
    os.close(os.open(os.path.expanduser(path), flags, 0o600))  # noqa: PTH111


def _calls(known: Arch, parent: int) -> dict[str, Callable[[], Any]]:
    libc = ctypes.CDLL(None, use_errno=True)
    numbers = known.attempted
    buffer = ctypes.create_string_buffer(4_096)

    def call(name: str, *arguments: Any) -> Callable[[], None]:
        def attempt() -> None:
            whole = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
            result = libc.syscall(ctypes.c_long(numbers[name]), *whole)
            if name in ("fork", "clone", "clone3") and result == 0:
                os._exit(0)  # it is the child that came to be
            if result < 0:
                number = ctypes.get_errno()
                if number in (errno.EPERM, errno.ENOSYS, errno.EACCES):
                    raise PermissionError(number, name)
                # anything else is the kernel's own word on an argument: the call itself was let through

        return attempt

    # what these would do if they came through harms nobody: signal 0, no such program, nothing to mount
    program = b"/nonexistent/program"
    tried: dict[str, tuple[Any, ...]] = {
        "socket": (2, 1, 0),
        "socketpair": (1, 1, 0, buffer),
        "pipe2": (buffer, 0),
        "kill": (parent, 0),
        "tgkill": (parent, parent, 0),
        "pidfd_open": (parent, 0),
        "pidfd_send_signal": (3, 0, 0, 0),
        "ptrace": (2, parent, 0, 0),
        "process_vm_readv": (parent, buffer, 1, buffer, 1, 0),
        "prctl": (4, 1, 0, 0, 0),
        "prlimit64": (parent, 7, 0, buffer),
        "io_uring_setup": (8, buffer),
        "memfd_create": (b"m", 0),
        "shmget": (0, 4_096, 0o1600),
        "msgget": (0, 0o1600),
        "bpf": (0, buffer, 48),
        "userfaultfd": (0,),
        "keyctl": (0, -3, 0),
        "perf_event_open": (buffer, 0, -1, -1, 0),
        "unshare": (0x10000000,),
        "mount": (0, 0, 0, 0, 0),
        "open_by_handle_at": (_AT_FDCWD, buffer, 0),
        "unlinkat": (_AT_FDCWD, program, 0),
        "mkdirat": (_AT_FDCWD, program, 0),
        "timer_create": (0, 0, buffer),
        "personality": (0xFFFFFFFF,),
        "fork": (),
        "clone3": (buffer, 88),
        "execveat": (_AT_FDCWD, program, 0, 0, 0),
        "execve": (program, 0, 0),
    }
    attempts = {f"the call {name}": call(name, *arguments) for name, arguments in tried.items() if name in numbers}
    attempts["a process"] = call("clone", 17, 0, 0, 0, 0)
    attempts["a thread"] = _thread
    return attempts


def _thread() -> None:
    import threading

    with suppress(RuntimeError):
        one = threading.Thread(target=int)
        one.start()
        one.join()
        return
    raise PermissionError(errno.EPERM, "a thread")
