"""Where finished searches are kept."""

from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSearch:
    """A finished search as it is kept: what was searched, what was chosen, and the word on it; its trials elsewhere."""

    study: str
    run: str
    strategy: str
    params: dict[str, Any]
    """Of the chosen one."""
    values: tuple[float, ...]
    """Of the chosen one, one per goal."""
    metrics: dict[str, float]
    """Of the chosen one over what it was chosen on."""
    out_of_sample: dict[str, float] | None
    """Of the chosen one over what it was not chosen on; None if it was chosen on everything."""
    judgement: dict[str, Any]
    """As `cambist.domain.judgement.Judgement` has it."""
    method: str
    goals: tuple[dict[str, Any], ...]
    axes: tuple[dict[str, Any], ...]
    where: tuple[str, ...]
    seed: int
    settings: dict[str, Any]
    venue: str
    symbols: tuple[str, ...]
    timeframes: tuple[str, ...]
    first_ts: int
    last_ts: int
    split_ts: int | None
    trials: int
    """Of this run."""
    counted: int
    """Over the study's whole life."""
    data_hash: str
    code_hash: str
    notes: tuple[str, ...]
    detail: dict[str, Any] = field(default_factory=dict)
    """The best trials, the front, the walk forward, the paths and the plateau."""
    created_ms: int = 0
    """When it was kept (ms)."""
    id: int = 0
    """Given by the store."""


class SearchStore(Protocol):
    """The store of finished searches, per user."""

    def keep(self, search: StoredSearch) -> int:
        """Keep ``search`` and return its id."""
        ...

    def get(self, search_id: int) -> StoredSearch:
        """Return the search ``search_id`` with its detail; raise `NotFound`."""
        ...

    def latest(self, limit: int = 50, strategy: str | None = None, *, before: int | None = None) -> list[StoredSearch]:
        """Return the newest searches first, without detail; with ``before`` those of a smaller id."""
        ...

    def forget(self, search_id: int) -> None:
        """Delete one search; raise `NotFound`. Its study's trials stay: they have been tried all the same."""
        ...
