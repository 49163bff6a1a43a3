"""The book: the journal, the ledger, snapshots, and what people have set up. All durable when a call returns.

Blocking calls: the engine makes them from a thread of their own, everything else as it likes.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol

from cambist.domain.account import AccountSpec, BotSpec
from cambist.domain.alert import Alert
from cambist.domain.ledger import LedgerEntry
from cambist.domain.record import record
from cambist.domain.text import Language


@record(kw_only=True)
class JournalEntry:
    """One event of one account, with what it made us do. ``seq`` counts from 1 within the account, without gaps."""

    account: str
    seq: int
    ts: int
    kind: str
    body: str
    """JSON."""


@record(kw_only=True)
class Request:
    """What a person asks of a running engine: stop a bot, sell now, halt. ``id`` is given by the book."""

    user_id: int
    account: str
    action: str
    bot: str = ""
    params: str = "{}"
    """JSON."""
    asked_ms: int = 0
    done_ms: int | None = None
    answer: str = ""
    refused: bool = False
    """Whether the answer says why it was not done."""
    key: str | None = None
    """What makes it the same request if it is put once more."""
    language: Language | None = None
    """In which it is answered; None: in the engine's."""
    id: int = 0


class Journal(Protocol):
    """Append-only truth: orders, positions and ledger are rebuilt from it."""

    def append(self, entries: Sequence[JournalEntry], ledger: Sequence[tuple[str, LedgerEntry]] = ()) -> None:
        """Write all or nothing: ``entries``, and ledger entries as (account, entry).

        Raises `JournalFenced` if an account's ``seq`` is taken (another engine has written: we are not its writer any
        more), and `StorageFailed`.
        """
        ...

    def read(self, account: str, after_seq: int = 0) -> Iterator[JournalEntry]:
        """Yield the entries of ``account`` after ``after_seq``, in order, in steady memory."""
        ...

    def snapshot(self, account: str, seq: int, body: str) -> None:
        """Keep the account's state after ``seq`` (JSON); older snapshots may go."""
        ...

    def last_snapshot(self, account: str) -> tuple[int, str] | None:
        """Return (seq, body) of the newest snapshot."""
        ...

    def ledger(self, account: str) -> Iterator[LedgerEntry]:
        """Yield the ledger entries of ``account`` in the order in which they were booked."""
        ...


class Register(Protocol):
    """Accounts, bots, requests and alerts of one user (or, for the engine, of all)."""

    def add_account(self, spec: AccountSpec) -> None:
        """Add an account; raise `BadInput` if its id is taken."""
        ...

    def change_account(
        self, account: str, how: Callable[[dict[str, Any] | None], dict[str, Any] | None]
    ) -> AccountSpec:
        """Replace an account's settings by what ``how`` makes of them, and return it; raise `NotFound`.

        Nobody else changes them in between: of two changes at once, one is made of what the other has left. What
        ``how`` raises leaves them as they were. It is quick, and asks nothing of any store.
        """
        ...

    def forget_account(self, account: str) -> None:
        """Delete an account with all that is kept of it, its journal included; raise `NotFound`.

        Whoever asks makes sure that no engine has it open.
        """
        ...

    def accounts(self) -> list[AccountSpec]:
        """Return the accounts, by id."""
        ...

    def add_bot(self, spec: BotSpec, most: int | None = None) -> None:
        """Add a bot; raise `TooMany` if its user has ``most`` that were not deleted, however many are added at once.

        Raises `BadInput` if its id is taken, `NotFound` if there is no such account.
        """
        ...

    def forget_bot(self, bot: str) -> None:
        """Remove a bot that no engine has heard of, as if it had never been; raise `NotFound`."""
        ...

    def delete_bot(self, bot: str, deleted_ms: int) -> None:
        """Delete a bot that has given its money back. Its id stays taken: journals name it. Raises `NotFound`."""
        ...

    def bots(self, account: str | None = None) -> list[BotSpec]:
        """Return the bots that were not deleted, of one account or of all, by id."""
        ...

    def ask(self, request: Request) -> int:
        """Put a request to the engine and return its id; that of the first, if one has been put under its key."""
        ...

    def waiting(self) -> list[Request]:
        """Return the requests that have no answer yet, oldest first."""
        ...

    def answer(self, request_id: int, done_ms: int, answer: str, *, refused: bool = False) -> None:
        """Say what came of a request, or why it was not done."""
        ...

    def request(self, request_id: int) -> Request:
        """Return one request; raise `NotFound`."""
        ...

    def raise_alert(self, alert: Alert) -> None:
        """Keep an alert."""
        ...

    def alerts(self, limit: int = 50) -> list[Alert]:
        """Return the newest alerts first."""
        ...


class Lease(Protocol):
    """The right to be the one writer of some accounts, lost with the process that holds it."""

    def take(self, name: str) -> bool:
        """Try to take the lease ``name``; True if it is now (or already) ours. Never waits."""
        ...

    def held(self, name: str) -> bool:
        """Tell whether it is still ours: a lost connection loses it."""
        ...

    def give_back(self, names: Iterable[str] | None = None) -> None:
        """Give back some leases, or all."""
        ...
