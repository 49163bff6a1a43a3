import json
from typing import Any

import pytest
from tests.offices import NOW, PASSWORD, office_in, somebody, visit

from cambist.accounts.tallies import OwnTallies
from cambist.accounts.throttle import Throttle
from cambist.domain.errors import BadInput, CambistError, NotAllowed, NotFound, Taken, TooMany
from cambist.domain.person import Role
from cambist.usecases import oneself, people, signing_in
from cambist.usecases.office import Office, rotate_vault
from cambist.usecases.people import Registration

WEEK_MS = 7 * 86_400_000


@pytest.fixture
def office(tmp_path) -> Office:
    made = office_in(tmp_path)
    made.people.add_first("admin", "!", NOW)
    return made


def refused(call, kind: type[CambistError] = NotAllowed) -> str:
    with pytest.raises(kind) as error:
        call()
    return error.value.key


def last(office: Office) -> tuple[str, str, dict[str, object]]:
    (row,) = office.audit.latest(1)
    return row.action, row.target, json.loads(row.details)


# -- adding


def test_who_is_added_can_sign_in(office):
    added = people.add_person(office, " Ann.B-2 ", PASSWORD, Role.VIEW, visit(actor="admin"))
    assert (added.name, added.role) == ("ann.b-2", Role.VIEW)
    assert last(office) == ("user.added", "ann.b-2", {"role": "view"})
    assert signing_in.sign_in(office, "Ann.B-2", PASSWORD, None, visit()).person == office.people.person(added.id)
    assert refused(lambda: people.add_person(office, "ANN.b-2", PASSWORD, Role.VIEW, visit()), Taken) == (
        "people.name_taken"
    )


@pytest.mark.parametrize("name", ["", "a", "1ann", "ann b", "a" * 33, "änn", "dev", "DEV", "ann\x00", "-ann"])
def test_a_bad_name_is_told_before_anything_is_done(office, name):
    refused(lambda: people.add_person(office, name, PASSWORD, Role.VIEW, visit()), BadInput)
    assert len(office.people.everybody()) == 1


def test_who_is_looked_for_and_not_there_is_told_with_who_is(office):
    assert people.person_called(office, " ADMIN").id == 1
    for name in ("nobody", "a\x00b"):
        with pytest.raises(NotFound, match="admin"):
            people.person_called(office, name)


# -- registering


def registered(office: Office, name: str, invitation: str | None = None):
    return people.register(office, name, PASSWORD, invitation, visit())


def test_nobody_registers_unless_that_was_opened(office):
    assert people.registration(office) is Registration.CLOSED
    assert refused(lambda: registered(office, "ann")) == "people.closed"
    assert refused(lambda: people.invite(office, 1, Role.ADMIN, visit())) == "people.invite_closed"


def test_open_registration_makes_traders(office):
    people.set_registration(office, Registration.OPEN, visit())
    assert registered(office, "ann").role is Role.TRADE
    refused(lambda: registered(office, "ann"), Taken)
    refused(lambda: people.register(office, "bob", "short", None, visit()), BadInput)


def test_by_invitation_one_comes_in_with_the_role_of_the_invitation(office):
    people.set_registration(office, Registration.INVITATION, visit())
    invitation, text = people.invite(office, 1, Role.VIEW, visit())
    assert text not in repr(invitation)
    assert refused(lambda: registered(office, "ann")) == "people.invitation_needed"
    for wrong in ("x", text[:-1] + ("0" if text[-1] != "0" else "1"), f"{'0' * 32}.{'0' * 64}"):
        assert refused(lambda w=wrong: registered(office, "ann", w)) == "people.bad_invitation"
    office.throttle = type(office.throttle)()
    ann = registered(office, "ann", f" {text}\n")
    assert ann.role is Role.VIEW
    assert office.people.invitation(invitation.id).used_by == ann.id
    assert refused(lambda: registered(office, "bob", text)) == "people.bad_invitation"


def test_an_invitation_expires_and_is_taken_back(office):
    people.set_registration(office, Registration.INVITATION, visit())
    _, text = people.invite(office, 1, Role.TRADE, visit())
    late = visit(NOW + WEEK_MS)
    assert refused(lambda: people.register(office, "ann", PASSWORD, text, late)) == "people.bad_invitation"
    invitation, text = people.invite(office, 1, Role.TRADE, visit())
    people.uninvite(office, invitation.id, visit())
    assert refused(lambda: registered(office, "ann", text)) == "people.bad_invitation"
    refused(lambda: people.uninvite(office, invitation.id, visit()), NotFound)


def test_those_who_are_invited_do_not_lock_their_address(office):
    office.throttle = Throttle(tallies := OwnTallies())
    people.set_registration(office, Registration.INVITATION, visit())
    for at in range(8):
        _, text = people.invite(office, 1, Role.VIEW, visit())
        registered(office, f"person{at}", text)
    assert tallies.notes == {}


def test_where_all_may_come_one_address_adds_only_so_many_and_its_people_still_sign_in(office):
    office.throttle = Throttle(tallies := OwnTallies())
    people.set_registration(office, Registration.OPEN, visit())
    for at in range(5):
        registered(office, f"person{at}")
    assert refused(lambda: registered(office, "another"), TooMany) == "people.too_many_tries"
    assert [name.split(":")[1] for name in tallies.notes] == ["name"]


def test_guessing_invitations_is_slowed_down(office):
    people.set_registration(office, Registration.INVITATION, visit())
    keys = [refused(lambda: registered(office, "ann", "x"), CambistError) for _ in range(6)]
    assert keys == ["people.bad_invitation"] * 5 + ["people.too_many_tries"]


# -- roles, access, limits


def signed(office: Office, name: str, role: Role = Role.TRADE) -> signing_in.SignedIn:
    return signing_in.begin_session(office, somebody(office, name, role), visit(), "login")


def test_a_new_role_ends_the_sessions(office):
    ann = signed(office, "ann")
    people.set_role(office, ann.person.id, Role.TRADE, visit())
    signing_in.identify(office, ann.access_token, NOW)
    people.set_role(office, ann.person.id, Role.VIEW, visit(actor="admin"))
    assert last(office) == ("role.changed", "ann", {"before": "trade", "after": "view"})
    refused(lambda: signing_in.identify(office, ann.access_token, NOW), CambistError)
    assert office.people.session(ann.session).why_ended == "role"


def test_the_last_admin_is_neither_disabled_nor_demoted(office):
    before = len(office.audit.latest(100))
    assert refused(lambda: people.set_role(office, 1, Role.TRADE, visit())) == "people.last_admin"
    assert refused(lambda: people.set_active(office, 1, visit(), active=False)) == "people.last_admin"
    assert len(office.audit.latest(100)) == before
    people.set_role(office, somebody(office, "ann").id, Role.ADMIN, visit())
    people.set_role(office, 1, Role.TRADE, visit())


def test_who_is_shut_out_is_out_at_once_and_comes_back(office):
    ann = signed(office, "ann")
    people.set_active(office, ann.person.id, visit(), active=False)
    refused(lambda: signing_in.identify(office, ann.access_token, NOW), CambistError)
    refused(lambda: signing_in.renew(office, ann.refresh_token, visit()), CambistError)
    people.set_active(office, ann.person.id, visit(), active=True)
    refused(lambda: signing_in.identify(office, ann.access_token, NOW), CambistError)
    again = signing_in.begin_session(office, ann.person, visit(), "login")
    assert signing_in.identify(office, again.access_token, NOW).name == "ann"


def test_limits_are_set_and_taken_away(office):
    ann = somebody(office, "ann")
    people.set_limits(office, ann.id, {"max_bots": 0, "max_notional": "50000.10", "requests_per_minute": "60"}, visit())
    changed = people.set_limits(office, ann.id, {"max_notional": None, "max_daily_loss": "1E+3"}, visit())
    assert changed.limits == {"max_bots": 0, "requests_per_minute": 60, "max_daily_loss": "1000"}
    assert last(office)[2] == {"changes": {"max_notional": None, "max_daily_loss": "1000"}}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_bots", "-1"),
        ("max_bots", "1.5"),
        ("max_bots", "٣"),
        ("max_bots", "9" * 30),
        ("requests_per_minute", 0),
        ("max_notional", "0"),
        ("max_notional", "-5"),
        ("max_notional", "nan"),
        ("max_notional", "lots"),
        ("max_daily_loss", "inf"),
        ("maximum", "1"),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(office, name, value):
    with pytest.raises(BadInput, match="max_bots" if name == "maximum" else name):
        people.set_limits(office, 1, {name: value}, visit())
    assert office.people.person(1).limits == {}


# -- oneself


def test_choices_are_kept_and_taken_back(office):
    ann = somebody(office, "ann")
    chosen = {
        "language": "fr",
        "theme": "light",
        "time_zone": "Europe/Paris",
        "currency": "EUR",
        "default_account": "a",
    }
    assert oneself.set_profile(office, ann.id, chosen, ["a"]).profile == chosen
    assert oneself.set_profile(office, ann.id, {"theme": None, "time_zone": "local"}, []).profile == {
        "language": "fr",
        "time_zone": "local",
        "currency": "EUR",
        "default_account": "a",
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("language", "de"),
        ("theme", "neon"),
        ("time_zone", "Mars/Olympus"),
        ("time_zone", "../../etc/passwd"),
        ("time_zone", "Europe"),
        ("time_zone", "x\x00"),
        ("currency", "eur"),
        ("currency", "E"),
        ("default_account", "somebody-elses"),
        ("ai", "x"),
        ("name", "x"),
    ],
)
def test_a_choice_that_there_is_not_is_refused(office, name, value):
    with pytest.raises(BadInput):
        oneself.set_profile(office, 1, {name: value}, ["mine"])
    assert office.people.person(1).profile == {}


def ai(office: Office, user_id: int, **given: object):
    chosen: dict[str, Any] = {"provider": "openai", "url": "https://one.example/v1", "model": "m", "key": None, **given}
    return oneself.set_ai(office, user_id, visit=visit(), **chosen)


def test_the_key_of_the_ai_goes_only_where_it_was_meant_to(office):
    ann = somebody(office, "ann")
    ai(office, ann.id, key="sk-secret")
    assert office.vault.open(ann.id, *oneself.AI_KEY) == "sk-secret"
    assert last(office)[2] == {"provider": "openai", "key": True}
    person = ai(office, ann.id, model="another")
    assert person.profile["ai"] == {"provider": "openai", "url": "https://one.example/v1", "model": "another"}
    assert oneself.has_ai_key(office, ann.id), "another model of the same provider keeps the key"
    ai(office, ann.id, url="https://thief.example/v1")
    assert not oneself.has_ai_key(office, ann.id)
    assert not oneself.has_ai_key(office, 1)


def held_change(office: Office, monkeypatch, late, early) -> None:
    """Let ``early`` be done while ``late`` is about to write what it has looked at."""
    begun: list[str] = []

    real = office.people.rewrite

    def rewrite(*given):
        if not begun:
            begun.append("")
            early()
        return real(*given)

    monkeypatch.setattr(office.people, "rewrite", rewrite)
    late()
    assert begun


def test_what_is_set_at_the_same_time_is_not_lost(office, monkeypatch):
    ann = somebody(office, "ann")
    held_change(
        office,
        monkeypatch,
        lambda: people.set_limits(office, ann.id, {"max_bots": 1}, visit()),
        lambda: people.set_limits(office, ann.id, {"max_notional": "5"}, visit()),
    )
    assert office.people.person(ann.id).limits == {"max_bots": 1, "max_notional": "5"}
    held_change(
        office,
        monkeypatch,
        lambda: oneself.set_profile(office, ann.id, {"language": "fr"}, []),
        lambda: ai(office, ann.id, key="sk-secret"),
    )
    profile = office.people.person(ann.id).profile
    assert (profile["language"], profile["ai"]["provider"]) == ("fr", "openai")


def test_of_two_ais_chosen_at_once_neither_gets_the_key_of_the_other(office, monkeypatch):
    ann = somebody(office, "ann")
    ai(office, ann.id, key="sk-old")
    held_change(
        office,
        monkeypatch,
        lambda: ai(office, ann.id, url="https://two.example/v1"),
        lambda: ai(office, ann.id, url="https://three.example/v1", key="sk-three"),
    )
    assert office.people.person(ann.id).profile["ai"]["url"] == "https://two.example/v1"
    assert not oneself.has_ai_key(office, ann.id)


@pytest.mark.parametrize(
    "given",
    [
        {"provider": "skynet"},
        {"url": "file:///etc/passwd"},
        {"url": "https://user:pass@x.example"},
        {"url": "http://"},
        {"url": "https://x.example/" + "a" * 200},
        {"model": ""},
        {"model": "a\x00"},
        {"key": ""},
        {"key": "sk secret\n"},
    ],
)
def test_an_ai_that_makes_no_sense_is_refused_and_its_key_not_repeated(office, given):
    with pytest.raises(BadInput) as error:
        ai(office, 1, **given)
    assert "sk secret" not in str(error.value)
    assert office.people.person(1).profile == {}
    assert not oneself.has_ai_key(office, 1)


def test_a_new_password_ends_all_other_sessions(office):
    ann = somebody(office, "ann", password=True)
    here, there = (signing_in.begin_session(office, ann, visit(), "login") for _ in range(2))
    with pytest.raises(BadInput, match="not your password"):
        oneself.change_password(office, ann.id, "wrong-password", "a-new-password", visit(), session=here.session)
    oneself.change_password(office, ann.id, PASSWORD, "a-new-password", visit(), session=here.session)
    assert signing_in.identify(office, here.access_token, NOW).name == "ann"
    refused(lambda: signing_in.identify(office, there.access_token, NOW), CambistError)
    refused(lambda: signing_in.sign_in(office, "ann", PASSWORD, None, visit()), CambistError)
    assert signing_in.sign_in(office, "ann", "a-new-password", None, visit()).person.name == "ann"


def test_guessing_the_password_from_an_open_session_is_slowed_down(office):
    ann = somebody(office, "ann", password=True)
    for _ in range(5):
        refused(lambda: oneself.change_password(office, ann.id, "wrong-password", "a-new-one!", visit()), BadInput)
    refused(lambda: oneself.change_password(office, ann.id, PASSWORD, "a-new-one!", visit()), TooMany)


def test_one_ends_ones_own_sessions_and_nobody_elses(office):
    ann, bob = signed(office, "ann"), signed(office, "bob")
    other = signing_in.begin_session(office, ann.person, visit(), "login")
    refused(lambda: oneself.end_session(office, ann.person.id, bob.session, visit()), NotFound)
    assert oneself.end_other_sessions(office, ann.person.id, ann.session, visit()) == 1
    assert [one.id for one in oneself.sessions(office, ann.person.id, NOW)] == [ann.session]
    refused(lambda: oneself.end_session(office, ann.person.id, other.session, visit()), NotFound)
    assert signing_in.identify(office, bob.access_token, NOW).name == "bob"


def test_a_rotation_is_in_the_audit(office):
    office.vault.seal(1, "main", "api_key", "secret")
    assert rotate_vault(office, visit()) == 0
    assert last(office) == ("vault.rotated", "vault", {"secrets": 0})
