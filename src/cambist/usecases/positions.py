"""Open positions: what bots hold, who guards it, and what was bought by hand."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import chain

from cambist.domain.errors import NotFound
from cambist.domain.past import MANUAL
from cambist.domain.record import record
from cambist.engine.standing import account_standing
from cambist.execution.protection import Protection
from cambist.ports.book import Register
from cambist.usecases.past import History
from cambist.usecases.past_state import Reading, source_of


@record(kw_only=True)
class Position:
    """One position that is open. Money is in ``quote``."""

    account: str
    bot: str
    source: str
    symbol: str
    quote: str
    side: str
    """``long`` or ``short``."""
    quantity: Decimal
    entry_price: Decimal
    entry_ts: int
    price: Decimal | None
    """The last that is known."""
    unrealised: Decimal | None
    """What it has gained at that price, before fees."""
    protection: str
    stop_loss: Decimal | None
    take_profit: Decimal | None
    closing: bool


def open_positions(
    register: Register,
    history: History,
    account: str | None = None,
    *,
    bot: str | None = None,
    symbol: str | None = None,
) -> list[Position]:
    """Return what is held by account and bot, as the journals know it; raise `NotFound` for an unknown account."""
    specs = {spec.id: spec for spec in register.accounts()}
    if account is not None and account not in specs:
        raise NotFound("book.no_account", account=account, near=", ".join(specs) or "-")
    wanted = [spec for spec in specs.values() if account in (None, spec.id)]
    found = chain.from_iterable(history.seen(wanted, _of_account))
    return [one for one in found if bot in (None, one.bot) and symbol in (None, one.symbol)]


def _of_account(reading: Reading, _seq: int) -> list[Position]:
    return [*_of_bots(reading), *_by_hand(reading)]


def _of_bots(reading: Reading) -> Iterator[Position]:
    account = reading.account
    for one in account_standing(account, 0).bots:
        if one.quantity:
            seat = account.seats[one.id]
            yield Position(
                account=account.spec.id,
                bot=one.id,
                source=source_of(seat.spec),
                symbol=one.symbol,
                quote=seat.bot.instrument.quote,
                side="long" if one.quantity > 0 else "short",
                quantity=abs(one.quantity),
                entry_price=one.entry_price,
                entry_ts=seat.bot.entry_ts,
                price=one.price,
                unrealised=one.unrealised,
                protection=one.protection,
                stop_loss=one.stop_loss,
                take_profit=one.take_profit,
                closing=one.closing,
            )


def _by_hand(reading: Reading) -> Iterator[Position]:
    account = reading.account
    for seat in account.seats.values():
        lot = reading.lots.get(seat.spec.symbol) if seat.by_hand else None
        if lot is None or not lot.held:
            continue
        known = account.prices.get(seat.spec.symbol)
        price, entry = None if known is None else known[0], lot.cost / abs(lot.held)
        yield Position(
            account=account.spec.id,
            bot=seat.spec.id,
            source=MANUAL,
            symbol=seat.spec.symbol,
            quote=seat.bot.instrument.quote,
            side="long" if lot.held > 0 else "short",
            quantity=abs(lot.held),
            entry_price=entry,
            entry_ts=lot.since_ms,
            price=price,
            unrealised=None if price is None else lot.held * (price - entry),
            protection=Protection.NONE_WANTED.value,  # whoever orders by hand looks after it
            stop_loss=None,
            take_profit=None,
            closing=False,
        )
