"""Coming in, oneself, people, tokens, sessions, invitations and the audit, by REST."""

from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest
from starlette.testclient import TestClient
from tests.api.sites import Site, site
from tests.offices import PASSWORD

from cambist.accounts import passwords
from cambist.domain.person import Role
from cambist.usecases import oneself
from cambist.usecases.signing_in import set_debug_login

API = "/api/v1"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path) as opened:
        opened.person("admin", Role.ADMIN)
        yield opened


def with_password(here: Site, name: str = "ann", role: Role = Role.TRADE) -> int:
    kept = passwords.hashed(PASSWORD, b"s" * passwords.SALT)
    return here.services.office.people.add(name, kept, role, here.services.now_ms()).id


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def login(here: Site, **given: object):
    body = {"name": "ann", "password": PASSWORD, **given}
    return here.anybody.post(f"{API}/auth/login", json=body)


# -- coming in


def test_sign_in_renew_and_sign_out(here: Site):
    user = with_password(here)
    signed = login(here)
    assert signed.status_code == 200
    body = signed.json()
    assert (body["user_id"], body["name"], body["role"]) == (user, "ann", "trade")
    assert body["scopes"] == ["account", "read", "trade"]
    assert 0 < body["expires_ms"] - here.services.now_ms() <= 900_000
    assert "set-cookie" not in signed.headers
    me = here.anybody.get(f"{API}/me", headers=bearer(body["access_token"]))
    assert (me.json()["name"], me.json()["session"]) == ("ann", body["session"])

    renewed = here.anybody.post(f"{API}/auth/refresh", json={"refresh_token": body["refresh_token"]})
    assert renewed.status_code == 200
    out = here.anybody.post(f"{API}/auth/logout", headers=bearer(renewed.json()["access_token"]))
    assert out.status_code == 204
    for token in (body["access_token"], renewed.json()["access_token"]):
        refused = here.anybody.get(f"{API}/me", headers=bearer(token))
        assert (refused.status_code, refused.json()["key"]) == (401, "people.session_over")


def test_the_refresh_token_may_live_in_a_cookie_that_no_script_reads(here: Site):
    with_password(here)
    signed = login(here, cookie=True)
    assert signed.json()["refresh_token"] is None
    cookie = signed.headers["set-cookie"]
    for attribute in ("HttpOnly", "SameSite=strict", "Path=/api/v1/auth", "Max-Age=259"):
        assert attribute in cookie, cookie
    first = here.anybody.cookies["cambist_refresh"]
    renewed = here.anybody.post(f"{API}/auth/refresh", json={})
    assert (renewed.status_code, renewed.json()["refresh_token"]) == (200, None)
    assert here.anybody.cookies["cambist_refresh"] != first
    here.anybody.post(f"{API}/auth/logout", headers=bearer(renewed.json()["access_token"]))
    assert "cambist_refresh" not in here.anybody.cookies


def test_over_https_the_cookie_is_secure(here: Site):
    with_password(here)
    here.anybody.base_url = "https://testserver"
    assert "Secure" in login(here, cookie=True).headers["set-cookie"]


@pytest.mark.parametrize(
    ("peer", "told", "secure"),
    [
        ("10.0.0.7", "https", True),
        ("10.0.0.7", "HTTPS", True),
        ("10.0.0.7", "http", False),
        ("10.0.0.7", "gopher", False),
        ("203.0.113.9", "https", False),  # no proxy of ours
    ],
)
def test_a_proxy_of_ours_that_ends_tls_makes_the_cookie_secure(tmp_path: Path, peer: str, told: str, secure: bool):
    with site(tmp_path, CAMBIST_TRUSTED_PROXIES="10.0.0.0/8") as here:
        with_password(here)
        here.anybody = TestClient(here.app, client=(peer, 5_000), headers={"X-Forwarded-Proto": told})
        assert ("Secure" in login(here, cookie=True).headers["set-cookie"]) is secure


def test_a_refresh_token_used_twice_ends_the_session(here: Site):
    with_password(here)
    first = login(here).json()
    second = here.anybody.post(f"{API}/auth/refresh", json={"refresh_token": first["refresh_token"]}).json()
    again = here.anybody.post(f"{API}/auth/refresh", json={"refresh_token": first["refresh_token"]})
    assert (again.status_code, again.json()["key"]) == (401, "people.session_over")
    assert here.anybody.get(f"{API}/me", headers=bearer(second["access_token"])).status_code == 401
    assert here.anybody.post(f"{API}/auth/refresh", json={}).status_code == 401


def test_who_fails_waits(here: Site):
    with_password(here)
    failed = [login(here, password="not-my-password") for _ in range(5)]
    assert {one.status_code for one in failed} == {401}
    assert {one.json()["key"] for one in failed} == {"people.wrong_password"}
    waiting = login(here)
    assert (waiting.status_code, waiting.headers["retry-after"]) == (429, "1")


def test_errors_are_in_the_language_asked_for_and_name_the_field(here: Site):
    here.person("bob")
    bob = here.person("bob")
    answer = bob.patch("/me", {"time_zone": "Mars/Olympus"}, headers={"Accept-Language": "fr"})
    assert answer.status_code == 422
    assert (answer.json()["field"], answer.json()["value"]) == ("time_zone", "Mars/Olympus")
    assert "fuseau" in answer.json()["remedy"]


def test_registration(here: Site):
    admin = here.person("admin")
    asked = {"name": "newcomer", "password": PASSWORD}
    assert here.anybody.post(f"{API}/auth/register", json=asked).status_code == 403
    assert here.person("bob").put("/registration", {"mode": "open"}).status_code == 403
    assert admin.put("/registration", {"mode": "invitation"}).json() == {"mode": "invitation"}
    assert here.anybody.get(f"{API}/auth/options").json()["registration"] == "invitation"
    made = admin.post("/invitations", {"role": "view"})
    assert made.status_code == 201
    (row,) = admin.get("/invitations").json()
    assert row["id"] == made.json()["id"]
    assert "invitation" not in row
    joined = here.anybody.post(f"{API}/auth/register", json={**asked, "invitation": made.json()["invitation"]})
    assert (joined.status_code, joined.json()["role"]) == (201, "view")
    assert here.anybody.get(f"{API}/me", headers=bearer(joined.json()["access_token"])).json()["name"] == "newcomer"
    assert admin.get("/invitations").json() == []
    other = admin.post("/invitations", {}).json()
    assert admin.delete(f"/invitations/{other['id']}").status_code == 204
    assert admin.delete(f"/invitations/{other['id']}").status_code == 404


def test_the_second_factor(here: Site):
    with_password(here)
    token = login(here).json()["access_token"]
    begun = here.anybody.post(f"{API}/auth/totp", headers=bearer(token)).json()
    app = pyotp.TOTP(begun["secret"])
    now_s = here.services.now_ms() // 1000
    confirmed = here.anybody.post(f"{API}/auth/totp/confirm", json={"code": app.at(now_s)}, headers=bearer(token))
    assert confirmed.status_code == 200
    codes = confirmed.json()["recovery_codes"]
    assert len(codes) == 10
    needed = login(here)
    assert (needed.status_code, needed.json()["key"]) == (401, "people.code_needed")
    assert login(here, code=app.at(now_s)).json()["key"] == "people.wrong_code"
    assert login(here, code=codes[0]).status_code == 200
    assert here.anybody.get(f"{API}/me", headers=bearer(token)).json()["second_factor"] is True
    off = {"password": PASSWORD, "code": codes[1]}
    assert here.anybody.post(f"{API}/auth/totp/off", json=off, headers=bearer(token)).status_code == 204
    assert login(here).status_code == 200


# -- the debug login


def test_without_the_variable_there_is_no_debug_login(here: Site):
    assert here.anybody.get(f"{API}/auth/options").json() == {
        "registration": "closed",
        "debug_allowed": False,
        "debug_login": False,
    }
    for answer in (
        here.anybody.put(f"{API}/auth/debug", json={"on": True}),
        here.anybody.post(f"{API}/auth/debug"),
    ):
        assert answer.status_code == 403
        assert "x-cambist-debug-login" not in answer.headers
    assert here.anybody.get(f"{API}/me").status_code == 401


def test_with_the_variable_the_switch_lets_everybody_in_as_dev_and_every_answer_says_so(tmp_path: Path):
    with site(tmp_path, CAMBIST_DEBUG_LOGIN="true") as here:
        here.person("admin", Role.ADMIN)
        before = here.anybody.get(f"{API}/health")
        assert "x-cambist-debug-login" not in before.headers
        on = here.anybody.put(f"{API}/auth/debug", json={"on": True})
        assert on.json()["debug_login"] is True
        me = here.anybody.get(f"{API}/me")
        assert (me.json()["name"], me.json()["role"]) == ("dev", "trade")
        for answer in (on, me, here.anybody.get(f"{API}/health"), here.anybody.get(f"{API}/nothing")):
            assert answer.headers["x-cambist-debug-login"] == "on"
        assert here.anybody.get(f"{API}/ready").json()["debug_login"] is True
        assert here.anybody.get(f"{API}/users").status_code == 403
        signed = here.anybody.post(f"{API}/auth/debug").json()
        assert here.anybody.get(f"{API}/me", headers=bearer(signed["access_token"])).json()["session"] is not None
        assert here.person("admin").get("/me").json()["name"] == "admin", "who signs in is still themselves"
        assert here.anybody.get(f"{API}/me", headers=bearer("x")).status_code == 401, "a wrong token is not dev"
        here.anybody.put(f"{API}/auth/debug", json={"on": False})
        assert here.anybody.get(f"{API}/me").status_code == 401
        set_debug_login(here.services.office, on=True, visit=_visit(here))
    with site(tmp_path) as again:
        assert again.anybody.get(f"{API}/me").status_code == 401


def _visit(here: Site):
    from cambist.usecases.office import Visit

    return Visit(now_ms=here.services.now_ms(), actor="test")


# -- oneself


def test_my_choices(here: Site):
    ann = here.person("ann")
    assert ann.get("/me").json()["theme"] is None
    changed = ann.patch("/me", {"theme": "dark", "language": "fr", "time_zone": "local", "currency": "EUR"})
    assert changed.status_code == 200
    assert {name: changed.json()[name] for name in ("theme", "language", "time_zone", "currency")} == {
        "theme": "dark",
        "language": "fr",
        "time_zone": "local",
        "currency": "EUR",
    }
    assert ann.patch("/me", {"theme": None}).json()["theme"] is None
    assert ann.get("/me").json()["currency"] == "EUR"
    assert "Choisissez" in ann.patch("/me", {"default_account": "x"}).json()["remedy"], "in the language of the profile"


def test_my_ai_key_goes_in_and_never_comes_out(here: Site):
    ann = here.person("ann")
    set_ = ann.put("/me/ai", {"provider": "openrouter", "model": "some/model", "key": "sk-canary-1234"})
    assert set_.json() == {"provider": "openrouter", "url": None, "model": "some/model", "key_is_set": True}
    assert "canary" not in ann.get("/me").text
    assert ann.put("/me/ai", {"provider": "off"}).json()["key_is_set"] is False
    assert here.person("vera", Role.VIEW).put("/me/ai", {"provider": "off"}).status_code == 403


def test_my_password(here: Site):
    with_password(here)
    one, two = login(here).json(), login(here).json()
    change = {"password": PASSWORD, "new_password": "another-long-one"}
    wrong = {"password": "not-this-one", "new_password": "another-long-one"}
    refused = here.anybody.post(f"{API}/me/password", json=wrong, headers=bearer(one["access_token"]))
    assert (refused.status_code, refused.json()["field"], refused.json()["value"]) == (422, "password", None)
    done = here.anybody.post(f"{API}/me/password", json=change, headers=bearer(one["access_token"]))
    assert done.status_code == 204
    assert here.anybody.get(f"{API}/me", headers=bearer(one["access_token"])).status_code == 200
    assert here.anybody.get(f"{API}/me", headers=bearer(two["access_token"])).status_code == 401
    assert login(here).status_code == 401
    assert login(here, password="another-long-one").status_code == 200


def test_my_sessions(here: Site):
    ann = here.person("ann")
    other, bob = here.person("ann"), here.person("bob")
    rows = ann.get("/sessions").json()
    assert sorted(row["current"] for row in rows) == [False, True]
    (theirs,) = bob.get("/sessions").json()
    assert ann.delete(f"/sessions/{theirs['id']}").status_code == 404
    assert ann.delete(f"/sessions/{'0' * 32}").status_code == 404
    assert ann.delete("/sessions").json() == {"ended": 1}
    assert other.get("/me").status_code == 401
    (left,) = ann.get("/sessions").json()
    assert ann.delete(f"/sessions/{left['id']}").status_code == 204
    assert ann.get("/me").status_code == 401
    assert bob.get("/me").status_code == 200


def test_my_api_tokens(here: Site):
    ann, bob = here.person("ann"), here.person("bob")
    made = ann.post("/tokens", {"name": "notebook", "scopes": ["read"]})
    assert made.status_code == 201
    text, token = made.json()["token"], made.json()["id"]
    me = here.anybody.get(f"{API}/me", headers=bearer(text)).json()
    assert (me["name"], me["scopes"], me["token"], me["session"]) == ("ann", ["read"], token, None)
    (row,) = ann.get("/tokens").json()
    assert "token" not in row
    assert row["used_ms"] is not None
    assert bob.get("/tokens").json() == []
    assert bob.delete(f"/tokens/{token}").status_code == 404
    assert ann.post("/tokens", {"name": "x", "scopes": ["admin"]}).status_code == 403
    assert ann.delete(f"/tokens/{token}").status_code == 204
    assert here.anybody.get(f"{API}/me", headers=bearer(text)).status_code == 401


def test_an_api_token_does_not_change_how_one_comes_in(here: Site):
    ann = here.person("ann")
    text = ann.post("/tokens", {"name": "x", "scopes": ["read", "trade", "account"]}).json()["token"]
    for method, path, body in (
        ("POST", "/tokens", {"name": "y", "scopes": ["read"]}),
        ("POST", "/auth/totp", None),
        ("POST", "/auth/totp/confirm", {"code": "123456"}),
        ("POST", "/auth/totp/off", {"code": "123456", "password": PASSWORD}),
        ("POST", "/me/password", {"password": PASSWORD, "new_password": "another-long-one"}),
        ("PATCH", "/me", {"default_account": None}),
        ("GET", "/sessions", None),
        ("DELETE", "/sessions", None),
    ):
        answer = here.anybody.request(method, f"{API}{path}", json=body, headers=bearer(text))
        assert (answer.status_code, answer.json()["key"]) == (403, "people.session_only"), path


def test_there_is_an_end_to_tokens(here: Site, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(oneself, "_MOST_TOKENS", 1)
    ann = here.person("ann")
    first, second = (ann.post("/tokens", {"name": name, "scopes": ["read"]}) for name in "ab")
    assert (first.status_code, second.status_code, second.json()["key"]) == (201, 409, "people.tokens_full")
    assert ann.delete(f"/tokens/{first.json()['id']}").status_code == 204
    assert ann.post("/tokens", {"name": "c", "scopes": ["read"]}).status_code == 201


def test_a_repeated_key_makes_one_token_and_shows_it_once(here: Site):
    ann, key = here.person("ann"), {"Idempotency-Key": "one"}
    first = ann.post("/tokens", {"name": "x", "scopes": ["read"]}, headers=key)
    again = ann.post("/tokens", {"name": "x", "scopes": ["read"]}, headers=key)
    assert (first.status_code, again.status_code) == (201, 409)
    assert first.json()["token"] not in again.text
    assert len(ann.get("/tokens").json()) == 1


# -- people


def test_admins_add_change_and_shut_out(here: Site):
    admin = here.person("admin")
    made = admin.post("/users", {"name": "carl", "role": "view"}).json()
    signed = here.anybody.post(f"{API}/auth/login", json={"name": "carl", "password": made["password"]})
    token = bearer(signed.json()["access_token"])
    assert signed.json()["role"] == "view"
    assert admin.get(f"/users/{made['id']}").json()["name"] == "carl"
    limits = {"max_bots": 3, "max_notional": "1000.50"}
    changed = admin.patch(f"/users/{made['id']}", {"limits": limits}).json()
    assert changed["limits"] == limits
    assert here.anybody.get(f"{API}/me", headers=token).json()["limits"] == limits
    assert admin.patch(f"/users/{made['id']}", {"limits": {"max_bots": None}}).json()["limits"] == {
        "max_notional": "1000.50"
    }
    assert admin.patch(f"/users/{made['id']}", {"role": "trade"}).json()["role"] == "trade"
    assert here.anybody.get(f"{API}/me", headers=token).status_code == 401
    assert admin.patch(f"/users/{made['id']}", {"active": False}).json()["active"] is False
    given = admin.post(f"/users/{made['id']}/password", {}).json()
    assert given["password"] not in (None, made["password"])
    assert admin.post("/users", {"name": "carl"}).status_code == 409
    assert admin.get("/users/999999").status_code == 404


def test_people_come_a_page_at_a_time(here: Site):
    admin = here.person("admin")
    names = ["admin", *(here.person(f"user{number}").person.name for number in range(4))]
    found, after = [], None
    while True:
        page = admin.get("/users", params={"limit": 2, **({"after": after} if after else {})}).json()
        found += [row["name"] for row in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert found == names


def test_the_last_admin_stays(here: Site):
    admin = here.person("admin")
    for change in ({"role": "trade"}, {"active": False}):
        refused = admin.patch("/users/1", change)
        assert (refused.status_code, refused.json()["key"]) == (403, "people.last_admin")
    assert admin.get("/me").status_code == 200


@pytest.mark.parametrize("role", [Role.VIEW, Role.TRADE])
def test_nobody_else_manages_people(here: Site, role: Role):
    bob = here.person("bob", role)
    for method, path, body in (
        ("GET", "/users", None),
        ("GET", "/users/1", None),
        ("POST", "/users", {"name": "x2"}),
        ("PATCH", "/users/1", {"active": False}),
        ("POST", "/users/1/password", {}),
        ("GET", "/invitations", None),
        ("POST", "/invitations", {}),
        ("PUT", "/registration", {"mode": "open"}),
        ("GET", "/audit/verify", None),
    ):
        assert bob.ask(method, path, json=body).status_code == 403, path


# -- the audit


def test_each_reads_what_concerns_them_and_admins_all(here: Site):
    admin, ann, bob = here.person("admin"), here.person("ann"), here.person("bob")
    admin.patch(f"/users/{ann.id}", {"limits": {"max_bots": 1}}, headers={"X-Request-Id": "asked-1"})
    (newest, *_) = ann.get("/audit").json()["items"]
    assert (newest["action"], newest["actor"], newest["request_id"]) == ("limits.changed", "admin", "asked-1")
    assert newest["address"] == "", "where an admin was is not for others"
    assert {row["user_id"] for row in ann.get("/audit").json()["items"]} == {ann.id}
    assert {row["user_id"] for row in bob.get(f"/audit?user_id={ann.id}").json()["items"]} == {bob.id}
    everything = admin.get("/audit?limit=500").json()["items"]
    assert {row["user_id"] for row in everything} >= {1, ann.id, bob.id}
    assert everything[0]["address"] != ""
    of_ann = admin.get("/audit", params={"user_id": ann.id, "limit": 1}).json()
    assert [row["seq"] for row in of_ann["items"]] == [newest["seq"]]
    assert of_ann["next"] is not None
    whole = admin.get("/audit/verify").json()
    assert (whole["whole"], whole["count"], whole["last_hash"]) == (True, len(everything), everything[0]["hash"])
