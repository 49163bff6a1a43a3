"""Brokers over the API: keys tried before they are kept, kept in the vault alone, and each seen by its owner alone."""

import asyncio
import json
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.api.sites import Site, Visitor, site
from tests.unit.ccxt.exchange_boxes import CANDLES, NOW, RULES, SYMBOLS

from cambist.adapters.venues.ccxt.catalogue import cards
from cambist.apps import bootstrap, house
from cambist.domain.account import AccountSpec, Mode
from cambist.domain.broker import KeyRights, KeyTest, Right
from cambist.domain.credentials import Credentials
from cambist.domain.errors import BadInput
from cambist.domain.person import Role
from cambist.engine.floor import LEASE
from cambist.simulators.binance import Customer
from cambist.simulators.binance.threaded import BinanceSimulator
from cambist.simulators.faults import Fault, Kind
from cambist.usecases import brokers

D = Decimal
KEY, SECRET = "canarykey5711", "canarysecret5711"
OTHER, LOOSE = "otherkey5711", "loosekey5711"
GIVEN = {"api_key": KEY, "secret": SECRET}
BROKER = {"name": "real", "exchange": "binance", "mode": "live", "credentials": GIVEN}
CUSTOMERS = [
    Customer(key=KEY, secret=SECRET, balances={"USDT": D("1000.10"), "BTC": D("0.5")}),
    Customer(key=OTHER, secret=SECRET, balances={"USDT": D(7)}),
    Customer(key=LOOSE, secret=SECRET, balances={"USDT": D(5)}, withdraws=True),
]


@contextmanager
def binance_box() -> Iterator[BinanceSimulator]:
    with BinanceSimulator(*CANDLES.values(), instruments=RULES, customers=CUSTOMERS, now_ms=NOW) as served:
        yield served


@pytest.fixture
def box() -> Iterator[BinanceSimulator]:
    with binance_box() as served:
        yield served


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a catalogue: to make it for every test would take two seconds each."""
    folder = tmp_path_factory.mktemp("catalogue")
    cards(folder)
    return folder


@pytest.fixture
def here(tmp_path: Path, box: BinanceSimulator, catalogue: Path) -> Iterator[Site]:
    shutil.copytree(catalogue, tmp_path, dirs_exist_ok=True)
    with site(tmp_path, CAMBIST_VENUE_URL=box.url) as opened:
        yield opened


@pytest.fixture
def ann(here: Site) -> Visitor:
    return here.person("ann")


@pytest.fixture
def bob(here: Site, ann: Visitor) -> Visitor:
    return here.person("bob")


def deeds(here: Site, action: str) -> list[dict[str, Any]]:
    return [
        {"user": row.user_id, "target": row.target} | json.loads(row.details)
        for row in here.services.office.audit.latest(100)
        if row.action == action
    ]


# -- adding -----------------------------------------------------------------------------------------------------------


def test_a_key_is_tried_kept_and_its_rights_are_shown(here, ann):
    added = ann.post("/brokers", BROKER)
    assert added.status_code == 201, added.text
    broker, test = added.json()["broker"], added.json()["test"]
    assert (broker["id"], broker["exchange"], broker["mode"], broker["has_key"]) == ("real", "binance", "live", True)
    assert {name: broker["rights"][name] for name in ("read", "trade", "withdraw")} == {
        "read": "yes", "trade": "yes", "withdraw": "no",
    }  # fmt: skip
    balances = {one["asset"]: one for one in test["balances"]}
    assert balances["USDT"]["total"] == "1000.10000000"
    assert balances["USDT"]["value"] == "1000.10000000"
    assert D(test["worth"]) == D(balances["BTC"]["value"]) + D("1000.10") > D("1000.10")
    assert ann.get("/brokers").json() == {"items": [broker], "next": None}
    assert ann.get("/brokers/real").json() == broker
    spec = here.services.stores(ann.id).register.accounts()[0]
    kept = brokers.kept_credentials(here.services.office.vault, spec)
    assert kept is not None
    assert (kept.api_key, kept.secret, kept.password) == (KEY, SECRET, "")
    assert deeds(here, "broker.added") == [
        {"user": ann.id, "target": "real", "exchange": "binance", "mode": "live", "withdraw": "no", "forced": False}
    ]


def test_trying_a_key_keeps_nothing(here, ann):
    tried = ann.post("/brokers/test", {"exchange": "binance", "mode": "live", "credentials": GIVEN})
    assert tried.status_code == 200
    assert tried.json()["rights"]["trade"] == "yes"
    assert ann.get("/brokers").json()["items"] == []


@pytest.mark.parametrize(
    ("changes", "field", "key"),
    [
        ({"credentials": {"api_key": "nobodyskey", "secret": SECRET}}, "api_key", "brokers.key_or_address"),
        ({"credentials": {"api_key": KEY, "secret": "wrong5711"}}, "secret", "brokers.wrong_secret"),
        ({"credentials": {"api_key": KEY}}, "secret", "venue.credentials"),
        ({"credentials": None}, "api_key", "venue.credentials"),
        ({"credentials": {"api_key": "two words", "secret": SECRET}}, "api_key", "brokers.garbled"),
        ({"credentials": {"api_key": KEY, "secret": "sécret"}}, "secret", "brokers.garbled"),
        ({"credentials": {"api_key": LOOSE, "secret": SECRET}}, "api_key", "brokers.may_withdraw"),
        ({"exchange": "kraken", "mode": "testnet"}, "mode", "brokers.no_testnet"),
        ({"exchange": "hyperliquid"}, "exchange", "brokers.only_shown"),
        ({"exchange": "binnance"}, "exchange", "brokers.no_exchange"),
        ({"name": "Not A Name"}, "name", "running.bad_id"),
        ({"mode": "paper"}, "mode", "brokers.paper_needs_none"),
        ({"mode": "paper", "exchange": "kraken", "credentials": None}, "exchange", "brokers.paper_markets"),
        ({"mode": "paper", "credentials": None, "deposit": "-1"}, "deposit", "running.amount"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_kept(here, ann, changes, field, key):
    for language in ("en", "fr"):
        answer = ann.post("/brokers", BROKER | changes, headers={"Accept-Language": language})
        assert answer.status_code == 422, answer.text
        problem = answer.json()
        assert (problem["field"], problem["key"]) == (field, key)
        assert len(problem["remedy"]) > 20
    assert ann.get("/brokers").json()["items"] == []
    assert not here.services.office.vault.holds(ann.id, "account:real", "api_key")


def test_a_key_that_may_withdraw_is_taken_only_if_forced_and_that_is_written_down(here, ann):
    body = BROKER | {"credentials": {"api_key": LOOSE, "secret": SECRET}, "force": True}
    added = ann.post("/brokers", body)
    assert added.status_code == 201
    assert added.json()["broker"]["rights"]["withdraw"] == "yes"
    (deed,) = deeds(here, "broker.added")
    assert (deed["withdraw"], deed["forced"]) == ("yes", True)


def test_a_name_is_taken_once_and_others_may_have_it_too(ann, bob):
    assert ann.post("/brokers", BROKER).status_code == 201
    again = ann.post("/brokers", BROKER)
    assert (again.status_code, again.json()["key"]) == (409, "brokers.name_taken")
    assert bob.post("/brokers", BROKER).json()["broker"]["id"] == f"real.{bob.id}"


def test_a_paper_account_needs_no_key(here, ann):
    added = ann.post("/brokers", {"name": "play", "exchange": "simulated", "mode": "paper", "deposit": "2500.50"})
    assert added.status_code == 201, added.text
    assert added.json()["test"] is None
    assert (added.json()["broker"]["has_key"], added.json()["broker"]["rights"]) == (False, None)
    (spec,) = here.services.stores(ann.id).register.accounts()
    assert spec.settings == {"deposit": "2500.50"}
    again = ann.post("/brokers/play/test")
    assert (again.status_code, again.json()["key"]) == (404, "brokers.paper_has_no_key")
    body = {"exchange": "simulated", "mode": "paper", "credentials": {"api_key": "k", "secret": "s"}}
    tried = ann.post("/brokers/test", body)
    assert (tried.status_code, tried.json()["field"]) == (422, "mode")
    listed = ann.post("/brokers/play/symbols")
    assert (listed.status_code, listed.json()["field"], listed.json()["value"]) == (422, "exchange", "simulated")
    assert ann.get("/symbols/lists").json() == []


def test_paper_markets_are_those_of_the_floor():
    assert brokers.PAPER_MARKETS == house.MARKETS


def test_an_exchange_that_cannot_be_reached_is_not_the_fault_of_the_key(ann, box):
    box.faults = [Fault(kind=Kind.STATUS, path="*/account", status=503, times=0)]
    answer = ann.post("/brokers", BROKER)
    assert (answer.status_code, answer.json()["key"]) == (503, "venue.unavailable")


# -- changing and looking ---------------------------------------------------------------------------------------------


def test_another_key_is_tried_before_it_replaces_the_old_one(here, ann):
    ann.post("/brokers", BROKER)
    refused = ann.patch("/brokers/real", {"credentials": {"api_key": KEY, "secret": "wrong5711"}})
    assert refused.status_code == 422
    refused = ann.patch("/brokers/real", {"credentials": {"api_key": LOOSE, "secret": SECRET}})
    assert refused.json()["key"] == "brokers.may_withdraw"
    assert D(ann.post("/brokers/real/test").json()["balances"][1]["total"]) == D("1000.10")
    changed = ann.patch("/brokers/real", {"credentials": {"api_key": OTHER, "secret": SECRET}})
    assert changed.status_code == 200, changed.text
    (balance,) = changed.json()["test"]["balances"]
    assert D(balance["total"]) == 7
    request = here.services.stores(ann.id).register.request(changed.json()["request"])
    assert (request.account, request.action) == ("real", "keys")
    assert D(ann.post("/brokers/real/test").json()["balances"][0]["total"]) == 7


def test_the_default_is_chosen_and_goes_with_its_broker(here, ann):
    first = ann.post("/brokers", {"name": "a", "exchange": "binance", "mode": "paper", "default": True}).json()
    assert first["broker"]["default"] is True
    ann.post("/brokers", {"name": "b", "exchange": "binance", "mode": "paper"})
    assert ann.patch("/brokers/b", {"default": True}).json()["broker"]["default"] is True
    assert [one["default"] for one in ann.get("/brokers").json()["items"]] == [False, True]
    assert ann.delete("/brokers/b").status_code == 204
    assert [one["default"] for one in ann.get("/brokers").json()["items"]] == [False]
    assert here.services.office.people.person(ann.id).profile.get("default_account") is None


def test_many_looks_at_balances_are_one_request(ann, box):
    ann.post("/brokers", BROKER)
    asked = len(box.requests("/api/v3/account"))
    assert asked == 1
    for _ in range(5):
        assert ann.get("/brokers/real/balances").json()["balances"][0]["asset"] == "BTC"
    assert len(box.requests("/api/v3/account")) == asked + 1


def test_pages_of_brokers_are_the_whole(ann):
    for name in "cab":
        ann.post("/brokers", {"name": name, "exchange": "binance", "mode": "paper"})
    first = ann.get("/brokers?limit=2").json()
    rest = ann.get(f"/brokers?limit=2&after={first['next']}").json()
    assert [one["id"] for one in first["items"] + rest["items"]] == ["a", "b", "c"]
    assert rest["next"] is None


# -- removing ---------------------------------------------------------------------------------------------------------


def test_a_broker_goes_with_its_key_and_its_bots(here, ann):
    ann.post("/brokers", BROKER)
    assert ann.delete("/brokers/real").status_code == 204
    assert ann.get("/brokers").json()["items"] == []
    assert ann.get("/brokers/real").status_code == 404
    assert not here.services.office.vault.holds(ann.id, "account:real", "api_key")
    assert here.services.stores(ann.id).account_keys.keys() == {}
    assert deeds(here, "broker.removed") == [{"user": ann.id, "target": "real", "forced": False}]


def test_where_an_engine_runs_it_is_asked_to_let_go(here, ann):
    ann.post("/brokers", BROKER)
    lease = bootstrap.lease(here.services.settings)
    assert lease.take(LEASE)
    try:
        answer = ann.delete("/brokers/real?force=true")
    finally:
        lease.give_back()
    assert answer.status_code == 202
    request = here.services.stores(ann.id).register.request(answer.json()["request"])
    assert (request.action, json.loads(request.params)) == ("leave", {"force": True})
    assert ann.get("/brokers/real").status_code == 200


# -- others -----------------------------------------------------------------------------------------------------------


def test_nobody_sees_tries_changes_or_removes_the_broker_of_another(here, ann, bob):
    ann.post("/brokers", BROKER)
    attempts = (
        ("GET", "/brokers/{}", None),
        ("PATCH", "/brokers/{}", {"default": True}),
        ("PATCH", "/brokers/{}", {"credentials": {"api_key": OTHER, "secret": SECRET}}),
        ("DELETE", "/brokers/{}", None),
        ("POST", "/brokers/{}/test", None),
        ("GET", "/brokers/{}/balances", None),
        ("POST", "/brokers/{}/symbols", None),
    )
    for method, path, body in attempts:
        theirs, nobodys = (bob.ask(method, path.format(name), json=body) for name in ("real", "rael"))
        assert theirs.status_code == nobodys.status_code == 404
        assert theirs.json()["detail"].replace("real", "rael") == nobodys.json()["detail"]
    assert bob.get("/brokers").json()["items"] == []
    assert ann.get("/brokers/real").json()["has_key"] is True


def test_who_may_only_look_changes_nothing(here, ann):
    viewer = here.person("eve", Role.VIEW)
    assert viewer.get("/brokers").status_code == 200
    for method, path, body in (
        ("POST", "/brokers", BROKER),
        ("POST", "/brokers/test", {"exchange": "binance", "credentials": GIVEN}),
        ("DELETE", "/brokers/x", None),
        ("PATCH", "/brokers/x", {}),
        ("POST", "/symbols/refresh", {"exchange": "binance"}),
    ):
        assert viewer.ask(method, path, json=body).status_code == 403
    for path in ("/brokers", "/exchanges", "/symbols?exchange=binance", "/heartbeat", "/symbols/lists"):
        assert here.anybody.get(f"/api/v1{path}").status_code == 401


def test_no_part_of_a_key_comes_out_anywhere(here, ann, caplog, tmp_path):
    caplog.set_level(logging.DEBUG)
    said = [
        ann.post("/brokers", BROKER),
        ann.post("/brokers", BROKER | {"name": "x", "credentials": GIVEN | {"secret": f"{SECRET}wrong"}}),
        ann.post("/brokers", BROKER | {"credentials": {"api_key": [KEY], "secret": SECRET}}),
        ann.post("/brokers", BROKER | {"credentials": {"api_key": KEY * 500, "secret": SECRET}}),
        ann.post("/brokers/test", {"exchange": "binance", "credentials": GIVEN}),
        ann.get("/brokers"),
        ann.get("/brokers/real"),
        ann.post("/brokers/real/test"),
        ann.get("/brokers/real/balances"),
        ann.patch("/brokers/real", {"credentials": {"api_key": OTHER, "secret": SECRET}}),
        ann.delete("/brokers/real"),
    ]
    assert {one.status_code for one in said} <= {200, 201, 204, 422}
    told = "".join(one.text + str(one.headers) for one in said)
    audit = "".join(row.details + row.target for row in here.services.office.audit.latest(100))
    logs = "".join(record.getMessage() for record in caplog.records)
    disk = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    for canary in (KEY, SECRET, OTHER):
        assert canary not in told
        assert canary not in audit
        assert canary not in logs
        assert canary.encode() not in disk


# -- engines ----------------------------------------------------------------------------------------------------------


def test_an_engine_finds_the_key_in_the_vault_first_and_else_in_the_environment(here, ann):
    ann.post("/brokers", BROKER)
    settings = here.services.settings
    (spec,) = here.services.stores(ann.id).register.accounts()
    elsewhere = AccountSpec(id="env", user_id=ann.id, venue="binance", mode=Mode.LIVE, quote="USDT")

    async def run() -> None:
        gateway = bootstrap.gateway(settings)
        try:
            venue = await bootstrap.account_venue(gateway, settings, spec)
            assert (await venue.balances())["USDT"].total == D("1000.10")
            with pytest.raises(BadInput):
                await bootstrap.account_venue(gateway, settings, elsewhere)
            by_name = {"ENV": Credentials(api_key=OTHER, secret=SECRET)}
            venue = await bootstrap.account_venue(gateway, replace(settings, credentials=by_name), elsewhere)
            assert (await venue.balances())["USDT"].total == 7
        finally:
            await gateway.close()

    asyncio.run(run())


def test_a_forced_key_is_what_may_withdraw_alone():
    for right in Right:
        test = KeyTest(
            rights=KeyRights(withdraw=right), balances={}, quote="USDT", values={}, latency_ms=1, clock_ahead_ms=0
        )
        brokers.refuse_if_it_may_withdraw(test, "binance", force=True)
        if right is Right.YES:
            with pytest.raises(BadInput, match="withdraw"):
                brokers.refuse_if_it_may_withdraw(test, "binance", force=False)
        else:
            brokers.refuse_if_it_may_withdraw(test, "binance", force=False)


# -- what everybody may see -------------------------------------------------------------------------------------------


def until_listed(here: Site) -> None:
    here.anybody.portal.call(here.services.listings.settled)  # type: ignore[union-attr]


def test_the_first_broker_of_an_exchange_brings_its_symbols(here, ann):
    assert ann.get("/symbols?exchange=binance").json()["items"] == []
    ann.post("/brokers", BROKER)
    until_listed(here)
    found = ann.get("/symbols?exchange=binance&q=btc").json()["items"]
    assert [one["symbol"] for one in found] == ["BTC/USDC", "BTC/USDT", "ETH/BTC"]
    assert found[0]["tick_size"] == "0.00001"
    (listed,) = ann.get("/symbols/lists").json()
    assert (listed["exchange"], listed["count"], listed["status"], listed["percent"]) == (
        "binance", len(SYMBOLS), "done", 100,
    )  # fmt: skip
    assert ann.get("/symbols/quotes?exchange=binance").json()[0] == {"quote": "USDT", "count": 2}
    only = ann.get("/symbols?exchange=binance&quote=usdc").json()["items"]
    assert [one["symbol"] for one in only] == ["BTC/USDC"]


def test_symbols_are_refreshed_when_asked_and_come_in_pages(here, ann, box):
    box.faults = [Fault(kind=Kind.STATUS, path="*exchangeInfo", status=503, times=0)]
    asked = ann.post("/symbols/refresh", {"exchange": "binance"})
    assert (asked.status_code, asked.json()["status"]) == (202, "running")
    until_listed(here)
    (listed,) = ann.get("/symbols/lists", headers={"Accept-Language": "fr"}).json()
    assert (listed["status"], listed["count"], listed["refreshed_ms"]) == ("failed", 0, None)
    assert "binance" in listed["error"]
    box.faults = []
    ann.post("/symbols/refresh", {"exchange": "binance"})
    until_listed(here)
    first = ann.get("/symbols?exchange=binance&limit=3").json()
    rest = ann.get(f"/symbols?exchange=binance&limit=3&after={first['next']}").json()
    assert rest["next"] is None
    assert [one["symbol"] for one in first["items"] + rest["items"]] == sorted(SYMBOLS)
    assert ann.get("/symbols?exchange=binance&after=!!").status_code == 422
    assert ann.post("/symbols/refresh", {"exchange": "nowhere"}).status_code == 422


def test_exchanges_say_what_can_be_done_there(ann):
    whole = ann.get("/exchanges?limit=500").json()["items"]
    assert len(whole) > 100
    tradable = ann.get("/exchanges?tradable=true").json()["items"]
    assert [one["id"] for one in tradable] == ["binance", "bitget", "bybit", "coinbase", "kraken", "okx"]
    assert [one["id"] for one in ann.get("/exchanges?tradable=true&testnet=false").json()["items"]] == [
        "coinbase", "kraken",
    ]  # fmt: skip
    okx = ann.get("/exchanges/okx").json()
    assert okx["needs"] == ["api_key", "secret", "password"]
    assert okx["has"]["fetchOHLCV"] is True
    missing = ann.get("/exchanges/krakken")
    assert (missing.status_code, "kraken" in missing.json()["detail"]) == (404, True)


def test_candles_tickers_and_books_are_shown(ann, box):
    found = ann.get(f"/markets/candles?exchange=binance&symbol=BTC/USDT&timeframe=5m&until={NOW}&limit=12").json()
    assert len(found["ts"]) == len(found["close"]) == 12
    assert found["ts"][-1] == NOW - 300_000
    (ticker,) = ann.get("/markets/tickers?exchange=binance&symbol=BTC/USDT").json()
    book = ann.get("/markets/book?exchange=binance&symbol=BTC/USDT&levels=3").json()
    assert len(book["bids"]) == 3
    assert D(book["bids"][0][0]) < D(book["asks"][0][0])
    assert D(book["bids"][0][0]) <= D(ticker["last"]) <= D(book["asks"][0][0])
    many = ann.get("/markets/tickers?exchange=binance&symbol=BTC/USDT&symbol=ETH/USDT").json()
    assert {one["symbol"] for one in many} == {"BTC/USDT", "ETH/USDT"}
    for path, status in (
        ("/markets/candles?exchange=binance&symbol=NO/SUCH&timeframe=1m", 404),
        ("/markets/candles?exchange=nowhere&symbol=BTC/USDT&timeframe=1m", 422),
        ("/markets/candles?exchange=binance&symbol=BTC/USDT&timeframe=7m", 422),
        ("/markets/candles?exchange=binance&symbol=BTC/USDT&timeframe=1m&since=5&until=5", 422),
        ("/markets/book?exchange=binance&symbol=BTC/USDT&levels=0", 422),
        ("/markets/book?exchange=binance&symbol=%00&levels=1", 422),
        ("/markets/tickers?exchange=binance", 422),
    ):
        assert ann.get(path).status_code == status, path


def test_the_heartbeat_shows_its_sources_and_signals(here, ann, monkeypatch):
    monkeypatch.setattr(here.services.glances, "_lives_ms", 0)  # else what was seen holds for a second
    empty = ann.get("/heartbeat").json()
    assert (empty["connected"], empty["sources"], empty["signals"]["1m"]) == (False, [], [])
    here.services.heartbeat.started("primary", 5, ["BTC/USDT", "ETH/USDT"])
    shown = ann.get("/heartbeat").json()
    assert (shown["connected"], shown["symbols"]) == (True, ["BTC/USDT", "ETH/USDT"])
    assert ann.get("/heartbeat/signals?timeframe=1w").status_code == 422
    assert ann.get("/heartbeat/signals?timeframe=1h").json() == []
