"""How a position is kept protected at its venue, and how it is closed: what should stand there, against what stands.

The decision says which guards a position wants (stop-loss, trailing stop, take-profit) or that it shall be closed. The
venue holds orders that may be on their way, resting, half cancelled or lost. `steps` compares the two and gives what to
do next, one safe step at a time, from any state: so a start after a crash needs no code of its own.

On a spot account a resting stop holds the very coins that an exit wants to sell. So whatever replaces an order waits
until the venue has said that the old one is gone, and with how much filled; what was never answered is waited for.
Meanwhile the engine watches the guards' prices itself.
"""

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum

from cambist.domain.instrument import Instrument, Kind
from cambist.domain.order import Order, OrderType
from cambist.domain.position import ZERO
from cambist.domain.record import record
from cambist.domain.request import Traits
from cambist.execution.orders import Life, Working

STALLED_MS = 5_000
"""How long a guard that has begun to fill may take before the rest is sold at market."""

RESTING = (Life.OPEN, Life.PARTLY_FILLED)


class Protection(StrEnum):
    """Who guards a position. Texts: ``protection.<value>``."""

    NONE_WANTED = "none_wanted"
    NATIVE = "native"
    """Orders at the venue guard all of it, whatever happens to us."""
    EMULATED = "emulated"
    """Cambist watches some or all of its guards, as long as it runs."""


@record
class TakeBack:
    """Ask the venue to cancel this order."""

    client_id: str


@record
class PlaceGuards:
    """Place these guards, one order or a pair of which one fills, for ``quantity``."""

    guards: tuple[Order, ...]
    quantity: Decimal


@record
class MoveTrigger:
    """Move the trigger of this resting stop."""

    client_id: str
    trigger: Decimal


@record
class CloseNow:
    """Sell (or buy back) ``quantity`` at market."""

    quantity: Decimal


@record
class TooSmall:
    """What is left is less than the venue takes: no order can close or guard it."""

    quantity: Decimal


Step = TakeBack | PlaceGuards | MoveTrigger | CloseNow | TooSmall


def steps(
    instrument: Instrument,
    held: Decimal,
    exiting: Order | None,
    guards: Sequence[Order],
    working: Sequence[Working],
    traits: Traits,
    *,
    price: Decimal,
    now_ms: int,
) -> list[Step]:
    """Return what to do next, nothing if all is as it should be or an answer must come first.

    ``held`` is the signed quantity, ``working`` the reducing orders that are not settled, ``price`` about where the
    market is (for the venue's smallest order value).
    """
    quantity = sellable(instrument, held)
    if not held:
        return [TakeBack(one.request.client_id) for one in _singles(working) if one.life in RESTING]
    if exiting is not None:
        return _close(instrument, quantity, exiting, working, price, now_ms)
    if any(not one.ended and one.life not in RESTING for one in working) or any(one.ended for one in working):
        return []  # an answer, or fills that the venue has reported, must come first
    wanted = native(guards, traits) if sellable_at(instrument, quantity, price) else ()
    if _stands(wanted, quantity, working):
        return []
    if not working:
        return [PlaceGuards(wanted, quantity)]
    moved = _only_moved(wanted, quantity, working) if traits.amend else None
    if moved is not None:
        return moved
    return [TakeBack(one.request.client_id) for one in _singles(working)]


def native(guards: Sequence[Order], traits: Traits) -> tuple[Order, ...]:
    """Return the guards that can rest at the venue together: the tightest stop, with the take-profit if it pairs."""
    if not traits.stops:
        return ()
    stop = tightest(guards)
    target = next((guard for guard in guards if guard.type is OrderType.TAKE_PROFIT), None)
    if stop is None or target is None:
        return tuple(guard for guard in (stop, target) if guard is not None)
    return (stop, target) if traits.oco else (stop,)


def tightest(guards: Sequence[Order]) -> Order | None:
    """Return the stop that price reaches first."""
    stops = [guard for guard in guards if guard.type is OrderType.STOP]
    if not stops:
        return None
    return (max if stops[0].falling else min)(stops, key=lambda guard: guard.level)


def sellable(instrument: Instrument, held: Decimal) -> Decimal:
    """Return the whole lots in ``held``."""
    return abs(held) // instrument.lot_step * instrument.lot_step


def sellable_at(instrument: Instrument, quantity: Decimal, price: Decimal) -> bool:
    """Tell whether the venue takes an order of ``quantity`` that closes a position."""
    if quantity <= 0 or quantity < instrument.min_quantity:
        return False
    return instrument.kind is Kind.PERPETUAL or quantity * price >= instrument.min_notional


def standing(guards: Sequence[Order], working: Sequence[Working]) -> Protection:
    """Tell who guards a position that wants ``guards``."""
    if not guards:
        return Protection.NONE_WANTED
    resting = {one.order.id for one in working if one.life in RESTING}
    stop = tightest(guards)
    needed = {guard.id for guard in guards if guard.type is not OrderType.STOP} | ({stop.id} if stop else set())
    return Protection.NATIVE if needed <= resting else Protection.EMULATED


def covered(working: Sequence[Working]) -> Decimal:
    """Return the quantity that stops at the venue would close, whatever happens to us."""
    resting = (one for one in working if one.life in RESTING and one.request.type is OrderType.STOP)
    return sum((one.left for one in resting if one.order.reduces), ZERO)


def _close(
    instrument: Instrument,
    quantity: Decimal,
    exiting: Order,
    working: Sequence[Working],
    price: Decimal,
    now_ms: int,
) -> list[Step]:
    filling = [one for one in working if one.order.id == exiting.id and one.filled and not one.ended]
    if any(now_ms - one.since_ms < STALLED_MS for one in filling):
        return []  # the guard that was reached is being filled at the venue
    resting = [one for one in working if one.request.type is not OrderType.MARKET and one.life in RESTING]
    if resting:
        return [TakeBack(one.request.client_id) for one in _singles(resting)]
    if working:
        return []
    if not sellable_at(instrument, quantity, price):
        return [TooSmall(quantity)]
    return [CloseNow(quantity)]


def _stands(wanted: Sequence[Order], quantity: Decimal, working: Sequence[Working]) -> bool:
    """Tell whether exactly ``wanted`` rests at the venue, each for ``quantity``."""
    return {(guard.id, guard.trigger, quantity) for guard in wanted} == {
        (one.order.id, one.request.trigger, one.left) for one in working
    }


def _only_moved(wanted: Sequence[Order], quantity: Decimal, working: Sequence[Working]) -> list[Step] | None:
    """Return the moves of triggers that make ``working`` what is wanted; None if more than triggers differ."""
    by_id = {one.order.id: one for one in working}
    if by_id.keys() != {guard.id for guard in wanted} or any(one.left != quantity for one in working):
        return None
    return [
        MoveTrigger(by_id[guard.id].request.client_id, guard.level)
        for guard in wanted
        if guard.trigger != by_id[guard.id].request.trigger
    ]


def _singles(working: Sequence[Working]) -> list[Working]:
    """Return one order of each pair: taking back one leg takes back the other."""
    pairs: set[str] = set()
    found = []
    for one in working:
        if one.list_id and one.list_id in pairs:
            continue
        pairs.add(one.list_id)
        found.append(one)
    return found
