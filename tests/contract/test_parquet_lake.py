import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.contract.candle_lake import START, CandleLakeContract, assert_equal, candles_at, read

from cambist.adapters.storage.candles import ParquetLake
from cambist.domain.errors import StorageFailed
from cambist.domain.timeframe import MINUTE_MS
from cambist.ports.history import CandleLake


class TestParquetLake(CandleLakeContract):
    @pytest.fixture
    def lake(self, tmp_path) -> CandleLake:
        return ParquetLake(tmp_path / "lake")


def series_file(root):
    return root / "binance" / "BTC_USDT" / "1m.parquet"


def test_any_notebook_can_read_the_file(tmp_path):
    ParquetLake(tmp_path).append(candles_at(range(3)))
    table = pq.read_table(series_file(tmp_path))
    assert table.column_names == ["ts", "open", "high", "low", "close", "volume"]
    assert table.column("ts").to_pylist()[1].isoformat() == "2024-01-01T00:01:00+00:00"


def test_a_range_is_read_from_the_row_groups_that_hold_it(tmp_path, monkeypatch):
    lake = ParquetLake(tmp_path)
    lake.append(candles_at(range(200_000)))
    asked = []
    whole = pq.ParquetFile.read_row_group

    def watch(self, group, *arguments, **settings):
        asked.append(group)
        return whole(self, group, *arguments, **settings)

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", watch)
    read(lake, START + 70_000 * MINUTE_MS, START + 80_000 * MINUTE_MS)
    assert asked == [1]
    read(lake, START + 65_535 * MINUTE_MS, START + 65_537 * MINUTE_MS)
    assert asked == [1, 0, 1]
    read(lake, START + 500_000 * MINUTE_MS)
    assert asked == [1, 0, 1]


def append_every_second(root, first, gate):
    """Append twenty times, candle by candle, when all are ready."""
    lake = ParquetLake(root)
    gate.wait()
    for step in range(20):
        lake.append(candles_at([first + 2 * step], float(1 + first)))


def test_two_processes_that_write_at_once_lose_nothing(tmp_path):
    context = multiprocessing.get_context("spawn")
    gate = context.Barrier(2)
    writers = [context.Process(target=append_every_second, args=(tmp_path, first, gate)) for first in (0, 1)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0]
    held = read(ParquetLake(tmp_path))
    assert held.ts.tolist() == [START + minute * MINUTE_MS for minute in range(40)]
    assert held.close.tolist() == [1.0, 2.0] * 20


def test_threads_that_write_at_once_lose_nothing(tmp_path):
    gate = threading.Barrier(2)
    writers = [threading.Thread(target=append_every_second, args=(tmp_path, first, gate)) for first in (0, 1)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert len(read(ParquetLake(tmp_path))) == 40


# A writer that stops at the most dangerous moment: its new file is half written, the lock is held.
WRITER = """
import sys, time
from pathlib import Path
import pyarrow.parquet as pq
sys.path.insert(0, {checkout!r})
from tests.contract.candle_lake import candles_at
from cambist.adapters.storage.candles import ParquetLake

def half_written(table, path, **settings):
    Path(path).write_bytes(b"PAR1 half a file")
    print("writing", flush=True)
    time.sleep(60)

pq.write_table = half_written
ParquetLake(Path({root!r})).append(candles_at(range(3, 9)))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is a POSIX signal")
def test_a_writer_killed_in_the_middle_leaves_the_old_file_and_blocks_nobody(tmp_path):
    lake = ParquetLake(tmp_path)
    old = candles_at(range(3))
    lake.append(old)
    program = WRITER.format(checkout=str(Path(__file__).parents[2]), root=str(tmp_path))
    with subprocess.Popen((sys.executable, "-c", program), stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "writing\n"
        assert_equal(read(lake), old)  # readers do not wait for writers
        os.kill(writer.pid, signal.SIGKILL)
    leftovers = list(series_file(tmp_path).parent.glob(".*.tmp"))
    assert len(leftovers) == 1
    assert_equal(read(lake), old)
    assert [one.count for one in lake.series()] == [3]
    lake.append(candles_at([3]))
    assert len(read(lake)) == 4
    assert not leftovers[0].exists()


def test_a_failed_write_leaves_the_old_file_and_no_rubbish(tmp_path, monkeypatch):
    lake = ParquetLake(tmp_path)
    lake.append(candles_at(range(3)))

    def disk_full(*_arguments, **_settings):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(pq, "write_table", disk_full)
        with pytest.raises(StorageFailed, match="No space left"):
            lake.append(candles_at(range(5)))
    assert len(read(lake)) == 3
    assert list(series_file(tmp_path).parent.glob(".*.tmp")) == []


def test_a_file_that_is_no_series_is_named(tmp_path):
    series_file(tmp_path).parent.mkdir(parents=True)
    series_file(tmp_path).write_bytes(b"not Parquet at all")
    for ask in (lambda: read(ParquetLake(tmp_path)), ParquetLake(tmp_path).series):
        with pytest.raises(StorageFailed, match=r"1m\.parquet"):
            ask()


def test_a_table_of_other_columns_is_named(tmp_path):
    series_file(tmp_path).parent.mkdir(parents=True)
    pq.write_table(pa.table({"ts": [1, None], "open": [1.0, 2.0]}), series_file(tmp_path))
    with pytest.raises(StorageFailed, match="columns"):
        read(ParquetLake(tmp_path))


def test_reading_does_not_wait_for_pandas(tmp_path):
    ParquetLake(tmp_path).append(candles_at(range(3)))
    program = f"""
import sys
from pathlib import Path
from cambist.adapters.storage.candles import ParquetLake
from cambist.domain.timeframe import Timeframe
print(len(ParquetLake(Path({str(tmp_path)!r})).read("binance", "BTC/USDT", Timeframe.M1)), "pandas" in sys.modules)
"""
    said = subprocess.run((sys.executable, "-c", program), capture_output=True, text=True, check=True).stdout
    assert said == "3 False\n"


def test_what_is_not_changed_is_not_written_again(tmp_path):
    lake = ParquetLake(tmp_path)
    lake.append(candles_at(range(3)))
    before = series_file(tmp_path).stat()
    lake.append(candles_at(range(2)))
    after = series_file(tmp_path).stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
