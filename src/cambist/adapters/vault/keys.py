"""Key-encryption keys from a file or the environment.

Each line of the file, and of the variable, is one key: 32 bytes in base64. The first wraps; the others only unwrap what
they have wrapped, until `EnvelopeVault.rotate` has been here. A key's id is the beginning of its hash.
"""

import base64
import binascii
import hashlib
import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path

from cambist.adapters.vault.envelope import opened, sealed
from cambist.domain.errors import BadInput, StorageFailed

VARIABLE = "CAMBIST_VAULT_KEY"
_BYTES = 32
_ID_SIGNS = 16


class LocalKeys:
    """The port `KeyEncryption` with keys that lie on this machine.

    They are read anew each time, so that servers that run follow a rotation: ``read`` raises `BadInput` or
    `StorageFailed`.
    """

    def __init__(self, read: Callable[[], list[bytes]]) -> None:
        self._read = read

    @property
    def key_id(self) -> str:
        """Return which key wraps now."""
        return name_of(self._read()[0])

    def wrap(self, data_key: bytes, bound_to: bytes) -> tuple[str, bytes]:
        """Return the current key's id, and ``data_key`` wrapped by it."""
        current = self._read()[0]
        return name_of(current), sealed(current, data_key, bound_to)

    def unwrap(self, key_id: str, wrapped: bytes, bound_to: bytes) -> bytes:
        """Return a data key; raise `StorageFailed` if the key is not here or does not fit."""
        key = {name_of(one): one for one in self._read()}.get(key_id)
        if key is None:
            raise StorageFailed("vault.no_key", key_id=key_id, variable=VARIABLE)
        return opened(key, wrapped, bound_to)


def name_of(key: bytes) -> str:
    """Return the public name of a key."""
    return hashlib.sha256(b"cambist vault key\0" + key).hexdigest()[:_ID_SIGNS]


def local_keys(file: Path, variable: str | None) -> LocalKeys:
    """Return the keys of ``variable`` if it is set, else those of ``file``, which is made when it is first needed."""
    if variable is not None:
        return LocalKeys(lambda: _parsed(variable, VARIABLE))
    return LocalKeys(lambda: _of_file(file))


def add_key(file: Path) -> None:
    """Put a new key in front of those in ``file``: it wraps from here on. All or nothing.

    The old ones stay below it, for backups of the database are wrapped by them.
    """
    _of_file(file)
    _written(file, _new_line() + file.read_text(encoding="ascii")).replace(file)


def _of_file(file: Path) -> list[bytes]:
    """Return the keys in ``file``; raise `StorageFailed` if others than its owner can read it."""
    try:
        if not file.exists():
            _make(file)
        mode = stat.S_IMODE(file.stat().st_mode)
        if os.name == "posix" and mode & 0o077:
            raise StorageFailed("vault.file_open", file=file, mode=f"{mode:03o}")
        return _parsed(file.read_text(encoding="ascii"), str(file))
    except (OSError, UnicodeDecodeError) as error:
        raise StorageFailed("vault.file_failed", file=file, why=error) from error


def _make(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = _written(file, _new_line())
    try:
        os.link(draft, file)  # whole or not at all, and never over another's
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _written(file: Path, text: str) -> Path:
    """Return a new file beside ``file`` that holds ``text``, on the disk, for its owner alone."""
    draft = file.with_name(f"{file.name}.{secrets.token_hex(8)}.new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    return draft


def _new_line() -> str:
    return base64.b64encode(secrets.token_bytes(_BYTES)).decode("ascii") + "\n"


def _parsed(text: str, where: str) -> list[bytes]:
    keys = []
    for line in text.replace(",", "\n").split():
        try:
            key = base64.b64decode(line, validate=True)
        except binascii.Error:
            key = b""
        if len(key) != _BYTES:
            raise BadInput(where, "***", "vault.bad_key", bytes=_BYTES)
        keys.append(key)
    if not keys:
        raise BadInput(where, "***", "vault.bad_key", bytes=_BYTES)
    return keys
