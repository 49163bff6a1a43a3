"""The rules of a market as Binance states them, and what it says of an order that breaks one."""

from decimal import Decimal
from typing import Any

from cambist.domain.instrument import Instrument
from cambist.domain.order import Side
from cambist.simulators.binance.refusals import Refused

MAX_ORDERS, MAX_STOPS = 200, 20
_HIGHEST_PRICE, _LARGEST, _LARGEST_AT_MARKET, _DEAREST = (Decimal(text) for text in ("1e6", "9e6", "1e5", "9e6"))
_UP, _DOWN = Decimal(5), Decimal("0.2")
"""How far from the last price an order may lie."""


def filters(instrument: Instrument) -> list[dict[str, Any]]:
    """Return the filters of a market."""
    tick, step = format(instrument.tick_size, "f"), format(instrument.lot_step, "f")
    least, none = format(least_quantity(instrument), "f"), "0.00000000"
    return [
        {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": _text(_HIGHEST_PRICE), "tickSize": tick},
        {"filterType": "LOT_SIZE", "minQty": least, "maxQty": _text(_LARGEST), "stepSize": step},
        {"filterType": "MARKET_LOT_SIZE", "minQty": none, "maxQty": _text(_LARGEST_AT_MARKET), "stepSize": none},
        {
            "filterType": "PERCENT_PRICE_BY_SIDE",
            "bidMultiplierUp": str(_UP),
            "bidMultiplierDown": str(_DOWN),
            "askMultiplierUp": str(_UP),
            "askMultiplierDown": str(_DOWN),
            "avgPriceMins": 5,
        },
        {
            "filterType": "NOTIONAL",
            "minNotional": format(instrument.min_notional, "f"),
            "applyMinToMarket": True,
            "maxNotional": _text(_DEAREST),
            "applyMaxToMarket": False,
            "avgPriceMins": 5,
        },
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": MAX_ORDERS},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": MAX_STOPS},
    ]


def least_quantity(instrument: Instrument) -> Decimal:
    """Return the smallest quantity that may be ordered."""
    return max(instrument.min_quantity, instrument.lot_step)


def check_price(instrument: Instrument, side: Side, price: Decimal, last: Decimal | None) -> None:
    """Raise `Refused` for a price that breaks PRICE_FILTER or PERCENT_PRICE_BY_SIDE."""
    if not instrument.tick_size <= price <= _HIGHEST_PRICE or price % instrument.tick_size:
        raise broken("PRICE_FILTER")
    if last is not None and not last * _DOWN <= price <= last * _UP:
        raise broken("PERCENT_PRICE_BY_SIDE")


def check_quantity(instrument: Instrument, quantity: Decimal, *, at_market: bool) -> None:
    """Raise `Refused` for a quantity that breaks LOT_SIZE or MARKET_LOT_SIZE."""
    if not least_quantity(instrument) <= quantity <= _LARGEST or quantity % instrument.lot_step:
        raise broken("LOT_SIZE")
    if at_market and quantity > _LARGEST_AT_MARKET:
        raise broken("MARKET_LOT_SIZE")


def check_notional(instrument: Instrument, notional: Decimal, *, at_market: bool) -> None:
    """Raise `Refused` for an order worth too little, or too much."""
    if notional < instrument.min_notional or (notional > _DEAREST and not at_market):
        raise broken("NOTIONAL")


def check_count(orders: int, stops: int, *, stop: bool) -> None:
    """Raise `Refused` for one order too many, with ``orders`` open on the market and ``stops`` among them."""
    if orders >= MAX_ORDERS:
        raise broken("MAX_NUM_ORDERS")
    if stop and stops >= MAX_STOPS:
        raise broken("MAX_NUM_ALGO_ORDERS")


def broken(name: str) -> Refused:
    """Return the refusal of an order that breaks the filter ``name``."""
    return Refused(-1013, f"Filter failure: {name}")


def _text(value: Decimal) -> str:
    return f"{value:.8f}"
