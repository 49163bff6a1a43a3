"""Where alerts go: the log now; chats and mail by the same port."""

from typing import Protocol

from cambist.domain.alert import Alert


class Alerts(Protocol):
    """Hears of everything that a person should know."""

    async def send(self, alert: Alert) -> None:
        """Pass ``alert`` on; never raises."""
        ...
