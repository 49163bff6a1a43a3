"""What people ask of an account that is in the loop: as JSON in a request, made into events; and what is answered.

Money that a request moves is moved once: the number of the request goes with its event, and an account passes over
those that it has acted on (`Account.first`). So a request whose answer was lost in a crash is simply done again.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from cambist.domain.errors import BadInput, CambistError, NotFound
from cambist.domain.event import (
    BreakerRearmed,
    HandAmended,
    HandCancelled,
    HandOrdered,
    Thawed,
    TradingChanged,
    Wished,
)
from cambist.domain.exact import amount
from cambist.domain.instrument import Instrument
from cambist.domain.order import OrderType, Side, TimeInForce
from cambist.domain.record import record
from cambist.domain.report import OrderReport
from cambist.domain.text import say
from cambist.domain.trading import TradingState
from cambist.domain.wire import to_text
from cambist.domain.wish import CancelEntries, Enter, Exit, Fraction, Notional, Quantity, Size, Wish
from cambist.engine.account import Outcome, Seat
from cambist.engine.hand import spendable
from cambist.engine.lane import Lane
from cambist.engine.live import Engine
from cambist.execution.orders import Working
from cambist.portfolio.ledger import held_asset
from cambist.portfolio.ticket import must_wait
from cambist.ports.book import Request

FRESH_MS = 5_000
"""A price that is older than this is asked for before somebody trades on it."""
_MOST_WISHES = 5


async def with_account(engine: Engine, lane: Lane, request: Request, params: dict[str, Any]) -> str:
    """Do what is asked of an account, and say what came of it; raise `BadInput` or `NotFound` if it cannot be."""
    now, name = engine.now_ms(), request.account
    match request.action:
        case "order" | "cancel" | "amend":
            return await _by_hand(engine, lane, request, params)
        case "offer":
            return to_text(Offer, await _offer(engine, lane, str(params.get("symbol"))))
        case "halt" | "reduce_only" | "activate":
            state = {"halt": TradingState.HALTED, "reduce_only": TradingState.REDUCE_ONLY}.get(request.action)
            flatten = bool(params.get("flatten"))
            may_reduce = flatten or bool(params.get("may_reduce", True))
            changed = TradingChanged(now, state or TradingState.ACTIVE, may_reduce=may_reduce, flatten=flatten)
            await engine.put(lane, changed)
        case "rearm":
            await engine.put(lane, BreakerRearmed(now))
        case "thaw":
            await engine.put(lane, Thawed(now, params["symbol"]))
        case "adopt":
            adopted = await engine.adopt(lane, params["symbol"])
            what = ", ".join(f"{one.asset} {one.amount:+f}" for one in adopted) or "-"
            return say("running.done.adopt", account=name, what=what)
        case "foreign":
            return "\n".join(map(_foreign, lane.foreign)) or say("running.no_foreign", account=name)
        case "cancel_foreign":
            await engine.cancel_foreign(lane, params["symbol"], params["order"])
        case _:
            raise BadInput("action", request.action, "running.no_action")
    return say(f"running.done.{request.action}", account=name)


async def wish(engine: Engine, lane: Lane, seat: Seat, request: Request, params: dict[str, Any]) -> str:
    """Let a bot wish what is asked, at the price of now."""
    wishes = wishes_of(params)
    price = await _price(engine, lane, seat.spec.symbol)
    event = Wished(engine.now_ms(), request.id, seat.spec.id, float(price), wishes)
    return _told(await engine.put(lane, event))


def wishes_of(params: Mapping[str, Any]) -> tuple[Wish, ...]:
    """Return the wishes in ``params``: ``{"wishes": [{"kind": "enter", "side": "buy", "quantity": "0.1"}]}``.

    ``kind`` is enter, exit or cancel. An entry has a ``side`` and one of ``quantity`` (base currency), ``notional``
    (quote currency) and ``fraction`` (of the bot's equity); ``limit`` is a price, ``stop_loss``, ``take_profit`` and
    ``trailing_stop`` are fractions of the entry price. Raises `BadInput` naming the field.
    """
    given = params.get("wishes")
    if not isinstance(given, Sequence) or isinstance(given, str) or not 1 <= len(given) <= _MOST_WISHES:
        raise BadInput("wishes", given, "request.wishes", most=_MOST_WISHES)
    return tuple(_wish(one) for one in given)


def enters(params: Mapping[str, Any]) -> bool:
    """Tell whether the wishes in ``params`` could open something."""
    return any(isinstance(wish, Enter) for wish in wishes_of(params))


def _wish(given: Any) -> Wish:
    kind = given.get("kind") if isinstance(given, Mapping) else None
    if kind == "exit":
        return Exit()
    if kind == "cancel":
        return CancelEntries()
    if kind != "enter":
        raise BadInput("kind", kind, "request.kind")
    sizes = [name for name in _SIZES if given.get(name) is not None]
    if len(sizes) != 1:
        raise BadInput("quantity", ", ".join(sizes), "request.one_size")
    size = _SIZES[sizes[0]](amount(sizes[0], given[sizes[0]]))
    guards: dict[str, Any] = {name: _fraction(name, given[name]) for name in _GUARDS if given.get(name) is not None}
    limit = None if given.get("limit") is None else float(amount("limit", given["limit"]))
    return Enter(side=_side(given.get("side")), size=size, limit=limit, **guards)


_SIZES: dict[str, Any] = {
    "quantity": Quantity,
    "notional": lambda size: Notional(float(size)),
    "fraction": lambda size: _whole_at_most(size),
}
_GUARDS = ("stop_loss", "take_profit", "trailing_stop")


def _whole_at_most(size: Decimal) -> Size:
    if size > 1:
        raise BadInput("fraction", f"{size:f}", "request.fraction")
    return Fraction(float(size))


def _fraction(field: str, value: Any) -> float:
    found = amount(field, str(value) if isinstance(value, float) else value)
    if found >= 1 and field != "take_profit":
        raise BadInput(field, value, "request.fraction")
    return float(found)


def _side(value: Any) -> Side:
    if value not in ("buy", "sell"):
        raise BadInput("side", value, "request.side")
    return Side(value)


@record(kw_only=True)
class Offer:
    """What somebody who wants to order by hand must know."""

    instrument: Instrument
    last: Decimal
    free_quote: Decimal
    free_base: Decimal


async def _offer(engine: Engine, lane: Lane, symbol: str) -> Offer:
    instrument = (await lane.venue.instruments([symbol]))[symbol]
    return Offer(
        instrument=instrument,
        last=await _price(engine, lane, symbol),
        free_quote=spendable(lane.account, instrument.quote),
        free_base=spendable(lane.account, held_asset(instrument)),
    )


# -- by hand ----------------------------------------------------------------------------------------------------------


async def _by_hand(engine: Engine, lane: Lane, request: Request, params: dict[str, Any]) -> str:
    if request.action == "order":
        symbol = str(params.get("symbol"))
        instrument = (await lane.venue.instruments([symbol]))[symbol]
        await _price(engine, lane, symbol)
        kind = params.get("type")
        if kind not in ("market", "limit", "stop"):
            raise BadInput("type", kind, "request.type")
        ordered = HandOrdered(
            ts=engine.now_ms(),
            request=request.id,
            instrument=instrument,
            side=_side(params.get("side")),
            type=OrderType(kind),
            quantity=amount("quantity", params.get("quantity")),
            price=amount("price", params.get("price")) if kind == "limit" else None,
            trigger=amount("trigger", params.get("trigger")) if kind == "stop" else None,
            time_in_force=TimeInForce(params.get("time_in_force", "gtc")),
            reduce_only=bool(params.get("reduce_only")),
        )
        return _told(await engine.put(lane, ordered))
    name = str(params.get("order"))
    one = lane.account.orders.get(name)
    seat = None if one is None else lane.account.seats[one.order.bot]
    if one is None or seat is None or not seat.by_hand:
        raise NotFound("request.no_order", order=name)
    if one.ended:
        raise NotFound("request.ended", order=name)
    if request.action == "cancel":
        await engine.put(lane, HandCancelled(engine.now_ms(), request.id, name))
        return say("request.cancelling", order=name)
    return await _amended(engine, lane, request, seat, one, params)


async def _amended(
    engine: Engine, lane: Lane, request: Request, seat: Seat, one: Working, params: dict[str, Any]
) -> str:
    name = one.request.client_id
    for field, kind in (("price", OrderType.LIMIT), ("trigger", OrderType.STOP)):
        if params.get(field) is not None and one.order.type is not kind:
            raise BadInput(field, params[field], "request.no_such_level")
    price = amount("price", params["price"]) if params.get("price") is not None else one.order.price
    trigger = amount("trigger", params["trigger"]) if params.get("trigger") is not None else one.order.trigger
    quantity = one.request.quantity
    if params.get("quantity") is not None:
        quantity = amount("quantity", params["quantity"])
    if quantity <= one.filled:
        raise BadInput("quantity", f"{quantity:f}", "request.filled", filled=f"{one.filled:f}")
    _in_steps(seat.bot.instrument, quantity, price, trigger)
    if trigger is not None:
        must_wait("trigger", one.order.side, trigger, await _price(engine, lane, seat.spec.symbol))
    outcome = await engine.put(lane, HandAmended(engine.now_ms(), request.id, name, quantity, price, trigger))
    if outcome.refused:
        return _told(outcome)
    return say("request.amending", order=name)


def _in_steps(instrument: Instrument, quantity: Decimal, *levels: Decimal | None) -> None:
    """Raise `BadInput` for what the venue would refuse: by then the order that stands would be taken back already."""
    if quantity % instrument.lot_step:
        raise BadInput("quantity", f"{quantity:f}", "request.lot", lot=f"{instrument.lot_step:f}")
    for level in levels:
        if level is not None and level % instrument.tick_size:
            raise BadInput("price", f"{level:f}", "ticket.tick", tick=f"{instrument.tick_size:f}")


async def _price(engine: Engine, lane: Lane, symbol: str) -> Decimal:
    """Return the price of now, and let the account know it: a decision is judged by what was seen before it."""
    known = lane.account.prices.get(symbol)
    now = engine.now_ms()
    price = known[0] if known is not None and now - known[1] < FRESH_MS else await lane.venue.price(symbol)
    engine.see(lane, now, {symbol: price})
    return price


def _told(outcome: Outcome) -> str:
    """Return what is answered: which orders are on their way; raise `CambistError` with the reason if none is."""
    sent = [one.client_id for one in outcome.requests()]
    refused = [say(f"refused.{one.reason}") for one in outcome.refused]
    if refused and not sent:
        raise CambistError("request.refused", why="; ".join(refused))
    told = [say("request.sent", orders=", ".join(sent))] if sent else []
    told += [say("request.refused", why=why) for why in refused]
    if not told and outcome.commands:  # an exit leaves once the stop in its way has been taken back
        return say("request.closing")
    return " ".join(told) or say("request.nothing")


def _foreign(order: OrderReport) -> str:
    """Return an order at the venue that is not ours, as people read it."""
    figures = (order.side, order.type, order.quantity, order.symbol, order.price or order.trigger)
    what = " ".join(f"{one:f}" if isinstance(one, Decimal) else str(one) for one in figures if one is not None)
    return say("running.foreign", order=order.client_id or "-", venue_id=order.venue_id or "-", what=what)
