"""Somebody is deleted with all that is theirs, once nothing of it is at work, and nobody else loses anything."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.api.sites import Site, Visitor, site
from tests.api.test_two_users import Ann
from tests.unit.usecases.dealing import Dealer

from cambist.adapters.storage.database import open_database
from cambist.adapters.storage.tables import metadata
from cambist.apps import bootstrap
from cambist.domain.account import BotStatus
from cambist.domain.event import BotChanged
from cambist.domain.job import Job, JobStatus
from cambist.domain.order import Side
from cambist.domain.person import Role
from cambist.domain.wish import Enter, Fraction
from cambist.engine.floor import LEASE
from cambist.usecases.signing_in import DEV

OWNED = [table for table in metadata.sorted_tables if "user_id" in table.c]


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path, CAMBIST_VENUE_URL="http://127.0.0.1:9") as found:
        yield found


@pytest.fixture
def admin(here: Site) -> Visitor:
    return here.person("first", Role.ADMIN)


def rows(here: Site, user_id: int) -> dict[str, int]:
    """Return how many rows of each table are somebody's."""
    with open_database(here.services.settings.database_url).connect() as connection:
        count = sa.select(sa.func.count())
        return {
            table.name: connection.scalar(count.select_from(table).where(table.c.user_id == user_id)) or 0
            for table in OWNED
        }


def deleted(admin: Visitor, user_id: int) -> tuple[int, str]:
    """Shut somebody out and delete them; return what was answered."""
    assert admin.patch(f"/users/{user_id}", {"active": False}).status_code == 200
    answer = admin.delete(f"/users/{user_id}")
    return answer.status_code, "" if answer.status_code < 300 else answer.json()["key"]


def test_nothing_is_left_but_what_the_audit_log_says(here: Site, admin: Visitor, tmp_path: Path):
    ann, bob = Ann(here), here.person("bob")
    number = ann.visitor.id
    here.services.office.vault.seal(number, "account:magpie", "api_key", "secret")
    assert ann.visitor.post("/tokens", {"name": "x", "scopes": ["read"]}, headers={"Idempotency-Key": "k"}).is_success
    made = Dealer(here.services.settings.database_url, f"done.{number}", user_id=number)
    made.round_trip(made.add_bot(f"b.{number}"), "100", "110")
    made.take(BotChanged(made.ts, f"b.{number}", BotStatus.STOPPED))
    for side in Side:  # by hand too
        made.order(side, "1")
        made.look()
    assert ann.visitor.get("/orders", params={"since": 0}).json()["items"]
    Dealer(here.services.settings.database_url, f"his.{bob.id}", user_id=bob.id)
    folders = [tmp_path / kind / str(number) for kind in ("reports", "search-reports", "studies")]
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / "1.html").write_text("magpie")
    hers, his = rows(here, number), rows(here, bob.id)
    none = {"invitations", "webhook_calls", "snapshots", "account_keys"}
    assert {name for name, count in hers.items() if not count} == none
    assert admin.delete(f"/users/{number}").json()["key"] == "people.shut_out_first"
    assert rows(here, number) == hers | {"audit_log": rows(here, number)["audit_log"]}

    assert deleted(admin, number) == (204, "")
    assert {name for name, count in rows(here, number).items() if count} == {"audit_log"}
    assert rows(here, number)["audit_log"] > hers["audit_log"]
    assert not any(folder.exists() for folder in folders)
    assert rows(here, bob.id) == his
    assert admin.get(f"/users/{number}").status_code == admin.delete(f"/users/{number}").status_code == 404
    assert ann.visitor.get("/me").status_code == 401
    (last,) = here.services.office.audit.latest(1)
    assert (last.action, last.target, last.user_id, last.actor) == ("user.deleted", "ann", number, "first")
    assert here.person("ann").id > number  # the name is free, and the number is not


def test_who_still_trades_stays(here: Site, admin: Visitor):
    ann = here.person("ann")
    dealer = Dealer(here.services.settings.database_url, f"main.{ann.id}", user_id=ann.id)
    bot = dealer.add_bot(f"b.{ann.id}")
    before = rows(here, ann.id)
    assert deleted(admin, ann.id) == (409, "people.still_trades")  # it runs, and holds nothing yet
    dealer.wish(bot, Enter(side=Side.BUY, size=Fraction(0.5)))
    dealer.look()
    dealer.take(BotChanged(dealer.ts, bot, BotStatus.SUSPENDED))
    answer = admin.delete(f"/users/{ann.id}")
    assert (answer.status_code, answer.json()["key"]) == (409, "people.still_trades")
    assert f"main.{ann.id}" in answer.json()["detail"]
    assert rows(here, ann.id)["bots"] == before["bots"]
    assert here.services.stores(ann.id).register.accounts() == [dealer.spec]


def test_a_running_engine_lets_the_accounts_go_first(here: Site, admin: Visitor):
    ann = here.person("ann")
    spec = Dealer(here.services.settings.database_url, f"main.{ann.id}", user_id=ann.id).spec
    register, lease = here.services.stores(ann.id).register, bootstrap.lease(here.services.settings)
    assert lease.take(LEASE)
    try:
        assert deleted(admin, ann.id) == (202, "")
        (asked,) = register.waiting()
        assert (asked.account, asked.action) == (spec.id, "leave")
        assert admin.get(f"/users/{ann.id}").json()["active"] is False
        register.forget_account(spec.id)  # as the engine does it
        assert admin.delete(f"/users/{ann.id}").status_code == 204
    finally:
        lease.give_back()


def test_a_job_that_runs_is_cancelled_first(here: Site, admin: Visitor):
    ann = here.person("ann")
    jobs, now = here.services.stores(ann.id).jobs, here.services.now_ms()
    for name in ("waits", "runs"):
        jobs.add(Job(id=name, user_id=ann.id, kind="backtest", params={}, asked_ms=now))
    jobs.begin("runs", now)
    assert deleted(admin, ann.id) == (409, "people.still_computes")
    assert (jobs.job("waits").status, jobs.job("runs").cancelling) == (JobStatus.CANCELLED, True)
    jobs.end("runs", JobStatus.CANCELLED, now)
    assert deleted(admin, ann.id) == (204, "")


def test_the_first_and_dev_stay(here: Site, admin: Visitor):
    other = here.person("other", Role.ADMIN)
    assert deleted(other, admin.id) == (403, "people.first_stays")
    dev = here.services.office.people.add(DEV, "none", Role.TRADE, 0)
    assert other.delete(f"/users/{dev.id}").json()["key"] == "people.dev_is_switched"
