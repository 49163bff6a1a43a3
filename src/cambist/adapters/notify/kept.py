"""Alerts that are kept, so that whoever was away can read them."""

import asyncio
import logging

from cambist.domain.alert import Alert
from cambist.domain.errors import CambistError
from cambist.ports.book import Register

_log = logging.getLogger("cambist.alerts")


class KeptAlerts:
    """Keeps each alert in the register."""

    def __init__(self, register: Register) -> None:
        self._register = register

    async def send(self, alert: Alert) -> None:
        """Keep ``alert``; never raises."""
        try:
            await asyncio.to_thread(self._register.raise_alert, alert)
        except CambistError as error:
            _log.error("alert not kept: %s", error, extra={"alert": alert.key})
