"""What must be remembered of a request budget when the process ends."""

from typing import Protocol


class BudgetMemory(Protocol):
    """The bans that venues have spoken: forgotten, the first request after a restart would lengthen them.

    A key names what is banned, as the budget writes it (exchange, address, API key's name: never the key itself).
    Blocking; every method may raise `StorageFailed`.
    """

    def bans(self) -> dict[str, int]:
        """Return the time (ms) until which each key is banned; those that are over stay until they are lifted."""
        ...

    def ban(self, key: str, until_ms: int) -> None:
        """Remember that ``key`` is banned until ``until_ms``, whatever was remembered before."""
        ...

    def lift(self, key: str) -> None:
        """Forget the ban of ``key``, if there is one."""
        ...
