"""The second factor: six digits of an authenticator app (RFC 6238), and codes for the day on which it is lost."""

import base64
import hashlib
import hmac

SECRET_BYTES = 20
CODES = 10
CODE_BYTES = 10
_STEP_MS = 30_000
_ISSUER = "Cambist"


def new_secret(randomness: bytes) -> str:
    """Return `SECRET_BYTES` random bytes as authenticator apps take them."""
    return base64.b32encode(randomness).decode("ascii")


def address(secret: str, name: str) -> str:
    """Return the ``otpauth://`` address of a secret: what the square picture says."""
    import pyotp

    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=_ISSUER)


def step_of(secret: str, code: str, now_ms: int) -> int | None:
    """Return the time step for which ``code`` is right: now, just before or just after; None if it is wrong."""
    import pyotp

    made, now = pyotp.TOTP(secret), now_ms // _STEP_MS
    steps = [
        step for step in (now, now - 1, now + 1) if hmac.compare_digest(_digits(code), made.generate_otp(step).encode())
    ]
    return steps[0] if steps else None


def _digits(code: str) -> bytes:
    return code.replace(" ", "").encode("utf-8", "surrogatepass")


def recovery_codes(randomness: bytes) -> list[str]:
    """Return `CODES` codes of 80 bits each, as people copy them, out of `CODES` x `CODE_BYTES` random bytes."""
    parts = [randomness[at : at + CODE_BYTES] for at in range(0, CODES * CODE_BYTES, CODE_BYTES)]
    texts = [base64.b32encode(part).decode("ascii").lower() for part in parts]
    return ["-".join(text[at : at + 4] for at in range(0, 16, 4)) for text in texts]


def kept(code: str) -> str:
    """Return what is kept of a recovery code, however it was typed."""
    plain = "".join(sign for sign in code.lower() if sign.isalnum())
    return hashlib.sha256(plain.encode()).hexdigest()
