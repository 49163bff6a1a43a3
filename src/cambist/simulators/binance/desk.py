"""The order desk: orders and order lists in Binance's terms, over the matching engine."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from typing import Any

from cambist.domain.errors import VenueRefused
from cambist.domain.order import Side
from cambist.domain.report import BalancesReported, FillReport, OrderReport, Report, Status
from cambist.simulators.binance import filters
from cambist.simulators.binance.market import Line, Market
from cambist.simulators.binance.orders import ZERO, Params, Placed, client_id, needed, read_order, whole
from cambist.simulators.binance.refusals import (
    BAD_RELATION,
    DUPLICATE,
    UNKNOWN_ORDER,
    WOULD_MATCH,
    Refused,
    of_the_exchange,
)
from cambist.simulators.binance.shapes import market_id, number

Tell = Callable[[str, dict[str, Any]], None]
"""Takes (account, message) for the account's user data stream."""


@dataclass(slots=True)
class OrderList:
    """Two orders of which one fills."""

    id: int
    client_id: str
    symbol: str
    legs: list[Placed]
    created: int
    told_done: bool = False

    def told(self, *, now: int | None = None) -> dict[str, Any]:
        """Return the list as queries answer it."""
        status = "ALL_DONE" if all(leg.over for leg in self.legs) else "EXECUTING"
        return {
            "orderListId": self.id,
            "contingencyType": "OCO",
            "listStatusType": "ALL_DONE" if status == "ALL_DONE" else "EXEC_STARTED",
            "listOrderStatus": status,
            "listClientOrderId": self.client_id,
            "transactionTime": self.created if now is None else now,
            "symbol": market_id(self.symbol),
            "orders": [
                {name: value for name, value in leg.ids().items() if name != "orderListId"} for leg in self.legs
            ],
        }

    def event(self, now: int) -> dict[str, Any]:
        """Return the stream's ``listStatus``."""
        told = self.told()
        return {
            "e": "listStatus",
            "E": now,
            "s": told["symbol"],
            "g": self.id,
            "c": "OCO",
            "l": told["listStatusType"],
            "L": told["listOrderStatus"],
            "r": "NONE",
            "C": self.client_id,
            "T": now,
            "O": [{"s": one["symbol"], "i": one["orderId"], "c": one["clientOrderId"]} for one in told["orders"]],
        }


class Desk:
    """The orders of all accounts on one `Market`; hears what the matching engine reports and tells it on."""

    def __init__(self, market: Market, tell: Tell) -> None:
        self.market = market
        self._tell = tell
        self._orders: dict[tuple[str, str], Placed] = {}
        self._lists: dict[tuple[str, int], OrderList] = {}
        self._list_ids = count(1)
        self._own_ids = count(1)

    def forget(self) -> None:
        """Know nothing of orders any more."""
        self._orders.clear()
        self._lists.clear()

    # -- what is asked for --------------------------------------------------------------------------------------------

    def place(self, account: str, params: Params, *, check_only: bool = False) -> Placed:
        """Place the order that ``params`` describe, or only check it; raise `Refused`."""
        line, order = self.read(account, params)
        self._check(line, order)
        self._name(order)
        if check_only:
            return order
        if order.time_in_force == "FOK" and not self._fills_at_once(line, order):
            return self._killed(order)
        self._enter(order)
        try:
            self.market.exchange.submit(account, order.request())
        except VenueRefused as refused:
            del self._orders[account, order.key]
            raise of_the_exchange(refused) from None
        if order.type == "MARKET" and not order.over:  # the matching engine would go on; no exchange does
            self.market.exchange.cancel(account, order.symbol, order.key)
        return order

    def read(self, account: str, params: Params) -> tuple[Line, Placed]:
        """Return the order that ``params`` describe, past the filters; raise `Refused`."""
        line = self.market.line(needed(params, "symbol"))
        order = read_order(account, line.instrument.symbol, params)
        self._filter(line, order)
        return line, order

    def place_list(self, account: str, line: Line, legs: tuple[Placed, Placed], name: str) -> OrderList:
        """Place two orders of which one fills, the upper one first; raise `Refused` and place neither."""
        above, below = legs
        last = self.market.last(line)
        upper, lower = (leg.stop or leg.price or ZERO for leg in legs)
        stops = [leg for leg in legs if leg.type in ("STOP_LOSS", "STOP_LOSS_LIMIT")]
        right_way = stops == [below if above.side is Side.SELL else above]
        if not right_way or last is None or not lower < last.price < upper:
            raise Refused(-2010, BAD_RELATION)
        for leg in legs:
            self._filter(line, leg)
            self._check(line, leg)
            self._name(leg)
        if above.client_id == below.client_id:
            raise Refused(-2010, DUPLICATE)
        executing = [one for one in self.lists(account) if not all(leg.over for leg in one.legs)]
        if name in (one.client_id for one in executing):
            raise Refused(-2010, DUPLICATE)
        stop, target = (below, above) if stops == [below] else (above, below)
        placed = OrderList(next(self._list_ids), name, line.instrument.symbol, [above, below], self.market.now)
        placed.client_id = name or f"box-list-{placed.id}"
        for leg in legs:
            leg.list_id = placed.id
            self._enter(leg)
        self._lists[account, placed.id] = placed
        try:
            self.market.exchange.submit_oco(account, placed.client_id, stop.request(), target.request())
        except VenueRefused as refused:
            for leg in legs:
                del self._orders[account, leg.key]
            del self._lists[account, placed.id]
            raise of_the_exchange(refused) from None
        self._tell(account, placed.event(self.market.now))
        self._settle_list(placed)
        return placed

    def cancel(self, account: str, order: Placed, name: str = "") -> list[Placed]:
        """Take an order back, and the other leg of its list; raise `Refused` if it is over."""
        if order.over:
            raise Refused(-2011, UNKNOWN_ORDER)
        legs = self._lists[account, order.list_id].legs if order.list_id >= 0 else [order]
        for leg in legs:
            leg.cancel_id = name or f"box-cancel-{leg.id}"
        self.market.exchange.cancel(account, order.symbol, order.key)
        return legs

    # -- what is known ------------------------------------------------------------------------------------------------

    def find(self, account: str, params: Params, *, code: int, names: tuple[str, str]) -> Placed:
        """Return the order that ``params`` name by id or client id; raise `Refused` with ``code`` if there is none.

        Of several with one client id, the last.
        """
        line = self.market.line(needed(params, "symbol"))
        number_, name = whole(params, names[0]), params.get(names[1])
        if number_ is None and not name:
            raise Refused(-1102, f"Param '{names[1]}' or '{names[0]}' must be sent, but both were empty/null!")
        for order in reversed(self.orders(account, line.instrument.symbol)):
            if (number_ is None or order.id == number_) and (not name or order.client_id == name):
                return order
        raise Refused(code, UNKNOWN_ORDER if code == -2011 else "Order does not exist.")

    def orders(self, account: str, symbol: str | None = None) -> list[Placed]:
        """Return all orders of an account (on ``symbol``), oldest first."""
        return [
            order
            for (owner, _), order in self._orders.items()
            if owner == account and (symbol is None or order.symbol == symbol)
        ]

    def open_orders(self, account: str, symbol: str | None = None) -> list[Placed]:
        """Return the orders that are not over, oldest first."""
        return [order for order in self.orders(account, symbol) if not order.over]

    def lists(self, account: str) -> list[OrderList]:
        """Return all order lists of an account, oldest first."""
        return [one for (owner, _), one in self._lists.items() if owner == account]

    def find_list(self, account: str, params: Params, name: str, *, code: int) -> OrderList:
        """Return the list that ``params`` name by id or, as ``name``, by client id; raise `Refused` with ``code``."""
        number_, wish = whole(params, "orderListId"), params.get(name)
        if number_ is None and not wish:
            raise Refused(-1102, f"Param '{name}' or 'orderListId' must be sent, but both were empty/null!")
        for one in reversed(self.lists(account)):
            if (number_ is None or one.id == number_) and (not wish or one.client_id == wish):
                return one
        raise Refused(code, UNKNOWN_ORDER if code == -2011 else "Order list does not exist.")

    # -- what the matching engine says --------------------------------------------------------------------------------

    def hear(self, account: str, report: Report) -> None:
        """Take in a report of the matching engine and tell the account's stream."""
        if isinstance(report, BalancesReported):
            self._tell(account, position(report, self.market.now))
        elif isinstance(report, OrderReport):
            self._hear_order(self._orders[account, report.client_id], report)
        elif isinstance(report, FillReport):
            self._hear_fill(self._orders[account, report.client_id], report)

    def _hear_order(self, order: Placed, report: OrderReport) -> None:
        now = self.market.now
        if not order.id:
            order.id, order.created, order.updated = int(report.venue_id), now, now
            self._tell(order.account, order.event("NEW", now))
            return
        if report.status in (Status.CANCELLED, Status.EXPIRED) and not order.over:
            order.status, order.updated = "CANCELED" if order.cancel_id else "EXPIRED", now
            self._tell(order.account, order.event(order.status, now))
        if order.over and order.list_id >= 0:
            self._settle_list(self._lists[order.account, order.list_id])

    def _hear_fill(self, order: Placed, fill: FillReport) -> None:
        order.fills.append(fill)
        order.filled += fill.quantity
        order.quote += fill.quantity * fill.price
        order.updated = self.market.now
        order.status = "FILLED" if order.filled >= order.quantity else "PARTIALLY_FILLED"
        self._tell(order.account, order.event("TRADE", self.market.now, fill))

    def _settle_list(self, one: OrderList) -> None:
        if not one.told_done and all(leg.over for leg in one.legs):
            one.told_done = True
            self._tell(one.legs[0].account, one.event(self.market.now))

    # -- what an order must pass --------------------------------------------------------------------------------------

    def _filter(self, line: Line, order: Placed) -> None:
        """Raise `Refused` for an order that breaks a filter; work out how much a market order by worth trades."""
        trade, rules = self.market.last(line), line.instrument
        last = trade.price if trade else None
        open_orders = self.open_orders(order.account, order.symbol)
        filters.check_count(len(open_orders), sum(one.is_stop for one in open_orders), stop=order.is_stop)
        for price in (order.price, order.stop):
            if price is not None:
                filters.check_price(rules, order.side, price, last)
        at_market = order.type in ("MARKET", "STOP_LOSS", "TAKE_PROFIT")
        if order.quote_quantity and last is not None:
            order.quantity = self.market.bought_for(line, order.side, order.quote_quantity, last)
        filters.check_quantity(rules, order.quantity, at_market=at_market)
        price = order.price or order.stop or last
        if price is not None:
            filters.check_notional(rules, price * order.quantity, at_market=at_market)

    def _check(self, line: Line, order: Placed) -> None:
        """Raise `Refused` for an order that cannot be beside those that are open, or before the market as it is."""
        last = self.market.last(line)
        reached = last is not None and order.price is not None and _reaches(last.price, order.side, order.price)
        if order.type == "LIMIT_MAKER" and reached:
            raise Refused(-2010, WOULD_MATCH)
        if any(one.client_id == order.client_id for one in self.open_orders(order.account, order.symbol)):
            raise Refused(-2010, DUPLICATE)

    def _fills_at_once(self, line: Line, order: Placed) -> bool:
        trade = self.market.last(line)
        if trade is None or order.price is None or order.type != "LIMIT":
            return order.type != "LIMIT"
        enough = float(order.quantity) <= self.market.offered(line)
        return enough and _reaches(trade.price, order.side, order.price)

    def _killed(self, order: Placed) -> Placed:
        """Take in a fill-or-kill order that cannot fill: it ends at once, and the matching engine never sees it."""
        now = self.market.now
        self._enter(order)
        order.id, order.created, order.updated = 10**9 + next(self._own_ids), now, now
        self._tell(order.account, order.event("NEW", now))
        order.status = "EXPIRED"
        self._tell(order.account, order.event("EXPIRED", now))
        return order

    def _name(self, order: Placed) -> None:
        order.client_id = order.client_id or f"box-{next(self._own_ids)}"

    def _enter(self, order: Placed) -> None:
        """Keep an order under a name that the matching engine has not met: client ids may come again, it wants none."""
        order.key, times = order.client_id, 1
        while (order.account, order.key) in self._orders:
            times += 1
            order.key = f"{order.client_id}#{times}"
        self._orders[order.account, order.key] = order


def position(report: BalancesReported, now: int) -> dict[str, Any]:
    """Return the stream's ``outboundAccountPosition``."""
    rows = [{"a": one.asset, "f": number(one.free), "l": number(one.locked)} for one in report.balances]
    return {"e": "outboundAccountPosition", "E": now, "u": report.ts, "B": rows}


def read_list(account: str, line: Line, params: Params) -> tuple[Placed, Placed]:
    """Return the legs (upper, lower) of ``orderList/oco``; raise `Refused`."""
    return _leg(account, line, params, "above"), _leg(account, line, params, "below")


def read_old_list(account: str, line: Line, params: Params) -> tuple[Placed, Placed]:
    """Return the legs (upper, lower) of the older ``order/oco``; raise `Refused`."""
    stop = {"Type": "STOP_LOSS_LIMIT" if params.get("stopLimitPrice") else "STOP_LOSS"}
    stop |= _named(params, {"StopPrice": "stopPrice", "Price": "stopLimitPrice", "ClientOrderId": "stopClientOrderId"})
    if params.get("stopLimitPrice"):
        stop["TimeInForce"] = params.get("stopLimitTimeInForce", "GTC")
    limit = {"Type": "LIMIT_MAKER", **_named(params, {"Price": "price", "ClientOrderId": "limitClientOrderId"})}
    upper, lower = (limit, stop) if params.get("side") == "SELL" else (stop, limit)
    both = {f"above{name}": value for name, value in upper.items()} | {
        f"below{name}": value for name, value in lower.items()
    }
    return read_list(account, line, {**params, **both})


def _named(params: Params, names: dict[str, str]) -> dict[str, str]:
    return {name: params[sent] for name, sent in names.items() if params.get(sent)}


def _leg(account: str, line: Line, params: Params, which: str) -> Placed:
    terms = {name: params[name] for name in ("symbol", "side", "quantity") if name in params}
    names = {"type": "Type", "price": "Price", "stopPrice": "StopPrice", "timeInForce": "TimeInForce"}
    for name, suffix in names.items():
        if params.get(which + suffix):
            terms[name] = params[which + suffix]
    needed(params, f"{which}Type")
    if terms.get("type", "").endswith("_LIMIT"):
        terms.setdefault("timeInForce", "GTC")
    leg = read_order(account, line.instrument.symbol, terms)
    leg.client_id = client_id(params, f"{which}ClientOrderId")
    return leg


def _reaches(price: Decimal, side: Side, limit: Decimal) -> bool:
    return price <= limit if side is Side.BUY else price >= limit
