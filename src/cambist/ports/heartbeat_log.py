"""What the heartbeat leaves behind: each signal, and how its sources fare. Durable when a call returns; blocking."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol

from cambist.domain.record import record
from cambist.domain.timeframe import Timeframe


@record(kw_only=True)
class SignalRow:
    """One signal as it was sent when a candle closed."""

    received_ms: int
    """When the message that closed the candle came."""
    candle_ms: int
    """The candle's open time."""
    close_ms: int
    timeframe: Timeframe
    symbol: str
    venue: str
    source: str
    repaired: bool
    """Whether the candle was back-filled."""
    signal_id: str
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


@record(kw_only=True)
class SourceStatus:
    """How one source of the heartbeat fares."""

    source: str
    is_connected: bool
    last_start_ms: int | None
    last_stop_ms: int | None
    last_error: str
    """Kept until the next one, over starts too; empty if there has been none."""
    symbols: tuple[str, ...]


class HeartbeatLog(Protocol):
    """The record of the heartbeat. Every method may raise `StorageFailed`."""

    def record(self, signals: Sequence[SignalRow]) -> None:
        """Keep ``signals``, all or none; one that is known (source, venue, symbol, signal id) stays as it was."""
        ...

    def recent(self, timeframe: Timeframe | str, limit: int = 60) -> list[SignalRow]:
        """Return the newest signals of a timeframe, by close time, newest first."""
        ...

    def seen(self, venue: str, symbol: str, timeframe: Timeframe, since: int, until: int) -> list[SignalRow]:
        """Return the signals whose candles open in ``[since, until)`` (ms), by open time, one of each.

        Where several sources told of a candle, the first that came counts: bots decide on that one.
        """
        ...

    def started(self, source: str, ts: int, symbols: Sequence[str]) -> None:
        """Say that ``source`` is connected since ``ts`` (ms) and hears ``symbols``."""
        ...

    def stopped(self, source: str, ts: int) -> None:
        """Say that ``source`` was stopped on purpose."""
        ...

    def failed(self, source: str, ts: int, error: str) -> None:
        """Say that ``source`` lost its connection, and why."""
        ...

    def status(self) -> list[SourceStatus]:
        """Return every source that was ever started, by name."""
        ...
