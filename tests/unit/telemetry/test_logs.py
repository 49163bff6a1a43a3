"""Log lines: what each has, and what none ever shows."""

import io
import json
import logging
from collections.abc import Iterator
from decimal import Decimal

import pytest
import structlog

from cambist.adapters.telemetry import logs
from cambist.adapters.telemetry.logs import REDACTED, about, set_up

CANARY = "c4n4ry/+Wx&9"


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(logs, "_hidden", logs.Redactor())  # what other tests have sealed is not hidden here
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(out: io.StringIO) -> list[dict]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_both_kinds_of_loggers_give_the_same_lines():
    out = io.StringIO()
    set_up(stream=out)
    with about(account="a1", bot="b7"):
        structlog.get_logger("cambist.engine").info("order sent", symbol="BTC/USDT", price=Decimal("1.10"))
        logging.getLogger("cambist.engine").info("order %s", "sent", extra={"symbol": "BTC/USDT", "price": 1.5})
    logging.getLogger("aiohttp").warning("slow")
    one, other, foreign = lines(out)
    assert one.pop("ts").endswith("Z")
    assert other.pop("ts").endswith("Z")
    known = {"account": "a1", "bot": "b7", "logger": "cambist.engine", "level": "info", "symbol": "BTC/USDT"}
    assert one == {"event": "order sent", **known, "price": "1.10"}
    assert other == {"event": "order sent", **known, "price": 1.5}
    assert (foreign["logger"], foreign["level"], foreign["event"]) == ("aiohttp", "warning", "slow")
    assert "bot" not in foreign


def test_levels_and_being_set_up_twice():
    first, second = io.StringIO(), io.StringIO()
    early = structlog.get_logger("early")
    set_up(stream=first, level="debug")
    early.debug("one")
    set_up(stream=second, level="warning")
    early.info("two")
    early.warning("three")
    logging.getLogger("early").info("four")
    assert [line["event"] for line in lines(first)] == ["one"]
    assert [line["event"] for line in lines(second)] == ["three"]


class Venue:
    def __repr__(self) -> str:
        return f"<Venue key {CANARY}>"


def every_way(log, redactor) -> None:
    """Log the canary in all the ways that come to mind."""
    redactor.add(CANARY)
    log.info("plain %s", CANARY)
    log.info(f"in the text {CANARY}, twice {CANARY}")
    log.info("object", extra={"venue": Venue(), "nested": {"list": [1, {"deep": ("x", CANARY)}], CANARY: 1}})
    log.info("bytes", extra={"body": f"a={CANARY}".encode()})
    log.info("in a URL", extra={"url": "https://x/?k=c4n4ry%2F%2BWx%269&z=1"})
    try:
        raise ConnectionError(f"refused for {CANARY}")
    except ConnectionError:
        log.exception("failed")
        log.error("failed", exc_info=True, stack_info=True)


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_known_secret_is_never_shown(form):
    out = io.StringIO()
    redactor = set_up(stream=out, form=form)
    every_way(logging.getLogger("cambist.any"), redactor)
    own = structlog.get_logger("cambist.own")
    own.info("key", value=CANARY, venue=Venue())
    try:
        raise ValueError(CANARY)
    except ValueError:
        own.exception("own failed")
    text = out.getvalue()
    assert "ValueError" in text
    assert "ConnectionError: refused for [redacted]" in text
    assert text.count(REDACTED) >= 12
    assert CANARY not in text
    assert "c4n4ry" not in text, "nor as it stands in a URL"


@pytest.mark.parametrize(
    "name",
    ["secret", "api_key", "apiKey", "API-Key", "X-MBX-APIKEY", "password", "bot_token", "Authorization", "signature"],
)
def test_what_stands_under_a_secrets_name_is_not_shown(name):
    out = io.StringIO()
    set_up(stream=out)
    unheard = "never-heard-of-42"
    log = logging.getLogger("cambist.any")
    log.info("field", extra={name: unheard, "headers": {name: [unheard]}})
    log.info(f"GET /order?symbol=BTCUSDT&{name}={unheard}&x=1")
    log.info(f'{{"{name}": "{unheard}", "symbol": "BTCUSDT"}}')
    log.info(f"{name}: Bearer {unheard}")
    text = out.getvalue()
    assert unheard not in text
    assert text.count(REDACTED) == 5
    assert text.count("BTCUSDT") == 2, "what is beside it stays"
    assert all(json.loads(line) for line in text.splitlines())


def test_passwords_in_urls_are_not_shown():
    out = io.StringIO()
    set_up(stream=out)
    logging.getLogger("cambist").info("opening postgresql+psycopg://trader:hunter2@db:5432/book")
    (line,) = lines(out)
    assert line["event"] == "opening postgresql+psycopg://trader:[redacted]@db:5432/book"


def test_what_is_no_secret_stays_as_it_is():
    out = io.StringIO()
    set_up(stream=out, secrets=["abc", "s3cr3t-value"])
    logging.getLogger("cambist").info(
        "abc keeps: %s", "BTC/USDT 10:30 key", extra={"keys": 3, "none": None, "yes": True, "bad": float("nan")}
    )
    (line,) = lines(out)
    assert line["event"] == "abc keeps: BTC/USDT 10:30 key", "values of three characters would black out the log"
    assert (line["keys"], line["none"], line["yes"], line["bad"]) == (3, None, True, "nan")


def test_a_long_line_takes_no_time():
    out = io.StringIO()
    set_up(stream=out, secrets=[CANARY])
    logging.getLogger("cambist").info("token" * 20_000 + CANARY)
    assert CANARY not in out.getvalue()


def test_a_line_that_cannot_be_written_shows_nothing_of_itself(capsys):
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError(CANARY)

    out = io.StringIO()
    set_up(stream=out)
    logging.getLogger("cambist").info("thing", extra={"thing": Broken(), "text": CANARY})
    logging.getLogger("cambist").info("next")
    assert [line["event"] for line in lines(out)] == ["next"]
    said = capsys.readouterr().err
    assert "could not be written (RuntimeError)" in said
    assert CANARY not in said
