"""Ways out of the jail, each as the body of a strategy's `next`. One that comes to its end has come through.

``imp`` imports past the allow-list, which is politeness; ``SECRET`` is a file outside, ``FOLDER`` its folder, anybody's
to write; ``call`` is the kernel's own door.
"""

PREAMBLE = """
import numpy as np
import pandas as pd

def imp(name):
    module = __import__(name, {"__name__": "elsewhere"})
    for part in name.split(".")[1:]:
        module = getattr(module, part)
    return module

ctypes, os, sys, signal = imp("ctypes"), imp("os"), imp("sys"), imp("signal")
libc = ctypes.CDLL(None, use_errno=True)

def call(number, *arguments):
    if libc.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), "refused")

class Escapes(Strategy):
    def next(self):
"""

FILES = {
    "read a file": "open(SECRET).read()",
    "read /etc/passwd": "open('/etc/passwd').read()",
    "read the home folder": "os.listdir(os.path.expanduser('~root'))",
    "read the root folder": "os.listdir('/')",
    "read the folder": "os.listdir(FOLDER)",
    "read a device": "open('/dev/zero', 'rb').read(1)",
    "write a file": "open(SECRET, 'w')",
    "append to a file": "open(SECRET, 'a')",
    "make a file": "open(FOLDER + '/made', 'w')",
    "make a file here": "open('made', 'w')",
    "make a file in memory": "open('/dev/shm/made', 'w')",
    "make a file in site-packages": "open(os.path.dirname(np.__file__) + '/made', 'w')",
    "delete a file": "os.remove(SECRET)",
    "rename a file": "os.rename(SECRET, FOLDER + '/other')",
    "link to a file": "os.link(SECRET, FOLDER + '/other')",
    "symlink": "os.symlink('/etc', FOLDER + '/link')",
    "truncate a file": "os.truncate(SECRET, 0)",
    "change a file's mode": "os.chmod(SECRET, 0o777)",
    "change a file's owner": "os.chown(SECRET, 1, 1)",
    "change a file's times": "os.utime(SECRET)",
    "make a folder": "os.mkdir(FOLDER + '/sub')",
    "make a pipe": "os.mkfifo(FOLDER + '/fifo')",
    "its own memory": "open('/proc/self/mem', 'rb')",
    "its own environment": "open('/proc/self/environ').read()",
    "its own files": "os.listdir('/proc/self/fd')",
    "the parent's environment": "open(f'/proc/{os.getppid()}/environ').read()",
    "the parent's memory": "open(f'/proc/{os.getppid()}/mem', 'rb')",
    "the first process": "open('/proc/1/environ').read()",
    "an open of the kernel's": "call(2, SECRET.encode(), 0)",
    "a temporary file": "imp('tempfile').NamedTemporaryFile()",
    "a memory file": "os.memfd_create('x')",
    "a database": "imp('sqlite3').connect(FOLDER + '/db').execute('create table t (x)')",
    "a memory map": "imp('mmap').mmap(os.open(SECRET, os.O_RDWR), 0)",
    "pandas reads a file": "pd.read_csv(SECRET)",
    "pandas reads by an address": "pd.read_csv('http://127.0.0.1:9/x')",
    "pandas reads a local address": "pd.read_csv('file://' + SECRET)",
    "pandas writes a table": "pd.DataFrame({'a': [1]}).to_csv(FOLDER + '/made')",
    "pandas writes a pickle": "pd.DataFrame({'a': [1]}).to_pickle(FOLDER + '/made')",
    "pandas reads a pickle": "pd.read_pickle(SECRET)",
    "pandas asks a database": "pd.read_sql('select 1', 'sqlite:///' + FOLDER + '/db')",
    "numpy loads": "np.load(SECRET, allow_pickle=True)",
    "numpy maps": "np.memmap(SECRET, mode='r+')",
    "numpy reads": "np.fromfile(SECRET)",
    "numpy writes": "np.arange(3).tofile(FOLDER + '/made')",
    "numpy saves": "np.save(FOLDER + '/made', np.arange(3))",
    "numba's cache": "open(os.path.expanduser('~/.cache/x'), 'w')",
    "fill the disk": "[open(FOLDER + f'/{i}', 'wb').write(b'x' * 1_000_000) for i in range(100)]",
}
OTHERS = {
    "tcp": "imp('socket').socket()",
    "udp": "imp('socket').socket(type=imp('socket').SOCK_DGRAM)",
    "unix socket": "imp('socket').socket(imp('socket').AF_UNIX)",
    "raw socket": "imp('socket').socket(imp('socket').AF_INET, imp('socket').SOCK_RAW, 1)",
    "netlink": "imp('socket').socket(16, 3, 0)",
    "a pair of sockets": "imp('socket').socketpair()",
    "somebody else's socket": "[imp('socket').socket(fileno=fd).getpeername() for fd in range(4, 32)]",
    "somebody else's files": "[os.fstat(fd) for fd in range(4, 32)]",
    "a name": "imp('socket').getaddrinfo('localhost', 80)",
    "a page": "imp('urllib.request').urlopen('http://127.0.0.1:9/')",
    "a pipe": "os.pipe()",
    "fork": "os.fork()",
    "fork bomb": "while True: os.fork()",
    "vfork": "call(58)",
    "system": "assert os.system('true') == 0",
    "popen": "os.popen('true').read()",
    "subprocess": "imp('subprocess').run(['/bin/true'])",
    "spawn": "os.posix_spawn('/bin/true', ['true'], {})",
    "exec": "os.execv('/bin/true', ['true'])",
    "exec python": "os.execv(sys.executable, [sys.executable, '-c', '1'])",
    "multiprocessing": "imp('multiprocessing').Process(target=int).start()",
    "a pool": "list(imp('concurrent.futures').ThreadPoolExecutor().map(int, [1]))",
    "a thread": "imp('threading').Thread(target=int).start()",
    "thread bomb": "while True: imp('_thread').start_new_thread(int, ())",
    "an event loop": "imp('asyncio').run(imp('asyncio').sleep(0))",
    "kill the parent": "os.kill(os.getppid(), 9)",
    "kill all": "os.kill(-1, 9)",
    "kill the group": "os.killpg(os.getpgid(os.getppid()), 9)",
    "ask whether it lives": "os.kill(os.getppid(), 0)",
    "pidfd": "os.pidfd_open(os.getppid())",
    "signals by files": "imp('fcntl').fcntl(3, 8, os.getppid())",
    "a timer": "signal.setitimer(signal.ITIMER_REAL, 0.001)",
    "an alarm": "libc.alarm(1); call(37, 1)",
    "ptrace": "call(101, 16, os.getppid(), 0, 0)",
    "be traced": "call(101, 0, 0, 0, 0)",
    "another's memory": "call(310, os.getppid(), ctypes.create_string_buffer(64), 1, None, 0, 0)",
    "io_uring": "call(425, 8, ctypes.create_string_buffer(256))",
    "bpf": "call(321, 0, ctypes.create_string_buffer(64), 64)",
    "keys": "call(250, 0, -3, 0)",
    "userfaultfd": "call(323, 0)",
    "namespaces": "call(272, 0x10000000)",
    "mount": "call(165, b'none', b'/tmp', b'tmpfs', 0, None)",
    "chroot": "os.chroot('/')",
    "be root": "os.setuid(0)",
    "be another": "os.setuid(1000)",
    "a process group": "os.setpgid(0, 0)",
    "a session": "os.setsid()",
    "priority": "os.nice(-5)",
    "other processors": "os.sched_setaffinity(0, {0})",
    "higher limits": "imp('resource').setrlimit(imp('resource').RLIMIT_AS, (-1, -1))",
    "another's limits": "imp('resource').prlimit(os.getppid(), imp('resource').RLIMIT_CPU, (1, 1))",
    "dumps": "libc.prctl(4, 1, 0, 0, 0) < 0 and 1 / 0",
    "survive the parent": "libc.prctl(1, 0, 0, 0, 0) < 0 and 1 / 0",
    "another filter": "libc.prctl(22, 2, None, 0, 0) < 0 and 1 / 0",
    "shared memory": "call(29, 0, 4096, 0o1600)",
    "a message queue": "call(68, 0, 0o1600)",
    "personality": "call(135, 0x0040000)",
    "the allow-list": "import socket",
    "the allow-list by name": "__import__('os')",
}
TOO_MUCH = {
    "4 GiB": "bytearray(4 << 30)",
    "4 GiB of numbers": "np.ones(1 << 29)",
    "memory bit by bit": "x = []\nwhile True: x.append(bytearray(1 << 20))",
    "too many files": "x = [os.open(np.__file__, 0) for _ in range(1_000)]",
    "too many copies": "x = [os.dup(3) for _ in range(1_000)]",
    "recursion": "f = lambda: f()\nf()",
    "recursion in C": "x = []\nfor _ in range(1_000_000): x = [x]\nrepr(x)",
}
ENDS = {
    "exit": "sys.exit(3)",
    "leave": "os._exit(3)",
    "abort": "os.abort()",
    "interrupt": "raise KeyboardInterrupt",
    "a crash": "ctypes.string_at(0)",
    "another processor's calls": (
        "code = b'\\xb8\\x14\\x00\\x00\\x00\\xcd\\x80\\xc3'\n"
        "page = imp('mmap').mmap(-1, 4096, prot=7)\n"
        "page.write(code)\n"
        "ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()"
    ),
    "a long error": "raise ValueError('x' * 50_000_000)",
    "an error that says nothing": (
        "class Mute(Exception):\n    def __str__(self): raise RuntimeError('mute')\n    __repr__ = __str__\nraise Mute"
    ),
    "an error that is no error": "raise type('A' * 100_000, (BaseException,), {})('b')",
}
ENDLESS = {
    "a loop": "while True: pass",
    "a loop that catches all": ("while True:\n    try:\n        while True: pass\n    except BaseException: pass"),
    "a loop in C": "7 ** (10 ** 9)",
    "a loop in numpy": "a = np.random.default_rng(1).random((3_000, 3_000))\nwhile True: a @ a",
    "sleep": "imp('time').sleep(1_000)",
    "a loop without the lock": ("def f():\n    while True: pass\nimp('numba').njit(nogil=True)(f)()"),
    "a read": "os.read(3, 1)",
    "signals ignored": "[signal.signal(s, signal.SIG_IGN) for s in (2, 15, 24)]\nwhile True: pass",
    "many lines": "imp('builtins').print('x' * 10_000_000)\nwhile True: pass",
}
_ZYGOTE, _CHANNEL = "imp('cambist.adapters.sandbox.zygote')", "imp('cambist.adapters.sandbox.channel')"
LIES = {
    "noise": "os.write(3, b'x' * 100_000)",
    "a pickle": (
        "class Evil:\n    def __reduce__(self): return eval, (f\"open({FOLDER + '/made'!r}, 'w')\",)\n"
        "os.write(3, imp('pickle').dumps(Evil()))"
    ),
    "too long": "os.write(3, imp('struct').pack('!4sII', b'CmB1', 1 << 31, 1 << 31))",
    "no JSON": "os.write(3, imp('struct').pack('!4sII', b'CmB1', 4, 0) + b'{{{{')",
    "deep JSON": "os.write(3, imp('struct').pack('!4sII', b'CmB1', 90_000, 0) + b'[' * 90_000)",
    "another's answer": f"{_ZYGOTE}._say({_CHANNEL}.Frame('answer', 10**6))",
    "no kind": f"{_ZYGOTE}._say({_CHANNEL}.Frame('order', 0))",
    "no wishes": "imp('cambist.engine.jailed')._written = lambda wish: {'a': 1}\nself.buy()",
    "a wish beyond bounds": (
        "imp('cambist.engine.jailed')._written = lambda wish: ['enter', 'buy', 'quantity', '1e999999', "
        "dict.fromkeys(['limit', 'stop', 'stop_loss', 'take_profit', 'trailing_stop']), 'gtc']\nself.buy()"
    ),
    "a price of nothing": "imp('cambist.engine.jailed')._written = lambda wish: ['enter', 'buy', 'fraction', 1.0, "
    "{'limit': -1.0, 'stop': None, 'stop_loss': None, 'take_profit': None, 'trailing_stop': None}, 'gtc']\nself.buy()",
    "too many wishes": "[self.buy() for _ in range(1_000)]",
    "too long an answer": "[self.buy() for _ in range(50_000)]",
    "an unknown sentence": "raise imp('cambist.domain.errors').StrategyFailed('no.such.key', a='b')",
}


def strategy(body: str, secret: str, folder: str) -> str:
    """Return a strategy that tries ``body`` at each candle."""
    lines = "".join(f"        {line}\n" for line in body.splitlines())
    return f"SECRET, FOLDER = {secret!r}, {folder!r}\n{PREAMBLE}{lines}"
