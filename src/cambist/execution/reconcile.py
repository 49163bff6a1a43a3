"""Book against venue: what differs, as values. Nothing is mended here, and nothing invented."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from cambist.domain.record import record
from cambist.domain.report import Balance, OrderReport
from cambist.execution.orders import Life, Working

ZERO = Decimal(0)


@record
class HoldingDiffers:
    """The venue holds another amount of ``asset`` than the ledger says."""

    asset: str
    expected: Decimal
    found: Decimal


def holdings(expected: Mapping[str, Decimal], found: Mapping[str, Balance]) -> tuple[HoldingDiffers, ...]:
    """Return the assets of which book and venue hold different amounts, by name."""
    differs = []
    for asset in sorted(expected.keys() | found.keys()):
        at_venue = found[asset].total if asset in found else ZERO
        if at_venue != expected.get(asset, ZERO):
            differs.append(HoldingDiffers(asset, expected.get(asset, ZERO), at_venue))
    return tuple(differs)


def to_ask(orders: Iterable[Working], open_ids: frozenset[str]) -> tuple[Working, ...]:
    """Return the orders whose state must be asked for: the venue does not show as open what we think is."""
    return tuple(
        one
        for one in orders
        if not one.ended and one.life not in (Life.SUBMITTING, Life.UNKNOWN) and one.request.client_id not in open_ids
    )


def foreign(open_orders: Iterable[OrderReport], ours: Mapping[str, Working]) -> tuple[OrderReport, ...]:
    """Return the open orders at the venue that are not ours: shown, never touched."""
    return tuple(report for report in open_orders if report.client_id not in ours)
