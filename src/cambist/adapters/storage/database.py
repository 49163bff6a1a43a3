"""The database behind a URL, opened with its schema current: SQLite in a file, PostgreSQL when users outgrow it."""

import atexit
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache, lru_cache, partial
from math import inf
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from cambist.adapters.storage.tables import HEAD
from cambist.domain.errors import BadInput, StorageFailed

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

_DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
_PATIENCE_S = 30.0
"""How long one process waits for another that is writing."""
_MOST_OPEN = 8
"""SQLite files of one process whose connections are kept."""
_SURE_S = 0.1
"""For so long after its use a connection to a server is taken to be up: to ask each time is half of what asking for a
row costs."""
_open: dict[sa.URL, sa.Engine] = {}
_opening = Lock()
_MIGRATION_LOCK = 0x63616D62  # "camb": PostgreSQL's advisory locks are named by a number


def open_database(url: str) -> sa.Engine:
    """Return an engine on the database at ``url`` whose tables stand at `HEAD`, migrated if need be.

    A SQLite file and its folder are made if absent. Safe when several processes open the same database at once.
    Raises `BadInput` for a URL that names no database that Cambist knows, and `StorageFailed` if the database cannot
    be used, because a newer Cambist wrote it among other reasons.
    """
    engine = _engine(url)
    with obeying():
        with engine.connect() as connection:
            current = _revision(connection) == HEAD
        if not current:
            _migrate(engine)
    return engine


@contextmanager
def obeying(but: type[sa.exc.SQLAlchemyError] | tuple[()] = ()) -> Iterator[None]:
    """Turn whatever the database or its folder refuse, ``but`` excepted, into `StorageFailed` with their own words."""
    try:
        yield
    except but:
        raise
    except sa.exc.SQLAlchemyError as error:
        raise StorageFailed("database.failed", why=getattr(error, "orig", None) or error) from error
    except (OSError, sqlite3.Error) as error:
        raise StorageFailed("database.failed", why=error) from error


def insert_into(engine: sa.Engine, table: sa.Table) -> "postgresql.Insert | sqlite.Insert":
    """Return an insert that can say ``on_conflict_...``: both databases can, each by a class of its own."""
    # a dialect takes long to import, that of PostgreSQL most of all
    if engine.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table)


def writing(engine: sa.Engine) -> sa.Engine:
    """Return ``engine`` for transactions that will write.

    SQLite then waits for another writer when they begin. Those that read first and write later it would refuse
    instead, if another has written in between.
    """
    return engine if engine.dialect.name != "sqlite" else _writing(engine)


@lru_cache(maxsize=2 * _MOST_OPEN)
def _writing(engine: sa.Engine) -> sa.Engine:
    writer = engine.execution_options()
    sa.event.listen(writer, "begin", _begin_immediate)
    return writer


@lru_cache(maxsize=2 * _MOST_OPEN)
def reading(engine: sa.Engine) -> sa.Engine:
    """Return ``engine`` for single questions: PostgreSQL is not told of a transaction before and after each."""
    # SQLite is told within the process
    return engine if engine.dialect.name == "sqlite" else engine.execution_options(isolation_level="AUTOCOMMIT")


def rows_of(engine: sa.Engine, query: sa.Select[Any], **given: object) -> list[dict[str, Any]]:
    """Return the rows of ``query`` by column, its parameters ``given``.

    A query that is written once, with parameters, costs a third of one that is composed anew each time. Raises
    `StorageFailed`.
    """
    with obeying():
        try:
            return _rows(engine, query, given)
        except sa.exc.DBAPIError as error:
            if not error.connection_invalidated:
                raise
            return _rows(engine, query, given)  # the server was restarted a moment ago


def _rows(engine: sa.Engine, query: sa.Select[Any], given: Mapping[str, object]) -> list[dict[str, Any]]:
    with reading(engine).connect() as connection:
        found = connection.execute(query, given)
        names = tuple(found.keys())
        return [dict(zip(names, row, strict=True)) for row in found]


def address_of(url: str) -> sa.URL:
    """Return ``url`` with the driver that is used for it; raise `BadInput` if it names no database that is known."""
    try:
        address = sa.make_url(url)
    except sa.exc.ArgumentError:
        # the URL may hold a password: name no more of it than its beginning
        raise BadInput("DATABASE_URL", url.partition(":")[0], "database.url") from None
    driver = _DRIVERS.get(address.get_backend_name())
    # a SQLite database in memory would be gone with its first connection
    if driver is None or (driver == "sqlite" and address.database in (None, "", ":memory:")):
        raise BadInput("DATABASE_URL", address.render_as_string(hide_password=True), "database.url")
    return address.set(drivername=driver)


def _engine(url: str) -> sa.Engine:
    address = address_of(url)
    if address.get_backend_name() == "sqlite":
        return _sqlite(address)
    return _postgresql(address)


@cache
def _postgresql(address: sa.URL) -> sa.Engine:
    """Return the process's one engine on ``address``: all who use that database share its connections."""
    try:
        # How many may connect is for the server to say: a journal keeps its connection for good, and must not have
        # others wait for one.
        engine = sa.create_engine(address, max_overflow=-1, pool_use_lifo=True, skip_autocommit_rollback=True)
    except ModuleNotFoundError as error:
        raise StorageFailed("database.driver_missing", driver=error.name) from error
    sa.event.listen(engine, "checkin", _put_back)
    sa.event.listen(engine, "checkout", partial(_still_up, engine))
    atexit.register(engine.dispose)
    return engine


def _put_back(_connection: object, record: sa.pool.ConnectionPoolEntry) -> None:
    record.info["used_s"] = time.monotonic()


def _still_up(engine: sa.Engine, connection: Any, record: sa.pool.ConnectionPoolEntry, _proxy: object) -> None:
    """Open a connection anew that has ended while it was not used: a server that was restarted is not an error."""
    if time.monotonic() - record.info.get("used_s", -inf) > _SURE_S:
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise sa.exc.DisconnectionError from error


def _sqlite(address: sa.URL) -> sa.Engine:
    file = Path(address.database or "")
    with obeying():
        file.parent.mkdir(parents=True, exist_ok=True)
    return _sqlite_engine(address, file)


def _sqlite_engine(address: sa.URL, file: Path) -> sa.Engine:
    """Return the process's engine on ``file``.

    An engine remembers how statements are written, and keeps a few connections open: to open one and read the schema
    costs a millisecond, several times what a question costs, and an API is asked hundreds of them a second by stores
    of many people.
    """
    with _opening:
        engine = _open.pop(address, None)
        if engine is None:
            # a connection is guarded by the pool, not by the thread that opened it
            arguments = {"timeout": _PATIENCE_S, "check_same_thread": False}
            engine = sa.create_engine(address, poolclass=sa.QueuePool, max_overflow=-1, connect_args=arguments)
            sa.event.listen(engine, "connect", partial(_prepare_sqlite, file))
            sa.event.listen(engine, "checkout", partial(_still_there, file))
            # an event would do it too, at half again of what a query costs
            engine.dialect.do_begin = _begin_sqlite  # type: ignore[method-assign]
        _open[address] = engine
        while len(_open) > _MOST_OPEN:
            _open.pop(next(iter(_open))).dispose()
    return engine


def _close_all() -> None:
    while _open:
        _open.popitem()[1].dispose()


atexit.register(_close_all)


def _still_there(file: Path, _connection: object, record: sa.pool.ConnectionPoolEntry, _proxy: object) -> None:
    """Open the file anew if it is another one now: restored, or deleted and begun again."""
    if record.info.get("file") != _identity(file):
        raise sa.exc.DisconnectionError


def _identity(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _prepare_sqlite(file: Path, connection: sqlite3.Connection, record: sa.pool.ConnectionPoolEntry) -> None:
    # Python's sqlite3 begins transactions late and around some statements only; `_begin_sqlite` does it instead.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    # What is committed is on the disk: an order that was journaled survives a power cut. NORMAL would save 0.4 ms of
    # an append, 1.9 ms at p99, and lose the last commits.
    connection.execute("PRAGMA synchronous = FULL")
    # WAL lets readers read while one writes. It is kept in the file, so this is a question except on a new one.
    if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        _switch_to_wal(connection)
    record.info["file"] = _identity(file)


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Switch a new file to WAL, waiting for others who do the same: SQLite itself does not wait here."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _begin_sqlite(dbapi_connection: Any) -> None:
    if not dbapi_connection.in_transaction:  # a writer has begun already
        dbapi_connection.execute("BEGIN")


def _begin_immediate(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _revision(connection: sa.Connection) -> str | None:
    """Return the revision at which the database stands; None if it is empty."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return revision


def _migrate(engine: sa.Engine) -> None:
    """Bring the tables to `HEAD`, all of it or nothing, while other processes wait."""
    # Alembic takes longer to import than a current database to open.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", "cambist.adapters.storage:migrations")
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    with writing(engine).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
        revision = _revision(connection)  # again: another process may have migrated while this one waited
        if revision is not None and revision not in known:
            raise StorageFailed("database.newer", revision=revision, head=HEAD)
        config.attributes["connection"] = connection
        command.upgrade(config, HEAD)
