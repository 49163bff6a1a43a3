import threading
from dataclasses import replace

import pyotp
import pytest
from tests.offices import NOW, PASSWORD, office_in, somebody, visit

from cambist.accounts import second_factor, tokens
from cambist.domain.errors import BadInput, CambistError, NotAllowed, NotSignedIn, TooMany
from cambist.domain.person import Role, Scope
from cambist.usecases import oneself, people, signing_in
from cambist.usecases.office import Office

DAY_MS = 86_400_000


@pytest.fixture
def office(tmp_path) -> Office:
    made = office_in(tmp_path)
    made.people.add_first("admin", "!", NOW)
    return made


def deeds(office: Office) -> list[str]:
    return [row.action for row in reversed(office.audit.latest(100))]


def refused(call, kind: type[CambistError] = NotSignedIn) -> str:
    with pytest.raises(kind) as error:
        call()
    return error.value.key


# -- the first start


def test_the_first_start_makes_an_admin_whose_password_is_told_once(tmp_path):
    office = office_in(tmp_path)
    password = signing_in.first_admin(office, NOW)
    assert password is not None
    assert signing_in.first_admin(office, NOW) is None
    signed = signing_in.sign_in(office, "admin", password, None, visit())
    assert (signed.person.id, signed.person.role) == (1, Role.ADMIN)
    other = signing_in.first_admin(office_in(tmp_path / "other"), NOW)
    assert other != password
    assert len(password.replace("-", "")) == 30


# -- signing in


def test_who_signs_in_is_known_by_the_access_token(office):
    ann = somebody(office, "ann", password=True)
    office.people.change(ann.id, profile={"language": "fr", "time_zone": "Europe/Paris"}, limits={"max_bots": 2})
    signed = signing_in.sign_in(office, " Ann ", PASSWORD, None, visit())
    found = signing_in.identify(office, signed.access_token, NOW)
    assert (found.user_id, found.name, found.role) == (ann.id, "ann", Role.TRADE)
    assert found.scopes == {Scope.READ, Scope.TRADE, Scope.ACCOUNT}
    assert (found.session, found.token) == (signed.session, None)
    assert (found.language, found.time_zone, found.limits) == ("fr", "Europe/Paris", {"max_bots": 2})
    assert office.people.person(ann.id).seen_ms == NOW
    (session,) = office.people.sessions(ann.id, NOW)
    assert (session.address, session.agent) == ("203.0.113.7", "test")


def test_wrong_unknown_and_disabled_are_answered_alike(office):
    somebody(office, "ann", password=True)
    gone = somebody(office, "gone", password=True)
    people.set_active(office, gone.id, visit(), active=False)
    for name, password in (("ann", "wrong-password"), ("nobody", PASSWORD), ("gone", PASSWORD), ("a\x00b", PASSWORD)):
        assert refused(lambda n=name, p=password: signing_in.sign_in(office, n, p, None, visit())) == (
            "people.wrong_password"
        )
    failed = [row for row in office.audit.latest(100) if row.action == "login.failed"]
    assert {row.target for row in failed} == {"ann", "gone", ""}, "a name that nobody has may be a password"


def test_who_has_no_password_cannot_sign_in(office):
    somebody(office, "ann")
    for password in ("", "!", "no password opens this"):
        assert refused(lambda p=password: signing_in.sign_in(office, "ann", p, None, visit())) == (
            "people.wrong_password"
        )


def test_after_failures_even_the_right_password_must_wait(office):
    somebody(office, "ann", password=True)
    for _ in range(5):
        refused(lambda: signing_in.sign_in(office, "ann", "wrong-password", None, visit()))
    assert refused(lambda: signing_in.sign_in(office, "ann", PASSWORD, None, visit()), TooMany) == (
        "people.too_many_tries"
    )
    assert refused(lambda: signing_in.sign_in(office, "nobody", "x", None, visit())) == "people.wrong_password"
    assert signing_in.sign_in(office, "ann", PASSWORD, None, visit(NOW + 1_000)).person.name == "ann"


def test_who_is_shut_out_while_they_are_looked_up_is_not_remembered(office, monkeypatch):
    ann = somebody(office, "ann", password=True)
    signed = signing_in.sign_in(office, "ann", PASSWORD, None, visit())
    look = type(office.people).person

    def slowly(kept, user_id):
        found = look(kept, user_id)
        monkeypatch.undo()
        people.set_active(office, ann.id, visit(), active=False)
        return found

    monkeypatch.setattr(type(office.people), "person", slowly)
    assert signing_in.identify(office, signed.access_token, NOW).user_id == ann.id  # who was looked up before
    assert signing_in.remembered(office, signed.access_token, NOW) is None
    refused(lambda: signing_in.identify(office, signed.access_token, NOW))


# -- renewing


def begun(office: Office, name: str = "ann", role: Role = Role.TRADE) -> signing_in.SignedIn:
    found = office.people.named(name)
    person = somebody(office, name, role) if found is None else found[0]
    return signing_in.begin_session(office, person, visit(), "login")


def test_a_refresh_token_renews_once_and_its_second_use_ends_the_session(office):
    first = begun(office)
    second = signing_in.renew(office, first.refresh_token, visit(NOW + 1))
    assert second.session == first.session
    assert second.refresh_token != first.refresh_token
    third = signing_in.renew(office, second.refresh_token, visit(NOW + 2))
    assert signing_in.identify(office, third.access_token, NOW + 2).session == first.session
    assert refused(lambda: signing_in.renew(office, first.refresh_token, visit(NOW + 3))) == "people.session_over"
    for token in (first, second, third):
        refused(lambda t=token: signing_in.renew(office, t.refresh_token, visit(NOW + 4)))
        refused(lambda t=token: signing_in.identify(office, t.access_token, NOW + 4))
    assert office.people.session(first.session).why_ended == "reuse"
    assert deeds(office)[-1] == "session.reused"


def test_of_many_who_renew_at_once_at_most_one_comes_in_and_the_session_ends(office):
    first = begun(office)
    gate = threading.Barrier(6)
    given: list[signing_in.SignedIn | None] = []

    def attempt() -> None:
        gate.wait()
        try:
            given.append(signing_in.renew(office, first.refresh_token, visit(NOW + 1)))
        except NotSignedIn:
            given.append(None)

    threads = [threading.Thread(target=attempt) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(given) == 6
    assert sum(one is not None for one in given) == 1
    assert office.people.session(first.session).why_ended == "reuse"
    assert deeds(office).count("session.reused") == 1


def test_only_hashes_are_kept(office, tmp_path):
    signed = begun(office)
    secret = signed.refresh_token.partition(".")[2]
    assert secret not in office.people.session(signed.session).secret
    assert secret not in repr(signed)
    assert signed.access_token not in repr(signed)


def test_a_session_ends_after_30_days_without_use(office):
    first = begun(office)
    assert refused(lambda: signing_in.renew(office, first.refresh_token, visit(NOW + 30 * DAY_MS))) == (
        "people.session_over"
    )
    second = signing_in.renew(office, first.refresh_token, visit(NOW + 30 * DAY_MS - 1))
    assert second.refresh_expires_ms == NOW + 60 * DAY_MS - 1


@pytest.mark.parametrize("token", ["", "x", f"{'0' * 32}.{'0' * 64}", "é.é"])
def test_what_is_no_refresh_token_is_refused(office, token):
    refused(lambda: signing_in.renew(office, token, visit()))


def test_who_signs_out_is_out_and_other_sessions_go_on(office):
    one, two = begun(office), begun(office)
    signing_in.identify(office, one.access_token, NOW)
    signing_in.sign_out(office, one.person.id, one.session, visit())
    assert refused(lambda: signing_in.identify(office, one.access_token, NOW)) == "people.session_over"
    assert signing_in.identify(office, two.access_token, NOW).session == two.session


def test_what_ended_elsewhere_is_known_within_three_seconds(office, tmp_path):
    elsewhere = office_in(tmp_path)
    signed = begun(office)
    assert signing_in.identify(elsewhere, signed.access_token, NOW).name == "ann"
    people.set_active(office, signed.person.id, visit(), active=False)
    assert signing_in.identify(elsewhere, signed.access_token, NOW + 2_999).name == "ann"
    refused(lambda: signing_in.identify(elsewhere, signed.access_token, NOW + 3_000))
    refused(lambda: signing_in.identify(office, signed.access_token, NOW))


def test_the_database_is_asked_once_in_three_seconds(office, monkeypatch):
    signed = begun(office)
    asked: list[object] = []

    def watched(original):
        def ask(key):
            asked.append(key)
            return original(key)

        return ask

    for name in ("session", "person"):
        monkeypatch.setattr(office.people, name, watched(getattr(office.people, name)))
    for late in range(0, 2_900, 100):
        signing_in.identify(office, signed.access_token, NOW + late)
    assert asked == [signed.session, signed.person.id]


# -- API tokens


def a_token(office: Office, role: Role = Role.TRADE, *scopes: Scope, expires_ms: int | None = None):
    person = somebody(office, "prog", role)
    return oneself.new_token(office, person.id, "notebook", scopes or (Scope.READ,), expires_ms, visit())


def test_an_api_token_has_its_scopes_and_no_more(office):
    token, text = a_token(office, Role.TRADE, Scope.READ, Scope.TRADE)
    found = signing_in.identify(office, text, NOW)
    assert (found.name, found.session, found.token) == ("prog", None, token.id)
    assert found.scopes == {Scope.READ, Scope.TRADE}
    people.set_role(office, token.user_id, Role.VIEW, visit())
    assert signing_in.identify(office, text, NOW).scopes == {Scope.READ}


def test_no_token_is_wider_than_its_owner(office):
    person = somebody(office, "prog", Role.TRADE)
    assert refused(
        lambda: oneself.new_token(office, person.id, "x", [Scope.READ, Scope.ADMIN], None, visit()), NotAllowed
    ) == ("people.scope_too_wide")
    refused(lambda: oneself.new_token(office, person.id, "x", [], None, visit()), BadInput)
    refused(lambda: oneself.new_token(office, person.id, "x", [Scope.READ], NOW, visit()), BadInput)
    refused(lambda: oneself.new_token(office, person.id, "a\x00b", [Scope.READ], None, visit()), BadInput)


def test_an_api_token_expires_and_is_ended_and_its_use_is_noted(office):
    token, text = a_token(office, expires_ms=NOW + 10_000)
    signing_in.identify(office, text, NOW + 5)
    assert office.people.token(token.id).used_ms == NOW + 5
    signing_in.identify(office, text, NOW + 9_000)
    assert office.people.token(token.id).used_ms == NOW + 5, "not written again within a minute"
    assert refused(lambda: signing_in.identify(office, text, NOW + 10_000)) == "people.token_over"
    oneself.end_token(office, token.user_id, token.id, visit())
    assert refused(lambda: signing_in.identify(office, text, NOW + 20)) == "people.token_over"


def test_the_secret_of_an_api_token_must_fit(office):
    token, text = a_token(office)
    wrong = tokens.made(bytes(48), token.id).api_token
    assert refused(lambda: signing_in.identify(office, wrong, NOW)) == "people.bad_token"
    signing_in.identify(office, text, NOW)
    assert refused(lambda: signing_in.identify(office, wrong, NOW)) == "people.bad_token", "remembered, and compared"
    assert refused(lambda: signing_in.identify(office, tokens.made(bytes(48)).api_token, NOW)) == "people.bad_token"
    people.set_active(office, token.user_id, visit(), active=False)
    assert refused(lambda: signing_in.identify(office, text, NOW)) == "people.disabled"


# -- the second factor


@pytest.fixture
def enrolled(office) -> tuple[Office, pyotp.TOTP, list[str]]:
    ann = somebody(office, "ann", password=True)
    enrolment = oneself.enrol(office, ann.id)
    app = pyotp.TOTP(enrolment.secret)
    assert not office.people.person(ann.id).totp_on
    codes = oneself.confirm(office, ann.id, app.at(NOW // 1000), visit())
    return office, app, codes


def test_with_a_second_factor_the_password_alone_does_not_open(enrolled):
    office, app, _ = enrolled
    later = NOW + 30_000
    assert refused(lambda: signing_in.sign_in(office, "ann", PASSWORD, None, visit(later))) == "people.code_needed"
    assert refused(lambda: signing_in.sign_in(office, "ann", PASSWORD, "000000", visit(later))) == "people.wrong_code"
    code = app.at(later // 1000)
    assert refused(lambda: signing_in.sign_in(office, "ann", "wrong-password", code, visit(later))) == (
        "people.wrong_password"
    )
    assert signing_in.sign_in(office, "ann", PASSWORD, code, visit(later)).person.totp_on


def test_a_code_is_taken_once(enrolled):
    office, app, _ = enrolled
    assert refused(lambda: signing_in.sign_in(office, "ann", PASSWORD, app.at(NOW // 1000), visit())) == (
        "people.wrong_code"
    ), "used to confirm"
    later = NOW + 60_000
    signing_in.sign_in(office, "ann", PASSWORD, app.at(later // 1000), visit(later))
    for code_of in (later, later - 30_000):
        assert refused(
            lambda at=code_of: signing_in.sign_in(office, "ann", PASSWORD, app.at(at // 1000), visit(later + 1))
        ) == ("people.wrong_code")


def test_a_recovery_code_is_taken_once(enrolled):
    office, _, codes = enrolled
    assert len(set(codes)) == second_factor.CODES
    signing_in.sign_in(office, "ann", PASSWORD, codes[3].upper(), visit())
    assert refused(lambda: signing_in.sign_in(office, "ann", PASSWORD, codes[3], visit())) == "people.wrong_code"
    signing_in.sign_in(office, "ann", PASSWORD, codes[4], visit())


def test_who_has_the_password_cannot_guess_codes_without_end(enrolled):
    office, _, _ = enrolled
    outcomes = []
    for guess in range(4):
        outcomes.append(refused(lambda: signing_in.sign_in(office, "ann", PASSWORD, None, visit()), CambistError))
        outcomes.append(
            refused(lambda g=guess: signing_in.sign_in(office, "ann", PASSWORD, f"00000{g}", visit()), CambistError)
        )
    assert outcomes.count("people.wrong_code") == 2
    assert outcomes[5:] == ["people.too_many_tries"] * 3


def test_it_is_turned_off_by_who_has_both(enrolled):
    office, app, _ = enrolled
    ann = office.people.named("ann")[0]
    later = NOW + 60_000
    refused(lambda: oneself.turn_off(office, ann.id, "wrong-password", app.at(later // 1000), visit(later)), BadInput)
    refused(lambda: oneself.turn_off(office, ann.id, PASSWORD, "000000", visit(later)), BadInput)
    oneself.turn_off(office, ann.id, PASSWORD, app.at(later // 1000), visit(later))
    assert not signing_in.sign_in(office, "ann", PASSWORD, None, visit(later)).person.totp_on
    assert not office.vault.holds(ann.id, "@user", "totp")
    assert office.vault.forget(ann.id, "@recovery") == 0


def test_it_cannot_be_replaced_while_it_is_on(enrolled):
    office, _, _ = enrolled
    ann = office.people.named("ann")[0]
    with pytest.raises(CambistError, match="already"):
        oneself.enrol(office, ann.id)


def test_an_admin_takes_it_away_from_who_has_lost_it(enrolled):
    office, _, _ = enrolled
    ann = office.people.named("ann")[0]
    people.give_password(office, ann.id, "another-password", visit(), without_second_factor=True)
    assert signing_in.sign_in(office, "ann", "another-password", None, visit()).person.name == "ann"


# -- the debug login


def test_without_the_variable_nobody_comes_in_without_a_token(office):
    assert not signing_in.debug_login_is_on(office, NOW)
    assert refused(lambda: signing_in.identify(office, None, NOW)) == "people.sign_in"
    for call in (
        lambda: signing_in.set_debug_login(office, on=True, visit=visit()),
        lambda: signing_in.debug_session(office, visit()),
    ):
        assert refused(call, NotAllowed) == "people.no_debug_login"


def test_with_the_variable_and_the_switch_whoever_comes_is_dev(office, tmp_path):
    allowed = office_in(tmp_path, CAMBIST_DEBUG_LOGIN="true")
    assert refused(lambda: signing_in.identify(allowed, None, NOW)) == "people.sign_in"
    signing_in.set_debug_login(allowed, on=True, visit=visit())
    found = signing_in.identify(allowed, None, NOW)
    assert (found.name, found.role, found.session, found.token) == ("dev", Role.TRADE, None, None)
    signed = signing_in.debug_session(allowed, visit())
    assert signing_in.identify(allowed, signed.access_token, NOW).name == "dev"
    assert refused(lambda: signing_in.identify(office, None, NOW)) == "people.sign_in", "the environment decides"
    signing_in.set_debug_login(allowed, on=False, visit=visit())
    refused(lambda: signing_in.identify(allowed, None, NOW))
    refused(lambda: signing_in.identify(allowed, signed.access_token, NOW))


def test_it_is_off_again_at_a_start_without_the_variable_and_stays_off(office, tmp_path):
    allowed = office_in(tmp_path, CAMBIST_DEBUG_LOGIN="true")
    signing_in.set_debug_login(allowed, on=True, visit=visit())
    dev = people.person_called(allowed, "dev")
    token = oneself.new_token(allowed, dev.id, "kept", [Scope.READ], None, visit())[1]
    signed = signing_in.debug_session(allowed, visit())
    signing_in.settle_debug_login(allowed, NOW)
    assert signing_in.debug_login_is_on(allowed, NOW)
    signing_in.settle_debug_login(office, NOW)
    later = office_in(tmp_path, CAMBIST_DEBUG_LOGIN="true")
    assert not signing_in.debug_login_is_on(later, NOW)
    for bearer in (None, token, signed.access_token):
        refused(lambda b=bearer: signing_in.identify(later, b, NOW))
    refused(lambda: signing_in.renew(later, signed.refresh_token, visit()))
    assert deeds(office)[-1] == "debug_login.off"


@pytest.mark.parametrize("value", ["", "1", "yes", "false", "truely"])
def test_only_true_allows_it(tmp_path, value):
    assert not office_in(tmp_path, CAMBIST_DEBUG_LOGIN=value).debug_allowed


def test_nobody_else_is_called_dev_and_dev_has_no_password(office):
    refused(lambda: people.add_person(office, "Dev", PASSWORD, Role.TRADE, visit()), BadInput)
    dev = somebody(office, "dev")
    refused(lambda: people.give_password(office, dev.id, PASSWORD, visit()), NotAllowed)
    refused(lambda: people.set_active(office, dev.id, visit(), active=True), NotAllowed)


def test_the_audit_names_who_acted(office):
    signed = begun(office)
    signing_in.sign_out(office, signed.person.id, signed.session, replace(visit(), actor="ann by token 7"))
    newest = office.audit.latest(1)[0]
    assert (newest.actor, newest.target, newest.address) == ("ann by token 7", "ann", "203.0.113.7")
