"""Who asks: API keys, signatures and nonces, checked as Kraken checks them."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping

from cambist.simulators.kraken.refusals import INVALID_KEY, INVALID_NONCE, INVALID_SIGNATURE, Refused


class Signers:
    """The customers' keys: ``secrets`` are account and secret (base64) by key."""

    def __init__(self, secrets: Mapping[str, tuple[str, str]]) -> None:
        self._secrets = secrets
        self._nonces: dict[str, int] = {}

    def account_of(self, key: str | None, signature: str | None, path: str, body: str, nonce: str | None) -> str:
        """Return whose request it is; raise `Refused`. Of each key every nonce must be greater than the last."""
        if not key or key not in self._secrets:
            raise Refused(INVALID_KEY)
        account, secret = self._secrets[key]
        if nonce is None or not nonce.isdigit():
            raise Refused(INVALID_NONCE)
        expected = signature_of(secret, path, nonce, body)
        if not signature or not hmac.compare_digest(expected, signature):
            raise Refused(INVALID_SIGNATURE)
        if int(nonce) <= self._nonces.get(key, 0):
            raise Refused(INVALID_NONCE)
        self._nonces[key] = int(nonce)
        return account


def signature_of(secret: str, path: str, nonce: str, body: str) -> str:
    """Return what ``API-Sign`` must be."""
    digest = hashlib.sha256((nonce + body).encode()).digest()
    return base64.b64encode(
        hmac.new(base64.b64decode(secret), path.encode() + digest, hashlib.sha512).digest()
    ).decode()


def is_secret(text: str) -> bool:
    """Tell whether ``text`` could be a secret: base64."""
    try:
        return bool(base64.b64decode(text, validate=True))
    except binascii.Error:
        return False
