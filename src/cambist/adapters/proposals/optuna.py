"""Proposals by Optuna: each run of a search has a journal of its own, a file that is replayed when the search goes on.

Optuna is imported when a run is opened; it takes half a second.
"""

import re
import shutil
import weakref
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from tempfile import mkdtemp

from cambist.adapters.proposals.locks import Living
from cambist.domain.axis import numeric
from cambist.domain.errors import BadInput
from cambist.domain.search import Axis, Goal, Method
from cambist.ports.proposals import Proposer


class OptunaProposers:
    """Makes proposers whose journals lie in ``folder``, a folder per study (`cambist.ports.proposals.Proposers`).

    Without a folder each run that is opened is a new one, and is forgotten with its proposer.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._alive: Living | None = None

    def open(
        self, study: str, run: str, *, method: Method, axes: Sequence[Axis], goals: Sequence[Goal], seed: int
    ) -> Proposer:
        """Return the proposer of a run, which may have begun before.

        Raises `BadInput` for what a method cannot do, `StorageFailed` for a journal that cannot be read.
        """
        if method is Method.GRID:
            raise BadInput("method", str(method), "proposals.grid")
        if method is Method.CMAES:
            word = next((axis.name for axis in axes if not numeric(axis)), None)
            if word is not None:
                raise BadInput("method", str(method), "proposals.words", axis=word)
            if len(goals) > 1:
                raise BadInput("method", str(method), "proposals.one_goal")
        from cambist.adapters.proposals.journaled import Journaled

        folder = self._folder or Path(mkdtemp(prefix="cambist-proposals-"))
        path = folder / _safe(study) / f"{_safe(run)}.journal"
        path.parent.mkdir(parents=True, exist_ok=True)
        proposer = Journaled(path, self._living(folder), method=method, axes=axes, goals=goals, seed=seed)
        if self._folder is None:
            weakref.finalize(proposer, shutil.rmtree, folder, ignore_errors=True)
        return proposer

    def _living(self, folder: Path) -> Living:
        if self._folder is None:
            return Living(folder / ".living")
        if self._alive is None:  # one for all proposers of the folder
            self._alive = Living(folder / ".living")
        return self._alive


def _safe(name: str) -> str:
    """Return ``name`` as a file may be called anywhere; two names never become one."""
    plain = re.sub(r"[^A-Za-z0-9-]+", "_", name).strip("_")[:60]
    return f"{plain or 'run'}.{blake2b(name.encode(), digest_size=5).hexdigest()}"
