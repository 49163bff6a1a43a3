"""Buses: in this process, or Redis Streams."""

from cambist.ports.bus import Bus


def open_bus(bus_url: str | None = None) -> Bus:
    """Return the bus at ``bus_url``, a Redis, or of this process if there is none; raise `BadInput` for others."""
    if not bus_url:
        from cambist.adapters.bus.inprocess import InProcessBus

        return InProcessBus()
    from cambist.adapters.bus.redis import RedisBus

    return RedisBus(bus_url)
