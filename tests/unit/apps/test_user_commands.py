"""The commands on people, the audit log and the vault."""

import re
import sqlite3

import pytest
from tests.databases import sqlite_url
from tests.offices import PASSWORD, office_in, visit

from cambist.apps.cli.main import main
from cambist.domain.text import speak
from cambist.usecases.signing_in import sign_in

SECRET = r"[0-9a-f]{6}(?:-[0-9a-f]{6}){4}"


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    sqlite_url(tmp_path / "cambist.db")
    monkeypatch.setenv("CAMBIST_HOME", str(tmp_path))
    monkeypatch.setenv("CAMBIST_LANG", "en")
    monkeypatch.setenv("COLUMNS", "200")
    for variable in ("DATABASE_URL", "CAMBIST_VAULT_KEY"):
        monkeypatch.delenv(variable, raising=False)

    def called(*arguments: str, code: int = 0) -> str:
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        out = capsys.readouterr()
        assert ended.value.code == code, out
        return str(out.out + out.err)

    yield called
    speak("en")


def password_in(text: str) -> str:
    (found,) = re.findall(SECRET, text)
    return str(found)


def test_the_first_command_makes_the_first_admin(run, tmp_path):
    said = run("user", "list")
    assert sign_in(office_in(tmp_path), "admin", password_in(said), None, visit()).person.id == 1
    assert re.search(r"1\s+admin\s+admin\s+yes\s+no", said)
    assert not re.search(SECRET, run("user", "list"))


def test_somebody_is_added_and_changed(run, tmp_path):
    run("user", "list")
    said = run("user", "add", "Ann", "--role", "view")
    office = office_in(tmp_path)
    assert sign_in(office, "ann", password_in(said), None, visit()).person.role == "view"
    assert "ann" in run("user", "role", "ann", "trade")
    assert run("user", "limits", "ann").strip() == "ann: no limits"
    assert run("user", "limits", "ann", "max_bots=3", "max_notional=10.50").strip() == (
        "ann: max_bots=3 max_notional=10.50"
    )
    assert run("user", "limits", "ann", "max_bots=").strip() == "ann: max_notional=10.50"
    new = password_in(run("user", "password", "ann"))
    assert new != password_in(said)
    run("user", "disable", "ann")
    assert re.search(r"2\s+ann\s+trade\s+no", run("user", "list"))
    run("user", "enable", "ann")
    assert sign_in(office, "ann", new, None, visit()).person.role == "trade"


def test_somebody_is_deleted(run, tmp_path, monkeypatch):
    run("user", "add", "ann")
    assert "disable ann first" in run("user", "delete", "ann", "--yes", code=1)
    run("user", "disable", "ann")
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _: "n")
    run("user", "delete", "ann")
    assert "ann" in run("user", "list")
    assert run("user", "delete", "ann", "--yes").strip() == "ann is deleted."
    assert "ann" not in run("user", "list")
    assert "user.deleted" in run("audit", "show")


def test_a_password_may_be_typed(run, tmp_path, monkeypatch):
    run("user", "list")
    monkeypatch.setattr("click.termui.hidden_prompt_func", lambda _: PASSWORD)
    said = run("user", "add", "ann", "--ask")
    assert PASSWORD not in said
    assert sign_in(office_in(tmp_path), "ann", PASSWORD, None, visit()).person.name == "ann"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("role", "nobody", "trade"), "nobody"),
        (("role", "admin", "trade"), "last admin"),
        (("disable", "admin"), "last admin"),
        (("add", "admin"), "already"),
        (("add", "1"), "letters"),
        (("limits", "admin", "max_bots"), "NAME=VALUE"),
        (("limits", "admin", "bots=1"), "max_bots"),
        (("invite",), "closed"),
    ],
)
def test_what_cannot_be_done_is_said(run, arguments, told):
    run("user", "list")
    assert told in run("user", *arguments, code=1)


def test_invitations_and_registration(run):
    assert run("user", "registration").startswith("Registration: closed")
    assert run("user", "registration", "invitation").strip() == "Registration: invitation"
    assert re.search(r"role view, until .*: [0-9a-f]{32}\.[0-9a-f]{64}", run("user", "invite", "--role", "view"))


def test_the_audit_is_shown_and_verified(run, tmp_path):
    assert run("audit", "verify").strip() == "The audit log is empty."
    run("user", "add", "ann")
    run("user", "role", "ann", "view")
    shown = run("audit", "show")
    assert shown.index("user.added") < shown.index("role.changed")
    assert "admin" not in run("audit", "show", "--user", "ann", "--last", "1")
    assert run("audit", "verify").startswith("The log is whole. Rows: 3.")
    with sqlite3.connect(tmp_path / "cambist.db") as connection:
        connection.execute("UPDATE audit_log SET actor = 'nobody' WHERE seq = 2")
    connection.close()
    assert "Row 2 was changed" in run("audit", "verify", code=1)
    with sqlite3.connect(tmp_path / "cambist.db") as connection:
        connection.execute("DELETE FROM audit_log WHERE seq = 2")
    connection.close()
    assert "Row 2 is missing" in run("audit", "verify", code=1)


def test_the_vault_is_rotated(run, tmp_path, monkeypatch):
    office = office_in(tmp_path)
    office.vault.seal(1, "main", "api_key", "secret")
    assert "anew: 1" in run("vault", "rotate")
    assert "anew: 0" in run("vault", "rotate", "--rewrap")
    assert office.vault.open(1, "main", "api_key") == "secret"
    old, new = reversed((tmp_path / "vault.key").read_text().split())
    monkeypatch.setenv("CAMBIST_VAULT_KEY", f"{old},{new}")
    assert "--rewrap" in run("vault", "rotate", code=1)
    assert "anew: 1" in run("vault", "rotate", "--rewrap")
    shown = run("audit", "show")
    assert shown.count("vault.rotated") == 3
    assert new not in shown
