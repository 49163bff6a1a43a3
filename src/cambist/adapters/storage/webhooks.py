"""`SqlWebhooks`: webhooks and their calls in the database."""

from collections.abc import Callable
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from cambist.adapters.storage.database import obeying, writing
from cambist.adapters.storage.owned import Owned, counted
from cambist.adapters.storage.tables.book import requests
from cambist.adapters.storage.tables.work import webhook_calls, webhooks
from cambist.domain.errors import BadInput, NotFound, Taken, TooMany
from cambist.domain.webhook import Defaults
from cambist.ports.book import Request
from cambist.ports.webhooks import Came, Once, Sender, Webhook, WebhookCall

# to make a statement takes longer than to run it, and an order waits for these
_SAME = sa.select(webhook_calls.c.id).where(
    webhook_calls.c.webhook == sa.bindparam("webhook"),
    webhook_calls.c.key.in_(sa.bindparam("keys", expanding=True)),
    webhook_calls.c.received_ms > sa.bindparam("after"),
)
_ALL = sa.select(webhooks).order_by(webhooks.c.name, webhooks.c.id)
_CALLS = sa.select(webhook_calls).order_by(webhook_calls.c.id.desc()).limit(sa.bindparam("limit"))
_ADD_CALL = webhook_calls.insert().returning(webhook_calls.c.id)
_ADD_REQUEST = requests.insert().returning(requests.c.id)
_FIXED = ("id", "user_id", "name", "kind", "account", "created_ms")


class SqlWebhooks(Owned):
    """The port `Webhooks` over SQL."""

    def add(self, webhook: Webhook, most: int | None = None) -> None:
        """Add a webhook; raise `Taken` if its user has another of that name, `TooMany` if ``most`` already."""

        def room(connection: sa.Connection) -> None:
            if most is not None and counted(connection, webhooks, webhook.user_id) >= most:
                raise TooMany("webhook.too_many_kept", most=most)

        try:
            self._add(webhooks, _row(webhook), first=room)
        except sa.exc.IntegrityError:
            raise Taken("webhook.name_taken", name=webhook.name) from None

    def change(self, webhook: str, how: Callable[[Webhook], Webhook]) -> Webhook:
        """Replace a webhook by what ``how`` makes of it, name, kind, account and ``created_ms`` excepted; return it.

        Raises `NotFound`.
        """
        changed: list[Webhook] = []

        def rewritten(row: dict[str, Any]) -> dict[str, Any]:
            before = _webhook(dict(row))
            fixed = {name: getattr(before, name) for name in _FIXED}
            changed.append(replace(how(before), **fixed))
            return {name: value for name, value in _row(changed[-1]).items() if name not in _FIXED}

        if not self._rewrite(webhooks, webhook, rewritten):
            raise NotFound("webhook.not_found", id=webhook)
        return changed[-1]

    def webhooks(self) -> list[Webhook]:
        """Return the webhooks, by name."""
        return [_webhook(row) for row in self._read(_ALL)]

    def find(self, webhook: str) -> Webhook | None:
        """Return one webhook, None if there is none."""
        return next(map(_webhook, self._read(sa.select(webhooks).where(webhooks.c.id == webhook))), None)

    def forget(self, webhook: str) -> None:
        """Delete a webhook with its calls; raise `NotFound`."""
        if not self._change(sa.delete(webhooks).where(webhooks.c.id == webhook)):
            raise NotFound("webhook.not_found", id=webhook)

    def note(self, call: WebhookCall) -> int:
        """Keep a call that is not acted on, and return its id."""
        return int(self._add(webhook_calls, _call_row(replace(call, key=f"-{uuid4().hex}"))))

    def claim(self, call: WebhookCall, once: Once, request: Request | None) -> WebhookCall | None:
        """Keep a call that is acted on together with its request to the engine: both, or neither.

        Returns it with its id and the number of the request; None if the same call came before: then nothing is kept,
        however many processes receive it at once.
        """
        if self._user_id not in (None, call.user_id):
            raise BadInput("user_id", call.user_id, "book.not_yours", user=self._user_id)
        keys = _keys(once, call.received_ms)
        after = -1 if once.for_ms is None else call.received_ms - once.for_ms
        same = {"webhook": call.webhook, "keys": keys, "after": after}
        mine = self._confine(sa.select(webhooks.c.id).where(webhooks.c.id == call.webhook).with_for_update())
        with obeying(), writing(self._engine).begin() as connection:
            if connection.execute(mine).one_or_none() is None:  # its calls come one by one from here on
                raise NotFound("webhook.not_found", id=call.webhook)
            if connection.execute(_SAME, same).first() is not None:
                return None
            number = None if request is None else _ask(connection, request)
            kept = replace(call, key=keys[0], request=number)
            return replace(kept, id=connection.execute(_ADD_CALL, _call_row(kept)).scalar_one())

    def calls(
        self, webhook: str | None, *, before: int | None = None, limit: int = 50, outcome: Came | None = None
    ) -> list[WebhookCall]:
        """Return the newest calls first, of one webhook or of all, those before the id ``before``."""
        query = _CALLS
        if webhook is not None:
            query = query.where(webhook_calls.c.webhook == webhook)
        if before is not None:
            query = query.where(webhook_calls.c.id < before)
        if outcome is not None:
            query = query.where(webhook_calls.c.outcome == outcome.value)
        return [_call(row) for row in self._read(query, limit=limit)]

    def call(self, number: int) -> WebhookCall:
        """Return one call; raise `NotFound`."""
        for row in self._read(sa.select(webhook_calls).where(webhook_calls.c.id == number)):
            return _call(row)
        raise NotFound("webhook.no_call", id=number)


def _keys(once: Once, now_ms: int) -> list[str]:
    """Return the key of a call, then those under which the same one may stand: each of a stretch of time."""
    if once.for_ms is None:
        return [once.key]
    stretch = now_ms // once.for_ms
    return [f"{once.key}:{one}" for one in (stretch, stretch - 1, stretch + 1)]


def _ask(connection: sa.Connection, request: Request) -> int:
    """Put a request to the engine, which takes those of an account in the order of their numbers: PostgreSQL must not
    give a number while a smaller one of the same account is not committed yet.
    """
    if connection.dialect.name == "postgresql":
        name = sa.func.hashtext(f"requests:{request.account}")
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(name)))
    row = {field.name: getattr(request, field.name) for field in fields(request) if field.name != "id"}
    return int(connection.execute(_ADD_REQUEST, row).scalar_one())


def _row(webhook: Webhook) -> dict[str, Any]:
    defaults = webhook.defaults
    return {
        "id": webhook.id,
        "user_id": webhook.user_id,
        "name": webhook.name,
        "kind": webhook.kind.value,
        "account": webhook.account,
        "bots": dict(webhook.bots),
        "settings": {
            "unit": defaults.unit,
            "size": str(defaults.size),
            "stop_loss": _text(defaults.stop_loss),
            "take_profit": _text(defaults.take_profit),
            "addresses": list(webhook.addresses),
            "window_s": webhook.window_s,
            "secret_ms": webhook.secret_ms,
        },
        "active": webhook.active,
        "preview": webhook.preview,
        "created_ms": webhook.created_ms,
    }


def _webhook(row: dict[str, Any]) -> Webhook:
    settings = row.pop("settings")
    defaults = Defaults(
        unit=settings["unit"],
        size=Decimal(settings["size"]),
        stop_loss=_number(settings["stop_loss"]),
        take_profit=_number(settings["take_profit"]),
    )
    own = {
        "kind": Sender(row["kind"]),
        "defaults": defaults,
        "addresses": tuple(settings["addresses"]),
        "window_s": settings["window_s"],
        "secret_ms": settings["secret_ms"],
    }
    return Webhook(**{**row, **own})


def _call_row(call: WebhookCall) -> dict[str, Any]:
    row = {field.name: getattr(call, field.name) for field in fields(call) if field.name != "id"}
    return row | {"outcome": call.outcome.value, "why": dict(call.why), "wish": dict(call.wish)}


def _call(row: dict[str, Any]) -> WebhookCall:
    return WebhookCall(**{**row, "outcome": Came(row["outcome"])})


def _text(number: Decimal | None) -> str | None:
    return None if number is None else str(number)


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
