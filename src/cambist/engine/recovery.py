"""An account from its journal: the newest snapshot, and every event since taken through the desk again."""

from dataclasses import replace

from cambist.domain.command import VenueCommand
from cambist.domain.event import AccountEvent
from cambist.domain.record import record
from cambist.domain.wire import from_text, to_text
from cambist.engine.account import Account, Outcome
from cambist.engine.desk import step
from cambist.execution.breaker import BreakerRules
from cambist.execution.limits import Limits
from cambist.ports.book import Journal


@record
class Journaled:
    """What stands in the journal: an event, and what it made us do."""

    event: AccountEvent
    commands: tuple[VenueCommand, ...] = ()


@record
class Recovered:
    """An account as its journal tells it."""

    account: Account
    seq: int
    """The last event that it has taken in."""
    differs: tuple[int, ...] = ()
    """Events whose commands come out otherwise than they were journaled: another version wrote them."""


def body_of(event: AccountEvent, commands: list[VenueCommand]) -> str:
    """Return what is journaled of ``event``."""
    return to_text(Journaled, Journaled(event, tuple(commands)))


def recover(account: Account, journal: Journal) -> Recovered:
    """Return ``account`` (new) brought to where its journal ends; raise `StorageFailed`.

    Its settings are then those of the journal: what happened is judged by what was in force when it did. Whoever starts
    the account anew tells it of those that have changed since (`Account.configured`).
    """
    seq = 0
    account = replace(account, limits=Limits(), rules=BreakerRules())
    snapshot = journal.last_snapshot(account.spec.id)
    if snapshot is not None:
        seq, text = snapshot
        known: Account = from_text(Account, text)
        account = replace(known, spec=account.spec)
    differs = []
    for entry in journal.read(account.spec.id, seq):
        journaled: Journaled = from_text(Journaled, entry.body)
        outcome = replayed(account, journaled)
        if tuple(outcome.commands) != journaled.commands:
            differs.append(entry.seq)
        seq = entry.seq
    return Recovered(account, seq, tuple(differs))


def replayed(account: Account, journaled: Journaled) -> Outcome:
    """Take a journaled event through the desk again. What it made leave has left, whatever rules there are today."""
    account.already_sent = frozenset(one.client_id for one in Outcome(list(journaled.commands)).requests())
    try:
        return step(account, journaled.event)
    finally:
        account.already_sent = frozenset()


def snapshot_of(account: Account) -> str:
    """Return the whole of ``account`` as JSON."""
    return to_text(Account, account)
