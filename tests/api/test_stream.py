"""The stream of the whole API: real people, real sessions, the bus of the process."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect
from tests.api.sites import Site, Visitor, settings_in, site

from cambist.apps.api.app import create
from cambist.apps.api.services import open_services
from cambist.apps.api.stream.door import Door, Limits
from cambist.apps.api.stream.tickets import Tickets
from cambist.domain.account import AccountSpec, Mode
from cambist.domain.person import Role
from cambist.ports import bus

STREAM = "/api/v1/stream"
ALL = ["orders", "fills", "positions", "bots", "jobs", "alerts", "requests", "ticks"]


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path) as opened:
        yield opened


def publish(here: Site, topic: str, **message: Any) -> None:
    assert here.anybody.portal is not None
    here.anybody.portal.call(here.services.bus.publish, topic, message)


def told(socket: WebSocketTestSession, kind: str) -> dict[str, Any]:
    message: dict[str, Any] = socket.receive_json()
    assert message["type"] == kind, message
    return message


def listen(socket: WebSocketTestSession, *topics: str) -> list[dict[str, Any]]:
    """Subscribe, and return the snapshots that come first."""
    told(socket, "welcome")
    socket.send_json({"type": "subscribe", "topics": topics})
    snapshots = []
    while (message := socket.receive_json())["type"] == "snapshot":
        snapshots.append(message)
    assert message["type"] == "subscribed"
    return snapshots


def opened(here: Site, visitor: Visitor) -> Any:
    ticket = visitor.post("/stream/ticket")
    assert ticket.status_code == 201
    return here.anybody.websocket_connect(f"{STREAM}?ticket={ticket.json()['ticket']}")


def test_a_ticket_needs_somebody_and_opens_once(here):
    assert here.anybody.post(f"{STREAM}/ticket").status_code == 401
    visitor = here.person("ann")
    ticket = visitor.post("/stream/ticket").json()["ticket"]
    with here.anybody.websocket_connect(f"{STREAM}?ticket={ticket}") as socket:
        assert told(socket, "welcome")["user_id"] == visitor.id
    with here.anybody.websocket_connect(f"{STREAM}?ticket={ticket}") as socket:
        assert told(socket, "error")["code"] == 4401
        with pytest.raises(WebSocketDisconnect):
            socket.receive_json()


def test_tickets_are_issued_in_the_loop_that_redeems_them(here, monkeypatch):
    loops = []
    issue = Tickets.issue

    def issued(tickets: Tickets, token: str) -> str:
        loops.append(asyncio.get_running_loop())  # raises in a thread
        return issue(tickets, token)

    monkeypatch.setattr(Tickets, "issue", issued)
    assert here.person("ann").post("/stream/ticket").status_code == 201
    assert len(loops) == 1


def test_everybody_hears_their_own_and_an_admin_no_more_than_that(here):
    admin, ann, bob = here.person("root"), here.person("ann"), here.person("bob")
    assert admin.person.role is Role.ADMIN
    with opened(here, admin) as his, opened(here, ann) as hers, opened(here, bob) as theirs:
        for socket in (his, hers, theirs):
            listen(socket, *ALL)
        for topic in (bus.ORDERS, bus.FILLS, bus.JOBS, bus.ALERTS, bus.ANSWERS):
            publish(here, topic, id=f"{topic}:1", user_id=ann.id)
        publish(here, bus.TICKS, id="tick", venue="binance", symbol="BTC/USDT", price="1", ts=1)
        got = [hers.receive_json() for _ in range(6)]
        assert [one["topic"] for one in got] == ["orders", "fills", "jobs", "alerts", "requests", "ticks"]
        for socket in (his, theirs):
            assert told(socket, "event")["topic"] == "ticks"  # and nothing before it


def test_a_subscription_to_bots_begins_with_ones_own_accounts(here):
    ann, bob = here.person("ann"), here.person("bob")
    for visitor in (ann, bob):
        spec = AccountSpec(
            id=f"main.{visitor.id}", user_id=visitor.id, venue="simulated", mode=Mode.PAPER, quote="USDT", settings={}
        )
        here.services.stores(visitor.id).register.add_account(spec)
    with opened(here, bob) as socket:
        bots, positions = listen(socket, "bots", "positions")
        assert [account["account"] for account in bots["data"]] == [f"main.{bob.id}"]
        assert positions["data"][0]["held"] == []


def test_signing_out_closes_the_stream(tmp_path):
    services = open_services(settings_in(tmp_path))
    app = create(services)
    door = app.state.door = Door(app.state.door.hub, services.identify, (), Limits(look_s=0.05, round_s=0.02))
    services.background[-1] = door.run
    with TestClient(app, raise_server_exceptions=False) as client:
        here = Site(services, app, client)
        ann, again = here.person("ann"), here.person("ann")
        with opened(here, ann) as socket, opened(here, again) as other:
            listen(socket, "orders")
            listen(other, "orders")
            assert ann.post("/auth/logout").status_code in (200, 204)
            assert told(socket, "error")["code"] == 4401
            with pytest.raises(WebSocketDisconnect) as closed:
                socket.receive_json()
            assert closed.value.code == 4401
            publish(here, bus.ORDERS, id="o1", user_id=ann.id)
            assert told(other, "event")["id"] == "o1"


def test_pages_elsewhere_are_refused_unless_they_are_listed(tmp_path):
    with site(tmp_path, CAMBIST_ORIGINS="https://cockpit.test") as here:
        token = here.person("ann").token
        headers = {"Authorization": f"Bearer {token}", "Origin": "https://cockpit.test"}
        with here.anybody.websocket_connect(STREAM, headers=headers) as socket:
            told(socket, "welcome")
        with (
            pytest.raises(WebSocketDisconnect),
            here.anybody.websocket_connect(STREAM, headers=headers | {"Origin": "https://evil.test"}),
        ):
            pass


# -- metrics ----------------------------------------------------------------------------------------------------------


def test_requests_are_measured_by_their_routes_and_shown_to_whoever_may(tmp_path):
    with site(tmp_path, CAMBIST_METRICS_TOKEN="measure-me") as here:
        ann = here.person("ann")
        for number in (7, 8, 9):
            ann.get(f"/strategies/{number}")
        here.anybody.get("/nowhere/at/all/4711")
        assert here.anybody.get("/metrics").status_code == 404  # the client's address is no address of this machine
        assert here.anybody.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 404
        shown = here.anybody.get("/metrics", headers={"Authorization": "Bearer measure-me"})
        assert shown.headers["content-type"].startswith("text/plain")
        route = "/api/v1/strategies/{strategy_id}"
        assert f'http_requests_total{{method="GET",route="{route}",status="404"}} 3.0' in shown.text
        assert f'http_request_duration_seconds_count{{route="{route}"}} 3.0' in shown.text
        assert 'http_requests_total{method="GET",route="(none)",status="404"} 3.0' in shown.text
        assert "4711" not in shown.text


@pytest.mark.parametrize(
    ("client", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("203.0.113.9", {}, 404),
        ("127.0.0.1", {"X-Forwarded-For": "203.0.113.9"}, 404),  # a proxy that nobody told us of
    ],
)
def test_without_a_token_metrics_are_for_this_machine(tmp_path, client, headers, status):
    app = create(open_services(settings_in(tmp_path)))
    with TestClient(app, client=(client, 1)) as asking:
        assert asking.get("/metrics", headers=headers).status_code == status
