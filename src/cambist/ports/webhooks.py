"""Webhooks: where alerts from elsewhere may come in, and the journal of every call."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Protocol

from cambist.domain.record import record
from cambist.domain.webhook import Defaults
from cambist.ports.book import Request


class Sender(StrEnum):
    """Who calls."""

    TRADINGVIEW = "tradingview"
    """Cannot sign: the body carries a secret."""
    GENERIC = "generic"
    """Signs each call."""


class Came(StrEnum):
    """What became of a call."""

    ACCEPTED = "accepted"
    """The engine is asked for what it wishes."""
    PREVIEW = "preview"
    """Nothing is done: this is what would have been."""
    REPEATED = "repeated"
    """It came before."""
    REFUSED = "refused"
    """It does not say what to do in a way that can be done."""
    FORBIDDEN = "forbidden"
    """Whoever sent it could not prove to be allowed."""
    STALE = "stale"
    """It was sent too long ago, or by a clock that is wrong."""


@record(kw_only=True)
class Webhook:
    """One source of alerts, with a bot for each market that it may trade."""

    id: str
    """Random, public, part of its address."""
    user_id: int
    name: str
    kind: Sender
    account: str
    bots: Mapping[str, str]
    """By symbol."""
    defaults: Defaults
    addresses: tuple[str, ...]
    """Addresses and networks that may call; none: any may."""
    window_s: int
    """How far from now the time of a call may be, and for how long a body without a time counts as the same."""
    secret_ms: int
    """When its secret was made."""
    active: bool
    preview: bool
    created_ms: int


@record(kw_only=True)
class WebhookCall:
    """One call as it is kept. Its body holds no secret."""

    webhook: str
    user_id: int
    received_ms: int
    address: str
    body: str
    outcome: Came
    why: Mapping[str, Any]
    """``key`` and ``params`` of a text, and ``field`` and ``value`` if one was wrong; nothing if all was well."""
    wish: Mapping[str, Any]
    """``bot``, ``symbol`` and ``wishes``; nothing if none was understood."""
    took_us: int
    request: int | None = None
    """Number of the request to the engine."""
    key: str = ""
    """What tells it from all other calls that are acted on."""
    id: int = 0


@record(kw_only=True)
class Once:
    """What makes two calls the same."""

    key: str
    for_ms: int | None = None
    """For how long; None: for good."""


class Webhooks(Protocol):
    """The webhooks of one user (or, for those who receive calls, of all). Blocking calls, durable on return.

    What is another user's is not found, exactly like what does not exist.
    """

    def add(self, webhook: Webhook, most: int | None = None) -> None:
        """Add a webhook; raise `Taken` if its user has another of that name, `TooMany` if ``most`` already, however
        many are added at once."""
        ...

    def change(self, webhook: str, how: Callable[[Webhook], Webhook]) -> Webhook:
        """Replace a webhook by what ``how`` makes of it, name, kind, account and ``created_ms`` excepted; return it.

        Nobody else changes it in between: of two changes at once, one is made of what the other has left. What ``how``
        raises leaves it as it was; it is quick, and asks nothing of any store. Raises `NotFound`.
        """
        ...

    def webhooks(self) -> list[Webhook]:
        """Return the webhooks, by name."""
        ...

    def find(self, webhook: str) -> Webhook | None:
        """Return one webhook, None if there is none."""
        ...

    def forget(self, webhook: str) -> None:
        """Delete a webhook with its calls; raise `NotFound`."""
        ...

    def note(self, call: WebhookCall) -> int:
        """Keep a call that is not acted on, and return its id."""
        ...

    def claim(self, call: WebhookCall, once: Once, request: Request | None) -> WebhookCall | None:
        """Keep a call that is acted on together with its request to the engine: both, or neither.

        Returns it with its id and the number of the request; None if the same call came before: then nothing is kept,
        however many processes receive it at once.
        """
        ...

    def calls(
        self, webhook: str | None, *, before: int | None = None, limit: int = 50, outcome: Came | None = None
    ) -> list[WebhookCall]:
        """Return the newest calls first, of one webhook or of all, those before the id ``before``."""
        ...

    def call(self, number: int) -> WebhookCall:
        """Return one call; raise `NotFound`."""
        ...
