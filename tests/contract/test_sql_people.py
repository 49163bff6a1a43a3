"""The port `People` on both databases."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from tests.contract.book import an_account
from tests.contract.room import found_room

from cambist.adapters.storage.people import SqlPeople
from cambist.adapters.storage.register import SqlRegister
from cambist.adapters.storage.secrets import SqlSecrets
from cambist.adapters.storage.strategies import SqlShelf
from cambist.domain.errors import NotAllowed, NotFound, Taken
from cambist.domain.person import Person, Role, Scope
from cambist.domain.secret import SealedSecret
from cambist.domain.strategy_text import StoredStrategy
from cambist.ports.people import ApiToken, Invitation, Session

NOW = 1_800_000_000_000
_numbers = count(1)


@pytest.fixture(scope="module")
def first(database_url: str) -> Person:
    """Return user 1: everybody else comes after."""
    people = SqlPeople(database_url)
    return people.add_first("admin", "hash", NOW) or people.person(1)


@pytest.fixture
def people(database_url: str, first: Person) -> SqlPeople:
    return SqlPeople(database_url)


def fresh(letter: str = "n") -> str:
    return f"{letter}{next(_numbers)}"


@pytest.fixture
def ann(people: SqlPeople) -> Person:
    return people.add(fresh(), "hash", Role.TRADE, NOW)


def a_session(user_id: int, **changes: Any) -> Session:
    session = Session(
        id=fresh("s"),
        user_id=user_id,
        secret="old",
        created_ms=NOW,
        used_ms=NOW,
        expires_ms=NOW + 1_000,
        address="203.0.113.7",
        agent="browser",
    )
    return replace(session, **changes)


def at_once(*calls: Callable[[], object]) -> list[object]:
    """Return what the calls give (or raise), all begun at the same moment."""
    gate = threading.Barrier(len(calls))
    results: list[object] = [None] * len(calls)

    def run(at: int, call: Callable[[], object]) -> None:
        gate.wait()
        try:
            results[at] = call()
        except Exception as error:  # noqa: BLE001 - it is what came
            results[at] = error

    threads = [threading.Thread(target=run, args=(at, call)) for at, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


# -- users


def test_the_first_is_user_1_and_an_admin_and_there_is_one_first(people, first):
    assert first == Person(
        id=1,
        name="admin",
        role=Role.ADMIN,
        active=True,
        profile={},
        limits={},
        totp_on=False,
        created_ms=NOW,
        seen_ms=None,
    )
    assert people.add_first("another", "hash", NOW) is None
    assert people.named("another") is None


def test_of_many_first_starts_at_once_one_makes_the_first(database_url, postgres_server, tmp_path):
    from tests.databases import fresh_postgres

    url = fresh_postgres(postgres_server) if "postgres" in database_url else f"sqlite:///{tmp_path / 'new.db'}"
    made = at_once(*(lambda at=at: SqlPeople(url).add_first(f"admin{at}", "hash", NOW) for at in range(4)))
    assert sorted(one is None for one in made) == [False, True, True, True], made
    assert [person.id for person in SqlPeople(url).everybody()] == [1]
    assert SqlPeople(url).add("ann", "hash", Role.TRADE, NOW).id == 2


def test_somebody_is_found_by_id_and_by_name_with_the_hash(people):
    name = fresh()
    added = people.add(name, "argon", Role.VIEW, NOW)
    assert people.person(added.id) == added
    assert people.named(name) == (added, "argon")
    assert added in people.everybody()
    assert people.everybody(after=added.id) == []
    assert people.named("nobody") is None
    with pytest.raises(NotFound):
        people.person(999_999)


def test_a_name_is_taken_once_and_numbers_go_on(people):
    name = fresh()
    results = at_once(*(lambda: people.add(name, "hash", Role.TRADE, NOW) for _ in range(4)))
    assert sum(isinstance(one, Person) for one in results) == 1
    assert sum(isinstance(one, Taken) for one in results) == 3


def test_what_is_changed_is_changed_and_nothing_else(people, ann):
    profile, limits = {"theme": "dark", "ai": {"url": None}}, {"max_notional": "0.10", "max_bots": 3}
    changed = people.change(ann.id, profile=profile, limits=limits, seen_ms=NOW + 5, totp_on=True, role=Role.VIEW)
    assert changed == replace(ann, profile=profile, limits=limits, seen_ms=NOW + 5, totp_on=True, role=Role.VIEW)
    assert people.person(ann.id) == changed
    people.change(ann.id, password="new")
    assert people.named(ann.name) == (changed, "new")
    with pytest.raises(NotFound):
        people.change(999_999, active=False)


def test_the_last_active_admin_stays(people, ann):
    for change in ({"active": False}, {"role": Role.TRADE}):
        with pytest.raises(NotAllowed, match="last admin"):
            people.change(1, **change)
    assert (people.person(1).role, people.person(1).active) == (Role.ADMIN, True)
    people.change(ann.id, role=Role.ADMIN, active=False)  # an admin who may not come in does not count
    with pytest.raises(NotAllowed):
        people.change(1, active=False)
    people.change(ann.id, active=True)
    people.change(1, active=False)
    with pytest.raises(NotAllowed):
        people.change(ann.id, role=Role.VIEW)
    people.change(1, active=True)
    people.change(ann.id, role=Role.TRADE)


def test_two_admins_who_demote_each_other_at_once_leave_one(people, ann):
    for _ in range(5):
        people.change(ann.id, role=Role.ADMIN)
        at_once(
            lambda: people.change(1, role=Role.TRADE),
            lambda: people.change(ann.id, role=Role.TRADE),
        )
        left = [person.id for person in people.everybody() if person.role is Role.ADMIN]
        assert len(left) == 1
        people.change(1, role=Role.ADMIN)
    people.change(ann.id, role=Role.TRADE)


def test_a_time_step_is_used_once_and_none_before_it(people, ann):
    assert sorted(map(bool, at_once(*(lambda: people.use_step(ann.id, 50) for _ in range(4))))) == [False] * 3 + [True]
    assert not people.use_step(ann.id, 49)
    assert people.use_step(ann.id, 51)


def test_who_is_forgotten_leaves_nothing_and_nobody_else_s_does(database_url, people, ann):
    bob = people.add(fresh(), "hash", Role.TRADE, NOW)
    for person in (ann, bob):
        people.start_session(a_session(person.id))
        SqlSecrets(database_url).keep(sealed(person.id))
        SqlShelf(database_url, person.id).add(StoredStrategy(user_id=person.id, name="mine"), "a = 1")
    account = an_account(user_id=ann.id)
    register = SqlRegister(database_url, ann.id)
    register.add_account(account)
    with pytest.raises(Taken, match=account.id):
        people.forget(ann.id)
    assert people.person(ann.id) == ann
    register.forget_account(account.id)
    people.forget(ann.id)
    with pytest.raises(NotFound):
        people.person(ann.id)
    assert people.sessions(ann.id, NOW) == SqlShelf(database_url, ann.id).strategies() == []
    assert SqlSecrets(database_url).find(ann.id, "r", "p") is None
    assert len(people.sessions(bob.id, NOW)) == len(SqlShelf(database_url, bob.id).strategies()) == 1
    assert SqlSecrets(database_url).find(bob.id, "r", "p") == sealed(bob.id)
    with pytest.raises(NotFound):
        people.forget(ann.id)


def sealed(user_id: int) -> SealedSecret:
    return SealedSecret(
        user_id=user_id, record="r", purpose="p", key_id="k", wrapped_key=b"w", sealed=b"s", created_ms=NOW
    )


# -- sessions


def test_a_session_is_kept_and_listed_while_it_is_open(people, ann):
    old, new = a_session(ann.id), a_session(ann.id, used_ms=NOW + 1)
    over = a_session(ann.id, expires_ms=NOW)
    for session in (old, new, over):
        people.start_session(session)
    assert people.session(old.id) == old
    assert people.session("no such") is None
    assert people.sessions(ann.id, NOW) == [new, old]
    assert people.sessions(1, NOW) == []


def test_of_many_who_renew_with_the_same_secret_one_wins(people, ann):
    session = a_session(ann.id)
    people.start_session(session)
    renewals = [lambda at=at: people.renew_session(session.id, "old", f"new{at}", NOW + 1, NOW + 9) for at in range(6)]
    won = at_once(*renewals)
    assert sorted(map(bool, won)) == [False] * 5 + [True], won
    kept = people.session(session.id)
    assert kept == replace(session, secret=f"new{won.index(True)}", used_ms=NOW + 1, expires_ms=NOW + 9)
    assert not people.renew_session(session.id, "old", "newer", NOW + 2, NOW + 9)


def test_a_session_that_is_over_is_not_renewed(people, ann):
    session = a_session(ann.id)
    people.start_session(session)
    assert not people.renew_session(session.id, "old", "new", NOW + 1_000, NOW + 2_000)
    people.end_sessions(ann.id, NOW, "revoked")
    assert not people.renew_session(session.id, "old", "new", NOW, NOW + 2_000)


def test_sessions_end_one_all_or_all_but_one(people, ann):
    one, two, three, foreign = (a_session(ann.id), a_session(ann.id), a_session(ann.id), a_session(1))
    for session in (one, two, three, foreign):
        people.start_session(session)
    assert people.end_sessions(ann.id, NOW, "revoked", only=foreign.id) == 0
    assert people.end_sessions(ann.id, NOW, "logout", only=one.id) == 1
    assert people.end_sessions(ann.id, NOW, "again", only=one.id) == 0
    assert people.end_sessions(ann.id, NOW, "revoked", but=two.id) == 1
    assert people.end_sessions(ann.id, NOW, "role") == 1
    ended = [people.session(session.id) for session in (one, three, two)]
    assert [(session.ended_ms, session.why_ended) for session in ended] == [
        (NOW, "logout"),
        (NOW, "revoked"),
        (NOW, "role"),
    ]
    assert people.session(foreign.id) == foreign


# -- API tokens


def test_tokens_are_kept_used_and_ended(people, ann):
    token = ApiToken(
        id=fresh("t"),
        user_id=ann.id,
        name="notebook",
        secret="hash",
        scopes=frozenset((Scope.READ, Scope.TRADE)),
        created_ms=NOW,
        expires_ms=NOW + 5,
    )
    other = replace(token, id=fresh("t"), created_ms=NOW + 1, expires_ms=None)
    people.add_token(other)
    people.add_token(token)
    assert people.tokens(ann.id) == [token, other]
    people.token_used(token.id, NOW + 3)
    assert people.token(token.id) == replace(token, used_ms=NOW + 3)
    assert people.end_tokens(1, NOW, only=token.id) == 0
    assert people.end_tokens(ann.id, NOW, only=token.id) == 1
    assert people.tokens(ann.id) == [other]
    assert people.end_tokens(ann.id, NOW) == 1
    assert people.tokens(ann.id) == []
    assert people.token("no such") is None


def test_no_more_tokens_than_a_person_may_have_however_many_are_made_at_once(people, ann):
    def token(user_id: int) -> ApiToken:
        return ApiToken(
            id=fresh("t"), user_id=user_id, name="n", secret="hash", scopes=frozenset((Scope.READ,)), created_ms=NOW
        )

    ended = token(ann.id)
    people.add_token(ended, 1)
    people.end_tokens(ann.id, NOW, only=ended.id)  # does not count any more
    people.add_token(token(1))
    for _ in range(3):
        assert found_room(lambda n: people.add_token(token(ann.id), 2), Taken) == 2
        assert people.end_tokens(ann.id, NOW) == 2
    people.end_tokens(1, NOW)


# -- invitations


def an_invitation(**changes: Any) -> Invitation:
    invitation = Invitation(
        id=fresh("i"), user_id=1, secret="hash", role=Role.VIEW, created_ms=NOW, expires_ms=NOW + 10
    )
    return replace(invitation, **changes)


def test_an_invitation_lets_one_in(people):
    invitation = an_invitation()
    people.invite(invitation)
    assert invitation in people.invitations(NOW)
    assert invitation not in people.invitations(NOW + 10)
    names = [fresh() for _ in range(4)]
    results = at_once(
        *(lambda name=name: people.add(name, "hash", Role.VIEW, NOW, invitation=invitation.id) for name in names)
    )
    (winner,) = (one for one in results if isinstance(one, Person))
    assert sum(isinstance(one, NotFound) for one in results) == 3, results
    assert [people.named(name) is not None for name in names].count(True) == 1
    assert people.invitation(invitation.id) == replace(invitation, used_by=winner.id)
    assert invitation not in people.invitations(NOW)
    assert not people.uninvite(invitation.id)


def test_an_invitation_is_not_used_up_by_who_could_not_come_in(people, ann):
    invitation = an_invitation()
    people.invite(invitation)
    with pytest.raises(Taken):
        people.add(ann.name, "hash", Role.VIEW, NOW, invitation=invitation.id)
    assert people.invitation(invitation.id) == invitation
    assert people.uninvite(invitation.id)
    assert people.invitation(invitation.id) is None
    assert not people.uninvite(invitation.id)


# -- settings


def test_settings_are_kept(people):
    assert people.setting("nothing") is None
    for value in (True, {"a": [1, "x"]}, False):
        people.set_setting("one", value)
        assert people.setting("one") == value


def test_of_changes_of_limits_or_profile_at_once_none_is_lost(people, ann):
    def change(what: str, name: str) -> Callable[[], object]:
        def slowly(before: dict[str, Any]) -> dict[str, Any]:
            time.sleep(0.02)  # all others are waiting
            return {**before, name: 1}

        return lambda: people.rewrite(ann.id, what, slowly)

    at_once(*(change(what, name) for what in ("limits", "profile") for name in "abc"))
    person = people.person(ann.id)
    assert person.limits == person.profile == {"a": 1, "b": 1, "c": 1}
    with pytest.raises(NotFound):
        people.rewrite(999_999, "limits", dict)
