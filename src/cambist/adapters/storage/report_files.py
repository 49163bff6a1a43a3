"""`ReportFolder`: the report pages of kept backtests, one file each."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cambist.adapters.storage.atomic import only_writer, replace
from cambist.domain.errors import NotFound, StorageFailed


class ReportFolder:
    """The port `ReportFiles` for one user: ``<root>/<user>/<result>.html``. Raises `StorageFailed`."""

    def __init__(self, root: Path, user_id: int) -> None:
        self._folder = root / str(user_id)

    def keep(self, result_id: int, page: str) -> None:
        """Keep the page (HTML) of a result."""
        path = self._path(result_id)
        with _obeying(path), only_writer(self._folder / "reports"):
            replace(path, lambda fresh: _write(fresh, page))

    def page(self, result_id: int) -> str:
        """Return the page; raise `NotFound` if there is none."""
        path = self._path(result_id)
        with _obeying(path):
            try:
                return path.read_text(encoding="utf-8")
            except FileNotFoundError:
                raise NotFound("jobs.no_report", id=result_id) from None

    def has(self, result_id: int) -> bool:
        """Tell whether there is one."""
        return self._path(result_id).is_file()

    def forget(self, result_id: int) -> None:
        """Delete the page, if there is one."""
        path = self._path(result_id)
        with _obeying(path):
            path.unlink(missing_ok=True)

    def _path(self, result_id: int) -> Path:
        return self._folder / f"{int(result_id)}.html"


def forget_folder(folder: Path) -> None:
    """Delete what somebody has in ``folder``, and the folder, if it is there; raise `StorageFailed`."""
    with _obeying(folder), suppress(FileNotFoundError):
        shutil.rmtree(folder)


def _write(path: Path, page: str) -> None:
    path.write_text(page, encoding="utf-8")


@contextmanager
def _obeying(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageFailed("database.failed", why=f"{path.name}: {error.strerror}") from error
