"""Searches over HTTP, with a real worker beside the API."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.api.sites import Site, Visitor, site
from tests.e2e.job_workers import HOUR, START, Place, hours, place, until

from cambist.domain.job import JobStatus
from cambist.simulators.binance import BinanceSimulator

ASKED = {
    "strategy": "ema_cross",
    "venue": "binance",
    "symbols": ["BTC/USDT"],
    "timeframes": ["1h"],
    "since": START,
    "until": START + 2_000 * HOUR,
    "space": ["fast=5,10", "slow=20,40"],
}
CODE = """\
import numpy as np


class Mine(SignalStrategy):
    back = param(5, low=2, high=50)

    def signals(self, candles):
        rises = candles.close > np.concatenate((candles.close[: self.back], candles.close[: -self.back]))
        return Signals(enter_long=rises, exit_long=~rises, size=0.5)
"""


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("home")) as opened:
        yield opened


@pytest.fixture(scope="module")
def at(here: Site) -> Iterator[Place]:
    settings = here.services.settings
    with BinanceSimulator(hours()[0]) as box, place(settings.home, settings.database_url) as made:
        made.start(box.url)
        yield made


@pytest.fixture(scope="module")
def ann(here: Site) -> Visitor:
    return here.person("ann")


def done(at: Place, who: Visitor, **changed: Any) -> dict[str, Any]:
    """Ask for a search and return its job when it has ended."""
    asked = who.post("/searches", ASKED | changed)
    assert asked.status_code == 202, asked.text
    where = asked.headers["Location"].removeprefix("/api/v1")
    until(lambda: JobStatus(who.get(where).json()["status"]).ended, at.workers)
    job: dict[str, Any] = who.get(where).json()
    return job


@pytest.fixture(scope="module")
def finished(at: Place, ann: Visitor) -> int:
    job = done(at, ann)
    assert (job["kind"], job["status"], job["percent"], job["error"]) == ("search", "done", 100, None), job
    number: int = job["result"]["search"]
    return number


def test_missing_candles_are_fetched_and_the_search_is_kept_with_its_word(ann, finished):
    found = ann.get(f"/searches/{finished}").json()
    assert (found["strategy"], found["trials"], found["counted"]) == ("EmaCross", 4, 4)
    assert found["light"] in ("green", "amber", "red")
    assert len(found["reasons"]) == 3
    assert set(found["params"]) == {"fast", "slow"}
    assert found["metrics"]["trades"] > 0
    assert found["out_of_sample"] is not None
    assert found["figures"]["trials"] == 4
    assert found["has_report"]
    french = ann.get(f"/searches/{finished}", headers={"Accept-Language": "fr"}).json()
    assert french["word"] != found["word"]


def test_it_is_listed_with_its_best_trials_and_its_page(ann, finished):
    (listed,) = [one for one in ann.get("/searches").json()["items"] if one["id"] == finished]
    assert listed["values"]
    trials = ann.get(f"/searches/{finished}/trials").json()
    assert [trial["values"][0] for trial in trials] == sorted((trial["values"][0] for trial in trials), reverse=True)
    report = ann.get(f"/searches/{finished}/report")
    assert report.headers["content-type"].startswith("text/html")
    assert "sandbox allow-scripts" in report.headers["content-security-policy"]
    assert "EmaCross" in report.text


def test_another_persons_search_is_not_there(here, ann, finished):
    bob = here.person("bob")
    assert bob.get("/searches").json()["items"] == []
    for path in ("", "/trials", "/report"):
        assert bob.get(f"/searches/{finished}{path}").status_code == 404
    assert bob.delete(f"/searches/{finished}").status_code == 404
    assert ann.get(f"/searches/{finished}").status_code == 200


def test_a_stored_strategy_is_searched_in_its_jail(at, ann):
    made = ann.post("/strategies", {"name": "Mine", "code": CODE, "timeframe": "1h"})
    assert made.status_code == 201, made.text
    name = made.json()["newest"]["run_as"]
    job = done(at, ann, strategy=name, space=["back=3,6,12"])
    assert job["status"] == "done", job["error"]
    found = ann.get(f"/searches/{job['result']['search']}").json()
    assert (found["strategy"], found["trials"]) == (name, 3)
    assert set(found["params"]) == {"back"}


def test_what_a_jail_says_of_parameters_names_the_one_that_is_wrong(at, ann):
    made = ann.post("/strategies", {"name": "Other", "code": CODE, "timeframe": "1h"})
    job = done(at, ann, strategy=made.json()["newest"]["run_as"], space=["bakc=3,6"])
    assert job["status"] == "failed"
    assert "back" in job["error"]["detail"]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"space": ["fsat=1,2"]}, "fsat"),
        ({"space": ["fast=2:100:1", "slow=5:400:1"]}, "trials"),
        ({"objective": ["sharp"]}, "objective"),
        ({"where": ["fast <"]}, "where"),
        ({"walk_forward": "soon"}, "walk_forward"),
        ({"purge": "soon"}, "purge"),
        ({"strategy": "/etc/passwd"}, "strategy"),
        ({"timeframes": ["1h", "1h"]}, "timeframes"),
        ({"symbols": ["nothing"]}, "symbols"),
    ],
)
def test_what_will_not_do_names_the_field(ann, changed, field):
    answer = ann.post("/searches", ASKED | changed)
    assert answer.status_code == 422, answer.text
    assert answer.json()["field"].endswith(field)


def test_a_search_that_is_deleted_is_gone(at, ann):
    number = done(at, ann, space=["fast=6,12"])["result"]["search"]
    assert ann.delete(f"/searches/{number}").status_code == 204
    assert ann.get(f"/searches/{number}").status_code == 404
    assert ann.get(f"/searches/{number}/report").status_code == 404
