"""The order desk: orders in Kraken's terms, over the matching engine."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import count
from typing import Any

from cambist.domain.errors import VenueRefused
from cambist.domain.order import Side
from cambist.domain.report import BalancesReported, FillReport, OrderReport, Report, Status
from cambist.simulators.kraken import events
from cambist.simulators.kraken.limits import Limiter
from cambist.simulators.kraken.market import Market
from cambist.simulators.kraken.orders import (
    ZERO,
    Done,
    Params,
    Placed,
    check_size,
    decimal,
    read_order,
    read_price,
    user_reference,
)
from cambist.simulators.kraken.refusals import ID_IN_USE, POST_ONLY, UNKNOWN_ORDER, Refused, invalid, of_the_exchange
from cambist.simulators.kraken.shapes import digits_of

Tell = Callable[[str, str, dict[str, Any]], None]
"""Takes (account, channel, what happened) for the account's sockets."""

_SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
USER = "User requested"


class Desk:
    """The orders of all accounts on one `Market`; hears what the matching engine reports and tells it on."""

    def __init__(self, market: Market, limiter: Limiter, tell: Tell, counting_ms: Callable[[], int]) -> None:
        self.market = market
        self._limiter = limiter
        self._tell = tell
        self._counting_ms = counting_ms
        self._orders: dict[tuple[str, str], Placed] = {}
        self._numbers = count(1)
        self._lives = 0
        self._held: dict[str, dict[str, Decimal]] = {}  # balances as they were told last, by account and asset
        self._fees: dict[tuple[str, str], Decimal] = {}  # paid since then

    def forget(self) -> None:
        """Know nothing of orders any more; names that were given are not given again."""
        self._orders.clear()
        self._held.clear()
        self._fees.clear()
        self._lives += 1

    # -- what is asked for --------------------------------------------------------------------------------------------

    def place(self, account: str, params: Params) -> Placed:
        """Place the order that ``params`` describe, or with ``validate`` only check it; raise `Refused`."""
        line = self.market.line(params.get("pair"))
        order = read_order(account, line.instrument, params)
        last = self.market.last(line)
        if order.worth and last is not None:
            order.quantity = self.market.bought_for(line, order.side, order.worth, last.price)
        check_size(order, None if last is None else last.price)
        waiting = self.open_orders(account)
        if order.client_id and any(one.client_id == order.client_id for one in waiting):
            raise Refused(ID_IN_USE)
        if "post" in order.flags and last is not None and _reaches(order, last.price):
            raise Refused(POST_ONLY)
        if params.get("validate", "").lower() == "true":
            return order
        same = sum(one.symbol == order.symbol for one in waiting)
        self._limiter.order(self._counting_ms(), account, order.symbol, same)
        self._enter(order)
        try:
            self.market.exchange.submit(account, order.request())
        except VenueRefused as refused:
            del self._orders[account, order.key]
            raise of_the_exchange(refused) from None
        if order.type == "market" and not order.over:  # the matching engine would go on; no exchange does
            self.market.exchange.cancel(account, order.symbol, order.key)
        return order

    def cancel(self, order: Placed) -> None:
        """Take an order back that is not over."""
        age_ms = self.market.now - order.created
        self._limiter.cancel(self._counting_ms(), order.account, order.symbol, age_ms)
        order.reason = USER
        self.market.exchange.cancel(order.account, order.symbol, order.key)

    def amend(self, account: str, params: Params) -> tuple[Placed, str]:
        """Move the trigger of a stop, or the price and quantity of a limit; return it and the change's name.

        Raises `Refused`, and leaves the order as it was.
        """
        order = self.find(account, params)
        wishes = {name for name in ("trigger_price", "limit_price", "order_qty") if params.get(name)}
        if not wishes or wishes - ({"trigger_price"} if order.trigger is not None else {"limit_price", "order_qty"}):
            raise invalid("trigger_price" if order.trigger is not None else "limit_price")
        age_ms = self.market.now - order.created
        self._limiter.amend(self._counting_ms(), account, order.symbol, age_ms)
        if order.trigger is not None:
            self._move(order, read_price(order.rules, params, "trigger_price"))
        else:
            rules = order.rules
            price = read_price(rules, params, "limit_price") if "limit_price" in wishes else order.price
            lot = digits_of(rules.lot_step)
            quantity = decimal(params, "order_qty", lot) if "order_qty" in wishes else order.quantity
            self._replace(order, price, quantity)
        return order, self._name("T")

    def _move(self, order: Placed, trigger: Decimal) -> None:
        before, order.trigger, order.updated = order.trigger, trigger, self.market.now
        try:
            self.market.exchange.amend(order.account, order.symbol, order.key, trigger)
        except VenueRefused as refused:
            order.trigger = before
            raise of_the_exchange(refused) from None
        self._tell(order.account, "executions", events.amended(order))

    def _replace(self, order: Placed, price: Decimal | None, quantity: Decimal) -> None:
        """Put an order of other terms in the place of ``order``: the matching engine knows no other way."""
        if quantity <= order.filled:
            raise invalid("order_qty")
        check_size(replace(order, quantity=order.quantity - order.filled), None)  # what is left must be taken again
        before = (order.price, order.quantity)
        del self._orders[order.account, order.key]  # so that nobody hears of its end
        self.market.exchange.cancel(order.account, order.symbol, order.key)
        order.price, order.quantity, order.status = price, quantity, "pending"
        self._enter(order, order.id)
        try:
            self.market.exchange.submit(order.account, order.request())
        except VenueRefused as refused:
            del self._orders[order.account, order.key]
            (order.price, order.quantity), order.status = before, "open"
            self._enter(order, order.id)
            self.market.exchange.submit(order.account, order.request())
            raise of_the_exchange(refused) from None

    # -- what is known ------------------------------------------------------------------------------------------------

    def find(self, account: str, params: Params) -> Placed:
        """Return the open order that ``params`` name; raise `Refused`."""
        found = self.named(account, params)
        if len(found) != 1:
            raise Refused(UNKNOWN_ORDER)
        return found[0]

    def named(self, account: str, params: Params) -> list[Placed]:
        """Return the open orders that ``params`` name by client id, name, or the user's number; raise `Refused`."""
        waiting = self.open_orders(account)
        if params.get("cl_ord_id"):
            found = [one for one in waiting if one.client_id == params["cl_ord_id"]]
        elif params.get("txid", "").lstrip("-").isdigit():
            number = user_reference({"userref": params["txid"]})
            found = [one for one in waiting if one.user_reference == number]
        elif params.get("txid"):
            found = [one for one in waiting if one.id == params["txid"]]
        else:
            raise invalid("txid")
        if not found:
            raise Refused(UNKNOWN_ORDER)
        return found

    def orders(self, account: str) -> Iterator[Placed]:
        """Yield all orders of an account, oldest first."""
        return (order for (owner, _), order in self._orders.items() if owner == account)

    def open_orders(self, account: str) -> list[Placed]:
        """Return the orders that are not over, oldest first."""
        return [order for order in self.orders(account) if not order.over]

    def fills(self, account: str) -> list[tuple[Placed, Done]]:
        """Return all fills of an account, newest first."""
        found = [(order, done) for order in self.orders(account) for done in order.fills]
        return sorted(found, key=lambda one: (one[1].fill.ts, int(one[1].fill.trade_id)), reverse=True)

    # -- what the matching engine says --------------------------------------------------------------------------------

    def hear(self, account: str, report: Report) -> None:
        """Take in a report of the matching engine and tell the account's sockets."""
        if isinstance(report, BalancesReported):
            self._hear_balances(account, report)
        elif isinstance(report, OrderReport | FillReport):
            order = self._orders.get((account, report.client_id))
            if order is not None and isinstance(report, FillReport):
                self._hear_fill(order, report)
            elif order is not None and isinstance(report, OrderReport):
                self._hear_order(order, report)

    def _hear_order(self, order: Placed, report: OrderReport) -> None:
        now = self.market.now
        if order.status == "pending":
            order.status, order.updated = "open", now
            if order.created:
                self._tell(order.account, "executions", events.amended(order))
                return
            order.created = now
            self._tell(order.account, "executions", events.pending(order))
            self._tell(order.account, "executions", events.new(order))
        elif report.status.final and not order.over:
            order.updated = now
            if report.status is Status.FILLED:
                order.status = "closed"
                self._tell(order.account, "executions", events.ended(order, "filled"))
            else:
                order.status = "canceled"
                order.reason = order.reason or ("Immediate or cancel" if order.time_in_force == "IOC" else "Unfillable")
                self._tell(order.account, "executions", events.ended(order, "canceled"))

    def _hear_fill(self, order: Placed, fill: FillReport) -> None:
        done = Done(self._name("T"), fill)
        order.fills.append(done)
        order.filled += fill.quantity
        order.cost += fill.quantity * fill.price
        order.fee += fill.fee
        order.updated = self.market.now
        paid = (order.account, fill.fee_asset)
        self._fees[paid] = self._fees.get(paid, ZERO) + fill.fee
        self._tell(order.account, "executions", events.trade(order, done, "partially_filled"))

    def _hear_balances(self, account: str, report: BalancesReported) -> None:
        told = self._held.get(account)
        if told is None:
            told = self._held[account] = dict(self.market.first_balances(account))
        for balance in report.balances:
            change = balance.total - told.get(balance.asset, ZERO)
            if change:
                told[balance.asset] = balance.total
                fee = self._fees.pop((account, balance.asset), ZERO)
                entry = events.ledger(self._name("L"), balance, change + fee, fee, self.market.now)
                self._tell(account, "balances", entry)

    # -- shared -------------------------------------------------------------------------------------------------------

    def _enter(self, order: Placed, name: str = "") -> None:
        order.key = self._name("O")
        order.id = name or order.key
        self._orders[order.account, order.key] = order

    def _name(self, letter: str) -> str:
        """Return a name such as Kraken gives to orders, trades and ledger entries."""
        seed = f"{self.market.seed} {self._lives} {next(self._numbers)}"
        signs = [_SIGNS[byte % 32] for byte in hashlib.blake2b(seed.encode(), digest_size=16).digest()]
        text = "".join(signs)
        return f"{letter}{text[:5]}-{text[5:10]}-{text[10:16]}"


def _reaches(order: Placed, last: Decimal) -> bool:
    """Tell whether a limit order would meet the market at once."""
    if order.price is None or order.trigger is not None:
        return False
    return last <= order.price if order.side is Side.BUY else last >= order.price
