"""Deeds: what people did that others may want to look up later, chained so that none can be changed unseen."""

import hashlib
import json
from dataclasses import fields
from typing import Any

from cambist.domain.record import record

GENESIS = "0" * 64
"""What the first row names as the hash before it."""


@record(kw_only=True)
class Deed:
    """Something that somebody did. ``details`` is plain JSON, and holds no secret."""

    ts: int
    user_id: int
    """Whose it is: the person whom it concerns; 0 if nobody known."""
    actor: str
    """Who did it: a name, ``command line``, ``engine``."""
    action: str
    """As ``login``, ``role.changed``."""
    target: str
    details: dict[str, Any]
    address: str = ""
    request_id: str = ""


@record(kw_only=True)
class AuditRow:
    """A deed as it was written, with its place in the chain. ``details`` is the JSON text that was hashed."""

    seq: int
    ts: int
    user_id: int
    actor: str
    action: str
    target: str
    details: str
    address: str
    request_id: str
    previous: str
    hash: str


_HASHED = tuple(field.name for field in fields(AuditRow) if field.name != "hash")


def chained(deed: Deed, seq: int, previous: str) -> AuditRow:
    """Return ``deed`` as row ``seq`` of the chain whose last hash is ``previous``."""
    said: dict[str, Any] = {
        "seq": seq,
        "ts": deed.ts,
        "user_id": deed.user_id,
        "actor": deed.actor,
        "action": deed.action,
        "target": deed.target,
        "details": json.dumps(deed.details, sort_keys=True, separators=(",", ":"), ensure_ascii=True),
        "address": deed.address,
        "request_id": deed.request_id,
        "previous": previous,
    }
    return AuditRow(**said, hash=_hash(said))


def is_whole(row: AuditRow) -> bool:
    """Tell whether ``row`` says what was hashed when it was written."""
    said = {name: getattr(row, name) for name in _HASHED}
    return _hash(said) == row.hash


def _hash(said: dict[str, Any]) -> str:
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()
