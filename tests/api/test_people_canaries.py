"""Secrets go in by every door; afterwards nothing that Cambist writes or answers holds any of them."""

import base64
import io
import logging
from pathlib import Path
from typing import Any

import pyotp
import pytest
import structlog
from prometheus_client import generate_latest
from tests.api.sites import site

from cambist.adapters.telemetry.logs import set_up
from cambist.domain.errors import CambistError
from cambist.domain.person import Role
from cambist.usecases.oneself import AI_KEY

API = "/api/v1"
PASSWORD, WRONG, NEXT = "canary-password-one", "canary-password-wrong", "canary-password-next"
AI = "sk-canary-0123456789abcdef"
VAULT_KEY = base64.b64encode(b"canary key of the vault, 32 byte").decode()
SHOWN_ONCE = {"access_token", "refresh_token", "secret", "address", "recovery_codes", "token", "invitation", "password"}


class Doors:
    """Goes through every door, and keeps what is secret apart from what was answered."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.secrets = {PASSWORD, WRONG, NEXT, AI, VAULT_KEY}
        self.answers: list[str] = []

    def ask(self, method: str, path: str, body: Any = None, token: str | None = None) -> Any:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        answer = self._client.request(method, f"{API}{path}", json=body, headers=headers)
        made = answer.json() if answer.content else {}
        if isinstance(made, list):
            made = {"rows": made}
        shown = {name: made[name] for name in SHOWN_ONCE & made.keys() if made[name]} if answer.is_success else {}
        if path == "/me":
            shown.pop("token", None)  # a token's id is no secret
        for name, value in shown.items():
            if name != "address":
                self.secrets |= set(value) if isinstance(value, list) else {value}
            made.pop(name)
        self.answers.append(f"{made!r} {dict(answer.headers)!r}")
        return shown | made

    def all(self) -> None:
        """Use every door, rightly and wrongly."""
        first = self.ask("POST", "/auth/login", {"name": "admin", "password": PASSWORD})
        admin = first["access_token"]
        self.ask("POST", "/auth/login", {"name": "admin", "password": WRONG})
        self.ask("POST", "/auth/login", {"name": WRONG, "password": WRONG})
        self.ask("POST", "/auth/login", {"name": "admin", "password": {"nested": WRONG}})
        self.ask("POST", "/auth/login", {"name": "admin", "password": WRONG * 100, "code": WRONG * 10})
        self.ask("POST", "/auth/login", {"name": "admin", "pass_word": WRONG})
        renewed = self.ask("POST", "/auth/refresh", {"refresh_token": first["refresh_token"]})
        admin = renewed["access_token"]
        self.ask("POST", "/auth/refresh", {"refresh_token": renewed["refresh_token"] + "0"})
        self.ask("POST", "/me/password", {"password": WRONG, "new_password": NEXT}, admin)
        self.ask("POST", "/me/password", {"password": PASSWORD, "new_password": NEXT}, admin)
        self.ask("PUT", "/me/ai", {"provider": "openai", "url": "https://x.example", "model": "m", "key": AI}, admin)
        self.ask("PUT", "/me/ai", {"provider": "nobody", "key": AI}, admin)
        self.ask("PUT", "/me/ai", {"provider": "openai", "key": f"{AI}\n"}, admin)
        self.ask("GET", "/me", None, admin)
        token = self.ask("POST", "/tokens", {"name": "x", "scopes": ["read", "admin"]}, admin)["token"]
        self.ask("GET", "/me", None, token)
        self.ask("GET", "/me", None, token[:-1] + ("0" if token[-1] != "0" else "1"))
        self.ask("PUT", "/registration", {"mode": "invitation"}, admin)
        invitation = self.ask("POST", "/invitations", {}, admin)["invitation"]
        self.ask("POST", "/auth/register", {"name": "ann", "password": PASSWORD, "invitation": invitation + "0"})
        self.ask("POST", "/auth/register", {"name": "ann", "password": PASSWORD, "invitation": invitation})
        self.ask("POST", "/users", {"name": "bob"}, admin)
        self.ask("POST", "/users", {"name": "carl", "password": PASSWORD}, admin)
        self.ask("POST", "/users/2/password", {}, admin)
        secret = self.ask("POST", "/auth/totp", None, admin)["secret"]
        code = pyotp.TOTP(secret).now()
        codes = self.ask("POST", "/auth/totp/confirm", {"code": code}, admin)["recovery_codes"]
        self.ask("POST", "/auth/login", {"name": "admin", "password": NEXT})
        last = self.ask("POST", "/auth/login", {"name": "admin", "password": NEXT, "code": codes[0]})
        for path in ("/me", "/users", "/tokens", "/sessions", "/invitations", "/audit?limit=500", "/audit/verify"):
            self.ask("GET", path, None, last["access_token"])


@pytest.fixture
def log():
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    out = io.StringIO()
    set_up(stream=out, level="debug")
    yield out
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_no_secret_is_found_anywhere(tmp_path: Path, log: io.StringIO):
    from cambist.accounts import passwords

    with site(tmp_path, CAMBIST_VAULT_KEY=VAULT_KEY) as here:
        office = here.services.office
        office.people.add_first("admin", passwords.hashed(PASSWORD, b"s" * passwords.SALT), here.services.now_ms())
        doors = Doors(here.anybody)
        doors.all()
        assert len(doors.secrets) > 25, doors.secrets
        for secret in filter(_is_known_to_the_logs, doors.secrets):
            logging.getLogger("cambist.test").warning("somebody logs %s by mistake", secret)
        vault_values = _rows_of_the_vault(office)
        errors = [str(_error(office)), repr(_error(office))]
        settings = repr(here.services.settings)
        metrics = generate_latest().decode()
    files = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert len(files) > 100_000
    for secret in doors.secrets:
        assert secret.encode() not in files, "in a file"
        assert secret not in log.getvalue(), "in the log"
        assert secret not in "\n".join(doors.answers), "in an answer"
        assert secret not in "\n".join([*errors, settings, metrics, vault_values]), "in an error, a setting, a metric"
    for text in doors.secrets:
        if not text.startswith("eyJ"):
            assert text[-64:].encode() not in files, "the secret half of a token in a file"
    assert b"canary" not in files
    assert len(log.getvalue().splitlines()) > 10
    assert Role.ADMIN in "\n".join(doors.answers)


def _is_known_to_the_logs(secret: str) -> bool:
    """Tell whether ``secret`` has passed the vault, or has a form of ours."""
    return secret == AI or secret.startswith(("cambist_", "eyJ")) or (len(secret) == 97 and secret[32] == ".")


def _error(office: Any) -> Exception:
    try:
        office.vault.open(2, *AI_KEY)
    except CambistError as error:
        return error
    raise AssertionError


def _rows_of_the_vault(office: Any) -> str:
    return repr(list(office.vault._rows.wrapped_otherwise("none")))
