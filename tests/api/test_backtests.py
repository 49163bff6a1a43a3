"""Backtests and jobs over HTTP, with a real worker beside the API."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.api.sites import Site, Visitor, site
from tests.e2e.job_workers import HOUR, START, Place, hours, place, until

from cambist.apps import bootstrap
from cambist.domain.job import JobStatus
from cambist.domain.person import Role
from cambist.domain.strategy_text import StoredStrategy
from cambist.simulators.binance import BinanceSimulator

ASKED = {
    "strategy": "ema_cross",
    "venue": "binance",
    "symbols": ["BTC/USDT"],
    "timeframe": "1h",
    "since": START,
    "until": START + 2_000 * HOUR,
}
CODE = """\
class Mine(Strategy):
    def init(self):
        self.quick, self.calm = self.ema(5), self.ema(20)

    def next(self):
        if crossed_above(self.quick, self.calm):
            self.buy(fraction=0.5, stop_loss=0.05)
        elif crossed_below(self.quick, self.calm):
            self.close()
"""


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("home")
    with site(folder) as opened:
        yield opened


@pytest.fixture(scope="module")
def at(here: Site) -> Iterator[Place]:
    """A worker, and the exchange that it asks."""
    settings = here.services.settings
    with BinanceSimulator(hours()[0]) as box, place(settings.home, settings.database_url) as made:
        made.start(box.url)
        yield made


@pytest.fixture(scope="module")
def ann(here: Site) -> Visitor:
    return here.person("ann", Role.ADMIN)


@pytest.fixture(scope="module")
def bob(here: Site) -> Visitor:
    return here.person("bob")


def done(at: Place, who: Visitor, **changed: Any) -> dict[str, Any]:
    """Ask for a backtest and return its job when it has ended."""
    asked = who.post("/backtests", ASKED | changed)
    assert asked.status_code == 202, asked.text
    where = asked.headers["Location"].removeprefix("/api/v1")

    def ended() -> bool:
        return JobStatus(who.get(where).json()["status"]).ended

    until(ended, at.workers)
    job: dict[str, Any] = who.get(where).json()
    return job


@pytest.fixture(scope="module")
def finished(at: Place, ann: Visitor) -> int:
    job = done(at, ann)
    assert (job["status"], job["percent"], job["error"]) == ("done", 100, None), job
    number: int = job["result"]["backtest"]
    return number


def test_a_job_says_what_was_asked_and_nothing_of_the_server(at, ann, finished):
    (job,) = [one for one in ann.get("/jobs").json()["items"] if one["result"] == {"backtest": finished}]
    assert {"language", "allowed_per_day_ms"}.isdisjoint(job["params"])
    assert job["params"]["symbols"] == ["BTC/USDT"]
    assert job["step"] == "Keeping the result"
    french = ann.get(f"/jobs/{job['id']}", headers={"Accept-Language": "fr"}).json()
    assert french["step"] == "Enregistrement du résultat"


def test_a_finished_backtest_is_whole(ann, finished):
    one = ann.get(f"/backtests/{finished}").json()
    assert one["strategy"] == "EmaCross"
    assert (one["venue"], one["symbols"], one["timeframe"], one["candles"]) == ("binance", ["BTC/USDT"], "1h", 2_000)
    assert one["verdict"] == "passed"
    assert one["proof"]["look_ahead"] == "pass"
    assert one["has_report"] is True
    assert one["metrics"]["trades"] == one["trades"] or one["trades"] > 0
    listed = ann.get("/backtests", params={"strategy": "EmaCross", "limit": 1}).json()
    assert listed["items"][0]["metrics"] == one["metrics"]


def test_trades_come_in_pages_that_join(ann, finished):
    whole = ann.get(f"/backtests/{finished}/trades", params={"limit": 500}).json()
    assert whole["next"] is None
    numbers = [trade["number"] for trade in whole["items"]]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) > 5
    collected, after = [], None
    while True:
        page = ann.get(
            f"/backtests/{finished}/trades", params={"limit": 5} | ({"after": after} if after else {})
        ).json()
        collected += page["items"]
        after = page["next"]
        if after is None:
            break
    assert collected == whole["items"]


def test_equity_is_thinned_on_request(ann, finished):
    whole = ann.get(f"/backtests/{finished}/equity").json()
    thin = ann.get(f"/backtests/{finished}/equity", params={"points": 50}).json()
    assert len(whole["ts"]) == len(whole["equity"]) > 1_000
    assert len(thin["ts"]) <= 50
    assert all(one < following for one, following in pairwise(thin["ts"]))
    assert (max(thin["equity"]), min(thin["equity"])) == (max(whole["equity"]), min(whole["equity"]))
    assert ann.get(f"/backtests/{finished}/equity", params={"points": 5}).status_code == 422


def test_the_report_may_run_its_own_scripts_and_reach_nothing(ann, finished):
    shown = ann.get(f"/backtests/{finished}/report")
    assert shown.headers["Content-Type"].startswith("text/html")
    assert shown.headers["Content-Disposition"] == f'inline; filename="backtest-{finished}.html"'
    policy = shown.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'sha256-" in policy
    assert "unsafe" not in policy
    assert "sandbox allow-scripts" in policy
    assert "same-origin" not in policy
    assert "EmaCross" in shown.text
    saved = ann.get(f"/backtests/{finished}/report", params={"download": True})
    assert saved.headers["Content-Disposition"].startswith("attachment")


def test_backtests_are_laid_side_by_side(at, ann, finished):
    other = done(at, ann, params={"fast": 5}, cash="2000.50")["result"]["backtest"]
    found = ann.post("/backtests/compare", {"ids": [finished, other]}).json()
    assert [one["id"] for one in found["backtests"]] == [finished, other]
    different = {one["key"]: one["values"] for one in found["differences"]}
    assert different["cash"] == [10_000.0, 2_000.5]
    assert different["fast"][1] == 5
    assert found["warnings"]
    assert all(len(one["values"]) == 2 for one in found["metrics"])
    assert ann.post("/backtests/compare", {"ids": [finished]}).status_code == 422
    assert ann.delete(f"/backtests/{other}").status_code == 204
    for path in ("", "/trades", "/equity", "/report"):
        assert ann.get(f"/backtests/{other}{path}").status_code == 404
    assert ann.post("/backtests/compare", {"ids": [finished, other]}).status_code == 404


def test_nobody_finds_what_is_others(ann, bob, finished):
    (job,) = [one["id"] for one in ann.get("/jobs").json()["items"] if one["result"] == {"backtest": finished}]
    assert bob.get("/jobs").json()["items"] == bob.get("/backtests").json()["items"] == []
    for method, path, body in (
        ("GET", f"/backtests/{finished}", None),
        ("GET", f"/backtests/{finished}/trades", None),
        ("GET", f"/backtests/{finished}/equity", None),
        ("GET", f"/backtests/{finished}/report", None),
        ("DELETE", f"/backtests/{finished}", None),
        ("POST", "/backtests/compare", {"ids": [finished, finished + 1]}),
        ("GET", f"/jobs/{job}", None),
        ("POST", f"/jobs/{job}/cancel", None),
    ):
        answer = bob.ask(method, path, json=body)
        absent = bob.ask(
            method, path.replace(str(finished), "99999").replace(job, "f" * 32), json={"ids": [99999, 99998]}
        )
        assert answer.status_code == absent.status_code == 404, path
        assert answer.json()["key"] == absent.json()["key"]
    assert ann.get(f"/backtests/{finished}").status_code == 200


def test_who_may_only_look_runs_nothing(here, finished):
    eve = here.person("eve", Role.VIEW)
    assert eve.post("/backtests", ASKED).status_code == 403
    assert eve.get("/jobs").status_code == 200
    assert here.anybody.post("/api/v1/backtests", json=ASKED).status_code == 401


def test_a_stored_strategy_runs_in_the_jail(at, here, ann, bob):
    held = bootstrap.sandbox(here.services.settings).holds()
    if not held.ok:
        pytest.skip(f"no jail here: {held.why}")
    shelf = here.services.stores(bob.id).strategies
    stored = shelf.add(StoredStrategy(user_id=bob.id, name="mine", created_ms=1, changed_ms=1), CODE)
    job = done(at, bob, strategy=f"stored:{stored.id}")
    assert job["status"] == "done", job
    one = bob.get(f"/backtests/{job['result']['backtest']}").json()
    assert one["strategy"] == f"stored:{stored.id}@1"
    assert one["trades"] > 0
    assert one["verdict"] == "passed"
    assert "Mine" in bob.get(f"/backtests/{one['id']}/report").text
    assert ann.post("/backtests", ASKED | {"strategy": f"stored:{stored.id}"}).status_code == 404


def test_code_that_breaks_says_so_in_its_job(at, here, bob):
    if not bootstrap.sandbox(here.services.settings).holds().ok:
        pytest.skip("no jail here")
    shelf = here.services.stores(bob.id).strategies
    code = "class Bad(Strategy):\n    def next(self):\n        raise ValueError('ouch')\n"
    stored = shelf.add(StoredStrategy(user_id=bob.id, name="bad", created_ms=1, changed_ms=1), code)
    job = done(at, bob, strategy=f"stored:{stored.id}")
    assert job["status"] == "failed"
    assert "ouch" in job["error"]["detail"]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"strategy": "nothing"}, "strategy"),
        ({"strategy": "../secrets.py"}, "strategy"),
        ({"venue": "nowhere"}, "venue"),
        ({"symbols": ["BTCUSDT"]}, "symbols"),
        ({"timeframe": "7m"}, "timeframe"),
        ({"since": START + 3_000 * HOUR}, "since"),
        ({"cash": 10.5}, "cash"),
        ({"cash": "0"}, "cash"),
        ({"cash": "1e40"}, "cash"),
        ({"fee_bps": "5000"}, "fee_bps"),
        ({"params": {"fast": "x"}}, "fast"),
        ({"params": {"a b": 1}}, "params.a b.[key]"),
        ({"pyramiding": 0}, "pyramiding"),
        ({"leverage": 3}, "leverage"),
    ],
)
def test_what_is_wrong_is_named(ann, changed, field):
    answer = ann.post("/backtests", ASKED | changed)
    assert answer.status_code == 422, answer.text
    assert answer.json()["field"] == field
    assert answer.json()["remedy"]


def test_a_download_is_a_job_too(at, ann):
    asked = ann.post(
        "/jobs/downloads",
        {"venue": "binance", "symbol": "BTC/USDT", "timeframe": "4h", "since": START, "until": START + 400 * HOUR},
    )
    assert asked.status_code == 202, asked.text
    where = f"/jobs/{asked.json()['id']}"
    until(lambda: ann.get(where).json()["status"] == "done", at.workers)
    assert ann.get(where).json()["result"] == {"added": 100, "held": 100, "absent": 0}
    assert [one["id"] for one in ann.get("/jobs", params={"kind": "download"}).json()["items"]] == [asked.json()["id"]]


def test_jobs_come_in_pages_and_a_cancelled_one_stays_so(tmp_path: Path) -> None:
    with site(tmp_path) as quiet:  # no worker here
        ann = quiet.person("ann")
        ids = [ann.post("/backtests", ASKED).json()["id"] for _ in range(3)]
        first = ann.get("/jobs", params={"limit": 2}).json()
        second = ann.get("/jobs", params={"limit": 2, "after": first["next"]}).json()
        assert {one["id"] for one in first["items"] + second["items"]} == set(ids)
        assert second["next"] is None
        for _ in range(2):
            assert ann.post(f"/jobs/{ids[0]}/cancel").json()["status"] == "cancelled"
        assert [one["id"] for one in ann.get("/jobs", params={"status": "cancelled"}).json()["items"]] == [ids[0]]
        for _ in range(18):
            assert ann.post("/backtests", ASKED).status_code == 202
        full = ann.post("/backtests", ASKED)
        assert (full.status_code, full.json()["key"]) == (429, "jobs.too_many")


def test_minutes_a_day_are_limited_by_the_person(tmp_path: Path) -> None:
    with site(tmp_path) as quiet:
        ann = quiet.person("ann")
        quiet.services.office.people.change(ann.id, limits={"backtest_minutes_per_day": 0})
        refused = ann.post("/backtests", ASKED)
        assert (refused.status_code, refused.json()["key"]) == (429, "jobs.out_of_time")
        assert ann.get("/jobs").json()["items"] == []
