"""Where each question is asked, what it weighs, and who may ask it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from cambist.simulators.binance import weights
from cambist.simulators.binance.rest_public import PublicAnswers
from cambist.simulators.binance.rest_signed import SignedAnswers


class Who(Enum):
    """Who may ask."""

    ANYONE = "anyone"
    KEY = "key"
    """Who names a known API key."""
    SIGNED = "signed"
    """Who signs with its secret."""


@dataclass(frozen=True, slots=True)
class Route:
    """One question: how to answer it (a function of parameters, or of account and parameters), and its weight."""

    answer: Callable[..., Any]
    weight: weights.Weight
    who: Who = Who.ANYONE
    orders: int = 0
    """How many orders it counts as."""


def public(answers: PublicAnswers) -> dict[str, Route]:
    """Return the public questions by method and path."""
    return {
        "GET /api/v3/ping": Route(answers.ping, weights.PING),
        "GET /api/v3/time": Route(answers.time, weights.PING),
        "GET /api/v3/exchangeInfo": Route(answers.exchange_info, weights.INFO),
        "GET /api/v3/klines": Route(answers.klines, weights.CANDLES),
        "GET /api/v3/uiKlines": Route(answers.klines, weights.CANDLES),
        "GET /api/v3/trades": Route(answers.trades, weights.TRADES),
        "GET /api/v3/historicalTrades": Route(answers.historical_trades, weights.TRADES),
        "GET /api/v3/aggTrades": Route(answers.agg_trades, weights.ORDER),
        "GET /api/v3/depth": Route(answers.depth, weights.DEPTH),
        "GET /api/v3/avgPrice": Route(answers.average, weights.CANDLES),
        "GET /api/v3/ticker/24hr": Route(answers.day, weights.DAY),
        "GET /api/v3/ticker/price": Route(answers.price, weights.PRICE),
        "GET /api/v3/ticker/bookTicker": Route(answers.book_ticker, weights.PRICE),
        "GET /fapi/v1/exchangeInfo": Route(answers.no_markets, 1),
        "GET /dapi/v1/exchangeInfo": Route(answers.no_markets, 1),
    }


def signed(answers: SignedAnswers) -> dict[str, Route]:
    """Return the questions of an account by method and path."""
    key, sign = Who.KEY, Who.SIGNED
    return {
        "POST /api/v3/order": Route(answers.new_order, 1, sign, orders=1),
        "POST /api/v3/order/test": Route(answers.test_order, 1, sign),
        "GET /api/v3/order": Route(answers.order, weights.ORDER, sign),
        "DELETE /api/v3/order": Route(answers.cancel_order, 1, sign),
        "POST /api/v3/order/cancelReplace": Route(answers.cancel_replace, 1, sign, orders=1),
        "GET /api/v3/openOrders": Route(answers.open_orders, weights.OPEN_ORDERS, sign),
        "DELETE /api/v3/openOrders": Route(answers.cancel_all, 1, sign),
        "GET /api/v3/allOrders": Route(answers.all_orders, weights.ACCOUNT, sign),
        "GET /api/v3/myTrades": Route(answers.my_trades, weights.ACCOUNT, sign),
        "POST /api/v3/orderList/oco": Route(answers.new_list, 1, sign, orders=2),
        "POST /api/v3/order/oco": Route(answers.new_old_list, 1, sign, orders=2),
        "GET /api/v3/orderList": Route(answers.order_list, weights.ORDER, sign),
        "DELETE /api/v3/orderList": Route(answers.cancel_list, 1, sign),
        "GET /api/v3/allOrderList": Route(answers.all_lists, weights.ACCOUNT, sign),
        "GET /api/v3/openOrderList": Route(answers.open_lists, 6, sign),
        "GET /api/v3/account": Route(answers.account, weights.ACCOUNT, sign),
        "GET /api/v3/account/commission": Route(answers.commission, weights.ACCOUNT, sign),
        "GET /sapi/v1/account/apiRestrictions": Route(answers.key_rights, 1, sign),
        "GET /sapi/v1/capital/config/getall": Route(answers.coins, 10, sign),
        "GET /sapi/v1/margin/allPairs": Route(answers.no_pairs, 1, key),
        "GET /sapi/v1/margin/isolated/allPairs": Route(answers.no_pairs, 10, key),
        "POST /api/v3/userDataStream": Route(answers.new_listen_key, 2, key),
        "PUT /api/v3/userDataStream": Route(answers.keep_listen_key, 2, key),
        "DELETE /api/v3/userDataStream": Route(answers.close_listen_key, 2, key),
    }


METHODS = {
    "ping": "GET /api/v3/ping",
    "time": "GET /api/v3/time",
    "exchangeInfo": "GET /api/v3/exchangeInfo",
    "depth": "GET /api/v3/depth",
    "klines": "GET /api/v3/klines",
    "trades.recent": "GET /api/v3/trades",
    "trades.historical": "GET /api/v3/historicalTrades",
    "trades.aggregate": "GET /api/v3/aggTrades",
    "avgPrice": "GET /api/v3/avgPrice",
    "ticker.24hr": "GET /api/v3/ticker/24hr",
    "ticker.price": "GET /api/v3/ticker/price",
    "ticker.book": "GET /api/v3/ticker/bookTicker",
    "order.place": "POST /api/v3/order",
    "order.test": "POST /api/v3/order/test",
    "order.status": "GET /api/v3/order",
    "order.cancel": "DELETE /api/v3/order",
    "order.cancelReplace": "POST /api/v3/order/cancelReplace",
    "openOrders.status": "GET /api/v3/openOrders",
    "openOrders.cancelAll": "DELETE /api/v3/openOrders",
    "allOrders": "GET /api/v3/allOrders",
    "myTrades": "GET /api/v3/myTrades",
    "orderList.place.oco": "POST /api/v3/orderList/oco",
    "orderList.status": "GET /api/v3/orderList",
    "orderList.cancel": "DELETE /api/v3/orderList",
    "openOrderLists.status": "GET /api/v3/openOrderList",
    "account.status": "GET /api/v3/account",
    "account.commission": "GET /api/v3/account/commission",
}
"""The same questions by their names in the WebSocket API."""
