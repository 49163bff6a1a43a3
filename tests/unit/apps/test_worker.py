"""What a worker is started with."""

from pathlib import Path

import pytest

from cambist.apps.settings import load
from cambist.apps.worker import environment_of


def test_a_worker_knows_what_it_needs_and_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = {
        "CAMBIST_KEY_MAIN": "canary-key",
        "CAMBIST_SECRET_MAIN": "canary-secret",
        "CAMBIST_PASSPHRASE_MAIN": "canary-passphrase",
        "CAMBIST_VAULT_KEY": "canary-vault",
        "CAMBIST_METRICS_TOKEN": "canary-token",
    }
    needed = {
        "CAMBIST_HOME": str(tmp_path),
        "DATABASE_URL": "postgresql://someone@somewhere/cambist",
        "CAMBIST_VENUE_URL": "http://127.0.0.1:9",
        "CAMBIST_TRUST_CODE": "true",
    }
    for name, value in (secrets | needed).items():
        monkeypatch.setenv(name, value)
    settings = load()
    found = environment_of(settings)
    assert found.items() >= needed.items()
    assert not [name for name, value in found.items() if "canary" in value]
    again = load(found)
    assert (again.home, again.database_url, again.venue_url, again.trust_code) == (
        settings.home,
        settings.database_url,
        settings.venue_url,
        True,
    )
