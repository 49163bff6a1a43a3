"""How often one may try: each failure makes the next try wait longer, by name and by address."""

import hashlib
from typing import Any

from cambist.accounts.tallies import OwnTallies
from cambist.domain.errors import TooMany
from cambist.ports.tallies import Tallies

LONGEST_MS = 15 * 60_000
FORGOTTEN_MS = 60 * 60_000
_FREE = {"name": 5, "address": 20}
"""Failures that cost nothing. Many people may share an address."""


class Throttle:
    """Counts who failed. A try counts as failed until it is told to have succeeded, so tries at once count too.

    It counts for this process, or for all that have ``tallies`` in common: then each method raises `BusFailed` if
    these are out of reach. Of a name or an address [how often, when last (ms)] is noted.
    """

    def __init__(self, tallies: Tallies | None = None) -> None:
        self._tallies = OwnTallies() if tallies is None else tallies

    def enter(self, name: str, address: str, now_ms: int) -> None:
        """Count a try; raise `TooMany`, which says how long to wait, if it comes too early.

        Names that do not exist are treated like those that do.
        """

        def entered(notes: list[Any]) -> list[Any]:
            wait_ms = max(_wait_ms(free, note, now_ms) for free, note in zip(_FREE.values(), notes, strict=True))
            if wait_ms > 0:
                seconds = -(-wait_ms // 1000)
                raise TooMany("people.too_many_tries", retry_after_s=float(seconds), seconds=seconds)
            return [[_times(note, now_ms) + 1, now_ms] for note in notes]

        self._tallies.change([_called("name", name), _called("address", address)], entered, FORGOTTEN_MS)

    def succeeded(self, name: str, address: str) -> None:
        """Forget the failures of ``name``, and as many that were counted for ``address``.

        A good sign-in with a second factor is two tries: were one of them to stay, many people who all come in would
        lock their common address.
        """

        def forgotten(notes: list[Any]) -> list[Any]:
            of_name, of_address = notes
            return [None, _less(of_address, 1 if of_name is None else of_name[0])]

        self._tallies.change([_called("name", name), _called("address", address)], forgotten, FORGOTTEN_MS)

    def spared(self, address: str) -> None:
        """Forget a try of ``address`` that was good; it stays counted for its name, which may not do so without end."""
        self._tallies.change([_called("address", address)], lambda notes: [_less(notes[0], 1)], FORGOTTEN_MS)


def _called(kind: str, name: str) -> str:
    # where a name is asked for, some give their password
    return f"tries:{kind}:{hashlib.blake2b(name.encode('utf-8', 'replace'), digest_size=16).hexdigest()}"


def _less(note: Any, tries: int) -> Any:
    return None if note is None or note[0] <= tries else [note[0] - tries, note[1]]


def _times(note: Any, now_ms: int) -> int:
    return int(note[0]) if note is not None and now_ms - note[1] < FORGOTTEN_MS else 0


def _wait_ms(free: int, note: Any, now_ms: int) -> int:
    over = _times(note, now_ms) - free
    return 0 if over < 0 else int(note[1]) + min(1000 << min(over, 20), LONGEST_MS) - now_ms
