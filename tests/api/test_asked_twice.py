"""What carries an Idempotency-Key happens once, whatever becomes of the answer, and only if it came whole."""

from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.api.sites import Site, Visitor, site
from tests.offices import PASSWORD, somebody

from cambist.adapters.storage.database import open_database
from cambist.adapters.storage.register import SqlRegister
from cambist.adapters.storage.tables.people import answered
from cambist.domain.errors import StorageFailed

BOT = {
    "name": "b",
    "account": "main",
    "strategy": "ema_cross",
    "symbol": "BTC/USDT",
    "timeframe": "1m",
    "budget": "100",
}


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path) as found:
        yield found


@pytest.fixture
def ann(here: Site) -> Visitor:
    found = here.person("ann")
    assert found.post("/brokers", {"name": "main", "exchange": "simulated", "mode": "paper"}).status_code == 201
    assert found.post("/bots", BOT).status_code == 201
    return found


def waiting(here: Site, ann: Visitor) -> list[tuple[str, str]]:
    return [(one.action, one.params) for one in here.services.stores(ann.id).register.waiting()]


def test_what_was_put_before_the_answer_failed_is_not_put_again(
    here: Site, ann: Visitor, monkeypatch: pytest.MonkeyPatch
):
    def away(*_: object) -> None:
        raise StorageFailed("database.failed", why="the connection was closed")

    keyed = {"Idempotency-Key": "sell-1"}
    with monkeypatch.context() as broken:
        broken.setattr(SqlRegister, "request", away)
        assert ann.post("/bots/b/sell?wait_s=0", {}, headers=keyed).status_code == 503
    again = ann.post("/bots/b/sell?wait_s=0", {}, headers=keyed)
    assert again.status_code == 202
    assert [action for action, _ in waiting(here, ann)] == ["sell"]
    assert ann.post("/bots/b/sell?wait_s=0", {}, headers={"Idempotency-Key": "sell-2"}).status_code == 202
    assert [action for action, _ in waiting(here, ann)] == ["sell", "sell"]


def test_a_repetition_is_answered_as_it_was_the_first_time_to_the_last_header(ann: Visitor):
    body, keyed = BOT | {"name": "c", "symbol": "ETH/USDT"}, {"Idempotency-Key": "make-1"}
    first, again = ann.post("/bots", body, headers=keyed), ann.post("/bots", body, headers=keyed)
    assert (again.status_code, again.content, again.headers["idempotency-replayed"]) == (201, first.content, "true")
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["content-type"] == first.headers["content-type"] == "application/json"
    refused = [ann.post("/bots", body, headers={"Idempotency-Key": "make-2"}) for _ in range(2)]
    assert refused[0].status_code == refused[1].status_code != 201
    assert refused[0].headers["content-type"] == refused[1].headers["content-type"] == "application/problem+json"


def test_what_is_kept_of_a_password_tells_nothing_without_the_server_s_key(tmp_path: Path):
    kept = []
    for name in ("one", "two"):
        with site(tmp_path / name) as here:
            ann = here.signed_in(somebody(here.services.office, "ann", password=True))
            body = {"password": PASSWORD, "new_password": "another-long-one"}
            answers = [ann.post("/me/password", body, headers={"Idempotency-Key": "once"}) for _ in range(2)]
            assert [(one.status_code, one.content) for one in answers] == [(204, b"")] * 2
            assert "idempotency-replayed" in answers[1].headers
            with open_database(here.services.settings.database_url).connect() as connection:
                kept.append(connection.execute(sa.text("SELECT request FROM answered")).scalar_one())
    # the same was asked at both: whoever has but the database cannot try what it was
    assert kept[0] != kept[1]


@pytest.mark.parametrize("arrived", [b"", b'{"sell": tr'])
def test_a_body_that_was_cut_off_does_nothing_and_leaves_the_key_free(here: Site, ann: Visitor, arrived: bytes):
    assert _cut_off(here, ann, "/bots/b/stop", arrived, "stop-1") == []
    assert waiting(here, ann) == []
    whole = ann.post("/bots/b/stop?wait_s=0", {"sell": True}, headers={"Idempotency-Key": "stop-1"})
    assert whole.status_code == 202
    assert waiting(here, ann) == [("stop", '{"sell": true}')]


def _cut_off(here: Site, ann: Visitor, path: str, arrived: bytes, key: str) -> list[int]:
    """Send a request whose connection breaks after ``arrived``; return the statuses that were answered."""
    headers = {
        "host": "x",
        "authorization": f"Bearer {ann.token}",
        "content-type": "application/json",
        "content-length": "31",
        "idempotency-key": key,
    }
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": f"/api/v1{path}",
        "raw_path": path.encode(),
        "query_string": b"wait_s=0",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("x", 80),
        "state": {},
    }
    messages: list[dict[str, Any]] = [{"type": "http.request", "body": arrived, "more_body": True}]
    answered: list[int] = []

    async def receive() -> MutableMapping[str, Any]:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            answered.append(message["status"])

    async def cut_off() -> None:
        await here.app(scope, receive, send)

    assert here.anybody.portal is not None
    here.anybody.portal.call(cut_off)
    return answered


def test_what_was_done_before_an_upgrade_is_not_to_be_done_under_another_key(here: Site, ann: Visitor):
    """The upgrade forgets what was asked, and what was answered, but not that it was done."""
    wanted = {"name": "x", "exchange": "simulated", "mode": "paper"}
    assert ann.post("/brokers", wanted, headers={"Idempotency-Key": "k"}).status_code == 201
    with open_database(here.services.settings.database_url).begin() as connection:
        connection.execute(sa.update(answered).values(request="", headers=None))
    assert ann.post("/brokers", wanted, headers={"Idempotency-Key": "k"}).json()["key"] == "api.key_shown"
