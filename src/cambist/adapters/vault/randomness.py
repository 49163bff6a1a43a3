"""Where unpredictable bytes come from."""

import secrets


def random_bytes(count: int) -> bytes:
    """Return ``count`` bytes that nobody can foresee."""
    return secrets.token_bytes(count)
