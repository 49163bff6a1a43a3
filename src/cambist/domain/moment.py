"""How people read a moment."""

from datetime import UTC, datetime

from cambist.domain.timeframe import DAY_MS


def show_moment(ts: int) -> str:
    """Return ``ts`` (ms since the epoch) as people read it: ``2024-01-31`` or ``2024-01-31 12:30``, UTC."""
    return datetime.fromtimestamp(ts / 1_000, UTC).strftime("%Y-%m-%d" if ts % DAY_MS == 0 else "%Y-%m-%d %H:%M")
