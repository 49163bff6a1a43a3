"""Instruments as JSON, their decimals as text: what a venue wrote is what is read back, to the last zero."""

import json
from dataclasses import asdict, fields
from decimal import Decimal
from pathlib import Path
from typing import Any

from cambist.domain.instrument import Instrument, Kind

_DECIMALS = frozenset(field.name for field in fields(Instrument) if "Decimal" in str(field.type))


def write_instrument(path: Path, instrument: Instrument) -> None:
    """Write ``instrument`` to the file at ``path``."""
    record = {key: str(value) if isinstance(value, Decimal) else value for key, value in asdict(instrument).items()}
    path.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_instrument(path: Path) -> Instrument | None:
    """Return the instrument in the file at ``path``, or None if there is no file."""
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    for key in _DECIMALS & record.keys():
        record[key] = None if record[key] is None else Decimal(record[key])
    return Instrument(**record | {"kind": Kind(record["kind"])})
