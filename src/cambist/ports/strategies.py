"""The shelf: strategies that people keep on the server, every version of their code."""

from typing import Any, Protocol

from cambist.domain.strategy_text import StoredStrategy, StrategyVersion


class Shelf(Protocol):
    """The strategies of one user (or, for the engine and for workers, of all). Blocking calls, durable on return.

    What is another user's is not found, exactly like what does not exist.
    """

    def add(self, strategy: StoredStrategy, code: str, most: int | None = None) -> StoredStrategy:
        """Keep a new strategy with ``code`` as version 1 and return it with its id; raise `Taken` if its user has
        another of that name, `TooMany` if ``most`` already, however many are added at once.
        """
        ...

    def save(self, strategy_id: int, code: str, *, expected_version: int, now_ms: int) -> StoredStrategy:
        """Keep ``code`` as the next version; raise `Taken` if ``expected_version`` is not the newest, `NotFound`."""
        ...

    def change(self, strategy: StoredStrategy) -> None:
        """Replace name, description, timeframe and ``changed_ms``; raise `Taken` if its name is, `NotFound`."""
        ...

    def strategies(self) -> list[StoredStrategy]:
        """Return the strategies, by id."""
        ...

    def get(self, strategy_id: int) -> StoredStrategy:
        """Return one strategy; raise `NotFound`."""
        ...

    def versions(self, strategy_id: int) -> list[StrategyVersion]:
        """Return all versions, oldest first, with empty ``code``; raise `NotFound` if there is no such strategy."""
        ...

    def version(self, strategy_id: int, version: int) -> StrategyVersion:
        """Return one version with its code; raise `NotFound`."""
        ...

    def code(self, strategy_id: int, version: int) -> str:
        """Return the code of one version; raise `NotFound`."""
        ...

    def judge(self, strategy_id: int, version: int, verdict: dict[str, Any]) -> None:
        """Keep what the validation said of a version; raise `NotFound`."""
        ...

    def forget(self, strategy_id: int) -> None:
        """Delete a strategy with all its versions; raise `NotFound`."""
        ...
