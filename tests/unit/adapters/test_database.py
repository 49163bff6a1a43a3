import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.contract.result_store import a_result, exactly, many_trades

from cambist.adapters.storage.answers import SqlAnswers
from cambist.adapters.storage.database import address_of, open_database
from cambist.adapters.storage.results import SqlResults
from cambist.adapters.storage.tables import HEAD, Money, metadata
from cambist.adapters.storage.tables.book import bots
from cambist.domain.errors import BadInput, StorageFailed
from cambist.domain.text import speak


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "some" / "folder" / "cambist.db"


@pytest.fixture
def url(file: Path) -> str:
    return f"sqlite:///{file}"


def query(file: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        return connection.execute(sql).fetchall()


def schema(file: Path) -> list[tuple[object, ...]]:
    """Return every column of every table, and every index."""
    ours = "kind.name NOT IN ('alembic_version', 'sqlite_sequence') AND kind.name NOT LIKE 'sqlite_autoindex%'"
    return [
        *query(
            file,
            "SELECT kind.name, part.* FROM sqlite_master kind, pragma_table_xinfo(kind.name) part "
            f"WHERE kind.type = 'table' AND {ours} ORDER BY kind.name, part.cid",
        ),
        *query(
            file, f"SELECT kind.name, kind.sql FROM sqlite_master kind WHERE kind.type = 'index' AND {ours} ORDER BY 1"
        ),
    ]


def test_an_empty_database_is_made_with_its_folder(file, url):
    open_database(url)
    assert query(file, "SELECT version_num FROM alembic_version") == [(HEAD,)]
    assert query(file, "SELECT count(*) FROM backtest_results") == [(0,)]


def test_opening_again_changes_nothing(file, url):
    open_database(url)
    SqlResults(url).latest()
    before = file.read_bytes()
    open_database(url)
    assert file.read_bytes() == before


def test_the_head_is_what_the_revisions_lead_to():
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", "cambist.adapters.storage:migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_the_revisions_make_the_tables_that_the_code_uses(database_url):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with open_database(database_url).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_the_revisions_make_them_to_the_last_detail(file, url, tmp_path):
    open_database(url)
    # Alembic does not compare everything; SQLite's own account of the two schemas does
    straight = tmp_path / "straight.db"
    engine = sa.create_engine(f"sqlite:///{straight}", poolclass=sa.NullPool)
    metadata.create_all(engine)
    assert schema(file) == schema(straight)
    keeps_ids = "SELECT count(*) FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%'"
    assert query(file, keeps_ids) == query(straight, keeps_ids) == [(5,)]


def go_back(url: str, revision: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "cambist.adapters.storage:migrations")
    with open_database(url).begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)


def tables(url: str) -> set[str]:
    engine = sa.create_engine(address_of(url), poolclass=sa.NullPool)
    return set(sa.inspect(engine).get_table_names())


def test_the_revisions_can_be_undone(database_url):
    open_database(database_url)
    made = tables(database_url)
    assert made == {*metadata.tables, "alembic_version"}
    go_back(database_url, "base")
    assert tables(database_url) == {"alembic_version"}
    open_database(database_url)
    assert tables(database_url) == made


def test_results_from_before_the_book_are_all_there_after_it(database_url):
    results = SqlResults(database_url)
    ids = [results.keep(a_result(candles=number, trades=many_trades(50))) for number in range(3)]
    before = [results.get(result_id) for result_id in ids]
    go_back(database_url, "0001")
    assert tables(database_url) == {"alembic_version", "backtest_results"}
    upgraded = SqlResults(database_url)
    assert [exactly(upgraded.get(result_id)) for result_id in ids] == [exactly(result) for result in before]
    assert tables(database_url) == {*metadata.tables, "alembic_version"}
    assert upgraded.keep(a_result()) > ids[-1]


def test_digests_that_anybody_can_make_are_forgotten_and_their_keys_stay_taken(database_url):
    plain = {"user_id": 1, "key": "k", "request": "a" * 64, "ts": 7, "status": 201, "body": "{}"}
    go_back(database_url, "0006")
    engine = sa.create_engine(address_of(database_url), poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.table("answered", *map(sa.column, plain)).insert().values(plain))
    kept = SqlAnswers(database_url, 1).claim("k", "a" * 64, 8)
    assert kept is not None
    assert kept.request == ""


def test_a_money_column_is_never_a_number():
    money = {
        f"{table.name}.{column.name}"
        for table in metadata.tables.values()
        for column in table.c
        if isinstance(column.type, Money)
    }
    exact = {
        "bots": ("budget",),
        "ledger_lines": ("amount",),
        "heartbeat_signals": ("open", "high", "low", "close", "volume"),
        "exchange_symbols": ("tick_size", "lot_step", "min_quantity", "min_notional"),
        "past_orders": ("quantity", "filled"),
        "past_fills": ("quantity", "price", "fee"),
        "past_trades": ("entry_price", "exit_price", "quantity", "pnl", "fees", "slippage"),
        "past_equity": ("equity",),
    }
    assert money == {f"{table}.{column}" for table, columns in exact.items() for column in columns}
    assert [
        column
        for table in metadata.tables.values()
        for column in table.c
        if isinstance(column.type, sa.Numeric | sa.Float)
    ] == []


def test_what_is_no_exact_amount_is_never_written(url):
    for wrong in (0.1, 1, None, Decimal("NaN")):
        with pytest.raises(sa.exc.StatementError, match="finite Decimal"), open_database(url).begin() as connection:
            connection.execute(bots.update().values(budget=wrong))


def test_a_current_database_opens_without_alembic(url):
    open_database(url)
    script = (
        "import sys; from cambist.adapters.storage.results import SqlResults; "
        f"SqlResults({url!r}).latest(); print([name for name in ('alembic', 'mako', 'numpy') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_processes_that_migrate_at_once_wait_for_each_other(file, url, tmp_path):
    start = tmp_path / "start"
    script = (
        "import sys, time, pathlib, alembic.command; from cambist.adapters.storage.database import open_database; "
        "print('ready', flush=True); start = pathlib.Path(sys.argv[2])\n"
        "while not start.exists(): time.sleep(0.001)\n"
        "open_database(sys.argv[1])"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, url, str(start)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(6)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    start.touch()
    complaints = [process.communicate(timeout=60)[1] for process in processes]
    assert complaints == [""] * len(processes)
    assert query(file, "SELECT version_num FROM alembic_version") == [(HEAD,)]


def test_a_migration_that_fails_leaves_the_database_as_it_was(file, url):
    file.parent.mkdir(parents=True)
    query(file, "CREATE TABLE backtest_results (somebody TEXT)")
    with pytest.raises(StorageFailed, match="backtest_results already exists"):
        open_database(url)
    assert query(file, "SELECT name FROM sqlite_master") == [("backtest_results",)]


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", r"A newer Cambist wrote this database \(revision 9999; this one knows up to \d+\)"),
        ("fr", r"Un Cambist plus récent a écrit cette base \(révision 9999 ; celui-ci connaît jusqu'à \d+\)"),
    ],
)
def test_a_database_from_a_newer_cambist_is_refused_and_left_alone(file, url, language, sentence):
    open_database(url)
    query(file, "UPDATE alembic_version SET version_num = '9999'")
    before = file.read_bytes()
    speak(language)
    try:
        with pytest.raises(StorageFailed, match=sentence):
            SqlResults(url).latest()
    finally:
        speak("en")
    assert file.read_bytes() == before


def test_readers_do_not_wait_for_writers_and_references_are_kept(url):
    with open_database(url).connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 30_000


def test_a_statement_that_fails_takes_back_what_went_before(file, url):
    engine = open_database(url)

    def half() -> None:
        with engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE half (done INTEGER)")
            connection.exec_driver_sql("nonsense")

    with pytest.raises(sa.exc.OperationalError):
        half()
    assert query(file, "SELECT name FROM sqlite_master WHERE name = 'half'") == []


def test_what_is_no_database_is_said_to_be_none(file, url):
    file.parent.mkdir(parents=True)
    file.write_bytes(b"certainly not a database, but long enough to look at" * 100)
    with pytest.raises(StorageFailed, match="not a database"):
        open_database(url)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StorageFailed, match=r"The database did not obey.*file"):
        open_database(f"sqlite:///{tmp_path / 'file' / 'cambist.db'}")


@pytest.mark.parametrize(
    "wrong", ["nonsense", "mysql://me:secret@host/db", "sqlite://", "sqlite:///:memory:", "me:secret@host"]
)
def test_a_url_of_no_known_database_is_refused_without_telling_its_password(wrong):
    with pytest.raises(BadInput, match=r"DATABASE_URL.*Give sqlite:///FILE or postgresql://") as refused:
        open_database(wrong)
    assert "secret" not in str(refused.value)


def test_opening_a_current_database_is_cheap(url):
    open_database(url)
    started = time.perf_counter()
    open_database(url)
    print(f"opened in {1000 * (time.perf_counter() - started):.1f} ms")
