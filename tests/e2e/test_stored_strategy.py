"""The mission's EMA 10/20 text as it stands there: stored over the API, validated in the jail, backtested."""

from collections.abc import Iterator

import pytest
from bench.pasted import PASTED as EMA_CROSS
from tests.api.sites import Site, site
from tests.contract.book import an_account
from tests.e2e.job_workers import HOUR, START, hours, place, until

import cambist as cb
from cambist.strategies._load import from_source


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("home")) as opened:
        yield opened


def test_the_missions_text_is_stored_and_passes_unchanged(here: Site):
    ann = here.person("ann")
    made = ann.post("/strategies", {"name": "EMA 10/20", "code": EMA_CROSS, "timeframe": "1h"})
    assert made.status_code == 201, made.text
    newest = made.json()["newest"]
    assert newest["code"] == EMA_CROSS
    assert newest["runnable"], newest["verdict"]
    verdict = newest["verdict"]
    assert (verdict["strategy"], verdict["shape"]) == ("MaNouvelleStrategie", "template")
    assert verdict["proof"] == {"look_ahead": "pass", "warm_up": "pass"}
    assert verdict["trades"] > 0


def test_its_backtest_by_a_worker_is_that_of_the_same_text_run_by_hand(here: Site):
    ann, settings = here.person("ann"), here.services.settings
    (candles,) = hours()
    here.services.lake.append(candles)
    made = ann.post("/strategies", {"name": "To backtest", "code": EMA_CROSS, "timeframe": "1h"}).json()
    wanted = {
        "strategy": made["newest"]["run_as"],
        "venue": "binance",
        "symbols": ["BTC/USDT"],
        "timeframe": "1h",
        "since": START,
        "until": START + 2_000 * HOUR,
    }
    with place(settings.home, settings.database_url) as at:
        at.start()
        job = ann.post("/backtests", wanted)
        assert job.status_code == 202, job.text
        path = f"/jobs/{job.json()['id']}"
        until(lambda: ann.get(path).json()["status"] in ("done", "failed", "cancelled"), at.workers)
        job = ann.get(path).json()
    assert job["status"] == "done", job["error"]
    result = ann.get(f"/backtests/{job['result']['backtest']}").json()
    alone = cb.backtest(from_source(EMA_CROSS, "ema"), candles, cash=10_000)
    assert result["strategy"] == made["newest"]["run_as"]
    assert (result["trades"], result["verdict"]) == (len(alone.trades), "passed")
    assert result["trades"] > 0
    assert result["metrics"]["total_return"] == alone.metrics["total_return"]


def test_every_sample_and_both_templates_pass_as_a_persons_own(here: Site):
    ann = here.person("ann")
    codes = {one["name"]: one["code"] for one in ann.get("/strategies/samples").json()}
    codes |= {lang: ann.get(f"/strategies/template?lang={lang}").json()["code"] for lang in ("en", "fr")}
    for name, code in codes.items():
        verdict = ann.post("/strategies/validate", {"code": code}).json()
        assert verdict["passed"], (name, verdict)


def test_what_may_not_be_imported_is_found_with_its_place_and_kept_as_a_draft(here: Site):
    ann = here.person("ann")
    made = ann.post("/strategies", {"name": "Nosy", "code": f"{EMA_CROSS}\nimport socket\n"}).json()
    assert not made["newest"]["runnable"]
    errors = [one for one in made["newest"]["verdict"]["findings"] if one["severity"] == "error"]
    assert [(one["line"], one["column"]) for one in errors] == [(EMA_CROSS.count("\n") + 2, 1)]
    assert "socket" in errors[0]["text"]


def test_a_bot_takes_what_has_passed_and_no_draft(here: Site):
    ann, bob = here.person("ann"), here.person("bob")
    here.services.stores(ann.id).register.add_account(an_account(id="main", user_id=ann.id, venue="simulated"))
    bot = {"name": "trend", "account": "main", "symbol": "BTC/USDT", "timeframe": "1h", "budget": "100"}
    good = ann.post("/strategies", {"name": "Good", "code": EMA_CROSS}).json()
    draft = ann.post("/strategies", {"name": "Draft", "code": "import os\n"}).json()
    theirs = bob.post("/strategies", {"name": "Good", "code": EMA_CROSS}).json()
    refused = ann.post("/bots", bot | {"strategy": draft["newest"]["run_as"]})
    assert (refused.status_code, refused.json()["key"]) == (422, "shelf.draft")
    assert ann.post("/bots", bot | {"strategy": theirs["newest"]["run_as"]}).status_code == 404
    made = ann.post("/bots", bot | {"strategy": good["newest"]["run_as"]})
    assert made.status_code == 201, made.text
    assert made.json()["bot"]["strategy"] == good["newest"]["run_as"]


def test_looking_ahead_is_found(here: Site):
    peeking = EMA_CROSS.replace('self.candles["close"], length=10', 'self.candles["close"].shift(-3), length=10')
    verdict = here.person("ann").post("/strategies/validate", {"code": peeking}).json()
    assert (verdict["passed"], verdict["proof"]["look_ahead"]) == (False, "fail")
