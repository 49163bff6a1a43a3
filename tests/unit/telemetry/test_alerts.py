"""Alerts in the log, and passed on to several."""

import asyncio
import logging

import pytest

from cambist.adapters.notify.log import Fanout, LogAlerts
from cambist.domain.alert import Alert, Level
from cambist.domain.text import speak

ALERT = Alert(
    ts=1_704_067_200_000,
    level=Level.WARNING,
    key="strategy.too_long",
    params={"strategy": "Mine", "limit_s": "5"},
    account="a1",
    bot="b7",
)


@pytest.mark.parametrize(
    ("level", "severity"),
    [(Level.INFO, logging.INFO), (Level.WARNING, logging.WARNING), (Level.CRITICAL, logging.CRITICAL)],
)
def test_an_alert_is_a_line_of_its_severity(caplog, level, severity):
    alert = Alert(ts=1, level=level, key=ALERT.key, params=ALERT.params, account="a1")
    with caplog.at_level(logging.INFO):
        asyncio.run(LogAlerts().send(alert))
    (record,) = caplog.records
    assert record.levelno == severity
    assert record.getMessage() == "Mine took longer than 5 s to decide."
    said = vars(record)
    assert (said["account"], said["alert"], said["alert_ts"], said["user_id"]) == ("a1", ALERT.key, 1, 1)
    assert "bot" not in said


def test_it_speaks_the_language_in_use(caplog):
    async def send():
        speak("fr")
        await LogAlerts().send(ALERT)

    asyncio.run(send())
    (record,) = caplog.records
    assert record.getMessage() == "Mine a mis plus de 5 s à décider."
    assert vars(record)["bot"] == "b7"


@pytest.mark.parametrize(("key", "params"), [("no.such.sentence", {}), ("strategy.too_long", {"strategy": "Mine"})])
def test_a_sentence_that_does_not_fit_is_told_as_it_is(caplog, key, params):
    asyncio.run(LogAlerts().send(Alert(ts=1, level=Level.CRITICAL, key=key, params=params)))
    (record,) = caplog.records
    assert key in record.getMessage()
    assert str(params) in record.getMessage()


def test_one_that_fails_does_not_keep_an_alert_from_the_others(caplog):
    class Keeps:
        def __init__(self) -> None:
            self.heard: list[Alert] = []

        async def send(self, alert: Alert) -> None:
            self.heard.append(alert)

    class Fails:
        async def send(self, alert: Alert) -> None:
            raise ConnectionError(alert.key)

    first, last = Keeps(), Keeps()
    asyncio.run(Fanout([first, Fails(), last]).send(ALERT))
    assert first.heard == last.heard == [ALERT]
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert vars(record)["to"] == "Fails"
