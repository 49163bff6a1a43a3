"""What can go wrong between a client and an exchange, to be brought about on purpose: by script, and by seed."""

import json
import random
from collections.abc import Iterable
from dataclasses import dataclass, fields
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from cambist.domain.errors import BadInput


class Kind(StrEnum):
    """What the server does instead of, or beside, what it should."""

    # answers to requests
    STATUS = "status"
    """Answer with ``status`` and the venue's own error body (429, 418, 5xx, 451); nothing takes effect."""
    STATUS_AFTER = "status_after"
    """Take effect, then answer with ``status`` as if it had not."""
    LOST = "lost"
    """Take effect, then cut the connection before the answer."""
    HTML = "html"
    """Answer with ``status`` and a web page, as proxies in front of exchanges do; nothing takes effect."""
    STALL = "stall"
    """Say nothing for ``seconds``, then take effect and answer."""
    LATENCY = "latency"
    """Take effect at once, answer ``seconds`` late."""
    RESET = "reset"
    """Break the connection in the middle of the body."""
    TRUNCATED = "truncated"
    """End the body too early, as if that were all: valid HTTP, half a JSON text."""
    DUPLICATES = "duplicates"
    """Send some rows twice, and out of order."""
    BAN = "ban"
    """Shut the client out (418) for ``seconds``."""
    SKEW = "skew"
    """The exchange's clock is ``seconds`` ahead (negative: behind) while it judges and answers."""
    WRONG_BALANCES = "wrong_balances"
    """Tell balances multiplied by ``factor``."""
    STALE_BOOK = "stale_book"
    """Show the order book as it was ``seconds`` ago."""
    THIN = "thin"
    """The market offers ``factor`` of the order's quantity: it fills in part."""
    FILL_AFTER_CANCEL = "fill_after_cancel"
    """A cancel finds ``factor`` of what is left just filled; the news of that fill comes after that of the cancel."""
    # messages on streams
    DROP = "drop"
    """The message is never sent."""
    REPEAT = "repeat"
    """The message is sent twice."""
    LATE = "late"
    """The message is sent ``seconds`` late; others overtake it."""
    REORDER = "reorder"
    """The message is sent after the one that follows it."""
    CLOSE = "close"
    """The socket is cut instead of the message being sent."""
    HALF_OPEN = "half_open"
    """From this message on the socket stays open and nothing comes through it any more."""
    # the exchange as a whole
    DOWN = "down"
    """The exchange cannot be reached for ``seconds``: connections are cut and refused."""
    RESTART = "restart"
    """All connections are cut; what was known is known again."""
    AMNESIA = "amnesia"
    """All connections are cut; orders and listen keys are forgotten, balances are as at the beginning."""


_OF_STREAMS = (Kind.DROP, Kind.REPEAT, Kind.LATE, Kind.REORDER, Kind.CLOSE, Kind.HALF_OPEN)
_OF_EFFECTS = (Kind.WRONG_BALANCES, Kind.STALE_BOOK, Kind.THIN, Kind.FILL_AFTER_CANCEL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault: it lets ``skip`` occasions pass, then strikes at the next ``times`` (0: at all).

    ``path`` says where: a path (``/api/v3/order``), with or without its method (``POST /api/v3/order``), or a stream
    (``ws:btcusdt@trade``, ``ws:user``); ``*`` stands for anything. ``every`` lets it strike at each n-th occasion only,
    ``probability`` at some, by seed. What is asked over a socket (``ws-api POST /api/v3/order``, ``ws AddOrder``) meets
    only the faults that change what the exchange does or says.
    """

    kind: Kind
    path: str = "/api/v3/klines"
    skip: int = 0
    times: int = 1
    every: int = 1
    probability: float = 1.0
    status: int = 503
    retry_after: str | None = None
    """The ``Retry-After`` header: seconds, or an HTTP date."""
    seconds: float = 0.0
    factor: float = 0.5

    def meets(self, *names: str) -> bool:
        """Tell whether one of these names of a place is where the fault strikes, and can: streams have their own."""
        if names[0].startswith("ws:"):
            able = self.kind in _OF_STREAMS
        else:
            able = self.kind in _OF_EFFECTS if names[0].startswith("ws") else self.kind not in _OF_STREAMS
        return able and any(fnmatchcase(name, self.path) for name in names)


@dataclass(frozen=True, slots=True)
class Struck:
    """A fault that struck: where, at which occasion (from 0), and when (ms by the exchange's clock)."""

    fault: Fault
    where: str
    occasion: int
    ts: int


class Faults:
    """The faults in force, what has struck, and the dice."""

    def __init__(self, faults: Iterable[Fault] = (), seed: int = 0) -> None:
        self.struck: list[Struck] = []
        self._dice = random.Random(seed)
        self.set(faults)

    def set(self, faults: Iterable[Fault]) -> None:
        """Put these faults in force, counting occasions from now on."""
        self.in_force = list(faults)
        self._occasions = [0] * len(self.in_force)
        self._strikes = [0] * len(self.in_force)

    def strike(self, ts: int, where: str, *others: str) -> Fault | None:
        """Return the fault that strikes at this occasion, the first in order; ``others`` are more names of the place.

        Every fault that is meant for the place counts the occasion.
        """
        first: Fault | None = None
        for index, fault in enumerate(self.in_force):
            if not fault.meets(where, *others):
                continue
            occasion = self._occasions[index]
            self._occasions[index] += 1
            if first is None and self._due(index, fault, occasion):
                first = fault
                self._strikes[index] += 1
                self.struck.append(Struck(fault, where, occasion, ts))
        return first

    def _due(self, index: int, fault: Fault, occasion: int) -> bool:
        if occasion < fault.skip or (occasion - fault.skip) % fault.every:
            return False
        if fault.times and self._strikes[index] >= fault.times:
            return False
        return fault.probability >= 1 or self._dice.random() < fault.probability


def read_faults(path: Path) -> tuple[list[Fault], int]:
    """Return the faults of a JSON file and its seed: ``{"seed": 7, "faults": [{"kind": "lost", "where": ...}]}``.

    Raises `BadInput` saying what is wrong and what would be right.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput("--faults", str(path), "box.faults.unreadable", why=error.strerror) from None
    except ValueError as error:
        raise BadInput("--faults", str(path), "box.faults.not_json", why=str(error)) from None
    rows = document.get("faults") if isinstance(document, dict) else document
    seed = document.get("seed", 0) if isinstance(document, dict) else 0
    if not isinstance(rows, list) or not isinstance(seed, int):
        raise BadInput("--faults", str(path), "box.faults.shape")
    return [_fault(number, row) for number, row in enumerate(rows, 1)], seed


_TYPES: dict[str, tuple[type, ...]] = {
    "kind": (str,),
    "where": (str,),
    "skip": (int,),
    "times": (int,),
    "every": (int,),
    "probability": (int, float),
    "status": (int,),
    "retry_after": (str, int),
    "seconds": (int, float),
    "factor": (int, float),
}


def _fault(number: int, row: Any) -> Fault:
    place = f"faults[{number}]"
    if not isinstance(row, dict) or "kind" not in row:
        raise BadInput(place, row, "box.faults.shape")
    for name, value in row.items():
        if name not in _TYPES:
            raise BadInput(f"{place}.{name}", value, "box.faults.field", known=" ".join(_TYPES))
        if not isinstance(value, _TYPES[name]) or isinstance(value, bool):
            raise BadInput(
                f"{place}.{name}", value, "box.faults.type", type=" / ".join(t.__name__ for t in _TYPES[name])
            )
    if row["kind"] not in list(Kind):
        raise BadInput(f"{place}.kind", row["kind"], "box.faults.kind", known=" ".join(Kind))
    if row.get("every", 1) < 1 or row.get("skip", 0) < 0 or row.get("times", 1) < 0:
        raise BadInput(place, row, "box.faults.counts")
    if not 0 <= row.get("probability", 1) <= 1 or not row.get("factor", 0.5) >= 0:
        raise BadInput(place, row, "box.faults.share")
    kind = Kind(row["kind"])
    where = row.get("where") or ("ws:*" if kind in _OF_STREAMS else "*")
    if where.startswith("ws:") != (kind in _OF_STREAMS):
        raise BadInput(f"{place}.where", where, "box.faults.where", streams=" ".join(_OF_STREAMS))
    given = {name: value for name, value in row.items() if name not in ("kind", "where")}
    if "retry_after" in given:
        given["retry_after"] = str(given["retry_after"])
    assert given.keys() <= {field.name for field in fields(Fault)}
    return Fault(kind=kind, path=where, **given)
