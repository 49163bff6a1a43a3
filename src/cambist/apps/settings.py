"""All configuration: typed, read once from the environment."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where Cambist keeps things and what it connects to.

    ``CAMBIST_HOME`` is the folder for everything (default ``~/.cambist``); ``DATABASE_URL`` replaces the SQLite file
    in it. ``CAMBIST_VENUE_URL`` points every venue's public API at another host (the project's simulators use it).
    """

    home: Path
    database_url: str
    venue_url: str | None

    @property
    def lake(self) -> Path:
        """Return the folder of the candle lake."""
        return self.home / "candles"


def load(environment: dict[str, str] | None = None) -> Settings:
    """Return the settings that ``environment`` (default: the process's) gives."""
    env = dict(os.environ) if environment is None else environment
    home = Path(env.get("CAMBIST_HOME") or Path.home() / ".cambist").expanduser()
    return Settings(
        home=home,
        database_url=env.get("DATABASE_URL") or f"sqlite:///{home / 'cambist.db'}",
        venue_url=env.get("CAMBIST_VENUE_URL"),
    )
