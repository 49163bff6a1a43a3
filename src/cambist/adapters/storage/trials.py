"""The trials of searches in Parquet: parts that are only ever added (`cambist.ports.trials`), readable in any notebook.

``<root>/<study>/<run>/trials.<first>-<last>-<rows>-<token>.parquet``, sorted by number; for the columns see
`trial_columns`.

Writers of one run take turns, across processes. Each adds a part; when there are many small ones, one of them puts
these together. A writer that is killed while it does so leaves trials twice, never none, and readers count a number
once.
"""

import re
import secrets
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from cambist.adapters.storage.atomic import only_writer, replace
from cambist.adapters.storage.names import study_folder
from cambist.adapters.storage.trial_columns import table_of, together, trials_of
from cambist.domain.errors import StorageFailed
from cambist.domain.search import Trial
from cambist.domain.text import say

_NAME = re.compile(r"trials\.(\d+)-(\d+)-(\d+)-[0-9a-f]+\.parquet")
_MANY = 64
"""Small parts that are put together when there are so many of them,"""
_SMALL = 4096
"""or when they hold so many trials together; a part of so many is small no more."""
_ROWS_AT_ONCE = 1024
"""Trials of a part that are in memory at once while it is read: some megabytes."""
# the disk, or a file that something else wrote there: not Parquet, other columns, other types, no JSON
_DISOBEDIENCE = (OSError, pa.ArrowException, ArithmeticError, LookupError, TypeError, ValueError)


class ParquetTrials:
    """The trials of one user's searches under the folder ``root`` (`TrialLogs`), which is made when needed."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def open(self, study: str, run: str) -> "ParquetTrialLog":
        """Return the log of a run; it need not exist."""
        return ParquetTrialLog(self._root / study_folder(study) / study_folder(run))

    def count(self, study: str) -> int:
        """Return how many trials a study has seen over all of its runs; raise `StorageFailed`."""
        folder = self._root / study_folder(study)
        with _obeying(folder):
            return sum(ParquetTrialLog(run)._count() for run in folder.glob("*") if run.is_dir())

    def look(self, study: str, mark: str, until_ts: int, tries: int) -> list[tuple[int, int]]:
        """Keep a look, and return (until_ts, tries) of all that the study has had; raise `StorageFailed`."""
        path = self._root / study_folder(study) / "looks"
        with _obeying(path), only_writer(path):
            text = path.read_text("ascii") if path.exists() else ""
            looks = {kept: (int(until), int(count)) for kept, until, count in map(str.split, text.splitlines())}
            looks[mark] = (until_ts, tries)

            def write(fresh: Path) -> None:
                lines = (f"{kept} {until} {count}" for kept, (until, count) in looks.items())
                fresh.write_text("\n".join(lines), "ascii")

            replace(path, write)
            return list(looks.values())


@dataclass(frozen=True, slots=True, order=True)
class _Part:
    """A file, and what its name tells of it."""

    first: int
    last: int
    rows: int
    path: Path


class ParquetTrialLog:
    """The trials of one run (`TrialLog`): what was appended is on the disk, whatever becomes of the process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def append(self, trials: Sequence[Trial]) -> None:
        """Keep ``trials``; they are safe when this returns. Raises `StorageFailed`."""
        if not trials:
            return
        with _obeying(self._folder), self._alone():
            self._write([table_of(trials)])
            small = [part for part in self._listed() if part.rows < _SMALL]
            if len(small) >= _MANY or (len(small) > 1 and sum(part.rows for part in small) >= _SMALL):
                self._write([_read(part) for part in sorted(small)])
                for part in small:
                    with suppress(OSError):  # Windows keeps what a reader has open: it is put together again
                        part.path.unlink()

    def numbers(self) -> set[int]:
        """Return the numbers of all trials that are kept; raise `StorageFailed`."""
        with _obeying(self._folder):
            while True:
                try:
                    return {number for part in self._parts() for number in _numbers(part)}
                except _Gone:
                    continue

    def read(self) -> Iterator[Trial]:
        """Yield all trials in the order of their numbers, without holding them all. Raises `StorageFailed`."""
        last: int | None = None
        while True:
            try:
                with _obeying(self._folder):
                    for trial in _in_order(self._parts(), last):
                        last = trial.number
                        yield trial
            except _Gone:  # put together with others meanwhile: go on in the new one
                continue
            return

    def _count(self) -> int:
        parts = sorted(self._parts())
        apart = all(one.last < other.first for one, other in pairwise(parts))
        return sum(part.rows for part in parts) if apart else len(self.numbers())

    def _alone(self) -> AbstractContextManager[None]:
        # all parts' temporary files begin with this name: who holds the lock clears those of a writer that was killed
        return only_writer(self._folder / "trials")

    def _parts(self) -> list[_Part]:
        if not self._folder.exists():
            return []
        with self._alone():  # a folder that changes while it is listed may show neither the old parts nor the new one
            return self._listed()

    def _listed(self) -> list[_Part]:
        found = []
        for path in self._folder.glob("trials.*.parquet"):
            told = _NAME.fullmatch(path.name)
            if told is None:
                raise StorageFailed("trials.storage", path=path, why=say("trials.foreign"))
            first, last, rows = map(int, told.groups())
            found.append(_Part(first, last, rows, path))
        return found

    def _write(self, tables: Sequence[pa.Table]) -> None:
        table = together(tables)
        number = table.column("number")
        name = f"trials.{number[0]}-{number[-1]}-{len(table)}-{secrets.token_hex(8)}.parquet"
        replace(
            self._folder / name,
            # measured: a quarter of the time of Zstandard with dictionaries, for the same bytes
            lambda fresh: pq.write_table(table, fresh, compression="lz4", use_dictionary=False, row_group_size=_SMALL),
        )


class _Gone(Exception):
    """A part is not there any more: its trials are in another now."""


def _in_order(parts: Sequence[_Part], after: int | None) -> Iterator[Trial]:
    """Yield the trials of all parts by number, each number once; a part is open from its first number to its last."""
    waiting = deque(sorted(part for part in parts if after is None or part.last > after))
    opened: list[tuple[int, int, Trial, Iterator[Trial]]] = []
    order = 0
    while waiting or opened:
        while waiting and (not opened or waiting[0].first <= opened[0][0]):
            rest = _trials(waiting.popleft())
            order += 1  # no two are equal: trials are never compared
            _push(opened, order, rest)
        number, place, trial, rest = heappop(opened)
        if after is None or number > after:
            after = number
            yield trial
        _push(opened, place, rest)


def _push(opened: list[tuple[int, int, Trial, Iterator[Trial]]], place: int, rest: Iterator[Trial]) -> None:
    following = next(rest, None)
    if following is not None:
        heappush(opened, (following.number, place, following, rest))


def _trials(part: _Part) -> Iterator[Trial]:
    """Yield the trials of one part; it is open until the last is taken."""
    with _opened(part) as file:
        for batch in file.iter_batches(_ROWS_AT_ONCE, use_threads=False):
            yield from trials_of(batch)


def _read(part: _Part, names: Sequence[str] | None = None) -> pa.Table:
    """Return the columns ``names`` of a part, by default all."""
    with _opened(part) as file:
        return file.read(names, use_threads=False)


def _numbers(part: _Part) -> list[int]:
    with _obeying(part.path):
        found: list[int] = _read(part, ["number"]).column("number").to_pylist()
        return found


@contextmanager
def _opened(part: _Part) -> Iterator[pq.ParquetFile]:
    with _obeying(part.path):
        try:
            file = pq.ParquetFile(part.path, pre_buffer=False)
        except FileNotFoundError:
            raise _Gone from None
        with file:
            yield file


@contextmanager
def _obeying(path: Path) -> Iterator[None]:
    """Name the file when the disk, or the file itself, does not obey."""
    try:
        yield
    except _DISOBEDIENCE as error:
        raise StorageFailed("trials.storage", path=path, why=str(error) or type(error).__name__) from error
