"""Asking: a person for a yes, the journals for how all stands, a running engine for what it alone may do."""

import time
from collections.abc import Iterable

import click

from cambist.apps import bootstrap
from cambist.domain.account import BotStatus
from cambist.domain.errors import BadInput, CambistError, NotFound, Stopped
from cambist.domain.standing import AccountStanding, BotStanding
from cambist.domain.text import say
from cambist.ports.book import Register, Request

_SOON_S, _PATIENCE_S = 1.0, 10.0
_LOOKED_EVERY_S = 0.1
_YES, _NO = ("y", "yes", "o", "oui"), ("n", "no", "non", "")
"""In both languages whichever is spoken: fingers have their own habits. Enter alone is a no."""


def now_ms() -> int:
    """Return the time at which a person asks (ms)."""
    return bootstrap.running_clock().now_ms()


def put(register: Register, number: int, *, later: str = "asking.later") -> None:
    """Say what comes of request ``number``; if no engine answers, the text ``later``. Raises as `answered`."""
    answer = answered(register, number)
    click.echo(say(later) if answer is None else answer)


def answered(register: Register, number: int) -> str | None:
    """Wait for an engine's answer to request ``number``, and return it; None if none answers.

    Raises `CambistError` with the engine's words if it refused, `Stopped` on Ctrl-C: what was asked stands.
    """
    try:
        request = _done(register, number, _SOON_S)
        if request is None and _engine_runs():
            request = _done(register, number, _PATIENCE_S)
    except KeyboardInterrupt:
        raise Stopped("asking.stands") from None
    if request is not None and request.refused:
        raise CambistError("request.engine_refused", why=request.answer)
    return None if request is None else request.answer


def _done(register: Register, number: int, patience_s: float) -> Request | None:
    until = time.monotonic() + patience_s
    while (request := register.request(number)).done_ms is None:
        if time.monotonic() > until:
            return None
        time.sleep(_LOOKED_EVERY_S)
    return request


def _engine_runs() -> bool:
    """Tell whether an engine runs the accounts: whether it is worth waiting for its answer."""
    from cambist.engine.floor import LEASE

    lease = bootstrap.lease()
    free = lease.take(LEASE)
    lease.give_back()
    return not free


def say_if_none_runs(bots: Iterable[BotStanding]) -> None:
    """Say on standard error that no engine runs, if one of ``bots`` is shown as running all the same."""
    if any(bot.status is BotStatus.RUNNING for bot in bots) and not _engine_runs():
        click.echo(say("asking.none_runs"), err=True)


def sure(question: str) -> bool:
    """Ask a person ``question`` until it is answered, and tell whether they said yes."""
    while True:
        said = click.prompt(f"{question} [{say('asking.yes_no')}]", default="", show_default=False).strip().lower()
        if said in _YES:
            return True
        if said in _NO:
            return False
        click.echo(say("asking.yes_or_no"))


def standings_told(register: Register) -> tuple[list[AccountStanding], set[str]]:
    """Return how the accounts stand, and the names of those left out; say on standard error why these are."""
    from cambist.usecases.accounts import standings

    found = standings(register, bootstrap.journal(), bootstrap.traits_of)
    left_out = {spec.id: spec for spec in register.accounts() if spec.id not in {one.id for one in found}}
    for name, spec in list(left_out.items()):
        try:
            bootstrap.traits_of(spec)
            del left_out[name]  # made between the two looks
        except (BadInput, NotFound) as error:
            click.echo(say("account.left_out", account=name, why=error), err=True)
    return found, set(left_out)
