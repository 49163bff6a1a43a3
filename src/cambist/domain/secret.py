"""A secret as it is stored: sealed by a key of its own, which is wrapped by a key that is kept elsewhere."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedSecret:
    """One row of the vault. It opens only for the user, record and purpose that it was sealed for."""

    user_id: int
    record: str
    """What it belongs to: an account's id, ``@ai``, ``@user``."""
    purpose: str
    """What it is for: ``api_key``, ``totp``."""
    key_id: str
    """Which key-encryption key has wrapped its data key."""
    wrapped_key: bytes = field(repr=False)
    sealed: bytes = field(repr=False)
    created_ms: int
