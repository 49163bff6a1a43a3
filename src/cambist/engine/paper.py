"""A paper account has no memory but its journal: the simulated exchange is brought to where that ends.

What the exchange did and the journal does not know of has then never happened, for both alike.
"""

from collections.abc import Sequence
from decimal import Decimal

from cambist.domain.request import OrderRequest
from cambist.engine.account import Account
from cambist.execution.orders import Life
from cambist.market.exchange import Exchange

_THERE = frozenset((Life.OPEN, Life.PARTLY_FILLED, Life.CANCELLING))


def resume(exchange: Exchange, account: Account) -> None:
    """Open ``account`` (rebuilt from its journal) at ``exchange``, with what it holds and the orders that wait."""
    for seat in account.seats.values():
        exchange.admit(seat.bot.instrument)
    positions = {symbol: net for symbol, net in account.contracts.items() if net}  # of all bots and by hand together
    exchange.resume(account.spec.id, account.ledger.holdings(), positions, _waiting(account))


def _waiting(account: Account) -> list[Sequence[tuple[OrderRequest, Decimal]]]:
    """Return the orders that the exchange had accepted, the legs of a pair together."""
    groups: dict[str, list[tuple[OrderRequest, Decimal]]] = {}
    for name, one in account.orders.items():
        if one.life in _THERE:
            groups.setdefault(one.list_id or name, []).append((one.request, one.filled))
    return list(groups.values())
