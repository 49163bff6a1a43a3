"""`open_lease`: who may write, decided by the database's server, or by a locked file beside a SQLite database."""

import os
import sys
import weakref
from collections.abc import Iterable
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from cambist.adapters.storage.database import address_of, obeying
from cambist.ports.book import Lease

if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


_PATIENCE_S = 10
"""A server that is silent for so long is lost. Then the lease may be another's: the engine must not go on as holder."""


def open_lease(database_url: str) -> Lease:
    """Return the leases of the database at ``database_url``; raise `BadInput` if that names no database."""
    address = address_of(database_url)
    if address.get_backend_name() == "sqlite":
        return FileLease(Path(address.database or ""))
    return PostgresLease(address)


class FileLease:
    """The port `Lease` between processes of one machine: a locked file for each name, ``DATABASE.lease-HASH``.

    The operating system frees the lock when its holder ends, however it ends. The files stay: they are empty.
    """

    def __init__(self, database: Path) -> None:
        self._database = database
        self._files: dict[str, int] = {}
        _holders.add(self)

    def take(self, name: str) -> bool:
        """Try to take the lease ``name``; True if it is now (or already) ours. Raises `StorageFailed`."""
        if self.held(name):
            return True
        with obeying():
            path = self._path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
            self._files[name] = descriptor
            if _try_lock(descriptor) and self.held(name):
                return True
            self.give_back([name])
            return False

    def held(self, name: str) -> bool:
        """Tell whether it is still ours: if somebody removed the file, another can lock a new one."""
        descriptor = self._files.get(name)
        if descriptor is None:
            return False
        try:
            there = self._path(name).stat()
        except OSError:
            there = None
        ours = os.fstat(descriptor)
        if there is not None and (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino):
            return True
        self.give_back([name])
        return False

    def give_back(self, names: Iterable[str] | None = None) -> None:
        """Give back some leases, or all."""
        for name in list(self._files if names is None else names):
            descriptor = self._files.pop(name, None)
            if descriptor is not None:
                os.close(descriptor)

    def let_go(self) -> None:
        """Let go of what a forked child has inherited, which leaves the parent's locks alone."""
        self.give_back()

    def _path(self, name: str) -> Path:
        return self._database.with_name(f"{self._database.name}.lease-{_digest(name).hex()}")


class PostgresLease:
    """The port `Lease` between all clients of a server: advisory locks, held by one connection kept for them."""

    def __init__(self, address: sa.URL) -> None:
        # the operating system tells of a server that has gone silent, rather than let `held` wait for it
        patience: dict[str, Any] = {
            "connect_timeout": _PATIENCE_S,
            "keepalives_idle": _PATIENCE_S // 2,
            "keepalives_interval": 1,
            "keepalives_count": _PATIENCE_S // 2,
            "tcp_user_timeout": _PATIENCE_S * 1000,
        }
        self._engine = sa.create_engine(
            address, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT", connect_args=patience
        )
        self._connection: sa.Connection | None = None
        self._names: set[str] = set()
        _holders.add(self)

    def take(self, name: str) -> bool:
        """Try to take the lease ``name``; True if it is now (or already) ours. Raises `StorageFailed`."""
        if self.held(name):
            return True
        with obeying():
            try:
                if self._connection is None:
                    self._connection = self._engine.connect()
                taken = bool(self._connection.scalar(sa.select(sa.func.pg_try_advisory_lock(_key(name)))))
            except sa.exc.SQLAlchemyError:
                self._drop()
                raise
        if taken:
            self._names.add(name)
        return taken

    def held(self, name: str) -> bool:
        """Tell whether it is still ours: one question to the server over the connection that holds it."""
        if name not in self._names or self._connection is None:
            return False
        try:
            self._connection.scalar(sa.select(1))
        except sa.exc.SQLAlchemyError:
            self._drop()
            return False
        return True

    def give_back(self, names: Iterable[str] | None = None) -> None:
        """Give back some leases, or all."""
        gone = self._names & set(self._names if names is None else names)
        self._names -= gone
        try:
            for name in gone:
                if self._connection is not None:
                    self._connection.scalar(sa.select(sa.func.pg_advisory_unlock(_key(name))))
        except sa.exc.SQLAlchemyError:  # they went with the connection
            self._drop()
        if not self._names:
            self._drop()

    def let_go(self) -> None:
        """Let go of what a forked child has inherited, without a word to the server, which talks with the parent."""
        if self._connection is not None:
            import psycopg

            nowhere = os.open(os.devnull, os.O_RDWR)
            with suppress(sa.exc.SQLAlchemyError, psycopg.Error):  # it is closed already
                server: Any = self._connection.connection.driver_connection
                os.dup2(nowhere, server.fileno(), inheritable=False)
            os.close(nowhere)
        self._names.clear()

    def _drop(self) -> None:
        """Forget the connection, and with it all leases; the next `take` makes a new one."""
        connection, self._connection = self._connection, None
        self._names.clear()
        if connection is not None:
            with suppress(sa.exc.SQLAlchemyError):
                connection.close()


_holders: weakref.WeakSet[FileLease | PostgresLease] = weakref.WeakSet()


def _let_go() -> None:
    for holder in list(_holders):
        holder.let_go()


if hasattr(os, "register_at_fork"):
    # A forked child has the parent's locks open too: it would keep them after the parent's death, and nobody take over.
    os.register_at_fork(after_in_child=_let_go)


def _digest(name: str) -> bytes:
    return blake2b(name.encode(), digest_size=8).digest()


def _key(name: str) -> int:
    return int.from_bytes(_digest(f"cambist:{name}"), "big", signed=True)
