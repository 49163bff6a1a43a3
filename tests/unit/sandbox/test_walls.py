"""The filter of calls to the kernel, judged call by call for both processors by what the kernel would do with it."""

import errno
import struct

import pytest

from cambist.adapters.sandbox.syscalls import _AARCH64 as ARM
from cambist.adapters.sandbox.syscalls import _X86_64 as INTEL
from cambist.adapters.sandbox.syscalls import ATTEMPTED_AARCH64 as ARM_ATTEMPTED
from cambist.adapters.sandbox.syscalls import ATTEMPTED_X86_64 as INTEL_ATTEMPTED
from cambist.adapters.sandbox.syscalls import NO_SUCH_CALL, Arch, arch
from cambist.adapters.sandbox.walls import filter_of

ARCHES = {
    "x86_64": Arch(0xC000003E, INTEL, INTEL_ATTEMPTED),
    "aarch64": Arch(0xC00000B7, ARM, ARM_ATTEMPTED),
}
ALLOW, KILL = "allow", "kill"
JUDGED = ("open", "openat", "fcntl", "ioctl", "prctl", "prlimit64")


def verdict(machine: Arch, number: int, *arguments: int, audit: int | None = None) -> str:
    """Return what the kernel does with a call: ``allow``, ``kill``, or the name of the error."""
    whole = [*arguments, *(0 for _ in range(6 - len(arguments)))]
    data = struct.pack("<iIQ6Q", number, machine.audit if audit is None else audit, 0, *(one % 2**64 for one in whole))
    program, at, held = filter_of(machine), 0, 0
    while True:
        code, yes, no, k = program[at]
        at += 1
        match code:
            case 0x20:
                (held,) = struct.unpack_from("<I", data, k)
            case 0x15:
                at += yes if held == k else no
            case 0x35:
                at += yes if held >= k else no
            case 0x45:
                at += yes if held & k else no
            case 0x06:
                return {0x7FFF0000: ALLOW, 0x80000000: KILL}.get(k) or errno.errorcode[k & 0xFFFF]
            case _:
                raise AssertionError(code)


@pytest.fixture(params=ARCHES)
def machine(request: pytest.FixtureRequest) -> Arch:
    return ARCHES[request.param]


def test_the_filter_is_one_that_the_kernel_takes(machine: Arch):
    program = filter_of(machine)
    assert len(program) < 4_096
    assert all(0 <= jump < 256 for _, yes, no, _ in program for jump in (yes, no))


def test_what_computing_takes_is_let_through_and_nothing_else(machine: Arch):
    plain = {number for name, number in machine.allowed.items() if name not in JUDGED}
    judged = {machine.allowed[name] for name in JUDGED if name in machine.allowed}
    for number in range(600):
        said = verdict(machine, number, 2**63 - 1, 2**63 - 1, 2**63 - 1)
        if number in plain:
            assert said == ALLOW
        elif number in NO_SUCH_CALL:
            assert said == "ENOSYS"
        else:
            assert said in ("EPERM", "EACCES") if number in judged else said == "EPERM", number


def test_no_way_out_is_among_what_is_let_through(machine: Arch):
    attempted = {number for name, number in machine.attempted.items() if name not in JUDGED}
    assert not attempted & set(machine.allowed.values())


def test_calls_of_another_processor_end_the_process(machine: Arch):
    other = next(one for one in ARCHES.values() if one.audit != machine.audit)
    assert verdict(machine, machine.allowed["read"], audit=other.audit) == KILL
    assert verdict(machine, machine.allowed["read"], audit=0x40000003) == KILL, "i386"
    assert verdict(machine, machine.allowed["read"] + 0x40000000) == KILL, "x32"


@pytest.mark.parametrize(
    ("flags", "said"),
    [(0, ALLOW), (0o2000000, ALLOW), (0o1, "EACCES"), (0o2, "EACCES"), (0o100, "EACCES"), (0o1000, "EACCES")],
)
def test_files_are_opened_for_reading_alone(machine: Arch, flags: int, said: str):
    assert verdict(machine, machine.allowed["openat"], -100, 5_000, flags) == said
    if "open" in machine.allowed:
        assert verdict(machine, machine.allowed["open"], 5_000, flags) == said


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("fcntl", (3, 1030), ALLOW),
        ("fcntl", (3, 8, 77), "EPERM"),  # F_SETOWN: whom to send signals
        ("fcntl", (3, 10, 9), "EPERM"),  # F_SETSIG
        ("fcntl", (3, 1031, 1 << 20), "EPERM"),  # F_SETPIPE_SZ
        ("ioctl", (0, 0x5401), ALLOW),
        ("ioctl", (0, 0x5412), "EPERM"),  # TIOCSTI: to type into a terminal
        ("prctl", (15, 0), ALLOW),
        ("prctl", (1, 0), "EPERM"),  # PR_SET_PDEATHSIG
        ("prctl", (22, 2), "EPERM"),  # PR_SET_SECCOMP
        ("prlimit64", (0, 7, 0, 5_000), ALLOW),
        ("prlimit64", (0, 7, 5_000, 0), "EPERM"),
        ("prlimit64", (0, 7, 1 << 32, 0), "EPERM"),
        ("prlimit64", (1, 7, 0, 5_000), "EPERM"),
    ],
)
def test_calls_of_many_uses_are_judged_by_their_arguments(
    machine: Arch, name: str, arguments: tuple[int, ...], said: str
):
    assert verdict(machine, machine.allowed[name], *arguments) == said


@pytest.mark.parametrize(
    ("system", "processor", "holds"),
    [("linux", "x86_64", True), ("linux", "aarch64", True), ("linux", "riscv64", False), ("darwin", "arm64", False)],
)
def test_it_is_known_where_there_can_be_a_jail(
    monkeypatch: pytest.MonkeyPatch, system: str, processor: str, holds: bool
):
    monkeypatch.setattr("sys.platform", system)
    monkeypatch.setattr("platform.machine", lambda: processor)
    assert (arch() is not None) is holds
