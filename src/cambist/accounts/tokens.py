"""What people and programs show at the door: access tokens, refresh tokens, API tokens, invitations.

Access tokens are JWTs of a quarter of an hour that say themselves what they are. All others are ``<id>.<secret>``
(an API token: ``cambist_<id>_<secret>``): the id finds the row, which holds only the secret's hash. The secrets are 256
random bits, so one SHA-256 is enough.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cambist.domain.errors import NotSignedIn
from cambist.domain.person import Role, Scope

if TYPE_CHECKING:
    from jwt.types import Options

ACCESS_S = 15 * 60
REFRESH_MS = 30 * 86_400_000
KEY_BYTES = SECRET_BYTES = 32
ID_BYTES = 16
_ISSUER, _AUDIENCE = "cambist", "cambist-api"
_CLAIMS = ["sub", "sid", "role", "scopes", "iat", "exp", "iss", "aud"]
_OPTIONS: "Options" = {"require": _CLAIMS, "verify_exp": False, "verify_iat": False}
"""Its times are compared with our clock, not the library's."""
_PAIR = re.compile(r"([0-9a-f]{32})\.([0-9a-f]{64})")
_API_TOKEN = re.compile(r"cambist_([0-9a-f]{32})_([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Claims:
    """What an access token says."""

    user_id: int
    session: str
    until_ms: int


class AccessTokens:
    """Makes and reads access tokens."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def issue(self, user_id: int, session: str, role: Role, scopes: frozenset[Scope], now_ms: int) -> str:
        """Return a token that holds for `ACCESS_S` seconds."""
        import jwt

        now = now_ms // 1000
        claims: dict[str, Any] = {"sub": str(user_id), "sid": session, "role": str(role), "scopes": sorted(scopes)}
        claims |= {"iat": now, "exp": now + ACCESS_S, "iss": _ISSUER, "aud": _AUDIENCE}
        return jwt.encode(claims, self._key, algorithm="HS256")

    def read(self, token: str, now_ms: int) -> Claims:
        """Return what ``token`` says; raise `NotSignedIn` unless it is ours, whole, and still holds."""
        import jwt

        try:
            claims = jwt.decode(
                token, self._key, algorithms=["HS256"], issuer=_ISSUER, audience=_AUDIENCE, options=_OPTIONS
            )
            if claims["exp"] * 1000 > now_ms:
                return Claims(int(claims["sub"]), str(claims["sid"]), int(claims["exp"]) * 1000)
        except (jwt.InvalidTokenError, TypeError, ValueError):
            raise NotSignedIn("people.bad_token") from None
        raise NotSignedIn("people.token_over")


@dataclass(frozen=True, slots=True)
class Shown:
    """A token in two parts, as it was just made or shown."""

    id: str
    secret: str = field(repr=False)

    @property
    def pair(self) -> str:
        """Return a refresh token, or an invitation."""
        return f"{self.id}.{self.secret}"

    @property
    def api_token(self) -> str:
        """Return an API token."""
        return f"cambist_{self.id}_{self.secret}"

    @property
    def kept(self) -> str:
        """Return what is kept of the secret."""
        return hashlib.sha256(self.secret.encode("ascii")).hexdigest()

    def fits(self, kept: str) -> bool:
        """Tell whether this is the secret of which ``kept`` was kept, in constant time."""
        return hmac.compare_digest(self.kept, kept)


def made(randomness: bytes, id: str | None = None) -> Shown:
    """Return a new token out of `ID_BYTES` + `SECRET_BYTES` random bytes; with ``id``, a new secret for that one."""
    return Shown(id or randomness[:ID_BYTES].hex(), randomness[ID_BYTES : ID_BYTES + SECRET_BYTES].hex())


def is_api_token(text: str) -> bool:
    """Tell whether ``text`` means to be an API token."""
    return text.startswith("cambist_")


def api_token(text: str) -> Shown:
    """Return an API token in its parts; raise `NotSignedIn` if it is none."""
    return _parts(_API_TOKEN, text)


def pair(text: str) -> Shown:
    """Return a refresh token or an invitation in its parts; raise `NotSignedIn` if it is none."""
    return _parts(_PAIR, text)


def _parts(form: re.Pattern[str], text: str) -> Shown:
    match = form.fullmatch(text)
    if match is None:
        raise NotSignedIn("people.bad_token")
    return Shown(match[1], match[2])
