"""ccxt's unified answers as the domain's reports. Numbers arrive as text and become `Decimal` without a detour."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from cambist.adapters.venues.ccxt.quirks import Quirks
from cambist.domain.order import Liquidity, OrderType, Side
from cambist.domain.report import Balance, FillReport, OrderReport, Status

_STATUS = {
    "open": Status.OPEN,
    "canceling": Status.OPEN,
    "closed": Status.FILLED,
    "canceled": Status.CANCELLED,
    "expired": Status.EXPIRED,
    "rejected": Status.REFUSED,
}
_RAW_IDS = ("clientOrderId", "orderLinkId", "clOrdId", "cl_ord_id", "clientOid", "client_order_id")


def order_report(quirks: Quirks, order: Mapping[str, Any], now_ms: int) -> OrderReport:
    """Return ccxt's unified ``order`` as a report; ``now_ms`` is its time where the venue states none."""
    order = _mended(quirks, order)
    filled = number(order.get("filled")) or Decimal(0)
    quantity = number(order.get("amount"))
    trigger = number(order.get("triggerPrice") or order.get("stopLossPrice") or order.get("takeProfitPrice"))
    ts = order.get("lastUpdateTimestamp") or order.get("lastTradeTimestamp") or order.get("timestamp") or now_ms
    return OrderReport(
        client_id=client_id_of(quirks, order),
        symbol=order.get("symbol") or "",
        status=_status(order.get("status"), filled, quantity),
        filled=filled,
        ts=int(ts),
        venue_id=str(order.get("id") or ""),
        side=Side(order["side"]) if order.get("side") in ("buy", "sell") else None,
        type=_type(order, trigger),
        quantity=quantity,
        price=number(order.get("price")),
        trigger=trigger,
    )


def says_all(order: Mapping[str, Any]) -> bool:
    """Whether ``order`` states both its status and how much of it has filled."""
    return order.get("status") is not None and order.get("filled") is not None


def fill_report(quirks: Quirks, trade: Mapping[str, Any], client_id: str) -> FillReport:
    """Return ccxt's unified ``trade`` of our own as a report."""
    fee = trade.get("fee") or next(iter(trade.get("fees") or ()), None) or {}
    quote = str(trade["symbol"]).split("/", 1)[-1].split(":", 1)[0]
    return FillReport(
        trade_id=str(trade["id"]),
        client_id=client_id,
        symbol=trade["symbol"],
        side=Side(trade["side"]),
        ts=int(trade["timestamp"]),
        price=Decimal(trade["price"]),
        quantity=Decimal(trade["amount"]),
        fee=-Decimal(gain) if (gain := _raw(trade, quirks.gain_field)) else number(fee.get("cost")) or Decimal(0),
        fee_asset=_raw(trade, quirks.fee_asset_field)
        or (fee.get("currency") if quirks.fee_asset_told else None)
        or quote,
        liquidity=Liquidity.MAKER if trade.get("takerOrMaker") == "maker" else Liquidity.TAKER,
        venue_id=str(trade.get("order") or ""),
    )


def balances(answer: Mapping[str, Any]) -> dict[str, Balance]:
    """Return ccxt's unified balance by asset, without what is empty."""
    found = {}
    for asset in answer.get("total") or {}:
        free, used = number(answer["free"].get(asset)), number(answer["used"].get(asset))
        total = number(answer["total"].get(asset))
        if free is None:
            free = (total or Decimal(0)) - (used or Decimal(0))
        locked = used if used is not None else (free if total is None else total) - free
        if free or locked:
            found[asset] = Balance(asset, free, locked)
    return found


def client_id_of(quirks: Quirks, order: Mapping[str, Any]) -> str:
    """Return the id that whoever placed ``order`` (or its fill) gave it; empty if the answer does not say."""
    order = _mended(quirks, order)
    if order.get("clientOrderId"):
        return str(order["clientOrderId"])
    raw = order.get("info")
    if not isinstance(raw, Mapping):
        return ""
    return _first(raw, (*quirks.other_ids, *_RAW_IDS))


def number(text: Any) -> Decimal | None:
    """Return the number that ``text`` writes, None for None. A float would be a lapse of ours: it raises TypeError."""
    if text is None:
        return None
    if isinstance(text, float):
        raise TypeError(text)
    return Decimal(text)


def _mended(quirks: Quirks, order: Mapping[str, Any]) -> Mapping[str, Any]:
    return order if quirks.mended is None else quirks.mended(order)


def _raw(trade: Mapping[str, Any], name: str) -> str:
    raw = trade.get("info")
    return _first(raw, (name,)) if isinstance(raw, Mapping) else ""


def _first(raw: Mapping[str, Any], names: Iterable[str]) -> str:
    return next((str(raw[name]) for name in names if raw.get(name)), "")


def _status(word: str | None, filled: Decimal, quantity: Decimal | None) -> Status:
    status = _STATUS.get(word or "open", Status.OPEN)
    if status is Status.OPEN and filled:
        return Status.PARTLY_FILLED
    if status is Status.FILLED and quantity is not None and filled < quantity:
        return Status.CANCELLED  # ccxt calls "closed" what ended partly filled
    if status is Status.REFUSED and filled:
        return Status.CANCELLED  # Bybit calls "PartiallyFilledRejected" what ended partly filled
    return status


def _type(order: Mapping[str, Any], trigger: Decimal | None) -> OrderType | None:
    raw = order.get("info") if isinstance(order.get("info"), Mapping) else {}
    words = f"{order.get('type')} {(raw or {}).get('type')}".lower().replace("-", "_")
    if "take_profit" in words or (trigger is not None and order.get("takeProfitPrice")):
        return OrderType.TAKE_PROFIT
    if "stop" in words or trigger is not None:
        return OrderType.STOP
    kind = order.get("type")
    return OrderType(kind) if kind in ("market", "limit") else None
