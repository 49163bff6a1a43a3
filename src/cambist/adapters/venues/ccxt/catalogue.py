"""Which exchanges ccxt knows, and what each can do. To learn it every class of ccxt is imported: a child process does
that once for each version of ccxt, and what it found is kept in a file.
"""

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from cambist.adapters.venues.ccxt.lazy import exchange_class, venues
from cambist.adapters.venues.ccxt.quirks import QUIRKS, TryOut
from cambist.domain.broker import ExchangeCard
from cambist.domain.errors import StorageFailed

_OURS = {"apiKey": "api_key"}
_PATIENCE_S = 300


def cards(folder: Path) -> list[ExchangeCard]:
    """Return all exchanges that ccxt knows, by id; what was found is kept in ``folder``. Slow once.

    Raises `StorageFailed` if it can be neither read nor found out.
    """
    file = folder / f"exchanges-{version('ccxt')}.json"
    try:
        found: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = json.loads(_asked_of_ccxt())
        _keep(file, json.dumps(found))
    return [_card(one) for one in found]


def described() -> list[dict[str, Any]]:
    """Return what ccxt's classes say of themselves, by id: all of them are imported."""
    watched = venues("ccxt.pro")
    return [_described(exchange_class(name, "ccxt.pro" if name in watched else "ccxt")()) for name in sorted(venues())]


def _described(exchange: Any) -> dict[str, Any]:
    return {
        "id": exchange.id,
        "name": exchange.name,
        "needs": [_OURS.get(name, name) for name, needed in exchange.requiredCredentials.items() if needed],
        "sandbox": bool(exchange.urls.get("test") or exchange.urls.get("demo")),
        "countries": list(exchange.countries or ()),
        "timeframes": list(exchange.timeframes or ()),
        "has": exchange.has,
    }


def _card(found: dict[str, Any]) -> ExchangeCard:
    row = QUIRKS.get(found["id"])
    return ExchangeCard(
        id=found["id"],
        name=found["name"],
        tradable=row is not None,
        needs=tuple(found["needs"]) if row is None else row.needs,
        testnet=row is not None and row.testnet is not TryOut.NONE,
        sandbox=found["sandbox"] or (row is not None and row.testnet is not TryOut.NONE),
        countries=tuple(found["countries"]),
        timeframes=tuple(found["timeframes"]),
        has=found["has"],
    )


def _asked_of_ccxt() -> str:
    try:
        child = subprocess.run(
            [sys.executable, "-m", __name__], capture_output=True, timeout=_PATIENCE_S, text=True, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        why = getattr(error, "stderr", None) or error
        raise StorageFailed("brokers.no_catalogue", why=str(why).strip()[-160:]) from error
    return child.stdout


def _keep(file: Path, text: str) -> None:
    """Write ``file`` whole or not at all; without it the next process asks again."""
    whole = file.with_suffix(f".{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        whole.write_text(text, encoding="utf-8")
        whole.replace(file)
    except OSError:
        whole.unlink(missing_ok=True)


if __name__ == "__main__":
    json.dump(described(), sys.stdout)
