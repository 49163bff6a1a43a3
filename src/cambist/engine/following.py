"""What becomes of an account's orders, event by event.

Events are journaled many at a time, and only then told: by then the account is ahead of the event that is told of.
So its orders are followed apart, by the same table (`execution/orders.py`), and each change is seen when it was made.
"""

from copy import copy
from dataclasses import dataclass, replace
from decimal import Decimal

from cambist.domain.command import Place, PlacePair, TakeBackOrder, VenueCommand
from cambist.domain.event import (
    AccountEvent,
    CancelStood,
    Decided,
    FillReported,
    GuardTouched,
    OrderAbsent,
    OrderLost,
    OrderReported,
    Restarted,
    TriggerMoved,
)
from cambist.domain.position import ZERO
from cambist.domain.report import FillReport
from cambist.domain.request import OrderRequest
from cambist.engine.account import KEPT, Account, Outcome
from cambist.execution.orders import Word, Working

_WORDS = {OrderLost: Word.LOST, OrderAbsent: Word.ABSENT, CancelStood: Word.STANDS}


@dataclass(slots=True)
class Followed:
    """One order as an event has left it."""

    one: Working
    near: Decimal | None = None
    """About where the market was when it was sent, if that is known."""
    spent: Decimal = ZERO
    """Value of the fills that were seen (quantity times price)."""
    seen: Decimal = ZERO
    """Their quantity; less than ``one.filled`` if some came before we listened."""
    over: bool = False
    """Whether the last change has settled it, for the first time with something filled."""
    told: bool = False
    """Whether any change has."""

    @property
    def average(self) -> Decimal | None:
        """Return the average price at which it filled; None if it did not, or not all of that was seen."""
        return self.spent / self.seen if self.seen and self.seen == self.one.filled else None


class Follower:
    """Follows the orders of one account, from where they stand when it is made."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._orders = {
            name: Followed(_own(one), near=_known(account, one.request.symbol), told=one.settled and one.filled > 0)
            for name, one in account.orders.items()
        }
        self._begun = False

    def take(self, event: AccountEvent, outcome: Outcome) -> tuple[list[Followed], FillReport | None]:
        """Return the orders that ``event`` has changed, as it left them, and the fill that it brought if it counts.

        The first event after the account came up tells of every order that is under way.
        """
        fill, names = self._hear(event)
        if not self._begun:
            self._begun = True
            names += [name for name, followed in self._orders.items() if not followed.one.settled]
        near = _near(event)
        for command in outcome.commands:
            names += self._sent(command, near)
        changed = []
        for name in dict.fromkeys(names):
            followed = self._orders[name]
            followed.over = followed.one.settled and followed.one.filled > 0 and not followed.told
            followed.told = followed.told or followed.over
            changed.append(replace(followed, one=copy(followed.one)))
        self._forget()
        return changed, fill

    def _hear(self, event: AccountEvent) -> tuple[FillReport | None, list[str]]:
        if isinstance(event, Restarted):
            return None, [name for name in self._orders if self._hears(name, Word.LOST, event.ts)]
        if isinstance(event, FillReported):
            return self._fill(event.fill)
        if isinstance(event, OrderReported):
            name = event.report.client_id
            followed = self._orders.get(name)
            if followed is None:
                return None, []
            before = (followed.one.life, followed.one.settled)
            followed.one.report(event.report)
            return None, [name] if before != (followed.one.life, followed.one.settled) else []
        if isinstance(event, OrderLost | OrderAbsent | CancelStood):
            heard = self._hears(event.client_id, _WORDS[type(event)], event.ts)
            return None, [event.client_id] if heard else []
        if isinstance(event, TriggerMoved) and event.client_id in self._orders:
            one = self._orders[event.client_id].one
            one.request = replace(one.request, trigger=event.trigger)
            return None, [event.client_id]
        return None, []

    def _fill(self, fill: FillReport) -> tuple[FillReport | None, list[str]]:
        followed = self._orders.get(fill.client_id)
        if followed is None or not followed.one.fill(fill):
            return None, []
        followed.spent += fill.quantity * fill.price
        followed.seen += fill.quantity
        return fill, [fill.client_id]

    def _sent(self, command: VenueCommand, near: Decimal | None) -> list[str]:
        match command:
            case Place(request):
                return self._placed(request, near)
            case PlacePair(_, stop, target):
                return self._placed(stop, near) + self._placed(target, near)
            case TakeBackOrder(_, name) if name in self._orders:
                pair = self._orders[name].one.list_id
                legs = [other for other, followed in self._orders.items() if pair and followed.one.list_id == pair]
                return [leg for leg in legs or [name] if self._hears(leg, Word.TAKE_BACK, 0)]
        return []

    def _placed(self, request: OrderRequest, near: Decimal | None) -> list[str]:
        known = self._account.orders.get(request.client_id)
        if known is None:  # so much has happened since that the account has dropped it
            return []
        one = Working(known.order, request, attempt=known.attempt, plan=known.plan, list_id=known.list_id)
        one.hear(Word.SENT, 0)
        self._orders[request.client_id] = Followed(one, near or _known(self._account, request.symbol))
        return [request.client_id]

    def _hears(self, name: str, word: Word, ts: int) -> bool:
        followed = self._orders.get(name)
        if followed is None:
            return False
        was = followed.one.life
        followed.one.hear(word, ts)
        return followed.one.life is not was

    def _forget(self) -> None:
        """Drop what the account has dropped: until then an order that is over may still fill."""
        known = self._account.orders
        if len(self._orders) > 2 * len(known) + KEPT:
            self._orders = {name: one for name, one in self._orders.items() if name in known}


def _own(one: Working) -> Working:
    return replace(one, trades=set(one.trades))


def _near(event: AccountEvent) -> Decimal | None:
    if isinstance(event, Decided) and event.close:
        return Decimal(repr(event.close))
    return event.price if isinstance(event, GuardTouched) else None


def _known(account: Account, symbol: str) -> Decimal | None:
    known = account.prices.get(symbol)
    return known[0] if known is not None else None
