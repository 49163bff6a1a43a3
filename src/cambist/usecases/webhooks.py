"""Webhooks set up: a source of alerts with a bot for each market that it may trade, its secret, and what to paste.

The bots bring risk, protections, profit and loss and statistics of each source by themselves.
"""

import base64
import ipaddress
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from cambist.domain.account import WEBHOOK, AccountSpec, BotSpec, owned_id
from cambist.domain.errors import BadInput, CambistError, NotFound, TooMany
from cambist.domain.exact import amount
from cambist.domain.record import record
from cambist.domain.timeframe import Timeframe
from cambist.domain.webhook import SIZES, Asked, Defaults, asked
from cambist.domain.webhook_body import pieces, read_text, without_secrets
from cambist.ports.book import Register
from cambist.ports.vault import Randomness, Vault
from cambist.ports.webhooks import Sender, Webhook, Webhooks
from cambist.usecases.accounts import account_of, ask
from cambist.usecases.receiving import PURPOSE

TRADINGVIEW_ADDRESSES = ("52.89.214.238", "34.212.75.30", "54.218.53.128", "52.32.178.7")
"""Those that TradingView calls from (its support article 43000529348)."""
WINDOW_S = 30
LONGEST_WINDOW_S = 3_600
MOST_WEBHOOKS = 100
"""Of one user."""
MOST_PYRAMIDING = 100
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,15}")
_SYMBOL = re.compile(r"[A-Z0-9]{1,20}/[A-Z0-9]{1,20}(:[A-Z0-9]{1,20})?")
_ID_BYTES, _SECRET_BYTES = 16, 32
SECRET_HERE = "<secret>"
"""Stands in a template where the secret goes, which nobody but its owner knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """Where one person's webhooks are made."""

    user_id: int
    webhooks: Webhooks
    register: Register
    vault: Vault
    randomness: Randomness
    most_bots: int | None = None
    """How many bots an admin lets that person have."""


@record(kw_only=True)
class Wanted:
    """How a webhook is to be."""

    name: str
    kind: Sender
    account: str
    budgets: Sequence[tuple[str, Decimal]]
    """Each symbol with what its bot may spend of the account's cash."""
    defaults: Defaults = Defaults(unit="fraction", size=Decimal("0.95"))
    addresses: tuple[str, ...] | None = None
    """None: those of TradingView if it calls, else any."""
    window_s: int = WINDOW_S
    pyramiding: int = 1
    active: bool = True
    preview: bool = False


def add_webhook(shop: Shop, wanted: Wanted, now_ms: int) -> tuple[Webhook, str]:
    """Make a webhook and its bots, and start them; return it with its secret, which nobody is shown again.

    Raises `BadInput`, `NotFound` (no such account), `Taken` and `TooMany`; then nothing is left of it.
    """
    _need_room(shop, len(wanted.budgets))
    owner = account_of(shop.register, wanted.account)
    if not _NAME.fullmatch(wanted.name):
        raise BadInput("name", wanted.name, "webhook.name")
    addresses = wanted.addresses
    if addresses is None:
        addresses = TRADINGVIEW_ADDRESSES if wanted.kind is Sender.TRADINGVIEW else ()
    webhook = Webhook(
        id=_token(shop.randomness(_ID_BYTES)),
        user_id=shop.user_id,
        name=wanted.name,
        kind=wanted.kind,
        account=owner.id,
        bots={},
        defaults=_checked(wanted.defaults),
        addresses=tuple(map(_address, addresses)),
        window_s=wanted.window_s,
        secret_ms=now_ms,
        active=wanted.active,
        preview=wanted.preview,
        created_ms=now_ms,
    )
    specs = _bots(webhook, owner, wanted.budgets, wanted.pyramiding)
    webhook = replace(webhook, bots={spec.symbol: spec.id for spec in specs})
    shop.webhooks.add(webhook, MOST_WEBHOOKS)
    added = []
    try:
        secret = _new_secret(shop, webhook)
        for spec in specs:
            _add_bot(shop, spec)
            added.append(spec.id)
    except CambistError:
        for bot in added:
            shop.register.forget_bot(bot)
        shop.vault.forget(shop.user_id, webhook.id)
        shop.webhooks.forget(webhook.id)
        raise
    for spec in specs:
        ask(shop.register, shop.user_id, webhook.account, "start", now_ms, bot=spec.id)
    return webhook, secret


def webhook_of(webhooks: Webhooks, name: str) -> Webhook:
    """Return one webhook; raise `NotFound`."""
    found = webhooks.find(name)
    if found is None:
        raise NotFound("webhook.not_found", id=name)
    return found


def _need_room(shop: Shop, more: int) -> None:
    """Raise `TooMany` if ``more`` bots are more than an admin lets this person have."""
    if shop.most_bots is not None and len(shop.register.bots()) + more > shop.most_bots:
        raise TooMany("webhook.too_many_bots", most=shop.most_bots)


def change_webhook(webhooks: Webhooks, name: str, changes: Mapping[str, Any]) -> Webhook:
    """Set fields of a webhook: defaults, addresses, window, active, preview; raise `BadInput` and `NotFound`."""

    def changed(before: Webhook) -> Webhook:
        after = replace(before, **changes)
        return replace(after, defaults=_checked(after.defaults), addresses=tuple(map(_address, after.addresses)))

    return webhooks.change(name, changed)


def add_market(
    shop: Shop, webhook: Webhook, symbol: str, budget: Decimal, now_ms: int, *, pyramiding: int = 1
) -> Webhook:
    """Let a webhook trade another market, by a bot that starts at once; raise `BadInput` and `TooMany`."""
    _need_room(shop, 1)
    owner = account_of(shop.register, webhook.account)
    if symbol.upper() in webhook.bots:
        raise BadInput("symbol", symbol, "webhook.no_symbols")
    (spec,) = _bots(webhook, owner, [(symbol, budget)], pyramiding)
    _add_bot(shop, spec)
    try:
        whole = shop.webhooks.change(webhook.id, lambda now: replace(now, bots={**now.bots, spec.symbol: spec.id}))
    except CambistError:  # it was deleted meanwhile
        shop.register.forget_bot(spec.id)
        raise
    ask(shop.register, shop.user_id, webhook.account, "start", now_ms, bot=spec.id)
    return whole


def renew_secret(shop: Shop, webhook: Webhook, now_ms: int) -> str:
    """Make a new secret and return it; the old one does not do from now on."""
    secret = _new_secret(shop, webhook)
    shop.webhooks.change(webhook.id, lambda now: replace(now, secret_ms=max(now_ms, now.secret_ms + 1)))
    return secret


def remove_webhook(shop: Shop, webhook: Webhook, now_ms: int) -> None:
    """Delete a webhook with its secret and its journal. Its bots are stopped and stay: what they did is history."""
    shop.webhooks.forget(webhook.id)
    shop.vault.forget(shop.user_id, webhook.id)
    known = {spec.id for spec in shop.register.bots(webhook.account)}
    for bot in webhook.bots.values():
        if bot in known:
            ask(shop.register, shop.user_id, webhook.account, "stop", now_ms, bot=bot)


def tried(webhook: Webhook, body: str, content_type: str) -> Asked:
    """Return what a body would do, whoever sent it and whenever; raise `BadInput` or `ParseError`."""
    return asked(pieces(without_secrets(read_text(body.encode())), content_type), webhook.bots, webhook.defaults)


def templates(webhook: Webhook, secret: str = SECRET_HERE) -> dict[str, str]:
    """Return messages to paste: ``alert`` of an indicator; of a strategy, ``strategy`` with the size of this webhook,
    and ``strategy_sized`` with its own. Those who sign find the body in ``signed``.
    """
    if webhook.kind is Sender.GENERIC:
        symbol = next(iter(webhook.bots), "BTC/USDT")
        return {"signed": _message({"action": "buy", "symbol": symbol, "stop_loss": "2%", "take_profit": "4%"})}
    market = {"secret": secret, "symbol": "{{exchange}}:{{ticker}}", "price": "{{close}}", "time": "{{timenow}}"}
    strategy = market | {
        "action": "{{strategy.order.action}}",
        "market_position": "{{strategy.market_position}}",
        "prev_market_position": "{{strategy.prev_market_position}}",
    }
    sized = strategy | {
        "contracts": "{{strategy.order.contracts}}",
        "position_size": "{{strategy.position_size}}",
    }
    return {
        "alert": _message(market | {"action": "buy"}),
        "strategy": _message(strategy),
        "strategy_sized": _message(sized),
    }


def _bots(
    webhook: Webhook, owner: AccountSpec, budgets: Sequence[tuple[str, Decimal]], pyramiding: int
) -> list[BotSpec]:
    symbols = [symbol.upper() for symbol, _ in budgets]
    if not symbols or len(set(symbols)) < len(symbols):
        raise BadInput("symbols", " ".join(symbols), "webhook.no_symbols")
    specs = []
    for symbol, (given, budget) in zip(symbols, budgets, strict=True):
        base, _, quote = symbol.partition(":")[0].partition("/")
        if not _SYMBOL.fullmatch(symbol) or quote != owner.quote:
            raise BadInput("symbol", given, "running.symbol", quote=owner.quote)
        perpetual = "-p" if ":" in symbol else ""
        spec = BotSpec(
            id=owned_id(f"{webhook.name}-{base}-{quote}{perpetual}".lower(), webhook.user_id),
            user_id=webhook.user_id,
            account=owner.id,
            strategy=WEBHOOK,
            params={"webhook": webhook.id},
            symbol=symbol,
            timeframe=Timeframe.M1,
            budget=amount("budget", f"{budget:f}"),
            pyramiding=pyramiding,
        )
        specs.append(spec)
    return specs


def _add_bot(shop: Shop, spec: BotSpec) -> None:
    try:
        shop.register.add_bot(spec, shop.most_bots)
    except TooMany:  # another has taken the room meanwhile
        raise TooMany("webhook.too_many_bots", most=shop.most_bots) from None


def _new_secret(shop: Shop, webhook: Webhook) -> str:
    secret = _token(shop.randomness(_SECRET_BYTES))
    shop.vault.seal(shop.user_id, webhook.id, PURPOSE, secret)
    return secret


def _checked(defaults: Defaults) -> Defaults:
    fractions = {"stop_loss": defaults.stop_loss, "take_profit": defaults.take_profit}
    if defaults.unit not in SIZES:
        raise BadInput("unit", defaults.unit, "webhook.unit_of_size", known=" ".join(SIZES))
    if defaults.unit == "fraction":
        fractions["size"] = defaults.size
    elif defaults.size <= 0:
        raise BadInput("size", f"{defaults.size:f}", "webhook.number")
    for name, value in fractions.items():
        if value is not None and not 0 < value <= 1:
            raise BadInput(name, f"{value:f}", "webhook.fraction")
    if defaults.stop_loss == 1:
        raise BadInput("stop_loss", "1", "webhook.fraction")
    return defaults


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text)).removesuffix("/32").removesuffix("/128")
    except ValueError:
        raise BadInput("addresses", text, "webhook.address") from None


def _message(fields: Mapping[str, str]) -> str:
    return json.dumps(fields, indent=2)


def _token(random: bytes) -> str:
    return base64.urlsafe_b64encode(random).decode().rstrip("=")
