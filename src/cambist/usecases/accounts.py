"""Accounts: set up, limited, halted; whatever a running engine must do about it is put to it as a request."""

import json
import re
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from cambist.domain.account import AccountSpec, Mode, owned_id
from cambist.domain.errors import BadInput, NotFound
from cambist.domain.exact import amount
from cambist.domain.request import Traits
from cambist.domain.standing import AccountStanding
from cambist.domain.text import language
from cambist.engine.account import Account
from cambist.engine.recovery import recover
from cambist.engine.standing import account_standing
from cambist.execution.settings import limits_of, rules_of
from cambist.ports.book import Journal, Register, Request

_ID = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_RESERVED = frozenset(("free", "market", "fees", "outside"))
"""Places of the ledger that no bot may be called."""


UNDER: ContextVar[str | None] = ContextVar("under", default=None)
"""The key that whoever asks has given to what is being done."""


def checked_id(field: str, text: str) -> str:
    """Return ``text`` if it can name an account or a bot; raise `BadInput`."""
    if not _ID.fullmatch(text) or text in _RESERVED:
        raise BadInput(field, text, "running.bad_id")
    return text


def add_account(
    register: Register,
    name: str,
    *,
    venue: str,
    mode: Mode,
    quote: str = "USDT",
    deposit: str = "10000",
    user_id: int = 1,
    traits_of: Callable[[AccountSpec], Traits] | None = None,
) -> AccountSpec:
    """Add an account and return it; ``deposit`` is what a paper account begins with. Raises `BadInput`.

    With ``traits_of``, whatever that raises for a venue that nobody knows; then nothing is added.
    """
    settings = {"deposit": str(amount("deposit", deposit))} if mode is Mode.PAPER else None
    spec = AccountSpec(
        id=owned_id(checked_id("account", name), user_id),
        user_id=user_id,
        venue=venue.lower(),
        mode=mode,
        quote=quote.upper(),
        settings=settings,
    )
    if traits_of is not None:
        traits_of(spec)
    register.add_account(spec)
    return spec


def account_of(register: Register, name: str) -> AccountSpec:
    """Return the account called ``name``; raise `NotFound` naming those that there are."""
    known = {spec.id: spec for spec in register.accounts()}
    if name not in known:
        raise NotFound("book.no_account", account=name, near=", ".join(known) or "-")
    return known[name]


def set_settings(register: Register, name: str, changes: dict[str, str], now_ms: int) -> AccountSpec:
    """Set limits (``max_daily_loss=100``) and the breaker's falls (``from_peak.flatten=0.2``); an empty value unsets.

    Raises `BadInput` naming the setting, the value and what is known.
    """
    account_of(register, name)
    spec = register.change_account(name, lambda settings: _with(settings or {}, changes))
    ask(register, spec.user_id, name, "settings", now_ms)
    return spec


def _with(before: dict[str, Any], changes: dict[str, str]) -> dict[str, Any]:
    settings: dict[str, Any] = json.loads(json.dumps(before))
    for key, value in changes.items():
        basis, _, stage = key.rpartition(".")
        place = settings.setdefault("breaker", {}).setdefault(basis, {}) if basis else settings.setdefault("limits", {})
        if value:
            place[stage] = value
        else:
            place.pop(stage, None)
    settings["breaker"] = {basis: falls for basis, falls in settings.get("breaker", {}).items() if falls}
    limits_of(settings)  # what is wrong with them is told now
    rules_of(settings)
    return settings


def take_up_caps(register: Register, now_ms: int) -> list[int]:
    """Ask the engine to judge the accounts of ``register`` by what an admin allows their person from now on."""
    return [ask(register, spec.user_id, spec.id, "settings", now_ms) for spec in register.accounts()]


def ask(
    register: Register, user_id: int, account: str, action: str, now_ms: int, *, bot: str = "", **params: Any
) -> int:
    """Put a request to the engine, asked at ``now_ms``, and return its number.

    What one person asks under the same `UNDER` is put once, however often it is asked.
    """
    under = UNDER.get()
    request = Request(
        user_id=user_id,
        account=account,
        action=action,
        bot=bot,
        params=json.dumps(params),
        asked_ms=now_ms,
        key=None if under is None else f"{under}|{account}|{bot}|{action}",
        language=language(),
    )
    return register.ask(request)


def standings(
    register: Register, journal: Journal, traits_of: Callable[[AccountSpec], Traits], account: str | None = None
) -> list[AccountStanding]:
    """Return how the accounts (or one) stand by their journals; whether their venues answer only an engine knows.

    Among several, one whose venue is not known is left out: it must not hide the others.
    """
    known: list[tuple[AccountSpec, Traits]] = []
    for spec in register.accounts() if account is None else [account_of(register, account)]:
        try:
            known.append((spec, traits_of(spec)))
        except (BadInput, NotFound):
            if account is not None:
                raise
    found = [recover(Account(spec, traits), journal) for spec, traits in known]
    return [account_standing(one.account, one.seq, ready=True) for one in found]
