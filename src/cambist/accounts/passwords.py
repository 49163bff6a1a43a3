"""Passwords: which will do, how they are kept (argon2id), and how one is tried."""

import unicodedata
from functools import cache
from typing import TYPE_CHECKING

from cambist.domain.errors import BadInput

if TYPE_CHECKING:
    from pwdlib import PasswordHash

SHORTEST, LONGEST = 10, 1_000
"""Characters. The longest keeps somebody from making us hash a book."""
NONE = "!"
"""Kept in place of a hash for who has no password: no password fits."""
_FORM = "$argon2id$"
SALT = 16
"""Bytes of randomness that a hash needs."""

# Of nobody: tried for names that do not exist, so that they take as long as those that do.
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$Y2FtYmlzdGNhbWJpc3RjYQ$Z9KzK0iMNCgbF1gGYvYPmAGtrrPUMgrYaUFbzQXFv6M"

_WORDS = """
1234567890 12345678910 0123456789 0987654321 9876543210 1111111111 0000000000 1212121212 1q2w3e4r5t
1qaz2wsx3edc qwertyuiop qwerty12345 qwerty123456 azertyuiop azerty12345 azerty123456 qwertzuiop asdfghjkl1
password12 password123 password1234 password12345 passw0rd123 p@ssw0rd123 p@ssword123 motdepasse motdepasse1
motdepasse123 administrator administrateur admin12345 admin123456 changeme123 changemenow letmein123
letmeinplease welcome123 welcome1234 bienvenue1 bienvenue123 iloveyou12 iloveyou123 jetaime123 football123
baseball123 superman123 dragon12345 sunshine123 princess123 princesse123 doudou12345 loulou12345 abcdefghij
abcdefghijk abc123456789 abcd123456 cambist123 cambist1234 bitcoin123 bitcoin1234 ethereum123 satoshi123
tothemoon1 hodlhodlhodl
"""
_COMMON = frozenset(_WORDS.split())


def check_new(name: str, password: str) -> None:
    """Raise `BadInput` unless ``password`` will do for ``name``; the error does not repeat it."""
    folded = password.casefold()
    if not SHORTEST <= len(password) <= LONGEST:
        why = "people.password_length"
    elif name.casefold() in (folded, folded.rstrip("0123456789!")) or len(set(folded)) < 4 or folded in _COMMON:
        why = "people.password_common"
    else:
        return
    raise BadInput("password", "***", why, shortest=SHORTEST, longest=LONGEST)


def hashed(password: str, salt: bytes) -> str:
    """Return what to keep of a password. ``salt`` is `SALT` random bytes. Takes some tenths of a second."""
    return _hasher().hash(_plain(password), salt=salt)


def fits(password: str, kept: str | None) -> bool:
    """Tell whether ``password`` is the one of which ``kept`` was kept; None is nobody, and takes as long."""
    known = kept if kept is not None and kept.startswith(_FORM) else None
    right = len(password) <= LONGEST and _hasher().verify(_plain(password), known or _NOBODY)
    return right and known is not None


def _plain(password: str) -> bytes:
    """Return the same bytes for a password however a keyboard composes its accents."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


@cache
def _hasher() -> "PasswordHash":
    from pwdlib import PasswordHash

    return PasswordHash.recommended()
