"""What ccxt misreads of Binance, Bitget and OKX; Kraken's is in `kraken_pushes`. The rows of `quirks` name them."""

from collections.abc import Iterable, Mapping
from typing import Any


def binance_pushed(message: Any) -> Iterable[Any]:
    """Return what ccxt shall read in the place of ``message``; raise `ValueError` if Binance ends the stream."""
    event = message.get("event") if isinstance(message, Mapping) else None
    if isinstance(event, Mapping) and event.get("e") == "eventStreamTerminated":
        raise ValueError(event["e"])  # the socket stays open and says no more, and ccxt would wait for ever
    return (message,)


def bitget_mended(order: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return ccxt's ``order`` with all that has filled: of a pushed one, ccxt takes the last fill for that."""
    raw = order.get("info")
    return {**order, "filled": raw["accBaseVolume"]} if isinstance(raw, Mapping) and raw.get("accBaseVolume") else order


def okx_went_on_as(raw: Mapping[str, Any]) -> str:
    """Return the id of the order that a stop became when it triggered; empty if it did not.

    An "effective" stop only placed that order; ccxt takes it for filled whole, whatever became of it.
    """
    if raw.get("state") != "effective":
        return ""
    placed = raw.get("ordIdList") or [raw.get("ordId")]
    return str(placed[-1] or "")


def okx_mended(order: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return ccxt's ``order`` under the id of the stop that placed it, if one did, whatever id it was given since."""
    raw = order.get("info")
    stop = raw.get("algoClOrdId") if isinstance(raw, Mapping) else None
    return {**order, "clientOrderId": stop} if stop else order
