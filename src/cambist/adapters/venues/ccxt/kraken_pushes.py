"""What Kraken pushes, made whole for ccxt.

Kraken announces an order with all its terms and from then on tells only what changed, pair not included; ccxt takes
each message for itself, a list of them for what the first one is, and the user's number for our order id.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

_REMEMBERED = 5_000
_TERMS = ("symbol", "side", "order_type", "order_qty", "limit_price", "stop_price", "cl_ord_id", "order_userref")
_ENDS = ("filled", "canceled", "expired", "rejected")


class Pushes:
    """Turns the messages of one connection into messages that ccxt reads right."""

    def __init__(self) -> None:
        self._terms: OrderedDict[str, dict[str, Any]] = OrderedDict()

    def __call__(self, message: Any) -> Iterable[Any]:
        """Return what ccxt shall read in the place of ``message``; raise `ValueError` for a subscription refused."""
        if not isinstance(message, Mapping) or message.get("channel") in ("heartbeat", "status"):
            return ()  # they answer nothing
        if message.get("method") == "subscribe" and message.get("success") is False:
            raise ValueError(message.get("error"))  # ccxt would let its caller wait for ever
        if message.get("channel") != "executions":
            return (message,)
        return tuple({**message, "data": [self._whole(one)]} for one in message.get("data") or ())

    def _whole(self, event: Mapping[str, Any]) -> dict[str, Any]:
        name = str(event.get("order_id"))
        whole = {**self._terms.pop(name, {}), **event}
        if event.get("exec_type") not in _ENDS:
            self._terms[name] = {term: whole[term] for term in _TERMS if term in whole}
            if len(self._terms) > _REMEMBERED:
                self._terms.popitem(last=False)
        return whole


def mended(order: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return ccxt's unified ``order`` with our id, and with what Kraken's message says of its quantities."""
    raw = order.get("info")
    if not isinstance(raw, Mapping):
        return order
    ours = {**order, "clientOrderId": raw.get("cl_ord_id")}
    if "exec_type" not in raw:
        return ours
    # JSON numbers, which ccxt reads as floats: their shortest text is the one that was sent
    amounts = {name: None if raw.get(field) is None else str(raw[field]) for name, field in _AMOUNTS}
    return {**ours, **amounts, "triggerPrice": amounts["triggerPrice"] if raw.get("stop_price") else None}


_AMOUNTS = (("amount", "order_qty"), ("filled", "cum_qty"), ("triggerPrice", "stop_price"))
