"""A venue's rules for one symbol, out of ccxt's description of the market."""

from decimal import Decimal
from typing import Any

from cambist.domain.errors import VenueRefused
from cambist.domain.instrument import Instrument, Kind

# ccxt's precision modes
_DECIMAL_PLACES, _TICK_SIZE = 2, 4

_FREE_STEP = Decimal("1e-8")  # where a venue states no step: finer than any that we met


def instrument_of(venue: str, market: dict[str, Any], precision_mode: int) -> Instrument:
    """Return the `Instrument` that ccxt's ``market`` describes; amounts come out in base currency, fees in bps.

    ``assumed`` is set where the venue states no steps that hold for every order: prices counted in significant
    digits, or contracts whose size is in quote currency. Raises `VenueRefused` for what is neither spot nor perpetual.
    """
    if not (market["spot"] or market["swap"]):
        raise VenueRefused("venue.kind", venue=venue, symbol=market["symbol"], kind=market["type"])
    tick = _step(market["precision"].get("price"), precision_mode)
    lot = _step(market["precision"].get("amount"), precision_mode)
    per_contract = _per_contract(market)
    limits = market["limits"]
    return Instrument(
        venue=venue,
        symbol=market["symbol"],
        kind=Kind.SPOT if market["spot"] else Kind.PERPETUAL,
        tick_size=tick or _FREE_STEP,
        lot_step=lot * per_contract if lot and per_contract else _FREE_STEP,
        min_notional=_number(limits["cost"].get("min")) or Decimal(0),
        min_quantity=(_number(limits["amount"].get("min")) or Decimal(0)) * (per_contract or 0),
        maker_fee_bps=_bps(market.get("maker")),
        taker_fee_bps=_bps(market.get("taker")),
        assumed=not (tick and lot and per_contract),
    )


def _per_contract(market: dict[str, Any]) -> Decimal | None:
    """Return how much base currency one unit of ccxt's amounts is; None where it depends on the price."""
    if market["spot"]:
        return Decimal(1)
    return None if market.get("inverse") else _number(market.get("contractSize")) or Decimal(1)


def _step(precision: Any, mode: int) -> Decimal | None:
    number = _number(precision)
    if number is None or mode not in (_DECIMAL_PLACES, _TICK_SIZE):
        return None
    return number if mode == _TICK_SIZE else Decimal(1).scaleb(-int(number))


def _bps(fee: Any) -> Decimal | None:
    number = _number(fee)
    return None if number is None else (number * 10_000).normalize() + 0


def _number(text: Any) -> Decimal | None:
    # text from the venue; float only where ccxt itself states a number, whose repr is what its authors wrote
    return None if text is None else Decimal(str(text)).normalize() + 0
