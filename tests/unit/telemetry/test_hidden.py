"""Secrets that were opened in this process, and tokens that are known by their form, stay out of log lines."""

import io
import json
import logging
import threading
from collections.abc import Iterator

import pytest
import structlog

from cambist.accounts import tokens
from cambist.adapters.telemetry import logs
from cambist.adapters.telemetry.logs import REDACTED, Redactor, hide, set_up
from cambist.domain.person import SCOPES, Role


@pytest.fixture(autouse=True)
def as_before(monkeypatch) -> Iterator[None]:
    monkeypatch.setattr(logs, "_hidden", Redactor())
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_what_was_hidden_before_and_after_logging_was_set_up_stays_hidden():
    out = io.StringIO()
    hide("opened before the log")
    set_up(stream=out)
    hide("opened after it")
    set_up(stream=out)
    logging.getLogger("x").info("a %s", "opened before the log")
    logging.getLogger("x").info("b", extra={"venue": {"said": "opened after it, at once"}})
    first, second = (json.loads(line) for line in out.getvalue().splitlines())
    assert first["event"] == f"a {REDACTED}"
    assert second["venue"] == {"said": f"{REDACTED}, at once"}


def test_tokens_are_known_by_their_form():
    made = tokens.made(bytes(range(48)))
    access = tokens.AccessTokens(b"k" * 32).issue(7, "sid", Role.VIEW, SCOPES[Role.VIEW], 1_800_000_000_000)
    for token in (made.pair, made.api_token, access):
        assert Redactor().text(f"came with {token}, and went") == f"came with {REDACTED}, and went"
    assert Redactor().text(f"session {made.id} ended") == f"session {made.id} ended"


def test_secrets_may_be_hidden_by_many_at_once():
    redactor, gate = Redactor(), threading.Barrier(8)
    names = [[f"secret {thread}-{number}" for number in range(50)] for thread in range(8)]

    def tell(mine: list[str]) -> None:
        gate.wait()
        for secret in mine:
            redactor.add(secret)

    threads = [threading.Thread(target=tell, args=(mine,)) for mine in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(redactor.text(secret) == REDACTED for mine in names for secret in mine)
