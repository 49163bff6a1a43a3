"""The vault: secrets at rest. What is sealed for one user, record and purpose opens for these alone."""

from collections.abc import Callable, Iterator
from typing import Protocol

from cambist.domain.secret import SealedSecret

Randomness = Callable[[int], bytes]
"""Gives so many unpredictable bytes."""

SERVER = 0
"""The user of the server's own secrets: nobody."""


class Vault(Protocol):
    """Keeps secrets. Blocking calls."""

    def seal(self, user_id: int, record: str, purpose: str, secret: str) -> None:
        """Keep ``secret``, in place of an older one; durable when this returns. Raises `StorageFailed`."""
        ...

    def seal_once(self, user_id: int, record: str, purpose: str, secret: str) -> str:
        """Keep ``secret`` unless there is one; return the one that is kept, whoever was first."""
        ...

    def open(self, user_id: int, record: str, purpose: str) -> str:
        """Return a secret.

        Raises `NotFound` if there is none, `StorageFailed` if it does not open: it was copied from elsewhere, changed,
        or the key that wrapped it is not here.
        """
        ...

    def holds(self, user_id: int, record: str, purpose: str) -> bool:
        """Tell whether there is such a secret, without opening it."""
        ...

    def forget(self, user_id: int, record: str, purpose: str | None = None) -> int:
        """Delete a secret, or all of ``record``; return how many went."""
        ...

    def rotate(self) -> int:
        """Wrap the data keys that another key has wrapped anew, with the current one; return how many.

        The secrets themselves stay closed.
        """
        ...


class KeyEncryption(Protocol):
    """Wraps data keys with a key that never leaves it: a file beside the database, or a key management service."""

    @property
    def key_id(self) -> str:
        """Which key wraps now."""
        ...

    def wrap(self, data_key: bytes, bound_to: bytes) -> tuple[str, bytes]:
        """Return the current key's id, and ``data_key`` wrapped by it for whoever names the same ``bound_to``."""
        ...

    def unwrap(self, key_id: str, wrapped: bytes, bound_to: bytes) -> bytes:
        """Return a data key; raise `StorageFailed` if the key is not here or does not fit."""
        ...


class SecretRows(Protocol):
    """Where the sealed secrets lie."""

    def keep(self, row: SealedSecret, *, replace: bool = True) -> None:
        """Write ``row`` in place of an older one, or leave that there."""
        ...

    def find(self, user_id: int, record: str, purpose: str) -> SealedSecret | None:
        """Return a row."""
        ...

    def forget(self, user_id: int, record: str, purpose: str | None = None) -> int:
        """Delete a row, or all of ``record``; return how many went."""
        ...

    def wrapped_otherwise(self, key_id: str) -> Iterator[SealedSecret]:
        """Yield the rows whose data key another key than ``key_id`` has wrapped."""
        ...

    def rewrap(self, row: SealedSecret, key_id: str, wrapped_key: bytes) -> bool:
        """Replace the wrapped key of ``row``; False if it is not as it was read: somebody has sealed it anew."""
        ...
