"""All configuration: typed, read once from the environment."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path

from cambist.domain.credentials import Credentials
from cambist.domain.errors import BadInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where Cambist keeps things and what it connects to.

    ``CAMBIST_HOME`` is the folder for everything (default ``~/.cambist``); ``DATABASE_URL`` replaces the SQLite file
    in it, ``BUS_URL`` (Redis) the bus of one process. ``CAMBIST_VENUE_URL`` points every venue at another host (the
    project's simulators use it). ``CAMBIST_KEY_<ACCOUNT>``, ``CAMBIST_SECRET_<ACCOUNT>`` and, where the venue wants
    one, ``CAMBIST_PASSPHRASE_<ACCOUNT>`` are the credentials of an account.
    """

    home: Path
    database_url: str
    bus_url: str | None
    venue_url: str | None
    credentials: Mapping[str, Credentials] = field(repr=False)
    """By the account's name as `credentials_name` writes it."""
    origins: tuple[str, ...] = ()
    """Pages of other hosts that may use the API, as ``https://host``: ``CAMBIST_ORIGINS``, separated by commas."""
    trusted_proxies: tuple[str, ...] = ()
    """Networks whose word on where a request comes from is believed: ``CAMBIST_TRUSTED_PROXIES``."""
    debug_login: bool = False
    """``CAMBIST_DEBUG_LOGIN=true``: signing in may be switched off, for development."""
    trust_code: bool = False
    """``CAMBIST_TRUST_CODE=true``: all code on this server is its user's own, and runs without a jail."""
    ai_local: bool = False
    """``CAMBIST_AI_LOCAL=true``: an Ollama on this machine or in its private network may help to write strategies."""

    metrics_token: str | None = field(default=None, repr=False)
    """``CAMBIST_METRICS_TOKEN``: who brings it may read ``/metrics`` from elsewhere than this machine."""
    vault_key: str | None = field(default=None, repr=False)
    """``CAMBIST_VAULT_KEY``: the key that wraps the keys of the vault, in place of the file ``vault.key``."""

    @property
    def lake(self) -> Path:
        """Return the folder of the candle lake."""
        return self.home / "candles"

    @property
    def vault_file(self) -> Path:
        """Return the file of the vault's keys."""
        return self.home / "vault.key"

    def credentials_of(self, account: str) -> Credentials:
        """Return the credentials of an account, empty ones if there are none."""
        return self.credentials.get(credentials_name(account), Credentials(api_key="", secret=""))


def credentials_name(account: str) -> str:
    """Return how an account's id stands in the name of a variable."""
    return re.sub(r"[^A-Z0-9]", "_", account.upper())


def load(environment: dict[str, str] | None = None) -> Settings:
    """Return the settings that ``environment`` (default: the process's) gives."""
    env = dict(os.environ) if environment is None else environment
    home = Path(env.get("CAMBIST_HOME") or Path.home() / ".cambist").expanduser()
    names = [name.removeprefix("CAMBIST_KEY_") for name in env if name.startswith("CAMBIST_KEY_")]
    return Settings(
        home=home,
        database_url=env.get("DATABASE_URL") or f"sqlite:///{home / 'cambist.db'}",
        bus_url=env.get("BUS_URL") or None,
        venue_url=env.get("CAMBIST_VENUE_URL"),
        vault_key=env.get("CAMBIST_VAULT_KEY") or None,
        metrics_token=env.get("CAMBIST_METRICS_TOKEN") or None,
        origins=_listed(env.get("CAMBIST_ORIGINS")),
        trusted_proxies=_networks(env.get("CAMBIST_TRUSTED_PROXIES")),
        debug_login=env.get("CAMBIST_DEBUG_LOGIN", "").lower() == "true",
        trust_code=env.get("CAMBIST_TRUST_CODE", "").lower() == "true",
        ai_local=env.get("CAMBIST_AI_LOCAL", "").lower() == "true",
        credentials={
            name: Credentials(
                api_key=env[f"CAMBIST_KEY_{name}"],
                secret=env.get(f"CAMBIST_SECRET_{name}", ""),
                password=env.get(f"CAMBIST_PASSPHRASE_{name}", ""),
            )
            for name in names
        },
    )


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(one.strip().rstrip("/") for one in (text or "").split(",") if one.strip())


def _networks(text: str | None) -> tuple[str, ...]:
    found = _listed(text)
    for one in found:
        try:
            ip_network(one)
        except ValueError:
            raise BadInput("CAMBIST_TRUSTED_PROXIES", one, "settings.network") from None
    return found
