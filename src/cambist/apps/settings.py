"""All configuration: typed, read once from the environment."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cambist.domain.credentials import Credentials


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

    @property
    def lake(self) -> Path:
        """Return the folder of the candle lake."""
        return self.home / "candles"

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
        credentials={
            name: Credentials(
                api_key=env[f"CAMBIST_KEY_{name}"],
                secret=env.get(f"CAMBIST_SECRET_{name}", ""),
                password=env.get(f"CAMBIST_PASSPHRASE_{name}", ""),
            )
            for name in names
        },
    )
