"""The time, as a loop needs it: real, or accelerated."""

from typing import Protocol


class Clock(Protocol):
    """Whoever waits or stamps asks here, so that a day can be run in a minute."""

    def now_ms(self) -> int:
        """Return the time (ms since the epoch, UTC)."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for ``seconds`` of this clock's time."""
        ...
