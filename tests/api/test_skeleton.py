"""What every route has in common: problems, languages, ids, limits, tags, keys, rights."""

import asyncio
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.api.sites import Site, Visitor, site
from tests.databases import RedisServer, redis_program

from cambist.apps.api.app import MOST_BYTES
from cambist.apps.api.limits import Counters
from cambist.domain.person import Role
from cambist.execution.ids import client_id

PAPER = {"name": "main", "exchange": "simulated", "mode": "paper", "deposit": "1000"}
BOT = {
    "name": "b",
    "account": "main",
    "strategy": "ema_cross",
    "symbol": "BTC/USDT",
    "timeframe": "1m",
    "budget": "100",
}


@pytest.fixture
def here(tmp_path: Path):
    with site(tmp_path) as opened:
        yield opened


@pytest.fixture
def ann(here: Site) -> Visitor:
    visitor = here.person("ann")
    assert visitor.post("/brokers", PAPER).status_code == 201
    return visitor


def test_alive_and_ready(here: Site):
    assert here.anybody.get("/api/v1/health").json()["status"] == "ok"
    ready = here.anybody.get("/api/v1/ready")
    assert (ready.status_code, ready.json()["ready"], ready.json()["data_age_s"]) == (200, True, None)


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        ({}, "Sign in first"),
        ({"Accept-Language": "fr"}, "Connectez-vous d'abord"),
        ({"Accept-Language": "de, fr;q=0.4, en;q=0.9"}, "Sign in first"),
        ({"Accept-Language": "fr;q=x"}, "Sign in first"),
    ],
)
def test_who_is_nobody_is_told_so_in_their_language(here: Site, headers: dict[str, str], detail: str):
    response = here.anybody.get("/api/v1/bots", headers=headers)
    problem = response.json()
    assert (response.status_code, response.headers["content-type"]) == (401, "application/problem+json")
    assert response.headers["www-authenticate"] == "Bearer"
    assert problem["detail"].startswith(detail)
    assert problem["request_id"] == response.headers["x-request-id"]


def test_the_profile_s_language_counts_where_the_request_names_none(ann: Visitor):
    assert ann.patch("/me", {"language": "fr"}).status_code == 200
    assert ann.get("/bots/none").json()["title"] == "Introuvable"
    assert ann.get("/bots/none", headers={"Accept-Language": "en"}).json()["title"] == "Not found"


def test_a_request_s_own_id_is_kept_if_it_is_harmless(here: Site):
    def given(name: str) -> str:
        return here.anybody.get("/api/v1/health", headers={"X-Request-Id": name}).headers["x-request-id"]

    assert given("mine-1.a_b") == "mine-1.a_b"
    assert given("<script>") != "<script>"
    assert len(given("x" * 65)) < 65


@pytest.mark.parametrize(
    ("change", "field", "value", "remedy"),
    [
        ({"budget": 0.1}, "budget", "0.1", "decimal number as text"),
        ({"budget": "-5"}, "budget", "-5", "above 0"),
        ({"budget": "NaN"}, "budget", "NaN", "decimal number as text"),
        ({"budget": None}, "budget", None, "decimal number"),
        ({"nonsense": 1}, "nonsense", None, "no such field"),
        ({"timeframe": "7m"}, "timeframe", "7m", "1m"),
        ({"strategy": "/etc/passwd"}, "strategy", "/etc/passwd", "built-in"),
        ({"strategy": "stored:99@1"}, "strategy", "stored:99@1", ""),
        ({"symbol": "BTCUSDT"}, "symbol", "BTCUSDT", "USDT"),
        ({"pyramiding": 0}, "pyramiding", "0", "at least 1"),
        ({"params": {"fast": "x"}}, "fast", "x", ""),
    ],
)
def test_what_is_wrong_is_named_with_its_value_and_what_would_be_right(
    ann: Visitor, change: dict[str, object], field: str, value: str | None, remedy: str
):
    response = ann.post("/bots", BOT | change)
    problem = response.json()
    if response.status_code == 404:  # a stored strategy that is not hers does not exist
        assert "stored" in field or field == "strategy"
        return
    assert response.status_code == 422, problem
    assert (problem["field"], problem["value"]) == (field, value)
    assert remedy in problem["remedy"]
    assert ann.get("/bots").json() == []


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", "/bots", BOT | {"params": {"\ud800": 1}}, "params"),
        ("POST", "/bots", BOT | {"params": {"a\0": 1}}, "params"),
        ("POST", "/bots", BOT | {"symbol": "\0\n/USDT"}, "symbol"),
        ("POST", "/bots", BOT | {"account": "main\0"}, "account"),
        ("PUT", "/accounts/main/limits", {"changes": {"\ud800": "1"}}, "changes"),
        ("PUT", "/accounts/main/limits", {"changes": {"\0": "1"}}, "changes"),
    ],
)
def test_what_no_database_takes_is_a_bad_value(
    ann: Visitor, method: str, path: str, body: dict[str, object], field: str
):
    answer = ann.ask(method, path, content=json.dumps(body), headers={"Content-Type": "application/json"})
    assert answer.status_code == 422, answer.text
    assert answer.json()["field"].partition(".")[0] == field


def test_a_secret_that_is_wrong_is_not_told_back(here: Site):
    response = here.anybody.post("/api/v1/auth/login", json={"name": "ann", "password": ["hunter2"]})
    assert response.status_code == 422
    assert "hunter2" not in response.text


def test_no_route_no_method_no_json(ann: Visitor):
    assert ann.get("/nowhere").json()["type"] == "urn:cambist:problem:not_found"
    assert ann.delete("/health").status_code == 405
    broken = ann.ask("POST", "/bots", content=b"{", headers={"Content-Type": "application/json"})
    assert (broken.status_code, broken.json()["remedy"]) == (422, "Send valid JSON.")
    assert broken.json()["field"] == "body"


@pytest.mark.parametrize(
    ("given", "remedy"),
    [
        ({"content": b'{"name": "ann", "password": "hunter2"}'}, "application/json"),  # and its type left out
        ({"json": [{"name": "ann", "password": "hunter2"}]}, "object"),
    ],
)
def test_a_body_that_is_none_is_not_told_back_for_it_may_hold_a_password(here: Site, given: Any, remedy: str):
    answer = here.anybody.post("/api/v1/auth/login", **given)
    problem = answer.json()
    assert (answer.status_code, problem["field"], problem["value"]) == (422, "body", None)
    assert remedy in problem["remedy"]
    assert "hunter2" not in answer.text


def test_a_body_that_is_too_large_is_refused_whether_its_length_is_told_or_not(ann: Visitor):
    body = json.dumps({"name": "x" * MOST_BYTES}).encode()
    assert ann.ask("POST", "/bots", content=body).status_code == 413
    assert ann.ask("POST", "/bots", content=iter([body])).status_code == 413


def test_what_has_not_changed_is_not_sent_again(ann: Visitor):
    first = ann.get("/bots")
    tag = first.headers["etag"]
    again = ann.get("/bots", headers={"If-None-Match": f'"other", {tag}'})
    assert (again.status_code, again.content) == (304, b"")
    assert ann.post("/bots", BOT).status_code == 201
    changed = ann.get("/bots", headers={"If-None-Match": tag})
    assert (changed.status_code, len(changed.json())) == (200, 1)


def test_a_keyed_request_is_done_once(ann: Visitor):
    headers = {"Idempotency-Key": "k1"}
    first = ann.post("/bots", BOT, headers=headers)
    again = ann.post("/bots", BOT, headers=headers)
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    other = ann.post("/bots", BOT | {"name": "c"}, headers=headers)
    assert (other.status_code, other.json()["field"]) == (422, "Idempotency-Key")
    assert ann.post("/bots", BOT, headers={"Idempotency-Key": "a b"}).status_code == 422
    assert len(ann.get("/bots").json()) == 1


def test_a_key_belongs_to_one_person(here: Site, ann: Visitor):
    bob = here.person("bob")
    assert bob.post("/brokers", PAPER, headers={"Idempotency-Key": "k"}).status_code == 201
    assert ann.post("/brokers", PAPER | {"name": "two"}, headers={"Idempotency-Key": "k"}).status_code == 201


def test_of_many_at_once_with_one_key_one_is_done(ann: Visitor):
    with ThreadPoolExecutor(8) as pool:
        sent = [pool.submit(ann.post, "/bots", BOT, headers={"Idempotency-Key": "k"}) for _ in range(8)]
        codes = {one.result().status_code for one in sent}
    assert codes <= {201, 409}
    assert len(ann.get("/bots").json()) == 1


def test_who_asks_too_often_waits(here: Site):
    ann = here.person("ann")
    here.services.office.people.change(ann.id, limits={"requests_per_minute": 3})
    here.services.office.forget()
    answers = [ann.get("/bots") for _ in range(5)]
    assert [one.status_code for one in answers] == [200, 200, 200, 429, 429]
    assert [one.headers["ratelimit-remaining"] for one in answers[:3]] == ["2", "1", "0"]
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert here.person("bob").get("/bots").status_code == 200  # it is hers alone


def test_while_redis_is_away_nothing_is_counted_and_nobody_served(tmp_path: Path):
    with site(tmp_path, BUS_URL="redis://:hunter2@127.0.0.1:1/0") as here:
        for answer in (here.person("ann").get("/me"), here.anybody.post("/api/v1/hooks/abc", content="x")):
            assert (answer.status_code, answer.json()["key"]) == (503, "bus.failed")
            assert answer.headers["x-request-id"] == answer.json()["request_id"]
            assert "hunter2" not in answer.text
        assert here.anybody.get("/api/v1/health").status_code == 200


def test_nobody_waits_for_good_for_a_redis_that_says_nothing(tmp_path: Path):
    silent = socket.create_server(("127.0.0.1", 0))  # takes connections, and never answers
    with silent, site(tmp_path, BUS_URL=f"redis://127.0.0.1:{silent.getsockname()[1]}/0") as here:
        answer = here.person("ann").get("/me")
        assert (answer.status_code, answer.json()["key"]) == (503, "bus.failed")
        assert here.anybody.get("/api/v1/health").status_code == 200


def test_a_redis_that_was_restarted_counts_on(tmp_path: Path):
    redis = RedisServer(redis_program(), tmp_path)

    async def counted() -> list[bool]:
        counters = Counters(redis.url)
        before, _, _ = await counters.count("ann", 5)
        redis.stop()
        redis.start()
        after, _, _ = await counters.count("ann", 5)  # over the connection that it had
        await counters.close()
        return [before, after]

    redis.start()
    try:
        assert asyncio.run(counted()) == [True, True]
    finally:
        redis.stop()


def test_other_pages_are_let_in_by_list(tmp_path: Path):
    with site(tmp_path, CAMBIST_ORIGINS="https://desk.example") as here:
        for origin, allowed in (("https://desk.example", "https://desk.example"), ("https://evil.example", None)):
            headers = {"Origin": origin, "Access-Control-Request-Method": "GET"}
            answer = here.anybody.options("/api/v1/bots", headers=headers)
            assert answer.headers.get("access-control-allow-origin") == allowed


def test_a_page_elsewhere_may_read_every_header_of_ours(tmp_path: Path):
    with site(tmp_path, CAMBIST_ORIGINS="https://desk.example") as here:
        ann, origin = here.person("ann"), {"Origin": "https://desk.example"}
        keyed = origin | {"Idempotency-Key": "k-1"}
        answers = [ann.get("/bots", headers=origin), *(ann.post("/brokers", PAPER, headers=keyed) for _ in range(2))]
        readable = {name.strip().lower() for name in answers[0].headers["access-control-expose-headers"].split(",")}
        told = {name for one in answers for name in one.headers if name.startswith(("x-", "rate", "idem", "etag"))}
        assert told - {"x-content-type-options", "x-frame-options"} <= readable


def test_proxies_are_believed_only_where_they_are_ours(tmp_path: Path):
    def seen(folder: Path, proxies: str) -> str:
        with site(folder, CAMBIST_TRUSTED_PROXIES=proxies) as here:
            ann = here.person("ann")
            headers = {"X-Forwarded-For": "203.0.113.9, 10.0.0.7"}
            assert ann.post("/brokers", PAPER, headers=headers).status_code == 201
            return here.services.office.audit.latest(1)[0].address

    assert seen(tmp_path / "a", "") == "testclient"
    assert seen(tmp_path / "b", "10.0.0.0/8") == "testclient"  # the peer is no proxy of ours


@pytest.mark.parametrize("role", list(Role))
def test_rights_go_with_the_role(here: Site, role: Role):
    here.person("first")
    visitor = here.person("somebody", role)
    codes = {
        "read": visitor.get("/bots").status_code,
        "trade": visitor.post("/bots", BOT).status_code,
        "account": visitor.post("/brokers", PAPER).status_code,
        "admin": visitor.get("/users").status_code,
    }
    forbidden = {name for name, code in codes.items() if code == 403}
    assert (
        forbidden
        == {
            Role.VIEW: {"trade", "account", "admin"},
            Role.TRADE: {"admin"},
            Role.ADMIN: set(),
        }[role]
    )


def test_how_many_bots_somebody_may_have(here: Site, ann: Visitor):
    here.services.office.people.change(ann.id, limits={"max_bots": 1})
    here.services.office.forget()
    assert ann.post("/bots", BOT).status_code == 201
    second = ann.post("/bots", BOT | {"name": "c"})
    assert (second.status_code, second.json()["key"]) == (429, "running.most_bots")


def test_what_breaks_inside_is_told_by_its_number_alone(here: Site, ann: Visitor, monkeypatch: pytest.MonkeyPatch):
    def broken(*_: object) -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr(type(here.services.stores(ann.id).register), "bots", broken)
    response = ann.get("/bots")
    assert (response.status_code, response.json()["type"]) == (500, "urn:cambist:problem:internal")
    assert "secret detail" not in response.text


def test_a_bot_that_no_engine_has_seen_can_be_deleted(ann: Visitor):
    name = ann.post("/bots", BOT).json()["bot"]["id"]
    assert ann.delete(f"/bots/{name}").status_code == 204
    assert ann.get(f"/bots/{name}").status_code == 404


@pytest.mark.parametrize("answer", ["Sent: {}, {}.", "Envoyé : {}, {}."])
def test_what_the_engine_has_sent_is_told_by_its_ids_whatever_the_language(here: Site, ann: Visitor, answer: str):
    assert ann.post("/bots", BOT).status_code == 201
    asked = ann.post("/bots/b/sell?wait_s=0", {}).json()
    assert asked["orders"] == []
    sent = [client_id(f"b|{leg}", "BTC/USDT") for leg in (1, 2)]
    here.services.stores(ann.id).register.answer(asked["id"], 7, answer.format(*sent))
    assert ann.get(f"/requests/{asked['id']}").json()["orders"] == sent


def test_what_was_made_is_found_where_its_answer_says(here: Site):
    ann = here.person("ann", Role.ADMIN)
    webhook = {"name": "tv", "account": "main", "markets": [{"symbol": "BTC/USDT", "budget": "100"}]}
    for path, body in (("/brokers", PAPER), ("/webhooks", webhook), ("/users", {"name": "bob"}), ("/bots", BOT)):
        made = ann.post(path, body)
        assert made.status_code == 201, made.text
        assert here.anybody.get(made.headers["Location"], headers={"Authorization": f"Bearer {ann.token}"}).is_success
