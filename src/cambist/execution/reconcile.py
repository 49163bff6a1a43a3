"""Book against venue: what differs, as values. Nothing is mended here, and nothing invented."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from cambist.domain.position import ZERO
from cambist.domain.record import record
from cambist.domain.report import Balance, OrderReport
from cambist.execution.orders import Life, Working

CANCEL_MS = 5_000
"""How long a cancellation may take before the venue is asked what has become of it."""
ROUNDED = Decimal("1e-8")
"""By what fraction of their cost a venue's wallet may differ through the rounding of mean entry prices."""


@record
class HoldingDiffers:
    """The venue holds another amount of ``asset`` than the ledger says."""

    asset: str
    expected: Decimal
    found: Decimal


@record
class Contract:
    """An open perpetual: what was paid for it (negative: received), in ``quote``."""

    quote: str
    cost: Decimal


NONE: Mapping[str, Contract] = {}


def holdings(
    expected: Mapping[str, Decimal], found: Mapping[str, Balance], contracts: Mapping[str, Contract] = NONE
) -> tuple[HoldingDiffers, ...]:
    """Return the assets of which book and venue hold different amounts, by name.

    ``contracts`` are the open perpetuals, by symbol. The book counts what they cost as spent and holds them as assets
    of their own (`cambist.portfolio.ledger`). A venue may do so too; or its wallet still shows what they cost, rounded
    as it rounds entry prices, and then it need not list the contracts among its balances.
    """
    costs: dict[str, Decimal] = {}
    for contract in contracts.values():
        costs[contract.quote] = costs.get(contract.quote, ZERO) + contract.cost
    differs, wallets = [], set()
    for asset in sorted(expected.keys() | found.keys(), key=lambda asset: (asset in contracts, asset)):
        book, cost = expected.get(asset, ZERO), costs.get(asset, ZERO)
        at_venue = found[asset].total if asset in found else ZERO
        if abs(at_venue - book - cost) < abs(at_venue - book):  # of the two ways to count, the one that is nearer
            wallets.add(asset)
            if abs(at_venue - book - cost) > abs(cost) * ROUNDED:
                differs.append(HoldingDiffers(asset, book + cost, at_venue))
        elif at_venue != book and (asset in found or asset not in contracts or contracts[asset].quote not in wallets):
            differs.append(HoldingDiffers(asset, book, at_venue))
    return tuple(sorted(differs, key=lambda one: one.asset))


def to_ask(orders: Iterable[Working], open_ids: frozenset[str], now_ms: int) -> tuple[Working, ...]:
    """Return the orders whose state must be asked for.

    They are those that we think open and the venue does not show so, and those that it should have cancelled and still
    shows: the request was lost, or it never left.
    """
    return tuple(
        one
        for one in orders
        if not one.ended
        and one.life not in (Life.SUBMITTING, Life.UNKNOWN)
        and (
            one.request.client_id not in open_ids
            or (one.life is Life.CANCELLING and now_ms - one.since_ms >= CANCEL_MS)
        )
    )


def foreign(open_orders: Iterable[OrderReport], ours: Mapping[str, Working]) -> tuple[OrderReport, ...]:
    """Return the open orders at the venue that are not ours: shown, never touched."""
    return tuple(report for report in open_orders if report.client_id not in ours)
