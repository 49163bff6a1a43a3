"""One run of a search in Optuna's journal.

Optuna's own lock on that file outlives a killed holder by half a minute, and it writes to the disk for each value; so
the file is locked by the operating system, and is on the disk once a generation is. Numbers and proposals are a pure
function of the seed and of what was told before: each trial has a sampler of its own, seeded by its number.
"""

import json
import logging
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from math import log
from pathlib import Path
from typing import Any

import optuna
from optuna.pruners import MedianPruner
from optuna.samplers import BaseSampler, CmaEsSampler, NSGAIISampler, RandomSampler, TPESampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from cambist.adapters.proposals.locks import Living, Lock
from cambist.domain.axis import numeric, size, value_at
from cambist.domain.errors import StorageFailed
from cambist.domain.search import Axis, Goal, Method, Value
from cambist.ports.proposals import Proposal

_GENERATION = 8
_POPULATION = 20
"""Of NSGA-II: some generations within a hundred trials, and room for a front."""
_COMPARED = 8
"""Trials that must have ended before one is given up."""
_OWNER = "owner"
_WHERE = "where"
_ENDED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep what Optuna says of its own experiments and samplers from the user."""
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        optuna.logging.set_verbosity(level)


class _File(JournalFileBackend):
    """The journal's file: written under a lock that ends with its holder, and cut where a killed writer broke off."""

    def __init__(self, path: Path, lock: Lock) -> None:
        super().__init__(str(path))
        self.path, self.lock = path, lock

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Append ``logs``, a line each."""
        lines = "".join(json.dumps(one, separators=(",", ":")) + "\n" for one in logs)
        with self.lock, self.path.open("r+b") as file:
            end = file.seek(0, os.SEEK_END)
            if end:
                file.seek(end - 1)
                if file.read(1) != b"\n":
                    file.seek(0)
                    file.truncate(file.read().rfind(b"\n") + 1)
                    file.seek(0, os.SEEK_END)
            file.write(lines.encode())

    def sync(self) -> None:
        """Return once all of it is on the disk."""
        with self.path.open("r+b") as file:
            os.fsync(file.fileno())


class Journaled:
    """A proposer (`cambist.ports.proposals.Proposer`)."""

    def __init__(
        self, path: Path, living: Living, *, method: Method, axes: Sequence[Axis], goals: Sequence[Goal], seed: int
    ) -> None:
        self._method, self._axes, self._seed = method, tuple(axes), seed
        self._living = living
        self._asked: set[int] = set()
        self._lock = Lock(path.with_suffix(".lock"))
        self._file = _File(path, self._lock)
        directions = [StudyDirection.MAXIMIZE if goal.better > 0 else StudyDirection.MINIMIZE for goal in goals]
        try:
            with self._at_work():
                self._storage = JournalStorage(self._file)
                self._study = optuna.create_study(
                    storage=self._storage,
                    study_name=path.stem,
                    directions=directions,
                    sampler=RandomSampler(seed=0),
                    pruner=MedianPruner(n_startup_trials=_COMPARED),
                    load_if_exists=True,
                )
                self._id = self._storage.get_study_id_from_name(path.stem)
        except (ValueError, KeyError, TypeError) as error:
            raise StorageFailed("proposals.broken", path=path, what=f"{type(error).__name__}: {error}") from error

    @property
    def generation(self) -> int:
        """How many to ask for at a time: the population, where the method has one."""
        if self._method is Method.CMAES:  # Hansen's default, for so many dimensions
            return max(_GENERATION, 4 + int(3 * log(max(1, len(self._axes)))))
        return _POPULATION if self._method is Method.NSGA2 else _GENERATION

    def ask(self, count: int) -> list[Proposal]:
        """Return ``count`` combinations to try; what was asked by a process that died is asked again first."""
        with self._at_work():
            found = [self._proposal(self._trial(one)) for one in self._orphans()[:count]]
            while len(found) < count:
                trial = self._study.ask()
                trial.set_user_attr(_OWNER, self._living.own)
                found.append(self._proposal(trial))
            self._file.sync()
        self._asked |= {proposal.number for proposal in found}
        return found

    def tell(self, number: int, values: Sequence[float] | None, *, violation: float = 0.0) -> None:
        """Take note of what a trial gave; what was told before holds.

        TPE and NSGA-II know of constraints. To the others, and without values to NSGA-II, whose generations would fill
        up with what breaks them, a trial that does so is one that failed.
        """
        with self._at_work():
            one = self._frozen(number)
            if one.state.is_finished():
                return
            knows = self._method is Method.TPE or (self._method is Method.NSGA2 and values is not None)
            if violation > 0.0 and knows:
                self._trial(one).set_constraint(_WHERE, violation)
            if values is not None and (knows or violation <= 0.0):
                self._study.tell(number, list(map(float, values)), TrialState.COMPLETE)
            else:
                self._study.tell(number, state=TrialState.PRUNED if violation > 0.0 and knows else TrialState.FAIL)

    def prune(self, number: int, value: float) -> bool:
        """Take note of what the first part gave; give the trial up if most of those that ended were better there."""
        with self._at_work():
            trial = self._trial(self._frozen(number))
            trial.report(value, step=0)
            if not trial.should_prune():
                return False
            self._study.tell(number, state=TrialState.PRUNED)
            return True

    def finished(self) -> int:
        """Return how many trials have ended."""
        with self._at_work():
            return self._storage.get_n_trials(self._id, _ENDED)

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        """Have the journal for oneself, without a word from Optuna; raise `StorageFailed` where files do not obey."""
        try:
            with _quietly(), self._lock:
                yield
        except OSError as error:
            raise StorageFailed("proposals.storage", path=self._file.path, what=error.strerror or error) from error

    # -- trials -------------------------------------------------------------------------------------------------------

    def _orphans(self) -> list[FrozenTrial]:
        """Return the trials that nobody will end: of processes that died, and of searches given up in this one."""
        found = []
        for one in self._storage.get_all_trials(self._id, deepcopy=False, states=(TrialState.RUNNING,)):
            if one.number in self._asked:
                continue
            owner = one.user_attrs.get(_OWNER)  # nobody's: its process died while asking, for the lock is ours
            if owner is None or owner == self._living.own or not self._living.holds(owner):
                self._storage.set_trial_user_attr(one._trial_id, _OWNER, self._living.own)
                found.append(one)
        return found

    def _frozen(self, number: int) -> FrozenTrial:
        return self._storage.get_trial(self._storage.get_trial_id_from_study_id_trial_number(self._id, number))

    def _trial(self, one: FrozenTrial) -> optuna.Trial:
        return optuna.Trial(self._study, one._trial_id)

    def _proposal(self, trial: optuna.Trial) -> Proposal:
        """Return what ``trial`` is to try; what it has been given stays, what it lacks is sampled."""
        self._study.sampler = self._sampler(trial.number)
        return Proposal(trial.number, {axis.name: _suggested(trial, axis) for axis in self._axes})

    def _sampler(self, number: int) -> BaseSampler:
        digest = blake2b(f"{self._seed} {number}".encode(), digest_size=4).digest()
        seed = int.from_bytes(digest, "little")
        if self._method is Method.TPE:
            return TPESampler(seed=seed)
        if self._method is Method.NSGA2:
            return NSGAIISampler(population_size=_POPULATION, seed=seed)
        if self._method is Method.CMAES:
            return CmaEsSampler(seed=seed, popsize=self.generation, with_margin=any(map(size, self._axes)))
        return RandomSampler(seed=seed)


def _suggested(trial: optuna.Trial, axis: Axis) -> Value:
    """Return the value of ``axis`` that is proposed: words by their place, as numbers do that are listed or stepped."""
    count = size(axis)
    if count == 1:
        return value_at(axis, 0)
    if not numeric(axis):
        return axis.values[trial.suggest_categorical(axis.name, list(range(len(axis.values))))]
    low, high = axis.low or 0.0, axis.high or 0.0
    if count is None:
        return trial.suggest_float(axis.name, low, high, log=axis.log)
    if axis.log and not axis.values and axis.whole and axis.step in (None, 1):
        return trial.suggest_int(axis.name, int(low), int(high), log=True)
    return value_at(axis, trial.suggest_int(axis.name, 0, count - 1))
