"""Webhooks over the API: made, tried, called; who may call, once; each person's own."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Event
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.api.sites import Site, Visitor, site

from cambist.adapters.storage.register import SqlRegister
from cambist.adapters.storage.webhooks import SqlWebhooks
from cambist.domain.account import AccountSpec, Mode, owned_id
from cambist.domain.person import Role
from cambist.usecases import webhooks
from cambist.usecases.receiving import signature

MARKETS = [{"symbol": "BTC/USDT", "budget": "1000"}, {"symbol": "ETH/USDT", "budget": "500"}]
EXIT = [{"kind": "exit"}]
_people = count(1)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory):
    with site(tmp_path_factory.mktemp("home")) as opened:
        yield opened


@pytest.fixture
def ann(here: Site) -> Visitor:
    return with_account(here, f"ann{next(_people)}")


@pytest.fixture
def bob(here: Site, ann: Visitor) -> Visitor:
    return with_account(here, f"bob{next(_people)}")


def with_account(here: Site, name: str) -> Visitor:
    visitor = here.person(name)
    spec = AccountSpec(id=account(visitor), user_id=visitor.id, venue="simulated", mode=Mode.PAPER, quote="USDT")
    here.services.stores(visitor.id).register.add_account(spec)
    return visitor


def account(visitor: Visitor) -> str:
    return owned_id("paper", visitor.id)


def bot(visitor: Visitor, base: str) -> str:
    return owned_id(f"tv-{base}-usdt", visitor.id)


def made(visitor: Visitor, **given: Any) -> dict[str, Any]:
    plain = {"name": "tv", "account": account(visitor), "markets": MARKETS, "addresses": []}
    response = visitor.post("/webhooks", plain | given)
    assert response.status_code == 201, response.text
    found: dict[str, Any] = response.json()
    return found


def call(here: Site, webhook: dict[str, Any], body: Any, *, path: str = "", **given: Any) -> Any:
    content = body if isinstance(body, str | bytes) else json.dumps(body)
    return here.anybody.post(path or webhook["path"], content=content, **given)


def signed(here: Site, webhook: dict[str, Any], body: str, **changes: str) -> Any:
    now = str(here.services.now_ms() // 1_000)
    told = {"timestamp": now, "nonce": "n-12345678", "secret": webhook["secret"], "over": body} | changes
    headers = {
        "X-Cambist-Timestamp": told["timestamp"],
        "X-Cambist-Nonce": told["nonce"],
        "X-Cambist-Signature": signature(told["secret"], told["timestamp"], told["nonce"], told["over"].encode()),
    }
    return call(here, webhook, body, headers=headers)


def journal(visitor: Visitor, webhook: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = visitor.get(f"/webhooks/{webhook['id']}/calls").json()["items"]
    return found


def wished(here: Site, visitor: Visitor) -> list[dict[str, Any]]:
    """Return what the engine is asked for, of alerts."""
    waiting = here.services.stores(visitor.id).register.waiting()
    return [{"bot": one.bot, **json.loads(one.params)} for one in waiting if one.action == "wish"]


# -- set up -----------------------------------------------------------------------------------------------------------


def test_a_webhook_comes_with_a_bot_for_each_market_and_a_secret_shown_once(here, ann):
    webhook = made(ann, pyramiding=3)
    register = here.services.stores(ann.id).register
    bots = {bot.symbol: bot for bot in register.bots()}
    assert {symbol: bot.id for symbol, bot in bots.items()} == webhook["bots"]
    assert set(webhook["bots"].values()) == {bot(ann, "btc"), bot(ann, "eth")}
    assert {(bot.strategy, bot.params["webhook"], bot.pyramiding) for bot in bots.values()} == {
        ("webhook", webhook["id"], 3)
    }
    assert [(one.action, one.bot) for one in register.waiting()] == [
        ("start", bot(ann, "btc")),
        ("start", bot(ann, "eth")),
    ]
    assert len(webhook["id"]) == 22
    assert len(webhook["secret"]) == 43
    assert webhook["secret"] in webhook["templates"]["strategy"]
    for read in (
        ann.get("/webhooks"),
        ann.get(f"/webhooks/{webhook['id']}"),
        ann.get(f"/webhooks/{webhook['id']}/templates"),
    ):
        assert read.status_code == 200
        assert webhook["secret"] not in read.text
    assert ann.get("/webhooks").json() == [{k: v for k, v in webhook.items() if k not in ("secret", "templates")}]


def test_tradingview_may_call_from_its_own_addresses_alone_unless_told_otherwise(ann):
    webhook = made(ann, addresses=None)
    assert webhook["addresses"] == ["52.89.214.238", "34.212.75.30", "54.218.53.128", "52.32.178.7"]
    assert (
        made(ann, name="own", addresses=None, kind="generic", markets=[{"symbol": "SOL/USDT", "budget": "1"}])[
            "addresses"
        ]
        == []
    )


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": "Upper"}, "name"),
        ({"name": "a" * 17}, "name"),
        ({"markets": []}, "markets"),
        ({"markets": [MARKETS[0], {"symbol": "btc/usdt", "budget": "5"}]}, "symbols"),
        ({"markets": [{"symbol": "BTC/EUR", "budget": "5"}]}, "symbol"),
        ({"markets": [{"symbol": "BTCUSDT", "budget": "5"}]}, "symbol"),
        ({"markets": [{"symbol": "BTC/USDT", "budget": "0"}]}, "budget"),
        ({"addresses": ["here"]}, "addresses"),
        ({"window_s": 0}, "window_s"),
        ({"defaults": {"unit": "fraction", "size": "1.1"}}, "size"),
        ({"defaults": {"unit": "notional", "size": "-1"}}, "size"),
        ({"defaults": {"stop_loss": "1"}}, "stop_loss"),
        ({"defaults": {"take_profit": "0"}}, "take_profit"),
        ({"kind": "carrier-pigeon"}, "kind"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_and_nothing_stays(here, ann, given, field):
    plain = {"name": "tv", "account": account(ann), "markets": MARKETS}
    response = ann.post("/webhooks", plain | given)
    assert (response.status_code, response.json()["field"]) == (422, field), response.text
    assert ann.get("/webhooks").json() == []
    assert here.services.stores(ann.id).register.bots() == []


def test_a_second_one_of_a_name_leaves_the_first_alone(here, ann):
    first = made(ann)
    assert ann.post("/webhooks", {"name": "tv", "account": account(ann), "markets": MARKETS}).status_code == 409
    # deleted, it leaves its bots behind: their history is not another's
    assert ann.delete(f"/webhooks/{first['id']}").status_code == 204
    again = ann.post(
        "/webhooks",
        {"name": "tv", "account": account(ann), "markets": [{"symbol": "SOL/USDT", "budget": "1"}, *MARKETS]},
    )
    assert (again.status_code, again.json()["field"]) == (422, "bot")
    assert ann.get("/webhooks").json() == []
    assert {bot.id for bot in here.services.stores(ann.id).register.bots()} == set(first["bots"].values())
    asked = [(one.action, one.bot) for one in here.services.stores(ann.id).register.waiting()]
    assert asked[-2:] == [("stop", bot(ann, "btc")), ("stop", bot(ann, "eth"))]


def test_a_webhook_changes_and_takes_one_more_market(here, ann):
    webhook = made(ann)
    path = f"/webhooks/{webhook['id']}"
    changed = ann.patch(path, {"active": False, "window_s": 5, "defaults": {"unit": "notional", "size": "50"}}).json()
    assert (changed["active"], changed["window_s"], changed["defaults"]["size"]) == (False, 5, "50")
    assert changed["addresses"] == []
    assert ann.post(f"{path}/markets", {"symbol": "SOL/USDT", "budget": "5"}).json()["bots"]["SOL/USDT"] == bot(
        ann, "sol"
    )
    assert ann.post(f"{path}/markets", {"symbol": "SOL/USDT", "budget": "5"}).status_code == 422
    assert ann.get(path).json()["bots"].keys() == {"BTC/USDT", "ETH/USDT", "SOL/USDT"}


def test_no_more_bots_than_an_admin_allows(here, ann):
    here.services.office.people.change(ann.id, limits={"max_bots": 1})
    here.services.office.forget()
    response = ann.post("/webhooks", {"name": "tv", "account": account(ann), "markets": MARKETS})
    assert (response.status_code, response.json()["key"]) == (429, "webhook.too_many_bots")


def test_there_is_an_end_to_webhooks(here, ann, monkeypatch):
    made(ann)
    monkeypatch.setattr(webhooks, "MOST_WEBHOOKS", 1)
    response = ann.post("/webhooks", {"name": "more", "account": account(ann), "markets": MARKETS})
    assert (response.status_code, response.json()["key"]) == (429, "webhook.too_many_kept")
    assert len(here.services.stores(ann.id).register.bots()) == len(MARKETS)


def test_of_webhooks_made_at_once_none_has_more_bots_than_an_admin_allows(here, ann, monkeypatch):
    here.services.office.people.change(ann.id, limits={"max_bots": 1})
    here.services.office.forget()
    real, held, go = SqlRegister.add_bot, Event(), Event()

    def add_bot(self, *given):  # the first is held after it has found room
        if not held.is_set():
            held.set()
            go.wait(30)
        real(self, *given)

    monkeypatch.setattr(SqlRegister, "add_bot", add_bot)
    wanted = {"account": account(ann), "markets": MARKETS[:1]}
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(ann.post, "/webhooks", {"name": "late"} | wanted)
        assert held.wait(30)
        second = ann.post("/webhooks", {"name": "early"} | wanted)
        go.set()
    assert second.status_code == 201
    assert (first.result().status_code, first.result().json()["key"]) == (429, "webhook.too_many_bots")
    assert [one["name"] for one in ann.get("/webhooks").json()] == ["early"]
    assert len(here.services.stores(ann.id).register.bots()) == 1


def test_what_is_done_with_webhooks_is_audited(here, ann):
    webhook = made(ann)
    ann.patch(f"/webhooks/{webhook['id']}", {"preview": True})
    ann.post(f"/webhooks/{webhook['id']}/secret")
    ann.delete(f"/webhooks/{webhook['id']}")
    deeds = ann.get("/audit").text
    for action in ("webhook.added", "webhook.changed", "webhook.secret", "webhook.removed"):
        assert action in deeds


# -- calls ------------------------------------------------------------------------------------------------------------


def test_a_call_asks_the_engine_and_is_written_down_without_its_secret(here, ann):
    webhook = made(ann, defaults={"unit": "fraction", "size": "0.5", "stop_loss": "0.02"})
    came = call(here, webhook, {"secret": webhook["secret"], "action": "buy", "ticker": "BINANCE:BTCUSDT", "note": 1})
    assert came.status_code == 202, came.text
    told = came.json()
    wish = {
        "kind": "enter",
        "side": "buy",
        "fraction": "0.5",
        "limit": None,
        "stop_loss": "0.02",
        "take_profit": None,
        "trailing_stop": None,
    }
    assert (told["outcome"], told["symbol"], told["wishes"], told["ignored"]) == (
        "accepted",
        "BTC/USDT",
        [wish],
        ["note"],
    )
    assert wished(here, ann) == [{"bot": bot(ann, "btc"), "wishes": [wish]}]
    (kept,) = journal(ann, webhook)
    assert kept["wish"] == {"bot": bot(ann, "btc"), "symbol": "BTC/USDT", "wishes": [wish]}
    assert (kept["outcome"], kept["why"], kept["request"], kept["id"]) == (
        "accepted",
        "",
        told["request"],
        told["call"],
    )
    assert webhook["secret"] not in json.dumps(kept)
    assert '"secret": "***"' in kept["body"]
    here.services.stores(ann.id).register.answer(told["request"], 7, "sent c-1")
    one = ann.get(f"/webhooks/calls/{told['call']}").json()
    assert (one["done_ms"], one["answer"]) == (7, "sent c-1")


@pytest.mark.parametrize("form", ["text/plain", "application/x-www-form-urlencoded", "application/json", None])
def test_any_form_with_the_secret_in_body_or_address_will_do(here, ann, form):
    webhook = made(ann)
    headers = {} if form is None else {"Content-Type": form}
    bodies = {"application/json": json.dumps({"action": "close", "symbol": "BTCUSDT", "key": webhook["secret"]})}
    body = bodies.get(form, f"action=close&symbol=BTCUSDT&passphrase={webhook['secret']}")
    assert call(here, webhook, body, headers=headers).status_code == 202
    assert call(here, webhook, "CLOSE ETHUSDT", path=f"{webhook['path']}?secret={webhook['secret']}").status_code == 202
    assert [one["bot"] for one in wished(here, ann)] == [bot(ann, "btc"), bot(ann, "eth")]


def test_who_cannot_prove_it_learns_nothing(here, ann):
    webhook = made(ann)
    body = {"action": "buy", "symbol": "BTCUSDT", "secret": "wrong"}
    unknown = call(here, webhook, body, path="/api/v1/hooks/AAAAAAAAAAAAAAAAAAAAAA")
    refused = [
        call(here, webhook, body),
        call(here, webhook, {"action": "buy", "symbol": "BTCUSDT"}),
        call(here, webhook, "", path=webhook["path"]),
        call(here, webhook, b"\xff\xfe"),
        call(here, webhook, body, path=f"{webhook['path']}?secret=wr%C3%B6ng"),
    ]
    said = [{k: v for k, v in one.json().items() if k != "request_id"} for one in (unknown, *refused)]
    assert all(one == said[0] for one in said)
    assert said[0]["status"] == 404
    assert wished(here, ann) == []
    kept = journal(ann, webhook)
    assert {one["outcome"] for one in kept} == {"forbidden"}
    assert {one["why_key"] for one in kept} == {"webhook.wrong_secret", "webhook.no_secret"}
    assert len(kept) == 5


def test_only_allowed_addresses_may_call(here, ann):
    webhook = made(ann, addresses=["10.0.0.0/8"])
    assert call(here, webhook, f"BUY BTCUSDT secret={webhook['secret']}").status_code == 404
    assert journal(ann, webhook)[0]["why_key"] == "webhook.wrong_address"


def test_behind_a_proxy_that_is_trusted_the_address_is_the_senders(tmp_path):
    with site(tmp_path, CAMBIST_TRUSTED_PROXIES="10.1.0.0/16") as here:
        ann = with_account(here, "ann")
        webhook = made(ann, addresses=["52.89.214.238"])
        body = f"BUY BTCUSDT secret={webhook['secret']}"
        for proxy, sender, status in (
            ("10.1.2.3", "52.89.214.239", 404),
            ("10.9.2.3", "52.89.214.238", 404),
            ("10.1.2.3", "52.89.214.238", 202),
        ):
            client = TestClient(here.app, client=(proxy, 50_000))
            answer = client.post(webhook["path"], content=body, headers={"X-Forwarded-For": sender})
            assert answer.status_code == status
        assert [one["address"] for one in journal(ann, webhook)] == ["52.89.214.238", "10.9.2.3", "52.89.214.239"]


def test_what_is_wrong_with_an_owners_call_is_told_and_kept(here, ann):
    webhook = made(ann)
    response = call(here, webhook, {"secret": webhook["secret"], "action": "hodl", "symbol": "BTCUSDT"})
    problem = response.json()
    assert (response.status_code, problem["field"], problem["value"]) == (422, "action", "hodl")
    template = ann.get(f"/webhooks/{webhook['id']}/templates").json()["templates"]["strategy"]
    response = call(here, webhook, template.replace("<secret>", webhook["secret"]))
    assert response.json()["key"] == "webhook.placeholder"
    kept = journal(ann, webhook)
    assert [one["outcome"] for one in kept] == ["refused", "refused"]
    assert "hodl" in kept[1]["why"]
    french = ann.get(f"/webhooks/{webhook['id']}/calls", headers={"Accept-Language": "fr"}).json()["items"][1]["why"]
    assert "ne convient pas" in french
    assert webhook["secret"] not in json.dumps(kept)
    assert wished(here, ann) == []


def test_one_that_is_off_or_in_preview_asks_for_nothing(here, ann):
    webhook = made(ann, preview=True)
    body = f"BUY BTCUSDT secret={webhook['secret']}"
    came = call(here, webhook, body)
    assert (came.status_code, came.json()["outcome"], came.json()["request"]) == (200, "preview", None)
    ann.patch(f"/webhooks/{webhook['id']}", {"active": False})
    assert call(here, webhook, body + " id=2").json()["key"] == "webhook.inactive"
    assert [one["outcome"] for one in journal(ann, webhook)] == ["refused", "preview"]
    assert journal(ann, webhook)[1]["wish"]["bot"] == bot(ann, "btc")
    assert wished(here, ann) == []


@pytest.mark.parametrize("change", [{"active": False}, {"role": Role.VIEW}], ids=str)
def test_who_may_not_trade_any_more_has_no_alerts_acted_on(here, ann, bob, change):
    webhook = made(bob)
    here.services.office.people.change(bob.id, **change)
    assert call(here, webhook, f"BUY BTCUSDT secret={webhook['secret']}").status_code == 404
    kept = here.services.stores(bob.id).webhooks.calls(webhook["id"])
    assert [one.why["key"] for one in kept] == ["webhook.owner"]


def test_a_new_secret_ends_the_old_one_at_once(here, ann):
    webhook = made(ann)
    assert call(here, webhook, f"BUY BTCUSDT secret={webhook['secret']} id=1").status_code == 202
    new = ann.post(f"/webhooks/{webhook['id']}/secret").json()["secret"]
    assert new != webhook["secret"]
    assert call(here, webhook, f"BUY BTCUSDT secret={webhook['secret']} id=2").status_code == 404
    assert call(here, webhook, f"BUY BTCUSDT secret={new} id=3").status_code == 202


def test_a_change_at_the_same_time_brings_back_neither_the_old_secret_nor_what_was_switched_off(here, ann, monkeypatch):
    webhook = made(ann)
    path = f"/webhooks/{webhook['id']}"
    assert call(here, webhook, f"BUY BTCUSDT secret={webhook['secret']} id=1").status_code == 202
    real, held, go = SqlWebhooks.change, Event(), Event()

    def change(self, *given):  # the first is held when the webhook has been looked at
        if not held.is_set():
            held.set()
            go.wait(30)
        return real(self, *given)

    monkeypatch.setattr(SqlWebhooks, "change", change)
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(ann.patch, path, {"window_s": 31})
        assert held.wait(30)
        new = ann.post(f"{path}/secret").json()["secret"]
        assert call(here, webhook, f"BUY BTCUSDT secret={new} id=2").status_code == 202
        assert not ann.patch(path, {"active": False}).json()["active"]
        assert "SOL/USDT" in ann.post(f"{path}/markets", {"symbol": "SOL/USDT", "budget": "5"}).json()["bots"]
        go.set()
    assert late.result().status_code == 200
    found = ann.get(path).json()
    assert (found["active"], found["window_s"]) == (False, 31)
    assert found["bots"].keys() == {"BTC/USDT", "ETH/USDT", "SOL/USDT"}
    ann.patch(path, {"active": True})
    assert call(here, webhook, f"BUY BTCUSDT secret={webhook['secret']} id=3").status_code == 404
    assert call(here, webhook, f"BUY BTCUSDT secret={new} id=4").status_code == 202


# -- once -------------------------------------------------------------------------------------------------------------


def iso(ms: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ms / 1_000))


def test_a_call_is_acted_on_once(here, ann):
    webhook, now = made(ann), here.services.now_ms()
    for more in ({"id": "a-1"}, {"time": iso(now)}, {}):
        body = {"secret": webhook["secret"], "action": "buy", "symbol": "BTCUSDT", **more}
        outcomes = [call(here, webhook, body).json()["outcome"] for _ in range(3)]
        assert outcomes == ["accepted", "repeated", "repeated"]
    other = {"secret": webhook["secret"], "action": "sell", "symbol": "BTCUSDT", "id": "a-1"}
    assert call(here, webhook, other).json()["outcome"] == "repeated"
    assert len(wished(here, ann)) == 3


def test_a_call_that_was_sent_too_long_ago_is_stale(here, ann):
    webhook, now = made(ann), here.services.now_ms()
    for then, status in ((now - 40_000, 422), (now + 45_000, 422), (now - 20_000, 202)):
        body = {"secret": webhook["secret"], "action": "buy", "symbol": "BTCUSDT", "time": iso(then)}
        assert call(here, webhook, body).status_code == status
    assert [one["outcome"] for one in journal(ann, webhook)] == ["accepted", "stale", "stale"]
    assert "{{timenow}}" in journal(ann, webhook)[1]["why"]


def test_of_twenty_at_once_one_is_acted_on(here, ann):
    webhook = made(ann)
    body = f"BUY BTCUSDT secret={webhook['secret']}"
    with ThreadPoolExecutor(20) as threads:
        came = list(threads.map(lambda _: call(here, webhook, body), range(20)))
    outcomes = sorted(one.json()["outcome"] for one in came)
    assert outcomes == ["accepted"] + ["repeated"] * 19
    assert len(wished(here, ann)) == 1
    assert len(journal(ann, webhook)) == 20


# -- those who sign ---------------------------------------------------------------------------------------------------


def test_who_signs_needs_no_secret_in_the_body(here, ann):
    webhook = made(ann, kind="generic")
    (body,) = webhook["templates"].values()
    assert webhook["secret"] not in body
    assert signed(here, webhook, body).status_code == 202
    assert signed(here, webhook, body).json()["outcome"] == "repeated"
    assert signed(here, webhook, "SELL BTCUSDT").json()["outcome"] == "repeated"  # a nonce is good for one call
    assert signed(here, webhook, body, nonce="n-87654321").status_code == 202
    assert len(wished(here, ann)) == 2


def test_who_signs_anew_after_a_timeout_is_acted_on_once_by_the_id(here, ann):
    webhook = made(ann, kind="generic")
    body = '{"action": "buy", "symbol": "BTCUSDT", "id": "a-1"}'
    outcomes = [signed(here, webhook, body, nonce=f"n-{number:08}").json()["outcome"] for number in (1, 2, 1)]
    assert outcomes == ["accepted", "repeated", "repeated"]
    assert len(wished(here, ann)) == 1


def test_a_signature_is_of_this_body_this_moment_and_this_secret(here, ann):
    webhook, now = made(ann, kind="generic"), here.services.now_ms()
    wrong = [
        {"over": "BUY ETHUSDT"},
        {"secret": "another"},
        {"nonce": "short"},
        {"timestamp": "soon"},
    ]
    assert {signed(here, webhook, "BUY BTCUSDT", **one).status_code for one in wrong} == {404}
    assert call(here, webhook, f"BUY BTCUSDT secret={webhook['secret']}").status_code == 404
    late = signed(here, webhook, "BUY BTCUSDT", timestamp=str(now // 1_000 - 70))
    assert (late.status_code, late.json()["key"]) == (422, "webhook.stale")
    assert signed(here, webhook, "BUY BTCUSDT", timestamp=str(now - 50_000)).status_code == 202
    assert {one["outcome"] for one in journal(ann, webhook)} == {"forbidden", "stale", "accepted"}


# -- bounds -----------------------------------------------------------------------------------------------------------


def test_a_large_body_is_not_read(here, ann):
    webhook = made(ann)
    assert call(here, webhook, b"x" * 16_385).status_code == 413
    assert call(here, webhook, b"x" * 16_384).status_code == 404
    assert call(here, webhook, b"x", headers={"Content-Type": "image/png"}).json()["field"] == "Content-Type"


def test_a_webhook_that_is_called_too_often_is_told_to_wait(here, ann):
    webhook = made(ann)
    paths = (webhook["path"], "/api/v1/hooks/BBBBBBBBBBBBBBBBBBBBBB")
    for path in paths:  # whether there is one or not
        came: list[int] = []
        while 429 not in came and len(came) < 200:  # a minute may end meanwhile, and count less
            came.append(call(here, webhook, "x", path=path).status_code)
        assert (came[-1], set(came[:-1])) == (429, {404})
        assert len(came) > 60


def test_a_body_can_be_tried_out(here, ann):
    webhook = made(ann)
    path = f"/webhooks/{webhook['id']}/try"
    told = ann.post(path, {"body": "SELL ETHUSDT comment=x"}).json()
    assert told == {"bot": bot(ann, "eth"), "symbol": "ETH/USDT", "wishes": EXIT, "ignored": ["comment"]}
    assert ann.post(path, {"body": "SELL DOGE"}).json()["field"] == "symbol"
    assert journal(ann, webhook) == []


# -- two people -------------------------------------------------------------------------------------------------------


def test_each_sees_and_touches_their_own(here, ann, bob):
    webhook = made(ann)
    number = call(here, webhook, f"BUY BTCUSDT secret={webhook['secret']}").json()["call"]
    assert bob.get("/webhooks").json() == []
    assert bob.get("/webhooks/calls").json()["items"] == []
    there, nowhere = webhook["id"], "AAAAAAAAAAAAAAAAAAAAAA"
    asked = [
        ("GET", "/webhooks/{}", None),
        ("PATCH", "/webhooks/{}", {"active": False}),
        ("DELETE", "/webhooks/{}", None),
        ("POST", "/webhooks/{}/secret", None),
        ("GET", "/webhooks/{}/templates", None),
        ("GET", "/webhooks/{}/calls", None),
        ("POST", "/webhooks/{}/try", {"body": "BUY"}),
        ("POST", "/webhooks/{}/markets", {"symbol": "SOL/USDT", "budget": "1"}),
    ]
    for method, path, body in asked:
        found = [bob.ask(method, path.format(one), json=body) for one in (there, nowhere)]
        said = [one.text.replace(one.json()["request_id"], "").replace(there, nowhere) for one in found]
        assert [one.status_code for one in found] == [404, 404]
        assert said[0] == said[1]
    assert bob.get(f"/webhooks/calls/{number}").status_code == 404
    assert ann.get(f"/webhooks/calls/{number}").status_code == 200
    assert bob.post("/webhooks", {"name": "tv", "account": account(ann), "markets": MARKETS}).status_code == 404
    assert made(bob)["bots"]["BTC/USDT"] == bot(bob, "btc")
    assert bot(bob, "btc") != bot(ann, "btc")


def test_a_viewer_reads_and_makes_none(here, ann):
    viewer = here.person(f"vera{next(_people)}", Role.VIEW)
    assert viewer.get("/webhooks").status_code == 200
    assert viewer.post("/webhooks", {"name": "tv", "account": account(ann), "markets": MARKETS}).status_code == 403
    assert here.anybody.get("/api/v1/webhooks").status_code == 401
