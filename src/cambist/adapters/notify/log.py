"""Alerts in the log, and alerts to several places."""

import logging
from collections.abc import Sequence

from cambist.domain.alert import Alert, Level
from cambist.ports.alerts import Alerts

_SEVERITY = {Level.INFO: logging.INFO, Level.WARNING: logging.WARNING, Level.CRITICAL: logging.CRITICAL}

_log = logging.getLogger("cambist.alerts")


class LogAlerts:
    """Writes each alert as a line of the log, in the severity of its level and the language in use."""

    async def send(self, alert: Alert) -> None:
        """Write ``alert``; never raises."""
        try:
            text = str(alert)
        except (KeyError, IndexError, ValueError):  # a sentence that there is not, or parameters that do not fit it
            text = f"{alert.key} {alert.params}"
        known = {"account": alert.account, "bot": alert.bot}
        extra = {
            **{name: value for name, value in known.items() if value},
            "alert": alert.key,
            "alert_ts": alert.ts,
            "user_id": alert.user_id,
        }
        _log.log(_SEVERITY[alert.level], "%s", text, extra=extra)


class Fanout:
    """Passes each alert on to several; one that fails does not keep it from the others."""

    def __init__(self, alerts: Sequence[Alerts]) -> None:
        self._alerts = tuple(alerts)

    async def send(self, alert: Alert) -> None:
        """Pass ``alert`` on; never raises."""
        for one in self._alerts:
            try:
                await one.send(alert)
            except Exception:  # noqa: BLE001 - whatever another way of telling does, the engine must go on
                _log.exception("alert not passed on", extra={"alert": alert.key, "to": type(one).__name__})
