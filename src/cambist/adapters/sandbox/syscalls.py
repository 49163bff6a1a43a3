"""What a jailed process may ask of the kernel: the few calls that computing takes. Everything else is refused.

Numbers are those of Linux (``arch/x86/entry/syscalls/syscall_64.tbl``, ``include/uapi/asm-generic/unistd.h``). What is
not here includes: processes and threads (clone, fork, execve), sockets, pipes and shared memory, signals to anybody,
ptrace and process_vm_*, io_uring, memfd, bpf, keys, namespaces, mounts, timers, and whatever changes a file.
"""

import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass

_X86_64 = {
    "read": 0, "write": 1, "open": 2, "close": 3, "stat": 4, "fstat": 5, "lstat": 6, "poll": 7, "lseek": 8, "mmap": 9,
    "mprotect": 10, "munmap": 11, "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "ioctl": 16,
    "pread64": 17, "readv": 19, "writev": 20, "access": 21, "sched_yield": 24, "mremap": 25, "madvise": 28, "dup": 32,
    "nanosleep": 35, "getpid": 39, "exit": 60, "uname": 63, "fcntl": 72, "getcwd": 79, "readlink": 89,
    "gettimeofday": 96, "getrlimit": 97, "getrusage": 98, "sysinfo": 99, "times": 100, "getuid": 102, "getgid": 104,
    "geteuid": 107, "getegid": 108, "getppid": 110, "sigaltstack": 131, "prctl": 157, "gettid": 186, "time": 201,
    "futex": 202, "sched_getaffinity": 204, "getdents64": 217, "restart_syscall": 219, "clock_gettime": 228,
    "clock_getres": 229, "clock_nanosleep": 230, "exit_group": 231, "openat": 257, "newfstatat": 262,
    "readlinkat": 267, "faccessat": 269, "ppoll": 271, "set_robust_list": 273, "prlimit64": 302, "getrandom": 318,
    "statx": 332, "rseq": 334, "close_range": 436, "faccessat2": 439,
}  # fmt: skip
_AARCH64 = {
    "read": 63, "write": 64, "close": 57, "fstat": 80, "lseek": 62, "mmap": 222, "mprotect": 226, "munmap": 215,
    "brk": 214, "rt_sigaction": 134, "rt_sigprocmask": 135, "rt_sigreturn": 139, "ioctl": 29, "pread64": 67,
    "readv": 65, "writev": 66, "sched_yield": 124, "mremap": 216, "madvise": 233, "dup": 23, "nanosleep": 101,
    "getpid": 172, "exit": 93, "uname": 160, "fcntl": 25, "getcwd": 17, "gettimeofday": 169, "getrlimit": 163,
    "getrusage": 165, "sysinfo": 179, "times": 153, "getuid": 174, "getgid": 176, "geteuid": 175, "getegid": 177,
    "getppid": 173, "sigaltstack": 132, "prctl": 167, "gettid": 178, "futex": 98, "sched_getaffinity": 123,
    "getdents64": 61, "restart_syscall": 128, "clock_gettime": 113, "clock_getres": 114, "clock_nanosleep": 115,
    "exit_group": 94, "openat": 56, "newfstatat": 79, "readlinkat": 78, "faccessat": 48, "ppoll": 73,
    "set_robust_list": 99, "prlimit64": 261, "getrandom": 278, "statx": 291, "rseq": 293, "close_range": 436,
    "faccessat2": 439,
}  # fmt: skip

NO_SUCH_CALL = (435, 437)
"""clone3 and openat2, which libraries try first: told that there are none they fall back to what can be judged."""

ATTEMPTED_X86_64 = {
    "socket": 41, "socketpair": 53, "fork": 57, "clone": 56, "execve": 59, "kill": 62, "shmget": 29,
    "msgget": 68, "ptrace": 101, "prctl": 157, "unlinkat": 263, "mkdirat": 258, "tgkill": 234, "mount": 165,
    "keyctl": 250,
    "unshare": 272, "perf_event_open": 298, "open_by_handle_at": 304, "prlimit64": 302, "process_vm_readv": 310,
    "memfd_create": 319, "bpf": 321, "execveat": 322, "userfaultfd": 323, "pidfd_send_signal": 424,
    "io_uring_setup": 425, "pidfd_open": 434, "clone3": 435, "pipe2": 293, "timer_create": 222, "personality": 135,
}  # fmt: skip
ATTEMPTED_AARCH64 = {
    "socket": 198, "socketpair": 199, "clone": 220, "execve": 221, "kill": 129, "shmget": 194, "msgget": 186,
    "ptrace": 117, "prctl": 167, "unlinkat": 35, "mkdirat": 34, "tgkill": 131, "mount": 40, "keyctl": 219,
    "unshare": 97,
    "perf_event_open": 241, "open_by_handle_at": 265, "prlimit64": 261, "process_vm_readv": 270, "memfd_create": 279,
    "bpf": 280, "execveat": 281, "userfaultfd": 282, "pidfd_send_signal": 424, "io_uring_setup": 425,
    "pidfd_open": 434, "clone3": 435, "pipe2": 59, "timer_create": 107, "personality": 92,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Arch:
    """One processor's calls."""

    audit: int
    """How the kernel names it to a filter."""
    allowed: Mapping[str, int]
    attempted: Mapping[str, int]
    """What the self-test tries and must be refused."""


def arch() -> Arch | None:
    """Return the calls of this machine; None where no jail can be put on."""
    if not sys.platform.startswith("linux") or sys.maxsize < 2**32:
        return None
    match platform.machine():
        case "x86_64":
            return Arch(0xC000003E, _X86_64, ATTEMPTED_X86_64)
        case "aarch64" | "arm64":
            return Arch(0xC00000B7, _AARCH64, ATTEMPTED_AARCH64)
        case _:
            return None
