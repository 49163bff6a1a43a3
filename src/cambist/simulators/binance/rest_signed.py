"""What only the owner of an account may ask: orders, order lists, fills, balances, listen keys."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cambist.domain.report import Balance
from cambist.domain.timeframe import DAY_MS
from cambist.simulators.binance.desk import Desk, OrderList, read_list, read_old_list
from cambist.simulators.binance.market import Market
from cambist.simulators.binance.orders import Params, Placed, client_id, needed, whole
from cambist.simulators.binance.refusals import UNKNOWN_ORDER, Refused
from cambist.simulators.binance.shapes import number

_KEY_LIVES_MS = 3_600_000
_PAGE, _LONGEST_PAGE = 500, 1000


@dataclass(slots=True)
class ListenKey:
    """A key that opens an account's stream until it runs out."""

    account: str
    until: int


class SignedAnswers:
    """Answers an account's requests; each method takes the account's name and the request's parameters.

    ``counting_ms`` tells the time by which listen keys run out.
    """

    def __init__(self, market: Market, desk: Desk, counting_ms: Callable[[], int]) -> None:
        self.market = market
        self.desk = desk
        self._counting_ms = counting_ms
        self.listen_keys: dict[str, ListenKey] = {}

    # -- orders -------------------------------------------------------------------------------------------------------

    def new_order(self, account: str, params: Params) -> Any:
        """Place an order."""
        default = "FULL" if params.get("type") in ("MARKET", "LIMIT") else "ACK"
        kind = params.get("newOrderRespType") or default
        return self.desk.place(account, params).answered(kind)

    def test_order(self, account: str, params: Params) -> Any:
        """Check an order without placing it."""
        self.desk.place(account, params, check_only=True)
        return {}

    def order(self, account: str, params: Params) -> Any:
        """Return one order."""
        return self._find(account, params).told()

    def cancel_order(self, account: str, params: Params) -> Any:
        """Take one order back; a leg of a list takes the list with it."""
        order = self.desk.find(account, params, code=-2011, names=("orderId", "origClientOrderId"))
        only = params.get("cancelRestrictions")
        if only and order.status != {"ONLY_NEW": "NEW", "ONLY_PARTIALLY_FILLED": "PARTIALLY_FILLED"}.get(only):
            raise Refused(-2011, "Order was not canceled due to cancel restrictions.")
        self.desk.cancel(account, order, client_id(params, "newClientOrderId"))
        return order.cancelled() if order.list_id < 0 else self._list_of(account, order)

    def cancel_replace(self, account: str, params: Params) -> Any:
        """Take an order back and place another: ``STOP_ON_FAILURE`` places none if the first was not taken back."""
        mode = needed(params, "cancelReplaceMode")
        wished = {name: value for name, value in params.items() if not name.startswith("cancel")}
        self.desk.read(account, wished)  # filters are judged before anything is taken back
        report: dict[str, Any] = {"cancelResult": "SUCCESS", "newOrderResult": "NOT_ATTEMPTED"}
        wish = {"symbol": needed(params, "symbol")}
        for name, sent in (("orderId", "cancelOrderId"), ("origClientOrderId", "cancelOrigClientOrderId")):
            if params.get(sent):
                wish[name] = params[sent]
        if params.get("cancelNewClientOrderId"):
            wish["newClientOrderId"] = params["cancelNewClientOrderId"]
        try:
            report["cancelResponse"] = self.cancel_order(account, wish)
        except Refused as refused:
            report |= {"cancelResult": "FAILURE", "cancelResponse": refused.body(), "newOrderResponse": None}
            if mode != "ALLOW_FAILURE":
                raise Refused(-2022, "Order cancel-replace failed.", extra={"data": report}) from None
        try:
            report["newOrderResponse"] = self.new_order(account, wished)
            report["newOrderResult"] = "SUCCESS"
        except Refused as refused:
            report |= {"newOrderResult": "FAILURE", "newOrderResponse": refused.body()}
        if "FAILURE" in (report["cancelResult"], report["newOrderResult"]):
            both = report["cancelResult"] == report["newOrderResult"]
            code, text = (-2022, "failed") if both else (-2021, "partially failed")
            raise Refused(code, f"Order cancel-replace {text}.", 400 if both else 409, {"data": report})
        return report

    def open_orders(self, account: str, params: Params) -> Any:
        """Return the orders that are not over."""
        return [order.told() for order in self.desk.open_orders(account, self._symbol(params))]

    def cancel_all(self, account: str, params: Params) -> Any:
        """Take all orders on one market back."""
        orders = self.desk.open_orders(account, self._symbol(params) or needed(params, "symbol"))
        if not orders:
            raise Refused(-2011, UNKNOWN_ORDER)
        told = []
        for order in orders:
            if not order.over:  # it was the other leg of one that has just gone
                self.desk.cancel(account, order)
                told.append(order.cancelled() if order.list_id < 0 else self._list_of(account, order))
        return told

    def all_orders(self, account: str, params: Params) -> Any:
        """Return orders, over or not: from an id on, of a span of time, or the last ones."""
        symbol = self._symbol(params) or needed(params, "symbol")
        first, (since, until) = whole(params, "orderId"), _span(params)
        orders = [
            order
            for order in self.desk.orders(account, symbol)
            if (first is None or order.id >= first)
            and (since is None or order.created >= since)
            and (until is None or order.created <= until)
        ]
        orders.sort(key=lambda order: order.id)
        limit = _limit(params)
        return [order.told() for order in (orders[-limit:] if first is since is None else orders[:limit])]

    def my_trades(self, account: str, params: Params) -> Any:
        """Return fills: of an order, from an id on, of a span of time, or the last ones."""
        symbol = self._symbol(params) or needed(params, "symbol")
        of_order, first = (whole(params, name) for name in ("orderId", "fromId"))
        since, until = _span(params)
        trades = [
            trade
            for order in self.desk.orders(account, symbol)
            for trade in order.trades()
            if (of_order is None or order.id == of_order)
            and (first is None or trade["id"] >= first)
            and (since is None or trade["time"] >= since)
            and (until is None or trade["time"] <= until)
        ]
        trades.sort(key=lambda trade: trade["id"])
        limit = _limit(params)
        return trades[-limit:] if first is since is None else trades[:limit]

    # -- order lists --------------------------------------------------------------------------------------------------

    def new_list(self, account: str, params: Params) -> Any:
        """Place an OCO (``orderList/oco``)."""
        line = self.market.line(needed(params, "symbol"))
        legs = read_list(account, line, params)
        return self._placed_list(self.desk.place_list(account, line, legs, client_id(params, "listClientOrderId")))

    def new_old_list(self, account: str, params: Params) -> Any:
        """Place an OCO (the older ``order/oco``)."""
        line = self.market.line(needed(params, "symbol"))
        legs = read_old_list(account, line, params)
        return self._placed_list(self.desk.place_list(account, line, legs, client_id(params, "listClientOrderId")))

    def order_list(self, account: str, params: Params) -> Any:
        """Return one list."""
        return self.desk.find_list(account, params, "origClientOrderId", code=-2018).told()

    def cancel_list(self, account: str, params: Params) -> Any:
        """Take a list back."""
        one = self.desk.find_list(account, params, "listClientOrderId", code=-2011)
        left = next((leg for leg in one.legs if not leg.over), None)
        if left is None:
            raise Refused(-2011, UNKNOWN_ORDER)
        self.desk.cancel(account, left, client_id(params, "newClientOrderId"))
        return self._list_of(account, left)

    def open_lists(self, account: str, params: Params) -> Any:
        """Return the lists that are not over."""
        return [one.told() for one in self.desk.lists(account) if not all(leg.over for leg in one.legs)]

    def all_lists(self, account: str, params: Params) -> Any:
        """Return the last lists."""
        return [one.told() for one in self.desk.lists(account)][-_limit(params) :]

    # -- the account --------------------------------------------------------------------------------------------------

    def account(self, account: str, params: Params) -> Any:
        """Return balances and fees."""
        rates = self._rates()
        balances = self.market.exchange.balances(account)
        if params.get("omitZeroBalances") != "true":
            assets = (
                name for line in self.market.lines.values() for name in (line.instrument.base, line.instrument.quote)
            )
            balances = {name: Balance(name, Decimal(0), Decimal(0)) for name in assets} | balances
        factor = self.market.lie
        points = [int(rates[name] * 10_000) for name in ("maker", "taker")]
        return {
            "makerCommission": points[0],
            "takerCommission": points[1],
            "buyerCommission": 0,
            "sellerCommission": 0,
            "commissionRates": _texts(rates),
            "canTrade": True,
            "canWithdraw": True,
            "canDeposit": True,
            "brokered": False,
            "requireSelfTradePrevention": False,
            "preventSor": False,
            "updateTime": self.market.now,
            "accountType": "SPOT",
            "balances": [
                {"asset": one.asset, "free": number(one.free * factor), "locked": number(one.locked * factor)}
                for one in balances.values()
            ],
            "permissions": ["SPOT"],
            "uid": int(hashlib.sha256(account.encode()).hexdigest()[:8], 16),
        }

    def commission(self, account: str, params: Params) -> Any:
        """Return the fees on one market."""
        self.market.line(needed(params, "symbol"))
        none = dict.fromkeys(("maker", "taker", "buyer", "seller"), Decimal(0))
        return {
            "symbol": params["symbol"],
            "standardCommission": _texts(self._rates()),
            "taxCommission": _texts(none),
            "discount": {
                "enabledForAccount": False,
                "enabledForSymbol": False,
                "discountAsset": "BNB",
                "discount": number(Decimal(0)),
            },
        }

    def key_rights(self, account: str, params: Params) -> Any:
        """Return what the key may do."""
        return {
            "ipRestrict": False,
            "createTime": self.market.now,
            "enableReading": True,
            "enableWithdrawals": self.market.customer(account).withdraws,
            "enableInternalTransfer": False,
            "enableMargin": False,
            "enableFutures": False,
            "permitsUniversalTransfer": False,
            "enableVanillaOptions": False,
            "enableFixApiTrade": False,
            "enableFixReadOnly": False,
            "enableSpotAndMarginTrading": True,
            "enablePortfolioMarginTrading": False,
        }

    def coins(self, account: str, params: Params) -> Any:
        """Return the currencies, with nothing that can be deposited or withdrawn."""
        lines = self.market.lines.values()
        names = dict.fromkeys(name for line in lines for name in (line.instrument.base, line.instrument.quote))
        held = self.market.exchange.balances(account)
        nothing = Balance("", Decimal(0), Decimal(0))
        return [
            {
                "coin": name,
                "name": name,
                "depositAllEnable": False,
                "withdrawAllEnable": False,
                "free": number(held.get(name, nothing).free),
                "locked": number(held.get(name, nothing).locked),
                "freeze": "0",
                "ipoable": "0",
                "ipoing": "0",
                "isLegalMoney": False,
                "storage": "0",
                "trading": True,
                "withdrawing": "0",
                "networkList": [],
            }
            for name in names
        ]

    def no_pairs(self, account: str, params: Params) -> Any:
        """Return the pairs that are traded on margin: none."""
        return []

    # -- listen keys --------------------------------------------------------------------------------------------------

    def new_listen_key(self, account: str, params: Params) -> Any:
        """Return the account's listen key, its time beginning anew."""
        now = self._counting_ms()
        for key, one in self.listen_keys.items():
            if one.account == account and one.until > now:
                one.until = now + _KEY_LIVES_MS
                return {"listenKey": key}
        key = hashlib.sha256(f"{account} {self.market.now} {len(self.listen_keys)}".encode()).hexdigest()[:60]
        self.listen_keys[key] = ListenKey(account, now + _KEY_LIVES_MS)
        return {"listenKey": key}

    def keep_listen_key(self, account: str, params: Params) -> Any:
        """Let a listen key's time begin anew."""
        self._listen_key(account, params).until = self._counting_ms() + _KEY_LIVES_MS
        return {}

    def close_listen_key(self, account: str, params: Params) -> Any:
        """Let a listen key run out."""
        self._listen_key(account, params).until = self._counting_ms()
        return {}

    def listener(self, key: str) -> str | None:
        """Return the account that a listen key opens, None if it is none or has run out."""
        found = self.listen_keys.get(key)
        return found.account if found is not None and found.until > self._counting_ms() else None

    def _listen_key(self, account: str, params: Params) -> ListenKey:
        found = self.listen_keys.get(needed(params, "listenKey"))
        if found is None or found.account != account or found.until <= self._counting_ms():
            raise Refused(-1125, "This listenKey does not exist.")
        return found

    # -- shared -------------------------------------------------------------------------------------------------------

    def _find(self, account: str, params: Params) -> Placed:
        return self.desk.find(account, params, code=-2013, names=("orderId", "origClientOrderId"))

    def _symbol(self, params: Params) -> str | None:
        name = params.get("symbol")
        return self.market.line(name).instrument.symbol if name else None

    def _placed_list(self, one: OrderList) -> Any:
        return one.told() | {"orderReports": [leg.answered("RESULT") for leg in one.legs]}

    def _list_of(self, account: str, order: Placed) -> Any:
        one = self.desk.find_list(account, {"orderListId": str(order.list_id)}, "listClientOrderId", code=-2011)
        return one.told(now=self.market.now) | {"orderReports": [leg.cancelled() for leg in one.legs]}

    def _rates(self) -> dict[str, Decimal]:
        costs = self.market.costs
        maker, taker = (Decimal(str(bps)) / 10_000 for bps in (costs.maker_fee_bps, costs.taker_fee_bps))
        return {"maker": maker, "taker": taker, "buyer": Decimal(0), "seller": Decimal(0)}


def _texts(rates: Mapping[str, Decimal]) -> dict[str, str]:
    return {name: number(rate) for name, rate in rates.items()}


def _span(params: Params) -> tuple[int | None, int | None]:
    """Return the times (ms) between which is asked; raise `Refused` for more than a day."""
    since, until = whole(params, "startTime"), whole(params, "endTime")
    if since is not None and until is not None and until - since > DAY_MS:
        raise Refused(-1127, "More than 24 hours between startTime and endTime.")
    return since, until


def _limit(params: Params) -> int:
    limit = whole(params, "limit")
    return max(1, min(_PAGE if limit is None else limit, _LONGEST_PAGE))
