"""The walls that a process puts around itself and cannot take down: rlimits, no privileges, Landlock, seccomp.

Each is enough against much of what the others refuse; `attempts.py` says whether they hold together. Landlock says
which files may be read (none may be written); seccomp leaves the few calls that computing takes.
"""

import ctypes
import errno
import os
import resource
import struct
import sys
import sysconfig
from pathlib import Path

from cambist.adapters.sandbox.syscalls import NO_SUCH_CALL, Arch

NOBODY = 65_534
_OPEN_FILES = 32
_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 22, 38
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT, _CAPSET = 444, 445, 446, {0xC000003E: 126, 0xC00000B7: 91}
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_CAPABILITIES_V3 = 0x20080522
_NEW_NET, _NEW_IPC, _NEW_USER = 0x40000000, 0x08000000, 0x10000000


class WallFailed(OSError):
    """A wall cannot be put up here."""


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(what: str, result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise WallFailed(number, f"{what}: {os.strerror(number)}")
    return result


def readable() -> list[str]:
    """Return the folders that a jailed process may read: Python's own, its packages, and shared libraries."""
    paths = sysconfig.get_paths()
    own = [paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    package = str(Path(__file__).parents[2])
    libraries = ["/usr/lib", "/usr/lib64", "/lib", "/lib64", "/usr/share/zoneinfo"]
    return [path for path in dict.fromkeys([*own, package, *libraries]) if Path(path).is_dir()]


def leave_the_network() -> bool:
    """Move this process into a network of its own, without any interface, where that is possible."""
    flags = _NEW_NET | _NEW_IPC | (0 if os.geteuid() == 0 else _NEW_USER)
    return int(_libc().unshare(ctypes.c_int(flags))) == 0


def can_be_nobody() -> bool:
    """Tell whether a process that gives up root could still read Python: it may lie in root's own folder."""
    if os.geteuid() != 0:
        return False
    child = os.fork()
    if child == 0:
        try:
            _become_nobody()
            for path in readable():
                os.listdir(path)  # noqa: PTH208 - it is the call that is tried
            os._exit(0)
        except BaseException:  # noqa: BLE001 - whatever it was, the answer is no
            os._exit(1)
    _, status = os.waitpid(child, 0)
    return status == 0


def _become_nobody() -> None:
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def die_with_the_parent() -> None:
    """Have this process killed when its parent ends, on Linux."""
    if sys.platform == "linux":
        _checked("pdeathsig", _libc().prctl(_PR_SET_PDEATHSIG, 9, 0, 0, 0))


def limit(memory: int, cpu_s: float) -> None:
    """Bound what the process uses: ``memory`` in bytes beyond what it holds now, ``cpu_s`` seconds (0: not here)."""
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    whole_s = int(cpu_s) + 1 if cpu_s else resource.RLIM_INFINITY
    killed_s = whole_s + 2 if cpu_s else resource.RLIM_INFINITY  # should the signal at the first limit be ignored
    resource.setrlimit(resource.RLIMIT_CPU, (whole_s, killed_s))
    for what, most in (
        (resource.RLIMIT_AS, held + memory),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
    ):
        resource.setrlimit(what, (most, most))


def enclose(arch: Arch, *, nobody: bool) -> list[str]:
    """Put up the walls around this process, for good; return what they are called. Raise `WallFailed`."""
    libc = _libc()
    if nobody:
        _become_nobody()
    capabilities = struct.pack("=6I", *(0,) * 6)
    header = struct.pack("=Ii", _CAPABILITIES_V3, 0)
    _checked("capset", libc.syscall(ctypes.c_long(_CAPSET[arch.audit]), header, capabilities))
    die_with_the_parent()  # again: a change of user forgets it
    _checked("no_new_privs", libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    layers = ["rlimits", "nobody" if nobody else "no capabilities"]
    layers.append(f"landlock {_landlock(libc)}")
    _seccomp(libc, arch)
    return [*layers, "seccomp"]


def _landlock(libc: ctypes.CDLL) -> int:
    """Forbid all files but those to be read, TCP, and signals to others; return the kernel's version of Landlock."""
    create = ctypes.c_long(_LANDLOCK_CREATE)
    abi = _checked("landlock", libc.syscall(create, None, ctypes.c_size_t(0), ctypes.c_uint(1)))
    files = (1 << 13) - 1
    for version, bit in ((2, 13), (3, 14), (5, 15)):
        if abi >= version:
            files |= 1 << bit
    words = [files] + ([3] if abi >= 4 else []) + ([3] if abi >= 6 else [])  # then TCP, then sockets and signals
    rules = struct.pack(f"={len(words)}Q", *words)
    ruleset = _checked("landlock", libc.syscall(create, rules, ctypes.c_size_t(len(rules)), ctypes.c_uint(0)))
    for path in readable():
        folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
        rule = struct.pack("=Qi", _READ_FILE | _READ_DIR, folder)
        add = ctypes.c_long(_LANDLOCK_ADD)
        _checked(path, libc.syscall(add, ctypes.c_int(ruleset), ctypes.c_uint(1), rule, ctypes.c_uint(0)))
        os.close(folder)
    restrict = ctypes.c_long(_LANDLOCK_RESTRICT)
    _checked("landlock", libc.syscall(restrict, ctypes.c_int(ruleset), ctypes.c_uint(0)))
    os.close(ruleset)
    return abi


# -- seccomp ----------------------------------------------------------------------------------------------------------

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCH = 0, 4
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_PLAIN_FCNTL = (0, 1, 2, 3, 4, 1030)
"""F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC: none that has signals sent."""
_PLAIN_IOCTL = (0x5401, 0x802C542A, 0x5450, 0x5451, 0x541B)
"""TCGETS, TCGETS2, FIONCLEX, FIOCLEX, FIONREAD."""
_PLAIN_PRCTL = (15, 16, 0x53564D41)
"""PR_SET_NAME, PR_GET_NAME, PR_SET_VMA: names of threads and of memory."""

Instruction = tuple[int, int, int, int]


def _argument(number: int, *, high: bool = False) -> Instruction:
    return (_LOAD, 0, 0, 16 + 8 * number + (4 if high else 0))  # both processors put the low half first


def _refuse(error: int) -> Instruction:
    return (_RETURN, 0, 0, _REFUSE | error)


def _one_of(argument: int, values: tuple[int, ...]) -> list[Instruction]:
    """Return what allows a call whose argument is one of ``values``, and refuses any other."""
    tests = [(_EQUAL, len(values) - i, 0, value) for i, value in enumerate(values)]
    return [_argument(argument), *tests, _refuse(errno.EPERM), (_RETURN, 0, 0, _ALLOW)]


def _reading_only(argument: int) -> list[Instruction]:
    return [_argument(argument), (_ANY_BIT, 0, 1, _WRITES), _refuse(errno.EACCES), (_RETURN, 0, 0, _ALLOW)]


def _asking_own_limits() -> list[Instruction]:
    """Return what allows prlimit64(0, ..., NULL, ...)."""
    zeros: list[Instruction] = []
    for argument, high in ((0, False), (2, False), (2, True)):
        zeros += [_argument(argument, high=high), (_EQUAL, 1, 0, 0), _refuse(errno.EPERM)]
    return [*zeros, (_RETURN, 0, 0, _ALLOW)]


def _judged(name: str) -> list[Instruction]:
    match name:
        case "open":
            return _reading_only(1)
        case "openat":
            return _reading_only(2)
        case "fcntl":
            return _one_of(1, _PLAIN_FCNTL)
        case "ioctl":
            return _one_of(1, _PLAIN_IOCTL)
        case "prctl":
            return _one_of(0, _PLAIN_PRCTL)
        case "prlimit64":
            return _asking_own_limits()
        case _:
            return [(_RETURN, 0, 0, _ALLOW)]


def filter_of(arch: Arch) -> list[Instruction]:
    """Return the filter: calls of another processor's table end the process, unknown ones are refused."""
    program: list[Instruction] = [
        (_LOAD, 0, 0, _ARCH),
        (_EQUAL, 1, 0, arch.audit),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, 0x40000000),  # x32's numbers
        (_RETURN, 0, 0, _KILL),
    ]
    for name, number in arch.allowed.items():
        body = _judged(name)
        program += [(_EQUAL, 0, len(body), number), *body]
    for number in NO_SUCH_CALL:
        program += [(_EQUAL, 0, 1, number), _refuse(errno.ENOSYS)]
    return [*program, _refuse(errno.EPERM)]


class _Instruction(ctypes.Structure):
    _fields_ = (("code", ctypes.c_ushort), ("yes", ctypes.c_ubyte), ("no", ctypes.c_ubyte), ("k", ctypes.c_uint))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.POINTER(_Instruction)))


def _seccomp(libc: ctypes.CDLL, arch: Arch) -> None:
    program = filter_of(arch)
    lines = (_Instruction * len(program))(*(_Instruction(*line) for line in program))
    whole = _Program(len(program), lines)
    _checked("seccomp", libc.prctl(_PR_SET_SECCOMP, 2, ctypes.byref(whole), 0, 0))
