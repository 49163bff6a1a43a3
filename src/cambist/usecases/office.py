"""The office: what all that is done with people stands on, and the audit of it."""

from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import Any

from cambist.accounts.throttle import Throttle
from cambist.accounts.tokens import KEY_BYTES, AccessTokens
from cambist.domain.deed import Deed
from cambist.domain.person import Identity, Person
from cambist.domain.record import record
from cambist.ports.audit_log import AuditLog
from cambist.ports.people import People
from cambist.ports.vault import SERVER, Randomness, Vault

# Records of the vault. Accounts are records too, by their ids, which have no @.
TOTP = ("@user", "totp")
RECOVERY = "@recovery"
_MOST_KNOWN = 10_000


@record(kw_only=True)
class Visit:
    """When, from where and by whom something is asked; it goes into the audit log with what was done."""

    now_ms: int
    actor: str = ""
    """A name; empty: whoever it is about."""
    address: str = ""
    agent: str = ""
    """The program that asks, in its own words."""
    request_id: str = ""


@dataclass(kw_only=True)
class Office:
    """One process's ways to people, with what it remembers of them for a few seconds. Safe in several threads."""

    people: People
    vault: Vault
    audit: AuditLog
    randomness: Randomness
    debug_allowed: bool = False
    """Whether the environment allows the debug login."""
    throttle: Throttle = field(default_factory=Throttle)
    generation: int = field(default=0, init=False)
    """Raised by `forget`: what was looked up under an older one may have been otherwise since."""
    _known: dict[str, tuple[int, int, Any]] = field(default_factory=dict, init=False, repr=False)
    """By name: under which generation, when, and what."""
    _lock: Lock = field(default_factory=Lock, init=False, repr=False)

    @cached_property
    def access_tokens(self) -> AccessTokens:
        """Return what makes and reads access tokens."""
        return AccessTokens(self._secret("access_tokens"))

    @cached_property
    def asking_secret(self) -> bytes:
        """Return what is mixed into the digests of requests that are to be done once."""
        return self._secret("answers")

    def _secret(self, purpose: str) -> bytes:
        """Return a secret of the server's, which is made when it is first needed of all."""
        return bytes.fromhex(self.vault.seal_once(SERVER, "@server", purpose, self.randomness(KEY_BYTES).hex()))

    def remembered(self, what: str, now_ms: int, for_ms: int) -> Any:
        """Return what was remembered under ``what`` not longer than ``for_ms`` ago, else None."""
        generation, then, value = self._known.get(what, (-1, 0, None))
        return value if generation == self.generation and 0 <= now_ms - then < for_ms else None

    def remember(self, what: str, value: Person | Identity | bool, now_ms: int, generation: int) -> None:
        """Remember ``value`` under ``what`` as long as ``generation``, under which its look-up began, lasts."""
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[what] = (generation, now_ms, value)

    def note(self, action: str, visit: Visit, who: Person | None, target: str = "", **details: Any) -> None:
        """Write a deed into the audit log, and forget what is remembered: it may be otherwise now."""
        self.forget()
        deed = Deed(
            ts=visit.now_ms,
            user_id=SERVER if who is None else who.id,
            actor=visit.actor or ("" if who is None else who.name),
            action=action,
            target=target or ("" if who is None else who.name),
            details=details,
            address=visit.address,
            request_id=visit.request_id,
        )
        self.audit.append(deed)

    def forget(self) -> None:
        """Remember nothing of what may have changed: the next look is at the database."""
        with self._lock:
            self.generation += 1
        self._known.clear()


def rotate_vault(office: Office, visit: Visit) -> int:
    """Wrap what another key has wrapped with the vault's current one; return how many secrets that were."""
    count = office.vault.rotate()
    office.note("vault.rotated", visit, None, target="vault", secrets=count)
    return count
