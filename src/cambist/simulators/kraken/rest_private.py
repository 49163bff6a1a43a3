"""What only the owner of an account may ask: orders, fills, balances, tokens for the sockets."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cambist.simulators.kraken.desk import Desk
from cambist.simulators.kraken.market import Market
from cambist.simulators.kraken.names import asset_id, pair_id
from cambist.simulators.kraken.orders import Params, Placed, user_reference
from cambist.simulators.kraken.refusals import Refused, invalid
from cambist.simulators.kraken.rest_public import whole
from cambist.simulators.kraken.shapes import padded, plain

_PAGE, _ASKED = 50, 50
_BATCH = (2, 15)
_TOKEN_S = 900
_DIGITS = 10


@dataclass(slots=True)
class Token:
    """What opens an account's sockets until it runs out."""

    account: str
    until: int


class PrivateAnswers:
    """Answers an account's requests; each method takes the account's name and the request's parameters."""

    def __init__(self, market: Market, desk: Desk) -> None:
        self.market = market
        self.desk = desk
        self.tokens: dict[str, Token] = {}

    # -- orders -------------------------------------------------------------------------------------------------------

    def add_order(self, account: str, params: Params) -> Any:
        """Place an order."""
        return self._placed(self.desk.place(account, params))

    def add_batch(self, account: str, params: Params) -> Any:
        """Place several orders on one pair; each is taken or refused by itself."""
        told = []
        for wish in _listed(params, "orders", _BATCH):
            try:
                one = self._placed(self.desk.place(account, {**_texts(wish), "pair": params.get("pair", "")}))
                told.append({"txid": one["txid"][0], "descr": one["descr"]} if "txid" in one else one)
            except Refused as refused:
                told.append({"error": str(refused)})
        return {"orders": told}

    def cancel_order(self, account: str, params: Params) -> Any:
        """Take an order back, or all that bear one number of the user's."""
        return {"count": self._cancelled(self.desk.named(account, params))}

    def cancel_batch(self, account: str, params: Params) -> Any:
        """Take several orders back, by their names or the user's numbers."""
        names = [{"txid": str(name)} for name in _listed(params, "orders", (1, _ASKED))]
        return {"count": self._cancelled(order for name in names for order in self.desk.named(account, name))}

    def cancel_all(self, account: str, params: Params) -> Any:
        """Take all orders back."""
        return {"count": self._cancelled(self.desk.open_orders(account))}

    def amend_order(self, account: str, params: Params) -> Any:
        """Change the terms of an order."""
        return {"amend_id": self.desk.amend(account, params)[1]}

    def open_orders(self, account: str, params: Params) -> Any:
        """Return the orders that are not over."""
        with_trades = _is_true(params, "trades")
        found = _meant(self.desk.open_orders(account), params)
        return {"open": {one.id: one.told(with_trades=with_trades) for one in found}}

    def closed_orders(self, account: str, params: Params) -> Any:
        """Return the orders that are over, the newest first, a page of them."""
        since, until = _span(params)
        found = [
            one for one in _meant(self.desk.orders(account), params) if one.over and since < one.updated / 1000 <= until
        ]
        found.sort(key=lambda one: one.updated, reverse=True)
        first, with_trades = whole(params, "ofs", 0), _is_true(params, "trades")
        page = found[first : first + _PAGE]
        return {"closed": {one.id: one.told(with_trades=with_trades) for one in page}, "count": len(found)}

    def query_orders(self, account: str, params: Params) -> Any:
        """Return the orders that are asked for by name."""
        names, with_trades = _names(params), _is_true(params, "trades")
        found = _meant((one for one in self.desk.orders(account) if one.id in names), params)
        return {one.id: one.told(with_trades=with_trades) for one in found}

    # -- fills --------------------------------------------------------------------------------------------------------

    def trades_history(self, account: str, params: Params) -> Any:
        """Return fills, the newest first, a page of them."""
        since, until = _span(params)
        found = [one for one in self.desk.fills(account) if since < one[1].fill.ts / 1000 <= until]
        first = whole(params, "ofs", 0)
        page = found[first : first + _PAGE]
        return {"trades": {done.id: order.trade(done) for order, done in page}, "count": len(found)}

    def query_trades(self, account: str, params: Params) -> Any:
        """Return the fills that are asked for by name."""
        names = _names(params)
        return {done.id: order.trade(done) for order, done in self.desk.fills(account) if done.id in names}

    # -- the account --------------------------------------------------------------------------------------------------

    def balance(self, account: str, params: Params) -> Any:
        """Return what the account holds."""
        held = self.market.exchange.balances(account).values()
        return {asset_id(one.asset): padded(one.total * self.market.lie, _DIGITS) for one in held}

    def balance_ex(self, account: str, params: Params) -> Any:
        """Return what the account holds, and what its orders lock of it."""
        held = self.market.exchange.balances(account).values()
        return {
            asset_id(one.asset): {
                "balance": padded(one.total * self.market.lie, _DIGITS),
                "hold_trade": padded(one.locked * self.market.lie, _DIGITS),
            }
            for one in held
        }

    def trade_volume(self, account: str, params: Params) -> Any:
        """Return the fees on pairs."""
        costs = self.market.costs
        pairs = [
            pair_id(self.market.line(name).instrument.symbol) for name in params.get("pair", "").split(",") if name
        ]

        def told(bps: float) -> dict[str, Any]:
            rate = f"{bps / 100:.4f}"
            return {"fee": rate, "minfee": rate, "maxfee": rate, "nextfee": None, "tiervolume": "0.0000"}

        return {
            "currency": "ZUSD",
            "volume": "0.0000",
            "fees": {pair: told(costs.taker_fee_bps) for pair in pairs},
            "fees_maker": {pair: told(costs.maker_fee_bps) for pair in pairs},
        }

    def key_info(self, account: str, params: Params) -> Any:
        """Return what the key is and may do."""
        customer, now_s = self.market.customer(account), self.market.now // 1000
        may = ["query-funds", "query-open-trades", "query-closed-trades", "modify-trades", "close-trades"]
        return {
            "apiKeyName": account,
            "apiKey": customer.key,
            "nonce": params["nonce"],
            "nonceWindow": 0,
            "permissions": [*may, "withdraw-funds"] if customer.withdraws else may,
            "iban": "",
            "validUntil": "0",
            "queryFrom": "0",
            "queryTo": "0",
            "createdTime": str(now_s),
            "modifiedTime": str(now_s),
            "ipAllowlist": [],
            "lastUsed": str(now_s),
        }

    def token(self, account: str, params: Params) -> Any:
        """Return a token for the sockets."""
        name = hashlib.sha256(f"{account} {self.market.now} {len(self.tokens)}".encode()).hexdigest()[:43]
        self.tokens[name] = Token(account, self.market.now + _TOKEN_S * 1000)
        return {"token": name, "expires": _TOKEN_S}

    def bearer(self, token: str) -> str | None:
        """Return the account that a token opens, None if it is none or has run out."""
        found = self.tokens.get(token)
        return found.account if found is not None and found.until > self.market.now else None

    # -- shared -------------------------------------------------------------------------------------------------------

    def _placed(self, order: Placed) -> dict[str, Any]:
        told: dict[str, Any] = {"descr": {"order": order.sentence()}}
        return {**told, "txid": [order.id]} if order.id else told

    def _cancelled(self, orders: Iterable[Placed]) -> int:
        count = 0
        for order in list(orders):
            self.desk.cancel(order)
            count += 1
        return count


def _meant(orders: Iterable[Placed], params: Params) -> list[Placed]:
    """Return those of ``orders`` that bear the client id or the user's number asked for."""
    name, number = params.get("cl_ord_id"), user_reference(params)
    return [
        one
        for one in orders
        if (not name or one.client_id == name) and (number is None or one.user_reference == number)
    ]


def _names(params: Params) -> set[str]:
    names = {name.strip() for name in params.get("txid", "").split(",") if name.strip()}
    if not names or len(names) > _ASKED:
        raise invalid("txid")
    return names


def _span(params: Params) -> tuple[float, float]:
    """Return the times (seconds) between which is asked: after the first, up to the second."""
    try:
        return float(params.get("start") or 0), float(params.get("end") or "inf")
    except ValueError:
        raise invalid("start") from None


def _listed(params: Params, name: str, counts: tuple[int, int]) -> list[Any]:
    try:
        found = json.loads(params.get(name, ""), parse_float=Decimal)
    except ValueError:
        found = None
    if not isinstance(found, list) or not counts[0] <= len(found) <= counts[1]:
        raise invalid(name)
    return found


def _texts(wish: Any) -> dict[str, str]:
    if not isinstance(wish, dict):
        raise invalid("orders")
    return {str(name): plain(value) for name, value in wish.items()}


def _is_true(params: Params, name: str) -> bool:
    return params.get(name, "").lower() == "true"
