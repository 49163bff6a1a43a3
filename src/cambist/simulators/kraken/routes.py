"""Where each question is asked, what it costs, and whether it must be signed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cambist.simulators.kraken.rest_private import PrivateAnswers
from cambist.simulators.kraken.rest_public import PublicAnswers


@dataclass(frozen=True, slots=True)
class Route:
    """One question: how to answer it (a function of parameters, or of account and parameters)."""

    answer: Callable[..., Any]
    signed: bool = False
    points: int = 0
    """What it adds to the counter of calls."""


def public(answers: PublicAnswers) -> dict[str, Route]:
    """Return the public questions by path."""
    found = {
        "Time": answers.time,
        "SystemStatus": answers.status,
        "Assets": answers.assets,
        "AssetPairs": answers.pairs,
        "Ticker": answers.ticker,
        "OHLC": answers.candles,
        "Depth": answers.depth,
        "Trades": answers.trades,
    }
    return {f"/0/public/{name}": Route(answer) for name, answer in found.items()}


def private(answers: PrivateAnswers) -> dict[str, Route]:
    """Return the questions of an account by path."""
    found = {
        "AddOrder": (answers.add_order, 0),
        "AddOrderBatch": (answers.add_batch, 0),
        "CancelOrder": (answers.cancel_order, 0),
        "CancelOrderBatch": (answers.cancel_batch, 0),
        "CancelAll": (answers.cancel_all, 1),
        "AmendOrder": (answers.amend_order, 0),
        "OpenOrders": (answers.open_orders, 1),
        "ClosedOrders": (answers.closed_orders, 1),
        "QueryOrders": (answers.query_orders, 1),
        "TradesHistory": (answers.trades_history, 2),
        "QueryTrades": (answers.query_trades, 1),
        "Balance": (answers.balance, 1),
        "BalanceEx": (answers.balance_ex, 1),
        "TradeVolume": (answers.trade_volume, 1),
        "GetApiKeyInfo": (answers.key_info, 1),
        "GetWebSocketsToken": (answers.token, 1),
    }
    return {f"/0/private/{name}": Route(answer, True, points) for name, (answer, points) in found.items()}
