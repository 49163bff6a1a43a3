"""The ledger: what happened to money, as balanced entries, and the balances that they add up to.

Places are bots (by id), ``free`` (the account's cash that no bot has), and three counterparties: ``market``, ``fees``,
``outside``. Over all places the balances of an asset sum to zero; over bots and ``free`` they are what the account
should hold at its venue.

Perpetuals keep the convention of `cambist.engine.state.State`: the quote currency falls by price times quantity at a
buy and rises by it at a sale, and the contracts are an asset of their own, named as the instrument. So a bot's quote
balance is its cash; the venue's wallet shows that plus the cost at which open contracts were entered.

Nothing is rounded: sums and products are exact or raise (`cambist.domain.exact`).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from cambist.domain.event import FundingPaid
from cambist.domain.exact import EXACT
from cambist.domain.instrument import Instrument, Kind
from cambist.domain.ledger import Cause, LedgerEntry, Line
from cambist.domain.position import ZERO
from cambist.domain.report import BalancesReported, FillReport

FREE = "free"
MARKET = "market"
FEES = "fees"
OUTSIDE = "outside"
COUNTERPARTIES = frozenset((MARKET, FEES, OUTSIDE))


@dataclass(slots=True)
class Ledger:
    """The balances of one account, by (place, asset); none is zero.

    It keeps no ids: a million fills would keep a million of them for what others know already. The order table hands
    on each of a venue's trades once, and a `LedgerEntry.id` is a pure function of what caused it, so that whoever
    stores entries can hold it unique.
    """

    balances: dict[tuple[str, str], Decimal] = field(default_factory=dict)

    def book(self, entry: LedgerEntry) -> None:
        """Add ``entry``, whole or not at all; raise `ValueError` if it is not balanced or not finite."""
        after: dict[tuple[str, str], Decimal] = {}
        sums: dict[str, Decimal] = {}
        for line in entry.lines:
            if not line.amount.is_finite():
                raise ValueError(f"ledger entry {entry.id}: {line.amount} of {line.asset} to {line.place}")
            key = (line.place, line.asset)
            before = after[key] if key in after else self.balances.get(key, ZERO)
            after[key] = EXACT.add(before, line.amount)
            sums[line.asset] = EXACT.add(sums.get(line.asset, ZERO), line.amount)
        if any(sums.values()):
            raise ValueError(f"ledger entry {entry.id} is not balanced: {sums}")
        for key, balance in after.items():
            if balance:
                self.balances[key] = balance
            else:
                self.balances.pop(key, None)

    def balance(self, place: str, asset: str) -> Decimal:
        """Return what ``place`` holds of ``asset``; negative where it gave more than it got."""
        return self.balances.get((place, asset), ZERO)

    def of(self, place: str) -> dict[str, Decimal]:
        """Return what ``place`` holds, by asset, without zeros."""
        return {asset: amount for (at, asset), amount in self.balances.items() if at == place}

    def totals(self, asset: str) -> dict[str, Decimal]:
        """Return what each place holds of ``asset``; the values sum to zero."""
        return {place: amount for (place, of), amount in self.balances.items() if of == asset}

    def holdings(self) -> dict[str, Decimal]:
        """Return what the account should hold at its venue, by asset: all bots and ``free``, without zeros."""
        held: dict[str, Decimal] = {}
        for (place, asset), amount in self.balances.items():
            if place not in COUNTERPARTIES:
                held[asset] = EXACT.add(held.get(asset, ZERO), amount)
        return {asset: amount for asset, amount in held.items() if amount}


def held_asset(instrument: Instrument) -> str:
    """Return the asset that a buy of ``instrument`` brings: its base, or the contract itself."""
    return instrument.symbol if instrument.kind is Kind.PERPETUAL else instrument.base


# -- entries ----------------------------------------------------------------------------------------------------------


def opening(account: str, reported: BalancesReported) -> LedgerEntry:
    """Return the entry by which ``account`` is taken over with what its venue reports: all of it free."""
    moves = ((balance.asset, EXACT.add(balance.free, balance.locked)) for balance in reported.balances)
    return _entry(f"opening|{account}", reported.ts, Cause.OPENING, ((FREE, OUTSIDE, *move) for move in moves))


def fill(place: str, report: FillReport, instrument: Instrument) -> LedgerEntry:
    """Return the entry of one execution for ``place`` (a bot, or ``free``).

    The fee is in its own asset, negative for a rebate.

    The id names venue, symbol, trade, side and order: an account that trades with itself has both sides of one trade,
    and there are venues that begin to count anew.
    Raises `ValueError` if the report is of another instrument.
    """
    if report.symbol != instrument.symbol:
        raise ValueError(f"a fill of {report.symbol} is none of {instrument.symbol}")
    own = place if place == FREE else _own(place)
    signed = report.quantity if report.side.sign > 0 else report.quantity.copy_negate()
    return _entry(
        f"trade|{instrument.venue}|{report.symbol}|{report.trade_id}|{report.side}|{report.client_id}",
        report.ts,
        Cause.TRADE,
        (
            (own, MARKET, held_asset(instrument), signed),
            (MARKET, own, instrument.quote, EXACT.multiply(signed, report.price)),
            (FEES, own, report.fee_asset or instrument.quote, report.fee),
        ),
    )


def funding(paid: FundingPaid, instrument: Instrument) -> LedgerEntry:
    """Return the entry of a perpetual's funding, paid by the bot or (negative) received."""
    cause = f"funding|{instrument.venue}|{instrument.symbol}|{paid.ts}|{paid.bot}"
    return _entry(cause, paid.ts, Cause.FUNDING, [(MARKET, _own(paid.bot), instrument.quote, paid.amount)])


def transfer(cause: str, bot: str, asset: str, amount: Decimal, ts: int) -> LedgerEntry:
    """Return the entry that moves ``amount`` from the account's free cash to ``bot`` (negative: back).

    ``cause`` is the id of what asked for it, unique within the account.
    """
    return _entry(f"transfer|{cause}", ts, Cause.TRANSFER, [(_own(bot), FREE, asset, amount)])


def correction(cause: str, place: str, asset: str, amount: Decimal, ts: int) -> LedgerEntry:
    """Return the entry by which a person adopts a difference: ``place`` (a bot or ``free``) has ``amount`` more.

    ``cause`` is the id of that decision, unique within the account.
    """
    own = place if place == FREE else _own(place)
    return _entry(f"correction|{cause}", ts, Cause.CORRECTION, [(own, OUTSIDE, asset, amount)])


def _own(bot: str) -> str:
    if bot == FREE or bot in COUNTERPARTIES:
        raise ValueError(f"{bot!r} is a place of the ledger: no bot can have this id")
    return bot


def _entry(key: str, ts: int, cause: Cause, moves: Iterable[tuple[str, str, str, Decimal]]) -> LedgerEntry:
    """Return an entry of ``moves``, each (to, from, asset, amount); what moves nothing is left out."""
    lines: list[Line] = []
    for to, source, asset, amount in moves:
        if amount:
            lines.append(Line(place=to, asset=asset, amount=amount))
            lines.append(Line(place=source, asset=asset, amount=amount.copy_negate()))
    return LedgerEntry(id=key, ts=ts, cause=cause, lines=tuple(lines))
