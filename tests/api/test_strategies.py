"""Strategies over the API: kept, saved, compared, copied, judged, deleted; each person's own."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.api.sites import Site, Visitor, site
from tests.contract.book import a_bot
from tests.unit.backtest.made import rules

from cambist.apps import bootstrap
from cambist.domain.account import AccountSpec, BotStatus, Mode
from cambist.domain.errors import NotAllowed
from cambist.domain.event import AccountEvent, BotAdded, BotChanged, Opened
from cambist.domain.person import Role
from cambist.domain.report import Balance, BalancesReported
from cambist.domain.strategy_text import TEMPLATES
from cambist.engine.account import Account
from cambist.engine.desk import step
from cambist.engine.recovery import body_of
from cambist.ports.book import JournalEntry
from cambist.strategies._load import from_source
from cambist.usecases import strategies

GOOD = "class Good(Strategy):\n    def next(self):\n        self.close()\n"
BAD = "import os\n"
FINDING = {"severity": "error", "line": 1, "column": 7, "key": "number.between", "params": {"low": 1, "high": 2}}
IDS = ("/strategies/{id}", "/strategies/{id}/versions", "/strategies/{id}/versions/1", "/strategies/{id}/export")


def judged(code: str, _timeframe: str) -> dict[str, Any]:
    """Refuse what imports os; stands in for the jail, which has tests of its own."""
    passed = "import os" not in code
    return {"passed": passed, "findings": [] if passed else [FINDING], "strategy": "Good", "shape": "strategy"}


@pytest.fixture
def here(tmp_path: Path):
    with site(tmp_path) as opened:
        opened.services.validate = judged
        yield opened


@pytest.fixture
def ann(here: Site) -> Visitor:
    return here.person("ann")


@pytest.fixture
def bob(here: Site, ann: Visitor) -> Visitor:
    return here.person("bob")


def kept(visitor: Visitor, **given: Any) -> dict[str, Any]:
    response = visitor.post("/strategies", {"name": "Mine", "code": GOOD} | given)
    assert response.status_code == 201, response.text
    found: dict[str, Any] = response.json()
    return found


def test_a_strategy_is_kept_and_judged_at_once(ann):
    made = kept(ann, name="  EMA  10/20 ", description="Élan", timeframe="1h")
    newest = made["newest"]
    assert (made["name"], made["description"], made["timeframe"], made["version"]) == ("EMA 10/20", "Élan", "1h", 1)
    assert (newest["code"], newest["runnable"], newest["verdict"]["passed"]) == (GOOD, True, True)
    assert newest["run_as"] == f"stored:{made['id']}@1"
    assert ann.get(f"/strategies/{made['id']}").json() == made
    (listed,) = ann.get("/strategies").json()["items"]
    assert listed == {name: value for name, value in made.items() if name != "newest"}


def test_where_it_is_kept_is_told(ann):
    response = ann.post("/strategies", {"name": "Mine"})
    assert response.headers["location"] == f"/api/v1/strategies/{response.json()['id']}"


def test_what_does_not_pass_is_a_draft_and_says_why_in_the_readers_language(ann):
    made = kept(ann, code=BAD)
    assert not made["newest"]["runnable"]
    (finding,) = made["newest"]["verdict"]["findings"]
    assert finding == {"severity": "error", "line": 1, "column": 7, "text": "Give a number from 1 to 2."}
    french = ann.get(f"/strategies/{made['id']}", headers={"Accept-Language": "fr"}).json()
    assert french["newest"]["verdict"]["findings"][0]["text"] == "Donnez un nombre de 1 à 2."


def test_where_nothing_can_be_judged_it_is_kept_as_a_draft(here, ann):
    def cannot(_code: str, _timeframe: str) -> dict[str, Any]:
        raise NotAllowed("number.needed")

    here.services.validate = cannot
    made = kept(ann)
    assert (made["newest"]["runnable"], made["newest"]["verdict"]) == (False, None)
    assert ann.post("/strategies/validate", {"code": GOOD}).status_code == 403
    here.services.validate = judged
    validated = ann.post(f"/strategies/{made['id']}/versions/1/validate")
    assert validated.json()["runnable"]
    assert ann.get(f"/strategies/{made['id']}").json()["newest"] == validated.json()


def test_unchecked_code_is_a_draft(ann):
    assert kept(ann, check=False)["newest"]["verdict"] is None


def test_saving_makes_versions_and_only_for_what_has_changed(ann):
    made = kept(ann)
    path = f"/strategies/{made['id']}"
    same = ann.put(f"{path}/code", {"code": GOOD, "expected_version": 1}).json()
    assert same["version"] == 1
    second = ann.put(f"{path}/code", {"code": BAD, "expected_version": 1}).json()
    assert (second["version"], second["newest"]["runnable"]) == (2, False)
    lost = ann.put(f"{path}/code", {"code": "x = 1\n", "expected_version": 1})
    assert (lost.status_code, lost.json()["key"]) == (409, "shelf.changed_meanwhile")
    versions = ann.get(f"{path}/versions").json()["items"]
    assert [(one["version"], one["runnable"]) for one in versions] == [(1, True), (2, False)]
    assert ann.get(f"{path}/versions/1").json()["code"] == GOOD
    diff = ann.get(f"{path}/diff", params={"older": 1, "newer": 2}).json()["diff"]
    assert diff.startswith("--- version 1\n+++ version 2\n")
    assert "+import os\n" in diff
    back = ann.post(f"{path}/restore", {"version": 1, "expected_version": 2}).json()
    assert (back["version"], back["newest"]["code"], back["newest"]["runnable"]) == (3, GOOD, True)
    assert ann.get(f"{path}/versions/9").status_code == 404


def test_lists_come_page_by_page(ann):
    ids = [kept(ann, name=f"n{number}", check=False)["id"] for number in range(3)]
    first = ann.get("/strategies", params={"limit": 2}).json()
    rest = ann.get("/strategies", params={"limit": 2, "after": first["next"]}).json()
    assert [one["id"] for one in first["items"] + rest["items"]] == ids
    assert rest["next"] is None


def test_what_is_said_of_it_changes_and_its_code_stays(ann):
    made = kept(ann)
    changed = ann.patch(f"/strategies/{made['id']}", {"name": "Other", "timeframe": "4h"}).json()
    assert (changed["name"], changed["timeframe"], changed["description"], changed["version"]) == ("Other", "4h", "", 1)
    kept(ann, name="Taken")
    taken = ann.patch(f"/strategies/{made['id']}", {"name": "Taken"})
    assert (taken.status_code, taken.json()["key"]) == (409, "shelf.name_taken")
    assert ann.patch(f"/strategies/{made['id']}", {"name": None}).json()["name"] == "Other"


def test_a_copy_is_a_strategy_of_its_own(ann):
    made = kept(ann, description="d")
    ann.put(f"/strategies/{made['id']}/code", {"code": BAD, "expected_version": 1})
    copy = ann.post(f"/strategies/{made['id']}/duplicate", {"version": 1}).json()
    assert (copy["name"], copy["description"], copy["newest"]["code"]) == ("Mine 2", "d", GOOD)
    again = ann.post(f"/strategies/{made['id']}/duplicate", {}).json()
    assert (again["name"], again["newest"]["code"]) == ("Mine 3", BAD)
    assert ann.delete(f"/strategies/{made['id']}").status_code == 204
    assert [one["name"] for one in ann.get("/strategies").json()["items"]] == ["Mine 2", "Mine 3"]


def test_a_file_comes_back_as_it_went(ann):
    content = "# Élan\r\nclass Good(Strategy):\n    pass"
    made = ann.post(
        "/strategies/import?name=Croisée n° 1",
        content=("\ufeff" + content).encode(),
        headers={"Content-Type": "text/x-python"},
    )
    assert made.status_code == 201, made.text
    exported = ann.get(f"/strategies/{made.json()['id']}/export")
    assert exported.content.decode() == content
    assert exported.headers["content-disposition"] == 'attachment; filename="crois_e_n_1.py"'
    assert exported.headers["content-type"].startswith("text/x-python")
    ann.put(f"/strategies/{made.json()['id']}/code", {"code": GOOD, "expected_version": 1})
    assert ann.get(f"/strategies/{made.json()['id']}/export?version=1").content.decode() == content
    bad = ann.post("/strategies/import?name=x", content=b"\xff\xfe", headers={"Content-Type": "text/x-python"})
    assert (bad.status_code, bad.json()["key"]) == (422, "shelf.not_utf8")


def test_the_template_speaks_the_readers_language(ann):
    assert ann.get("/strategies/template").json() == {"language": "en", "code": TEMPLATES["en"]}
    french = ann.get("/strategies/template", headers={"Accept-Language": "fr"}).json()
    assert french == {"language": "fr", "code": TEMPLATES["fr"]}
    assert ann.get("/strategies/template?lang=fr").json() == french
    begun = ann.post("/strategies", {"name": "Begun"}, headers={"Accept-Language": "fr"}).json()
    assert begun["newest"]["code"] == TEMPLATES["fr"]
    assert from_source(TEMPLATES["fr"], "template").__name__ == "MaNouvelleStrategie"


def test_every_sample_can_be_copied_and_loads_as_a_persons_own(ann):
    samples = ann.get("/strategies/samples").json()
    assert {"ema_cross", "bollinger_breakout"} <= {one["name"] for one in samples}
    for sample in samples:
        copy = kept(ann, name=sample["name"], code=None, sample=sample["name"])
        assert copy["newest"]["code"] == sample["code"]
        assert from_source(sample["code"], sample["name"])
        assert "cambist." not in sample["code"]
        assert sample["description"]
    assert ann.post("/strategies", {"name": "x", "sample": "nonsense"}).status_code == 404
    both = ann.post("/strategies", {"name": "x", "sample": "ema_cross", "code": GOOD})
    assert (both.status_code, both.json()["key"]) == (422, "shelf.code_or_sample")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": " \n "}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"name": "x", "code": "a = '\x00'"}, "code"),
        ({"name": "x", "code": "é" * 50_001}, "code"),
        ({"name": "x", "code": "\n" * 5_001}, "code"),
        ({"name": "x", "description": "\x00"}, "description"),
        ({"name": "x", "timeframe": "7h"}, "timeframe"),
        ({"name": "x", "colour": "red"}, "colour"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_its_field(ann, body, field):
    refused = ann.post("/strategies", body)
    assert refused.status_code == 422
    assert refused.json()["field"] == field
    assert refused.json()["remedy"]


def test_half_a_character_is_refused(ann):
    body = json.dumps({"name": "x", "code": "a = '\ud800'"})
    refused = ann.ask("POST", "/strategies", content=body, headers={"Content-Type": "application/json"})
    assert refused.status_code == 422
    body = json.dumps({"name": "a\ud800"})
    refused = ann.ask("POST", "/strategies", content=body, headers={"Content-Type": "application/json"})
    assert refused.status_code == 422


def test_one_person_has_two_validated_at_once_and_others_go_on(here, ann, bob):
    begun, over = threading.Semaphore(0), threading.Event()

    def slow(code: str, timeframe: str) -> dict[str, Any]:
        if code == "slow":
            begun.release()
            assert over.wait(20)
        return judged(code, timeframe)

    here.services.validate = slow
    with ThreadPoolExecutor(2) as people:
        waiting = [people.submit(ann.post, "/strategies/validate", {"code": "slow"}) for _ in range(2)]
        assert begun.acquire(timeout=20)
        assert begun.acquire(timeout=20)
        refused = ann.post("/strategies/validate", {"code": GOOD})
        assert (refused.status_code, refused.json()["key"]) == (429, "checks.too_many_at_once")
        assert not kept(ann)["newest"]["runnable"]  # kept as a draft
        assert bob.post("/strategies/validate", {"code": GOOD}).status_code == 200
        over.set()
        assert [one.result().status_code for one in waiting] == [200, 200]
    assert ann.post("/strategies/validate", {"code": GOOD}).status_code == 200


def test_a_verdict_of_another_version_of_cambist_is_still_read(here, ann):
    made = kept(ann)
    finding: dict[str, Any] = {"severity": "error", "line": None, "column": None, "key": "gone.since", "params": {}}
    verdict = {"passed": False, "findings": [finding], "told_by_a_later_one": 1}
    here.services.stores(ann.id).strategies.judge(made["id"], 1, verdict)
    shown = ann.get(f"/strategies/{made['id']}").json()["newest"]["verdict"]
    assert [one["text"] for one in shown["findings"]] == ["gone.since"]


def test_there_is_an_end_to_what_is_kept(ann, monkeypatch):
    monkeypatch.setattr(strategies, "MOST_STRATEGIES", 1)
    monkeypatch.setattr(strategies, "MOST_VERSIONS", 2)
    made = kept(ann)
    refused = ann.post("/strategies", {"name": "Second"})
    assert (refused.status_code, refused.json()["key"]) == (429, "shelf.too_many")
    path = f"/strategies/{made['id']}/code"
    assert ann.put(path, {"code": "a = 1", "expected_version": 1}).status_code == 200
    refused = ann.put(path, {"code": "a = 2", "expected_version": 2})
    assert (refused.status_code, refused.json()["key"]) == (429, "shelf.too_many_versions")
    assert ann.put(path, {"code": "a = 1", "expected_version": 2}).status_code == 200


def test_who_may_only_look_changes_nothing(here, ann):
    viewer = here.person("vera", Role.VIEW)
    assert viewer.get("/strategies").json() == {"items": [], "next": None}
    assert viewer.get("/strategies/samples").status_code == 200
    assert viewer.post("/strategies", {"name": "x"}).status_code == 403
    assert viewer.post("/strategies/validate", {"code": GOOD}).status_code == 403
    assert here.anybody.get("/api/v1/strategies").status_code == 401


def test_nobody_sees_changes_or_guesses_anothers(ann, bob):
    made = kept(ann)
    nothing = made["id"] + 1000
    attempts = [
        *(("GET", path, None) for path in IDS),
        ("GET", "/strategies/{id}/diff?older=1&newer=1", None),
        ("PATCH", "/strategies/{id}", {"name": "mine now"}),
        ("PUT", "/strategies/{id}/code", {"code": "x", "expected_version": 1}),
        ("POST", "/strategies/{id}/duplicate", {}),
        ("POST", "/strategies/{id}/restore", {"version": 1, "expected_version": 1}),
        ("POST", "/strategies/{id}/versions/1/validate", None),
        ("DELETE", "/strategies/{id}", None),
    ]
    for method, path, body in attempts:
        theirs = bob.ask(method, path.format(id=made["id"]), json=body)
        absent = bob.ask(method, path.format(id=nothing), json=body)
        assert theirs.status_code == absent.status_code == 404, path
        assert theirs.json()["detail"] == absent.json()["detail"].replace(str(nothing), str(made["id"]))
    assert bob.get("/strategies").json()["items"] == []
    assert kept(bob)["name"] == "Mine"
    assert ann.get(f"/strategies/{made['id']}").json() == made


def test_a_strategy_that_a_bot_runs_is_not_deleted(here, ann):
    made, other = kept(ann), kept(ann, name="Other")
    register, journal = here.services.stores(ann.id).register, here.services.journal
    spec = AccountSpec(id="main", user_id=ann.id, venue="simulated", mode=Mode.PAPER, quote="USDT")
    register.add_account(spec)
    bot = a_bot("main", id="trend", user_id=ann.id, strategy=f"stored:{made['id']}@1", budget=Decimal(10))
    register.add_bot(bot)
    register.add_bot(a_bot("main", user_id=ann.id, strategy="ema_cross"))
    account = Account(spec, bootstrap.traits_of(spec))
    seq = 0

    def happens(event: AccountEvent) -> None:
        nonlocal seq
        seq += 1
        body = body_of(event, list(step(account, event).commands))
        journal.append([JournalEntry(account="main", seq=seq, ts=0, kind="x", body=body)])

    happens(Opened(BalancesReported(0, (Balance("USDT", Decimal(100), Decimal(0)),))))
    happens(BotAdded(0, bot, rules(symbol="BTC/USDT")))
    for status in (BotStatus.RUNNING, BotStatus.SUSPENDED, BotStatus.PAUSED):
        happens(BotChanged(0, "trend", status))
        refused = ann.delete(f"/strategies/{made['id']}")
        assert (refused.status_code, refused.json()["key"]) == (409, "shelf.running")
        assert "trend" in refused.json()["detail"]
    assert ann.delete(f"/strategies/{other['id']}").status_code == 204
    happens(BotChanged(0, "trend", BotStatus.STOPPED))
    assert ann.delete(f"/strategies/{made['id']}").status_code == 204
