"""What an account's sockets are told: the messages of the channels ``executions`` and ``balances``.

Terms are told once, when an order is announced; what follows names the order and says what changed.
"""

from decimal import Decimal
from typing import Any

from cambist.domain.order import Liquidity
from cambist.domain.report import Balance
from cambist.simulators.kraken.orders import ZERO, Done, Placed
from cambist.simulators.kraken.shapes import moment


def pending(order: Placed, kind: str = "pending_new") -> dict[str, Any]:
    """Return the announcement of an order with all its terms."""
    terms: dict[str, Any] = {
        "order_id": order.id,
        "symbol": order.symbol,
        "order_qty": order.quantity,
        "cum_cost": order.cost,
        "time_in_force": order.time_in_force,
        "exec_type": kind,
        "side": order.side.value,
        "order_type": order.type,
        **_ids(order),
        "limit_price_type": "static",
        "limit_price": order.price or ZERO,
        "stop_price": order.trigger or ZERO,
        "order_status": kind,
        "fee_usd_equiv": order.fee,
        "fee_ccy_pref": "fciq",
        "timestamp": moment(order.updated),
    }
    if order.trigger is not None:
        terms["triggers"] = {
            "price": order.trigger,
            "price_type": "static",
            "reference": "last",
            "status": "untriggered",
        }
    return terms


def waiting(order: Placed) -> dict[str, Any]:
    """Return an open order as the snapshot tells it."""
    status = "partially_filled" if order.filled else "new"
    return {**pending(order, "new"), "order_status": status, "cum_qty": order.filled, "avg_price": order.mean}


def new(order: Placed) -> dict[str, Any]:
    """Return the message that an order is live."""
    return {"timestamp": moment(order.updated), "order_status": "new", "exec_type": "new", **_named(order)}


def amended(order: Placed) -> dict[str, Any]:
    """Return the message that the terms of an order have changed."""
    return {
        "timestamp": moment(order.updated),
        "exec_type": "amended",
        "order_status": "partially_filled" if order.filled else "new",
        "cum_qty": order.filled,
        "reason": "User requested",
        "amended": True,
        "order_qty": order.quantity,
        **({"limit_price": order.price} if order.trigger is None else {"stop_price": order.trigger}),
        **_named(order),
    }


def trade(order: Placed, done: Done, status: str) -> dict[str, Any]:
    """Return the message about a fill."""
    fill = done.fill
    return {
        **_named(order),
        "exec_id": done.id,
        "exec_type": "trade",
        "trade_id": int(fill.trade_id),
        "symbol": order.symbol,
        "side": order.side.value,
        "last_qty": fill.quantity,
        "last_price": fill.price,
        "liquidity_ind": "m" if fill.liquidity is Liquidity.MAKER else "t",
        "cost": fill.quantity * fill.price,
        "order_status": status,
        "order_type": order.type,
        "timestamp": moment(fill.ts),
        "fee_usd_equiv": fill.fee,
        "fees": [{"asset": fill.fee_asset, "qty": fill.fee}],
    }


def ended(order: Placed, status: str) -> dict[str, Any]:
    """Return the message that an order is over."""
    why = {} if order.reason is None else {"cancel_reason": order.reason, "reason": order.reason}
    return {
        "timestamp": moment(order.updated),
        "order_status": status,
        "exec_type": status,
        "cum_qty": order.filled,
        "cum_cost": order.cost,
        "fee_usd_equiv": order.fee,
        "avg_price": order.mean,
        **why,
        **_named(order),
    }


def ledger(name: str, balance: Balance, amount: Decimal, fee: Decimal, now: int) -> dict[str, Any]:
    """Return the message about a change of a balance: ``amount`` came (negative: went), less ``fee``."""
    return {
        "ledger_id": name,
        "ref_id": name,
        "timestamp": moment(now),
        "type": "trade",
        "asset": balance.asset,
        "asset_class": "currency",
        "category": "trade",
        "wallet_type": "spot",
        "wallet_id": "main",
        "amount": amount,
        "fee": fee,
        "balance": balance.total,
    }


def holding(balance: Balance) -> dict[str, Any]:
    """Return a balance as the snapshot tells it."""
    wallet = {"type": "spot", "id": "main", "balance": balance.total}
    return {"asset": balance.asset, "asset_class": "currency", "balance": balance.total, "wallets": [wallet]}


def _named(order: Placed) -> dict[str, Any]:
    return {**_ids(order), "order_id": order.id}


def _ids(order: Placed) -> dict[str, Any]:
    return {"cl_ord_id": order.client_id} if order.client_id else {"order_userref": order.user_reference or 0}
