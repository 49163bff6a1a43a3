"""People, their sessions and API tokens, invitations, and the server's settings. Secrets are kept only as hashes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from cambist.domain.person import Person, Role, Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One browser or device that is signed in. Its refresh token changes at each use."""

    id: str
    user_id: int
    secret: str = field(repr=False)
    """SHA-256 of the refresh token's secret, in hex."""
    created_ms: int
    used_ms: int
    expires_ms: int
    address: str
    agent: str
    ended_ms: int | None = None
    why_ended: str = ""
    """``logout``, ``revoked``, ``reuse``, ``password``, ``role``, ``disabled``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """A key for a program, with some of its owner's scopes."""

    id: str
    user_id: int
    name: str
    secret: str = field(repr=False)
    """SHA-256 of the secret, in hex."""
    scopes: frozenset[Scope]
    created_ms: int
    expires_ms: int | None = None
    used_ms: int | None = None
    ended_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """Lets one person register."""

    id: str
    user_id: int
    """Who invites."""
    secret: str = field(repr=False)
    """SHA-256 of the secret, in hex."""
    role: Role
    created_ms: int
    expires_ms: int
    used_by: int | None = None


class People(Protocol):
    """Blocking calls; all raise `StorageFailed`. What concerns one user names that user: others' ids are `NotFound`."""

    # -- users

    def add_first(self, name: str, password: str, created_ms: int) -> Person | None:
        """Add user 1, an admin, if there is nobody yet; else return None. ``password`` is its hash, here as below."""
        ...

    def add(self, name: str, password: str, role: Role, created_ms: int, invitation: str | None = None) -> Person:
        """Add somebody; raise `Taken` if the name is.

        With the id of an ``invitation``, only if that is unused, and it is used up at the same moment; else `NotFound`.
        """
        ...

    def person(self, user_id: int) -> Person:
        """Return somebody; raise `NotFound`."""
        ...

    def named(self, name: str) -> tuple[Person, str] | None:
        """Return who has this name, with the hash of their password."""
        ...

    def everybody(self, after: int = 0, limit: int = 1_000) -> list[Person]:
        """Return people by id, those after ``after``."""
        ...

    def change(self, user_id: int, **changes: Any) -> Person:
        """Set ``role``, ``active``, ``profile``, ``limits``, ``totp_on``, ``password`` or ``seen_ms``.

        Raises `NotFound`, and `NotAllowed` if no active admin would be left.
        """
        ...

    def rewrite(
        self, user_id: int, what: Literal["profile", "limits"], how: Callable[[dict[str, Any]], dict[str, Any]]
    ) -> Person:
        """Replace the profile or the limits of somebody by what ``how`` makes of them; raise `NotFound`.

        Nobody else changes them in between: of two changes at once, one is made of what the other has left. ``how`` is
        quick, and asks nothing of any store.
        """
        ...

    def forget(self, user_id: int) -> None:
        """Delete somebody with every row that is theirs, but for what the audit log says of them.

        All or nothing. Raises `NotFound`, and `Taken` while they have accounts, which an engine may have open.
        """
        ...

    def use_step(self, user_id: int, step: int) -> bool:
        """Use up the time step of a second factor; False if this one or a later one was used already."""
        ...

    # -- sessions

    def start_session(self, session: Session) -> None:
        """Keep a new session."""
        ...

    def session(self, session_id: str) -> Session | None:
        """Return a session, ended or not."""
        ...

    def sessions(self, user_id: int, now_ms: int) -> list[Session]:
        """Return the sessions of ``user_id`` that are open, the last used first."""
        ...

    def renew_session(self, session_id: str, old: str, new: str, now_ms: int, expires_ms: int) -> bool:
        """Replace the hash ``old`` by ``new``, once; False unless the session is open, and ``old`` its hash."""
        ...

    def end_sessions(
        self, user_id: int, now_ms: int, why: str, *, only: str | None = None, but: str | None = None
    ) -> int:
        """End the sessions of ``user_id``: all, ``only`` one, or all ``but`` one; return how many were open."""
        ...

    # -- API tokens

    def add_token(self, token: ApiToken, most: int | None = None) -> None:
        """Keep a new token; raise `Taken` if its user has ``most`` that have not been ended, however many are added at
        once."""
        ...

    def token(self, token_id: str) -> ApiToken | None:
        """Return a token, ended or not."""
        ...

    def tokens(self, user_id: int) -> list[ApiToken]:
        """Return the tokens of ``user_id`` that have not been ended, the oldest first."""
        ...

    def token_used(self, token_id: str, now_ms: int) -> None:
        """Note that a token was used."""
        ...

    def end_tokens(self, user_id: int, now_ms: int, *, only: str | None = None) -> int:
        """End the tokens of ``user_id``, or ``only`` one; return how many."""
        ...

    # -- invitations

    def invite(self, invitation: Invitation) -> None:
        """Keep a new invitation."""
        ...

    def invitation(self, invitation_id: str) -> Invitation | None:
        """Return an invitation, used or not."""
        ...

    def invitations(self, now_ms: int) -> list[Invitation]:
        """Return the invitations that can still be used."""
        ...

    def uninvite(self, invitation_id: str) -> bool:
        """Take an invitation back; False if there is no unused one of this id."""
        ...

    # -- the server's settings

    def setting(self, name: str) -> Any:
        """Return a setting (plain JSON); None if it was never set."""
        ...

    def set_setting(self, name: str, value: Any) -> None:
        """Keep a setting."""
        ...
