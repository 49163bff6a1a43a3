"""Orders, fills, trades, positions, statistics and the portfolio over HTTP: one's own, in one's own language."""

import asyncio
import re
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from tests.api.sites import Site, Visitor, site
from tests.unit.usecases.dealing import Dealer

from cambist.adapters.storage.past import SqlPast
from cambist.apps.api.area import PREFIX
from cambist.apps.api.routes.portfolio import DifferenceAnswer
from cambist.domain.account import AccountSpec
from cambist.domain.order import Side
from cambist.domain.wish import Enter, Fraction
from cambist.ports.book import JournalEntry
from cambist.usecases.past import History

LISTS = ("/orders", "/fills", "/trades", "/positions")
STATISTICS = ("balance", "summary", "by_bot", "by_strategy", "by_source", "by_broker", "by_symbol", "daily")


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path) as found:
        yield found


def dealer_of(here: Site, visitor: Visitor, name: str = "main") -> Dealer:
    """Let a person's account trade a little, just now."""
    now = here.services.now_ms()
    found = Dealer(here.services.settings.database_url, name, user_id=visitor.id, ts=now - 3_600_000)
    bot = found.add_bot(f"trend-{name}")
    found.round_trip(bot, "100", "110")
    found.order(Side.BUY, "1")
    found.look()
    found.order(Side.SELL, "5")  # there is only one
    found.wish(bot, Enter(side=Side.BUY, size=Fraction(0.5), stop_loss=0.05))
    found.look()
    found.look(BTC="112")
    return found


def test_what_became_of_orders(here: Site):
    ann = here.person("ann")
    dealer_of(here, ann)
    found = ann.get("/orders").json()
    assert found["next"] is None
    kinds = {(one["bot"], one["source"], one["status"]) for one in found["items"]}
    assert kinds >= {
        ("trend-main", "strategy", "filled"),
        ("hand:BTC/USDT", "manual", "filled"),
        ("hand:BTC/USDT", "manual", "refused"),
        ("trend-main", "strategy", "open"),
    }
    (refused,) = ann.get("/orders", params={"status": "refused", "source": "manual"}).json()["items"]
    assert (refused["reason"], refused["quantity"], refused["side"]) == ("no_holding", "5", "sell")
    french = ann.get("/orders", params={"status": "refused"}, headers={"Accept-Language": "fr"}).json()["items"]
    assert french[0]["why"] != refused["why"]
    working = ann.get("/orders", params={"status": ["working"]}).json()["items"]
    assert [one["role"] for one in working] == ["stop_loss"]
    assert ann.get("/orders", params={"since": here.services.now_ms() + 1}).json()["items"] == []
    assert {one["strategy"] for one in ann.get("/orders", params={"strategy": "hand"}).json()["items"]} == {"hand"}
    bought = ann.get("/orders", params={"bot": "hand:BTC/USDT", "status": "filled"}).json()["items"][0]
    whole = ann.get(f"/orders/main/{bought['client_id']}").json()
    assert sum(Decimal(one["quantity"]) for one in whole["fills"]) == Decimal(bought["filled"]) == 1
    assert [one["bot"] for one in ann.get("/trades", params={"bot": "trend-main"}).json()["items"]] == ["trend-main"]
    bot, hand = ann.get("/positions").json()
    assert (bot["protection"], hand["quantity"], hand["unrealised"]) == ("native", "1", hand["unrealised"])
    assert Decimal(hand["unrealised"]) == Decimal(112) - Decimal(hand["entry_price"])


def test_no_route_holds_up_the_others_by_reading_a_journal(here: Site, monkeypatch: pytest.MonkeyPatch):
    ann = here.person("ann")
    dealer = dealer_of(here, ann)
    order = ann.get("/orders").json()["items"][0]["client_id"]
    looked: list[bool] = []
    caught_up = History._catch_up

    def catch_up(history: History, spec: AccountSpec) -> None:
        looked.append(_in_the_loop())
        caught_up(history, spec)

    monkeypatch.setattr(History, "_catch_up", catch_up)
    places = {"account": "main", "bot": "trend-main", "client_id": order, "group": "bot"}
    read = 0
    for path, methods in here.app.openapi()["paths"].items():
        names = re.findall(r"\{(\w+)\}", path)
        if "get" in methods and set(names) <= set(places):
            dealer.look()
            looked.clear()
            assert ann.get(path.removeprefix(PREFIX).format(**places)).status_code < 500, path
            assert not any(looked), path
            read += bool(looked)
    assert read >= 14  # so many tell of orders
    monkeypatch.setattr(History, "is_read", lambda _: True)  # and then the journals go on
    for path in ("/orders", "/fills", "/trades", "/positions", "/accounts", "/bots", "/trading/orders"):
        dealer.look()
        looked.clear()
        assert ann.get(path).status_code == 200
        assert looked == [], path


FILTERED = [
    *(
        (path, {name: "x"})
        for path in ("/orders", "/fills", "/trades")
        for name in ("account", "bot", "source", "symbol")
    ),
    ("/orders", {"status": "refused"}),
    ("/trades", {"strategy": "x"}),
]


@pytest.mark.parametrize(("path", "filters"), FILTERED)
def test_a_list_that_may_look_at_every_row_holds_up_nobody(
    here: Site, monkeypatch: pytest.MonkeyPatch, path: str, filters: dict[str, str]
):
    ann, real, looked = here.person("ann"), SqlPast._list, []

    def noted(self, *given):
        looked.append(threading.current_thread().name.startswith("route"))
        return real(self, *given)

    monkeypatch.setattr(SqlPast, "_list", noted)
    for params in (filters, {"since": 1, "limit": 5}):
        assert ann.get(path, params=params).status_code == 200
    assert looked == [True, False]


def test_a_journal_that_cannot_be_read_is_the_matter_of_its_account_alone(here: Site):
    ann = here.person("ann")
    dealer_of(here, ann)
    other = Dealer(here.services.settings.database_url, "other", user_id=ann.id)
    broken = JournalEntry(account="other", seq=other.seq + 1, ts=other.ts, kind="X", body='{"event":{"_":"X"}}')
    other.journal.append([broken])
    assert ann.get("/orders", params={"account": "main"}).json()["items"]
    assert ann.get("/orders", params={"account": "other"}).status_code == 503
    assert ann.get("/orders").status_code == 503


def test_an_account_that_is_made_again_under_its_name_is_another(here: Site):
    ann, url, now = here.person("ann"), here.services.settings.database_url, here.services.now_ms()
    Dealer(url, "main", user_id=ann.id, ts=now - 3_600_000)
    assert ann.get("/portfolio").json()["worth"] == "10000"
    assert ann.get("/accounts/main").json()["free"] == "10000"
    assert ann.delete("/brokers/main").status_code == 204
    Dealer(url, "main", user_id=ann.id, ts=now - 1_800_000, held={"USDT": "5"})  # its journal is as long
    assert ann.get("/portfolio").json()["worth"] == "5"
    assert ann.get("/accounts/main").json()["free"] == "5"


def _in_the_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def test_pages_follow_each_other_without_gap_or_overlap(here: Site):
    ann = here.person("ann")
    dealer = dealer_of(here, ann)
    dealer.round_trip("trend-main", "112", "115")
    for path in LISTS[:3]:
        whole = ann.get(path, params={"limit": 500}).json()["items"]
        paged, after = [], None
        while True:
            page = ann.get(path, params={"limit": 2} | ({"after": after} if after else {})).json()
            paged += page["items"]
            after = page["next"]
            if after is None:
                break
        assert paged == whole
        assert len(whole) > 1
    assert len({one["id"] for one in whole}) == len(whole)  # of trades, the last list


HALF = "WzEsIlx1ZDgwMCIsIngiXQ=="  # [1,"\\ud800","x"]
HALF_IN_THE_MIDDLE = "WzEsIlx1ZDgwMCIsMV0="  # [1,"\\ud800",1]


@pytest.mark.parametrize(
    "cursor",
    ["x", "bm90IGpzb24", "WzEsMiwzXQ", "WyJhIiwiYiIsImMiXQ", "é", "WzFd", "bnVsbA", HALF, HALF_IN_THE_MIDDLE],
)
@pytest.mark.parametrize("path", LISTS[:3])
def test_a_cursor_that_is_none_of_ours_is_a_bad_value(here: Site, path: str, cursor: str):
    answer = here.person("ann").get(path, params={"after": cursor})
    assert answer.status_code == 422
    assert answer.json()["field"] == "after"


@pytest.mark.parametrize(
    ("path", "params", "status"),
    [
        ("/orders", {"status": "sold"}, 422),
        ("/orders", {"account": "a\0b"}, 422),
        ("/orders", {"since": -1}, 422),
        ("/fills", {"until": 2**70}, 422),
        ("/orders/main/nothing", {}, 404),
        ("/orders/nowhere/nothing", {}, 404),
        ("/positions", {"account": "nowhere"}, 404),
        ("/statistics/summary", {"account": "nowhere"}, 404),
        ("/statistics/balance", {"points": 1}, 422),
        ("/statistics/by_nothing", {}, 422),
        ("/statistics/summary", {"currency": "E U R"}, 422),
        ("/portfolio", {"account": "nowhere"}, 404),
    ],
)
def test_what_is_wrong_is_told(here: Site, path: str, params: dict[str, object], status: int):
    ann = here.person("ann")
    dealer_of(here, ann)
    answer = ann.get(path, params=params)
    assert answer.status_code == status, answer.text
    assert answer.json()["detail"]


def test_statistics(here: Site):
    ann = here.person("ann")
    dealer_of(here, ann)
    summary = ann.get("/statistics/summary").json()
    assert (summary["currency"], summary["trades"], summary["capital"]) == ("USDT", 1, "10000")
    assert summary["figures"]["win_rate"] == 1.0
    sources = {one["name"]: one for one in ann.get("/statistics/by_source").json()["groups"]}
    assert sources.keys() == {"strategy", "manual"}
    total = sum(Decimal(one["pnl"]) for one in sources.values())
    assert total == Decimal(summary["pnl"])
    balance = ann.get("/statistics/balance", params={"points": 5}).json()
    assert Decimal(balance["total"]["balance"][-1]) == 10_000 + Decimal(summary["pnl"])
    assert len(balance["total"]["ts"]) == len(balance["total"]["balance"]) <= 5
    days = ann.get("/statistics/daily").json()["days"]
    assert sum(Decimal(day["pnl"]) for day in days) == Decimal(summary["pnl"])
    for name in STATISTICS:
        found = ann.get(f"/statistics/{name}", params={"account": "main", "bot": "trend-main"})
        assert found.status_code == 200
    assert ann.patch("/me", {"currency": "USD"}).status_code == 200
    assert ann.get("/statistics/summary").json()["currency"] == "USD"
    assert ann.get("/statistics/summary").json()["rates"][0]["source"] == "par"


def test_the_portfolio(here: Site):
    ann = here.person("ann")
    dealer_of(here, ann)
    found = ann.get("/portfolio").json()
    btc = next(one for one in found["assets"] if one["asset"] == "BTC")
    assert Decimal(btc["free"]) == 1
    assert Decimal(btc["worth"]) == Decimal(btc["total"]) * 112
    assert found["unpriced"] == []
    assert ann.get("/portfolio", params={"live": True}).json()["accounts"][0]["differences"] is None  # on paper
    assert ann.get("/portfolio", params={"currency": "XYZ"}).json()["unpriced"] == ["BTC", "USDT"]


def test_nobody_sees_or_counts_what_is_others(here: Site):
    ann, bob = here.person("ann"), here.person("bob")
    theirs = dealer_of(here, ann)
    for path in LISTS:
        answer = bob.get(path).json()
        assert (answer if path == "/positions" else answer["items"]) == []
    for path in ("/positions", "/statistics/summary", "/statistics/balance", "/portfolio", "/statistics/daily"):
        none, other = (bob.get(path, params={"account": name}) for name in ("nowhere", "main"))
        assert (none.status_code, other.status_code) == (404, 404)
        assert none.json()["detail"].replace("nowhere", "main") == other.json()["detail"]
    for path in LISTS[:3]:
        assert bob.get(path, params={"account": "main"}).json()["items"] == []
    name = ann.get("/orders").json()["items"][0]["client_id"]
    assert bob.get(f"/orders/main/{name}").status_code == 404
    assert bob.get("/statistics/summary").json()["trades"] == 0
    assert bob.get("/portfolio").json()["assets"] == []
    mine = dealer_of(here, bob, "main.2")
    assert {one["account"] for one in bob.get("/orders").json()["items"]} == {mine.spec.id}
    assert {one["account"] for one in ann.get("/orders").json()["items"]} == {theirs.spec.id}


def test_nobody_at_all_is_turned_away(here: Site):
    for path in (*LISTS, "/portfolio", *(f"/statistics/{name}" for name in STATISTICS)):
        assert here.anybody.get(f"/api/v1{path}").status_code == 401


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("0E-57", "0"),
        ("1E-42", "0"),
        ("0.1234567890123456789", "0.123456789012345679"),
        ("12345678901234567890.5", "12345678901234567890.5"),
        ("-3.10", "-3.10"),
    ],
)
def test_amounts_are_shown_with_as_many_places_as_an_asset_has(amount: str, shown: str):
    found = DifferenceAnswer(asset="BTC", expected=Decimal(amount), found=Decimal(0))
    assert found.model_dump(mode="json")["expected"] == shown
    assert DifferenceAnswer.model_json_schema(mode="serialization")["properties"]["expected"]["type"] == "string"
