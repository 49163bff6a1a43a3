"""`EnvelopeVault`: one random data key per secret, bound to whose it is and what for, and wrapped by another key.

A row is ``nonce || ciphertext || tag`` of the secret under its data key, and the data key as `KeyEncryption` wraps it.
Both are bound (as GCM's associated data) to user, record and purpose: copied to another row, neither opens.
"""

import json
import secrets
import time
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cambist.domain.errors import NotFound, StorageFailed
from cambist.domain.secret import SealedSecret
from cambist.ports.vault import KeyEncryption, SecretRows

KEY_BITS = 256
NONCE = 12


class EnvelopeVault:
    """The port `Vault`. ``opened`` is told of each secret that passes, so that logs can keep it out."""

    def __init__(self, rows: SecretRows, keys: KeyEncryption, opened: Callable[[str], None]) -> None:
        self._rows = rows
        self._keys = keys
        self._opened = opened

    def seal(self, user_id: int, record: str, purpose: str, secret: str) -> None:
        """Keep ``secret``, in place of an older one."""
        self._rows.keep(self._sealed(user_id, record, purpose, secret))

    def seal_once(self, user_id: int, record: str, purpose: str, secret: str) -> str:
        """Keep ``secret`` unless there is one; return the one that is kept."""
        if not self.holds(user_id, record, purpose):
            self._rows.keep(self._sealed(user_id, record, purpose, secret), replace=False)
        return self.open(user_id, record, purpose)

    def open(self, user_id: int, record: str, purpose: str) -> str:
        """Return a secret; raise `NotFound`, or `StorageFailed` if it does not open."""
        row = self._rows.find(user_id, record, purpose)
        if row is None:
            raise NotFound("vault.none", record=record, purpose=purpose)
        bound_to = bound(user_id, record, purpose)
        data_key = self._keys.unwrap(row.key_id, row.wrapped_key, bound_to)
        secret = opened(data_key, row.sealed, bound_to).decode("utf-8")
        self._opened(secret)
        return secret

    def holds(self, user_id: int, record: str, purpose: str) -> bool:
        """Tell whether there is such a secret, without opening it."""
        return self._rows.find(user_id, record, purpose) is not None

    def forget(self, user_id: int, record: str, purpose: str | None = None) -> int:
        """Delete a secret, or all of ``record``; return how many went."""
        return self._rows.forget(user_id, record, purpose)

    def rotate(self) -> int:
        """Wrap the data keys that another key has wrapped anew, with the current one; return how many.

        One that does not open keeps none of the others from it: `StorageFailed` is raised once all have been tried.
        """
        done, failed = 0, None
        for row in self._rows.wrapped_otherwise(self._keys.key_id):
            bound_to = bound(row.user_id, row.record, row.purpose)
            try:
                data_key = self._keys.unwrap(row.key_id, row.wrapped_key, bound_to)
            except StorageFailed as error:
                failed = failed or error
                continue
            done += self._rows.rewrap(row, *self._keys.wrap(data_key, bound_to))
        if failed is not None:
            raise failed
        return done

    def _sealed(self, user_id: int, record: str, purpose: str, secret: str) -> SealedSecret:
        self._opened(secret)
        bound_to = bound(user_id, record, purpose)
        data_key = AESGCM.generate_key(KEY_BITS)
        key_id, wrapped_key = self._keys.wrap(data_key, bound_to)
        return SealedSecret(
            user_id=user_id,
            record=record,
            purpose=purpose,
            key_id=key_id,
            wrapped_key=wrapped_key,
            sealed=sealed(data_key, secret.encode("utf-8"), bound_to),
            created_ms=time.time_ns() // 1_000_000,
        )


def bound(user_id: int, record: str, purpose: str) -> bytes:
    """Return what a row is bound to; no two rows give the same."""
    return json.dumps(["cambist", 1, user_id, record, purpose]).encode("ascii")


def sealed(key: bytes, plain: bytes, bound_to: bytes) -> bytes:
    """Return ``plain`` sealed under ``key``, with a random nonce in front."""
    nonce = secrets.token_bytes(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plain, bound_to)


def opened(key: bytes, blob: bytes, bound_to: bytes) -> bytes:
    """Return what `sealed` was given; raise `StorageFailed` if anything of it is otherwise now."""
    try:
        return AESGCM(key).decrypt(blob[:NONCE], blob[NONCE:], bound_to)
    except (InvalidTag, ValueError):
        raise StorageFailed("vault.does_not_open") from None
