"""What a person holds: by account and asset, where it is, what it is worth. What has no price is shown all the same.

Holdings are the ledger's, so they are known without asking anybody; given what a venue says itself, both are shown, and
where they differ.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal

from cambist.domain.account import AccountSpec, Mode
from cambist.domain.broker import KeyTest
from cambist.domain.errors import NotFound
from cambist.domain.position import ZERO
from cambist.domain.price import Price
from cambist.domain.record import record
from cambist.engine.hand import spendable
from cambist.execution.reconcile import Contract, HoldingDiffers, holdings
from cambist.portfolio.ledger import COUNTERPARTIES, FREE
from cambist.ports.book import Register
from cambist.usecases.past import History
from cambist.usecases.past_state import Reading
from cambist.usecases.statistics import Rates, usual

NOTHING: Mapping[str, KeyTest] = {}


@record(kw_only=True)
class Holding:
    """What is held of one asset. ``total`` is ``free`` + ``in_orders`` + ``in_bots``."""

    asset: str
    total: Decimal
    free: Decimal
    """What may be spent by hand."""
    in_orders: Decimal
    """What orders by hand wait for."""
    in_bots: Decimal
    """What bots have, orders and positions of theirs included."""
    value: Decimal | None
    """In the account's currency; None without a price."""
    worth: Decimal | None
    """In the wanted currency."""
    price: Price | None
    """By which it is valued in the wanted currency."""


@record(kw_only=True)
class AccountHoldings:
    """What one account holds."""

    account: str
    venue: str
    mode: Mode
    quote: str
    ts: int
    """The last thing that its journal knows of (ms)."""
    holdings: tuple[Holding, ...]
    """The most valuable first, then what has no price."""
    value: Decimal
    """Of all that has a price, in ``quote``."""
    worth: Decimal
    """The same in the wanted currency."""
    unpriced: tuple[str, ...]
    differences: tuple[HoldingDiffers, ...] | None
    """Where the venue says otherwise; None: it was not asked."""


@record(kw_only=True)
class Portfolio:
    """What all accounts hold, or the one that was asked for."""

    currency: str
    worth: Decimal
    """Of all that has a price, in ``currency``."""
    accounts: tuple[AccountHoldings, ...]
    assets: tuple[Holding, ...]
    """Over all accounts; ``value`` is as ``worth``."""
    unpriced: tuple[str, ...]


def portfolio(
    register: Register,
    history: History,
    rates: Rates,
    *,
    account: str | None = None,
    currency: str | None = None,
    live: Mapping[str, KeyTest] = NOTHING,
) -> Portfolio:
    """Return what is held; ``live`` is what venues say themselves, by account. Raises `NotFound`."""
    known = {spec.id: spec for spec in register.accounts()}
    if account is not None and account not in known:
        raise NotFound("book.no_account", account=account, near=", ".join(known) or "-")
    specs = [spec for spec in known.values() if account in (None, spec.id)]
    currency = currency or usual(specs or list(known.values()))
    found = [
        _valued(spec, held, rates, currency, live.get(spec.id))
        for spec, held in zip(specs, history.seen(specs, _held), strict=True)
    ]
    assets = _over_all(found)
    return Portfolio(
        currency=currency,
        worth=sum((one.worth for one in found), ZERO),
        accounts=tuple(found),
        assets=assets,
        unpriced=tuple(one.asset for one in assets if one.price is None),
    )


@record(kw_only=True)
class _Held:
    """What an account holds, whatever that is worth."""

    ts: int
    parts: dict[str, tuple[Decimal, Decimal, Decimal]]
    """By asset: what is free, what orders by hand wait for, what bots have."""
    expected: dict[str, Decimal]
    """By asset: what the venue should say."""
    contracts: dict[str, Contract]


def _held(reading: Reading, _seq: int) -> _Held:
    account = reading.account
    places: dict[str, tuple[Decimal, Decimal]] = {}
    for (place, asset), amount in account.ledger.balances.items():
        if place not in COUNTERPARTIES:
            free, bots = places.get(asset, (ZERO, ZERO))
            places[asset] = (free + amount, bots) if place == FREE else (free, bots + amount)
    parts = {}
    for asset, (free, bots) in places.items():
        if free or bots:
            spent = free - spendable(account, asset)
            parts[asset] = (free - spent, spent, bots)
    return _Held(ts=account.now_ms, parts=parts, expected=account.ledger.holdings(), contracts=account.open_contracts())


def _valued(spec: AccountSpec, held: _Held, rates: Rates, currency: str, live: KeyTest | None) -> AccountHoldings:
    own = rates(held.parts, spec.quote)
    wanted = own if currency == spec.quote else rates(held.parts, currency)
    if live is not None:
        own = _with_venue(own, live, rates, spec.quote)
        wanted = _with_venue(wanted, live, rates, currency)
    found = [_holding(asset, *parts, own.get(asset), wanted.get(asset)) for asset, parts in held.parts.items()]
    found.sort(key=lambda one: (one.worth is None, -(one.worth or ZERO), one.asset))
    differs = None if live is None else holdings(held.expected, live.balances, held.contracts)
    return AccountHoldings(
        account=spec.id,
        venue=spec.venue,
        mode=spec.mode,
        quote=spec.quote,
        ts=held.ts,
        holdings=tuple(found),
        value=sum((one.value for one in found if one.value is not None), ZERO),
        worth=sum((one.worth for one in found if one.worth is not None), ZERO),
        unpriced=tuple(one.asset for one in found if one.worth is None),
        differences=differs,
    )


def _with_venue(prices: Mapping[str, Price], live: KeyTest, rates: Rates, currency: str) -> dict[str, Price]:
    """Return ``prices``, and of what has none there the venue's own."""
    turned = rates((live.quote,), currency).get(live.quote)
    found = dict(prices)
    for asset, value in live.values.items() if turned is not None else ():
        total = live.balances[asset].total
        if asset not in found and total and turned is not None:
            price = value / total * turned.price
            found[asset] = Price(asset=asset, quote=currency, price=price, source="venue", ts=0)
    return found


def _holding(
    asset: str, free: Decimal, in_orders: Decimal, in_bots: Decimal, own: Price | None, wanted: Price | None
) -> Holding:
    total = free + in_orders + in_bots
    return Holding(
        asset=asset,
        total=total,
        free=free,
        in_orders=in_orders,
        in_bots=in_bots,
        value=None if own is None else total * own.price,
        worth=None if wanted is None else total * wanted.price,
        price=wanted,
    )


def _over_all(accounts: Iterable[AccountHoldings]) -> tuple[Holding, ...]:
    """Return what is held of each asset over all accounts, the most valuable first."""
    by_asset: dict[str, list[Holding]] = defaultdict(list)
    for account in accounts:
        for one in account.holdings:
            by_asset[one.asset].append(one)
    found = []
    for asset, ones in by_asset.items():
        price = next((one.price for one in ones if one.price is not None), None)
        free, in_orders, in_bots = (
            sum((getattr(one, part) for one in ones), ZERO) for part in ("free", "in_orders", "in_bots")
        )
        found.append(_holding(asset, free, in_orders, in_bots, price, price))
    found.sort(key=lambda one: (one.worth is None, -(one.worth or ZERO), one.asset))
    return tuple(found)
