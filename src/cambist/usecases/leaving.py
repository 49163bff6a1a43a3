"""Somebody goes for good: deleted with all that is theirs. What they did stays in the audit log."""

from collections.abc import Callable
from dataclasses import dataclass

from cambist.domain.account import LOCAL_USER, AccountSpec, BotStatus
from cambist.domain.errors import NotAllowed, Taken
from cambist.domain.job import JobStatus
from cambist.domain.request import Traits
from cambist.engine.account import Account
from cambist.engine.recovery import recover
from cambist.ports.book import Journal, Register
from cambist.ports.jobs import JobStore
from cambist.usecases.brokers import EngineLease, remove_account
from cambist.usecases.office import Office, Visit
from cambist.usecases.signing_in import DEV

_RESTING = (BotStatus.CREATED, BotStatus.STOPPED, BotStatus.DELETED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Belongings:
    """Where that lies which one person has beside a name and a password."""

    register: Register
    jobs: JobStore
    journal: Journal
    traits_of: Callable[[AccountSpec], Traits]
    engine: EngineLease
    forget_files: Callable[[], None]


def delete_person(office: Office, user_id: int, theirs: Belongings, visit: Visit) -> list[int]:
    """Delete somebody who is shut out, with all that is theirs.

    Where an engine runs it is asked to let their accounts go, and their jobs are asked to end: returns the numbers of
    those requests, and the person is there until that has been done and this is called again. Raises `NotFound`,
    `NotAllowed` (user 1, ``dev``), and `Taken` while they may come in, an account of theirs holds something, a bot runs
    or a job has not ended.
    """
    person = office.people.person(user_id)
    if person.name == DEV:
        raise NotAllowed("people.dev_is_switched")
    if person.id == LOCAL_USER:
        raise NotAllowed("people.first_stays")
    if person.active:
        raise Taken("people.shut_out_first", name=person.name)
    specs = theirs.register.accounts()
    busy = [spec.id for spec in specs if not _rests(spec, theirs)]
    if busy:
        raise Taken("people.still_trades", name=person.name, accounts=", ".join(busy))
    ended = [theirs.jobs.cancel(job.id, visit.now_ms) for job in theirs.jobs.active()]
    if any(job.status is JobStatus.RUNNING for job in ended):
        raise Taken("people.still_computes", name=person.name)
    removed = [remove_account(theirs.register, spec, theirs.engine, visit.now_ms) for spec in specs]
    asked = [number for number in removed if number is not None]
    if not asked:
        office.people.forget(user_id)
        theirs.forget_files()
        office.note("user.deleted", visit, person)
    return asked


def _rests(spec: AccountSpec, theirs: Belongings) -> bool:
    """Tell whether an account holds nothing, has nothing under way, and no bot of it runs."""
    account = recover(Account(spec, theirs.traits_of(spec)), theirs.journal).account
    return account.idle and all(seat.by_hand or seat.status in _RESTING for seat in account.seats.values())
